"""Events in, velocity commands and spikes out: the robot's mind as a ROS 2 lifecycle node.

Subscribes `events`, `imu/data`; publishes `cmd_vel`, `spikes`, `/diagnostics`; services `~/learning`,
`~/save_weights`, `~/load_weights` (file: parameter `weights_file`). Says on /diagnostics what it goes by since when.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from event_camera_msgs.msg import EventPacket as EventPacketMsg
from geometry_msgs.msg import TwistStamped
from rclpy.clock import Clock, ClockType
from sensor_msgs.msg import Imu as ImuMsg

from neuro_robot.agents.controller import Controller
from neuro_robot.applied import SUFFIX, Applied
from neuro_robot.bags.applied import applied_in
from neuro_robot.bags.digest import RunDigest
from neuro_robot.bags.pairing import Felt, Senses
from neuro_robot.bags.reader import BagReader
from neuro_robot.bags.record import SpikePacker, network_shape
from neuro_robot.bags.topics import COMMAND, EVENTS, IMU, SPIKES, Topic
from neuro_robot.errors import NeuroRobotError
from neuro_robot.events.packet import EventPacket
from neuro_robot.nodes.clock_report import ClockReport
from neuro_robot.nodes.controller_parameters import AnsweringParameters, ControllerParameters
from neuro_robot.nodes.conversions import (
    command_message,
    diagnostics_message,
    imu_from,
    packet_from,
    packet_message,
    time_message,
)
from neuro_robot.nodes.core import CoreNode, qos, run
from neuro_robot.nodes.hot import HotSubscriptions
from neuro_robot.nodes.latency import LatencyHistogram
from neuro_robot.nodes.mind_services import MindServices
from neuro_robot.nodes.parameters import read
from neuro_robot.nodes.warm_up import warm_up
from neuro_robot.robot import Imu, LegSense
from neuro_robot.snn.faults_text import checked_text


@dataclass
class Traffic:
    """What came in and went out."""

    packets: int = 0
    repeated: int = 0
    refused: int = 0
    without_imu: int = 0
    on_events: int = 0
    off_events: int = 0

    @property
    def wrong(self) -> bool:
        """Whether anything came that could not be used."""
        return self.refused > 0


class ControllerNode(CoreNode):
    """Hands packets to the controller and its answers to the robot.

    This is the drone's; another body's node says which controller it has, what else that feels and how it commands.
    """

    dynamic = frozenset({"weights_file", "mind.learning", "mind.faults"})
    command_topic: Topic = COMMAND
    command_type: Any = TwistStamped
    controller_of: Any = Controller  # (mind's configuration, seed)
    standing: LegSense | None = None  # what legs feel when nothing happens; None: no legs

    def __init__(self, name: str = "controller_node", kind: type[AnsweringParameters] = ControllerParameters) -> None:
        super().__init__(name, kind)

    def configure(self) -> None:
        """Build the mind, load its weights, compile what is compiled at first use.

        Raises WeightsError, or BagError when there is nothing to follow.
        """
        config: Any = read(self, self._kind)
        self._config = config
        warm_up(self.controller_of(config.mind, config.seed), self.standing)
        self._controller = self.controller_of(config.mind, config.seed)
        if config.weights_file:
            self._controller.load(config.weights_file)
        if config.follow_bag:
            with BagReader(config.follow_bag) as reader:
                self._controller.follow(applied_in(reader), reader.path.parent)
        self._shape = network_shape(self._controller)
        self._digest, self._traffic, self._latency = RunDigest(), Traffic(), LatencyHistogram()
        self._packer = SpikePacker()
        self._clocks = ClockReport(config.mode == "realtime")
        self._senses = Senses(imu=config.use_imu, legs=self.standing is not None)
        self._waiting: tuple[EventPacket, int] | None = None
        self._last: tuple[int, int, Any, Any] | None = None  # seq, time base, command and spikes message
        self._said: Applied | None = None
        self._fault = ""
        self.open()

    def open(self) -> None:
        """Create publishers, subscriptions and services."""
        topic = self.command_topic
        self._commands = self.create_lifecycle_publisher(self.command_type, topic.name, qos(topic))
        self._spikes = self.create_lifecycle_publisher(EventPacketMsg, SPIKES.name, qos(SPIKES))
        self.hot = HotSubscriptions(self)
        self.listen(self.hot)  # first: served first when packets wait, too
        self.hot.add(EventPacketMsg, EVENTS.name, self._on_events, qos(EVENTS))
        self._own_services = MindServices(self, self._controller)
        self._timer = self.create_timer(1.0, self._tick, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def listen(self, hot: HotSubscriptions) -> None:
        """Subscribe what it feels and is told."""
        hot.add(ImuMsg, IMU.name, self._on_imu, qos(IMU))

    def deactivate(self) -> None:
        """Say what was done; the robot's guard stops it when commands cease."""
        self._waiting = None
        self._report(final=True)

    def cleanup(self) -> None:
        """Close topics and services."""
        if not hasattr(self, "_timer"):
            return
        self.destroy_timer(self._timer)
        if self.hot is not None:
            self.hot.close()
            self.hot = None
        self._own_services.close()
        for publisher in (self._commands, self._spikes):
            self.destroy_lifecycle_publisher(publisher)
        del self._timer

    def change(self, name: str, value: Any) -> Callable[[], object]:  # noqa: ANN401
        """What may change while it moves."""
        network = self._controller.mind.network
        if name == "weights_file":
            return lambda: None  # the services read it when they are called
        self._controller.check_free()
        if name == "mind.learning":
            return partial(self._controller.change, "learning", str(bool(value)))
        checked_text(network, str(value), self._config.seed)  # mind.faults
        return partial(self._controller.change, "faults", str(value))

    def _on_imu(self, message: ImuMsg, _info: dict[str, int]) -> None:
        self._senses.imu.add(imu_from(message))
        self.sample_came()

    def sample_came(self) -> None:
        """Answer the packet that waits, if this was what it waited for."""
        if self._waiting is not None:
            self._pair(*self._waiting)

    def _on_events(self, message: EventPacketMsg, info: dict[str, int]) -> None:
        self._take(packet_from(message), info["source_timestamp"])

    def _take(self, packet: EventPacket, sent_ns: int) -> None:
        """Answer a packet, or answer it again when the simulator missed the answer."""
        if self._last is not None and self._last[:2] == (packet.seq, packet.time_base):
            self._traffic.repeated += 1
            self._send(self._last[2], self._last[3])
            return
        if self._waiting is not None and self._waiting[0].seq != packet.seq:
            self._answer(self._waiting[0], self._senses.newest, self._waiting[1])
        if self._last is not None and packet.seq < self._last[0]:
            self._senses.restart()
        self._pair(packet, sent_ns)

    def _pair(self, packet: EventPacket, sent_ns: int) -> None:
        """Answer as soon as the packet's samples are there, in realtime no later than the next packet."""
        felt = self._senses.take(packet)
        if felt is None and self._config.mode == "realtime" and self._senses.newest == (None, None):
            felt = Felt(None, None)  # nobody feels anything here
        if felt is None:
            self._waiting = (packet, sent_ns)
            return
        self._answer(packet, felt, sent_ns)

    def _answer(self, packet: EventPacket, felt: Felt, sent_ns: int) -> None:
        self._waiting = None
        if self._last is not None and packet.seq < self._last[0]:
            self._controller.new_flight()
        try:
            reply = self._controller.receive(packet, *felt)
            spikes = packet_message(self._packer.pack(reply.spikes, reply.command.t_ns, self._shape))
        except NeuroRobotError as error:
            self._refuse(str(error))
            return
        self._senses.reached(felt)
        command = self.command_message(reply.command)
        self._commands.publish(command)
        self._latency.add(time.time_ns() - sent_ns)
        self._clocks.take(reply.command.t_ns, sent_ns)
        self._spikes.publish(spikes)
        self._last = (packet.seq, packet.time_base, command, spikes)
        self._account(reply, felt.imu)

    def command_message(self, command: Any) -> Any:  # noqa: ANN401 - a message of command_type
        """What the robot is told."""
        return command_message(command)

    def _account(self, reply: Any, imu: Imu | None) -> None:  # noqa: ANN401 - agents.controller.Reply
        self._digest.add_spikes(reply.spikes)
        self._digest.add_command(reply.command)
        traffic = self._traffic
        traffic.packets += 1
        traffic.without_imu += imu is None
        on_events = int(np.count_nonzero(reply.events["p"]))
        traffic.on_events += on_events
        traffic.off_events += len(reply.events) - on_events
        self._fault = ""
        self._say_applied(self._controller.applied)

    def _say_applied(self, told: Applied | None) -> None:
        """What counts from this packet on, once whenever that changes."""
        if told is not None and told is not self._said:
            self._said = told
            name, stamp = self.get_fully_qualified_name() + SUFFIX, time_message(told.t_ns)
            self._diagnostics.publish(diagnostics_message(stamp, name, "ok", "what it goes by", told.values()))

    def _send(self, command: Any, spikes: Any) -> None:  # noqa: ANN401 - messages
        self._commands.publish(command)
        self._spikes.publish(spikes)

    def _refuse(self, why: str) -> None:
        """No command goes out, so the robot's guard stops it; counted, and said once a second at most."""
        self._traffic.refused += 1
        self._fault = f"packet refused, no command sent: {why}"
        self.get_logger().error(self._fault, throttle_duration_sec=1.0)

    def _tick(self) -> None:
        if self.active:  # the final figures of a pause stay the last word
            self._report()

    def _report(self, final: bool = False) -> None:
        controller, traffic = self._controller, self._traffic
        values: dict[str, object] = {"state": "final" if final else "active" if self.active else "inactive"}
        values |= vars(traffic) | self._latency.summary() | controller.diagnostics()
        values |= {"spikes_sent": self._digest.n_spikes, "commands": self._digest.n_commands}
        stats = controller.decoder.stats
        values |= {f"stream_{name}": int(getattr(stats, name)) for name in stats.__slots__}
        values |= {f"digest_{key}": text for key, text in self._digest.result(controller.weights()).items()}
        values |= self._clocks.values()
        values["learning"] = bool(controller.mind.network.learning)
        if final:
            values["latency_quantiles_ms"] = " ".join(f"{value:.4g}" for value in self._latency.quantiles_ms())
        broken = controller.mind.network.faults
        level = "error" if self._fault else "warn" if traffic.wrong or broken.active else "ok"
        self.report(level, self._fault or "; ".join(("running", *broken.active)), values)


def main() -> int:
    """Run the node."""
    return run(ControllerNode)


if __name__ == "__main__":
    sys.exit(main())
