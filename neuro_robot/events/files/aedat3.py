"""AEDAT 3.1 (cAER, DVS128 Gesture): packets of one kind of event each, little-endian, microseconds.

A packet's header is 28 bytes: i16 type, i16 source, i32 bytes of an event, i32 offset of the time in it, i32 overflow,
i32 capacity, i32 events, i32 valid events. A polarity event (type 1): u32 {bit 0 valid, bit 1 ON, bits 2-16 y,
bits 17-31 x}, i32 time; a special event (type 0): u32 {bit 0 valid, bits 1-7 kind, bits 8-31 data}, i32 time. Time in
us is overflow << 31 | time; the origin is the upper left. Sources: docs.inivation.com "AEDAT 3.1"; libcaer
events/common.h, polarity.h, special.h.

Triggers: input 0, 1, 2 and the generator are channels 0 to 3; our writer puts the number of another channel into the
data of input 0. Events marked as not valid count as unknown words.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from neuro_robot.events.array import (
    EVENT_DTYPE,
    MAX_TIME_NS,
    TRIGGER_DTYPE,
    Events,
    Triggers,
    empty_events,
    empty_triggers,
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
from neuro_robot.events.files.binary import BinaryFile, regroup

MAGIC = b"#!AER-DAT3.1"
_END = b"#!END-HEADER"
_SIZE = "neuro_robot geometry:"
_HEADER = struct.Struct("<hhiiiiii")
_SPECIAL, _POLARITY = 0, 1
_EVENT = np.dtype([("data", "<u4"), ("time", "<i4")])
_MAX_US = MAX_TIME_NS // 1000
_PIECE = 1 << 17  # events of a packet converted at once
# kinds of special events -> channel, value
_EDGES = {2: (0, 1), 3: (0, 0), 4: (0, 1), 6: (1, 1), 7: (1, 0), 8: (1, 1), 9: (2, 1), 10: (2, 0), 11: (2, 1)}
_EDGES |= {12: (3, 1), 13: (3, 0)}
_NAMES = {(128, 128): "DVS128", (240, 180): "DAVIS240C", (346, 260): "DAVIS346", (640, 480): "DAVIS640"}


class Aedat3Reader(EventReader):
    """Polarity and special events; frames, IMU samples and others are passed over.

    Of several cameras the first one named is read.
    """

    format = "aedat3"

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
        packing = value(lines, "Format:") or "RAW"
        if packing.upper() != "RAW":
            raise self._file.defect(f"expected packets of format RAW, got {packing}; convert it with cAER first", 0)
        sources = [line.removeprefix("Source ").partition(":") for line in lines if line.startswith("Source ")]
        cameras = [(number, name.strip()) for number, _, name in sources if number.strip().isdecimal()]
        chosen = next((camera for camera in cameras if camera_size(camera[1])), ("", ""))
        size = stated_size(lines, _SIZE) or camera_size(chosen[1]) or geometry
        if size is None:
            names = ", ".join(name for _, name in cameras) or "none"
            raise self._file.defect(
                f"the size of the camera ({names}) is not known here; give the geometry (--geometry WxH)", 0
            )
        self.width, self.height = size
        self._source = int(chosen[0]) if chosen[0] and len(cameras) > 1 else None
        self.details = {"sources": "; ".join(f"{number}: {name}" for number, name in cameras)}
        self.details["started"] = value(lines, "Start-Time:") or ""

    def chunks(self, max_events: int = CHUNK_EVENTS) -> Iterator[Chunk]:
        for chunk in regroup(self._packets(), max_events):
            yield self._accept(chunk.events, chunk.triggers)

    def _packets(self) -> Iterator[Chunk]:
        file = self._file
        while file.left >= _HEADER.size:
            at = file.offset
            kind, source, size, time_at, overflow, _, n, _ = _HEADER.unpack(file.read(_HEADER.size, "a packet"))
            if size <= 0 or n < 0 or overflow < 0 or kind < 0:
                numbers = f"type {kind}, {n} events of {size} bytes, overflow {overflow}"
                raise file.defect(f"the header of a packet is impossible: {numbers}", at)
            file.require(n * size, "a packet")
            ours = kind in (_SPECIAL, _POLARITY) and self._source in (None, source)
            if not ours:
                file.seek(file.offset + n * size)
                continue
            if (size, time_at) != (_EVENT.itemsize, 4):
                raise file.defect(f"expected events of 8 bytes with the time at 4, got {size} and {time_at}", at)
            for start in range(0, n, _PIECE):
                part = file.read(min(_PIECE, n - start) * size, "events")
                yield self._piece(np.frombuffer(part, _EVENT), overflow, special=kind == _SPECIAL)
        self.stats.torn_bytes += file.left
        file.seek(file.size)

    def _piece(self, words: npt.NDArray[np.void], overflow: int, *, special: bool) -> Chunk:
        if special:
            triggers = self._triggers(words, overflow)
            return Chunk(empty_events(), triggers)
        events = np.empty(len(words), EVENT_DTYPE)
        kept = _decode(words, overflow, _MAX_US, events)
        self.stats.unknown_words += len(words) - kept
        return Chunk(events[:kept], empty_triggers())

    def _triggers(self, words: npt.NDArray[np.void], overflow: int) -> Triggers:
        edges = []
        for data, time in words.tolist():
            kind, more = data >> 1 & 0x7F, data >> 8
            t_us = overflow << 31 | time
            if data & 1 and kind in _EDGES and time >= 0 and t_us <= _MAX_US:
                channel, edge = _EDGES[kind]
                edges.append((t_us * 1000, channel or more & 0xFF, edge))
        return np.array(edges, TRIGGER_DTYPE)

    def position(self) -> float:
        return self._file.position()

    def close(self) -> None:
        self._file.close()


class Aedat3Writer(EventWriter):
    """Writes each call's events as packets; what was written can be read at any time."""

    def __init__(self, path: Path, width: int, height: int) -> None:
        self._size = (width, height)
        self._file = path.open("wb")
        lines = ["Format: RAW", f"Source 1: {_NAMES.get(self._size, 'neuro_robot')}"]
        lines += ["Start-Time: 1970-01-01 00:00:00 (TZ+0000)", f"{_SIZE} {width}x{height}"]
        header = b"".join(f"#{line}\r\n".encode() for line in lines)
        self._file.write(MAGIC + b"\r\n" + header + _END + b"\r\n")

    def write(self, events: Events, triggers: Triggers | None = None) -> None:
        require_writable(events, *self._size)
        triggers = require_triggers(triggers)
        data = events["x"].astype(np.uint32) << 17 | events["y"].astype(np.uint32) << 2 | events["p"] << 1 | 1
        self._put(_POLARITY, data, events["t"] // 1000)
        kinds = np.where(triggers["value"] != 0, 2, 3).astype(np.uint32)
        self._put(_SPECIAL, triggers["id"].astype(np.uint32) << 8 | kinds << 1 | 1, triggers["t"] // 1000)

    def _put(self, kind: int, data: npt.NDArray[Any], times_us: npt.NDArray[np.int64]) -> None:
        overflows = times_us >> 31
        cuts = [0, *(np.flatnonzero(np.diff(overflows)) + 1).tolist(), len(data)]
        for start, end in pairwise(cuts):
            if start == end:
                continue
            words = np.empty(end - start, _EVENT)
            words["data"] = data[start:end]
            words["time"] = times_us[start:end] & 0x7FFFFFFF
            n = len(words)
            header = _HEADER.pack(kind, 1, _EVENT.itemsize, 4, int(overflows[start]), n, n, n)
            self._file.write(header + words.tobytes())

    def close(self) -> None:
        self._file.close()


@njit(cache=True)
def _decode(words: npt.NDArray[np.void], overflow: int, max_us: int, events: Events) -> int:
    """-> number of events that are valid and whose time is possible."""
    kept = 0
    for i in range(len(words)):
        data, time = np.int64(words[i].data), np.int64(words[i].time)
        t_us = np.int64(overflow) << 31 | time & 0x7FFFFFFF
        event = events[kept]
        event.t = t_us * 1000
        event.x = data >> 17
        event.y = data >> 2 & 0x7FFF
        event.p = data >> 1 & 1
        kept += (data & 1 == 1) & (time >= 0) & (t_us <= max_us)
    return kept


FORMATS = (
    Format(
        name="aedat3",
        extensions=(".aedat3", ".aedat"),
        description="AEDAT 3.1 (cAER, DVS128 Gesture)",
        sniff=lambda head, _path: head.startswith(MAGIC),
        reader=Aedat3Reader,
        writer=Aedat3Writer,
        time_resolution_ns=1000,
        keeps_triggers=True,
        max_width=2**15,
        max_height=2**15,
    ),
)
