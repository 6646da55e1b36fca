"""The walker's mind: commands, reflexes, signs of the rewards, learning, determinism, broken senses."""

from __future__ import annotations

import math

import numpy as np
import pytest

from neuro_robot.agents.cpg import duty_of
from neuro_robot.agents.walk_tuning import FIGURES
from neuro_robot.agents.walker import WalkerMind
from neuro_robot.agents.walker_config import WalkerMindConfig
from neuro_robot.config import from_dict
from neuro_robot.errors import ConfigError
from neuro_robot.events.array import EVENT_DTYPE, empty_events
from neuro_robot.robot import BodyCommand, Imu, LegSense

PACKET_NS = 5_000_000
AHEAD = BodyCommand(0, 0.6, 0.0, 0.0, 0.0)
STAND = BodyCommand(0, 0.0, 0.0, 0.0, 0.0)


def mind_of(seed=0, **values):
    values.setdefault("seeing", False)
    mind = WalkerMind(from_dict(WalkerMindConfig, values), seed)
    mind.look_through(240, 180)
    return mind


def imu_of(t_ns, rates=(0.0, 0.0, 0.0)):
    half = 0.5 * float(np.clip(rates[2], -10.0, 10.0)) * t_ns * 1e-9
    return Imu(t_ns, (0.0, 0.0, math.sin(half), math.cos(half)), rates, (0.0, 0.0, 9.81))


def legs_of(t_ns, position=(0.0, 0.9, -1.8) * 4, touches=()):
    return LegSense(t_ns, position, (0.0,) * 12, (0.0,) * 12, np.array(list(touches), EVENT_DTYPE))


def walk(mind, packets, wish=AHEAD, rates=(0.0, 0.0, 0.0), follow=True, start=0):
    """Decisions while the joints do as told (follow) or stay as they are."""
    decisions, position = [], (0.0, 0.9, -1.8) * 4
    for k in range(start + 1, start + packets + 1):
        t_ns = k * PACKET_NS
        decisions.append(mind.step(empty_events(), t_ns, imu_of(t_ns, rates), legs_of(t_ns, position), wish))
        if follow:
            position = decisions[-1].command.position
    return decisions


def crouch_lean(mind):
    """Mean weight onto the pool for more crouch, less that onto the pool for less."""
    n = mind.config.tuning.neurons
    first = 2 * n * FIGURES.index("crouch")
    weights = mind.network.weights("tune")
    return float(weights[:, first : first + n].mean() - weights[:, first + n : first + 2 * n].mean())


def test_feet_step_when_wished_and_stand_otherwise():
    mind = mind_of()
    lifts = np.array([d.feet[:, 2] for d in walk(mind, 600)[300:]])
    assert np.all(np.ptp(lifts, axis=0) > 0.04)
    still = np.array([d.feet[:, 2] for d in walk(mind, 400, STAND, start=600)[300:]])
    assert np.all(np.ptp(still, axis=0) < 0.001)


