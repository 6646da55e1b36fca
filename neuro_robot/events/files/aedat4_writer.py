"""Writing AEDAT4; layout and sources in aedat4 and aedat4_header.

The file can be read up to the last whole packet at any time: the header says that the table is missing (-1) until
close() writes it. Each trigger channel is a stream of its own, declared when its first trigger comes.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt
from numba import njit

from neuro_robot.errors import FileFormatError
from neuro_robot.events.array import Events, Triggers, as_kernel_input
from neuro_robot.events.files.aedat4_header import TABLE_POSITION_AT, Stream, header_bytes
from neuro_robot.events.files.base import EventWriter, require_triggers, require_writable
from neuro_robot.events.files.flatbuffer import single_vector_start, vector_of_tables
from neuro_robot.events.files.packet_compression import CODES, compression

EVENT_STRUCT = np.dtype(
    {"names": ["t", "x", "y", "on"], "formats": ["<i8", "<i2", "<i2", "u1"], "offsets": [0, 8, 10, 12], "itemsize": 16}
)
_TRIGGER_TABLE = np.dtype(
    {"names": ["vtable", "type", "t"], "formats": ["<i4", "i1", "<i8"], "offsets": [0, 4, 8], "itemsize": 16}
)
_PACKET_TABLE = np.dtype(
    {
        "names": ["vtable", "at", "stream", "size", "n", "first_us", "last_us"],
        "formats": ["<i4", "<i8", "<i4", "<i4", "<i8", "<i8", "<i8"],
        "offsets": [0, 8, 16, 20, 24, 32, 40],
        "itemsize": 48,
    }
)
PACKET_EVENTS = 10_000  # as DV cuts them
_RISING, _FALLING = 1, 2


class Aedat4Writer(EventWriter):
    """Events as stream 0, triggers of channel 0 as stream 1, further channels as they come."""

    def __init__(
        self, path: Path, width: int, height: int, *, compression_name: str = "LZ4", source: str = "neuro_robot"
    ) -> None:
        packing = compression(CODES.get(compression_name, -1))
        if packing is None:
            raise FileFormatError(f"expected a compression of {', '.join(CODES)}, got {compression_name!r}")
        self._packing = packing
        self._path = path
        self._size = (width, height)
        self._streams = [Stream(0, "EVTS", width, height, source), Stream(1, "TRIG", 0, 0, source)]
        self._source = source
        self._packets: list[tuple[int, int, int, int, int, int]] = []
        self._pending = np.zeros(0, EVENT_STRUCT)  # less than a packet
        self._file = path.open("wb")
        self._file.write(self._header(-1))

    def _header(self, table_position: int) -> bytes:
        try:
            return header_bytes(CODES[self._packing.name], self._packing.name, table_position, self._streams)
        except ValueError as error:
            raise FileFormatError(f"{self._path}: the header has no room for more trigger channels") from error

    def write(self, events: Events, triggers: Triggers | None = None) -> None:
        require_writable(events, *self._size)
        triggers = require_triggers(triggers)
        structs = np.zeros(len(self._pending) + len(events), EVENT_STRUCT)
        structs.view(np.uint8)[: self._pending.nbytes] = self._pending.view(np.uint8)
        _to_structs(as_kernel_input(events), structs[len(self._pending) :])
        whole = len(structs) - len(structs) % PACKET_EVENTS
        for start in range(0, whole, PACKET_EVENTS):
            self._put_events(structs[start : start + PACKET_EVENTS])
        self._pending = structs.view(np.uint8)[whole * EVENT_STRUCT.itemsize :].copy().view(EVENT_STRUCT)
        for channel in np.unique(triggers["id"]):
            self._put_triggers(triggers[triggers["id"] == channel], self._trigger_stream(int(channel)))

    def _put_events(self, structs: npt.NDArray[np.void]) -> None:
        body = structs.view(np.uint8).tobytes()
        self._put(0, single_vector_start(b"EVTS", len(structs), len(body)) + body, structs["t"])

    def _put_triggers(self, triggers: Triggers, stream: int) -> None:
        tables = np.zeros(len(triggers), _TRIGGER_TABLE)
        tables["t"] = triggers["t"] // 1000
        tables["type"] = np.where(triggers["value"] != 0, _RISING, _FALLING)
        self._put(stream, vector_of_tables(b"TRIG", (8, 4), tables), tables["t"])

    def _trigger_stream(self, channel: int) -> int:
        for stream in self._streams[1:]:
            if stream.channel == channel:
                return stream.id
        self._streams.append(Stream(len(self._streams), "TRIG", 0, 0, self._source, channel))
        header = self._header(-1)
        end = self._file.tell()
        self._file.seek(0)
        self._file.write(header)
        self._file.seek(end)
        return self._streams[-1].id

    def _put(self, stream: int, data: bytes, times_us: npt.NDArray[np.int64]) -> None:
        packed = self._packing.compress(data)
        self._file.write(struct.pack("<ii", stream, len(packed)))
        at = self._file.tell()
        self._file.write(packed)
        first_us, last_us = int(times_us.min()), int(times_us.max())
        self._packets.append((at, stream, len(packed), len(times_us), first_us, last_us))

    def close(self) -> None:
        if self._file.closed:
            return
        with self._file as file:
            if len(self._pending):
                self._put_events(self._pending)
            table_position = file.tell()
            tables = np.zeros(len(self._packets), _PACKET_TABLE)
            columns = np.array(self._packets, np.int64).reshape(-1, 6).T
            for name, column in zip(_PACKET_TABLE.names[1:] if _PACKET_TABLE.names else (), columns, strict=True):
                tables[name] = column
            file.write(self._packing.compress(vector_of_tables(b"FTAB", (8, 16, 24, 32, 40), tables)))
            file.seek(TABLE_POSITION_AT)
            file.write(struct.pack("<q", table_position))


@njit(cache=True)
def _to_structs(events: Events, structs: npt.NDArray[np.void]) -> None:
    for i in range(len(events)):
        event, struct_ = events[i], structs[i]
        struct_.t = event.t // 1000
        struct_.x = event.x
        struct_.y = event.y
        struct_.on = event.p
