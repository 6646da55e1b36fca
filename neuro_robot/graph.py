"""What runs: the nodes of a robot, their parameters and order. Read by the launch files and by `neuro_robot fly`.

Imports neither ROS nor the simulation, so that `ros2 launch --show-args` is quick.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from neuro_robot.share import learned_weights

PACKAGE = "neuro_robot"
MODES = ("lockstep", "realtime")
PARENT = "NEURO_ROBOT_PARENT"  # environment of a node: the process that brought it up, which it does not outlive
Number = TypeVar("Number", int, float)
LEGS = "leg_"  # before the names of nodes that are made for legs
LEARNED, INITIAL = "learned", "initial"  # in place of a weights file


@dataclass(frozen=True)
class Argument:
    """One thing to choose when bringing the graph up."""

    name: str
    default: str
    description: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class GraphNode:
    """One process of the graph: a lifecycle node, its executable of the same name and the parameters set for it."""

    name: str
    parameters: Mapping[str, object] = field(default_factory=dict)
    ends_graph: bool = False  # when it exits, everything is shut down

    @property
    def role(self) -> str:
        """What it does, whatever the body: `sim_node` of `leg_sim_node`."""
        return self.name.removeprefix(LEGS)


ARGUMENTS = (
    Argument("world", "forest", "world to fly in: a name in sim_worlds or a YAML file"),
    Argument("seed", "0", "seed of the world, the sensors and the network"),
    Argument("mode", "lockstep", "lockstep: deterministic, as fast as it goes; realtime: free running", MODES),
    Argument("speed", "5.0", "commanded forward speed, m/s"),
    Argument("episodes", "1", "flights to fly, each with the next seed"),
    Argument("learning", "true", "whether synapses change while flying", ("true", "false")),
    Argument("weights", LEARNED, "weights file to start from, or `learned`: the package's own, or `initial`: random"),
    Argument("record", "", "folder for the bag; empty: no recording"),
    Argument("params_file", "", "ROS 2 parameter file; empty: config/drone.yaml of the package"),
    Argument("namespace", "", "namespace of every node and topic"),
    Argument("clock", "/clock", "topic of simulated time; `clock` puts it into the namespace, for several simulators"),
    Argument("use_sim_time", "false", "nodes take their clock from /clock", ("true", "false")),
    Argument("log_level", "info", "log level", ("debug", "info", "warn", "error", "fatal")),
)


WALK_DEFAULTS = {
    "world": ("walk_flat", "world to walk in: a name in sim_worlds or a YAML file"),
    "speed": ("0.6", "forward speed without cmd_vel, m/s"),
    "episodes": ("1", "walks, each with the next seed"),
    "learning": ("true", "whether synapses change while walking"),
    "params_file": ("", "ROS 2 parameter file; empty: config/quadruped.yaml of the package"),
}
WALK_ARGUMENTS = tuple(
    replace(item, default=WALK_DEFAULTS[item.name][0], description=WALK_DEFAULTS[item.name][1])
    if item.name in WALK_DEFAULTS
    else item
    for item in ARGUMENTS
)


def drone(values: Mapping[str, str]) -> list[GraphNode]:
    """The drone's nodes for these argument values (absent ones: defaults), in the order in which they become active.

    The simulator is last: whoever listens is there before the first packet. Raises ValueError for what is no number.
    """
    return _robot("", {item.name: item.default for item in ARGUMENTS} | dict(values))


def quadruped(values: Mapping[str, str]) -> list[GraphNode]:
    """The walking robot's nodes; as `drone`."""
    return _robot(LEGS, {item.name: item.default for item in WALK_ARGUMENTS} | dict(values))


ROBOTS = {"drone": drone, "quadruped": quadruped}


def _robot(prefix: str, value: Mapping[str, str]) -> list[GraphNode]:
    """Recorder, controller, simulator; the prefix of the last two says which body they are made for."""
    seed, mode = _number(int, "seed", value), value["mode"]
    sim_time = {"use_sim_time": value["use_sim_time"] == "true"}
    nodes = []
    if value["record"]:
        nodes.append(GraphNode("recorder_node", {**sim_time, "path": value["record"], "legs": prefix == LEGS}))
    mind: dict[str, object] = {
        "mode": mode,
        "seed": seed,
        "weights_file": weights_file(value["weights"], "quadruped" if prefix == LEGS else "drone"),
        "mind.speed": _number(float, "speed", value),
        "mind.learning": value["learning"] == "true",
    }
    nodes.append(GraphNode(f"{prefix}controller_node", {**sim_time, **mind}))
    sim: dict[str, object] = {
        "mode": mode,
        "world": value["world"],
        "seed": seed,
        "episodes": _number(int, "episodes", value),
    }
    sim["listeners"] = len(nodes)  # the controller, and the recorder if there is one
    nodes.append(GraphNode(f"{prefix}sim_node", {**sim_time, **sim}, ends_graph=True))
    return nodes


def _number(kind: type[Number], name: str, values: Mapping[str, str]) -> Number:
    try:
        return kind(values[name])
    except ValueError:
        raise ValueError(f"{name}: expected a number ({kind.__name__}), got {values[name]!r}") from None


def weights_file(choice: str, robot: str) -> str:
    """The file behind the argument `weights`; empty for initial weights."""
    if choice == LEARNED:
        return str(learned_weights(robot) or "")
    return "" if choice == INITIAL else choice


def replay(
    bag: str, *, rate: float, lockstep: bool, values: Mapping[str, str], robot: str = "drone"
) -> list[GraphNode]:
    """A bag in place of the simulator, through the same controller."""
    nodes = [node for node in ROBOTS[robot](values) if node.role != "sim_node"]
    player = {"bag": bag, "rate": rate, "mode": "lockstep" if lockstep else "realtime"}
    return [*nodes, GraphNode("player_node", player, ends_graph=True)]


def with_parameters(nodes: list[GraphNode], further: Mapping[str, Mapping[str, object]]) -> list[GraphNode]:
    """The nodes with further parameters, by role, on top of their own."""
    return [GraphNode(node.name, {**node.parameters, **further.get(node.role, {})}, node.ends_graph) for node in nodes]


def named(nodes: Sequence[GraphNode], role: str) -> str:
    """The name of the node with this role."""
    return next(node.name for node in nodes if node.role == role)
