"""ros2 launch neuro_robot aer_udp.launch.py: address events from UDP (SpiNNaker SPIF, AEStream), and the controller."""

from launch import LaunchDescription
from neuro_robot.nodes.launching import active, arguments, controller, number, text

ARGUMENTS = {
    "address": ("127.0.0.1", "address of this machine to listen at; 0.0.0.0: all of them"),
    "port": ("3333", "UDP port"),
    "width": ("640", "columns of the sensor"),
    "height": ("480", "rows of the sensor"),
    "time": ("arrival", "time of an event: arrival, or the sender's"),
    "encoding": ("evt3", "encoding of the packets"),
}


def generate_launch_description() -> LaunchDescription:
    parameters = {name: text(name) for name in ("address", "time", "encoding")}
    parameters |= {name: number(name, int) for name in ("port", "width", "height")}
    receiver = active("aer_udp_node", {"direction": "in", **parameters})
    return LaunchDescription([*arguments(ARGUMENTS), *controller("events"), *receiver])
