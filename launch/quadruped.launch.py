"""ros2 launch neuro_robot quadruped.launch.py: the walking robot's nodes; `cmd_vel` steers it."""

from launch import LaunchDescription
from neuro_robot.graph import WALK_ARGUMENTS, quadruped
from neuro_robot.nodes.robot_launch import robot_description


def generate_launch_description() -> LaunchDescription:
    return robot_description(quadruped, WALK_ARGUMENTS, "quadruped.yaml")
