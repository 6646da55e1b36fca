"""Many walks in parallel processes: how a spiking gait that learns compares with one that does not, and with Hopf.

Rows: `hopf` is the open loop of amplitude-controlled oscillators; `frozen` is the spiking network with its initial
weights and learning off; `learned` has learned on the training grounds and goes on learning while it is evaluated;
`shuffled` is the same with the reward's values at random times. All walk the same grounds, none of which is among the
training grounds. Success: upright to the end and at least 80 % of the commanded way, or the goal where there is one.
"""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from neuro_robot.bench.adaptation import adaptation
from neuro_robot.bench.evaluate import TRAINING_SEED, TRAINING_STRIDE
from neuro_robot.bench.flight import FlightRequest, fly
from neuro_robot.bench.parallel import Job, run_jobs
from neuro_robot.bench.plain import plain, versions
from neuro_robot.bench.statistics import Episode, episode_of, wilson_interval
from neuro_robot.bench.training import TrainingRequest, TrainingResult, train
from neuro_robot.errors import ConfigError
from neuro_robot.sim.quadrotor import GRAVITY
from neuro_robot.sim.world import World, load_world

ROWS = ("hopf", "frozen", "learned", "shuffled")
TRAINED = ("learned", "shuffled")
BLIND = "blind"  # the learned gait without its eyes, for worlds with obstacles
FELL = ("fall", "collision")
WINDOW_S = 2.0  # trailing mean of the speed after a shift: some four steps
LEVEL_START_M = 3.0  # rough ground that begins further on is a shift under way
Floats = npt.NDArray[np.float64]
Report = Callable[[str, int, int], None]


@dataclass(frozen=True)
class WalkEvaluation:
    """What to evaluate. Evaluation seeds must lie below TRAINING_SEED."""

    worlds: tuple[str, ...] = ("walk_flat",)
    seeds: tuple[int, ...] = tuple(range(30))
    rows: tuple[str, ...] = ROWS
    speed: float = 0.6  # m/s
    duration_s: float = 20.0  # of a walk
    processes: int = 2
    train_worlds: tuple[str, ...] = ("walk_rough",)  # taken in turn
    train_minutes: float = 5.0
    networks: int = 1  # independent initial weights; evaluation walks take them in turn
    weights: str | None = None  # walk `learned` (and `blind`) with these instead of training
    keep_weights_in: str | None = None
    sim: dict[str, object] = field(default_factory=dict)
    mind: dict[str, object] = field(default_factory=dict)

    def check(self) -> None:
        """Raise ConfigError for anything that cannot be evaluated."""
        known = (*ROWS, BLIND)
        unknown = [name for name in self.rows if name not in known]
        if unknown or not self.rows:
            raise ConfigError(f"rows: expected some of {', '.join(known)}, got {', '.join(unknown) or 'none'}")
        if not self.worlds or not self.train_worlds:
            raise ConfigError("worlds: expected at least one to walk in and one to train in")
        if not self.seeds or not all(0 <= seed < TRAINING_SEED for seed in self.seeds):
            raise ConfigError(
                f"seeds: expected seeds from 0 to {TRAINING_SEED - 1} (training grounds start there), got {self.seeds}"
            )
        if self.processes < 1 or self.networks < 1:
            raise ConfigError(f"processes, networks: expected 1 or more, got {self.processes}, {self.networks}")
        if not (self.duration_s > 0 and self.train_minutes > 0 and self.speed > 0):
            raise ConfigError("duration, train_minutes, speed: expected numbers above 0")


def evaluate_walk(request: WalkEvaluation, report: Report | None = None) -> dict[str, Any]:
    """Walk every row over every world and seed; return a result ready for JSON.

    `rows` by name and world, each as `summarise_walks` has it; `training` by row; `walks` with every evaluation walk.
    """
    request.check()
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="neuro_robot_") as scratch:
        folder = Path(request.keep_weights_in or scratch)
        done = run_jobs(_first_jobs(request, folder), _follow_up(request), request.processes, report)
    walks: dict[tuple[str, str], list[Episode]] = {(row, world): [] for row in request.rows for world in request.worlds}
    training: dict[str, list[TrainingResult]] = {row: [] for row in request.rows if row in TRAINED}
    for job, result in done:
        if isinstance(result, TrainingResult):
            training[job.row].append(result)
        else:
            walks[result[0]].append(result[1])
    rows: dict[str, dict[str, Any]] = {row: {} for row in request.rows}
    for (row, world), episodes in walks.items():
        rows[row][world] = summarise_walks(sorted(episodes, key=lambda e: e.seed))
    result = {
        "worlds": list(request.worlds),
        "seeds": list(request.seeds),
        "rows": rows,
        "training": {row: [asdict(one) for one in results] for row, results in training.items()},
        "walks": [{"world": world, **asdict(e)} for (_, world), episodes in walks.items() for e in episodes],
        "request": asdict(request),
        "versions": versions(),
        "wall_s": time.perf_counter() - started,
    }
    return dict(plain(result))


