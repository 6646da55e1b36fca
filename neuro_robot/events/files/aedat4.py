"""AEDAT4 (iniVation DV): packets of compressed flatbuffers, several streams, microseconds since 1970.

Layout: the header (aedat4_header), then packets {i32 stream, i32 size, size bytes}, then a table of them (FTAB).
Unpacked, an events packet ("EVTS") is a vector of 16-byte structs {i64 t us, i16 x, i16 y, u8 on, 3 unused}; a trigger
packet ("TRIG") a vector of tables {i64 t us, i8 type}. Sources as in aedat4_header; checked against dv-processing.

Of several event streams the reader takes the one asked for, else the one of lowest number; triggers are those of the
same camera. A trigger's id is the channel our writer notes for its stream, 0 for other writers, and 3 for the
camera's own generator.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from numba import njit

from neuro_robot.events.array import EVENT_DTYPE, MAX_TIME_NS, TRIGGER_DTYPE, Events, empty_events, empty_triggers
from neuro_robot.events.files.aedat4_header import MAGIC, Stream, read_header
from neuro_robot.events.files.aedat4_writer import EVENT_STRUCT, Aedat4Writer
from neuro_robot.events.files.base import CHUNK_EVENTS, Chunk, EventReader, FileStats, Format, Geometry
from neuro_robot.events.files.binary import BinaryFile, regroup
from neuro_robot.events.files.flatbuffer import BrokenBufferError, Table, number, root
from neuro_robot.events.files.gathered import Gathered
from neuro_robot.events.files.packet_compression import compression

_PACKET = struct.Struct("<ii")
_U32 = struct.Struct("<I")
_MAX_US = MAX_TIME_NS // 1000
# TriggerType of DV -> (channel, value); 0 is a reset of time, 6 to 9 are phases of a frame: no edges on an input.
_EDGES = {1: (0, 1), 2: (0, 0), 3: (0, 1), 4: (3, 1), 5: (3, 0)}


class Aedat4Reader(EventReader):
    """One stream of events of a file, with the triggers of its camera."""

    format = "aedat4"

    def __init__(self, path: Path, geometry: Geometry | None = None, stream: int | None = None) -> None:
        self.stats = FileStats()
        self._file = BinaryFile(path)
        try:
            self._open(geometry, stream)
        except BaseException:
            self._file.close()
            raise

    def _open(self, geometry: Geometry | None, stream: int | None) -> None:
        file = self._file
        header = read_header(file)
        packing = compression(header.compression)
        if packing is None:
            raise file.defect(f"compression {header.compression} is unknown; expected 0 to 4", len(MAGIC))
        self._decompress = packing.decompress
        self._streams = header.streams
        self._chosen = self._choose(stream)
        width, height = self._chosen.width, self._chosen.height
        if not (width and height):
            if geometry is None:
                raise file.defect(
                    "the header says no size of the sensor; give the geometry (--geometry WxH)", len(MAGIC)
                )
            width, height = geometry
        self.width, self.height = width, height
        finished = header.table_position >= 0
        if finished and header.table_position < file.offset:
            raise file.defect(f"the table is said to be at {header.table_position}, inside the header", len(MAGIC))
        self._finished = finished
        self._end = header.table_position if finished else file.size
        self.details = {
            "compression": packing.name,
            "source": self._chosen.source,
            "streams": "; ".join(one.named() for one in header.streams.values()),
            "finished": "yes" if finished else "no: the writer was stopped",
        }

    def _choose(self, stream: int | None) -> Stream:
        events = sorted((one for one in self._streams.values() if one.kind == "EVTS"), key=lambda one: one.id)
        if not events:
            names = "; ".join(one.named() for one in self._streams.values()) or "none"
            raise self._file.defect(f"expected a stream of events, the header names {names}", len(MAGIC))
        chosen = events[0] if stream is None else next((one for one in events if one.id == stream), None)
        if chosen is None:
            names = "; ".join(one.named() for one in events)
            raise self._file.defect(f"there is no stream {stream} of events; choose one of {names}", len(MAGIC))
        return chosen

    def chunks(self, max_events: int = CHUNK_EVENTS) -> Iterator[Chunk]:
        yield from regroup(self._packets(lambda n: np.empty(n, EVENT_DTYPE)), max_events)

    def read_all(self) -> Chunk:
        """The rest of the recording, each packet unpacked to where its events stay."""
        gathered, triggers = Gathered(self.position), [empty_triggers()]
        for packet in self._packets(gathered.room):
            gathered.took(len(packet.events))
            triggers.append(packet.triggers)
        return Chunk(gathered.events(), np.concatenate(triggers))

    def _packets(self, room: Callable[[int], Events]) -> Iterator[Chunk]:
        """One chunk for each packet, its events at the start of the room that is given for as many."""
        file = self._file
        while file.offset < self._end:
            at = file.offset
            if not self._finished and file.left < _PACKET.size:
                self._torn()
                return
            number_of_stream, size = _PACKET.unpack(file.read(_PACKET.size, "the header of a packet"))
            stream = self._streams.get(number_of_stream)
            if stream is None:
                known = ", ".join(str(one) for one in self._streams)
                raise file.defect(f"a packet of stream {number_of_stream}; the header names {known}", at)
            if not self._finished and size > file.left:
                file.seek(at)
                self._torn()
                return
            file.require(size, "a packet")
            if stream is self._chosen:
                yield Chunk(self._events(self._unpacked(size, at), at, room), empty_triggers())
            elif stream.kind == "TRIG" and stream.source == self._chosen.source:
                triggers = self._triggers(self._unpacked(size, at), at, stream.channel)
                self.stats.triggers += len(triggers)
                yield Chunk(empty_events(), triggers)
            else:
                file.seek(file.offset + size)

    def _torn(self) -> None:
        """The writer was stopped inside a packet."""
        self.stats.torn_bytes += self._file.left
        self._file.seek(self._file.size)

    def _unpacked(self, size: int, at: int) -> bytes:
        try:
            return self._decompress(self._file.read(size, "a packet"))
        except ValueError as error:
            raise self._file.defect(f"a packet cannot be unpacked: {error}", at) from error

    def _events(self, data: bytes, at: int, room: Callable[[int], Events]) -> Events:
        try:
            start, n = root(data, b"EVTS").vector(0, EVENT_STRUCT.itemsize)
        except BrokenBufferError as error:
            raise self._file.defect(f"a packet of events is damaged: {error}", at) from error
        events = room(n)
        structs = np.frombuffer(data, EVENT_STRUCT, n, start)
        kept, outside, backward, self._last_ns = _convert(structs, events, self.width, self.height, self._last_ns)
        self.stats.events += kept
        self.stats.dropped_out_of_geometry += outside
        self.stats.unknown_words += n - kept - outside
        self.stats.backward_time += backward
        return events[:kept]

    def _triggers(self, data: bytes, at: int, channel: int) -> npt.NDArray[np.void]:
        edges = []
        try:
            start, n = root(data, b"TRIG").vector(0, 4)
            for slot in range(start, start + 4 * n, 4):
                table = Table(data, slot + number(data, slot, _U32))
                t_us, kind = table.scalar(0, "q", 0), table.scalar(1, "b", 0)
                if kind in _EDGES and 0 <= t_us <= _MAX_US:
                    own, value = _EDGES[kind]
                    edges.append((t_us * 1000, own or channel, value))
                else:
                    self.stats.unknown_words += 1
        except BrokenBufferError as error:
            raise self._file.defect(f"a packet of triggers is damaged: {error}", at) from error
        return np.array(edges, TRIGGER_DTYPE)

    def position(self) -> float:
        return min(self._file.offset / max(self._end, 1), 1.0)

    def close(self) -> None:
        self._file.close()


@njit(cache=True)
def _convert(
    structs: npt.NDArray[np.void], events: Events, width: int, height: int, last_ns: int
) -> tuple[int, int, int, int]:
    """Keep the events of possible times on the sensor; -> (kept, outside the sensor, steps back, last time)."""
    kept, outside, backward = np.uint64(0), 0, 0
    for i in range(np.uint64(len(structs))):
        struct_ = structs[i]
        t_us, x, y = struct_.t, struct_.x, struct_.y
        event = events[kept]
        t_ns = t_us * 1000
        event.t = t_ns
        event.x = x
        event.y = y
        event.p = struct_.on != 0
        possible = (t_us >= 0) & (t_us <= _MAX_US)
        inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
        kept += np.uint64(possible & inside)
        outside += possible & (not inside)
        if possible:
            backward += t_ns < last_ns
            last_ns = t_ns
    return int(kept), outside, backward, last_ns


FORMATS = (
    Format(
        name="aedat4",
        extensions=(".aedat4",),
        description="iniVation AEDAT4 (DV); any compression, written with LZ4",
        sniff=lambda head, _path: head.startswith(MAGIC),
        reader=Aedat4Reader,
        writer=Aedat4Writer,
        time_resolution_ns=1000,
        keeps_triggers=True,
        max_width=2**15 - 1,
        max_height=2**15 - 1,
    ),
)
