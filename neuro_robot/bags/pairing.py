"""Which samples belong to which event packet: one rule for the controller node and for replay."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from typing import Generic, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from neuro_robot.bags.legs import LegSamples
from neuro_robot.bags.messages import imu_from, joint_sample_from, packet_from
from neuro_robot.bags.reader import BagReader
from neuro_robot.bags.topics import FOOT_CONTACTS, IMU, JOINT_STATES
from neuro_robot.errors import PacketError, SampleError
from neuro_robot.events.packet import EventPacket
from neuro_robot.robot import Imu, LegSense

KEPT = 2048  # two seconds of a sensor at 1 kHz
WINDOW_NS = 1_000_000_000  # a sample further behind the packet's stamp belongs to another flight


class Timed(Protocol):
    """Anything with a sensor time."""

    @property
    def t_ns(self) -> int:
        """Sensor time."""


T = TypeVar("T", bound=Timed)


class Pairing(Generic[T]):
    """Gives each packet the first sample that is newer than the one the packet before had.

    A simulator sends one sample with each packet, stamped with the packet's end, so this is that sample, whichever
    of the two arrives first. A faster IMU runs ahead of it; `newest` is for those.
    """

    def __init__(self) -> None:
        self._samples: deque[T] = deque(maxlen=KEPT)
        self._used_ns = -1
        self._stepped_back = False  # the samples have begun the next flight, the packets not yet

    @property
    def newest(self) -> T | None:
        """The last sample that came."""
        return self._samples[-1] if self._samples else None

    def add(self, sample: T) -> None:
        """A sample came; one from before the last begins a new flight, a repeated one changes nothing."""
        if self._samples and sample.t_ns < self._samples[-1].t_ns:
            self._samples.clear()
            self._stepped_back = True
        if not self._samples or sample.t_ns > self._samples[-1].t_ns:
            self._samples.append(sample)

    def restart(self) -> None:
        """The packets began a new flight."""
        if not self._stepped_back:
            self._samples.clear()
        self._stepped_back = False
        self._used_ns = -1

    def take(self, packet: EventPacket) -> T | None:
        """The packet's sample, or None as long as it has not come."""
        found: T | None = None
        for sample in reversed(self._samples):
            if sample.t_ns < packet.stamp_ns or sample.t_ns <= self._used_ns:
                break
            found = sample
        if found is None or found.t_ns - packet.stamp_ns > WINDOW_NS:
            return None
        self._used_ns = found.t_ns
        return found


class LegPairing(Pairing[LegSense]):
    """Legs may be felt more often than packets come; the touches of the samples in between must not be lost."""

    def __init__(self) -> None:
        super().__init__()
        self._reached_ns = -1  # touches up to here have reached the mind

    def add(self, sample: LegSense) -> None:
        """As Pairing."""
        if self.newest is not None and sample.t_ns < self.newest.t_ns:
            self._reached_ns = -1
        super().add(sample)

    def restart(self) -> None:
        """As Pairing."""
        super().restart()
        self._reached_ns = -1

    def gathered(self, sample: LegSense) -> LegSense:
        """The sample with all touches up to it that have not reached the mind yet, in order."""
        if sample.t_ns <= self._reached_ns:
            return sample._replace(touches=sample.touches[:0])
        parts: list[NDArray[np.void]] = []
        for one in reversed(self._samples):
            if one.t_ns <= self._reached_ns:
                break
            if parts or one is sample:
                parts.append(one.touches)
        return sample if len(parts) < 2 else sample._replace(touches=np.concatenate(parts[::-1]))

    def reached(self, sample: LegSense) -> None:
        """The mind has it."""
        self._reached_ns = max(self._reached_ns, sample.t_ns)


class Felt(NamedTuple):
    """What a robot felt up to a packet's end; None: it has no such sense, or the sample did not come."""

    imu: Imu | None
    legs: LegSense | None


class Senses:
    """Finds everything that belongs to a packet; `imu` and `legs` say which samples are to come."""

    def __init__(self, *, imu: bool, legs: bool) -> None:
        self.imu, self.legs = Pairing[Imu](), LegPairing()
        self._wanted = (imu, legs)
        self._packet: tuple[int, int] | None = None
        self._found = Felt(None, None)

    @property
    def newest(self) -> Felt:
        """The last samples that came, wanted or not."""
        return self._gathered(Felt(self.imu.newest, self.legs.newest))

    def restart(self) -> None:
        """The packets began a new flight."""
        self.imu.restart()
        self.legs.restart()

    def take(self, packet: EventPacket) -> Felt | None:
        """The packet's samples once all have come; may be asked again until `reached` says that the mind has them."""
        if self._packet != (packet.seq, packet.time_base):
            self._packet, self._found = (packet.seq, packet.time_base), Felt(None, None)
        imu, legs = self._wanted
        self._found = Felt(
            self._found.imu or (self.imu.take(packet) if imu else None),
            self._found.legs or (self.legs.take(packet) if legs else None),
        )
        whole = (not imu or self._found.imu is not None) and (not legs or self._found.legs is not None)
        return self._gathered(self._found) if whole else None

    def reached(self, felt: Felt) -> None:
        """The mind has what was taken: those touches are not told again."""
        if felt.legs is not None:
            self.legs.reached(felt.legs)

    def _gathered(self, felt: Felt) -> Felt:
        return felt if felt.legs is None else felt._replace(legs=self.legs.gathered(felt.legs))


def packets_with_senses(reader: BagReader) -> Iterator[tuple[EventPacket, list[Imu], LegSense | None]]:
    """Each packet of a bag with the IMU samples up to its own (empty: there is none) and what its legs felt."""
    imu_pairing, leg_pairing = Pairing[Imu](), LegPairing()
    imus = (imu_from(message.value()) for message in reader.messages(IMU.name))
    senses = _leg_senses(reader)
    last_seq = -1
    for _, packet in reader.packets():
        if packet.seq < last_seq:
            imu_pairing.restart()
            leg_pairing.restart()
        last_seq = packet.seq
        legs, passed = _fed(leg_pairing, senses, packet)
        legs = legs or (passed[-1] if passed else None)
        if legs is not None:
            legs = leg_pairing.gathered(legs)
            leg_pairing.reached(legs)
        yield packet, _fed(imu_pairing, imus, packet)[1], legs


def _fed(pairing: Pairing[T], samples: Iterator[T], packet: EventPacket) -> tuple[T | None, list[T]]:
    """The packet's sample, and those that its pairing was handed for it: in order, no further than it needs."""
    passed: list[T] = []
    while (found := pairing.take(packet)) is None:
        sample = next(samples, None)
        if sample is None:
            break
        pairing.add(sample)
        passed.append(sample)
    return found, passed


def _leg_senses(reader: BagReader) -> Iterator[LegSense]:
    """What can be used, as the node does that refuses the rest and goes on."""
    samples = LegSamples()
    for message in reader.messages(JOINT_STATES.name, FOOT_CONTACTS.name):
        told = message.value()
        with suppress(SampleError, PacketError):
            if message.topic == JOINT_STATES.name:
                samples.add_joints(joint_sample_from(told))
            else:
                samples.add_contacts(packet_from(told))
        yield from samples.complete()
