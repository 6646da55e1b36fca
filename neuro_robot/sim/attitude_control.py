"""Attitude control: from a thrust direction to body rates, torques and the thrusts of four rotors.

Quaternions are x, y, z, w and turn base_link (FLU) into the world. The heading construction follows Mellinger and Kumar
(ICRA 2011), with roll taken about the body's own x so that the nose stays on the heading whatever the tilt.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from neuro_robot.sim.quadrotor import Floats, rotate_to_body
from neuro_robot.sim.records import Record


@njit(cache=True)
def clip(value: float, low: float, high: float) -> float:
    """The value moved into [low, high]."""
    return min(max(value, low), high)


@njit(cache=True)
def heading_of(quaternion: Floats) -> float:
    """Yaw of the z-y-x Euler angles, rad: where body x points, seen from above."""
    x, y, z, w = quaternion[0], quaternion[1], quaternion[2], quaternion[3]
    return math.atan2(2.0 * (w * z + x * y), 1.0 - 2.0 * (y * y + z * z))


@njit(cache=True)
def desired_attitude(direction: Floats, heading: float, out: Floats) -> None:
    """Quaternion (x, y, z, w) whose body z lies along direction and whose nose points to the heading, rad."""
    size = math.sqrt(direction[0] ** 2 + direction[1] ** 2 + direction[2] ** 2)
    zx, zy, zz = direction[0] / size, direction[1] / size, direction[2] / size
    ux, uy = math.cos(heading), math.sin(heading)
    along, across = ux * zx + uy * zy, -uy * zx + ux * zy
    # in heading axes z_body = (sin p cos r, -sin r, cos p cos r): pitch p about y, then roll r about body x
    roll = math.asin(clip(-across, -1.0, 1.0))
    pitch = math.atan2(along, zz)
    cr, sr = math.cos(0.5 * roll), math.sin(0.5 * roll)
    cp, sp = math.cos(0.5 * pitch), math.sin(0.5 * pitch)
    cy, sy = math.cos(0.5 * heading), math.sin(0.5 * heading)
    out[0] = sr * cp * cy - cr * sp * sy
    out[1] = cr * sp * cy + sr * cp * sy
    out[2] = cr * cp * sy - sr * sp * cy
    out[3] = cr * cp * cy + sr * sp * sy


@njit(cache=True)
def desired_rates(gains: Record, quaternion: Floats, target: Floats, yaw_rate: float, out: Floats) -> None:
    """Body rates, rad/s, that turn the attitude to the target: 2 k vec(q^-1 q_target), plus the commanded turn."""
    g = gains[0]
    x, y, z, w = -quaternion[0], -quaternion[1], -quaternion[2], quaternion[3]
    ew = w * target[3] - x * target[0] - y * target[1] - z * target[2]
    side = 2.0 if ew >= 0.0 else -2.0
    ex = w * target[0] + x * target[3] + y * target[2] - z * target[1]
    ey = w * target[1] - x * target[2] + y * target[3] + z * target[0]
    ez = w * target[2] + x * target[1] - y * target[0] + z * target[3]
    turn, turn_body = np.zeros(3), np.empty(3)
    turn[2] = yaw_rate
    rotate_to_body(quaternion, turn, turn_body)
    out[0] = clip(side * g.attitude_gain * ex + turn_body[0], -g.max_rate, g.max_rate)
    out[1] = clip(side * g.attitude_gain * ey + turn_body[1], -g.max_rate, g.max_rate)
    out[2] = clip(side * g.heading_gain * ez + turn_body[2], -g.max_yaw_rate, g.max_yaw_rate)


@njit(cache=True)
def desired_torque(
    gains: Record, airframe: Record, memory: Record, rates: Floats, target: Floats, dt: float, out: Floats
) -> None:
    """Torque about the body axes, N m: inertia times (gain (error - lead spin) + integral), spin filtered."""
    g, a, m = gains[0], airframe[0], memory[0]
    blend = dt / (g.rate_filter + dt)
    m.spin_x += blend * ((rates[0] - m.rate_x) / dt - m.spin_x)
    m.spin_y += blend * ((rates[1] - m.rate_y) / dt - m.spin_y)
    m.spin_z += blend * ((rates[2] - m.rate_z) / dt - m.spin_z)
    m.rate_x, m.rate_y, m.rate_z = rates[0], rates[1], rates[2]
    ex, ey, ez = target[0] - rates[0], target[1] - rates[1], target[2] - rates[2]
    step = g.rate_integral * dt
    m.rate_integral_x = clip(m.rate_integral_x + step * ex, -20.0, 20.0)
    m.rate_integral_y = clip(m.rate_integral_y + step * ey, -20.0, 20.0)
    m.rate_integral_z = clip(m.rate_integral_z + step * ez, -5.0, 5.0)
    out[0] = a.inertia_x * (g.rate_gain * (ex - g.rate_lead * m.spin_x) + m.rate_integral_x)
    out[1] = a.inertia_y * (g.rate_gain * (ey - g.rate_lead * m.spin_y) + m.rate_integral_y)
    out[2] = a.inertia_z * (g.rate_gain_yaw * (ez - g.rate_lead * m.spin_z) + m.rate_integral_z)


@njit(cache=True)
def mix(airframe: Record, thrust: float, torque: Floats, out: Floats) -> None:
    """Rotor thrusts (fl, fr, bl, br), N, for a collective thrust, N, and a torque, N m.

    When a rotor saturates: roll and pitch first, then collective thrust, then yaw with what is left.
    """
    a = airframe[0]
    low, high = a.rotor_thrust_min, a.rotor_thrust_max
    roll, pitch, yaw = 0.25 * torque[0] / a.rotor_y, 0.25 * torque[1] / a.rotor_x, 0.25 * torque[2] / a.torque_ratio
    spread = abs(roll) + abs(pitch)
    if spread > 0.5 * (high - low):
        shrink = 0.5 * (high - low) / spread
        roll, pitch, spread = shrink * roll, shrink * pitch, 0.5 * (high - low)
    each = clip(0.25 * thrust, low + spread, high - spread)
    out[0], out[1], out[2], out[3] = each + roll - pitch, each - roll - pitch, each + roll + pitch, each - roll + pitch
    room_up, room_down = high, high
    for rotor in range(4):
        turns = -1.0 if rotor == 0 or rotor == 3 else 1.0
        more, less = high - out[rotor], out[rotor] - low
        room_up = min(room_up, more if turns > 0.0 else less)
        room_down = min(room_down, less if turns > 0.0 else more)
    yaw = clip(yaw, -max(room_down, 0.0), max(room_up, 0.0))
    out[0] -= yaw
    out[1] += yaw
    out[2] += yaw
    out[3] -= yaw
