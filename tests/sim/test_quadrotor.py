"""Rotors and airframe against closed forms."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuro_robot.errors import SimulationError
from neuro_robot.sim.quadrotor import (
    GRAVITY,
    STEP_S,
    Quadrotor,
    QuadrotorConfig,
    drag_force,
    rotate_to_body,
    rotor_torque,
)
from neuro_robot.sim.records import record

LEVEL = np.array([0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0], float)


def test_rotor_thrust_follows_the_exponential_after_the_latency():
    config = QuadrotorConfig(motor_latency_ms=5)
    rotors = Quadrotor(config)
    before, target = rotors.hover_thrust, 4.0
    for step in range(200):
        rotors.step(LEVEL, np.full(4, target))
        elapsed = max(step + 1 - 5, 0) * STEP_S
        expected = target + (before - target) * math.exp(-elapsed / config.motor_time_constant)
        assert rotors.thrusts == pytest.approx(np.full(4, expected), rel=1e-12)


def test_thrust_stays_within_the_rotor_limits():
    config = QuadrotorConfig(motor_latency_ms=0)
    rotors = Quadrotor(config)
    for _ in range(2000):
        rotors.step(LEVEL, np.array([1e9, -1e9, 0.0, 3.0]))
    low, high = config.rotor_thrust_min, config.rotor_thrust_max
    assert rotors.thrusts == pytest.approx([high, low, low, 3.0], rel=1e-9)


def test_hover_thrust_carries_the_weight_and_turns_nothing():
    config = QuadrotorConfig()
    rotors = Quadrotor(config)
    wrench = rotors.step(LEVEL, np.full(4, rotors.hover_thrust))
    assert wrench == pytest.approx([0, 0, config.mass * GRAVITY, 0, 0, 0], abs=1e-12)


def test_torque_is_the_sum_of_lever_arms_and_reaction_torques():
    config = QuadrotorConfig()
    x, y, kappa = config.rotor_x, config.rotor_y, config.torque_ratio
    arms = np.array([[x, y, 0], [x, -y, 0], [-x, y, 0], [-x, -y, 0]])
    spins = np.array([-1, 1, 1, -1])  # reaction on the body about z: front left and back right turn counter-clockwise
    thrusts = np.random.default_rng(3).uniform(0, 8, 4)
    torque = np.empty(3)
    rotor_torque(record(config), thrusts, torque)
    forces = np.zeros((4, 3))
    forces[:, 2] = thrusts
    reaction = np.array([0, 0, kappa * (spins * thrusts).sum()])
    expected = np.cross(arms, forces).sum(axis=0) + reaction
    assert torque == pytest.approx(expected, abs=1e-12)


@given(st.lists(st.floats(-30, 30), min_size=3, max_size=3))
def test_drag_opposes_the_motion(velocity):
    config, force = QuadrotorConfig(), np.empty(3)
    drag_force(record(config), np.array(velocity), force)
    speed = math.sqrt(sum(v * v for v in velocity))
    linear = np.array([config.drag_x, config.drag_y, config.drag_z])
    assert force == pytest.approx(-(linear + config.drag_quadratic * speed) * velocity, abs=1e-9)
    assert force @ np.array(velocity) <= 0.0


@given(st.lists(st.floats(-1, 1), min_size=4, max_size=4).filter(lambda q: sum(v * v for v in q) > 0.1))
def test_rotation_matches_the_matrix_of_the_quaternion(values):
    x, y, z, w = np.array(values) / np.linalg.norm(values)
    matrix = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )
    vector, out = np.array([0.3, -2.0, 1.1]), np.empty(3)
    rotate_to_body(np.array([x, y, z, w]), vector, out)
    assert out == pytest.approx(matrix.T @ vector, abs=1e-12)


def test_full_speed_needs_less_than_fifty_degrees_of_tilt():
    """Level flight: the drag along body x is carried by the weight's share, m g sin(tilt)."""
    config = QuadrotorConfig()
    speed = 18.0
    tilt = math.atan((config.drag_x + config.drag_quadratic * speed) * speed / (config.mass * GRAVITY))
    assert 30 < math.degrees(tilt) < 50


def test_a_vehicle_that_cannot_lift_itself_is_refused():
    with pytest.raises(SimulationError, match="rotor_thrust_max"):
        Quadrotor(dataclasses.replace(QuadrotorConfig(), mass=4.0))


def test_reset_forgets_what_was_under_way():
    rotors = Quadrotor(QuadrotorConfig())
    first = [rotors.step(LEVEL, np.full(4, 3.0)).copy() for _ in range(20)]
    rotors.reset()
    again = [rotors.step(LEVEL, np.full(4, 3.0)).copy() for _ in range(20)]
    assert np.array_equal(first, again)
