"""A run as the `fly` command makes it: one or several flights, in process or over DDS, into one folder."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from neuro_robot.bags.reader import BagReader
from neuro_robot.bags.record import FlightRecorder, network_shape
from neuro_robot.bags.replay import recorded_digest
from neuro_robot.bench.activity import from_diagnostics
from neuro_robot.bench.bodies import body_of
from neuro_robot.bench.flight import FlightLog, FlightRequest, fly
from neuro_robot.bench.pilots import make_pilot, mind_config
from neuro_robot.bench.plain import plain
from neuro_robot.bench.runfolder import BAG, SUMMARY, WEIGHTS_AFTER, WEIGHTS_BEFORE, finish_run, make_folder
from neuro_robot.bench.shifts import replayed_reward, shift_s
from neuro_robot.bench.summary import RunFacts, facts_of, write_summary
from neuro_robot.config import flat, from_dict
from neuro_robot.errors import BagError, ConfigError, WeightsError
from neuro_robot.graph import INITIAL, LEARNED, ROBOTS, GraphNode, weights_file, with_parameters
from neuro_robot.interrupts import held_interrupt
from neuro_robot.sim.episode import Observation
from neuro_robot.sim.world import load_world

Progress = Callable[[float, str], None]  # share of the whole run, what is going on


@dataclass(frozen=True)
class RunRequest:
    """What `fly` was asked for."""

    flight: FlightRequest
    folder: Path
    mode: str = "lockstep"  # lockstep | realtime | inprocess
    episodes: int = 1
    record: bool = True
    video: bool = True


def start_weights(choice: str = LEARNED, robot: str = "drone") -> str | None:
    """The file behind `--weights`, as the launch files take it: a path, `learned` or `initial`; None: initial weights.

    `learned` is the file that comes with the package, and also None where there is none.
    """
    path = weights_file(choice or LEARNED, robot)
    return str(Path(path).resolve()) if path else None


def run_folder(world: str, seed: int, mode: str) -> Path:
    """A new folder under runs/, named by what flies and when."""
    return Path("runs") / f"{time.strftime('%Y%m%d_%H%M%S')}_{Path(world.partition('?')[0]).stem}_{seed}_{mode}"


def fly_run(run: RunRequest, progress: Progress | None = None) -> dict[str, Any]:
    """Fly and leave the folder; the summary.

    Raises BagError when the folder already holds a run, and what is wrong with configuration or weights before there
    is a folder.
    """
    if (run.folder / BAG).exists():
        raise BagError(f"{run.folder}: already holds a run; choose a new folder")
    controller = _pilot(run.flight)
    make_folder(run.folder)
    if run.mode == "inprocess":  # over DDS the other nodes need the cores
        run = replace(run, flight=_on_two_threads(run.flight))
        facts, episodes = _fly_inprocess(run, controller, progress)
    else:
        facts, episodes = _fly_ros(run, progress)
    if progress is not None:
        progress(1.0, "writing the report")
    if run.record:
        summary = finish_run(run.folder, facts, video=run.video)
        summary["recorded_digest"] = _recorded(run.folder / BAG)
        summary["recording_complete"] = all(facts.digest[key] == text for key, text in _checked(summary).items())
    else:
        summary = _without_bag(facts)
    summary["episodes"] = episodes
    write_summary(plain(summary), run.folder / SUMMARY)
    return summary


def _pilot(request: FlightRequest) -> Any:  # noqa: ANN401 - a Pilot
    """The pilot with the weights it starts from; a file that it refuses is named, and the remedy."""
    pilot = make_pilot(replace(request, weights=None))
    path = request.weights
    try:
        if path is not None:
            pilot.load(path)
    except (WeightsError, ConfigError) as error:
        whose = "the package's own weights " if path == start_weights(LEARNED, request.robot) else ""
        said = str(error).removeprefix(f"{path}: ")
        raise WeightsError(f"{whose}{path}: {said} (`--weights {INITIAL}` starts without any)") from error
    return pilot


def _checked(summary: dict[str, Any]) -> dict[str, str]:
    recorded: dict[str, str] = summary["recorded_digest"]
    return recorded


def _recorded(bag: Path) -> dict[str, str]:
    with BagReader(bag) as reader:
        return recorded_digest(reader).result()


def _without_bag(facts: RunFacts) -> dict[str, Any]:
    names = ("mode", "outcome", "reason", "wall_s", "digest", "diagnostics")
    summary = {name: getattr(facts, name) for name in names}
    request = facts.request
    return summary | {
        "world": request.world, "seed": request.seed, "speed": request.speed, "success": facts.success,
    }  # fmt: skip


def _on_two_threads(request: FlightRequest) -> FlightRequest:
    """One flight alone may render on two threads: the events are the same, the flight is sooner over."""
    threads = min(os.cpu_count() or 1, 2)
    return replace(request, sim={"camera.threads": threads, **request.sim})


def _of_flight(request: FlightRequest, number: int) -> FlightRequest:
    """The request of the n-th flight: the next world, the same mind."""
    mind_seed = request.seed if request.mind_seed is None else request.mind_seed
    return replace(request, seed=request.seed + number, mind_seed=mind_seed)


def _fly_inprocess(
    run: RunRequest,
    controller: Any,  # noqa: ANN401 - a Pilot
    progress: Progress | None,
) -> tuple[RunFacts, list[dict[str, Any]]]:
    body = body_of(run.flight.robot)
    controller.save(run.folder / WEIGHTS_BEFORE)
    ended: list[dict[str, Any]] = []
    first: FlightLog | None = None
    with FlightRecorder(run.folder / BAG if run.record else None, network_shape(controller), body.joints) as recorder:
        for number in range(run.episodes):
            request = _of_flight(run.flight, number)
            if number:
                controller.new_flight()
            with held_interrupt() as check:
                log = fly(request, controller, _watcher(number, run.episodes, progress, check), recorder)
            first = first or log
            ended.append(_episode(request.seed, log.outcome, log.reason, log.duration_s, log.advance_m, log.success))
    controller.save(run.folder / WEIGHTS_AFTER)
    digest = recorder.digest.result(controller.weights())
    facts = replace(facts_of(log), digest=digest, weights_before=first.weights_before if first else {})
    return facts, ended


def _watcher(
    number: int, episodes: int, progress: Progress | None, check: Callable[[], None]
) -> Callable[[float, Observation], None]:
    def watch(share: float, seen: Observation) -> None:
        check()
        if progress is not None:
            x = seen.odom.position[0]
            progress((number + share) / episodes, f"{seen.t_ns * 1e-9:.1f} s, x = {x:.1f} m")

    return watch


def _fly_ros(run: RunRequest, progress: Progress | None) -> tuple[RunFacts, list[dict[str, Any]]]:
    from neuro_robot.nodes.flight import fly_graph  # ROS is needed here only

    weights = run.folder / WEIGHTS_BEFORE, run.folder / WEIGHTS_AFTER
    ends, controller = fly_graph(flight_graph(run), run.folder, weights, progress)
    said = [end.values for end in ends]
    episodes = [_told_episode(run.flight, end.values, end.text) for end in ends]
    values = controller.values
    rewarded: dict[str, Any] = {}
    if run.record and shift_s(run.flight) is not None:  # how long it took to adapt is read from the reward
        with suppress(BagError):  # weights that somebody loaded under way are gone: no reward, but all the rest
            rewarded["reward_t"], rewarded["reward"] = replayed_reward(run.folder / BAG, run.flight, weights[0])
    facts = RunFacts(
        request=_of_flight(run.flight, len(ends) - 1),
        mode=run.mode,
        outcome=said[-1]["outcome"],
        reason=ends[-1].text,
        wall_s=float(said[-1]["wall_s"]),
        success=_succeeded(run.flight, said[-1]),
        digest={key: values[f"digest_{key}"] for key in ("spikes", "commands", "weights")},
        reply_ms=np.array([float(text) for text in values["latency_quantiles_ms"].split()]),
        weights_before=_weights(run.flight, weights[0]),
        weights_after=_weights(run.flight, weights[1]),
        activity=from_diagnostics(values),
        decisions=int(values["commands"]),
        **rewarded,
        diagnostics=_figures("sim_", said[-1]) | _figures("", values),
    )
    return facts, episodes


def _succeeded(request: FlightRequest, said: Mapping[str, str]) -> bool:
    """By the simulator's last words."""
    way, seconds = _advance_m(request, said), float(said["outcome_t_s"])
    return body_of(request.robot).success(said["outcome"], way, request.speed, seconds)


