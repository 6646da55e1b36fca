"""What legs feel, as topics: `joint_states`, and `foot_contacts`, where a touch is an event."""

from __future__ import annotations

from event_camera_msgs.msg import EventPacket as EventPacketMsg
from sensor_msgs.msg import JointState

from neuro_robot.bags.legs import JointSample, contacts_packet
from neuro_robot.bags.topics import FOOT_CONTACTS, JOINT_STATES
from neuro_robot.nodes.conversions import joint_state_message, packet_message
from neuro_robot.nodes.core import CoreNode, qos
from neuro_robot.robot import LegSense
from neuro_robot.sim.quadruped import JOINT_NAMES


class LegOutput:
    """Publishes every sample on both topics, in that order; contacts also when no foot touched or lifted."""

    def __init__(self, node: CoreNode) -> None:
        self._joints = node.create_lifecycle_publisher(JointState, JOINT_STATES.name, qos(JOINT_STATES))
        self._contacts = node.create_lifecycle_publisher(EventPacketMsg, FOOT_CONTACTS.name, qos(FOOT_CONTACTS))
        self.publishers = [self._joints, self._contacts]
        self._sent = 0

    def publish(self, legs: LegSense | None) -> None:
        """Tell one sample; None tells nothing."""
        if legs is None:
            return
        sample = JointSample(legs.t_ns, JOINT_NAMES, legs.position, legs.velocity, legs.effort)
        self._joints.publish(joint_state_message(sample))
        self._contacts.publish(packet_message(contacts_packet(legs, self._sent)))
        self._sent += 1
