"""Leg kinematics: both ways, against rotation matrices, out of reach."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from neuro_robot.agents.kinematics import SIDES, KinematicsConfig, foot_positions, joint_angles
from neuro_robot.sim.quadruped import QuadrupedConfig

CONFIG = KinematicsConfig(knee_min=-3.0, knee_max=-0.02)  # nearly free
LINKS = CONFIG.links()


def chain(angles: np.ndarray, side: float) -> np.ndarray:
    """The foot by products of rotation matrices."""
    q0, q1, q2 = angles
    rx = np.array([[1, 0, 0], [0, np.cos(q0), -np.sin(q0)], [0, np.sin(q0), np.cos(q0)]])

    def ry(q: float) -> np.ndarray:
        return np.array([[np.cos(q), 0, np.sin(q)], [0, 1, 0], [-np.sin(q), 0, np.cos(q)]])

    hip, thigh, calf = LINKS[:3]
    down = np.array([0.0, 0.0, -1.0])
    return rx @ (np.array([0, side * hip, 0]) + ry(q1) @ (thigh * down + ry(q2) @ (calf * down)))


@given(st.lists(st.tuples(st.floats(-0.8, 0.8), st.floats(-0.6, 1.4), st.floats(-2.6, -0.2)), min_size=4, max_size=4))
def test_forward_equals_rotation_matrices_and_inverse_undoes_it(rows):
    angles = np.array(rows)
    feet = foot_positions(angles, LINKS)
    np.testing.assert_allclose(feet, [chain(row, side) for row, side in zip(angles, SIDES, strict=True)], atol=1e-12)
    below = np.all(feet @ np.array([0, 0, 1.0]) < -0.12)
    if below:
        np.testing.assert_allclose(foot_positions(joint_angles(feet, LINKS), LINKS), feet, atol=1e-9)


def test_a_foot_out_of_reach_gives_a_leg_stretched_towards_it():
    feet = np.array([[0.3, side * CONFIG.hip, -3.0] for side in SIDES])
    angles = joint_angles(feet, LINKS)
    assert np.isfinite(angles).all()
    assert np.all(np.abs(angles[:, 2]) < 0.05)
    reached = foot_positions(angles, LINKS)
    np.testing.assert_allclose(reached[:, 0] / reached[:, 2], -0.1, atol=1e-6)


@given(st.tuples(*[st.floats(-1.0, 1.0)] * 3))
def test_knees_stay_between_their_limits_wherever_a_foot_shall_go(foot):
    config = KinematicsConfig()
    angles = joint_angles(np.tile(foot, (4, 1)), config.links())
    assert np.all(angles[:, 2] >= config.knee_min - 1e-9)
    assert np.all(angles[:, 2] <= config.knee_max + 1e-9)


def test_a_foot_too_near_or_too_far_stays_on_its_line_from_the_thigh():
    config = KinematicsConfig()
    for knee, z in ((config.knee_min, -0.02), (config.knee_max, -0.5)):
        feet = np.array([[0.5 * z, side * config.hip, z] for side in SIDES])
        reached = foot_positions(joint_angles(feet, config.links()), config.links())
        np.testing.assert_allclose(reached[:, 0] / reached[:, 2], 0.5, atol=1e-9)
        np.testing.assert_allclose(np.linalg.norm(reached[:, [0, 2]], axis=1), config.reach(knee), atol=1e-9)


def test_the_a1_obeys_every_knee_angle_of_the_mind():
    body, mind = QuadrupedConfig(), KinematicsConfig()
    assert body.knee_min < mind.knee_min < mind.knee_max < body.knee_max


def test_hips_lie_on_their_sides():
    hips = CONFIG.hips()
    assert np.all(np.sign(hips[:, 1]) == SIDES)
    assert hips[0, 0] == hips[1, 0] == -hips[2, 0]
