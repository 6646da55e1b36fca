"""ros2 launch neuro_robot drone.launch.py: the drone's nodes, configured and activated in order.

What runs is described in neuro_robot/graph.py, which `neuro_robot fly` reads too. The launch ends with the flights
(exit status 0), or when a node refuses or dies (status 1, and the reason).
"""

import os
from collections.abc import Callable

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
from launch.events.process import ProcessExited
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import LifecycleNode
from launch_ros.event_handlers import OnStateTransition
from launch_ros.events.lifecycle import ChangeState
from lifecycle_msgs.msg import Transition

from launch import LaunchContext, LaunchDescription
from neuro_robot.graph import ARGUMENTS, PACKAGE, PARENT, GraphNode, drone
from neuro_robot.share import share_folder

STEPS = ((Transition.TRANSITION_CONFIGURE, "configuring", "inactive"),
         (Transition.TRANSITION_ACTIVATE, "activating", "active"))  # fmt: skip
REFUSED = (("configuring", "unconfigured"), ("activating", "inactive"))


def generate_launch_description() -> LaunchDescription:
    arguments = [
        DeclareLaunchArgument(item.name, default_value=item.default, description=item.description,
                              **({"choices": list(item.choices)} if item.choices else {}))
        for item in ARGUMENTS
    ]  # fmt: skip
    return LaunchDescription([*arguments, OpaqueFunction(function=bring_up)])


def bring_up(context: LaunchContext) -> list:
    values = {item.name: LaunchConfiguration(item.name).perform(context) for item in ARGUMENTS}
    params_file = values["params_file"] or str(share_folder() / "config" / "drone.yaml")
    graph = drone(values)
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


def when_ended(node: GraphNode) -> Callable[[ProcessExited, LaunchContext], list | None]:
    """The end of a node ends everything: in order when its work is done, else as a failure of the launch."""

    def on_exit(event: ProcessExited, context: LaunchContext) -> list | None:
        if context.is_shutdown:
            return None
        if not node.ends_graph or event.returncode:
            raise RuntimeError(f"{node.name} ended with status {event.returncode}; what it said is above")
        return [Shutdown(reason=f"{node.name} has done its work")]

    return on_exit


def chain(actions: list) -> list:
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


def refused(_context: LaunchContext, action: LifecycleNode) -> None:
    raise RuntimeError(f"{action.node_name} refused to be configured or activated; what it said is above")


def transition(action: LifecycleNode, change: int) -> EmitEvent:
    return EmitEvent(event=ChangeState(lifecycle_node_matcher=matches_action(action), transition_id=change))
