"""The simulated walking robot as a ROS 2 lifecycle node: publishes what a real one publishes, obeys `joint_trajectory`.

Besides what the drone's publishes: `joint_states`, and `foot_contacts`, where a touch is an event.
"""

from __future__ import annotations

import sys
from typing import Any

from event_camera_msgs.msg import EventPacket as EventPacketMsg
from sensor_msgs.msg import JointState
from trajectory_msgs.msg import JointTrajectory

from neuro_robot.bags.legs import JointSample, contacts_packet
from neuro_robot.bags.messages import trajectory_from
from neuro_robot.bags.topics import FOOT_CONTACTS, JOINT_STATES, JOINT_TRAJECTORY
from neuro_robot.nodes.conversions import joint_state_message, packet_message
from neuro_robot.nodes.core import qos, run
from neuro_robot.nodes.sim_node import SimNode
from neuro_robot.nodes.sim_parameters import LegSimParameters
from neuro_robot.sim.episode import Observation
from neuro_robot.sim.quadruped import JOINT_NAMES
from neuro_robot.sim.walk_simulation import QuadrupedSimulation
from neuro_robot.sim.world import World


class LegSimNode(SimNode):
    """Steps a walking robot."""

    command_topic = JOINT_TRAJECTORY
    command_type = JointTrajectory
    command_from: Any = staticmethod(trajectory_from)

    def __init__(self) -> None:
        super().__init__("leg_sim_node", LegSimParameters)

    def simulation_of(self, world: World, seed: int) -> QuadrupedSimulation:
        """The simulation of one episode."""
        return QuadrupedSimulation(world, self._config.quadruped, seed)

    def open(self) -> None:
        """Create publishers and subscriptions."""
        self._joints = self.create_lifecycle_publisher(JointState, JOINT_STATES.name, qos(JOINT_STATES))
        self._contacts = self.create_lifecycle_publisher(EventPacketMsg, FOOT_CONTACTS.name, qos(FOOT_CONTACTS))
        self._reports = 0
        super().open()

    def publishers(self) -> list[Any]:
        """What `open` made."""
        return [*super().publishers(), self._joints, self._contacts]

    def sense(self, seen: Observation) -> None:
        """Joints and feet, before the packet."""
        legs = seen.legs
        if legs is None:
            return
        sample = JointSample(legs.t_ns, JOINT_NAMES, legs.position, legs.velocity, legs.effort)
        self._joints.publish(joint_state_message(sample))
        self._contacts.publish(packet_message(contacts_packet(legs, self._reports)))
        self._reports += 1


def main() -> int:
    """Run the node."""
    return run(LegSimNode)


if __name__ == "__main__":
    sys.exit(main())
