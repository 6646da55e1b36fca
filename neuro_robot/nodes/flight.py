"""One run over DDS: the graph brought up, flown, and told as the facts that a run folder is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from neuro_robot.agents.controller import Controller
from neuro_robot.bench.flight import FlightRequest
from neuro_robot.bench.pilots import mind_config
from neuro_robot.bench.summary import RunFacts
from neuro_robot.config import flat, from_dict
from neuro_robot.graph import GraphNode, drone
from neuro_robot.nodes.bringup import Bringup, GraphError, Status, parameters_of
from neuro_robot.sim.simulation import DroneConfig

Progress = Callable[[float, str], None]  # share of the whole run, what is going on


@dataclass(frozen=True)
class RosRun:
    """What to bring up."""

    request: FlightRequest
    folder: Path
    mode: str = "lockstep"
    episodes: int = 1
    record: bool = True
    namespace: str = ""
    log_level: str = "info"


@dataclass
class Flights:
    """How the flights went, as the simulator reported them."""

    ended: list[Status] = field(default_factory=list)
    progress: Progress | None = None

    def __call__(self, name: str, status: Status) -> None:
        """A node's diagnostics came."""
        if name != "sim_node":
            return
        values = status.values
        if values.get("outcome"):
            self.ended.append(status)
        if self.progress is not None:
            x, goal = float(values["x_m"]), float(values["goal_x_m"])
            share = 1.0 if values.get("outcome") else min(max(x / max(goal, 1e-9), 0.0), 1.0)
            total = (int(values["episode"]) + share) / int(values["episodes"])
            self.progress(total, f"{float(values['t_s']):.1f} s, x = {x:.1f} m, {status.text}")


def fly_ros(run: RosRun, progress: Progress | None = None) -> tuple[RunFacts, list[Status]]:
    """Fly the request over DDS into the run folder; the facts of the last flight and the end of each.

    Raises GraphError when a node cannot start or dies; the bag is readable nevertheless.
    """
    flights = Flights(progress=progress)
    before, after = run.folder / "weights_before.npz", run.folder / "weights_after.npz"
    with Bringup(_nodes(run), run.folder, namespace=run.namespace, log_level=run.log_level) as graph:
        graph.watchers.append(flights)
        graph.configure()
        _save(graph, before)
        graph.activate()
        graph.wait()
        _save(graph, after)
        graph.deactivate("controller_node")
        final = final_status(graph)
    if not flights.ended:
        raise GraphError("the simulator ended without telling how; see log/sim_node.log in the run folder")
    return _facts(run, flights.ended[-1], final, (before, after)), flights.ended


def _nodes(run: RosRun) -> list[GraphNode]:
    request = run.request
    values = {
        "world": request.world,
        "seed": str(request.seed),
        "mode": run.mode,
        "speed": str(request.speed),
        "episodes": str(run.episodes),
        "learning": "true" if request.learning else "false",
        "weights": request.weights or "",
        "record": str(run.folder / "bag") if run.record else "",
    }
    mind = {f"mind.{name}": value for name, value in flat(mind_config(request)).items()}
    mind["mind.learning"] = request.learning
    sim = {f"drone.{name}": value for name, value in flat(from_dict(DroneConfig, request.sim)).items()}
    if request.time_limit_s is not None:
        sim["drone.episode.timeout_s"] = request.time_limit_s
    seed = request.seed if request.mind_seed is None else request.mind_seed
    return parameters_of({"controller_node": {**mind, "seed": seed}, "sim_node": sim}, drone(values))


def _save(graph: Bringup, path: Path) -> None:
    path.unlink(missing_ok=True)
    graph.set_parameter("controller_node", "weights_file", str(path))
    graph.trigger("controller_node", "save_weights")


def final_status(graph: Bringup) -> Status:
    """The controller's last word, which it says when it is deactivated."""
    for _ in range(40):
        status = graph.status["controller_node"]
        if status.values.get("state") == "final":
            graph.spin(0.1)  # the recorder hears it too
            return status
        graph.spin(0.05)
    raise GraphError("controller_node did not report its final figures within 2 s; see log/controller_node.log")


def _facts(run: RosRun, sim: Status, controller: Status, weights: tuple[Path, Path]) -> RunFacts:
    values = controller.values
    numbers: dict[str, Any] = {f"sim_{key}": _number(text) for key, text in sim.values.items()}
    numbers |= {key: _number(text) for key, text in values.items() if not key.startswith(("digest_", "latency_q"))}
    before, after = (_weights(run.request, path) for path in weights)
    return RunFacts(
        request=run.request,
        mode=run.mode,
        outcome=sim.values["outcome"],
        reason=sim.text,
        wall_s=float(sim.values["wall_s"]),
        digest={key: values[f"digest_{key}"] for key in ("spikes", "commands", "weights")},
        reply_ms=np.array([float(text) for text in values.get("latency_quantiles_ms", "").split()]),
        weights_before=before,
        weights_after=after,
        diagnostics=numbers,
    )


def _weights(request: FlightRequest, path: Path) -> dict[str, np.ndarray]:
    controller = Controller(mind_config(request), 0)
    controller.load(path)
    return {name: np.array(values) for name, values in controller.weights().items()}


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text
