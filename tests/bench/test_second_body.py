"""Other bodies by their parameter files alone: the same mind walks them."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from neuro_robot.agents.kinematics import foot_positions
from neuro_robot.agents.walker import WalkerMindConfig
from neuro_robot.bench.flight import FlightRequest, fly
from neuro_robot.bench.parameter_file import overrides_from
from neuro_robot.config import from_dict
from neuro_robot.sim.quadruped import foot_positions as feet_in_trunk
from neuro_robot.sim.quadruped import leg_geometry, stance_of
from neuro_robot.sim.walk_simulation import QuadrupedSimConfig

CONFIG = Path(__file__).resolve().parents[2] / "config"
SMALL = {"camera.width": 32, "camera.height": 24}


@pytest.mark.parametrize(("name", "mass_kg"), [("laikago", 25.6), ("mini_cheetah", 8.85)])
def test_it_walks_ahead_and_stays_upright(name, mass_kg):
    said = overrides_from(CONFIG / f"{name}.yaml", "quadruped")
    sim = {**said.sim, **SMALL, "episode.timeout_s": 5.0}
    log = fly(FlightRequest("quadruped", "walk_flat", seed=3000, speed=0.6, sim=sim, mind=said.mind))
    assert (log.outcome, log.score["falls"]) == ("timeout", 0.0)
    assert log.score["mass_kg"] == pytest.approx(mass_kg, abs=0.1)
    assert log.advance_m > 1.5
    assert abs(math.degrees(log.heading[-1])) < 10.0


@pytest.mark.parametrize("name", ["quadruped", "laikago", "mini_cheetah"])
def test_mind_and_body_agree_about_the_legs(name):
    """Lengths stand twice in a file, since a mind does not know the simulator: both must give the same feet."""
    said = overrides_from(CONFIG / f"{name}.yaml", "quadruped")
    body = from_dict(QuadrupedSimConfig, said.sim).body
    mind = from_dict(WalkerMindConfig, said.mind).kinematics
    feet, angles = np.empty((4, 3)), stance_of(body)
    feet_in_trunk(leg_geometry(body), angles, feet)
    known = foot_positions(angles.reshape(4, 3), mind.links())
    known[:, :2] += mind.hips()
    known[:, 2] += body.hip_z
    np.testing.assert_allclose(known - known.mean(axis=0), feet - feet.mean(axis=0), atol=5e-3)
    assert body.knee_min <= mind.knee_min < mind.knee_max <= body.knee_max
