"""Gaits on the body: every one covers ground, and the robot stays up when they change."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from neuro_robot.applied import Applied, Steered
from neuro_robot.bench.flight import FlightRequest, fly
from neuro_robot.bench.legs import gaits_walked

QUICK = {"camera.width": 16, "camera.height": 16, "camera.threads": 1}


def walked(gait: str, seconds: float, seed: int, learning: bool = False):
    sim = {**QUICK, "episode.timeout_s": seconds}
    walk = {"robot": "quadruped", "world": "walk_flat", "speed": 0.6}
    return fly(FlightRequest(**walk, seed=seed, learning=learning, sim=sim, mind={"gait": gait}))


@pytest.mark.parametrize("learning", [False, True])
def test_the_robot_stays_up_through_changes_of_gait(learning):
    log = walked("trot walk@2s bound@4s trot@6s", 8.0, 3000, learning)
    assert (log.outcome, log.duration_s) == ("timeout", 8.0)
    assert log.advance_m > 0.6 * 0.6 * 8.0


@pytest.mark.parametrize("gait", ["walk", "pace", "bound"])
def test_gaits_beside_the_trot_reach_the_commanded_speed(gait):
    log = walked(gait, 5.0, 3001)
    assert log.outcome == "timeout"
    assert log.advance_m > 0.75 * 0.6 * 5.0


def test_the_diagram_has_every_change_of_a_schedule_and_of_a_parameter():
    text = "trot bound@2s trot@3s"
    told = [
        Applied(5_000_000, True, "", (), Steered(0.6, 0.0, 0.0, text)),
        Applied(6_000_000_000, True, "", (), Steered(0.0, 0.0, 0.0, "pace")),
    ]
    scheduled = [(0.0, "trot"), (2.0, "bound"), (3.0, "trot")]
    for applied, walked in (([], scheduled), (told[:1], scheduled), (told, [*scheduled, (6.0, "pace")])):
        run = SimpleNamespace(summary={"configuration": {"mind": {"gait": text}}}, applied=applied)
        assert gaits_walked(run) == walked
