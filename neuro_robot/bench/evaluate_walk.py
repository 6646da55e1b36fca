"""Many walks in parallel processes: how a spiking gait that learns compares with one that does not, and with Hopf.

Rows: `hopf` is the open loop of amplitude-controlled oscillators; `frozen` is the spiking network with its initial
weights and learning off; `fixed` does not learn either, its gait has the constants FIXED, chosen by hand on seeds from
300; `learned` has learned on the training grounds and goes on learning while it is evaluated; `kept` has learned the
same and learning is off; `shuffled` is `learned` with the reward's values at random times; `fresh` has learned nothing
before and learns during the walk itself; `blind` is `learned` without its eyes. All walk the same grounds, on
seeds that none has learned. Success: upright to the end and at least 80 % of the commanded way, or the goal.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from neuro_robot.bench.evaluate import TRAINING_SEED, TRAINING_STRIDE, breaking, whole
from neuro_robot.bench.flight import FlightRequest
from neuro_robot.bench.parallel import Job, run_jobs
from neuro_robot.bench.plain import plain, versions
from neuro_robot.bench.statistics import Episode
from neuro_robot.bench.training import TrainingRequest, TrainingResult, train
from neuro_robot.bench.walk_figures import summarise_walks, walk
from neuro_robot.errors import ConfigError
from neuro_robot.sim.world import load_world

ROWS = ("hopf", "frozen", "learned", "shuffled")
TRAINED = ("learned", "shuffled")
TRAINING_GROUNDS = ("walk_obstacles", "walk_rough", "walk_obstacles", "walk_boxes", "walk_obstacles",
                    "walk_rough?terrain.0.height_m=0.08")  # fmt: skip
BLIND, FRESH, KEPT = "blind", "fresh", "kept"
AFTER_LEARNED = (BLIND, KEPT)  # rows that walk with what `learned` has learned
CONSTANT = "fixed"
FIXED: dict[str, object] = {"step.height": 0.10, "step.stand": 0.23, "step.stride": 1.5, "cpg.coupling": 0.024,
                            "step.height_range": 0.0, "step.crouch_range": 0.0, "step.stride_range": 0.0}  # fmt: skip
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
    train_worlds: tuple[str, ...] = TRAINING_GROUNDS  # taken in turn
    train_minutes: float = 12.0
    train_seconds: float = 55.0  # of a training walk
    networks: int = 1  # independent initial weights; evaluation walks take them in turn
    weights: str | None = None  # instead of training: a file for `learned` (and `blind`), or an evaluation's folder
    keep_weights_in: str | None = None
    sim: dict[str, object] = field(default_factory=dict)
    mind: dict[str, object] = field(default_factory=dict)

    def check(self) -> None:
        """Raise ConfigError for anything that cannot be evaluated."""
        known = (*ROWS, *AFTER_LEARNED, FRESH, CONSTANT)
        unknown = [name for name in self.rows if name not in known]
        if unknown or not self.rows:
            raise ConfigError(f"rows: expected some of {', '.join(known)}, got {', '.join(unknown) or 'none'}")
        if not self.worlds or not self.train_worlds:
            raise ConfigError("worlds: expected at least one to walk in and one to train in")
        if not self.seeds or not all(0 <= seed < TRAINING_SEED for seed in self.seeds):
            raise ConfigError(
                f"seeds: expected seeds from 0 to {TRAINING_SEED - 1} (training grounds start there), got {self.seeds}"
            )
        for world in (*self.worlds, *self.train_worlds):
            load_world(world, 0)
        if set(AFTER_LEARNED) & set(self.rows) and not self.weights and "learned" not in self.rows:
            raise ConfigError("rows: blind, kept walk with what learned has learned: add learned, or give weights")
        if "hopf" in self.rows and "body.urdf" in self.sim:
            raise ConfigError("rows: hopf has the legs of the A1 and is no baseline for another body: leave it out")
        if self.processes < 1 or not 1 <= self.networks <= len(self.seeds):
            raise ConfigError(
                f"processes, networks: expected 1 or more, and networks at most {len(self.seeds)}, one for a walk; "
                f"got {self.processes}, {self.networks}"
            )
        for row in self.rows:
            for network in range(self.networks):
                weights = self.given(row, network)
                if weights and not Path(weights).is_file():
                    raise ConfigError(
                        f"weights: expected {weights} for {row}, network {network}: no such file; "
                        "give a weights file, or the --out of a training of as many --networks"
                    )
        if not min(self.duration_s, self.train_seconds, self.train_minutes, self.speed) > 0:
            raise ConfigError("duration, train_seconds, train_minutes, speed: expected numbers above 0")

    def given(self, row: str, network: int) -> str | None:
        """The file that a row walks with without training for it; None: it trains, or has nothing to learn."""
        if self.weights and Path(self.weights).is_dir() and row in (*TRAINED, *AFTER_LEARNED):
            return str(Path(self.weights) / f"{'learned' if row in AFTER_LEARNED else row}_{network}.npz")
        return self.weights if row in ("learned", *AFTER_LEARNED) else None


def evaluate_walk(request: WalkEvaluation, report: Report | None = None) -> dict[str, Any]:
    """Walk every row over every world and seed; return a result ready for JSON.

    `rows` by name and world, each as `summarise_walks` has it, and by network (successes, walks); `training` by row;
    `walks` with every evaluation walk.
    """
    request = replace(
        request, rows=tuple(dict.fromkeys(request.rows)), worlds=tuple(dict.fromkeys(request.worlds))
    )  # a row given twice is one row
    request.check()
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="neuro_robot_") as scratch:
        folder = Path(request.keep_weights_in or scratch)
        done = run_jobs(_first_jobs(request, folder), _follow_up(request), request.processes, report)
    cells = [(row, world) for row in request.rows for world in request.worlds]
    walks: dict[tuple[str, str], list[Episode]] = {cell: [] for cell in cells}
    by_network = {cell: np.zeros((request.networks, 2), np.int64) for cell in cells}
    training: dict[str, list[TrainingResult]] = {row: [] for row in request.rows if row in TRAINED}
    for job, result in done:
        if isinstance(result, TrainingResult):
            training[job.row].append(result)
        else:
            walks[result[0]].append(result[1])
            by_network[result[0]][job.network] += result[1].success, 1
    rows: dict[str, dict[str, Any]] = {row: {} for row in request.rows}
    for (row, world), episodes in walks.items():
        episodes.sort(key=lambda e: e.seed)
        cell = summarise_walks(episodes)
        rows[row][world] = {**cell, "networks": by_network[row, world].tolist()}
    result = {
        "worlds": list(request.worlds),
        "seeds": list(request.seeds),
        "rows": rows,
        "training": {
            row: [asdict(one) for one in sorted(results, key=lambda r: r.seeds)] for row, results in training.items()
        },
        "walks": [{"world": world, **asdict(e)} for (_, world), episodes in walks.items() for e in episodes],
        "request": asdict(request),
        "versions": versions(),
        "wall_s": time.perf_counter() - started,
    }
    return dict(plain(result))


def _request(request: WalkEvaluation, row: str, world: str, seed: int, network: int) -> FlightRequest:
    rows: dict[str, dict[str, object]] = {BLIND: {"seeing": False}, CONSTANT: FIXED}
    return FlightRequest(
        robot="quadruped",
        world=world,
        seed=seed,
        speed=request.speed,
        pilot="hopf" if row == "hopf" else "snn",
        learning=row in (*TRAINED, BLIND, FRESH),
        reward_mode="shuffled" if row == "shuffled" else "normal",
        mind_seed=network,
        sim={**request.sim, "episode.timeout_s": request.duration_s},
        mind={} if row == "hopf" else {**breaking(request.mind, seed), **rows.get(row, {})},
    )


def _first_jobs(request: WalkEvaluation, folder: Path) -> list[Job]:
    """Training first, since walks wait for it; then every walk that needs none."""
    jobs = []
    for row in request.rows:
        if row in TRAINED and not request.given(row, 0):
            for network in range(request.networks):
                longer = replace(request, duration_s=request.train_seconds, mind=whole(request.mind))
                asked = TrainingRequest(
                    flight=_request(longer, row, request.train_worlds[0], 0, network),
                    speeds=(request.speed,),
                    first_seed=TRAINING_SEED + TRAINING_STRIDE * network,
                    minutes=request.train_minutes,
                    save_to=str(folder / f"{row}_{network}.npz"),
                    worlds=request.train_worlds,
                )
                jobs.append(Job(row, f"train {row} {network}", train, (asked,), network))
    for row in request.rows:
        if row not in TRAINED or request.given(row, 0):
            if row in AFTER_LEARNED and not request.weights:
                continue  # walks with what `learned` learns
            for network in range(request.networks):
                jobs += _walks(request, row, network, request.given(row, network))
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
        rows = [job.row, *(row for row in AFTER_LEARNED if job.row == "learned" and row in request.rows)]
        return [more for row in rows for more in _walks(request, row, job.network, result.weights)]

    return follow
