"""What a recording sends and when: a bag's packets as they were recorded, or packets made of any file's events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

import neuro_robot.bags.event_bags  # noqa: F401 - makes bags a format among the others
from neuro_robot.bags.pairing import packets_with_senses
from neuro_robot.bags.reader import BagReader, bag_folder
from neuro_robot.bags.topics import JOINT_STATES
from neuro_robot.errors import BagError, PacketError
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


class Playback(Protocol):
    """A recording that can be played from anywhere."""

    width: int
    height: int
    about: str  # in words, for the log
    legs: bool  # whether it holds what legs felt

    def items(self, start_ns: int = 0) -> Iterator[Item]:
        """What is due from start_ns on, in order."""

    def share(self) -> float:
        """How much was read, 0 to 1."""

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


class BagPlayback:
    """The packets of a bag, byte for byte, each with its IMU samples, due at the sensor time that they reach."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reader = BagReader(path)
        self._total = max(self._reader.counts[self._reader.event_topic()], 1)
        self._sent = 0
        first = next(self._reader.packets(), None)
        if first is None:
            raise BagError(f"{path}: has no event packets to play")
        self.width, self.height = first[1].width, first[1].height
        self.about = f"{self._total} packets of encoding {first[1].encoding}, as recorded"
        self.legs = self._reader.counts.get(JOINT_STATES.name, 0) > 0

    def items(self, start_ns: int = 0) -> Iterator[Item]:
        """One item for each packet; packets before start_ns are decoded for their time only."""
        decoder = StreamDecoder()
        origin_ns: int | None = None
        before_ns = due_ns = self._sent = 0
        for packet, samples, legs in packets_with_senses(self._reader):
            t_end_ns = _reached(decoder, packet, before_ns)
            step_ns = 0 if origin_ns is None else t_end_ns - before_ns
            origin_ns, before_ns = t_end_ns, t_end_ns
            due_ns += max(step_ns, 0)  # a new flight in the bag follows at once
            self._sent += 1
            if due_ns >= start_ns:
                yield Item(due_ns, packet.stamp_ns, [packet_message(packet)], samples, legs)

    def share(self) -> float:
        """Packets given, of all."""
        return self._sent / self._total

    def close(self) -> None:
        """Close the bag."""
        self._reader.close()


class FilePlayback:
    """Events of any format, packed as a camera's driver does: by time and by size, in sensor time."""

    def __init__(self, path: Path, config: OutputParameters, form: str, geometry: Geometry | None) -> None:
        self._path, self._form, self._told_geometry = path, form or None, geometry
        self._reader = self._opened()
        self.width, self.height = self._reader.width, self._reader.height
        self._period_ns = max(1, round(config.packet_period_ms * 1e6))
        self._made = _Collected()
        self._output = EventOutput(self._made, config, self.width, self.height, by_sensor_time=True)
        self.about = f"{self._reader.format} as packets of encoding {config.encoding}"
        self.legs = False
        self._fresh = True

    def _opened(self) -> EventReader:
        return open_reader(self._path, format=self._form, geometry=self._told_geometry)

    def items(self, start_ns: int = 0) -> Iterator[Item]:
        """One item for each period of sensor time that has events; the next pass begins with sequence number 0."""
        if not self._fresh:
            self._reader.close()
            self._reader = self._opened()
        self._fresh = False
        self._output.restart()
        timeline = _Timeline()
        for chunk in self._reader.chunks():
            for events, new in timeline.stretches(chunk.events):
                if new:
                    self._output.restart()
                reach_ns = np.maximum.accumulate(np.maximum(events["t"] - timeline.origin_ns, 0)) + timeline.base_ns
                timeline.due_ns = int(reach_ns[-1])
                first = int(np.searchsorted(reach_ns, start_ns))
                yield from self._packed(events[first:], reach_ns[first:])

    def _packed(self, events: Events, reach_ns: Any) -> Iterator[Item]:  # noqa: ANN401 - (n,) int64
        cuts = np.flatnonzero(np.diff(reach_ns // self._period_ns)) + 1
        for first, last in zip([0, *cuts.tolist()], [*cuts.tolist(), len(events)], strict=True):
            if first == last:
                continue
            part = np.ascontiguousarray(events[first:last])
            if np.any(np.diff(part["t"]) < 0):  # a packet is sorted
                part = part[np.argsort(part["t"], kind="stable")]
            stamp_ns = int(part["t"][0])
            self._output.publish(part, stamp_ns)
            yield Item(int(reach_ns[last - 1]), stamp_ns, self._made.take())

    def share(self) -> float:
        """Of the file."""
        return self._reader.position()

    def close(self) -> None:
        """Close the file."""
        self._reader.close()


class _Timeline:
    """Where the events of a stream lie in playing time; a recording behind another follows at once."""

    def __init__(self) -> None:
        self.origin_ns = self.base_ns = self.due_ns = 0
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
                self.origin_ns, self.base_ns = int(t[first]), self.due_ns
            self._last_ns = int(t[last - 1])
            yield events[first:last], new


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
