"""The simulated walking robot as a ROS 2 lifecycle node: publishes what a real one publishes, obeys `joint_trajectory`.

Besides what the drone's publishes: `joint_states`, and `foot_contacts`, where a touch is an event.
"""

from __future__ import annotations

import sys
from typing import Any

from trajectory_msgs.msg import JointTrajectory

from neuro_robot.bags.messages import trajectory_from
from neuro_robot.bags.topics import JOINT_TRAJECTORY
from neuro_robot.nodes.core import run
from neuro_robot.nodes.leg_output import LegOutput
from neuro_robot.nodes.sim_node import SimNode
from neuro_robot.nodes.sim_parameters import LegSimParameters
from neuro_robot.robot import JointCommand
from neuro_robot.sim.episode import Observation
from neuro_robot.sim.quadruped import JOINT_NAMES
from neuro_robot.sim.walk_simulation import QuadrupedSimulation
from neuro_robot.sim.world import World


def command_by_name(message: JointTrajectory) -> JointCommand:
    """The last point's positions in the order of `joint_states`, whatever the order of `joint_names`.

    A joint that is not named has no position, so that the guard refuses the command; joints of others are left out.
    """
    command = trajectory_from(message)
    if tuple(message.joint_names) == JOINT_NAMES:
        return command
    named = dict(zip(message.joint_names, command.position, strict=False))
    if len(message.joint_names) != len(command.position):
        named = {}
    return JointCommand(command.t_ns, tuple(named[name] for name in JOINT_NAMES if name in named))


class LegSimNode(SimNode):
    """Steps a walking robot."""

    command_topic = JOINT_TRAJECTORY
    command_type = JointTrajectory
    command_from: Any = staticmethod(command_by_name)

    def __init__(self) -> None:
        super().__init__("leg_sim_node", LegSimParameters)

    def simulation_of(self, world: World, seed: int) -> QuadrupedSimulation:
        """The simulation of one episode."""
        return QuadrupedSimulation(world, self._config.quadruped, seed)

    def open(self) -> None:
        """Create publishers and subscriptions."""
        self._legs = LegOutput(self)
        super().open()

    def publishers(self) -> list[Any]:
        """What `open` made."""
        return [*super().publishers(), *self._legs.publishers]

    def sense(self, seen: Observation) -> None:
        """Joints and feet, before the packet."""
        self._legs.publish(seen.legs)


def main() -> int:
    """Run the node."""
    return run(LegSimNode)


if __name__ == "__main__":
    sys.exit(main())
