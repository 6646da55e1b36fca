"""What legs feel and are told as messages: joint samples and foot contacts put together, touches as event packets."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuro_robot.events.array import empty_events
from neuro_robot.events.packet import EventPacket, StreamDecoder, pack
from neuro_robot.robot import LegSense

FEET = 4
KEPT = 64  # joint samples that wait for their contacts


class JointSample(NamedTuple):
    """One `joint_states` message; values in the order of `names`."""

    t_ns: int
    names: tuple[str, ...]
    position: tuple[float, ...]  # rad
    velocity: tuple[float, ...]  # rad/s
    effort: tuple[float, ...]  # N m


class LegSamples:
    """Joins each joint sample with the foot contacts up to its time, whichever of the two arrives first.

    A robot reports contacts with every joint sample, also when no foot touched or lifted (an empty packet), so a
    sample is complete once contacts up to its time have come. A time that starts over begins a new flight.
    """

    def __init__(self) -> None:
        self._decoder = StreamDecoder()
        self._joints: deque[JointSample] = deque(maxlen=KEPT)
        self._touches: list[NDArray[np.void]] = []
        self._known_ns = -1  # contacts are known up to here
        self._last_ns = -1  # of the joint samples
        self._stepped_back = False  # the contacts have begun the next walk, the joints not yet

    def add_joints(self, sample: JointSample) -> None:
        """A joint sample came; a repeated one changes nothing."""
        if sample.t_ns < self._last_ns:
            self._joints.clear()
            if not self._stepped_back:
                self._forget_contacts()
            self._stepped_back = False
        if sample.t_ns != self._last_ns:
            self._joints.append(sample)
        self._last_ns = sample.t_ns

    def add_contacts(self, packet: EventPacket) -> None:
        """Touches came, complete up to the packet's stamp. Raises PacketError for a packet that cannot be used."""
        if packet.stamp_ns == self._known_ns:
            return
        if packet.stamp_ns < self._known_ns:
            self._forget_contacts()
            self._stepped_back = True
        self._touches.append(self._decoder.decode(packet).events)
        self._known_ns = packet.stamp_ns

    def _forget_contacts(self) -> None:
        self._decoder = StreamDecoder()
        self._touches.clear()
        self._known_ns = -1

    def complete(self) -> list[LegSense]:
        """The samples that are whole by now, oldest first."""
        done = []
        while self._joints and self._joints[0].t_ns <= self._known_ns:
            sample = self._joints.popleft()
            touches = np.concatenate(self._touches) if self._touches else empty_events()
            split = int(np.searchsorted(touches["t"], sample.t_ns, side="right"))
            self._touches = [touches[split:]] if split < len(touches) else []
            done.append(LegSense(sample.t_ns, sample.position, sample.velocity, sample.effort, touches[:split]))
        return done


def contacts_packet(legs: LegSense, seq: int) -> EventPacket:
    """The touches of a sample as a packet (encoding `mono`), stamped with the time up to which they are complete."""
    return pack(
        legs.touches, "mono", width=FEET, height=1, seq=seq, stamp_ns=legs.t_ns, t_end_ns=legs.t_ns, frame_id="feet"
    )
