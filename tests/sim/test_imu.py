"""Sensor errors against the statistics they are declared with."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from neuro_robot.sim.imu import NOISES, ImuConfig, ImuModel, gauss_markov, turn_by
from neuro_robot.sim.quadrotor import GRAVITY, STEP_S

REST = np.array([1, 2, 3, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0], float)
PERFECT = ImuConfig(0.0, 0.0, 0.0, 0.0, attitude_error_deg=0.0, velocity_error=0.0, position_error=0.0)


def sampled(model, truth, count):
    rows = []
    for step in range(count):
        model.step(truth)
        imu = model.imu(step)
        rows.append((*imu.angular_velocity, *imu.linear_acceleration))
    return np.array(rows)


def test_at_rest_the_accelerometer_shows_gravity_and_white_noise_of_its_density():
    config = dataclasses.replace(ImuConfig(), gyro_walk=0.0, accelerometer_walk=0.0)
    model = ImuModel(config, 1)
    model.reset(REST)
    rows = sampled(model, REST, 4000)
    assert rows[:, :3].std(axis=0) == pytest.approx([config.gyro_noise / math.sqrt(STEP_S)] * 3, rel=0.05)
    assert rows[:, 3:].std(axis=0) == pytest.approx([config.accelerometer_noise / math.sqrt(STEP_S)] * 3, rel=0.05)
    assert rows[:, 3:].mean(axis=0) == pytest.approx([0, 0, GRAVITY], abs=0.01)


def test_a_bias_walks_with_the_square_root_of_time():
    config = dataclasses.replace(PERFECT, gyro_walk=0.01)
    ends = []
    for seed in range(40):
        model = ImuModel(config, seed)
        model.reset(REST)
        ends.append(sampled(model, REST, 1000)[-1, :3])
    assert np.std(ends) == pytest.approx(0.01 * math.sqrt(1.0), rel=0.2)


def test_gauss_markov_keeps_its_deviation_and_forgets_with_its_time():
    random = np.random.default_rng(0)
    value, path = 0.0, []
    for noise in random.standard_normal(200_000):
        value = gauss_markov(value, 0.5, 0.02, noise, 1e-3)
        path.append(value)
    series = np.array(path[1000:])
    assert series.std() == pytest.approx(0.5, rel=0.05)
    assert np.corrcoef(series[:-20], series[20:])[0, 1] == pytest.approx(math.exp(-1), abs=0.05)


def test_specific_force_is_acceleration_less_gravity_in_the_body():
    model = ImuModel(PERFECT, 0)
    nose_up = math.radians(-30)  # pitch about y: positive is nose down
    truth = REST.copy()
    truth[3:7] = 0.0, math.sin(nose_up / 2), 0.0, math.cos(nose_up / 2)
    model.reset(truth)
    model.imu(0)
    truth[7] = 2.0 * STEP_S  # gained in one step: 2 m/s^2 along x
    model.step(truth)
    c, s = math.cos(nose_up), math.sin(nose_up)
    expected = (2 * c - GRAVITY * s, 0.0, 2 * s + GRAVITY * c)
    assert model.imu(1).linear_acceleration == pytest.approx(expected, abs=1e-9)


def test_free_fall_weighs_nothing():
    model = ImuModel(PERFECT, 0)
    model.reset(REST)
    model.imu(0)
    truth = REST.copy()
    truth[9] = -GRAVITY * STEP_S
    model.step(truth)
    assert model.imu(1).linear_acceleration == pytest.approx((0, 0, 0), abs=1e-9)


def test_a_bump_shows_up_to_the_range_of_the_sensor():
    model = ImuModel(PERFECT, 0)
    model.reset(REST)
    model.imu(0)
    truth = REST.copy()
    truth[7], truth[12] = -5.0, 90.0  # stopped by a trunk within a millisecond, spinning
    model.step(truth)
    imu = model.imu(1)
    assert imu.linear_acceleration == pytest.approx((-157.0, 0.0, GRAVITY))
    assert imu.angular_velocity == pytest.approx((0.0, 0.0, 34.9))


def test_a_sample_is_the_mean_since_the_last_one():
    model = ImuModel(PERFECT, 0)
    model.reset(REST)
    model.imu(0)
    truth = REST.copy()
    for rate in (1.0, 2.0, 6.0):
        truth[10] = rate
        model.step(truth)
    assert model.imu(1).angular_velocity == pytest.approx((3.0, 0, 0))


def test_odometry_reports_velocity_in_base_link():
    model = ImuModel(PERFECT, 0)
    truth = REST.copy()
    truth[3:7] = 0.0, 0.0, math.sin(math.pi / 4), math.cos(math.pi / 4)  # facing +y
    truth[7:10] = 0.0, 5.0, 1.0
    model.reset(truth)
    odom = model.odometry(7)
    assert odom.t_ns == 7
    assert odom.position == pytest.approx((1, 2, 3))
    assert odom.velocity == pytest.approx((5, 0, 1), abs=1e-12)


def test_attitude_error_has_the_declared_spread_and_stays_a_rotation():
    angles = []
    for seed in range(300):
        model = ImuModel(ImuConfig(), seed)
        model.reset(REST)
        quaternion = np.array(model.estimate[3:7])
        assert np.linalg.norm(quaternion) == pytest.approx(1.0)
        angles.append(2 * quaternion[:3])
    assert np.degrees(np.std(angles)) == pytest.approx(0.3, rel=0.1)


def test_turn_by_composes_on_the_right():
    out = np.empty(4)
    facing_left = np.array([0.0, 0.0, math.sqrt(0.5), math.sqrt(0.5)])
    turn_by(facing_left, np.array([0.01, 0.0, 0.0]), out)
    roll = np.array([math.sin(0.005), 0, 0, math.cos(0.005)])
    x, y, z, w = facing_left
    matrix = np.array([[w, -z, y, x], [z, w, -x, y], [-y, x, w, z], [-x, -y, -z, w]])
    assert out == pytest.approx(matrix @ roll, abs=1e-6)


def test_same_seed_same_errors_other_seed_others():
    def run(seed):
        model = ImuModel(ImuConfig(), seed)
        model.reset(REST)
        return sampled(model, REST, 600)

    assert np.array_equal(run(4), run(4))
    assert not np.array_equal(run(4), run(5))


def test_the_noise_row_is_fully_used():
    assert NOISES == 7 * 3


def test_without_a_compass_the_heading_runs_away_as_the_gyroscope_s_bias_adds_up():
    config = dataclasses.replace(PERFECT, heading_drift=0.5)
    rates = []
    for seed in range(60):
        model = ImuModel(config, seed)
        model.reset(REST)
        model.imu(0)
        for _ in range(1000):
            model.step(REST)
        imu = model.imu(1)
        _, _, z, w = imu.orientation
        rates.append(math.degrees(2 * math.atan2(z, w)))
        assert rates[-1] == pytest.approx(math.degrees(imu.angular_velocity[2]), rel=2e-3)
        assert model.odometry(1).orientation[2] == 0.0
    assert np.std(rates) == pytest.approx(0.5, rel=0.25)


def test_the_heading_that_runs_away_leaves_roll_and_pitch_as_they_are():
    model = ImuModel(dataclasses.replace(PERFECT, heading_drift=10.0), 3)
    tilted = REST.copy()
    tilted[3:7] = 0.0, math.sin(0.2), 0.0, math.cos(0.2)
    model.reset(tilted)
    for _ in range(2000):
        model.step(tilted)
    x, y, z, w = model.imu(1).orientation
    assert 2 * (x * z - w * y) == pytest.approx(-math.sin(0.4), abs=1e-9)  # pitch
    assert 2 * (y * z + w * x) == pytest.approx(0.0, abs=1e-9)  # roll
    assert abs(math.degrees(math.atan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z)))) > 1.0
