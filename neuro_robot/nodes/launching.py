"""What the camera launch files share: arguments, and lifecycle nodes that become active by themselves.

Needs `launch` and `launch_ros`, which only a ROS 2 distribution has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from launch.actions import DeclareLaunchArgument, EmitEvent, RegisterEventHandler
from launch.conditions import IfCondition
from launch.events import matches_action
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import LifecycleNode
from launch_ros.event_handlers import OnStateTransition
from launch_ros.events.lifecycle import ChangeState
from launch_ros.parameter_descriptions import ParameterValue
from lifecycle_msgs.msg import Transition

PACKAGE = "neuro_robot"
COMMON = {
    "namespace": ("", "namespace of every node and topic"),
    "log_level": ("info", "log level of this package's nodes"),
}
CONTROLLER = {
    "controller": ("true", "true: the controller flies by the camera; false: the camera only"),
    "fov_deg": ("70.0", "horizontal field of view of the lens, deg"),
    "pitch_deg": ("0.0", "mount angle of the camera, positive looks up, deg"),
    "speed": ("1.0", "commanded forward speed, m/s"),
    "weights_file": ("", "weights of the controller; empty: initial weights"),
}


def arguments(own: Mapping[str, tuple[str, str]]) -> list[Any]:
    """The launch file's own arguments (name: default, description), then those that all camera launch files have."""
    rows = {**own, **CONTROLLER, **COMMON}
    return [DeclareLaunchArgument(name, default_value=default, description=about)
            for name, (default, about) in rows.items()]  # fmt: skip


def text(name: str) -> Any:
    """An argument as a string parameter: a serial number of digits only stays a string."""
    return ParameterValue(LaunchConfiguration(name), value_type=str)


def number(name: str, kind: type = float) -> Any:
    """An argument as a number."""
    return ParameterValue(LaunchConfiguration(name), value_type=kind)


def controller(events: Any) -> list[Any]:
    """The controller in realtime on this topic of events, unless `controller:=false`."""
    parameters = {
        "mode": "realtime",
        "use_imu": False,
        "weights_file": text("weights_file"),
        "mind.speed": number("speed"),
        "mind.vision.fov_deg": number("fov_deg"),
        "mind.vision.pitch_deg": number("pitch_deg"),
    }
    wanted = IfCondition(LaunchConfiguration("controller"))
    return active("controller_node", parameters, [("events", events)], wanted)


def active(
    name: str, parameters: Mapping[str, Any], remappings: Sequence[tuple[str, Any]] = (), condition: Any = None
) -> list[Any]:
    """Start a lifecycle node of this package, configure it and, once that is done, activate it."""
    node = LifecycleNode(
        package=PACKAGE, executable=name, name=name, namespace=LaunchConfiguration("namespace"), output="screen",
        parameters=[dict(parameters)], remappings=list(remappings), condition=condition,
        arguments=["--ros-args", "--log-level", LaunchConfiguration("log_level")],
    )  # fmt: skip
    then = OnStateTransition(target_lifecycle_node=node, start_state="configuring", goal_state="inactive",
                             entities=[_change(node, Transition.TRANSITION_ACTIVATE)])  # fmt: skip
    return [RegisterEventHandler(then), node, _change(node, Transition.TRANSITION_CONFIGURE, condition)]


def _change(node: Any, transition: int, condition: Any = None) -> Any:
    event = ChangeState(lifecycle_node_matcher=matches_action(node), transition_id=transition)
    return EmitEvent(event=event, condition=condition)
