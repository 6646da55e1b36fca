"""ros2 launch neuro_robot libcaer_camera.launch.py: a DAVIS or DVXplorer, and the controller that flies by its events.

The driver is libcaer_driver. Executable, topics and parameters are those of its launch/driver_node.launch.py and
README (github.com/ros-event-camera/libcaer_driver, commit 1838b76): it publishes `~/events`, encoding libcaer_cmp or
libcaer, and `~/imu`.
"""

from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from launch import LaunchDescription
from neuro_robot.nodes.launching import arguments, controller, number, text

ARGUMENTS = {
    "camera_name": ("event_camera", "name of the driver's node; its topic is <camera_name>/events"),
    "device_type": ("davis", "davis or dvxplorer"),
    "device_id": ("1", "device number of libcaer"),
    "serial": ("", "serial number of the camera; empty: the first one found"),
    "encoding": ("libcaer_cmp", "libcaer_cmp, or libcaer: 8 bytes an event, no compression"),
}


def generate_launch_description() -> LaunchDescription:
    camera = LaunchConfiguration("camera_name")
    driver = Node(
        package="libcaer_driver", executable="driver_node", name=camera,
        namespace=LaunchConfiguration("namespace"), output="screen",
        parameters=[{
            "device_type": text("device_type"), "device_id": number("device_id", int), "serial": text("serial"),
            "encoding": text("encoding"), "camera_frame_id": camera, "event_message_time_threshold": 1.0e-3,
            "event_message_size_threshold": 400_000,  # bytes: what FastDDS's shared memory holds
            "dvs_enabled": True, "aps_enabled": False,  # frames cost events of a DAVIS their quality
        }],
    )  # fmt: skip
    return LaunchDescription([*arguments(ARGUMENTS), driver, *controller([camera, "/events"])])
