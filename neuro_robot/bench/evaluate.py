"""Many flights in parallel processes: how often each pilot arrives, beside the baselines and the ablations.

Rows: `blind` flies straight on; `potential_field` is hand-tuned event flow without spikes; `frozen` is the network
with its initial weights and learning off; `learned` is trained on the training worlds and then flies the evaluation
worlds (learning stays on, every flight starts from the trained weights); `shuffled` is the same with the reward's
values at random times and signs. Training and evaluation worlds are disjoint.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from neuro_robot.bench.flight import FlightRequest, fly
from neuro_robot.bench.parallel import Job, run_jobs
from neuro_robot.bench.plain import plain, versions
from neuro_robot.bench.statistics import Episode, episode_of, summarise
from neuro_robot.bench.training import TrainingRequest, TrainingResult, train
from neuro_robot.errors import ConfigError
from neuro_robot.snn.faults_text import seeded

ROWS = ("blind", "potential_field", "frozen", "learned", "shuffled")
TRAINED = ("learned", "shuffled")
TRAINING_SEED = 1000  # first training world
TRAINING_STRIDE = 1000  # between the training worlds of two networks
MAX_TRAIN_MINUTES = 600.0

Report = Callable[[str, int, int], None]  # what happened, jobs done, jobs known


@dataclass(frozen=True)
class EvaluationRequest:
    """What to evaluate. Evaluation seeds must lie below TRAINING_SEED."""

    world: str = "forest"
    speeds: tuple[float, ...] = (5.0,)  # m/s
    seeds: tuple[int, ...] = tuple(range(50))
    rows: tuple[str, ...] = ROWS
    processes: int = 2
    train_minutes: float = 10.0  # simulated flight per network
    train_world: str | None = None  # None: the evaluated world
    train_speeds: tuple[float, ...] = ()  # empty: the evaluated speeds in turn
    networks: int = 1  # independent initial weights; evaluation flights take them in turn
    weights: str | None = None  # fly `learned` with these weights instead of training
    keep_weights_in: str | None = None  # folder for the trained weights; None: thrown away
    sim: dict[str, object] = field(default_factory=dict)
    mind: dict[str, object] = field(default_factory=dict)

    def check(self) -> None:
        """Raise ConfigError for anything that cannot be evaluated."""
        unknown = [name for name in self.rows if name not in ROWS]
        if unknown or not self.rows:
            raise ConfigError(f"rows: expected some of {', '.join(ROWS)}, got {', '.join(unknown) or 'none'}")
        if not self.speeds or not all(0 < speed <= 50 for speed in self.speeds):
            raise ConfigError(f"speeds: expected speeds from above 0 to 50 m/s, got {self.speeds}")
        if not self.seeds or not all(0 <= seed < TRAINING_SEED for seed in self.seeds):
            raise ConfigError(
                f"seeds: expected seeds from 0 to {TRAINING_SEED - 1} (training worlds start there), got {self.seeds}"
            )
        if self.processes < 1 or not 1 <= self.networks <= len(self.seeds):
            raise ConfigError(
                f"processes, networks: expected 1 or more, and networks at most {len(self.seeds)}, one for a flight; "
                f"got {self.processes}, {self.networks}"
            )
        if not 0 < self.train_minutes <= MAX_TRAIN_MINUTES:
            raise ConfigError(f"train_minutes: expected above 0 to {MAX_TRAIN_MINUTES:g}, got {self.train_minutes}")


def evaluate(request: EvaluationRequest, report: Report | None = None) -> dict[str, Any]:
    """Fly every row over every speed and seed; return a result ready for JSON.

    `rows` by name, each with `success_rate`, `interval`, `episodes`, ... over all speeds and, under `by_speed`, for
    each speed; `training` by row and network; `flights` with every evaluation episode.
    """
    request = replace(
        request, rows=tuple(dict.fromkeys(request.rows)), speeds=tuple(dict.fromkeys(request.speeds))
    )  # what is given twice counts once
    request.check()
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="neuro_robot_") as scratch:
        folder = Path(request.keep_weights_in or scratch)
        done = run_jobs(_first_jobs(request, folder), _follow_up(request), request.processes, report)
    training: dict[str, list[TrainingResult]] = {row: [] for row in request.rows if row in TRAINED}
    episodes: dict[str, list[Episode]] = {row: [] for row in request.rows}
    for job, result in done:
        if isinstance(result, TrainingResult):
            training[job.row].append(result)
        else:
            episodes[job.row].append(result)
    return _result(request, training, episodes, time.perf_counter() - started)


def evaluate_flight(request: FlightRequest, row: str) -> Episode:
    """One evaluation flight (runs in a worker process)."""
    return episode_of(fly(request), row)


def _flight(request: EvaluationRequest, row: str, speed: float, seed: int, network: int) -> FlightRequest:
    spiking = row not in ("blind", "potential_field")
    return FlightRequest(
        world=request.world,
        seed=seed,
        speed=speed,
        pilot="snn" if spiking else row,
        learning=row in TRAINED,
        reward_mode="shuffled" if row == "shuffled" else "normal",
        mind_seed=network,
        sim=request.sim,
        mind=breaking(request.mind, seed),
    )


def breaking(mind: dict[str, object], seed: int) -> dict[str, object]:
    """A mind's overrides for the evaluation of one seed; each draws anew what breaks in it."""
    faults = mind.get("faults")
    return {**mind, "faults": seeded(str(faults), seed)} if faults else mind


