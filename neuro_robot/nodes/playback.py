"""What a recording sends and when: a bag's packets as they were recorded, or packets made of any file's events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

import neuro_robot.bags.event_bags  # noqa: F401 - makes bags a format among the others
from neuro_robot.bags.pairing import packets_with_senses
from neuro_robot.bags.reader import BagReader, bag_folder
from neuro_robot.bags.topics import JOINT_STATES
from neuro_robot.errors import BagError, ConfigError, PacketError
from neuro_robot.events.array import Events
from neuro_robot.events.files import EventReader, Geometry, open_reader
from neuro_robot.events.packet import EventPacket, StreamDecoder
from neuro_robot.nodes.conversions import packet_message
from neuro_robot.nodes.source import EventOutput, OutputParameters
from neuro_robot.robot import Imu, LegSense

FILE_ENCODING = "evt3"  # of packets made of a file's events, unless another is asked for
RESTART_NS = 1_000_000_000  # a step back of time this long is a new recording, a shorter one a camera's glitch


@dataclass
class Item:
    """What goes out together."""

    due_ns: int  # sensor time since the beginning of the recording
    stamp_ns: int  # of the packets
    messages: list[Any]  # event_camera_msgs/msg/EventPacket
    imu: list[Imu] = field(default_factory=list)
    legs: LegSense | None = None
    share: float = 0.0  # of the recording that was read by then, 0 to 1


class Playback(Protocol):
    """A recording that can be played from anywhere."""

    width: int
    height: int
    about: str  # in words, for the log
    legs: bool  # whether it holds what legs felt
    begins_ns: int  # the first packet's stamp; known once an item was taken

    def items(self, start_ns: int = 0, *, by_stamp: bool = False) -> Iterator[Item]:
        """What is due from start_ns on, in order; `by_stamp`: start_ns is a time of the packets' recorded stamps, and
        nothing comes when the recording begins later. Each pass is independent of those begun before.
        """

    def close(self) -> None:
        """Close the files."""


def open_playback(path: Path, config: OutputParameters, form: str, geometry: Geometry | None) -> Playback:
    """A bag of event packets as it is, unless config.encoding names an encoding; everything else as events.

    Raises BagError, FileFormatError or PacketError for what cannot be played.
    """
    try:
        bag: Path | None = bag_folder(path)
    except BagError:
        bag = None
    if bag is not None and not config.encoding and not form:
        return BagPlayback(bag)
    return FilePlayback(bag or path, replace(config, encoding=config.encoding or FILE_ENCODING), form, geometry)


class Place(NamedTuple):
    """Where a recording goes on."""

    first: Item
    rest: Iterator[Item]
    position_ns: int  # playing time


def place_in(playback: Playback, start_ns: int, *, by_stamp: bool = False) -> Place:
    """From start_ns of playing time, or `by_stamp` of the recording's own clock, on.

    Raises ConfigError when the recording does not have it.
    """
    items = playback.items(start_ns, by_stamp=by_stamp)
    first = next(items, None)
    if first is not None:
        return Place(first, items, max(0, first.due_ns - (first.stamp_ns - start_ns)) if by_stamp else start_ns)
    if not by_stamp:
        raise ConfigError(f"position_s: the recording ends before {start_ns * 1e-9:g} s")
    begins_s = playback.begins_ns * 1e-9
    raise ConfigError(f"{start_ns * 1e-9:.6f} s is not in the recording, which begins at {begins_s:.6f} s")


class BagPlayback:
    """The packets of a bag, byte for byte, each with its IMU samples, due at the sensor time that they reach."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reader = BagReader(path)
        self._total = max(self._reader.counts[self._reader.event_topic()], 1)
        first = next(self._reader.packets(), None)
        if first is None:
            raise BagError(f"{path}: has no event packets to play")
        self.width, self.height = first[1].width, first[1].height
        self.about = f"{self._total} packets of encoding {first[1].encoding}, as recorded"
        self.legs = self._reader.counts.get(JOINT_STATES.name, 0) > 0
        self.begins_ns = first[1].stamp_ns

    def items(self, start_ns: int = 0, *, by_stamp: bool = False) -> Iterator[Item]:
        """One item for each packet; packets before start_ns are decoded for their time only."""
        if by_stamp and start_ns < self.begins_ns:
            return
        decoder = StreamDecoder()
        origin_ns: int | None = None
        before_ns = due_ns = 0
        begun = False
        for number, (packet, samples, legs) in enumerate(packets_with_senses(self._reader), 1):
            t_end_ns = _reached(decoder, packet, before_ns)
            step_ns = 0 if origin_ns is None else t_end_ns - before_ns
            origin_ns, before_ns = t_end_ns, t_end_ns
            due_ns += max(step_ns, 0)  # a new flight in the bag follows at once
            begun = begun or (packet.stamp_ns if by_stamp else due_ns) >= start_ns
            if begun:
                share = number / self._total
                yield Item(due_ns, packet.stamp_ns, [packet_message(packet)], samples, legs, share)

    def close(self) -> None:
        """Close the bag."""
        self._reader.close()


