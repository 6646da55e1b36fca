"""Prophesee RAW files of 64-bit EVT 2.1 words: the 32 bits of raw_words above a mask of the pixels x to x + 31.

Older cameras (IMX636) send the halves the other way round, the mask last. The header's `endianness` tells: `little`
or `legacy`. Without it a file is legacy, as openeb has it, except from cameras that came later.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
from numba import njit

from neuro_robot.errors import FileFormatError
from neuro_robot.events.array import Triggers
from neuro_robot.events.files import raw_header
from neuro_robot.events.files.base import EventReader, Format, Geometry
from neuro_robot.events.files.raw_file import RawKind, raw_format
from neuro_robot.events.files.raw_header import Header
from neuro_robot.events.files.raw_words import (
    BASE,
    EVT21,
    EVT21_LEGACY,
    HIGH,
    LAST_US,
    LAYOUT,
    LOW_BITS,
    LOW_MASK,
    MASK_SPARE,
    inside_mask,
    ones_of_mask,
    put_mask,
    put_trigger,
    time_high,
)
from neuro_robot.events.files.words import BACKWARD, OUTSIDE, UNKNOWN, UNSYNCHRONISED, Words
from neuro_robot.events.vectors import Integers, Slots

_NEGATIVE, _POSITIVE, _TIME_HIGH, _EXT_TRIGGER, _OTHER = 0x0, 0x1, 0x8, 0xA, 0xE
_HALF_MASK = 0xFFFFFFFF
_FIRST_LITTLE_SYSTEM = 0x37  # system_ID from which cameras send little


@njit(cache=True)
def _decode(
    words: Words,
    width: int,
    height: int,
    state: Integers,
    counts: Integers,
    slots: Slots,
    triggers: Triggers,
) -> tuple[int, int, int]:
    """See words.Decode; words: (n,) int64."""
    high, last_us, legacy = state[HIGH], state[LAST_US], state[LAYOUT] == EVT21_LEGACY
    kept = np.uint64(0)
    used = triggered = backward = 0
    while used < len(words) and np.int64(kept) <= len(slots) - MASK_SPARE:
        word, mask = words[used] >> 32 & _HALF_MASK, words[used] & _HALF_MASK
        if legacy:
            word, mask = mask, word
        used += 1
        code = word >> 28
        if code == _TIME_HIGH:
            high = time_high(word, high, state[BASE])
        elif code in (_NEGATIVE, _POSITIVE) and high < 0:
            counts[UNSYNCHRONISED] += ones_of_mask(mask)
        elif code in (_NEGATIVE, _POSITIVE):
            t_us = high << LOW_BITS | word >> 22 & LOW_MASK
            inside = inside_mask(word, mask, width, height)
            kept = put_mask(slots, kept, t_us * 1000, word, code, inside)
            if inside != mask:
                counts[OUTSIDE] += ones_of_mask(mask ^ inside)
            backward += t_us < last_us
            last_us = t_us
        elif code == _EXT_TRIGGER and high < 0:
            counts[UNSYNCHRONISED] += 1
        elif code == _EXT_TRIGGER:
            put_trigger(triggers, triggered, high, word)
            triggered += 1
        elif code != _OTHER:
            counts[UNKNOWN] += 1
    state[HIGH], state[LAST_US] = high, last_us
    counts[BACKWARD] += backward
    return used, int(kept), triggered


def _is_legacy(header: Header) -> bool:
    said = raw_header.endianness(header)
    if said is None:
        system = header.fields.get("system_ID", "")
        return not (re.fullmatch(r"[0-9]{1,4}", system) and int(system) >= _FIRST_LITTLE_SYSTEM)
    if said not in ("little", "legacy"):
        raise header.broken("endianness", f"expected endianness little or legacy, got {said[:40]!r}")
    return said == "legacy"


def _format(kind: RawKind) -> Format:
    """A kind's entry, for files whose halves are in its order."""
    entry = raw_format(kind, "<i8", _decode, MASK_SPARE)
    legacy = kind.layout == EVT21_LEGACY

    def sniff(head: bytes, path: Path) -> bool:
        try:
            header = raw_header.parse(head, path)
            return raw_header.encoding(header) == kind.encoding and _is_legacy(header) == legacy
        except FileFormatError:
            return False

    def read(path: Path, given: Geometry | None) -> EventReader:
        header = raw_header.read(path)
        if _is_legacy(header) != legacy and raw_header.encoding(header) == kind.encoding:
            order = "little" if legacy else "legacy"
            raise header.broken("endianness", f"the halves are in {order} order; open it without naming a format")
        return entry.reader(path, given)

    return replace(entry, sniff=sniff, reader=read)


_LEGACY_NAME = "Prophesee RAW, EVT 2.1, swapped"
FORMATS = (
    _format(RawKind("evt21", "Prophesee RAW, EVT 2.1", "EVT21", "2.1", EVT21, ("endianness little",))),
    _format(RawKind("evt21_legacy", _LEGACY_NAME, "EVT21", "2.1", EVT21_LEGACY, ("endianness legacy",))),
)