def whole(mind: dict[str, object]) -> dict[str, object]:
    """A mind's overrides for training: nothing breaks while it learns."""
    return {name: value for name, value in mind.items() if name != "faults"}


def _training(request: EvaluationRequest, row: str, network: int, folder: Path) -> TrainingRequest:
    speeds = request.train_speeds or request.speeds
    flight = _flight(request, row, speeds[0], 0, network)
    return TrainingRequest(
        flight=replace(
            flight,
            world=request.train_world or request.world,
            mind=whole(request.mind),
        ),
        speeds=speeds,
        first_seed=TRAINING_SEED + TRAINING_STRIDE * network,
        minutes=request.train_minutes,
        save_to=str(folder / f"{row}_{network}.npz"),
    )


def _first_jobs(request: EvaluationRequest, folder: Path) -> list[Job]:
    """Training first, since evaluation flights wait for it; then every flight that needs none."""
    jobs = []
    for row in request.rows:
        if row in TRAINED and not _given(request, row):
            for network in range(request.networks):
                label = f"train {row} {network}"
                jobs.append(Job(row, label, train, (_training(request, row, network, folder),), network))
    for row in request.rows:
        if row not in TRAINED or _given(request, row):
            for network in range(request.networks):
                jobs += _flights(request, row, network, request.weights if row in TRAINED else None)
    return jobs


def _given(request: EvaluationRequest, row: str) -> bool:
    return row == "learned" and request.weights is not None


def _flights(request: EvaluationRequest, row: str, network: int, weights: str | None) -> Iterator[Job]:
    """The evaluation flights that fall to one network: every `networks`-th seed."""
    for speed in request.speeds:
        for seed in request.seeds[network :: request.networks]:
            flight = replace(_flight(request, row, speed, seed, network), weights=weights)
            yield Job(row, f"{row} {speed:g} m/s seed {seed}", evaluate_flight, (flight, row), network)


def _follow_up(request: EvaluationRequest) -> Callable[[Job, Any], list[Job]]:
    """When a network is trained, its evaluation flights can start."""

    def follow(job: Job, result: object) -> list[Job]:
        if not isinstance(result, TrainingResult):
            return []
        return list(_flights(request, job.row, job.network, result.weights))

    return follow


def _result(
    request: EvaluationRequest,
    training: dict[str, list[TrainingResult]],
    episodes: dict[str, list[Episode]],
    wall_s: float,
) -> dict[str, Any]:
    rows = {}
    for name in request.rows:
        flights = sorted(episodes[name], key=lambda e: (e.speed, e.seed))
        by_speed = {f"{v:g}": summarise([e for e in flights if e.speed == v]) for v in request.speeds}
        rows[name] = {**summarise(flights), "by_speed": by_speed}
    result = {
        "world": request.world,
        "speeds": list(request.speeds),
        "seeds": list(request.seeds),
        "training_seeds_from": TRAINING_SEED,
        "rows": rows,
        "training": {
            row: [asdict(one) for one in sorted(results, key=lambda r: r.seeds)] for row, results in training.items()
        },
        "flights": [
            asdict(e) for name in request.rows for e in sorted(episodes[name], key=lambda e: (e.speed, e.seed))
        ],
        "request": asdict(request),
        "versions": versions(),
        "wall_s": wall_s,
    }
    return dict(plain(result))
