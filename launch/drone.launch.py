"""ros2 launch neuro_robot drone.launch.py: the drone's nodes; what runs is described in neuro_robot/graph.py."""

from launch import LaunchDescription
from neuro_robot.graph import ARGUMENTS, drone
from neuro_robot.nodes.robot_launch import robot_description


def generate_launch_description() -> LaunchDescription:
    return robot_description(drone, ARGUMENTS, "drone.yaml")
