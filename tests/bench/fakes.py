"""Flights that are over at once: an outcome by rule, so that tables can be checked by hand."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np

from neuro_robot.bench.activity import Activity
from neuro_robot.bench.flight import FlightLog, FlightRequest
from neuro_robot.bench.rundata import RunData
from neuro_robot.bench.statistics import Episode
from neuro_robot.bench.summary import RunFacts
from neuro_robot.events.array import EVENT_DTYPE
from neuro_robot.sim.world import load_world


def episode(outcome="goal", distance=60.0, seconds=12.0, clearance=0.5, seed=0, speed=5.0, row="learned"):
    mean = distance / seconds
    return Episode(
        row,
        seed,
        speed,
        outcome,
        outcome,
        seconds,
        distance,
        mean,
        1.2 * mean,
        clearance,
        1000,
        50,
        0.1,
        outcome == "goal",
    )


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


class FakePilot:
    """A pilot whose only weight is the number of flights it has learned from."""

    def __init__(self, request: FlightRequest) -> None:
        self.flights = 0
        if request.weights is not None:
            self.flights = int(Path(request.weights).read_text())

    def new_flight(self) -> None:
        pass

    def save(self, path: str) -> None:
        Path(path).write_text(str(self.flights))


def fake_fly(request: FlightRequest, pilot: FakePilot | None = None) -> FlightLog:
    """Blind arrives on every fifth seed; the network after four learning flights with a true reward."""
    pilot = pilot or FakePilot(request)
    if request.pilot == "blind":
        return log_of(
            request, "goal" if request.seed % 5 == 0 else "collision", 60.0 if request.seed % 5 == 0 else 15.0
        )
    if request.pilot == "potential_field":
        return log_of(request, "goal")
    knows = pilot.flights >= 4 and request.reward_mode == "normal"
    if request.learning:
        pilot.flights += 1
    return log_of(request, "goal" if knows else "collision", 60.0 if knows else 20.0)


def fake_episode(request: FlightRequest) -> Episode:
    log = fake_fly(replace(request))
    return episode(log.outcome, log.distance_m, log.duration_s, seed=request.seed, speed=request.speed)


def fake_run(seconds: float = 3.0, speed: float = 6.0, seed: int = 3) -> tuple[RunFacts, RunData]:
    """A made-up weaving flight through the forest with random events and spikes, without its summary."""
    world = load_world("forest", seed)
    rng = np.random.default_rng(seed)
    t = np.arange(0.0, seconds, 0.002)
    y = 2.0 * np.sin(0.9 * t)
    vy = 1.8 * np.cos(0.9 * t)
    position = np.stack([world.start.x + speed * t, y, np.full(len(t), world.start.z)], axis=1)
    roll = -0.3 * np.sin(0.9 * t)
    quaternion = np.stack([np.sin(roll / 2), np.zeros(len(t)), np.zeros(len(t)), np.cos(roll / 2)], axis=1)
    velocity = np.stack([np.full(len(t), speed), vy, np.zeros(len(t))], axis=1)
    command = np.stack([np.full(len(t), speed), vy + 0.2, 0 * t, 0 * t], axis=1)
    events = np.zeros(int(60_000 * seconds), EVENT_DTYPE)
    events["t"] = np.sort(rng.integers(0, int(seconds * 1e9), len(events)))
    events["x"] = np.clip(rng.normal(64, 25, len(events)), 0, 127)
    events["y"] = rng.integers(0, 128, len(events))
    events["p"] = rng.integers(0, 2, len(events))
    spikes = np.zeros(int(2000 * seconds), EVENT_DTYPE)
    spikes["t"] = np.sort(rng.integers(0, int(seconds * 1e9), len(spikes)))
    spikes["y"] = rng.integers(1, 3, len(spikes))
    spikes["x"] = rng.integers(0, np.where(spikes["y"] == 1, 32, 16))
    spikes["p"] = 1
    before = {"steer": rng.uniform(0, 0.04, (32, 16))}
    after = {"steer": np.clip(before["steer"] + rng.normal(0.01, 0.02, (32, 16)), 0, 0.4)}
    of_layer = {"retina": 5000, "column": int((spikes["y"] == 1).sum()), "motor": int((spikes["y"] == 2).sum())}
    activity = Activity(
        {"retina": 32, "column": 32, "motor": 16},
        ("retina",),
        1.0,
        len(t) * 2,
        of_layer,
        32 + 512 + 128,
        512,
        90_000,
        4_000,
    )
    request = FlightRequest(seed=seed, speed=speed)
    facts = RunFacts(
        request,
        "inprocess",
        "collision",
        "hit tree 7 at (16.0, 0.9, 2.0) m",
        1.2,
        {"spikes": "ab" * 32},
        np.full(len(t), 0.3),
        t,
        np.sin(5 * t) * 0.4,
        before,
        after,
        activity,
        {},
    )
    run = RunData(
        world,
        {},
        128,
        128,
        events,
        spikes,
        t,
        position,
        quaternion,
        velocity,
        t,
        command,
        facts.reward_t,
        facts.reward,
        before,
        after,
    )
    return facts, run


def square(value: int) -> int:
    return value * value


def vanish() -> None:
    os._exit(1)


def boom(value: int) -> int:
    raise ValueError(f"boom {value}")


def stay(path: str) -> None:
    """Says which process this is, and stays."""
    Path(path).write_text(str(os.getpid()))
    threading.Event().wait()
