"""Prophesee DAT files of CD events, versions 1 and 2.

A header of `% ` lines, a byte for the type of the events (0 or 12: CD), a byte for their size (8), then records of
two little-endian 32-bit numbers: time in us, and x, y and polarity from bit 0 up. Version 2 has 14, 14 and 1 bits for
them, version 1 (ATIS cameras) 9, 8 and 1. Triggers have no place in it.
Sources: docs.prophesee.ai, DAT file format; openeb, dat_tools.py; faery, dat/decoder.rs for version 1.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit

from neuro_robot.errors import FileFormatError
from neuro_robot.events.array import Events, Triggers
from neuro_robot.events.files import raw_header
from neuro_robot.events.files.base import HEAD_BYTES, Format, Geometry, broken
from neuro_robot.events.files.raw_header import Header
from neuro_robot.events.files.words import (
    BACKWARD,
    MOST_TIME_US,
    OUTSIDE,
    WordReader,
    Words,
    WordWriter,
    nearest,
    unwrapped,
)
from neuro_robot.events.vectors import Integers, Slots, put

RECORD = np.dtype("<i8")
_CD_TYPES = (0, 12)
_TIME_BITS, _TIME_MASK = 32, 0xFFFFFFFF
_PERIOD_US = 1 << _TIME_BITS
_GLITCH_US = 1 << 20  # as far as time may step back across a roll-over
_GROUP = np.uint64(32)  # records that are looked at together
_ADDRESS_BITS = {1: (9, 8), 2: (14, 14)}  # by version

# State: time of the last event in us, roll-overs included, -1 before the first; what it is near to, -1 if unknown.
_LAST_US, _BASE_US, _X_BITS, _Y_BITS, _STATE_SIZE = range(5)


def _new_state(version: int, base_us: int = -1) -> Integers:
    return np.array([-1, base_us, *_ADDRESS_BITS[version]], np.int64)


class DatWriter(WordWriter):
    """Writes DAT; triggers are left out."""

    def __init__(self, path: Path, width: int, height: int, *, version: int) -> None:
        self._version = version
        name = _name(version)
        super().__init__(path, name, (width, height), word=RECORD, state=_new_state(version), encode=_encode)

    def header(self, first_us: int) -> bytes:
        """The DAT header with the type and size of the events."""
        lines = ["Data file containing CD events.", f"Version {self._version}"]
        if first_us >= _PERIOD_US:
            lines.append(f"{raw_header.TIME_BASE} {first_us}")
        lines += [f"Height {self.geometry[1]}", f"Width {self.geometry[0]}"]
        return "".join(f"% {line}\n" for line in lines).encode() + bytes([_CD_TYPES[-1], RECORD.itemsize])

    def write(self, events: Events, triggers: Triggers | None = None) -> None:  # noqa: ARG002
        """Append the events."""
        super().write(events)


def _name(version: int) -> str:
    return "dat" if version == 2 else f"dat{version}"


def _version(header: Header) -> int | None:
    """1 or 2; None for anything that is no DAT header. Files from before there were versions are like version 1."""
    if not header.fields.get("Data", "").startswith("file containing") and "Version" not in header.fields:
        return None
    number = header.fields.get("Version", "1").partition(".")[0]
    return {"0": 1, "1": 1, "2": 2}.get(number)


def _sniff(head: bytes, path: Path, *, version: int) -> bool:
    try:
        return _version(raw_header.parse(head, path)) == version
    except FileFormatError:
        return False


def _open(path: Path, given: Geometry | None, *, version: int) -> WordReader:
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES + 2)
    header = raw_header.parse(head[:HEAD_BYTES], path)
    if _version(header) != version:
        said = header.fields.get("Version", "none")[:40]
        raise header.broken("Version", f"expected a DAT header of version {version}, got version {said}")
    kind = head[header.size : header.size + 2]
    if len(kind) < 2:
        raise broken(path, header.size, "expected the type and size of the events, got the end of the file")
    if kind[0] not in _CD_TYPES or kind[1] != RECORD.itemsize:
        raise broken(
            path, header.size, f"expected events of type 0 or 12 (CD) and size 8, got type {kind[0]}, size {kind[1]}"
        )
    x_bits, y_bits = _ADDRESS_BITS[version]
    return WordReader(
        path,
        _name(version),
        raw_header.geometry(header, given, (1 << x_bits, 1 << y_bits)),
        details=header.fields,
        offset=header.size + 2,
        word=RECORD,
        state=_new_state(version, raw_header.time_base_us(header)),
        decode=_decode,
        spare=1,
        offset_us=raw_header.time_offset_us(header),
    )


@njit(cache=True)
def _decode(
    words: Words,
    width: int,
    height: int,
    state: Integers,
    counts: Integers,
    slots: Slots,
    triggers: Triggers,  # noqa: ARG001 - none in these files
) -> tuple[int, int, int]:
    """See words.Decode."""
    last_us, x_bits, y_bits = state[_LAST_US], state[_X_BITS], state[_Y_BITS]
    x_mask, y_mask = (1 << x_bits) - 1, (1 << y_bits) - 1
    n = min(len(words), len(slots))
    if n and last_us < 0:
        first_us = words[0] & _TIME_MASK
        last_us = nearest(first_us, state[_BASE_US], _TIME_BITS) if state[_BASE_US] >= 0 else first_us
    epoch = last_us >> _TIME_BITS << _TIME_BITS
    kept = np.uint64(0)
    backward = 0
    i = np.uint64(0)
    while i < np.uint64(n):
        while i + _GROUP <= np.uint64(n) and _is_plain(words, i, last_us - epoch, x_bits, y_bits, width, height):
            for k in range(_GROUP):
                word = words[i + k]
                xy = word >> 32 & x_mask | (word >> 32 + x_bits & y_mask) << 16
                put(slots, kept + k, (epoch | word & _TIME_MASK) * 1000, xy, word >> 32 + x_bits + y_bits & 1)
            i, kept = i + _GROUP, kept + _GROUP
            last_us = epoch | words[i - np.uint64(1)] & _TIME_MASK
        end = min(i + _GROUP, np.uint64(n))
        while i < end:
            word = words[i]
            i += np.uint64(1)
            t_us = epoch | word & _TIME_MASK
            step = t_us - last_us
            if step < -(_PERIOD_US >> 1) or step >= _PERIOD_US - _GLITCH_US:
                t_us = unwrapped(word & _TIME_MASK, last_us, _TIME_BITS, _GLITCH_US, MOST_TIME_US)
                epoch = t_us >> _TIME_BITS << _TIME_BITS
            x, y = word >> 32 & x_mask, word >> 32 + x_bits & y_mask
            # One outside the sensor is overwritten by the next.
            put(slots, kept, t_us * 1000, x | y << 16, word >> 32 + x_bits + y_bits & 1)
            kept += np.uint64((x < width) & (y < height))
            backward += t_us < last_us
            last_us = t_us
    state[_LAST_US] = last_us
    counts[OUTSIDE] += n - np.int64(kept)
    counts[BACKWARD] += backward
    return n, int(kept), 0


@njit(cache=True)
def _is_plain(words: Words, i: Any, last: int, x_bits: int, y_bits: int, width: int, height: int) -> Any:
    """Whether the group of records from i on is inside the sensor, in order after `last` and shortly after it.

    last: the time of the event before, in us of the present period of the clock.
    """
    x_mask, y_mask = (1 << x_bits) - 1, (1 << y_bits) - 1
    odd = np.int64((words[i] & _TIME_MASK) < last) | np.int64((words[i] & _TIME_MASK) - last >= _PERIOD_US >> 1)
    for k in range(_GROUP):
        word = words[i + k]
        odd |= np.int64((word >> 32 & x_mask) >= width) | np.int64((word >> 32 + x_bits & y_mask) >= height)
    for k in range(np.uint64(1), _GROUP):
        odd |= np.int64((words[i + k] & _TIME_MASK) < (words[i + k - np.uint64(1)] & _TIME_MASK))
    first, end = words[i] & _TIME_MASK, words[i + _GROUP - np.uint64(1)] & _TIME_MASK
    return odd == 0 and end - first < _PERIOD_US >> 1


@njit(cache=True)
def _encode(
    events: Events,
    triggers: Triggers,  # noqa: ARG001
    state: Integers,
    words: Words,
) -> tuple[int, int, int]:
    """See words.Encode."""
    last_us, x_bits, y_bits = state[_LAST_US], state[_X_BITS], state[_Y_BITS]
    n = 0
    while n < min(len(events), len(words)):
        event = events[n]
        t_us = event.t // 1000
        # Only what a reader finds again may be written.
        if last_us >= 0 and unwrapped(t_us & _TIME_MASK, last_us, _TIME_BITS, _GLITCH_US, MOST_TIME_US) != t_us:
            break
        last_us = t_us
        address = np.int64(event.p) << x_bits + y_bits | np.int64(event.y) << x_bits | np.int64(event.x)
        words[n] = address << 32 | t_us & _TIME_MASK
        n += 1
    state[_LAST_US] = last_us
    return n, 0, n


FORMATS = tuple(
    Format(
        name=_name(version),
        extensions=(".dat",),
        description=f"Prophesee DAT, version {version}" + (" (ATIS)" if version == 1 else ""),
        sniff=partial(_sniff, version=version),
        reader=partial(_open, version=version),
        writer=partial(DatWriter, version=version),
        time_resolution_ns=1000,
        keeps_triggers=False,
        max_width=1 << _ADDRESS_BITS[version][0],
        max_height=1 << _ADDRESS_BITS[version][1],
    )
    for version in (2, 1)
)