class FilePlayback:
    """Events of any format, packed as a camera's driver does: by time and by size, in sensor time."""

    def __init__(self, path: Path, config: OutputParameters, form: str, geometry: Geometry | None) -> None:
        self._path, self._form, self._told_geometry = path, form or None, geometry
        self._config = config
        with self._opened() as reader:
            self.width, self.height = reader.width, reader.height
            self.about = f"{reader.format} as packets of encoding {config.encoding}"
        self.legs = False
        self.begins_ns = 0
        self._packing()  # what it refuses is said now

    def _opened(self) -> EventReader:
        return open_reader(self._path, format=self._form, geometry=self._told_geometry)

    def _packing(self) -> _Packing:
        return _Packing(self._config, self.width, self.height)

    def items(self, start_ns: int = 0, *, by_stamp: bool = False) -> Iterator[Item]:
        """One item for each period of sensor time that has events; every pass begins with sequence number 0."""
        timeline, packing = _Timeline(), self._packing()
        begun = False
        with self._opened() as reader:
            for chunk in reader.chunks():
                for events, new in timeline.stretches(chunk.events):
                    if new:
                        packing.restart()
                    self.begins_ns = timeline.first_ns
                    if by_stamp and start_ns < self.begins_ns:
                        return
                    reach_ns = timeline.reach(events)
                    begin_ns = start_ns - timeline.origin_ns + timeline.base_ns if by_stamp else start_ns
                    first = 0 if begun else int(np.searchsorted(reach_ns, begin_ns))
                    begun = begun or first < len(events)
                    yield from packing.items(events[first:], reach_ns[first:], reader.position())

    def close(self) -> None:
        """Every pass closes its file."""


class _Packing:
    """Makes packets of events that follow each other."""

    def __init__(self, config: OutputParameters, width: int, height: int) -> None:
        """Raises PacketError when the encoding cannot address the sensor."""
        self._period_ns = max(1, round(config.packet_period_ms * 1e6))
        self._made = _Collected()
        self._output = EventOutput(self._made, config, width, height, by_sensor_time=True)
        self.restart = self._output.restart

    def items(self, events: Events, reach_ns: Any, share: float) -> Iterator[Item]:  # noqa: ANN401 - (n,) int64
        """One item for each period."""
        cuts = np.flatnonzero(np.diff(reach_ns // self._period_ns)) + 1
        for first, last in zip([0, *cuts.tolist()], [*cuts.tolist(), len(events)], strict=True):
            if first == last:
                continue
            part = np.ascontiguousarray(events[first:last])
            if np.any(np.diff(part["t"]) < 0):  # a packet is sorted
                part = part[np.argsort(part["t"], kind="stable")]
            stamp_ns = int(part["t"][0])
            self._output.publish(part, stamp_ns)
            yield Item(int(reach_ns[last - 1]), stamp_ns, self._made.take(), share=share)


class _Timeline:
    """Where the events of a stream lie in playing time; a recording behind another follows at once."""

    def __init__(self) -> None:
        self.origin_ns = self.base_ns = 0
        self.first_ns = 0  # of the first event of all
        self._due_ns = 0
        self._last_ns: int | None = None

    def stretches(self, events: Events) -> Iterator[tuple[Events, bool]]:
        """Parts of a chunk between the beginnings of recordings, with whether one begins there."""
        if not len(events):
            return
        t = events["t"]
        cuts = (np.flatnonzero(np.diff(t) < -RESTART_NS) + 1).tolist()
        begins = self._last_ns is None or int(t[0]) < self._last_ns - RESTART_NS
        for first, last in zip([0, *cuts], [*cuts, len(events)], strict=True):
            new = begins if first == 0 else True
            if new:
                self.origin_ns, self.base_ns = int(t[first]), self._due_ns
                self.first_ns = int(t[0]) if self._last_ns is None else self.first_ns
            self._last_ns = int(t[last - 1])
            yield events[first:last], new

    def reach(self, events: Events) -> Any:  # noqa: ANN401 - (n,) int64
        """Playing time of each event of a stretch, never falling, ns."""
        reach_ns = np.maximum.accumulate(np.maximum(events["t"] - self.origin_ns, 0)) + self.base_ns
        self._due_ns = int(reach_ns[-1])
        return reach_ns


class _Collected:
    """Stands for a publisher and keeps what is published."""

    def __init__(self) -> None:
        self._messages: list[Any] = []

    def publish(self, message: Any) -> None:  # noqa: ANN401
        self._messages.append(message)

    def take(self) -> list[Any]:
        taken, self._messages = self._messages, []
        return taken


def _reached(decoder: StreamDecoder, packet: EventPacket, before_ns: int) -> int:
    """Sensor time at the packet's end; of one that cannot be decoded that of the one before, so it still goes out."""
    try:
        return decoder.decode(packet).t_end_ns
    except PacketError:
        return before_ns
