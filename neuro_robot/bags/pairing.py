"""Which IMU sample belongs to which event packet: one rule for the controller node and for replay."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from neuro_robot.bags.messages import imu_from
from neuro_robot.bags.reader import BagReader
from neuro_robot.bags.topics import IMU
from neuro_robot.events.packet import EventPacket
from neuro_robot.robot import Imu

KEPT = 256
WINDOW_NS = 1_000_000_000  # a sample further behind the packet's stamp belongs to another flight


class ImuPairing:
    """Gives each packet the first sample that is newer than the one the packet before had.

    A simulator sends one sample with each packet, stamped with the packet's end, so this is that sample, whichever
    of the two arrives first. A faster IMU runs ahead of it; `newest` is for those.
    """

    def __init__(self) -> None:
        self._samples: deque[Imu] = deque(maxlen=KEPT)
        self._used_ns = -1
        self._stepped_back = False  # the samples have begun the next flight, the packets not yet

    @property
    def newest(self) -> Imu | None:
        """The last sample that came."""
        return self._samples[-1] if self._samples else None

    def add(self, sample: Imu) -> None:
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

    def take(self, packet: EventPacket) -> Imu | None:
        """The packet's sample, or None as long as it has not come."""
        for sample in self._samples:
            behind_ns = sample.t_ns - packet.stamp_ns
            if sample.t_ns > self._used_ns and 0 <= behind_ns <= WINDOW_NS:
                self._used_ns = sample.t_ns
                return sample
        return None


def packets_with_imu(reader: BagReader) -> Iterator[tuple[EventPacket, list[Imu]]]:
    """Each packet of a bag with the IMU samples up to and including its own (empty: there is none)."""
    samples = (imu_from(message.value()) for message in reader.messages(IMU.name))
    pairing = ImuPairing()
    last_seq = -1
    for _, packet in reader.packets():
        if packet.seq < last_seq:
            pairing.restart()
        last_seq = packet.seq
        taken: list[Imu] = []
        while pairing.take(packet) is None:
            sample = next(samples, None)
            if sample is None:
                break
            pairing.add(sample)
            taken.append(sample)
        yield packet, taken
