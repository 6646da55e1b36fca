"""A walker in realtime whose senses fall silent one by one: it stands, says which, and walks again."""

from __future__ import annotations

import time

import numpy as np
import pytest
from event_camera_msgs.msg import EventPacket
from graphs import until
from sensor_msgs.msg import Imu as ImuMsg
from sensor_msgs.msg import JointState
from trajectory_msgs.msg import JointTrajectory

from neuro_robot.bags.legs import JointSample, contacts_packet
from neuro_robot.bags.topics import EVENTS, FOOT_CONTACTS, IMU, JOINT_STATES, JOINT_TRAJECTORY
from neuro_robot.events.array import empty_events
from neuro_robot.events.packet import pack
from neuro_robot.graph import quadruped
from neuro_robot.nodes.bringup import Bringup
from neuro_robot.nodes.conversions import imu_message, joint_state_message, packet_message
from neuro_robot.nodes.core import qos
from neuro_robot.robot import Imu, LegSense
from neuro_robot.sim.quadruped import JOINT_NAMES

pytestmark = [pytest.mark.ros, pytest.mark.slow]
PACKET_NS, PACE_S, LATEST = 5_000_000, 0.005, 10
KINDS = {EVENTS: EventPacket, IMU: ImuMsg, JOINT_STATES: JointState, FOOT_CONTACTS: EventPacket}


class Body:
    """Publishes what a robot feels, whose joints are where they are told to be; what is in `silent` it leaves out."""

    def __init__(self, graph: Bringup) -> None:
        self._graph, node = graph, graph._node
        self._publishers = {topic: node.create_publisher(kind, topic.name, qos(topic)) for topic, kind in KINDS.items()}
        node.create_subscription(JointTrajectory, JOINT_TRAJECTORY.name, self._on_command, qos(JOINT_TRAJECTORY))
        self._position, self._seq = (0.0, 0.9, -1.8) * 4, 0
        self.told: list[tuple[float, ...]] = []
        self.silent = ""

    def _on_command(self, message: JointTrajectory) -> None:
        self._position = tuple(message.points[-1].positions)
        self.told.append(self._position)

    def feel(self, packets: int) -> None:
        """So many packets, in real time or slower."""
        for _ in range(packets):
            self._seq += 1
            t_ns, nothing = self._seq * PACKET_NS, empty_events()
            still = (0.0,) * 12
            legs = LegSense(t_ns, self._position, still, still, nothing)
            imu = Imu(t_ns, (0.0, 0.0, 0.0, 1.0), (0.0,) * 3, (0.0, 0.0, 9.81))
            events = pack(nothing, "evt3", width=64, height=64, seq=self._seq, stamp_ns=t_ns, t_end_ns=t_ns)
            said = {
                IMU: imu_message(imu),
                JOINT_STATES: joint_state_message(JointSample(t_ns, JOINT_NAMES, *legs[1:4])),
                FOOT_CONTACTS: packet_message(contacts_packet(legs, self._seq)),
                EVENTS: packet_message(events),
            }
            for topic, message in said.items():
                if topic.name != self.silent:
                    self._publishers[topic].publish(message)
            answered = len(self.told)
            for _ in range(LATEST):  # on a busy machine the controller must not fall behind
                self._graph.spin(PACE_S)
                if len(self.told) > answered:
                    break

    def moving(self) -> float:
        """How far the joints were told to go to and fro in the last commands, rad."""
        return float(np.ptp(np.array(self.told[-60:]), axis=0).max())


def test_a_silent_sense_stops_the_walk_with_a_word(tmp_path):
    nodes = [node for node in quadruped({"seed": "3", "mode": "realtime"}) if node.role == "controller_node"]
    with Bringup(nodes, tmp_path) as graph:
        graph.configure()
        graph.activate()
        body = Body(graph)
        graph.spin(1.0)
        for topic in (JOINT_STATES, FOOT_CONTACTS, IMU):
            body.silent = ""
            said = reached(graph, body, lambda status, moving: status.level == "ok" and moving > 0.2)
            assert said.text.startswith("running")
            body.silent = topic.name
            said = reached(graph, body, lambda status, moving: status.level == "error" and moving < 0.02)
            assert topic.name in said.text
            assert "stands until" in said.text
            assert np.isfinite(body.told[-1]).all()
        until(graph, "leg_controller_node", lambda status: status.text.startswith("events: no packet"))


def reached(graph, body, wanted, seconds=60.0):
    """The node's status, once status and motion are as wanted."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        body.feel(100)
        status = graph.status["leg_controller_node"]
        if len(body.told) > 60 and wanted(status, body.moving()):
            return status
    raise AssertionError(f"last: {graph.status['leg_controller_node']}, joints move by {body.moving():.3f} rad")
