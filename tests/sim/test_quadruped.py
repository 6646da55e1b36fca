"""Legs and trunk against PyBullet's own kinematics and closed forms."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from sim.worlds_by_hand import world_of

from neuro_robot.config import from_dict, load_node_parameters
from neuro_robot.errors import SimulationError
from neuro_robot.sim.camera import rotation_of
from neuro_robot.sim.legged_bullet import LeggedBody
from neuro_robot.sim.legged_kernels import feet_in_world, rotate_to_world, slipped, trunk_truth
from neuro_robot.sim.quadruped import QuadrupedConfig, joint_torques, leg_geometry, per_joint, stance_of
from neuro_robot.sim.walk_simulation import QuadrupedSimConfig
from neuro_robot.sim.world import Start

ROOT = Path(__file__).resolve().parents[2]
LAIKAGO = from_dict(
    QuadrupedSimConfig, load_node_parameters(ROOT / "config" / "laikago.yaml", "leg_sim_node")["quadruped"]
).body
CHEETAH = from_dict(
    QuadrupedConfig,
    {
        "urdf": "mini_cheetah/mini_cheetah.urdf",
        "leg_names": "fr fl hr hl",
        "hip_joint": "torso_to_abduct_{leg}_j",
        "thigh_joint": "abduct_{leg}_to_thigh_{leg}_j",
        "knee_joint": "thigh_{leg}_to_knee_{leg}_j",
        "foot_joint": "toe_{leg}_joint",
        "joint_signs": "1 -1 -1",
        "hip_x": 0.19,
        "hip_y": 0.049,
        "hip_length": 0.062,
        "thigh_length": 0.209,
        "shank_length": 0.18,
    },
)


def body_truth(physics):
    truth = np.zeros(13)
    trunk_truth(physics.pose, physics.motion, physics.frame, truth)
    return truth


@pytest.mark.parametrize(
    ("config", "error"), [(QuadrupedConfig(), 1e-5), (LAIKAGO, 2e-3), (CHEETAH, 1e-5)], ids=["a1", "laikago", "cheetah"]
)
def test_feet_are_where_the_physics_has_them_for_any_pose_and_angles(config, error):
    """The URDF's tree of rotations against the formulas; three bodies, by configuration alone."""
    physics, rng, feet = (
        LeggedBody(world_of(start=Start(0, 0, 0.3)), config),
        np.random.default_rng(1),
        np.empty((4, 3)),
    )
    for _ in range(20):
        angles = stance_of(config) + rng.uniform(-0.4, 0.4, 12)
        position = tuple(rng.uniform(-5, 5, 3).tolist())
        physics.place(position, float(rng.uniform(-3, 3)), angles)
        physics.read()
        np.testing.assert_allclose(physics.joints[0], angles, atol=1e-9)
        truth = body_truth(physics)
        assert truth[:3] == pytest.approx(position, abs=1e-6)  # the pose passed through single precision
        feet_in_world(truth, leg_geometry(config), angles, feet)
        for foot, link in enumerate(physics._feet):
            state = physics._bullet.getLinkState(physics._body, link, 0, 1, physicsClientId=physics._client)
            np.testing.assert_allclose(feet[foot], state[4], atol=error)
    physics.close()


def test_the_trunk_moves_as_a_rigid_body_about_its_centre_of_mass():
    rng = np.random.default_rng(2)
    for _ in range(20):
        turn, local = rng.normal(size=4), rng.normal(size=4)
        turn, local = turn / np.linalg.norm(turn), local / np.linalg.norm(local)
        motion, centre, where = rng.normal(size=6), rng.normal(size=3), rng.normal(size=3)
        truth = np.zeros(13)
        trunk_truth(np.array([*where, *turn]), motion, np.array([*centre, *local]), truth)
        rotation = rotation_of(turn) @ rotation_of(local).T
        np.testing.assert_allclose(rotation_of(truth[3:7]), rotation, atol=1e-12)
        np.testing.assert_allclose(truth[:3], where - rotation @ centre, atol=1e-12)
        np.testing.assert_allclose(truth[7:10], motion[:3] - np.cross(motion[3:], rotation @ centre), atol=1e-12)
        np.testing.assert_allclose(truth[10:], rotation.T @ motion[3:], atol=1e-12)
        out = np.empty(3)
        rotate_to_world(turn, centre, out)
        np.testing.assert_allclose(out, rotation_of(turn) @ centre, atol=1e-12)


def test_free_fall_loses_no_speed_and_bends_no_joint():
    physics = LeggedBody(world_of(start=Start(0, 0, 0.3)), QuadrupedConfig())
    physics.place((0.0, 0.0, 40.0), 0.0, stance_of(QuadrupedConfig()))
    for step in range(1000):
        physics.drive(np.zeros(12))
        physics.step(step * 1e-3)
    physics.read()
    assert physics.motion[2] == pytest.approx(-9.81, rel=1e-6)
    np.testing.assert_allclose(physics.joints[0], stance_of(QuadrupedConfig()), atol=1e-6)
    physics.close()


def test_actuators_follow_with_their_lag_and_stop_at_their_limit():
    felt, torques, limits = np.zeros((2, 12)), np.zeros(12), np.full(12, 20.0)
    felt[1, 1] = 3.0
    target, strength = np.zeros(12), np.ones(12)
    target[0], target[2], strength[2] = 0.1, 9.0, 0.6
    blend = 1.0 - math.exp(-0.5)
    for _ in range(2):
        joint_torques(target, felt, np.array([100.0, 2.0]), limits, strength, blend, torques)
    part = 1.0 - math.exp(-1.0)
    assert torques[:4] == pytest.approx([10.0 * part, -6.0 * part, 0.6 * 20.0 * part, 0.0])


def test_a_rolling_foot_does_not_slip_and_a_dragged_one_does():
    truth, joints = np.zeros(13), np.zeros((2, 12))
    truth[6] = 1.0
    joints[1, 4] = 3.0  # thigh of the second leg, rad/s about y: the ball rolls forward by 20 mm * 3 rad/s
    rolled = np.array([0.02 * 3.0 * 1e-3, 0.0, 0.0])
    assert slipped(truth, joints, 1, rolled, 0.02) == pytest.approx(0.0, abs=1e-15)
    assert slipped(truth, joints, 1, np.zeros(3), 0.02) == pytest.approx(0.06e-3)
    assert slipped(truth, joints, 0, np.array([3e-3, 4e-3, 1.0]), 0.02) == pytest.approx(5e-3)


def test_signs_are_three_or_twelve_numbers():
    np.testing.assert_array_equal(per_joint("1 -1 2", "joint_signs"), [1, -1, 2] * 4)
    np.testing.assert_array_equal(per_joint(" ".join(map(str, range(12))), "joint_signs"), np.arange(12))
    for text in ("", "1 2", "1 2 nan", "a b c", "1 " * 13):
        with pytest.raises(SimulationError, match=r"body\.joint_signs: expected 3 or 12 numbers"):
            per_joint(text, "joint_signs")
