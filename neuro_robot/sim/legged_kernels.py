"""What follows from a millisecond of a legged body: trunk pose, feet in the world, joint work and slip."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from neuro_robot.sim.quadrotor import STEP_S, rotate_to_body
from neuro_robot.sim.quadruped import Floats, foot_positions

WORK, ABSOLUTE, SLIP = range(3)  # entries of sums


@njit(cache=True)
def rotate_to_world(quaternion: Floats, vector: Floats, out: Floats) -> None:
    """A body vector in world axes; quaternion x, y, z, w turns body into world."""
    inverse = np.empty(4)
    for k in range(3):
        inverse[k] = -quaternion[k]
    inverse[3] = quaternion[3]
    rotate_to_body(inverse, vector, out)


@njit(cache=True)
def trunk_truth(pose: Floats, motion: Floats, frame: Floats, truth: Floats) -> None:
    """Pose (7,) and motion (6,) of the centre of mass to the truth (13,) of the trunk's origin.

    frame (7,): the centre of mass and its principal axes in the trunk, as Bullet keeps a base.
    """
    x, y, z, w = pose[3], pose[4], pose[5], pose[6]
    a, b, c, d = -frame[3], -frame[4], -frame[5], frame[6]
    truth[3] = w * a + x * d + y * c - z * b
    truth[4] = w * b - x * c + y * d + z * a
    truth[5] = w * c + x * b - y * a + z * d
    truth[6] = w * d - x * a - y * b - z * c
    arm = np.empty(3)
    rotate_to_world(truth[3:7], frame[:3], arm)
    rx, ry, rz = motion[3], motion[4], motion[5]
    turning = (ry * arm[2] - rz * arm[1], rz * arm[0] - rx * arm[2], rx * arm[1] - ry * arm[0])
    for k in range(3):
        truth[k] = pose[k] - arm[k]
        truth[7 + k] = motion[k] - turning[k]
    rotate_to_body(truth[3:7], motion[3:6], truth[10:13])


@njit(cache=True)
def feet_in_world(truth: Floats, geometry: Floats, angles: Floats, feet: Floats) -> None:
    """Centres of the feet (4, 3), m, world."""
    local = np.empty((4, 3))
    foot_positions(geometry, angles, local)
    for leg in range(4):
        rotate_to_world(truth[3:7], local[leg], feet[leg])
        for k in range(3):
            feet[leg, k] += truth[k]


@njit(cache=True)
def slipped(truth: Floats, joints: Floats, leg: int, way: Floats, radius: float) -> float:
    """How far the sole of a foot slid in a millisecond, m, when its centre moved by way (3,): rolling is no slip."""
    turning, spin = np.empty(3), np.empty(3)
    swing = joints[1, 3 * leg + 1] + joints[1, 3 * leg + 2]
    turning[0] = truth[10] + joints[1, 3 * leg]
    turning[1] = truth[11] + swing * math.cos(joints[0, 3 * leg])
    turning[2] = truth[12] + swing * math.sin(joints[0, 3 * leg])
    rotate_to_world(truth[3:7], turning, spin)
    return math.hypot(way[0] - radius * spin[1] * STEP_S, way[1] + radius * spin[0] * STEP_S)


@njit(cache=True)
def after_step(
    pose: Floats,
    motion: Floats,
    frame: Floats,
    joints: Floats,
    before: Floats,
    torques: Floats,
    geometry: Floats,
    radius: float,
    contacts: Floats,
    truth: Floats,
    feet: Floats,
    sums: Floats,
) -> None:
    """Truth, feet and sums after a step; before (12,): the angles a step ago, contacts (4,): feet on the ground then.

    Work is torque times the angle turned: exact for a torque that holds through the step.
    """
    trunk_truth(pose, motion, frame, truth)
    old = feet.copy()
    feet_in_world(truth, geometry, joints[0], feet)
    for j in range(torques.size):
        work = torques[j] * (joints[0, j] - before[j])
        sums[ABSOLUTE] += abs(work)
        sums[WORK] += max(work, 0.0)
    for leg in range(4):
        if contacts[leg]:
            sums[SLIP] += slipped(truth, joints, leg, feet[leg] - old[leg], radius)
