"""The truth about a body, for scoring and for pictures; never for learning."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuro_robot.robot import Quaternion, Vector3


class VehicleState(NamedTuple):
    """True pose and motion of the body."""

    position: Vector3  # m, world
    quaternion: Quaternion  # x, y, z, w, body into world
    velocity: Vector3  # m/s, world
    rates: Vector3  # rad/s, body


def state_of(truth: NDArray[np.float64]) -> VehicleState:
    """The state in a truth array (13,): position, quaternion, velocity in the world, rates in the body."""
    px, py, pz, x, y, z, w, vx, vy, vz, rx, ry, rz = truth.tolist()
    return VehicleState((px, py, pz), (x, y, z, w), (vx, vy, vz), (rx, ry, rz))
