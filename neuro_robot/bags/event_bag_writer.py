"""Events as a ROS 2 bag of EventPackets (MCAP), as a camera driver would have published them.

Packets hold at most 10 ms and 65536 events. Stamps are sensor time, bag time is the same but only goes up. Triggers
are packets of the encoding `trigger` on a topic of their own, which keeps their channel and nanoseconds.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from neuro_robot.bags.event_messages import trigger_packets
from neuro_robot.bags.messages import packet_to_cdr
from neuro_robot.bags.topics import EVENT_PACKET, Topic
from neuro_robot.bags.writer import RunBag
from neuro_robot.errors import FileFormatError
from neuro_robot.events.array import Events, Triggers
from neuro_robot.events.files.base import EventWriter, require_triggers, require_writable
from neuro_robot.events.packet import CODECS, EventPacket, pack

EVENTS = Topic("event_camera/events", EVENT_PACKET, False, 1000)
TRIGGERS = Topic("event_camera/triggers", EVENT_PACKET, False, 1000)
FRAME_ID = "event_camera"
PACKET_NS = 10_000_000
PACKET_EVENTS = 1 << 16
_MAX_STAMP_NS = (1 << 31) * 1_000_000_000 - 1  # seconds of a ROS stamp are 32 bit


class EventBagWriter(EventWriter):
    """A new bag folder; `encoding` is one of CODECS. Raises BagError when the folder exists."""

    def __init__(self, path: Path, width: int, height: int, *, encoding: str = "evt3") -> None:
        codec = CODECS.get(encoding)
        if codec is None or width > codec.max_width or height > codec.max_height:
            known = ", ".join(f"{one.name} up to {one.max_width}x{one.max_height}" for one in CODECS.values())
            raise FileFormatError(f"{path}: expected an encoding of {known}, got {encoding} for {width}x{height}")
        self._path = path
        self._size = (width, height)
        self._encoding = encoding
        self._bag = RunBag(path, (EVENTS, TRIGGERS))
        self._bag.note({"neuro_robot.encoding": encoding})
        self._seq = {EVENTS.name: 0, TRIGGERS.name: 0}
        self._bag_ns = -1

    def write(self, events: Events, triggers: Triggers | None = None) -> None:
        require_writable(events, *self._size)
        triggers = require_triggers(triggers)
        latest = max(int(items["t"].max(initial=0)) for items in (events, triggers))
        if latest > _MAX_STAMP_NS:
            raise FileFormatError(f"{self._path}: ROS stamps end at {_MAX_STAMP_NS} ns (2038), got {latest}; shift it")
        given = 0
        for part in _parts(events):
            self._put_events(part)
            later = np.flatnonzero(triggers["t"][given:] > part["t"][-1])
            until = given + int(later[0]) if len(later) else len(triggers)
            self._put_triggers(triggers[given:until])
            given = until
        self._put_triggers(triggers[given:])

    def _put_events(self, events: Events) -> None:
        width, height = self._size
        packet = pack(
            events, self._encoding, width=width, height=height, seq=self._next_seq(EVENTS),
            stamp_ns=int(events["t"][0]), t_end_ns=int(events["t"][-1]), frame_id=FRAME_ID,
        )  # fmt: skip
        self._put(EVENTS, packet)

    def _put_triggers(self, triggers: Triggers) -> None:
        width, height = self._size
        for base_ns, payload in trigger_packets(triggers):
            seq = self._next_seq(TRIGGERS)
            self._put(TRIGGERS, EventPacket(base_ns, FRAME_ID, height, width, seq, base_ns, "trigger", False, payload))

    def _next_seq(self, topic: Topic) -> int:
        self._seq[topic.name] += 1
        return self._seq[topic.name] - 1

    def _put(self, topic: Topic, packet: EventPacket) -> None:
        self._bag_ns = max(self._bag_ns + 1, packet.stamp_ns)
        self._bag.write(topic.name, self._bag_ns, packet_to_cdr(packet))

    def close(self) -> None:
        self._bag.close()


def _parts(events: Events) -> list[Events]:
    """Runs of events for one packet each: sorted, within a multiple of PACKET_NS, not too many."""
    if not len(events):
        return []
    t = events["t"]
    cuts = np.flatnonzero((np.diff(t // PACKET_NS) != 0) | (np.diff(t) < 0)) + 1
    ends = [*cuts.tolist(), len(events)]
    starts = [0, *ends[:-1]]
    return [
        events[i : min(i + PACKET_EVENTS, end)]
        for start, end in zip(starts, ends, strict=True)
        for i in range(start, end, PACKET_EVENTS)
    ]
