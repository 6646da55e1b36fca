"""Figures of evaluation walks: one walk with how it got over a shift, and the cell of a table of many."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from neuro_robot.bench.adaptation import adaptation
from neuro_robot.bench.flight import FlightRequest, fly
from neuro_robot.bench.statistics import Episode, episode_of, wilson_interval
from neuro_robot.sim.quadrotor import GRAVITY
from neuro_robot.sim.world import World, load_world

Floats = npt.NDArray[np.float64]
FELL = ("fall", "collision")
WINDOW_S = 2.0  # trailing mean of the speed after a shift: some four steps
END_S = 10.0  # of the walk: how it goes when it has got used to the change
BEFORE = "before_shift"  # 1 in the score of a walk that ended before it
SPEEDS = ("speed_before", "slowest_after", "speed_after")
LEVEL_START_M = 3.0  # rough ground that begins further on is a shift under way


def walk(request: FlightRequest, row: str, world: str) -> tuple[tuple[str, str], Episode]:
    """One evaluation walk (runs in a worker process); its score tells how it got over a shift, if there was one."""
    log = fly(request)
    made = episode_of(log, row)
    ground = load_world(request.world, request.seed)
    if not changes(ground):
        return (row, world), made
    shift_s = shift_time(ground, log.t, log.position[:, 0])
    found = None if shift_s is None else adaptation(log.t, np.gradient(log.position[:, 0], log.t), shift_s, WINDOW_S)
    if shift_s is None or found is None:
        return (row, world), replace(made, score={**made.score, BEFORE: 1.0})
    upright = log.outcome not in FELL
    shift = {
        "speed_before": found.before,
        "slowest_after": found.lowest,
        "speed_after": float(np.gradient(log.position[:, 0], log.t)[log.t >= max(log.t[-1] - END_S, shift_s)].mean()),
        "recovery_s": found.time_s if found.time_s is not None and upright else math.inf,
    }
    return (row, world), replace(made, score={**made.score, **shift})


def changes(world: World) -> bool:
    """Whether the ground or the robot changes for good under way."""
    return bool(world.terrain.shifts or _begins(world))


def shift_time(world: World, t: Floats, x: Floats) -> float | None:
    """When the ground or the robot changed for good, s: a shift's time, or when rough ground began under way (x, m)."""
    if world.terrain.shifts:
        return min(shift.at_s for shift in world.terrain.shifts)
    begins = _begins(world)
    reached = np.flatnonzero(x >= min(begins)) if begins else np.empty(0)
    return float(t[reached[0]]) if reached.size else None


def _begins(world: World) -> list[float]:
    return [field.x for field in world.terrain.fields if field.x > world.start.x + LEVEL_START_M]


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


def _recoveries(episodes: Sequence[Episode]) -> dict[str, Any]:
    """How many walks came back to 90 % of their speed before the shift, and how soon; empty without a shift.

    All but the counts of the walks that ended before it are over the walks that the shift met.
    """
    met = [e for e in episodes if "recovery_s" in e.score]
    before = [e for e in episodes if BEFORE in e.score]
    if not met and not before:
        return {}
    back = sum(math.isfinite(e.score["recovery_s"]) for e in met)
    median = float(np.median([e.score["recovery_s"] for e in met])) if met else math.inf
    return {
        "shifted": len(met),
        "fell_before_shift": sum(e.outcome in FELL for e in before),
        "ended_before_shift": sum(e.outcome not in FELL for e in before),
        "recovered": back,
        "recovered_interval": list(wilson_interval(back, len(met))),
        "median_recovery_s": median if math.isfinite(median) else None,
        **{name: float(np.mean([e.score[name] for e in met])) if met else None for name in SPEEDS},
    }
