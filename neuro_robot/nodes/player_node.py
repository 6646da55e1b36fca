"""Plays a bag's event packets (and IMU samples) in place of the camera, to the same controller.

`realtime`: at sensor time, or `rate` times as fast. `lockstep`: the next packet follows the command that answered the
last one. The node exits when the bag is at its end.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

from event_camera_msgs.msg import EventPacket as EventPacketMsg
from geometry_msgs.msg import TwistStamped
from rclpy.clock import Clock, ClockType
from sensor_msgs.msg import Imu as ImuMsg

from neuro_robot.bags.pairing import packets_with_imu
from neuro_robot.bags.reader import BagReader
from neuro_robot.bags.topics import COMMAND, EVENTS, IMU
from neuro_robot.config import parameter
from neuro_robot.errors import BagError, PacketError
from neuro_robot.events.packet import EventPacket, StreamDecoder
from neuro_robot.nodes.conversions import imu_message, packet_message
from neuro_robot.nodes.core import CoreNode, qos, run
from neuro_robot.nodes.parameters import read
from neuro_robot.robot import Imu

STEADY = Clock(clock_type=ClockType.STEADY_TIME)
GRACE_S = 0.5  # for the last answers
SETTLE_S = 0.3


@dataclass(frozen=True)
class PlayerParameters:
    """Parameters of player_node."""

    bag: str = parameter("", "bag to play")
    mode: str = parameter("realtime", "realtime: at sensor time; lockstep: wait for each answer",
                          choices=("realtime", "lockstep"))  # fmt: skip
    rate: float = parameter(1.0, "realtime: sensor seconds per second", 0.001, 1000.0)
    listeners: int = parameter(1, "subscribers of events to wait for", 0, 100)
    answer_timeout_s: float = parameter(1.0, "lockstep: an answer that does not come in this time is passed over, s",
                                        0.01, 60.0)  # fmt: skip


@dataclass
class Item:
    """What goes out together."""

    due_ns: int  # sensor time since the first packet's end
    imu: list[Imu]
    packet: EventPacket


class PlayerNode(CoreNode):
    """Publishes a recording."""

    def __init__(self) -> None:
        super().__init__("player_node", PlayerParameters)

    def configure(self) -> None:
        """Open the bag and the topics."""
        self._config = read(self, PlayerParameters)
        if not self._config.bag:
            raise BagError("bag: expected the bag to play; set the parameter")
        self._reader = BagReader(self._config.bag)
        self._items = schedule(self._reader)
        self._next = next(self._items, None)
        self._sent = self._answers = self._unanswered = 0
        self._ready_since: float | None = None
        self._started_at: float | None = None
        self._finished_at: float | None = None
        self._waiting_since: float | None = None
        self._events = self.create_lifecycle_publisher(EventPacketMsg, EVENTS.name, qos(EVENTS))
        self._imu = self.create_lifecycle_publisher(ImuMsg, IMU.name, qos(IMU))
        self._subscription = self.create_subscription(TwistStamped, COMMAND.name, self._on_command, qos(COMMAND, 1000))
        self._total = max(self._reader.counts[self._reader.event_topic()], 1)
        self._timer = self.create_timer(0.001, self._tick, clock=STEADY)
        self._report_timer = self.create_timer(0.25, self._report, clock=STEADY)

    def cleanup(self) -> None:
        """Close bag and topics."""
        if not hasattr(self, "_timer"):
            return
        self.destroy_timer(self._timer)
        self.destroy_timer(self._report_timer)
        self.destroy_subscription(self._subscription)
        for publisher in (self._events, self._imu):
            self.destroy_lifecycle_publisher(publisher)
        self._reader.close()
        del self._timer

    def _listened_to(self) -> bool:
        now = time.monotonic()
        if self._events.get_subscription_count() < self._config.listeners:
            self._ready_since = None
            return False
        if self._ready_since is None:
            self._ready_since = now
        return now - self._ready_since >= SETTLE_S

    def _tick(self) -> None:
        if not self.active or self.done:
            return
        now = time.monotonic()
        if self._started_at is None:
            if self._listened_to():
                self._started_at = now
            return
        if self._next is None:
            self._end(now)
        elif self._config.mode == "realtime":
            while self._next is not None and self._next.due_ns <= (now - self._started_at) * 1e9 * self._config.rate:
                self._send(self._next)
        elif self._waiting_since is None:
            self._send(self._next)
        elif now - self._waiting_since > self._config.answer_timeout_s:
            self._unanswered += 1
            self._send(self._next)

    def _send(self, item: Item) -> None:
        for sample in item.imu:
            self._imu.publish(imu_message(sample))
        self._events.publish(packet_message(item.packet))
        self._sent += 1
        self._waiting_since = time.monotonic()
        self._next = next(self._items, None)

    def _on_command(self, _message: TwistStamped) -> None:
        self._answers += 1
        if self._config.mode == "lockstep" and self.active and self._next is not None and self._started_at is not None:
            self._send(self._next)

    def _end(self, now: float) -> None:
        """A moment for the last answers, then report and exit."""
        if self._finished_at is None:
            self._finished_at = now
        if now - self._finished_at < GRACE_S and self._answers < self._sent:
            return
        self._report()
        self.done = True

    def _report(self) -> None:
        until = time.monotonic() if self._finished_at is None else self._finished_at
        values: dict[str, object] = {
            "sent": self._sent,
            "answers": self._answers,
            "unanswered": self._unanswered,
            "share": self._sent / self._total,
            "wall_s": until - (until if self._started_at is None else self._started_at),
        }
        self.report("ok", "playing" if self._next is not None else "played", values)


def schedule(reader: BagReader) -> Iterator[Item]:
    """Packets in order, each with its IMU samples, due at the sensor time that they reach."""
    decoder = StreamDecoder()
    origin_ns: int | None = None
    before_ns = due_ns = 0
    for packet, samples in packets_with_imu(reader):
        t_end_ns = _reached(decoder, packet, before_ns)
        step_ns = 0 if origin_ns is None else t_end_ns - before_ns
        origin_ns, before_ns = t_end_ns, t_end_ns
        due_ns += max(step_ns, 0)  # a new flight in the bag follows at once
        yield Item(due_ns, samples, packet)


def _reached(decoder: StreamDecoder, packet: EventPacket, before_ns: int) -> int:
    """Sensor time at the packet's end; of one that cannot be decoded that of the one before, so it still goes out."""
    try:
        return decoder.decode(packet).t_end_ns
    except PacketError:
        return before_ns


def main() -> int:
    """Run the node."""
    return run(PlayerNode)


if __name__ == "__main__":
    sys.exit(main())
