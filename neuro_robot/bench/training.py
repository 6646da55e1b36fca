"""Learning flights: one network flies episode after episode with learning on, up to a budget of simulated time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from neuro_robot.bench.flight import FlightRequest, fly
from neuro_robot.bench.pilots import make_pilot
from neuro_robot.bench.statistics import Episode, episode_of, trailing_rate
from neuro_robot.errors import ConfigError

WINDOW = 10  # episodes in the trailing success rate
TARGETS = (0.5, 0.8, 0.9, 0.95, 1.0)


@dataclass(frozen=True)
class TrainingRequest:
    """Train one network from its initial weights; `flight` names the pilot, the world and the network's seed."""

    flight: FlightRequest
    speeds: tuple[float, ...]  # m/s, taken in turn
    first_seed: int  # training worlds: first_seed, first_seed + 1, ...
    minutes: float  # budget of simulated flight
    save_to: str  # weights file
    worlds: tuple[str, ...] = ()  # taken in turn; empty: the flight's


@dataclass(frozen=True)
class TrainingResult:
    """How learning went; `curve` has one row per training episode."""

    weights: str
    seeds: tuple[int, int]  # first and last training seed used
    simulated_minutes: float
    curve: list[dict[str, Any]]
    minutes_to_reach: dict[str, float | None]


def train(request: TrainingRequest, on_episode: Callable[[Episode], None] | None = None) -> TrainingResult:
    """Fly training episodes until the budget of simulated time is used up, then save the weights.

    The last flight is cut off at the budget and counts as stopped. Raises ConfigError without speeds or time.
    """
    if not request.speeds or request.minutes <= 0:
        raise ConfigError(
            f"training: expected speeds and a budget above 0 min, got {request.speeds}, {request.minutes}"
        )
    episodes: list[Episode] = []
    weights = request.flight.weights
    budget_s, used_s = 60.0 * request.minutes, 0.0
    while budget_s - used_s > 1e-9:
        number = len(episodes)
        flight = replace(
            request.flight,
            seed=request.first_seed + number,
            speed=request.speeds[number % len(request.speeds)],
            world=(request.worlds or (request.flight.world,))[number % max(len(request.worlds), 1)],
            weights=weights,
            learning=True,
            time_limit_s=budget_s - used_s,
        )
        episode = _training_flight(flight, request.save_to)
        weights = request.save_to
        episodes.append(episode)
        used_s += max(episode.duration_s, 1e-3)
        if on_episode is not None:
            on_episode(episode)
    return TrainingResult(
        weights=request.save_to,
        seeds=(request.first_seed, request.first_seed + len(episodes) - 1),
        simulated_minutes=used_s / 60.0,
        curve=curve_of(episodes),
        minutes_to_reach=minutes_to_reach(episodes),
    )


def _training_flight(flight: FlightRequest, save_to: str) -> Episode:
    """One episode whose weights are on disk at its end, so that the next one, or a crash, finds them there."""
    pilot = make_pilot(flight)
    episode = episode_of(fly(flight, pilot), "training")
    Path(save_to).parent.mkdir(parents=True, exist_ok=True)
    pilot.new_flight()  # at rest: the next flight shall not inherit the traces of how this one ended
    pilot.save(save_to)
    return episode


def curve_of(episodes: Sequence[Episode]) -> list[dict[str, Any]]:
    """One row per training episode: its numbers, simulated minutes so far, trailing success rate."""
    rates = trailing_rate([episode.success for episode in episodes], WINDOW)
    rows, minutes = [], 0.0
    for number, (episode, rate) in enumerate(zip(episodes, rates, strict=True)):
        minutes += episode.duration_s / 60.0
        rows.append({"episode": number, "minutes": minutes, "trailing_success": rate, **asdict(episode)})
    return rows


def minutes_to_reach(episodes: Sequence[Episode]) -> dict[str, float | None]:
    """Simulated minutes until the last `WINDOW` training episodes together reached a success rate; None: never did."""
    curve = curve_of(episodes)
    full = curve[WINDOW - 1 :]
    return {
        f"{target:g}": next((row["minutes"] for row in full if row["trailing_success"] >= target - 1e-12), None)
        for target in TARGETS
    }