def summarise_walks(episodes: Sequence[Episode]) -> dict[str, Any]:
    """One cell of the table; means over the walks, `*_interval` at 95 %.

    cost_of_transport: positive joint work of all walks over weight times way, backward ways counted as none.
    drift_deg_per_10s: mean size of the turn against the heading of the start, scaled to 10 s.
    """
    wins = sum(e.success for e in episodes)
    falls = sum(e.outcome in FELL for e in episodes)
    ahead = np.array([e.advance_m for e in episodes])
    seconds = np.array([e.duration_s for e in episodes])
    speeds = ahead / np.maximum(seconds, 1e-9)
    work = sum(e.score.get("positive_work_j", math.nan) for e in episodes)
    weight_way = sum(e.score.get("mass_kg", math.nan) * GRAVITY * max(e.advance_m, 0.0) for e in episodes)
    metres = float(np.maximum(ahead, 0.0).sum())
    count = len(episodes)
    spread = 1.96 * float(speeds.std(ddof=1)) / math.sqrt(count) if count > 1 else 0.0
    mean_speed = float(speeds.mean()) if count else None
    return {
        "walks": count,
        "successes": wins,
        "success_rate": wins / count if count else None,
        "interval": list(wilson_interval(wins, count)),
        "falls": falls,
        "falls_per_100m": 100.0 * falls / metres if metres > 0 else None,
        "mean_speed": mean_speed,
        "speed_interval": None if mean_speed is None else [mean_speed - spread, mean_speed + spread],
        "cost_of_transport": work / weight_way if weight_way > 0 else None,
        "drift_deg_per_10s": float(np.mean([abs(e.turned_deg) * 10.0 / e.duration_s for e in episodes]))
        if count
        else None,
        "outcomes": {name: sum(e.outcome == name for e in episodes) for name in sorted({e.outcome for e in episodes})},
        "simulated_s": float(seconds.sum()),
        "wall_s": sum(e.wall_s for e in episodes),
        **_recoveries(episodes),
    }


def walk(request: FlightRequest, row: str, world: str) -> tuple[tuple[str, str], Episode]:
    """One evaluation walk (runs in a worker process); its score tells how it got over a shift, if there was one."""
    log = fly(request)
    made = episode_of(log, row)
    shift_s = shift_time(load_world(request.world, request.seed), log.t, log.position[:, 0])
    found = None if shift_s is None else adaptation(log.t, np.gradient(log.position[:, 0], log.t), shift_s, WINDOW_S)
    if found is None:
        return (row, world), made
    upright = log.outcome not in FELL
    shift = {
        "speed_before": found.before,
        "slowest_after": found.lowest,
        "recovery_s": found.time_s if found.time_s is not None and upright else math.inf,
    }
    return (row, world), replace(made, score={**made.score, **shift})


def shift_time(world: World, t: Floats, x: Floats) -> float | None:
    """When the ground or the robot changed for good, s: a shift's time, or when rough ground began under way (x, m)."""
    if world.terrain.shifts:
        return min(shift.at_s for shift in world.terrain.shifts)
    begins = [field.x for field in world.terrain.fields if field.x > world.start.x + LEVEL_START_M]
    reached = np.flatnonzero(x >= min(begins)) if begins else np.empty(0)
    return float(t[reached[0]]) if reached.size else None


def _recoveries(episodes: Sequence[Episode]) -> dict[str, Any]:
    """How many walks came back to 90 % of their speed before the shift, and how soon; empty without a shift."""
    times = [e.score["recovery_s"] for e in episodes if "recovery_s" in e.score]
    if not times:
        return {}
    back = sum(math.isfinite(time) for time in times)
    median = float(np.median(times))
    return {
        "shifted": len(times),
        "recovered": back,
        "recovered_interval": list(wilson_interval(back, len(times))),
        "median_recovery_s": median if math.isfinite(median) else None,
        "speed_before": float(np.mean([e.score["speed_before"] for e in episodes if "recovery_s" in e.score])),
    }


def _request(request: WalkEvaluation, row: str, world: str, seed: int, network: int) -> FlightRequest:
    mind = {**request.mind, "seeing": False} if row == BLIND else request.mind
    return FlightRequest(
        robot="quadruped",
        world=world,
        seed=seed,
        speed=request.speed,
        pilot="hopf" if row == "hopf" else "snn",
        learning=row in (*TRAINED, BLIND),
        reward_mode="shuffled" if row == "shuffled" else "normal",
        mind_seed=network,
        sim={**request.sim, "episode.timeout_s": request.duration_s},
        mind={} if row == "hopf" else mind,
    )


def _first_jobs(request: WalkEvaluation, folder: Path) -> list[Job]:
    """Training first, since walks wait for it; then every walk that needs none."""
    jobs = []
    for row in request.rows:
        if row in TRAINED and not (row == "learned" and request.weights):
            for network in range(request.networks):
                asked = TrainingRequest(
                    flight=_request(request, row, request.train_worlds[0], 0, network),
                    speeds=(request.speed,),
                    first_seed=TRAINING_SEED + TRAINING_STRIDE * network,
                    minutes=request.train_minutes,
                    save_to=str(folder / f"{row}_{network}.npz"),
                    worlds=request.train_worlds,
                )
                jobs.append(Job(row, f"train {row} {network}", train, (asked,), network))
    for row in request.rows:
        if row not in TRAINED or (row == "learned" and request.weights):
            if row == BLIND and not request.weights and "learned" in request.rows:
                continue  # walks with what `learned` learns
            for network in range(request.networks):
                jobs += _walks(request, row, network, request.weights if row in ("learned", BLIND) else None)
    return jobs


def _walks(request: WalkEvaluation, row: str, network: int, weights: str | None) -> Iterator[Job]:
    for world in request.worlds:
        for seed in request.seeds[network :: request.networks]:
            asked = replace(_request(request, row, world, seed, network), weights=weights)
            yield Job(row, f"{row} {world} {seed}", walk, (asked, row, world), network)


def _follow_up(request: WalkEvaluation) -> Callable[[Job, Any], list[Job]]:
    def follow(job: Job, result: object) -> list[Job]:
        if not isinstance(result, TrainingResult):
            return []
        rows = [job.row] + ([BLIND] if job.row == "learned" and BLIND in request.rows else [])
        return [more for row in rows for more in _walks(request, row, job.network, result.weights)]

    return follow
