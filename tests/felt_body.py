"""A walking robot's body for the controller alone: says what it is told to feel, hears what it is to do."""

from __future__ import annotations

import numpy as np
from event_camera_msgs.msg import EventPacket
from sensor_msgs.msg import Imu as ImuMsg
from sensor_msgs.msg import JointState
from trajectory_msgs.msg import JointTrajectory

from neuro_robot.bags.legs import JointSample, contacts_packet
from neuro_robot.bags.topics import EVENTS, FOOT_CONTACTS, IMU, JOINT_STATES, JOINT_TRAJECTORY
from neuro_robot.events.array import empty_events
from neuro_robot.events.packet import pack
from neuro_robot.nodes.bringup import Bringup
from neuro_robot.nodes.conversions import imu_message, joint_state_message, packet_message
from neuro_robot.nodes.core import qos
from neuro_robot.robot import Imu, LegSense
from neuro_robot.sim.quadruped import JOINT_NAMES

PACKET_NS, PACE_S, LATEST = 5_000_000, 0.005, 10
KINDS = {EVENTS: EventPacket, IMU: ImuMsg, JOINT_STATES: JointState, FOOT_CONTACTS: EventPacket}


class Body:
    """Publishes what a robot feels; what is in `silent` it leaves out. Its joints go by `names`, in that order."""

    def __init__(self, graph: Bringup) -> None:
        self._graph, node = graph, graph._node
        self._publishers = {topic: node.create_publisher(kind, topic.name, qos(topic)) for topic, kind in KINDS.items()}
        node.create_subscription(JointTrajectory, JOINT_TRAJECTORY.name, self._on_command, qos(JOINT_TRAJECTORY))
        self._position, self._seq = (0.0, 0.9, -1.8) * 4, 0
        self.names: tuple[str, ...] = JOINT_NAMES
        self.told: list[tuple[float, ...]] = []
        self.told_names: tuple[str, ...] = ()
        self.silent = ""

    def _on_command(self, message: JointTrajectory) -> None:
        self._position = tuple(message.points[-1].positions)
        self.told.append(self._position)
        self.told_names = tuple(message.joint_names)

    def begin(self) -> None:
        """Time starts over."""
        self._seq = 0
        self.told.clear()

    def feel(self, packets: int) -> None:
        """So many packets, in real time or slower, with the joints where they were told to be."""
        for _ in range(packets):
            still = (0.0,) * 12
            self.say(self._position, still, still)
            answered = len(self.told)
            for _ in range(LATEST):  # on a busy machine the controller must not fall behind
                self._graph.spin(PACE_S)
                if len(self.told) > answered:
                    break

    def say(self, position: tuple[float, ...], velocity: tuple[float, ...], effort: tuple[float, ...]) -> None:
        """The next packet, with everything that is felt at its end."""
        self._seq += 1
        t_ns, nothing = self._seq * PACKET_NS, empty_events()
        legs = LegSense(t_ns, position, velocity, effort, nothing)
        imu = Imu(t_ns, (0.0, 0.0, 0.0, 1.0), (0.0,) * 3, (0.0, 0.0, 9.81))
        events = pack(nothing, "evt3", width=64, height=64, seq=self._seq, stamp_ns=t_ns, t_end_ns=t_ns)
        said = {
            IMU: imu_message(imu),
            JOINT_STATES: joint_state_message(JointSample(t_ns, self.names, *legs[1:4])),
            FOOT_CONTACTS: packet_message(contacts_packet(legs, self._seq)),
            EVENTS: packet_message(events),
        }
        for topic, message in said.items():
            if topic.name != self.silent:
                self._publishers[topic].publish(message)

    def moving(self) -> float:
        """How far the joints were told to go to and fro in the last commands, rad."""
        return float(np.ptp(np.array(self.told[-60:]), axis=0).max())
