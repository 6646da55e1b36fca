"""Bags as recordings of events: ROS 1, and ROS 2 with MCAP or sqlite3, read like any event file.

Messages: EventPacket of any encoding (event_camera_msgs, event_array_msgs), EventArray of dvs_msgs and
prophesee_event_msgs. Importing this module adds the formats `rosbag2` and `rosbag1` to the table of formats.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from rosbags.interfaces import Connection
from rosbags.rosbag1 import Reader as Reader1
from rosbags.rosbag2 import Reader as Reader2

from neuro_robot.bags.event_bag_place import place
from neuro_robot.bags.event_bag_writer import EventBagWriter
from neuro_robot.bags.event_messages import ARRAYS, PACKETS, read_array, read_packet, read_triggers
from neuro_robot.errors import FileFormatError, PacketError
from neuro_robot.events.array import empty_events, empty_triggers
from neuro_robot.events.files.base import (
    CHUNK_EVENTS,
    MAX_SIDE,
    Chunk,
    EventReader,
    FileStats,
    Format,
    Geometry,
    shortened,
)
from neuro_robot.events.files.binary import regroup
from neuro_robot.events.files.registry import register
from neuro_robot.events.packet import StreamDecoder

_MAGIC_1 = b"#ROSBAG V2.0"
_MAGIC_2 = (b"\x89MCAP0\r\n", b"SQLite format 3\0")


class EventBagReader(EventReader):
    """The events of one topic: the one asked for, else the first by name that ends in `events`, else the first.

    Triggers come from the packets themselves and from the topic `triggers` beside it.
    """

    def __init__(
        self, path: Path, geometry: Geometry | None = None, *, version: int = 2, topic: str | None = None
    ) -> None:
        self.stats = FileStats()
        self.format = f"rosbag{version}"
        self._path = path
        self._cdr = version == 2
        try:
            self._bag: Any = Reader2(path) if version == 2 else Reader1(path)
            self._bag.open()
        except Exception as error:  # whatever rosbags, and the libraries under it, make of a damaged bag
            raise FileFormatError(f"{place(path)} (ROS {version} bag: {shortened(error, 120)})") from error
        try:
            self._open(geometry, topic)
        except BaseException:
            self.close()
            raise

    def _open(self, geometry: Geometry | None, topic: str | None) -> None:
        found = [item for item in self._bag.connections if item.msgtype in PACKETS + ARRAYS]
        names = sorted({item.topic for item in found})
        if not names or (topic is not None and topic not in names):
            have = ", ".join(names) or ", ".join(sorted({f"{c.topic} ({c.msgtype})" for c in self._bag.connections}))
            wanted = f"events on {topic}" if topic else "messages of events"
            raise FileFormatError(f"{self._path}: expected {wanted}, found {have or 'nothing'}")
        self.topic = topic or next((name for name in names if name.endswith("events")), names[0])
        beside = self.topic.rpartition("/")[0] + "/triggers"
        chosen = [item for item in found if item.topic in (self.topic, beside)]
        self._total = sum(item.msgcount for item in chosen)
        self._seen = 0
        self._messages = self._bag.messages(chosen) if chosen else iter(())
        self._waiting = next(self._raw(), None)
        self.width, self.height = self._size(geometry)
        self._decoder = StreamDecoder(self.width, self.height)
        kinds = {item.msgtype for item in chosen if item.topic == self.topic}
        self.details = {"topic": self.topic, "type": ", ".join(kinds), "topics with events": ", ".join(names)}

    def _size(self, geometry: Geometry | None) -> Geometry:
        """What the first message says."""
        if self._waiting is None:
            if geometry is None:
                raise FileFormatError(
                    f"{self._path}: no message on {self.topic} says a size; give the geometry (--geometry WxH)"
                )
            return geometry
        connection, data = self._waiting
        try:
            message = read_packet(data, cdr=self._cdr) if connection.msgtype in PACKETS else None
            stated = message or read_array(data, cdr=self._cdr)
        except PacketError as error:
            raise self._defect(error) from error
        if 0 < stated.width <= MAX_SIDE and 0 < stated.height <= MAX_SIDE:
            return stated.width, stated.height
        if geometry is None:
            raise self._defect(
                ValueError(f"a sensor of {stated.width}x{stated.height} pixels; give the geometry (--geometry WxH)")
            )
        return geometry

    def _defect(self, error: BaseException) -> FileFormatError:
        return FileFormatError(f"{self._path}: message {max(self._seen - 1, 0)} of {self.topic}: {shortened(error)}")

    def _raw(self) -> Iterator[tuple[Connection, bytes]]:
        while True:
            try:
                message = next(self._messages, None)
            except Exception as error:
                self._seen += 1
                raise self._defect(error) from error
            if message is None:
                return
            self._seen += 1
            yield message[0], bytes(message[2])

    def chunks(self, max_events: int = CHUNK_EVENTS) -> Iterator[Chunk]:
        for chunk in regroup(self._pieces(), max_events):
            yield self._accept(chunk.events, chunk.triggers)
        self.details["lost packets"] = str(self._decoder.stats.lost_packets)

    def _pieces(self) -> Iterator[Chunk]:
        if self._waiting is not None:
            first, self._waiting = self._waiting, None
            yield self._piece(*first)
        for connection, data in self._raw():
            yield self._piece(connection, data)

    def _piece(self, connection: Connection, data: bytes) -> Chunk:
        try:
            if connection.msgtype in ARRAYS:
                array = read_array(data, cdr=self._cdr)
                self.stats.unknown_words += array.impossible
                return Chunk(array.events, empty_triggers())
            packet = read_packet(data, cdr=self._cdr)
            if packet.encoding == "trigger":
                return Chunk(empty_events(), read_triggers(packet))
            if connection.topic != self.topic:
                return Chunk(empty_events(), empty_triggers())
            decoded = self._decoder.decode(packet)
        except PacketError as error:
            raise self._defect(error) from error
        counted = self._decoder.stats
        self.stats.dropped_out_of_geometry = counted.dropped_out_of_geometry
        self.stats.dropped_unsynchronised = counted.dropped_unsynchronised
        self.stats.unknown_words = counted.unknown_words
        self.stats.torn_bytes = counted.torn_bytes
        return Chunk(decoded.events, decoded.triggers)

    def position(self) -> float:
        return min(self._seen / self._total, 1.0) if self._total else 1.0

    def close(self) -> None:
        if self._bag is not None:
            bag, self._bag = self._bag, None
            bag.close()


def _is_rosbag2(head: bytes, path: Path) -> bool:
    return head.startswith(_MAGIC_2) or (path.is_dir() and (path / "metadata.yaml").is_file())


FORMATS = (
    Format(
        name="rosbag2",
        extensions=(".rosbag2", ".bag2", ".mcap", ".db3"),
        description="ROS 2 bag with event messages; written as MCAP with EventPackets",
        sniff=_is_rosbag2,
        reader=partial(EventBagReader, version=2),
        writer=EventBagWriter,
        time_resolution_ns=1000,
        keeps_triggers=True,
        max_width=1 << 11,
        max_height=1 << 11,
    ),
    Format(
        name="rosbag1",
        extensions=(".bag",),
        description="ROS 1 bag with event messages",
        sniff=lambda head, _path: head.startswith(_MAGIC_1),
        reader=partial(EventBagReader, version=1),
        writer=None,
        time_resolution_ns=1,
        keeps_triggers=True,
        max_width=MAX_SIDE,
        max_height=MAX_SIDE,
    ),
)
for _entry in FORMATS:
    register(_entry)
