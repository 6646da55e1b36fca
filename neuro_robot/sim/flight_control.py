"""The flight controller: a 1 kHz cascade from a velocity command to four rotor thrusts.

velocity -> acceleration -> thrust direction and size -> body rates -> torques -> rotors. It sees only the estimate of
the on-board sensors. Structure after the cascades of PX4 and Betaflight; the thrust direction with heading follows
Mellinger and Kumar (ICRA 2011), with roll taken about the body's own x so that the nose stays on the heading.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numba import njit

from neuro_robot.config import parameter
from neuro_robot.sim.quadrotor import GRAVITY, STEP_S, Floats, QuadrotorConfig, drag_force, rotate_to_body
from neuro_robot.sim.records import Record, memory, record


@dataclass(frozen=True)
class ControlConfig:
    """Limits and gains of the flight controller."""

    command_latency_ms: int = parameter(10, "delay of a command on its way to the flight controller, ms", 0, 500)
    max_tilt_deg: float = parameter(50.0, "largest tilt of the desired thrust, deg", 5.0, 70.0)
    max_acceleration: float = parameter(6.0, "ramp of a faster forward command, m/s^2", 0.5, 50.0)
    max_braking: float = parameter(8.0, "ramp of a slower forward command, m/s^2", 0.5, 50.0)
    max_lateral_acceleration: float = parameter(12.0, "largest sideways acceleration asked for, m/s^2", 0.5, 50.0)
    max_vertical_acceleration: float = parameter(6.0, "largest vertical acceleration asked for, m/s^2", 0.5, 30.0)
    velocity_gain: float = parameter(4.0, "acceleration per velocity error, horizontal, 1/s", 0.1, 20.0)
    velocity_integral: float = parameter(1.0, "acceleration per integrated velocity error, 1/s^2", 0.0, 20.0)
    altitude_gain: float = parameter(3.0, "climb per altitude error, 1/s", 0.1, 20.0)
    climb_gain: float = parameter(8.0, "acceleration per climb error, 1/s", 0.1, 30.0)
    climb_integral: float = parameter(3.0, "acceleration per integrated climb error, 1/s^2", 0.0, 20.0)
    attitude_gain: float = parameter(12.0, "body rate per attitude error, roll and pitch, 1/s", 1.0, 40.0)
    heading_gain: float = parameter(4.0, "body rate per attitude error, yaw, 1/s", 0.1, 20.0)
    rate_gain: float = parameter(28.0, "angular acceleration per rate error, roll and pitch, 1/s", 1.0, 100.0)
    rate_gain_yaw: float = parameter(12.0, "angular acceleration per rate error, yaw, 1/s", 1.0, 100.0)
    rate_integral: float = parameter(20.0, "angular acceleration per integrated rate error, 1/s^2", 0.0, 500.0)
    rate_lead: float = parameter(0.028, "lead against the motor lag on the measured rate, s", 0.0, 0.2)
    rate_filter: float = parameter(0.003, "time constant of the filter on the angular acceleration, s", 1e-4, 0.1)
    max_rate: float = parameter(10.0, "largest roll and pitch rate, rad/s (Kingfisher)", 0.5, 40.0)
    max_yaw_rate: float = parameter(4.0, "largest yaw rate, rad/s (Kingfisher)", 0.1, 20.0)
    drag_compensation: float = parameter(0.9, "share of the airframe's drag that is known and compensated", 0.0, 1.0)


MEMORY = (
    "altitude", "heading", "forward", "forward_integral", "lateral_integral", "climb_integral",
    "rate_x", "rate_y", "rate_z", "spin_x", "spin_y", "spin_z", "rate_integral_x", "rate_integral_y", "rate_integral_z",
)  # fmt: skip
LARGEST_INTEGRAL = 3.0  # m/s^2: integrals make up for drag and sensor bias, never more
LARGEST_ALTITUDE_ERROR = 0.5  # m: the altitude set-point waits for the vehicle
LARGEST_HEADING_ERROR = 0.5  # rad


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
def horizontal_acceleration(
    gains: Record, memory: Record, forward: float, lateral: float, command: Floats, dt: float, out: Floats
) -> None:
    """Desired acceleration along and across the heading, m/s^2, into out[:2], from speeds and command in m/s.

    The forward set-point ramps; turning at yaw rate r needs (-r v_y, r v_x) to keep both speeds.
    """
    g, m = gains[0], memory[0]
    speeding_up = abs(command[0]) > abs(m.forward)
    ramp = (g.max_acceleration if speeding_up else g.max_braking) * dt
    change = clip(command[0] - m.forward, -ramp, ramp)
    m.forward += change
    error_x, error_y = m.forward - forward, command[1] - lateral
    limit = g.max_lateral_acceleration
    across = g.velocity_gain * error_y + m.lateral_integral
    if abs(across) < 0.5 * limit:  # no winding up while a step is under way
        step = g.velocity_integral * error_y * dt
        m.lateral_integral = clip(m.lateral_integral + step, -LARGEST_INTEGRAL, LARGEST_INTEGRAL)
    step = g.velocity_integral * error_x * dt
    m.forward_integral = clip(m.forward_integral + step, -LARGEST_INTEGRAL, LARGEST_INTEGRAL)
    along = g.velocity_gain * error_x + m.forward_integral + change / dt
    out[0] = clip(along, -1.5 * g.max_braking, 1.5 * g.max_acceleration) - command[3] * lateral
    out[1] = clip(across, -limit, limit) + command[3] * forward


@njit(cache=True)
def vertical_acceleration(gains: Record, memory: Record, estimate: Floats, climb: float, dt: float) -> float:
    """Desired vertical acceleration, m/s^2: the altitude set-point moves with the climb command and is held."""
    g, m = gains[0], memory[0]
    altitude, speed = estimate[2], estimate[9]
    m.altitude = clip(m.altitude + climb * dt, altitude - LARGEST_ALTITUDE_ERROR, altitude + LARGEST_ALTITUDE_ERROR)
    error = climb + g.altitude_gain * (m.altitude - altitude) - speed
    m.climb_integral = clip(m.climb_integral + g.climb_integral * error * dt, -LARGEST_INTEGRAL, LARGEST_INTEGRAL)
    wanted = g.climb_gain * error + m.climb_integral
    return clip(wanted, -g.max_vertical_acceleration, g.max_vertical_acceleration)


@njit(cache=True)
def thrust_vector(
    gains: Record, airframe: Record, memory: Record, estimate: Floats, command: Floats, dt: float, out: Floats
) -> None:
    """Desired thrust per mass in the world, m/s^2, into out (3,): acceleration, gravity and drag, within the tilt.

    Sideways comes before forward where the tilt limit leaves too little for both: evading outranks speed.
    """
    heading = heading_of(estimate[3:7])
    cosine, sine = math.cos(heading), math.sin(heading)
    forward = cosine * estimate[7] + sine * estimate[8]
    lateral = -sine * estimate[7] + cosine * estimate[8]
    horizontal_acceleration(gains, memory, forward, lateral, command, dt, out)
    up = vertical_acceleration(gains, memory, estimate, command[2], dt)
    drag, air, inverse, world = np.empty(3), np.empty(3), np.empty(4), np.empty(3)
    rotate_to_body(estimate[3:7], estimate[7:10], air)
    drag_force(airframe, air, drag)
    inverse[0], inverse[1], inverse[2], inverse[3] = -estimate[3], -estimate[4], -estimate[5], estimate[6]
    rotate_to_body(inverse, drag, world)
    share = gains[0].drag_compensation / airframe[0].mass
    up = max(up + GRAVITY - share * world[2], 0.2 * GRAVITY)
    along = out[0] - share * (cosine * world[0] + sine * world[1])
    across = out[1] - share * (-sine * world[0] + cosine * world[1])
    reach = up * math.tan(math.radians(gains[0].max_tilt_deg))
    across = clip(across, -reach, reach)
    rest = math.sqrt(reach * reach - across * across)
    along = clip(along, -rest, rest)
    out[0] = cosine * along - sine * across
    out[1] = sine * along + cosine * across
    out[2] = up


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
    out[2] = a.inertia_z * (g.rate_gain_yaw * ez + m.rate_integral_z)


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


@njit(cache=True)
def control_step(
    gains: Record, airframe: Record, memory: Record, estimate: Floats, command: Floats, dt: float, out: Floats
) -> None:
    """One pass of the cascade: command (4,) vx, vy, vz m/s in the heading frame and yaw rate rad/s -> out (4,) N."""
    g, m = gains[0], memory[0]
    force, target, rates, torque = np.empty(3), np.empty(4), np.empty(3), np.empty(3)
    thrust_vector(gains, airframe, memory, estimate, command, dt, force)
    quaternion = estimate[3:7]
    heading = heading_of(quaternion)
    behind = m.heading + command[3] * dt - heading
    behind -= 2.0 * math.pi * math.floor(behind / (2.0 * math.pi) + 0.5)
    m.heading = heading + clip(behind, -LARGEST_HEADING_ERROR, LARGEST_HEADING_ERROR)
    desired_attitude(force, m.heading, target)
    desired_rates(gains, quaternion, target, command[3], rates)
    desired_torque(gains, airframe, memory, estimate[10:13], rates, dt, torque)
    upright = 1.0 - 2.0 * (quaternion[0] ** 2 + quaternion[1] ** 2)
    thrust = airframe[0].mass * force[2] / max(upright, 0.3)
    mix(airframe, min(thrust, 3.6 * airframe[0].rotor_thrust_max), torque, out)


class FlightController:
    """Velocity command in, rotor thrusts out, every millisecond; keeps altitude and heading between commands."""

    def __init__(self, config: ControlConfig, airframe: QuadrotorConfig) -> None:
        self._gains = record(config)
        self._airframe = record(airframe)
        self._memory = memory(*MEMORY)
        self._queue = np.zeros((config.command_latency_ms + 1, 4))
        self._thrusts = np.zeros(4)
        self.reset(np.array([0.0] * 6 + [1.0] + [0.0] * 6))

    def reset(self, estimate: Floats) -> None:
        """Hold the altitude and heading of this estimate; no command under way."""
        self._memory[...] = 0.0
        self._memory["altitude"] = estimate[2]
        self._memory["heading"] = heading_of(estimate[3:7])
        self._queue[:] = 0.0
        self._step = 0

    def step(self, estimate: Floats, command: Floats) -> Floats:
        """Thrusts (4,) in N for this millisecond, a reused buffer.

        estimate (13,): position m, quaternion, velocity m/s in the world, rates rad/s in the body;
        command (4,): vx, vy, vz in m/s along the heading, yaw rate in rad/s; obeyed after the latency.
        """
        rows = len(self._queue)
        self._queue[self._step % rows] = command
        self._step += 1
        due = self._queue[self._step % rows]
        control_step(self._gains, self._airframe, self._memory, estimate, due, STEP_S, self._thrusts)
        return self._thrusts
