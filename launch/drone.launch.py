"""ros2 launch neuro_robot drone.launch.py: the drone's nodes, configured and activated in order.

What runs is described in neuro_robot/graph.py, which `neuro_robot fly` reads too.
"""

from itertools import pairwise

from launch.actions import DeclareLaunchArgument, EmitEvent, LogInfo, OpaqueFunction, RegisterEventHandler, Shutdown
from launch.event_handlers import OnProcessExit
from launch.events import matches_action
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import LifecycleNode
from launch_ros.event_handlers import OnStateTransition
from launch_ros.events.lifecycle import ChangeState
from lifecycle_msgs.msg import Transition

from launch import LaunchContext, LaunchDescription
from neuro_robot.graph import ARGUMENTS, PACKAGE, drone
from neuro_robot.share import share_folder


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
        )
        for node in graph
    ]  # fmt: skip
    handlers = []
    for node, action in zip(graph, actions, strict=True):
        reason = f"{node.name} has ended" if node.ends_graph else f"{node.name} has ended before its time"
        end = [LogInfo(msg=reason), Shutdown(reason=reason)]
        handlers.append(RegisterEventHandler(OnProcessExit(target_action=action, on_exit=end)))
    handlers += chain(actions)
    return [*handlers, *actions, transition(actions[0], Transition.TRANSITION_CONFIGURE)]


def chain(actions: list) -> list:
    """Configure one after the other, then activate one after the other: topics exist before the first message."""
    steps = [(action, Transition.TRANSITION_CONFIGURE, "inactive") for action in actions]
    steps += [(action, Transition.TRANSITION_ACTIVATE, "active") for action in actions]
    handlers = []
    for (action, _, goal), (following, change, _) in pairwise(steps):
        start = "configuring" if goal == "inactive" else "activating"
        handlers.append(RegisterEventHandler(OnStateTransition(
            target_lifecycle_node=action, start_state=start, goal_state=goal, entities=[transition(following, change)],
        )))  # fmt: skip
    return handlers


def transition(action: LifecycleNode, change: int) -> EmitEvent:
    return EmitEvent(event=ChangeState(lifecycle_node_matcher=matches_action(action), transition_id=change))
