"""The flight controller: a 1 kHz cascade from a velocity command to four rotor thrusts.

velocity -> acceleration -> thrust direction and size -> body rates -> torques -> rotors. It sees only the estimate of
the on-board sensors. Structure after the cascades of PX4 and Betaflight.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numba import njit

from neuro_robot.config import parameter
from neuro_robot.sim.attitude_control import clip, desired_attitude, desired_rates, desired_torque, heading_of, mix
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
    velocity_gain: float = parameter(5.0, "acceleration per velocity error, horizontal, 1/s", 0.1, 20.0)
    response_time: float = parameter(
        0.13, "what attitude and rotors need to answer, s: the ramp is met so late", 0.0, 1.0
    )
    velocity_integral: float = parameter(1.0, "acceleration per integrated velocity error, 1/s^2", 0.0, 20.0)
    altitude_gain: float = parameter(3.0, "climb per altitude error, 1/s", 0.1, 20.0)
    climb_gain: float = parameter(8.0, "acceleration per climb error, 1/s", 0.1, 30.0)
    climb_integral: float = parameter(3.0, "acceleration per integrated climb error, 1/s^2", 0.0, 20.0)
    attitude_gain: float = parameter(12.0, "body rate per attitude error, roll and pitch, 1/s", 1.0, 40.0)
    heading_gain: float = parameter(8.0, "body rate per attitude error, yaw, 1/s", 0.1, 20.0)
    rate_gain: float = parameter(35.0, "angular acceleration per rate error, roll and pitch, 1/s", 1.0, 100.0)
    rate_gain_yaw: float = parameter(20.0, "angular acceleration per rate error, yaw, 1/s", 1.0, 100.0)
    rate_integral: float = parameter(20.0, "angular acceleration per integrated rate error, 1/s^2", 0.0, 500.0)
    rate_lead: float = parameter(0.028, "lead against the motor lag on the measured rate, s", 0.0, 0.2)
    rate_filter: float = parameter(0.003, "time constant of the filter on the angular acceleration, s", 1e-4, 0.1)
    max_rate: float = parameter(10.0, "largest roll and pitch rate, rad/s (Kingfisher)", 0.5, 40.0)
    max_yaw_rate: float = parameter(4.0, "largest yaw rate, rad/s (Kingfisher)", 0.1, 20.0)
    drag_compensation: float = parameter(0.9, "share of the airframe's drag that is known and compensated", 0.0, 1.0)


MEMORY = (
    "altitude", "heading", "forward", "reference", "forward_integral", "lateral_integral", "climb_integral",
    "rate_x", "rate_y", "rate_z", "spin_x", "spin_y", "spin_z", "rate_integral_x", "rate_integral_y", "rate_integral_z",
)  # fmt: skip
LARGEST_INTEGRAL = 3.0  # m/s^2: integrals make up for drag and sensor bias, never more
SMALL_ERROR = 1.0  # m/s: integrals work on what is left, not on steps
LARGEST_ALTITUDE_ERROR = 0.5  # m: the altitude set-point waits for the vehicle
LARGEST_HEADING_ERROR = 0.5  # rad


@njit(cache=True)
def turn_heading(memory: Record, quaternion: Floats, turn: float) -> None:
    """Turn the heading set-point, rad; it waits for a nose that cannot follow."""
    m = memory[0]
    heading = heading_of(quaternion)
    ahead = m.heading + turn - heading
    ahead -= 2.0 * math.pi * math.floor(ahead / (2.0 * math.pi) + 0.5)
    m.heading = heading + clip(ahead, -LARGEST_HEADING_ERROR, LARGEST_HEADING_ERROR)


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
    m.reference += dt / (g.response_time + dt) * (m.forward - m.reference)
    error_x, error_y = m.reference - forward, command[1] - lateral
    limit = g.max_lateral_acceleration
    across = g.velocity_gain * error_y + m.lateral_integral
    step = g.velocity_integral * dt
    if abs(error_y) < SMALL_ERROR:  # no winding up while a step is under way
        m.lateral_integral = clip(m.lateral_integral + step * error_y, -LARGEST_INTEGRAL, LARGEST_INTEGRAL)
    if abs(error_x) < SMALL_ERROR:
        m.forward_integral = clip(m.forward_integral + step * error_x, -LARGEST_INTEGRAL, LARGEST_INTEGRAL)
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
    return float(clip(wanted, -g.max_vertical_acceleration, g.max_vertical_acceleration))


@njit(cache=True)
def thrust_vector(
    gains: Record, airframe: Record, memory: Record, estimate: Floats, command: Floats, dt: float, out: Floats
) -> None:
    """Desired thrust per mass in the world, m/s^2, into out (3,): acceleration, gravity and drag, within the tilt.

    Sideways comes before forward where the tilt limit leaves too little for both: evading outranks speed.
    """
    cosine, sine = math.cos(memory[0].heading), math.sin(memory[0].heading)
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
def control_step(
    gains: Record, airframe: Record, memory: Record, estimate: Floats, command: Floats, dt: float, out: Floats
) -> None:
    """One pass of the cascade: command (4,) vx, vy, vz m/s in the heading frame and yaw rate rad/s -> out (4,) N."""
    force, target, rates, torque = np.empty(3), np.empty(4), np.empty(3), np.empty(3)
    quaternion = estimate[3:7]
    turn_heading(memory, quaternion, command[3] * dt)
    thrust_vector(gains, airframe, memory, estimate, command, dt, force)
    desired_attitude(force, memory[0].heading, target)
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
