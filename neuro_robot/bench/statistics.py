"""What many flights say together: success with its interval, distance to the first contact, speed, clearance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from neuro_robot.bench.flight import FlightLog

Z_95 = 1.959963984540054  # 97.5 % quantile of the normal distribution
HEADING_S = 10.0
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Episode:
    """One flight in numbers: what a worker process sends back and what a training curve is made of."""

    row: str
    seed: int
    speed: float  # m/s, commanded
    outcome: str
    reason: str
    duration_s: float
    distance_m: float  # path length to the outcome
    mean_speed: float  # m/s, path over time
    peak_speed: float  # m/s
    min_clearance_m: float  # NaN: never measured
    events: int
    spikes: int
    wall_s: float
    success: bool = False  # as the body defines it
    advance_m: float = 0.0  # straight ahead from the start
    heading_lost_deg: float | None = None  # in 10 s, as `heading_lost` has it
    score: dict[str, float] = field(default_factory=dict)  # the simulation's own figures


def episode_of(log: FlightLog, row: str) -> Episode:
    """The numbers of one flight."""
    speeds = np.linalg.norm(log.velocity, axis=1) if len(log.velocity) else np.zeros(1)
    request = log.request
    return Episode(
        row=row,
        seed=request.seed,
        speed=request.speed,
        outcome=log.outcome,
        reason=log.reason,
        duration_s=log.duration_s,
        distance_m=log.distance_m,
        mean_speed=log.distance_m / log.duration_s if log.duration_s > 0 else 0.0,
        peak_speed=float(speeds.max()),
        min_clearance_m=log.min_clearance_m,
        events=int(log.events.sum()),
        spikes=int(log.spikes.sum()),
        wall_s=log.wall_s,
        success=log.success,
        advance_m=log.advance_m,
        heading_lost_deg=heading_lost(log.t, log.heading) if len(log.heading) else None,
        score=log.score,
    )


def heading_lost(t: Floats, heading: Floats) -> float | None:
    """Mean turn within HEADING_S either way, degrees; None for a shorter walk.

    t: ascending, s; heading: rad, its mean over a second is taken so that the sway of the steps does not count.
    """
    if len(t) < 2 or t[-1] - t[0] < HEADING_S + 1.0:
        return None
    total = np.concatenate([[0.0], np.cumsum(np.unwrap(heading))])
    first = np.searchsorted(t, t - 1.0, side="right")
    mean = (total[1:] - total[first]) / (np.arange(len(t)) + 1 - first)
    begin = t >= t[0] + 1.0
    end = begin & (t <= t[-1] - HEADING_S)
    later = np.interp(t[end] + HEADING_S, t[begin], mean[begin])
    return float(np.degrees(np.abs(later - mean[end]).mean()))


def wilson_interval(successes: int, trials: int, z: float = Z_95) -> tuple[float, float]:
    """Wilson score interval of a success rate (Wilson 1927, J. Am. Stat. Assoc. 22, 209); (0, 1) without trials.

    Raises ValueError unless 0 <= successes <= trials.
    """
    if not 0 <= successes <= trials:
        raise ValueError(f"expected 0 <= successes <= trials, got {successes} of {trials}")
    if trials == 0:
        return 0.0, 1.0
    rate = successes / trials
    scale = 1.0 + z * z / trials
    centre = (rate + z * z / (2 * trials)) / scale
    half = z / scale * math.sqrt(rate * (1.0 - rate) / trials + z * z / (4 * trials * trials))
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == trials else min(1.0, centre + half)
    return low, high


def summarise(episodes: Sequence[Episode]) -> dict[str, Any]:
    """A row of the evaluation table.

    `metres_to_first_contact` is the mean path length to a collision or to the end of the flight (a flight that
    arrives counts with its whole path, so the figure is bounded by the world's length); `metres_per_contact` is all
    metres flown over all collisions, None without a collision. Empty input gives episodes 0 and None for the rest.
    """
    count = len(episodes)
    wins = sum(episode.success for episode in episodes)
    contacts = sum(episode.outcome == "collision" for episode in episodes)
    metres = sum(episode.distance_m for episode in episodes)
    seconds = sum(episode.duration_s for episode in episodes)
    clearances = [e.min_clearance_m for e in episodes if math.isfinite(e.min_clearance_m)]
    outcomes = sorted({episode.outcome for episode in episodes})
    return {
        "success_rate": wins / count if count else None,
        "interval": list(wilson_interval(wins, count)),
        "episodes": count,
        "successes": wins,
        "outcomes": {name: sum(e.outcome == name for e in episodes) for name in outcomes},
        "metres_to_first_contact": metres / count if count else None,
        "metres_per_contact": metres / contacts if contacts else None,
        "mean_speed": metres / seconds if seconds > 0 else None,
        "peak_speed": max((episode.peak_speed for episode in episodes), default=None),
        "min_clearance": min(clearances, default=None),
        "median_clearance": float(np.median(clearances)) if clearances else None,
        "simulated_s": seconds,
        "wall_s": sum(episode.wall_s for episode in episodes),
    }


def trailing_rate(successes: Sequence[bool], window: int) -> list[float]:
    """Success rate of the last `window` episodes at each episode (of fewer at the start)."""
    flags = np.asarray(successes, dtype=np.float64)
    return [float(flags[max(0, i + 1 - window) : i + 1].mean()) for i in range(len(flags))]
