"""Forward and inverse kinematics of a leg with three joints, in closed form, both ways.

Frames: the leg's own hip frame, axes as base_link (x forward, y left, z up), origin on the hip's roll axis. Joints:
roll q0 about x, then thigh q1 and knee q2 about y; side is +1 for a left leg and -1 for a right one:

    p = Rx(q0) ((0, side hip, 0) + Ry(q1) ((0, 0, -thigh) + Ry(q2) (0, 0, -calf)))

The knee bends backwards (q2 <= 0). All zeros is a straight leg. Feet are in the order FR, FL, RR, RL everywhere.
Source: elementary geometry; Siciliano et al., Robotics, 2009, section 2.12 (three-link arm).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from neuro_robot.config import parameter

LEGS = ("FR", "FL", "RR", "RL")
SIDES = np.array([-1.0, 1.0, -1.0, 1.0])  # left is +1
ENDS = np.array([1.0, 1.0, -1.0, -1.0])  # front is +1


@dataclass(frozen=True)
class KinematicsConfig:
    """A body's leg geometry; the defaults are those of the Unitree A1."""

    hip: float = parameter(0.0838, "sideways offset from the roll axis to the thigh, m", 0.0, 1.0)
    thigh: float = parameter(0.2, "length of the thigh, m", 0.01, 2.0)
    calf: float = parameter(0.2, "length of the calf with the foot, m", 0.01, 2.0)
    length: float = parameter(0.366, "distance between front and rear hips, m", 0.01, 5.0)
    width: float = parameter(0.094, "distance between the left and right roll axes, m", 0.0, 5.0)
    knee_min: float = parameter(-2.69, "knee bent as far as it goes, rad", -3.1, 0.0)
    knee_max: float = parameter(-0.92, "knee stretched as far as it goes, rad", -3.1, 0.0)

    def links(self) -> NDArray[np.float64]:
        """(5,) hip, thigh and calf, m, then the shortest and the longest reach of the leg, as the kernels take them."""
        reach = [self.reach(self.knee_min), self.reach(max(self.knee_min, self.knee_max))]
        return np.array([self.hip, self.thigh, self.calf, *reach])

    def reach(self, knee: float) -> float:
        """From the thigh joint to the foot, m, with this knee angle, rad (law of cosines)."""
        return math.sqrt(self.thigh**2 + self.calf**2 + 2.0 * self.thigh * self.calf * math.cos(knee))

    def hips(self) -> NDArray[np.float64]:
        """(4, 2) place of each roll axis in base_link, m."""
        return np.stack([0.5 * self.length * ENDS, 0.5 * self.width * SIDES], axis=1)


@njit(cache=True)
def foot_positions(angles: NDArray[np.float64], links: NDArray[np.float64]) -> NDArray[np.float64]:
    """(4, 3) joint angles -> (4, 3) feet in their hip frames, m."""
    feet = np.empty_like(angles)
    hip, thigh, calf = links[:3]
    for leg in range(angles.shape[0]):
        side = -1.0 if leg % 2 == 0 else 1.0
        q0, q1, q2 = angles[leg]
        y, z = side * hip, -thigh * math.cos(q1) - calf * math.cos(q1 + q2)
        feet[leg, 0] = -thigh * math.sin(q1) - calf * math.sin(q1 + q2)
        feet[leg, 1] = y * math.cos(q0) - z * math.sin(q0)
        feet[leg, 2] = y * math.sin(q0) + z * math.cos(q0)
    return feet


@njit(cache=True)
def joint_angles(feet: NDArray[np.float64], links: NDArray[np.float64]) -> NDArray[np.float64]:
    """(4, 3) feet in their hip frames, m -> (4, 3) joint angles, rad.

    A foot out of reach, which the knee's limits set, is moved along the line from the thigh joint: the result is finite
    for finite feet, and a body with these limits obeys it.
    """
    angles = np.empty_like(feet)
    hip, thigh, calf, shortest, longest = links
    for leg in range(feet.shape[0]):
        side = -1.0 if leg % 2 == 0 else 1.0
        x, y, z = feet[leg]
        down = math.sqrt(max(y * y + z * z - hip * hip, 1e-12))
        q0 = math.atan2(z, y) - math.atan2(-down, side * hip)
        q0 = (q0 + math.pi) % (2.0 * math.pi) - math.pi
        reach = math.sqrt(x * x + down * down)
        reach_used = min(max(reach, shortest), longest)
        cosine = (reach_used * reach_used - thigh * thigh - calf * calf) / (2.0 * thigh * calf)
        q2 = -math.acos(min(max(cosine, -1.0), 1.0))
        q1 = math.atan2(-x, down) - math.atan2(calf * math.sin(q2), thigh + calf * math.cos(q2))
        angles[leg, 0], angles[leg, 1], angles[leg, 2] = q0, q1, q2
    return angles
