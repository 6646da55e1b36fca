"""What the launch files of the robots share: a graph's nodes, configured and activated in order.

The launch ends with the episodes (exit status 0), or when a node refuses or dies (status 1, and the reason). Needs
`launch` and `launch_ros`, which only a ROS 2 distribution has.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    LogInfo,
    OpaqueFunction,
    RegisterEventHandler,
    Shutdown,
    UnregisterEventHandler,
)
from launch.event_handlers import OnProcessExit
from launch.events import matches_action
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import LifecycleNode
from launch_ros.event_handlers import OnStateTransition
from launch_ros.events.lifecycle import ChangeState
from lifecycle_msgs.msg import Transition

from launch import LaunchDescription
from neuro_robot.graph import PACKAGE, PARENT, Argument, GraphNode
from neuro_robot.share import share_folder

STEPS = ((Transition.TRANSITION_CONFIGURE, "configuring", "inactive"),
         (Transition.TRANSITION_ACTIVATE, "activating", "active"))  # fmt: skip
REFUSED = (("configuring", "unconfigured"), ("activating", "inactive"))


def robot_description(
    graph_of: Callable[[Mapping[str, str]], list[GraphNode]], arguments: Sequence[Argument], params_file: str
) -> Any:
    """The launch description of a robot: its arguments, and its nodes brought up in order.

    params_file: name in the package's config/, used unless the argument of that name is given.
    """
    declared = [
        DeclareLaunchArgument(item.name, default_value=item.default, description=item.description,
                              **({"choices": list(item.choices)} if item.choices else {}))
        for item in arguments
    ]  # fmt: skip
    names = [item.name for item in arguments]
    return LaunchDescription([*declared, OpaqueFunction(function=bring_up, args=[graph_of, names, params_file])])


def bring_up(
    context: Any, graph_of: Callable[[Mapping[str, str]], list[GraphNode]], names: Sequence[str], own_file: str
) -> list[Any]:
    """The actions that start the nodes for the arguments of this launch."""
    values = {name: LaunchConfiguration(name).perform(context) for name in names}
    params_file = parameter_file(values["params_file"], own_file)
    graph = graph_of(values)
    actions = [
        LifecycleNode(
            package=PACKAGE, executable=node.name, name=node.name, namespace=values["namespace"], output="screen",
            parameters=[params_file, dict(node.parameters)],
            arguments=["--ros-args", "--log-level", values["log_level"]],
            remappings=[("/clock", values["clock"])],
            additional_env={PARENT: str(os.getpid())},
        )
        for node in graph
    ]  # fmt: skip
    handlers = [
        RegisterEventHandler(OnProcessExit(target_action=action, on_exit=when_ended(node)))
        for node, action in zip(graph, actions, strict=True)
    ]
    return [*handlers, *chain(actions), *actions, transition(actions[0], Transition.TRANSITION_CONFIGURE)]


def parameter_file(given: str, own_file: str) -> str:
    """The file of the argument, or the package's own. Raises ValueError for one that is not there.

    `launch_ros` would leave it out with a warning, and another body walk than the one that was meant.
    """
    path = Path(given) if given else share_folder() / "config" / own_file
    if not path.is_file():
        raise ValueError(f"params_file: expected a ROS 2 parameter file, got {path}: no such file")
    return str(path)


def when_ended(node: GraphNode) -> Callable[[Any, Any], list[Any] | None]:
    """The end of a node ends everything: in order when its work is done, else as a failure of the launch."""

    def on_exit(event: Any, context: Any) -> list[Any] | None:
        if context.is_shutdown:
            return None
        if not node.ends_graph or event.returncode:
            raise RuntimeError(f"{node.name} ended with status {event.returncode}; what it said is above")
        return [Shutdown(reason=f"{node.name} has done its work")]

    return on_exit


def chain(actions: list[Any]) -> list[Any]:
    """Configure one after the other, then activate one after the other: topics exist before the first message.

    Handled once, so that later transitions by hand stay with who makes them.
    """
    refusals = [
        OnStateTransition(target_lifecycle_node=action, start_state=start, goal_state=goal, handle_once=True,
                          entities=[OpaqueFunction(function=refused, args=[action])])
        for action in actions for start, goal in REFUSED
    ]  # fmt: skip
    steps = [(action, *step) for step in STEPS for action in actions]
    following = [[transition(action, change)] for action, change, _, _ in steps[1:]]
    following.append([*(UnregisterEventHandler(item) for item in refusals), LogInfo(msg="all nodes are active")])
    handlers = [
        OnStateTransition(target_lifecycle_node=action, start_state=start, goal_state=goal, handle_once=True,
                          entities=then)
        for (action, _, start, goal), then in zip(steps, following, strict=True)
    ]  # fmt: skip
    return [RegisterEventHandler(item) for item in [*refusals, *handlers]]


def refused(_context: Any, action: Any) -> None:
    """A node did not become what it was told to become."""
    raise RuntimeError(f"{action.node_name} refused to be configured or activated; what it said is above")


def transition(action: Any, change: int) -> Any:
    """Tell a node to change."""
    return EmitEvent(event=ChangeState(lifecycle_node_matcher=matches_action(action), transition_id=change))
