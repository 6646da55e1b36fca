"""What a run leaves behind: every episode in its summary."""

from __future__ import annotations

import pytest

from neuro_robot.bench.flight import FlightRequest
from neuro_robot.flights import RunRequest, fly_run


def short_walk(folder, **changes):
    flight = {"robot": "quadruped", "world": "walk_flat", "seed": 3, "speed": 0.6, "sim": {"episode.timeout_s": 0.3}}
    return RunRequest(FlightRequest(**flight | changes), folder, "inprocess", record=False)


def test_every_walk_of_a_run_tells_how_far_it_came(tmp_path):
    run = short_walk(tmp_path / "run")
    walks = fly_run(RunRequest(run.flight, run.folder, run.mode, episodes=2, record=False))["episodes"]
    assert [walk["seed"] for walk in walks] == [3, 4]
    assert [walk["success"] for walk in walks] == [False, False]  # nobody walks 0.18 m in its first 0.3 s
    assert all(-0.1 < walk["advance_m"] < 0.15 for walk in walks)
    assert walks[0]["advance_m"] != walks[1]["advance_m"]
    assert all(walk["flight_s"] == pytest.approx(0.3) for walk in walks)
