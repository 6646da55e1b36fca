"""What a robot says and what it is told: the plain values behind the ROS 2 messages, usable without ROS.

Frames follow REP-103: `base_link` is x forward, y left, z up (FLU); `odom` is fixed to the ground, z up. SI units.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Vector3 = tuple[float, float, float]
Quaternion = tuple[float, float, float, float]  # x, y, z, w: rotates base_link vectors into odom


class Imu(NamedTuple):
    """One IMU sample in base_link (REP-145 `imu/data`)."""

    t_ns: int
    orientation: Quaternion  # attitude estimate of the flight controller
    angular_velocity: Vector3  # rad/s
    linear_acceleration: Vector3  # m/s^2, specific force: +9.81 on z at rest


class Odometry(NamedTuple):
    """State estimate: pose in odom, velocities in base_link."""

    t_ns: int
    position: Vector3  # m, odom
    orientation: Quaternion
    velocity: Vector3  # m/s, base_link
    angular_velocity: Vector3  # rad/s, base_link


class LegSense(NamedTuple):
    """What a legged robot feels in its legs; joints in the order of `joint_states`, feet FR, FL, RR, RL."""

    t_ns: int
    position: tuple[float, ...]  # rad, joint encoders
    velocity: tuple[float, ...]  # rad/s
    effort: tuple[float, ...]  # N m, as the actuators report it
    touches: NDArray[np.void]  # EVENT_DTYPE since the last sample: x = foot, p = 1 touch-down, 0 lift-off


class JointCommand(NamedTuple):
    """Joint positions to hold from now on, in the order of `joint_states` (ros2_control `joint_trajectory`)."""

    t_ns: int  # sensor time up to which the events were used
    position: tuple[float, ...]  # rad

    @property
    def values(self) -> tuple[float, ...]:
        """The positions."""
        return self.position

    def is_finite(self) -> bool:
        """True when every position is a number; anything else must stop the robot."""
        return all(math.isfinite(value) for value in self.position)


class BodyCommand(NamedTuple):
    """Velocity command in base_link with roll and pitch taken out: x along the heading, z up (REP-147)."""

    t_ns: int  # sensor time up to which the events were used
    vx: float  # m/s
    vy: float
    vz: float
    yaw_rate: float  # rad/s

    @property
    def values(self) -> tuple[float, ...]:
        """vx, vy, vz, yaw_rate."""
        return self[1:]

    def is_finite(self) -> bool:
        """True when every component is a number; anything else must stop the robot."""
        return all(math.isfinite(value) for value in self[1:])


Command = BodyCommand | JointCommand  # what a robot obeys: a body velocity, or the joints of its legs


def stop_command(t_ns: int) -> BodyCommand:
    """Stay in place."""
    return BodyCommand(t_ns, 0.0, 0.0, 0.0, 0.0)
