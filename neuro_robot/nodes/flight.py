"""One run of a graph over DDS, from configure to the controller's last word."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from neuro_robot.graph import LEGS, GraphNode, named
from neuro_robot.nodes.bringup import Bringup, GraphError, Status

LAST_WORD_S = 30.0
Progress = Callable[[float, str], None]  # share of the whole run, what is going on


@dataclass
class Flights:
    """How the flights went, as the simulator reported them."""

    progress: Progress | None = None
    ended: list[Status] = field(default_factory=list)

    def __call__(self, name: str, status: Status) -> None:
        """A node's diagnostics came."""
        values = status.values
        if name.removeprefix(LEGS) != "sim_node":
            return
        if values["outcome"]:
            self.ended.append(status)
        if self.progress is not None:
            x, done = float(values["x_m"]), float(values["done"])
            share = 1.0 if values["outcome"] else min(max(done, 0.0), 1.0)
            total = min((int(values["episode"]) + share) / int(values["episodes"]), 1.0)
            self.progress(total, f"{float(values['t_s']):.1f} s, x = {x:.1f} m, {status.text}")


def fly_graph(
    nodes: Sequence[GraphNode], folder: Path, weights: tuple[Path, Path], progress: Progress | None = None
) -> tuple[list[Status], Status]:
    """Bring a robot's graph up, fly (or walk), and save the weights before and after; the end of each flight and the
    controller's final figures.

    Raises GraphError when a node cannot start or dies; the bag is readable nevertheless.
    """
    flights = Flights(progress)
    with Bringup(nodes, folder) as graph:
        graph.watchers.append(flights)
        graph.configure()
        controller = named(nodes, "controller_node")
        told = next(node.parameters.get("weights_file", "") for node in nodes if node.name == controller)
        _save(graph, controller, weights[0])
        graph.set_parameter(controller, "weights_file", told)  # `save_weights` in flight must not write over the above
        graph.activate()
        graph.wait()
        _save(graph, controller, weights[1])
        graph.deactivate(controller)
        final = final_status(graph, controller)
    if not flights.ended:
        raise GraphError("the simulator ended without telling how; see the simulator's log in log/ of the run folder")
    return flights.ended, final


def play_graph(
    nodes: Sequence[GraphNode], folder: Path, progress: Progress | None = None
) -> tuple[dict[str, str], dict[str, str]]:
    """Play a bag through the controller; the controller's and the player's final figures."""

    def watch(name: str, status: Status) -> None:
        if name == "player_node" and progress is not None:
            progress(float(status.values["share"]), f"{status.values['sent']} packets")

    with Bringup(nodes, folder) as graph:
        graph.watchers.append(watch)
        graph.configure()
        graph.activate()
        graph.wait()
        controller = named(nodes, "controller_node")
        graph.deactivate(controller)
        return final_status(graph, controller).values, graph.status["player_node"].values


def final_status(graph: Bringup, controller: str) -> Status:
    """The controller's last word, which it says when it is deactivated."""
    until = time.monotonic() + LAST_WORD_S
    while time.monotonic() < until:
        status = graph.status[controller]
        if status.values.get("state") == "final":
            graph.spin(0.1)  # the recorder hears it too
            return status
        graph.spin(0.05)
    raise GraphError(
        f"{controller} did not report its final figures within {LAST_WORD_S:g} s; see log/{controller}.log"
    )


def _save(graph: Bringup, controller: str, path: Path) -> None:
    path.unlink(missing_ok=True)
    graph.set_parameter(controller, "weights_file", str(path))
    graph.trigger(controller, "save_weights")
