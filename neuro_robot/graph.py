"""What runs: the nodes of a drone, their parameters and order. Read by the launch file and by `neuro_robot fly`.

Imports neither ROS nor the simulation, so that `ros2 launch --show-args` is quick.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from neuro_robot.share import learned_weights

PACKAGE = "neuro_robot"
MODES = ("lockstep", "realtime")
PARENT = "NEURO_ROBOT_PARENT"  # environment of a node: the process that brought it up, which it does not outlive
Number = TypeVar("Number", int, float)
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


def drone(values: Mapping[str, str]) -> list[GraphNode]:
    """The nodes for these argument values (absent ones: defaults), in the order in which they become active.

    The simulator is last: whoever listens is there before the first packet. Raises ValueError for what is no number.
    """
    value = {item.name: item.default for item in ARGUMENTS} | dict(values)
    seed, mode = _number(int, "seed", value), value["mode"]
    sim_time = {"use_sim_time": value["use_sim_time"] == "true"}
    nodes = []
    if value["record"]:
        nodes.append(GraphNode("recorder_node", {**sim_time, "path": value["record"]}))
    mind: dict[str, object] = {
        "mode": mode,
        "seed": seed,
        "weights_file": weights_file(value["weights"]),
        "mind.speed": _number(float, "speed", value),
        "mind.learning": value["learning"] == "true",
    }
    nodes.append(GraphNode("controller_node", {**sim_time, **mind}))
    sim: dict[str, object] = {
        "mode": mode,
        "world": value["world"],
        "seed": seed,
        "episodes": _number(int, "episodes", value),
    }
    sim["listeners"] = len(nodes)  # the controller, and the recorder if there is one
    nodes.append(GraphNode("sim_node", {**sim_time, **sim}, ends_graph=True))
    return nodes


def _number(kind: type[Number], name: str, values: Mapping[str, str]) -> Number:
    try:
        return kind(values[name])
    except ValueError:
        raise ValueError(f"{name}: expected a number ({kind.__name__}), got {values[name]!r}") from None


def weights_file(choice: str) -> str:
    """The file behind the argument `weights`; empty for initial weights."""
    if choice == LEARNED:
        return str(learned_weights() or "")
    return "" if choice == INITIAL else choice


def replay(bag: str, *, rate: float, lockstep: bool, values: Mapping[str, str]) -> list[GraphNode]:
    """A bag in place of the simulator, through the same controller."""
    nodes = [node for node in drone(values) if node.name != "sim_node"]
    player = {"bag": bag, "rate": rate, "mode": "lockstep" if lockstep else "realtime"}
    return [*nodes, GraphNode("player_node", player, ends_graph=True)]


def with_parameters(nodes: list[GraphNode], further: Mapping[str, Mapping[str, object]]) -> list[GraphNode]:
    """The nodes with further parameters, by node name, on top of their own."""
    return [GraphNode(node.name, {**node.parameters, **further.get(node.name, {})}, node.ends_graph) for node in nodes]
