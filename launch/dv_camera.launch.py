"""ros2 launch neuro_robot dv_camera.launch.py: an iniVation camera through dv-processing, and the controller."""

from launch import LaunchDescription
from neuro_robot.nodes.launching import active, arguments, controller, number, text

ARGUMENTS = {
    "serial": ("", "serial number of the camera; empty: the first one found"),
    "network": ("", "HOST:PORT of a stream of dv-processing in place of a camera"),
    "file": ("", "AEDAT4 recording in place of a camera"),
    "encoding": ("evt3", "encoding of the packets"),
    "packet_period_ms": ("2.0", "time span of a packet, ms"),
}


def generate_launch_description() -> LaunchDescription:
    parameters = {name: text(name) for name in ("serial", "network", "file", "encoding")}
    camera = active("dv_camera_node", {**parameters, "packet_period_ms": number("packet_period_ms")})
    return LaunchDescription([*arguments(ARGUMENTS), *controller("events"), *camera])