def _advance_m(request: FlightRequest, said: Mapping[str, str]) -> float:
    start = load_world(request.world, int(said["seed"])).start
    return float(start.ahead(float(said["x_m"]), float(said["y_m"])))


def flight_graph(run: RunRequest) -> list[GraphNode]:
    """The graph of a run with the whole configuration of mind and body."""
    request = run.flight
    body = body_of(request.robot)
    values = {
        "world": request.world,
        "seed": str(request.seed),
        "mode": run.mode,
        "speed": str(request.speed),
        "episodes": str(run.episodes),
        "learning": "true" if request.learning else "false",
        "weights": request.weights or "",
        "record": str(run.folder / BAG) if run.record else "",
    }
    mind = {f"mind.{name}": value for name, value in flat(mind_config(request)).items()}
    told = flat(from_dict(body.sim_config, request.sim))
    sim: dict[str, Any] = {f"{body.name}.{name}": value for name, value in told.items()}
    if request.time_limit_s is not None:
        sim[f"{body.name}.episode.timeout_s"] = request.time_limit_s
    seed = request.seed if request.mind_seed is None else request.mind_seed
    controller = {**mind, "mind.learning": request.learning, "seed": seed}
    return with_parameters(ROBOTS[body.name](values), {"controller_node": controller, "sim_node": sim})


def _weights(request: FlightRequest, path: Path) -> dict[str, np.ndarray]:
    controller = body_of(request.robot).controller(mind_config(request), 0)
    controller.load(path)
    return {name: np.array(values) for name, values in controller.weights().items()}


def _figures(prefix: str, values: Mapping[str, str]) -> dict[str, Any]:
    """Diagnostics as numbers where they are; digests and quantiles have places of their own."""
    kept = {key: text for key, text in values.items() if not key.startswith(("digest_", "latency_quantiles"))}
    return {prefix + key: _number(text) for key, text in kept.items()}


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _told_episode(request: FlightRequest, said: Mapping[str, str], reason: str) -> dict[str, Any]:
    ended = int(said["seed"]), said["outcome"], reason, float(said["outcome_t_s"])
    return _episode(*ended, _advance_m(request, said), _succeeded(request, said))


def _episode(seed: int, outcome: str, reason: str, flight_s: float, advance_m: float, success: bool) -> dict[str, Any]:
    return {
        "seed": seed, "outcome": outcome, "reason": reason, "flight_s": flight_s, "advance_m": advance_m,
        "success": success,
    }  # fmt: skip
