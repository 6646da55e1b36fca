"""Events and what legs feel in, joint positions and spikes out: the walker's mind as a ROS 2 lifecycle node.

Besides what the drone's subscribes: `joint_states`, `foot_contacts`, and `cmd_vel`, by which any teleop or planner
steers; without it the robot walks straight on at `mind.speed`. Publishes `joint_trajectory` instead of `cmd_vel`. In
realtime it stands while a sense is silent.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from event_camera_msgs.msg import EventPacket as EventPacketMsg
from geometry_msgs.msg import TwistStamped
from sensor_msgs.msg import Imu as ImuMsg
from sensor_msgs.msg import JointState
from trajectory_msgs.msg import JointTrajectory

from neuro_robot.agents.gait import gaits_of
from neuro_robot.agents.leg_controller import LegController
from neuro_robot.bags.legs import LegSamples
from neuro_robot.bags.messages import joint_sample_from
from neuro_robot.bags.pairing import Felt
from neuro_robot.bags.topics import COMMAND, FOOT_CONTACTS, IMU, JOINT_STATES, JOINT_TRAJECTORY
from neuro_robot.errors import PacketError, SampleError
from neuro_robot.events.array import empty_events
from neuro_robot.events.packet import EventPacket
from neuro_robot.nodes.controller_node import ControllerNode, Traffic
from neuro_robot.nodes.controller_parameters import LegControllerParameters
from neuro_robot.nodes.conversions import command_from, packet_from, trajectory_message
from neuro_robot.nodes.core import qos, run
from neuro_robot.nodes.hot import HotSubscriptions
from neuro_robot.nodes.sense_watch import LOST_NS, SenseWatch
from neuro_robot.robot import LegSense
from neuro_robot.sim.quadruped import JOINT_NAMES, QuadrupedConfig, stance_of

STILL = (0.0,) * len(JOINT_NAMES)


@dataclass
class LegTraffic(Traffic):
    """As Traffic."""

    samples_refused: int = 0  # of joints or contacts, left out
    velocities_refused: int = 0  # of cmd_vel, with a NaN or infinity: the robot stops
    joints_unnamed: int = 0  # samples of joints taken by their places, since the names are not ours

    @property
    def wrong(self) -> bool:
        """As Traffic."""
        return super().wrong or self.samples_refused > 0 or self.velocities_refused > 0


class LegControllerNode(ControllerNode):
    """Walks."""

    dynamic = ControllerNode.dynamic | {"mind.gait"}
    command_topic = JOINT_TRAJECTORY
    command_type = JointTrajectory
    controller_of = LegController
    _traffic: LegTraffic
    standing = LegSense(0, tuple(stance_of(QuadrupedConfig()).tolist()), STILL, STILL, empty_events())

    def __init__(self) -> None:
        super().__init__("leg_controller_node", LegControllerParameters)

    def open(self) -> None:
        """Create publishers, subscriptions and services."""
        super().open()
        self._traffic = LegTraffic()
        self._names = JOINT_NAMES
        self._felt = LegSamples()
        self._used_ns = -1  # of the last sample of the legs
        self._heard = 0  # packets by the last report
        watched = (JOINT_STATES, FOOT_CONTACTS, *((IMU,) if self._config.use_imu else ()))
        self._watch = SenseWatch(topic.name for topic in watched)

    def listen(self, hot: HotSubscriptions) -> None:
        """Subscribe what it feels and is told."""
        super().listen(hot)
        hot.add(JointState, JOINT_STATES.name, self._on_joints, qos(JOINT_STATES))
        hot.add(EventPacketMsg, FOOT_CONTACTS.name, self._on_contacts, qos(FOOT_CONTACTS))
        hot.add(TwistStamped, COMMAND.name, self._on_wish, qos(COMMAND))

    def change(self, name: str, value: Any) -> Callable[[], object]:  # noqa: ANN401
        """What may change while it walks."""
        if name != "mind.gait":
            return super().change(name, value)
        self._controller.check_free()
        gaits_of(str(value))
        return partial(self._controller.change, "gait", str(value))

    def command_message(self, command: Any) -> JointTrajectory:  # noqa: ANN401 - a JointCommand
        """Joint positions in the robot's own names."""
        return trajectory_message(command, self._names)

    def _account(self, reply: Any, imu: Any) -> None:  # noqa: ANN401 - as ControllerNode
        super()._account(reply, imu)
        if self._controller.halted:
            self._fault = f"{self._controller.halted}: silent for {LOST_NS * 1e-9:g} s, so it stands until that is back"
            self.get_logger().error(self._fault, throttle_duration_sec=1.0)

    def _answer(self, packet: EventPacket, felt: Felt, sent_ns: int) -> None:
        """As ControllerNode; in realtime without what is stale, and standing while a sense is silent."""
        if self._config.mode == "realtime":
            lost = self._watch.lost(packet.stamp_ns)
            self._controller.halted = ", ".join(lost)
            legs = None if felt.legs is None or felt.legs.t_ns == self._used_ns else felt.legs
            self._used_ns = self._used_ns if legs is None else legs.t_ns
            felt = Felt(None if IMU.name in lost else felt.imu, legs)
        super()._answer(packet, felt, sent_ns)

    def _tick(self) -> None:
        """As ControllerNode; in realtime says when packets no longer come."""
        silent = self._config.mode == "realtime" and 0 < self._heard == self._traffic.packets
        self._heard, before = self._traffic.packets, self._fault
        if silent:
            self._fault = "events: no packet for a second, so no command is sent; the robot's guard has to hold it"
        super()._tick()
        self._fault = before

    def _on_imu(self, message: ImuMsg, info: dict[str, int]) -> None:
        self._watch.came(IMU.name)
        super()._on_imu(message, info)

    def _on_joints(self, message: JointState, _info: dict[str, int]) -> None:
        try:
            sample = joint_sample_from(message)
        except SampleError as error:
            self._leave_out(str(error))
            return
        if not message.name or sample.names != JOINT_NAMES:
            self._take_unnamed(message.name)
        self._watch.came(JOINT_STATES.name)
        self._names = sample.names
        self._felt.add_joints(sample)
        self._legs_came()

    def _leave_out(self, why: str) -> None:
        """A sample that cannot be used; counted, and said once a second at most."""
        self._traffic.samples_refused += 1
        self._fault = f"sample left out: {why}"
        self.get_logger().error(self._fault, throttle_duration_sec=1.0)

    def _take_unnamed(self, names: Sequence[str]) -> None:
        """Nothing says which joint is which; counted, and said once."""
        self._traffic.joints_unnamed += 1
        if self._traffic.joints_unnamed == 1:
            got = ", ".join(names) or "no names"
            self.get_logger().warning(f"joint_states: expected {', '.join(JOINT_NAMES)}, got {got}; taken as these in "
                                      "the order in which they come")  # fmt: skip

    def _on_contacts(self, message: EventPacketMsg, _info: dict[str, int]) -> None:
        try:
            self._felt.add_contacts(packet_from(message))
            self._watch.came(FOOT_CONTACTS.name)
        except PacketError as error:
            self._leave_out(f"foot_contacts: {error}")
            return
        self._legs_came()

    def _legs_came(self) -> None:
        for sense in self._felt.complete():
            self._senses.legs.add(sense)
            self.sample_came()

    def _on_wish(self, message: TwistStamped, _info: dict[str, int]) -> None:
        wish = command_from(message)
        if not wish.is_finite() and not self._controller.follows:
            self._traffic.velocities_refused += 1
            self.get_logger().warning("cmd_vel: expected finite velocities; the robot stops", throttle_duration_sec=1.0)
        self._controller.walk(wish)


def main() -> int:
    """Run the node."""
    return run(LegControllerNode)


if __name__ == "__main__":
    sys.exit(main())
