"""AEDAT 2.0 (jAER): records of a 32-bit address and a 32-bit time in us, both big-endian.

Address of a DVS128: y bits 8-14, x bits 1-7, polarity bit 0 with 0 = ON; bit 15 marks a pulse on the sync input.
Address of a DAVIS: y bits 22-30, x bits 12-21, polarity bit 11 with 1 = ON; bit 31 marks an image or IMU sample,
bit 10 without it an edge on the trigger input (bits 0-2: 2 falling, 3 rising, 4 pulse). jAER counts y from the bottom
and mirrors x, so the picture is at (width - 1 - x, height - 1 - y). Sources: docs.inivation.com "AEDAT 2.0";
SensorsINI/jaer DavisChip.java, DVS128.java; v2e's writer agrees on the DAVIS. The vendor's page says 1 = ON of the
DVS128; jAER's and dv-processing's code say 0, as the camera sends it.

Time wraps every 2^32 us (71.6 minutes) and is unwrapped. Our writer notes in comment lines, which other readers skip,
the geometry, the whole 2^32 us before the first event, and that it numbers trigger inputs (bits 3-9 of a DAVIS; of a
DVS128 channel in bits 1-7 and edge in bit 0).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from neuro_robot.errors import FileFormatError
from neuro_robot.events.array import (
    EVENT_DTYPE,
    MAX_TIME_NS,
    TRIGGER_DTYPE,
    Events,
    Triggers,
    as_kernel_input,
)
from neuro_robot.events.files.aedat_text import camera_size, read_lines, stated_size, value
from neuro_robot.events.files.base import (
    CHUNK_EVENTS,
    Chunk,
    EventReader,
    EventWriter,
    FileStats,
    Format,
    Geometry,
    require_triggers,
    require_writable,
)
from neuro_robot.events.files.binary import BinaryFile

MAGIC = b"#!AER-DAT2.0"
_END = b"#End Of ASCII Header"
_SIZE, _OFFSET, _NUMBERED = "neuro_robot geometry:", "neuro_robot time offset us:", "neuro_robot numbers triggers"
_WRAP_US = 1 << 32
_RECORD = 8
_DVS128: Geometry = (128, 128)
_CHIPS = {
    (128, 128): "ch.unizh.ini.jaer.chip.retina.DVS128",
    (240, 180): "eu.seebetter.ini.chips.davis.Davis240C",
    (346, 260): "eu.seebetter.ini.chips.davis.Davis346B",
    (640, 480): "eu.seebetter.ini.chips.davis.Davis640",
}


class Aedat2Reader(EventReader):
    """A recording of jAER; image and IMU samples are passed over."""

    format = "aedat2"

    def __init__(self, path: Path, geometry: Geometry | None = None) -> None:
        self.stats = FileStats()
        self._file = BinaryFile(path)
        try:
            self._open(geometry)
        except BaseException:
            self._file.close()
            raise

    def _open(self, geometry: Geometry | None) -> None:
        lines = read_lines(self._file, MAGIC, _END)
        chip = value(lines, "AEChip:") or value(lines, "HardwareInterface:") or ""
        size = stated_size(lines, _SIZE) or camera_size(chip) or geometry
        if size is None:
            known = "128x128 for a DVS128, 240x180 or 346x260 for a DAVIS"
            raise self._file.defect(
                f"the header names no camera known here; give the geometry (--geometry WxH; {known})", 0
            )
        if not (size[0] <= 1024 and size[1] <= 512):
            raise self._file.defect(f"expected at most 1024x512 pixels, got {size[0]}x{size[1]}; give another geometry")
        self.width, self.height = size
        self._dvs128 = size == _DVS128 and "davis" not in chip.lower()
        self._numbered = _NUMBERED in lines
        offset = value(lines, _OFFSET) or "0"
        first_wrap_us = int(offset) if offset.isdecimal() and len(offset) < 18 else 0
        self._state = np.array([min(first_wrap_us, MAX_TIME_NS // 1000), -1], np.int64)
        self.details = {"chip": chip, "addresses": "DVS128" if self._dvs128 else "DAVIS"}

    def chunks(self, max_events: int = CHUNK_EVENTS) -> Iterator[Chunk]:
        file = self._file
        while file.left >= _RECORD:
            n = min(file.left // _RECORD, max(1, min(max_events, CHUNK_EVENTS)))
            words = np.frombuffer(file.read(n * _RECORD, "records"), ">u4").astype(np.int64)
            events, triggers = np.empty(n, EVENT_DTYPE), np.empty(n, TRIGGER_DTYPE)
            found = _decode(words, self.width, self.height, self._dvs128, self._numbered, self._state, events, triggers)
            yield self._accept(events[: found[0]], triggers[: found[1]].copy())
        self.stats.torn_bytes += file.left
        file.seek(file.size)

    def position(self) -> float:
        return self._file.position()

    def close(self) -> None:
        self._file.close()


class Aedat2Writer(EventWriter):
    """Writes the addresses of a DVS128 for 128x128 pixels, else of a DAVIS."""

    def __init__(self, path: Path, width: int, height: int) -> None:
        self._size = (width, height)
        self._path = path
        self._last_us: int | None = None
        self._file = path.open("wb")

    def _header(self, first_us: int) -> bytes:
        width, height = self._size
        lines = [
            "!AER-DAT2.0",
            " This is a raw AE data file - do not edit",
            " Data format is int32 address, int32 timestamp (8 bytes total), repeated for each event",
            " Timestamps tick is 1 us",
            f" AEChip: {_CHIPS.get(self._size, 'davis')}",
            f"{_SIZE} {width}x{height}",
            f"{_OFFSET} {first_us - first_us % _WRAP_US}",
            _NUMBERED,
        ]
        return "".join(f"#{line}\r\n" for line in lines).encode() + _END + b"\r\n"

    def write(self, events: Events, triggers: Triggers | None = None) -> None:
        require_writable(events, *self._size)
        triggers = require_triggers(triggers)
        if len(triggers) and triggers["id"].max() > 127:
            raise FileFormatError(f"{self._path}: expected trigger inputs 0 to 127, got {triggers['id'].max()}")
        words = np.empty((len(events) + len(triggers), 2), np.int64)
        _encode(as_kernel_input(events), *self._size, self._size == _DVS128, words)
        self._encode_triggers(triggers, words[len(events) :])
        if len(triggers):
            words = words[np.argsort(words[:, 1], kind="stable")] if _sorted(words, len(events)) else words
        self._put(words)

    def _encode_triggers(self, triggers: Triggers, words: npt.NDArray[np.int64]) -> None:
        channel, rising = triggers["id"].astype(np.int64), triggers["value"] != 0
        dvs128 = 1 << 15 | channel << 1 | rising
        words[:, 0] = dvs128 if self._size == _DVS128 else 1 << 10 | channel << 3 | np.where(rising, 3, 2)
        words[:, 1] = triggers["t"] // 1000

    def _put(self, words: npt.NDArray[np.int64]) -> None:
        if not len(words):
            return
        times_us = words[:, 1]
        if self._last_us is None:
            self._file.write(self._header(int(times_us[0])))
        else:
            times_us = np.concatenate([[self._last_us], times_us])
        steps = np.diff(times_us)
        if len(steps) and (steps.max() > _WRAP_US // 2 or steps.min() < -_WRAP_US // 2):
            longest = f"{_WRAP_US // 2} us without an event"
            raise FileFormatError(f"{self._path}: AEDAT 2 can tell at most {longest}; write another format, or split")
        first_wrap = int(times_us[0]) // _WRAP_US
        if self._last_us is None and len(steps) and int(times_us.min()) // _WRAP_US < first_wrap:
            raise FileFormatError(f"{self._path}: time steps back over a multiple of 2^32 us at the start; sort")
        self._last_us = int(times_us[-1])
        self._file.write((words & 0xFFFFFFFF).astype(">u4").tobytes())

    def close(self) -> None:
        if self._file.closed:
            return
        with self._file as file:
            if self._last_us is None:
                file.write(self._header(0))


def _sorted(words: npt.NDArray[np.int64], n_events: int) -> bool:
    """Whether both parts are in order of time, so that merging them by time keeps the order of the events."""
    return bool((np.diff(words[:n_events, 1]) >= 0).all())


@njit(cache=True)
def _decode(
    words: npt.NDArray[np.int64],
    width: int,
    height: int,
    dvs128: bool,
    numbered: bool,
    state: npt.NDArray[np.int64],
    events: Events,
    triggers: Triggers,
) -> tuple[int, int]:
    """state: whole 2^32 us so far, last time; -> (events, triggers)."""
    n_events = 0
    n_triggers = 0
    for i in range(0, len(words), 2):
        address, raw_us = words[i], words[i + 1]
        step = raw_us - state[1] if state[1] >= 0 else 0
        if step < -(1 << 31):
            state[0] += 1 << 32
        elif step > 1 << 31 and state[0] >= 1 << 32:
            state[0] -= 1 << 32  # a late event from before the roll-over
        state[1] = raw_us
        t_ns = (state[0] + raw_us) * 1000
        if dvs128:
            x, y, p = address >> 1 & 0x7F, address >> 8 & 0x7F, ~address & 1
            marked, edge = address >> 15 != 0, address >> 15 == 1
            channel, value_ = (address >> 1 & 0x7F, address & 1) if numbered else (0, 1)
        else:
            x, y, p = address >> 12 & 0x3FF, address >> 22 & 0x1FF, address >> 11 & 1
            marked, edge = address >> 31 != 0 or address >> 10 & 1 != 0, address >> 31 == 0
            channel, value_ = address >> 3 & 0x7F if numbered else 0, 0 if address & 7 == 2 else 1
        if marked:
            if edge:
                trigger = triggers[n_triggers]
                trigger.t = t_ns
                trigger.id = channel
                trigger.value = value_
                n_triggers += 1
            continue
        event = events[n_events]
        event.t = t_ns
        event.x = width - 1 - x if x < width else 0xFFFF
        event.y = height - 1 - y if y < height else 0xFFFF
        event.p = p
        n_events += 1
    return n_events, n_triggers


@njit(cache=True)
def _encode(events: Events, width: int, height: int, dvs128: bool, words: npt.NDArray[Any]) -> None:
    for i in range(len(events)):
        event = events[i]
        x, y, p = width - 1 - np.int64(event.x), height - 1 - np.int64(event.y), np.int64(event.p)
        words[i, 0] = y << 8 | x << 1 | 1 - p if dvs128 else y << 22 | x << 12 | p << 11
        words[i, 1] = event.t // 1000


FORMATS = (
    Format(
        name="aedat2",
        extensions=(".aedat2", ".aedat"),
        description="jAER AEDAT 2.0, DVS128 and DAVIS",
        sniff=lambda head, _path: head.startswith(MAGIC),
        reader=Aedat2Reader,
        writer=Aedat2Writer,
        time_resolution_ns=1000,
        keeps_triggers=True,
        max_width=1024,
        max_height=512,
    ),
)
