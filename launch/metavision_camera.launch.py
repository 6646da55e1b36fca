"""ros2 launch neuro_robot metavision_camera.launch.py: a Prophesee camera, and the controller that flies by its events.

The driver is metavision_driver. Executable, topic and parameters are those of its launch/driver_node.launch.py and
README (github.com/ros-event-camera/metavision_driver, commit 6b7297c): it publishes `~/events`, encoding evt3.
"""

from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from launch import LaunchDescription
from neuro_robot.nodes.launching import arguments, controller, number, text

ARGUMENTS = {
    "camera_name": ("event_camera", "name of the driver's node; its topic is <camera_name>/events"),
    "serial": ("", "serial number of the camera; empty: the first one found"),
    "settings": ("", "JSON file of camera settings"),
    "bias_file": ("", "file of biases"),
    "erc_mode": ("na", "event rate control: na, disabled, enabled"),
    "erc_rate": ("100000000", "events per second that event rate control lets pass"),
}


def generate_launch_description() -> LaunchDescription:
    camera = LaunchConfiguration("camera_name")
    driver = Node(
        package="metavision_driver", executable="driver_node", name=camera,
        namespace=LaunchConfiguration("namespace"), output="screen",
        parameters=[{
            "serial": text("serial"), "settings": text("settings"), "bias_file": text("bias_file"),
            "erc_mode": text("erc_mode"), "erc_rate": number("erc_rate", int), "frame_id": camera,
            "encoding": "evt3", "use_multithreading": True, "event_message_time_threshold": 1.0e-3,
            "event_message_size_threshold": 400_000,  # bytes: what FastDDS's shared memory holds
        }],
    )  # fmt: skip
    return LaunchDescription([*arguments(ARGUMENTS), driver, *controller([camera, "/events"])])