def test_same_seed_gives_the_same_bits_and_another_one_does_not():
    one, two, other = (walk(mind_of(seed), 200) for seed in (1, 1, 2))
    assert all(a.command == b.command and np.array_equal(a.spikes, b.spikes) for a, b in zip(one, two, strict=True))
    assert not all(np.array_equal(a.spikes, b.spikes) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_heading_spikes_turn_the_robot_back(side):
    decisions = walk(mind_of(learning=False), 200, rates=(0.0, 0.0, 0.1 * side))
    assert math.copysign(1.0, np.mean([d.steps.yaw_rate for d in decisions[-50:]])) == -side


def test_signs_of_the_rewards():
    mind = mind_of()
    mind.feel.progress, mind.feel.heading, mind.feel.rough, mind.tuning.strikes_hz = 0.2, 0.1, 4.0, 5.0
    rewards = dict(zip(FIGURES, mind.tuning.rewards(mind.feel, 0.6), strict=True))
    assert rewards["height"] > 0 < rewards["stride"]
    assert rewards["crouch"] > 0 > rewards["turn"]
    mind.feel.progress, mind.feel.rough, mind.tuning.strikes_hz = 0.9, 0.1, 0.0
    rewards = dict(zip(FIGURES, mind.tuning.rewards(mind.feel, 0.6), strict=True))
    assert rewards["height"] < 0 > rewards["stride"]
    assert rewards["crouch"] < 0


def test_shaking_teaches_to_crouch_and_frozen_weights_stay():
    learning, frozen = mind_of(), mind_of(learning=False)
    before = frozen.network.weights("tune")
    shaken = walk(learning, 1200, rates=(2.0, 0.0, 0.0))[-1]
    same = walk(frozen, 400, rates=(2.0, 0.0, 0.0))[-1]
    assert shaken.steps.stand < 0.25 < same.steps.stand
    np.testing.assert_array_equal(frozen.network.weights("tune"), before)
    assert crouch_lean(learning) > 0.0


def test_shuffled_rewards_teach_no_direction():
    """Over eight networks the pools for more and less crouch part as chance parts them; with rewards, far beyond."""
    apart: dict[str, list[float]] = {"normal": [], "shuffled": []}
    for mode, leans in apart.items():
        for seed in range(8):
            mind = mind_of(seed, reward_mode=mode, shuffle_seed=seed)
            walk(mind, 600, rates=(2.0, 0.0, 0.0))
            leans.append(crouch_lean(mind))
    error = np.std(apart["shuffled"], ddof=1) / math.sqrt(8)
    assert abs(np.mean(apart["shuffled"])) < 3.0 * error < 0.05
    assert min(apart["normal"]) > 0.25


def test_a_foot_that_strikes_is_raised():
    heights = []
    for bearing in (0, 1):  # the feet stay off the ground, or on it for ever
        mind = mind_of(learning=False)
        touches = [(0, foot, 0, bearing) for foot in range(4)]
        mind.step(empty_events(), PACKET_NS, None, legs_of(PACKET_NS, touches=touches), AHEAD)
        heights.append(max(d.feet[0, 2] for d in walk(mind, 600, start=1)[400:]))
    assert heights[1] > heights[0] + 0.004


def test_what_was_learned_outlasts_a_new_start():
    mind = mind_of()
    walk(mind, 600, rates=(2.0, 0.0, 0.0))
    weights = mind.network.weights("tune")
    mind.new_flight()
    np.testing.assert_array_equal(mind.network.weights("tune"), weights)
    assert mind.feel.heading == 0.0
    assert mind.rhythm.sizes.max() == 0.0


def test_a_schedule_switches_at_its_times_and_begins_anew_with_a_new_start():
    mind = mind_of(gait="walk trot@1s bound@1500ms")
    for _ in range(2):
        gaits = []
        for k in range(1, 401):  # the first packet ends at 5 ms: times count from there
            walk(mind, 1, start=k - 1)
            gaits.append(mind.rhythm.gait)
        assert gaits == ["walk"] * 200 + ["trot"] * 100 + ["bound"] * 100
        assert mind.stepping.duty == pytest.approx(duty_of("bound", 0.55), abs=0.04)
        mind.new_flight()


def test_a_change_of_gait_moves_no_foot_at_once():
    mind = mind_of(gait="trot walk@2s pace@4s bound@6s trot@8s", learning=False)
    feet = np.array([d.feet for d in walk(mind, 2000)])[100:]
    assert np.abs(np.diff(feet, axis=0)).max() < 0.035  # swings of a walk: 5 ms at 4 m/s and more


def test_gait_switched_by_the_mind_and_unknown_refused():
    mind = mind_of()
    mind.set_gait("pace")
    phases = walk(mind, 600)[-1].phases
    assert abs((phases[0] - phases[2] + 0.5) % 1.0 - 0.5) < 0.05
    with pytest.raises(ConfigError):
        mind.set_gait("gallop")


@pytest.mark.parametrize("bad", [math.nan, math.inf, 1e308])
def test_broken_senses_leave_commands_finite(bad):
    mind = mind_of()
    wrong = np.array([(0, 60000, 0, 1), (0, 1, 0, 0)], EVENT_DTYPE)
    for k in range(1, 100):
        t_ns = k * PACKET_NS
        legs = LegSense(t_ns, (bad,) * 12, (bad,) * 12, (bad,) * 12, wrong)
        imu = imu_of(t_ns, (bad, bad, bad) if k % 2 else (0.0, 0.0, 0.0))
        wish = BodyCommand(t_ns, bad, 0.0, 0.0, bad) if k % 3 == 0 else AHEAD
        assert mind.step(empty_events(), t_ns, imu, legs, wish).command.is_finite()


def test_missing_senses_and_gaps_in_time_are_survived():
    mind = mind_of(seeing=True)
    for t_ns in (5_000_000, 10_000_000, 10_000_000, 3_000_000, 9_000_000_000, 9_005_000_000):
        assert mind.step(empty_events(), t_ns, None, None, AHEAD).command.is_finite()


def test_geometry_must_be_known():
    with pytest.raises(RuntimeError, match="look_through"):
        WalkerMind(WalkerMindConfig(), 0).step(empty_events(), 5_000_000, None, None, AHEAD)


def test_a_robot_turned_round_knows_it():
    mind = mind_of(learning=False)
    walk(mind, 400, rates=(0.0, 0.0, 1.0))
    assert mind.feel.heading == pytest.approx(1.995, abs=0.01)  # 399 packets; more than the reflex can say


def test_a_wish_beyond_what_it_can_walk_is_limited():
    mind = mind_of()
    walk(mind, 600, BodyCommand(0, 99.0, -99.0, 0.0, 99.0))
    assert mind.stepping.velocity == pytest.approx([1.0, -0.4, 1.5], abs=0.01)
