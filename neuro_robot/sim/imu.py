"""What the vehicle knows of itself: gyroscope, accelerometer, attitude and odometry, each with its error.

White noise and bias random walk as in the continuous-time IMU model of Kalibr: a density n sampled with period dt has
standard deviation n / sqrt(dt), a bias walks by n sqrt(dt). Estimates err by Gauss-Markov processes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numba import njit

from neuro_robot.config import parameter
from neuro_robot.robot import Imu, Odometry
from neuro_robot.sim.quadrotor import GRAVITY, STEP_S, Floats, rotate_to_body
from neuro_robot.sim.records import Record, record


@dataclass(frozen=True)
class ImuConfig:
    """Sensor noise (MPU-6000 data sheet; bias walks of the EuRoC ADIS16448) and estimator errors (assumed)."""

    gyro_noise: float = parameter(8.7e-5, "gyroscope noise density, rad/s/sqrt(Hz) (MPU-6000: 0.005 deg/s)", 0.0, 0.1)
    gyro_walk: float = parameter(1.94e-5, "gyroscope bias random walk, rad/s^2/sqrt(Hz) (EuRoC)", 0.0, 0.1)
    accelerometer_noise: float = parameter(3.9e-3, "noise density, m/s^2/sqrt(Hz) (MPU-6000: 400 ug)", 0.0, 1.0)
    accelerometer_walk: float = parameter(3.0e-3, "bias random walk, m/s^3/sqrt(Hz) (EuRoC)", 0.0, 1.0)
    gyro_range: float = parameter(34.9, "largest rate shown per axis, rad/s (MPU-6000: 2000 deg/s)", 1.0, 100.0)
    accelerometer_range: float = parameter(157.0, "largest specific force shown, m/s^2 (MPU-6000: 16 g)", 20.0, 2000.0)
    attitude_error_deg: float = parameter(0.3, "attitude estimate, standard deviation per axis, deg", 0.0, 10.0)
    attitude_error_time: float = parameter(5.0, "correlation time of the attitude error, s", 0.01, 1000.0)
    heading_drift: float = parameter(
        0.0,
        "bias of the gyroscope about z at the start, by which the heading runs away, deg/s; 0: a compass",
        0.0,
        10.0,
    )
    velocity_error: float = parameter(0.02, "velocity estimate, standard deviation per axis, m/s", 0.0, 2.0)
    position_error: float = parameter(0.01, "position estimate, standard deviation per axis, m", 0.0, 2.0)
    odometry_error_time: float = parameter(1.0, "correlation time of velocity and position errors, s", 0.01, 1000.0)


NOISES = (
    21  # random numbers per step: gyro 3, its walk 3, accelerometer 3, its walk 3, attitude 3, velocity 3, position 3
)


@njit(cache=True)
def gauss_markov(value: float, deviation: float, time: float, noise: float, dt: float) -> float:
    """Next value of a process with this stationary deviation and correlation time: e^(-dt/T), exactly."""
    keep = math.exp(-dt / time)
    return keep * value + deviation * math.sqrt(1.0 - keep * keep) * noise


@njit(cache=True)
def sense(config: Record, noise: Floats, truth: Floats, before: Floats, errors: Floats, dt: float, out: Floats) -> None:
    """Sensors and estimate after a step.

    noise (21,) standard normal; truth (13,) now and before (3,) the velocity a step ago, world; errors (15,): biases of
    gyro and accelerometer, errors of attitude, velocity, position, updated in place. out (16,): estimate (13) in the
    layout of truth, its rates as the gyroscope measures them, and specific force in the body (3), m/s^2.
    """
    c = config[0]
    white, walk = 1.0 / math.sqrt(dt), math.sqrt(dt)
    spread = math.radians(c.attitude_error_deg)
    for k in range(3):
        errors[k] += c.gyro_walk * walk * noise[3 + k]
        errors[3 + k] += c.accelerometer_walk * walk * noise[9 + k]
        errors[6 + k] = gauss_markov(errors[6 + k], spread, c.attitude_error_time, noise[12 + k], dt)
        errors[9 + k] = gauss_markov(errors[9 + k], c.velocity_error, c.odometry_error_time, noise[15 + k], dt)
        errors[12 + k] = gauss_markov(errors[12 + k], c.position_error, c.odometry_error_time, noise[18 + k], dt)
        out[k] = truth[k] + errors[12 + k]
        out[7 + k] = truth[7 + k] + errors[9 + k]
        rate = truth[10 + k] + errors[k] + c.gyro_noise * white * noise[k]
        out[10 + k] = min(max(rate, -c.gyro_range), c.gyro_range)
    turn_by(truth[3:7], errors[6:9], out[3:7])
    force = np.empty(3)
    for k in range(3):
        force[k] = (truth[7 + k] - before[k]) / dt
    force[2] += GRAVITY
    rotate_to_body(truth[3:7], force, out[13:16])
    for k in range(3):
        felt = out[13 + k] + errors[3 + k] + c.accelerometer_noise * white * noise[6 + k]
        out[13 + k] = min(max(felt, -c.accelerometer_range), c.accelerometer_range)


@njit(cache=True)
def turn_by(quaternion: Floats, angles: Floats, out: Floats) -> None:
    """The attitude turned by small angles, rad, about its own axes, normalised."""
    x, y, z, w = quaternion[0], quaternion[1], quaternion[2], quaternion[3]
    a, b, c = 0.5 * angles[0], 0.5 * angles[1], 0.5 * angles[2]
    out[0] = x + w * a + y * c - z * b
    out[1] = y + w * b + z * a - x * c
    out[2] = z + w * c + x * b - y * a
    out[3] = w - x * a - y * b - z * c
    size = math.sqrt(out[0] ** 2 + out[1] ** 2 + out[2] ** 2 + out[3] ** 2)
    for k in range(4):
        out[k] /= size


class ImuModel:
    """Sensor errors of one vehicle, reproducible from a seed.

    `estimate` (13,) is what the flight controller flies by: position, quaternion, velocity (world), rates (body).
    """

    def __init__(self, config: ImuConfig, seed: int) -> None:
        self._config = config
        self._parameters = record(config)
        self._seed = seed
        self._errors = np.zeros(15)
        self._before = np.zeros(3)
        self._out = np.zeros(16)
        self._mean = np.zeros(6)
        self._samples = 0
        self.estimate = self._out[:13]

    def reset(self, truth: Floats) -> None:
        """Start the error processes anew, drawn from their stationary spread; biases but that one start at zero."""
        self._random = np.random.default_rng([self._seed, 0x1A0])
        self._errors[:6] = 0.0
        spread = [
            math.radians(self._config.attitude_error_deg),
            self._config.velocity_error,
            self._config.position_error,
        ]
        self._errors[6:] = self._random.standard_normal(9) * np.repeat(spread, 3)
        bias = np.random.default_rng([self._seed, 0x1A1]).standard_normal()
        self._errors[2] = math.radians(self._config.heading_drift) * bias
        self._drift = 0.0
        self._before[:] = truth[7:10]
        self._mean[:] = 0.0
        self._samples = 0
        self._noise = self._random.standard_normal((256, NOISES))
        self._row = 0
        self.step(truth)

    def step(self, truth: Floats) -> None:
        """Sense the state (13,) a millisecond after the last one."""
        if self._row == len(self._noise):
            self._noise, self._row = self._random.standard_normal(self._noise.shape), 0
        sense(self._parameters, self._noise[self._row], truth, self._before, self._errors, STEP_S, self._out)
        self._row += 1
        self._before[:] = truth[7:10]
        self._drift += self._errors[2] * STEP_S
        self._mean += self._out[10:]
        self._samples += 1

    def imu(self, t_ns: int) -> Imu:
        """The sample at t_ns: rates and specific force averaged since the last sample, attitude as estimated now.

        Without a compass (`heading_drift`) its heading is off by all that the gyroscope's bias has added up to, about
        the vertical, since gravity holds roll and pitch; the odometry, another estimator's, is not.
        """
        x, y, z, w = self._out[3:7].tolist()
        if self._config.heading_drift:
            c, s = math.cos(0.5 * self._drift), math.sin(0.5 * self._drift)
            x, y, z, w = c * x - s * y, c * y + s * x, c * z + s * w, c * w - s * z
        gx, gy, gz, ax, ay, az = (self._mean / max(self._samples, 1)).tolist()
        self._mean[:] = 0.0
        self._samples = 0
        return Imu(t_ns, (x, y, z, w), (gx, gy, gz), (ax, ay, az))

    def odometry(self, t_ns: int) -> Odometry:
        """The estimate at t_ns as odometry: velocities in base_link."""
        velocity = np.empty(3)
        rotate_to_body(self.estimate[3:7], self.estimate[7:10], velocity)
        px, py, pz, x, y, z, w = self.estimate[:7].tolist()
        vx, vy, vz = velocity.tolist()
        rx, ry, rz = self.estimate[10:13].tolist()
        return Odometry(t_ns, (px, py, pz), (x, y, z, w), (vx, vy, vz), (rx, ry, rz))
