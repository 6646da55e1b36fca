"""Flights that are over at once: an outcome by rule, so that tables can be checked by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from neuro_robot.bench.flight import FlightLog, FlightRequest
from neuro_robot.bench.statistics import Episode


def episode(outcome="goal", distance=60.0, seconds=12.0, clearance=0.5, seed=0, speed=5.0, row="learned"):
    mean = distance / seconds
    return Episode(row, seed, speed, outcome, outcome, seconds, distance, mean, 1.2 * mean, clearance, 1000, 50, 0.1)


def log_of(request: FlightRequest, outcome: str, metres: float = 60.0) -> FlightLog:
    """A straight flight of `metres` at the requested speed, one row every 2 ms."""
    seconds = metres / request.speed
    if request.time_limit_s is not None and seconds > request.time_limit_s:
        seconds, outcome = request.time_limit_s, "stopped"
    t = np.append(np.arange(0.0, seconds, 0.002), seconds)
    n = len(t)
    position = np.stack([t * request.speed, np.zeros(n), np.full(n, 1.5)], axis=1)
    velocity = np.tile([request.speed, 0.0, 0.0], (n, 1))
    return FlightLog(
        request=request,
        outcome=outcome,
        reason=outcome,
        t=t,
        position=position,
        velocity=velocity,
        command=np.tile([request.speed, 0.0, 0.0, 0.0], (n, 1)),
        events=np.full(n, 3),
        spikes=np.full(n, 2),
        clearance=np.full(n, 0.7),
        reward=np.zeros(n),
        reply_ms=np.full(n, 0.2),
        wall_s=0.01,
        weights_before={},
        weights_after={},
        diagnostics={},
    )


class FakeMind:
    """A mind whose only weight is the number of flights it has learned from."""

    def __init__(self, request: FlightRequest) -> None:
        self.flights = 0
        if request.weights is not None:
            self.flights = int(Path(request.weights).read_text())

    def save(self, path: str) -> None:
        Path(path).write_text(str(self.flights))


class FakePilot:
    def __init__(self, request: FlightRequest) -> None:
        self.mind = FakeMind(request)


def fake_fly(request: FlightRequest, pilot: FakePilot | None = None) -> FlightLog:
    """Blind arrives on every fifth seed; the network after four learning flights with a true reward."""
    pilot = pilot or FakePilot(request)
    if request.pilot == "blind":
        return log_of(
            request, "goal" if request.seed % 5 == 0 else "collision", 60.0 if request.seed % 5 == 0 else 15.0
        )
    if request.pilot == "potential_field":
        return log_of(request, "goal")
    knows = pilot.mind.flights >= 4 and request.reward_mode == "normal"
    if request.learning:
        pilot.mind.flights += 1
    return log_of(request, "goal" if knows else "collision", 60.0 if knows else 20.0)


def fake_episode(request: FlightRequest) -> Episode:
    log = fake_fly(replace(request))
    return episode(log.outcome, log.distance_m, log.duration_s, seed=request.seed, speed=request.speed)


def square(value: int) -> int:
    return value * value


def boom(value: int) -> int:
    raise ValueError(f"boom {value}")
