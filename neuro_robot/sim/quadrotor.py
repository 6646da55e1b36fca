"""The quadrotor's forces: four rotors with lag and latency, and the drag of the airframe.

Frames: body is base_link (FLU). Rotors in the order front left, front right, back left, back right.
Parameters are those of the Kingfisher quadrotor of the ICRA 2022 DodgeDrone challenge (`kingfisher.yaml` of
uzh-rpg/agile_flight): mass, inertia, rotor positions, thrust limits, torque ratio, motor time constant; its linear
drag is the identified value that file carries.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from neuro_robot.config import parameter
from neuro_robot.errors import SimulationError
from neuro_robot.sim.records import Record, record

Floats = NDArray[np.float64]

GRAVITY = 9.81  # m/s^2
STEP_NS = 1_000_000  # physics and control step
STEP_S = 1e-3


@dataclass(frozen=True)
class QuadrotorConfig:
    """Airframe and rotors (Kingfisher; see the module)."""

    mass: float = parameter(0.752, "mass, kg (Kingfisher)", 0.01, 50.0)
    inertia_x: float = parameter(2.5e-3, "moment of inertia about x, kg m^2 (Kingfisher)", 1e-6, 10.0)
    inertia_y: float = parameter(2.1e-3, "moment of inertia about y, kg m^2 (Kingfisher)", 1e-6, 10.0)
    inertia_z: float = parameter(4.3e-3, "moment of inertia about z, kg m^2 (Kingfisher)", 1e-6, 10.0)
    rotor_x: float = parameter(0.075, "rotor distance from the centre along x, m (Kingfisher)", 0.01, 2.0)
    rotor_y: float = parameter(0.10, "rotor distance from the centre along y, m (Kingfisher)", 0.01, 2.0)
    rotor_thrust_max: float = parameter(8.5, "largest thrust of one rotor, N (Kingfisher)", 0.01, 500.0)
    rotor_thrust_min: float = parameter(0.035, "thrust of an idling rotor (150 rad/s), N (Kingfisher)", 0.0, 10.0)
    torque_ratio: float = parameter(0.022, "rotor drag torque per thrust, N m/N (Kingfisher)", 1e-4, 1.0)
    motor_time_constant: float = parameter(0.033, "first-order lag of rotor thrust, s (Kingfisher)", 1e-4, 1.0)
    motor_latency_ms: int = parameter(2, "delay from flight controller to rotor, ms (DShot and ESC, assumed)", 0, 50)
    drag_x: float = parameter(0.26, "linear drag along body x, N s/m (identified, Kingfisher)", 0.0, 10.0)
    drag_y: float = parameter(0.28, "linear drag along body y, N s/m (identified, Kingfisher)", 0.0, 10.0)
    drag_z: float = parameter(0.42, "linear drag along body z, N s/m (identified, Kingfisher)", 0.0, 10.0)
    drag_quadratic: float = parameter(0.005, "quadratic drag, N s^2/m^2 (frontal area 0.008 m^2, assumed)", 0.0, 1.0)
    collision_radius: float = parameter(0.2, "radius of the sphere that holds frame and propellers, m", 0.01, 2.0)


@njit(cache=True)
def drag_force(config: Record, velocity: Floats, force: Floats) -> None:
    """Drag in body axes, N, from air velocity in body axes, m/s: F_i = -(k_i + c |v|) v_i."""
    c = config[0]
    quadratic = c.drag_quadratic * math.sqrt(velocity[0] ** 2 + velocity[1] ** 2 + velocity[2] ** 2)
    force[0] = -(c.drag_x + quadratic) * velocity[0]
    force[1] = -(c.drag_y + quadratic) * velocity[1]
    force[2] = -(c.drag_z + quadratic) * velocity[2]


@njit(cache=True)
def rotor_torque(config: Record, thrusts: Floats, torque: Floats) -> None:
    """Torque of four thrusts (fl, fr, bl, br; N) about the body axes, N m; fl and br turn counter-clockwise."""
    c = config[0]
    front_left, front_right, back_left, back_right = thrusts[0], thrusts[1], thrusts[2], thrusts[3]
    torque[0] = c.rotor_y * (front_left - front_right + back_left - back_right)
    torque[1] = c.rotor_x * (-front_left - front_right + back_left + back_right)
    torque[2] = c.torque_ratio * (-front_left + front_right + back_left - back_right)


@njit(cache=True)
def rotor_step(config: Record, commands: Floats, queue: Floats, step: int, blend: float, thrusts: Floats) -> None:
    """Delay the commanded thrusts by the queue (rows of the past) and let the rotors follow: T += blend (u - T)."""
    c = config[0]
    row = step % queue.shape[0]
    for rotor in range(4):
        queue[row, rotor] = commands[rotor]
    due = (step + 1) % queue.shape[0]
    for rotor in range(4):
        command = min(max(queue[due, rotor], c.rotor_thrust_min), c.rotor_thrust_max)
        thrusts[rotor] += blend * (command - thrusts[rotor])


@njit(cache=True)
def rotate_to_body(quaternion: Floats, vector: Floats, out: Floats) -> None:
    """A world vector in body axes; quaternion x, y, z, w turns body into world."""
    x, y, z, w = -quaternion[0], -quaternion[1], -quaternion[2], quaternion[3]
    tx = 2.0 * (y * vector[2] - z * vector[1])
    ty = 2.0 * (z * vector[0] - x * vector[2])
    tz = 2.0 * (x * vector[1] - y * vector[0])
    out[0] = vector[0] + w * tx + y * tz - z * ty
    out[1] = vector[1] + w * ty + z * tx - x * tz
    out[2] = vector[2] + w * tz + x * ty - y * tx


@njit(cache=True)
def wrench(
    config: Record,
    state: Floats,
    commands: Floats,
    queue: Floats,
    step: int,
    blend: float,
    thrusts: Floats,
    out: Floats,
) -> None:
    """One step of rotors and airframe: out = force (3) and torque (3) on the body, body axes, without gravity."""
    velocity = np.empty(3)
    rotor_step(config, commands, queue, step, blend, thrusts)
    rotate_to_body(state[3:7], state[7:10], velocity)
    drag_force(config, velocity, out[:3])
    out[2] += thrusts[0] + thrusts[1] + thrusts[2] + thrusts[3]
    rotor_torque(config, thrusts, out[3:])


class Quadrotor:
    """Rotor and airframe forces from thrust commands, one millisecond at a time.

    `thrusts` (4,) are the rotor thrusts now, N. Raises SimulationError when the vehicle cannot lift itself.
    """

    def __init__(self, config: QuadrotorConfig) -> None:
        self.hover_thrust = config.mass * GRAVITY / 4.0
        if config.rotor_thrust_max < 1.2 * self.hover_thrust:
            raise SimulationError(
                f"expected rotors of at least {1.2 * self.hover_thrust:.2f} N to fly {config.mass} kg, "
                f"got rotor_thrust_max {config.rotor_thrust_max}: raise it or lower the mass"
            )
        self.config = config
        self.parameters = record(config)
        self.thrusts = np.empty(4)
        self._queue = np.empty((config.motor_latency_ms + 1, 4))
        self._blend = 1.0 - math.exp(-STEP_S / config.motor_time_constant)
        self._wrench = np.zeros(6)
        self.reset()

    def reset(self) -> None:
        """Rotors at hover thrust, and nothing else under way."""
        self.thrusts[:] = self.hover_thrust
        self._queue[:] = self.hover_thrust
        self._step = 0

    def step(self, state: Floats, commands: Floats) -> Floats:
        """Force (3) and torque (3) on the body for the next millisecond, body axes, N and N m; a reused buffer.

        state (13,): position, quaternion, velocity in the world, rates in the body; commands (4,): thrusts, N.
        """
        wrench(self.parameters, state, commands, self._queue, self._step, self._blend, self.thrusts, self._wrench)
        self._step += 1
        return self._wrench
