"""The drone's mind: determinism, steering, plasticity, and what it does with time."""

from __future__ import annotations

import numpy as np
import pytest
from agents.streams import AT_REST, MS, SIZE, imu_with, stream

from neuro_robot.agents import avoidance
from neuro_robot.agents.avoidance import SCALING_STEPS
from neuro_robot.agents.drone import DroneMind, DroneMindConfig
from neuro_robot.config import from_dict
from neuro_robot.events.array import EVENT_DTYPE, empty_events

# Named here, so that the tests do not move with the defaults.
SETTINGS = {
    "network.retina_gain": 1.0,
    "network.motor_bias": 0.5,
    "plasticity.rate": 1e-3,
    "plasticity.w_init": 0.1,
    "plasticity.w_max": 0.6,
    "reward.floor_khz": 0.0,
    "vision.pitch_deg": 30.0,
}
LEFT, RIGHT = (8, SIZE // 2), (SIZE // 2, SIZE - 8)


def mind_of(seed=0, **settings):
    named = {name.replace("__", "."): value for name, value in settings.items()}
    mind = DroneMind(from_dict(DroneMindConfig, {**SETTINGS, **named}), seed)
    mind.look_through(SIZE, SIZE)
    return mind


def fly(mind, parts, imu=AT_REST):
    return [mind.step(events, t_end, imu) for events, t_end in parts]


def spikes_of(decisions):
    return np.concatenate([decision.spikes for decision in decisions])


def steer(mind):
    return mind.network.weights("steer")


def reflex(mind, weight=0.3):
    """Hand-set weights: columns of one side excite the motors that turn to the other. Left columns come last."""
    columns, motors = mind.config.vision.n_columns, mind.config.network.motor_neurons
    left = np.tile(np.arange(columns) >= columns // 2, 2)[:, None]
    turns_right = (np.arange(2 * motors) >= motors)[None, :]
    mind.network.set_weights("steer", np.where(left == turns_right, weight, 0.0))
    return mind


def test_same_seed_same_bits():
    parts = stream(1, 150)
    one, other = mind_of(3), mind_of(3)
    here, there = fly(one, parts), fly(other, parts)
    assert len(spikes_of(here)) > 100
    assert np.array_equal(spikes_of(here), spikes_of(there))
    assert [decision.command for decision in here] == [decision.command for decision in there]
    assert steer(one).tobytes() == steer(other).tobytes()
    assert steer(mind_of(4)).tobytes() != steer(mind_of(3)).tobytes()


def test_learning_changes_weights_and_its_switch_keeps_them():
    parts = stream(2, 150, columns=LEFT)
    learning, fixed, switched = mind_of(), mind_of(learning=False), mind_of()
    switched.learning = False
    start = steer(learning).copy()
    for mind in (learning, fixed, switched):
        fly(mind, parts)
    assert not np.array_equal(steer(learning), start)
    assert np.array_equal(steer(fixed), start)
    assert np.array_equal(steer(switched), start)
    assert (learning.learning, fixed.learning, switched.learning) == (True, False, False)


def test_weights_keep_their_bounds():
    mind = mind_of(plasticity__rate=1.0)
    fly(mind, stream(3, 200, n=60, columns=LEFT))
    assert steer(mind).min() >= 0.0
    assert steer(mind).max() <= np.float32(0.6)


def test_looming_on_one_side_steers_to_the_other():
    assert fly(reflex(mind_of(learning=False)), stream(4, 100, columns=LEFT))[-1].command.vy < -0.1
    assert fly(reflex(mind_of(learning=False)), stream(4, 100, columns=RIGHT))[-1].command.vy > 0.1


def test_reward_says_right_when_it_looms_on_the_left():
    left, right = ((8, 32), (0, 16)), ((32, 56), (0, 16))
    for (columns, rows), sign in ((left, 1), (right, -1)):
        decisions = fly(mind_of(), stream(5, 50, columns=columns, rows=rows))
        assert sign * decisions[-1].reward > 0.05


def test_learning_strengthens_the_side_that_turns_away():
    """It looms on the left: the columns that see it come to excite the right motors more than the left ones."""
    mind = mind_of(network__motor_bias=1.05, course__max_course_deg=0.0)
    n = mind.config.network.motor_neurons
    before = steer(mind).copy()
    fly(mind, stream(6, 400, n=20, columns=(SIZE // 2 - 7, SIZE // 2), rows=(0, 40)))
    active = np.ptp(steer(mind) - before, axis=1) > 0
    change = (steer(mind) - before)[active]
    assert change[:, n:].sum() > change[:, :n].sum() + 0.1


def test_a_reward_that_always_comes_is_expected():
    mind = mind_of(learning=False, course__max_course_deg=0.0, reward__tau_mean_ms=100.0)
    fly(mind, stream(6, 400, n=20, columns=(SIZE // 2 - 7, SIZE // 2), rows=(0, 40)))
    felt = fly(mind, stream(6, 400, n=20, columns=(SIZE // 2 - 7, SIZE // 2), rows=(0, 40)))[-1].reward
    assert felt > 0.05
    assert mind.expected_reward == pytest.approx(felt, abs=0.05)


def test_scaling_keeps_each_motors_sum():
    mind = mind_of()
    fly(mind, stream(7, 2 * SCALING_STEPS, period_ms=1, columns=LEFT))
    assert steer(mind).max() < 0.6  # nothing was cut off
    target = 0.1 * 2 * mind.config.vision.n_columns
    assert steer(mind).sum(axis=0) == pytest.approx(target, rel=1e-4)


def test_shuffled_reward_draws_past_rewards_only():
    parts = stream(8, 200, n=30, period_ms=1, rows=(0, 24))
    true = [decision.reward for decision in fly(mind_of(learning=False), parts)]
    drawn = [decision.reward for decision in fly(mind_of(learning=False, reward_mode="shuffled"), parts)]
    for k, reward in enumerate(drawn):
        assert any(abs(reward) == abs(past) for past in true[: k + 1])
    assert drawn != true
    assert min(drawn) < 0.0 < max(drawn)


def test_shuffled_reward_forgets_the_oldest_in_a_long_flight(monkeypatch):
    parts = stream(8, 100, n=30, period_ms=1, rows=(0, 24))
    drawn = []
    for kept in (avoidance.PAST_KEPT, 64):
        monkeypatch.setattr(avoidance, "PAST_KEPT", kept)
        mind = mind_of(learning=False, reward_mode="shuffled")
        drawn.append([decision.reward for decision in fly(mind, parts)])
        assert len(mind.avoidance._past) <= kept
    assert drawn[0][:64] == drawn[1][:64]
    assert drawn[0] != drawn[1]
    assert len(mind.avoidance._past) == 32 + (100 - 64) % 32


@pytest.mark.parametrize("t_ns", [10_000 * MS, 3_600_000 * MS, 0, 7])
def test_a_gap_in_time_is_skipped(t_ns):
    mind = mind_of()
    fly(mind, stream(9, 50))
    before = mind.network.steps
    decision = mind.step(empty_events(), t_ns, AT_REST)
    assert mind.network.steps - before <= 1
    assert decision.command.t_ns == t_ns
    assert decision.command.is_finite()


def test_joins_a_running_stream():
    mind = mind_of()
    mind.step(empty_events(), 5_000_000 * MS, AT_REST)
    mind.step(empty_events(), 5_000_002 * MS, AT_REST)
    assert mind.network.steps == 3


def test_steps_follow_sensor_time_whatever_the_packets():
    mind = mind_of()
    ends = [int(end * MS) for end in (0.4, 1.0, 2.5, 2.5, 7.9, 8.0)]  # parts of a step wait for the rest
    steps = []
    for end in ends:
        mind.step(empty_events(), end, AT_REST)
        steps.append(mind.network.steps)
    assert np.diff(steps).tolist() == [1, 1, 0, 5, 1]


def test_spikes_are_address_events_of_their_layers():
    mind = mind_of()
    decisions = fly(mind, stream(10, 50))
    spikes = spikes_of(decisions)
    sizes = np.array([2 * mind.config.vision.n_columns] * 2 + [2 * mind.config.network.motor_neurons])
    assert spikes.dtype == EVENT_DTYPE
    assert (spikes["x"] < sizes[spikes["y"]]).all()
    assert (np.diff(spikes["t"]) >= 0).all()
    for (_, t_end), decision in zip(stream(10, 50), decisions, strict=True):
        assert ((t_end - 2 * MS < decision.spikes["t"]) & (decision.spikes["t"] <= t_end)).all()


def test_new_flight_forgets_the_way_but_not_the_weights():
    mind = mind_of()
    first = fly(reflex(mind), stream(11, 100, columns=LEFT))
    learned = steer(mind).copy()
    mind.new_flight()
    assert np.array_equal(steer(mind), learned)
    quiet = mind.step(empty_events(), 2 * MS, AT_REST)
    assert first[-1].command.vy < -0.1
    assert abs(quiet.command.vy) < 0.01


def test_flies_without_an_imu_and_with_a_broken_attitude():
    broken = imu_with((float("nan"),) * 4)
    for imu in (None, broken):
        decisions = fly(mind_of(), stream(12, 20), imu)
        assert decisions[-1].command.is_finite()


def test_needs_to_know_its_camera():
    with pytest.raises(RuntimeError, match="look_through"):
        DroneMind(DroneMindConfig(), 0).step(empty_events(), MS, None)
