"""ros2 launch neuro_robot renderer.launch.py events:=/event_camera/events: pictures of events on image_raw."""

from launch.actions import DeclareLaunchArgument
from launch.substitutions import LaunchConfiguration

from launch import LaunchDescription
from neuro_robot.nodes.launching import COMMON, active, number, text

ARGUMENTS = {
    "events": ("/event_camera/events", "topic of the event packets"),
    "rate_hz": ("25.0", "pictures per second"),
    "picture": ("events", "events, surface or counts"),
    "window_ms": ("0.0", "sensor time that a picture spans, ms; 0: since the last picture"),
    "filters": ("", "filters, separated by commas, such as background=5,hot"),
}


def generate_launch_description() -> LaunchDescription:
    rows = {**ARGUMENTS, **COMMON}
    declared = [
        DeclareLaunchArgument(name, default_value=default, description=about) for name, (default, about) in rows.items()
    ]
    parameters = {name: text(name) for name in ("picture", "filters")}
    parameters |= {name: number(name) for name in ("rate_hz", "window_ms")}
    return LaunchDescription(
        [*declared, *active("renderer_node", parameters, [("events", LaunchConfiguration("events"))])]
    )
