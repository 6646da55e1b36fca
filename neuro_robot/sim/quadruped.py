"""A four-legged body by configuration: names in its URDF, leg geometry, actuators, encoders; and their kernels.

Joints come in the order of `joint_states`: legs FR, FL, RR, RL, of each hip, thigh, knee. Angles are turned about the
body's x (hip) and y (thigh, knee) axes, all zero with the legs straight down; a positive thigh swings the foot back.
Signs and offsets take the URDF's own angles to these. Lengths: m; the defaults are those of `a1/a1.urdf` (Unitree A1).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from neuro_robot.config import parameter
from neuro_robot.errors import SimulationError

Floats = NDArray[np.float64]
LEGS = ("FR", "FL", "RR", "RL")
JOINTS = 12
JOINT_NAMES = tuple(f"{leg}_{joint}" for leg in LEGS for joint in ("hip", "thigh", "knee"))


@dataclass(frozen=True)
class QuadrupedConfig:
    """Body, leg geometry, actuators and encoders (Unitree A1)."""

    urdf: str = parameter("a1/a1.urdf", "file in the folder of pybullet_data, or a path")
    leg_names: str = parameter("FR FL RR RL", "how the URDF calls the legs front right, front left, rear right, left")
    hip_joint: str = parameter("{leg}_hip_joint", "name of the joint that swings the leg sideways")
    thigh_joint: str = parameter("{leg}_upper_joint", "name of the joint that swings the thigh")
    knee_joint: str = parameter("{leg}_lower_joint", "name of the joint that swings the shank")
    foot_joint: str = parameter("{leg}_toe_fixed", "name of the joint that holds the foot")
    joint_signs: str = parameter(
        "1 1 1", "+1 or -1 for hip, thigh, knee (or for 12 joints): URDF angle = sign q + offset"
    )
    joint_offsets: str = parameter("0 0 0", "offsets for hip, thigh, knee (or for 12 joints), rad")
    hip_x: float = parameter(0.183, "hip joint in front of and behind the middle, m (URDF)", 0.01, 2.0)
    hip_y: float = parameter(0.047, "hip joint left and right of the middle, m (URDF)", 0.0, 1.0)
    hip_z: float = parameter(0.0, "hip joint above the origin of the trunk, m (URDF)", -1.0, 1.0)
    rear_x: float = parameter(0.0, "rear hips further forward than the front ones are behind, m (URDF)", -1.0, 1.0)
    hip_length: float = parameter(0.08505, "hip joint to the plane of the leg, m (URDF)", 0.0, 1.0)
    thigh_length: float = parameter(0.2, "thigh joint to knee, m (URDF)", 0.01, 2.0)
    shank_length: float = parameter(0.2, "knee to the centre of the foot, m (URDF)", 0.01, 2.0)
    foot_radius: float = parameter(0.02, "radius of the ball of the foot, m (URDF)", 0.001, 0.2)
    stance_hip: float = parameter(0.0, "hip angle when standing, rad", -1.6, 1.6)
    stance_thigh: float = parameter(0.9, "thigh angle when standing, rad", -3.2, 3.2)
    stance_knee: float = parameter(-1.8, "knee angle when standing, rad", -3.2, 3.2)
    hip_limit: float = parameter(0.8028, "largest hip angle obeyed either way, rad (URDF)", 0.0, 3.2)
    thigh_min: float = parameter(-1.0471, "smallest thigh angle obeyed, rad (URDF)", -6.4, 6.4)
    thigh_max: float = parameter(4.1887, "largest thigh angle obeyed, rad (URDF)", -6.4, 6.4)
    knee_min: float = parameter(-2.6965, "smallest knee angle obeyed, rad (URDF)", -6.4, 6.4)
    knee_max: float = parameter(-0.9163, "largest knee angle obeyed, rad (URDF)", -6.4, 6.4)
    kp: float = parameter(100.0, "stiffness of the joint controller, N m/rad (Peng 2020)", 0.0, 2000.0)
    kd: float = parameter(2.0, "damping of the joint controller, N m s/rad (Peng 2020)", 0.0, 100.0)
    hip_torque: float = parameter(20.0, "largest torque of a hip, N m (URDF)", 0.1, 1000.0)
    thigh_torque: float = parameter(55.0, "largest torque of a thigh, N m (URDF)", 0.1, 1000.0)
    knee_torque: float = parameter(55.0, "largest torque of a knee, N m (URDF)", 0.1, 1000.0)
    actuator_time_constant: float = parameter(0.002, "first-order lag of the torque, s (assumed)", 1e-5, 0.1)
    friction: float = parameter(0.6, "coefficient of friction between foot and ground (assumed)", 0.0, 5.0)
    payload: float = parameter(0.0, "mass carried at the middle of the trunk, kg", 0.0, 100.0)
    encoder_noise: float = parameter(4e-4, "joint angle, standard deviation, rad (a step of 14 bits)", 0.0, 0.1)
    speed_noise: float = parameter(0.05, "joint speed, standard deviation, rad/s (assumed)", 0.0, 5.0)
    trunk_radius: float = parameter(0.13, "half the width over the hips, m, for the distance to solids", 0.01, 1.0)
    fall_height: float = parameter(0.13, "trunk over the mean of the feet that is a fall, m (as Minitaur's)", 0.0, 5.0)
    touch_force: float = parameter(5.0, "force at which the foot switch closes, it opens at half, N", 0.1, 1000.0)


def check_angles(config: QuadrupedConfig) -> None:
    """Raise SimulationError when the robot cannot stand as it shall, within the limits of its joints."""
    ranges = {
        "hip": (-config.hip_limit, config.hip_limit, config.stance_hip),
        "thigh": (config.thigh_min, config.thigh_max, config.stance_thigh),
        "knee": (config.knee_min, config.knee_max, config.stance_knee),
    }
    for joint, (low, high, stance) in ranges.items():
        if not low <= stance <= high:
            raise SimulationError(f"body.stance_{joint}: expected an angle within the joint's limits, {low:g} to "
                                  f"{high:g} rad, got {stance:g}")  # fmt: skip


def per_joint(text: str, name: str) -> Floats:
    """The 12 numbers of a parameter that gives 3 (the same for every leg) or 12; raises SimulationError."""
    try:
        values = np.array([float(word) for word in text.split()])
    except ValueError:
        values = np.empty(0)
    if values.size not in (3, JOINTS) or not np.isfinite(values).all():
        raise SimulationError(f"body.{name}: expected 3 or 12 numbers, got {text!r}")
    return values if values.size == JOINTS else np.tile(values, 4)


def each_leg(hip: float, thigh: float, knee: float) -> Floats:
    """(12,) the same three values for every leg."""
    return np.tile([hip, thigh, knee], 4)


def stance_of(config: QuadrupedConfig) -> Floats:
    """Joint angles (12,) of the standing robot, rad."""
    return each_leg(config.stance_hip, config.stance_thigh, config.stance_knee)


def leg_geometry(config: QuadrupedConfig) -> Floats:
    """(4, 6): hip joint x, y, z in the trunk, then lengths of hip (positive to the left), thigh and shank, m."""
    rows = np.empty((4, 6))
    for leg in range(4):
        front, left = leg < 2, leg % 2 == 1
        side = 1.0 if left else -1.0
        x = config.hip_x if front else config.rear_x - config.hip_x
        rows[leg] = x, side * config.hip_y, config.hip_z, side * config.hip_length, 0.0, 0.0
        rows[leg, 4:] = config.thigh_length, config.shank_length
    return rows


@njit(cache=True)
def foot_positions(geometry: Floats, angles: Floats, out: Floats) -> None:
    """Centres of the feet (4, 3) in the trunk, m, from joint angles (12,), rad."""
    for leg in range(4):
        hip, thigh, knee = angles[3 * leg], angles[3 * leg + 1], angles[3 * leg + 2]
        side, upper, lower = geometry[leg, 3], geometry[leg, 4], geometry[leg, 5]
        forward = -upper * math.sin(thigh) - lower * math.sin(thigh + knee)
        down = -upper * math.cos(thigh) - lower * math.cos(thigh + knee)
        cosine, sine = math.cos(hip), math.sin(hip)
        out[leg, 0] = geometry[leg, 0] + forward
        out[leg, 1] = geometry[leg, 1] + cosine * side - sine * down
        out[leg, 2] = geometry[leg, 2] + sine * side + cosine * down


@njit(cache=True)
def joint_torques(
    target: Floats, felt: Floats, gains: Floats, limits: Floats, strength: Floats, blend: float, torques: Floats
) -> None:
    """One millisecond of the actuators: T += blend (strength clip(kp (target - q) - kd v) - T), N m, in place.

    felt (2, 12): angles and speeds by the encoders; gains: kp, kd; limits (12,) N m; strength (12,) 1 = healthy.
    """
    for j in range(torques.size):
        wanted = gains[0] * (target[j] - felt[0, j]) - gains[1] * felt[1, j]
        wanted = strength[j] * min(max(wanted, -limits[j]), limits[j])
        torques[j] += blend * (wanted - torques[j])
