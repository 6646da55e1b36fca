"""A walker that sees: it turns its nose away from what it sees, and only while it goes forward."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from agents.streams import AT_REST, noise

from neuro_robot.agents.course import Turning, TurningConfig
from neuro_robot.agents.leg_controller import LegController
from neuro_robot.agents.walker import WalkerMindConfig
from neuro_robot.config import from_dict
from neuro_robot.events.array import empty_events
from neuro_robot.robot import BodyCommand

PACKET_NS = 5_000_000
EYES = Path(__file__).parents[2] / "config" / "drone_weights.npz"  # what a drone has learned to turn away from
AHEAD, STAND, ON_THE_SPOT = (BodyCommand(0, vx, 0.0, 0.0, turn) for vx, turn in ((0.6, 0.0), (0.0, 0.0), (0.0, 0.5)))


def mind_of(**values):
    controller = LegController(from_dict(WalkerMindConfig, {"seeing": True, "learning": False} | values), 0)
    controller.load(EYES)
    controller.mind.look_through(240, 180)
    return controller.mind


def turn_of(mind, columns, wish=AHEAD, packets=200):
    """Rate of turning that is wished for by the eyes, rad/s, mean over the walk."""
    rng, rates = np.random.default_rng(5), []
    for k in range(1, packets + 1):
        t_ns = k * PACKET_NS
        seen = noise(rng, t_ns - PACKET_NS, t_ns, 200, columns, (0, 60)) if columns else empty_events()
        before = mind.turning.heading
        mind.step(seen, t_ns, AT_REST, None, wish)
        rates.append((mind.turning.heading - before) / (PACKET_NS * 1e-9))
    return float(np.mean(rates))


def test_turns_away_from_either_side():
    left, right = (70, 115), (125, 170)  # columns of pixels beside the middle
    assert turn_of(mind_of(), left) < -0.05
    assert turn_of(mind_of(), right) > 0.05


def test_other_layers_do_not_steer():
    mind = mind_of(**{"network.motor_bias": 0.0})
    turn_of(mind, None)
    assert mind.network.spike_counts[mind.network.layer_slices["cpg"]].sum() > 1000
    assert mind.avoidance.course.lateral == mind.turning.heading == 0.0


@pytest.mark.parametrize("wish", [STAND, ON_THE_SPOT])
def test_eyes_do_not_turn_a_robot_that_does_not_go_forward(wish):
    assert turn_of(mind_of(), (70, 115), wish) == 0.0


def test_turning_approaches_the_wished_heading_as_a_first_order_lag():
    turning = Turning(TurningConfig(gain=2.0, max_rad_s=9.0), 0.6)
    for _ in range(500):
        turning.rate(0.3, 1e-3)
    assert turning.heading == pytest.approx(np.arcsin(0.5) * (1.0 - (1.0 - 2e-3) ** 500))


def test_turning_is_limited():
    turning = Turning(TurningConfig(gain=20.0, max_rad_s=0.6), 0.6)
    assert turning.rate(1e9, 0.1) == 0.6
    assert turning.rate(-1e9, 0.1) == -0.6


def test_a_reward_does_not_outlast_the_look():
    mind = mind_of(learning=True, **{"reward.floor_khz": 0.0})
    turn_of(mind, (70, 115))
    before = mind.network.weights("steer")
    turn_of(mind, None, STAND, packets=2)  # the eyes shut: what was eligible is not taught any more
    assert np.array_equal(mind.network.weights("steer"), before)
