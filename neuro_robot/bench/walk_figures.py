"""Figures of evaluation walks: one walk with how it got over a shift, and the cell of a table of many."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import chi2

from neuro_robot.bench.adaptation import LEVEL, adaptation
from neuro_robot.bench.flight import FlightRequest, fly
from neuro_robot.bench.statistics import Episode, episode_of, wilson_interval
from neuro_robot.sim.quadrotor import GRAVITY
from neuro_robot.sim.world import World, load_world

Floats = npt.NDArray[np.float64]
FALL, COLLISION = "fall", "collision"
ENDED = (FALL, COLLISION)  # before its time, and not by walking too slowly
WINDOW_S = 2.0  # trailing mean of the speed after a shift: some four steps
END_S = 10.0  # of the walk: how it goes when it has got used to the change
BEFORE = "before_shift"  # 1 in the score of a walk that ended before it
SPEEDS = ("speed_before", "slowest_after", "speed_after")
RESAMPLED = 2000
LEVEL_START_M = 3.0  # rough ground that begins further on is a shift under way


def walk(request: FlightRequest, row: str, world: str) -> tuple[tuple[str, str], Episode]:
    """One evaluation walk (runs in a worker process); its score tells how it got over a shift, if there was one."""
    log = fly(request)
    made = episode_of(log, row)
    ground = load_world(request.world, request.seed)
    if not changes(ground):
        return (row, world), made
    speed = np.gradient(log.ahead, log.t)
    shift_s = shift_time(ground, log.t, log.position[:, 0])
    found = None if shift_s is None else adaptation(log.t, speed, shift_s, WINDOW_S)
    if shift_s is None or found is None:
        return (row, world), replace(made, score={**made.score, BEFORE: 1.0})
    upright = log.outcome not in ENDED
    shift = {
        "speed_before": found.before,
        "slowest_after": found.lowest,
        "speed_after": float(speed[log.t >= max(log.t[-1] - END_S, shift_s)].mean()),
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
    begins = [field.x for field in world.terrain.fields]
    return begins if begins and min(begins) > world.start.x + LEVEL_START_M else []


def summarise_walks(episodes: Sequence[Episode]) -> dict[str, Any]:
    """One cell of the table; means over the walks, `*_interval` at 95 % as if the walks were independent.

    cost_of_transport: positive joint work of all walks over weight (at the end) times way, backward ways counted as
    none; its interval and the speed's are the percentiles of 2000 resamplings of the walks (Efron 1979). Falls: exact
    Poisson interval (Garwood 1936). heading_lost_deg: in 10 s, over the walks that lasted long enough.
    """
    wins = sum(e.success for e in episodes)
    falls = sum(e.outcome == FALL for e in episodes)
    way = np.array([max(e.advance_m, 0.0) for e in episodes])
    seconds = np.array([e.duration_s for e in episodes])
    speeds = np.array([e.advance_m / max(e.duration_s, 1e-9) for e in episodes])
    work = np.array([e.score.get("positive_work_j", math.nan) for e in episodes])
    weight = np.array([e.score.get("mass_kg", math.nan) * GRAVITY for e in episodes])
    metres, count = float(way.sum()), len(episodes)
    lost = [e.heading_lost_deg for e in episodes if e.heading_lost_deg is not None]
    return {
        "walks": count,
        "successes": wins,
        "success_rate": wins / count if count else None,
        "interval": list(wilson_interval(wins, count)),
        "falls": falls,
        "collisions": sum(e.outcome == COLLISION for e in episodes),
        "falls_per_100m": 100.0 * falls / metres if metres > 0 else None,
        "falls_interval": [100.0 * f / metres for f in _poisson_interval(falls)] if metres > 0 else None,
        "mean_speed": float(speeds.mean()) if count else None,
        "speed_interval": _resampled(speeds, np.ones(count)),
        "cost_of_transport": float(work.sum() / (weight * way).sum()) if metres > 0 else None,
        "cost_interval": _resampled(work, weight * way),
        "heading_lost_deg": float(np.mean(lost)) if lost else None,
        "outcomes": {name: sum(e.outcome == name for e in episodes) for name in sorted({e.outcome for e in episodes})},
        "simulated_s": float(seconds.sum()),
        "wall_s": sum(e.wall_s for e in episodes),
        **_recoveries(episodes),
    }


def _poisson_interval(count: int) -> tuple[float, float]:
    low = float(chi2.ppf(0.025, 2 * count)) / 2.0 if count else 0.0
    return low, float(chi2.ppf(0.975, 2 * count + 2)) / 2.0


def _resampled(above: Floats, below: Floats) -> list[float] | None:
    """Percentiles of sum(above) / sum(below) over walks drawn with replacement; None where it is not defined."""
    if not len(above):
        return None
    chosen = np.random.default_rng(0).integers(len(above), size=(RESAMPLED, len(above)))
    total = below[chosen].sum(axis=1)
    if not (np.isfinite(above).all() and (total > 0).all()):
        return None
    return [float(v) for v in np.quantile(above[chosen].sum(axis=1) / total, (0.025, 0.975))]


def _recoveries(episodes: Sequence[Episode]) -> dict[str, Any]:
    """How many walks came back to 90 % of their speed before the shift, and how soon; empty without a shift.

    All but the counts of the walks that ended before it are over the walks that the shift met. `held`: upright to the
    end, with 90 % of that speed in the last END_S, which a moment at that speed is not enough for.
    """
    met = [e for e in episodes if "recovery_s" in e.score]
    before = [e for e in episodes if BEFORE in e.score]
    if not met and not before:
        return {}
    held = sum(e.outcome not in ENDED and e.score["speed_after"] >= LEVEL * e.score["speed_before"] for e in met)
    times = [e.score["recovery_s"] for e in met]
    back = sum(map(math.isfinite, times))
    median = float(np.median(times)) if met else math.inf
    return {
        "shifted": len(met),
        "fell_before_shift": sum(e.outcome == FALL for e in before),
        "ended_before_shift": sum(e.outcome != FALL for e in before),
        "recovered": back,
        "recovered_interval": list(wilson_interval(back, len(met))),
        "median_recovery_s": median if math.isfinite(median) else None,
        "longest_recovery_s": max((time for time in times if math.isfinite(time)), default=None),
        "held": held,
        "held_interval": list(wilson_interval(held, len(met))),
        **{name: float(np.mean([e.score[name] for e in met])) if met else None for name in SPEEDS},
    }
