"""What a walker feels: leg odometry, heading, unevenness, and feet that strike something. On-board senses only.

A foot that stands still on the ground and moves by v in the body says that the body moves by -v - w x p (w: the gyro's
rates, p: the foot from the trunk's middle); the mean over the feet on the ground, weighted by the square of the knee's
torque, is the robot's own speed: a foot that bears little slips or has just touched down. Feet that slip all the same
deceive it. Source: Bloesch et al., RSS 2012 (leg kinematics), without the filter.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from neuro_robot.agents.kinematics import KinematicsConfig, foot_positions
from neuro_robot.config import parameter
from neuro_robot.robot import Imu, LegSense

DOWN = 1  # polarity of a touch-down
GAP_NS = 200_000_000  # samples of the legs further apart say nothing of a speed: feet have lifted in between
FASTEST = 35.0  # rad/s, 2000 deg/s: what a gyro can say


@dataclass(frozen=True)
class FeelConfig:
    """Time constants of what is felt."""

    odometry_ms: float = parameter(100.0, "low-pass of the speed by leg odometry, ms", 1.0, 5000.0)
    speed_ms: float = parameter(1500.0, "low-pass of the speed that progress is judged by, ms", 1.0, 20000.0)
    odometry_gain: float = parameter(1.15, "true speed per speed of the feet that bear, on level ground", 0.1, 10.0)
    bearing_nm: float = parameter(20.0, "torque of all knees at which the feet are fully believed, N m", 0.1, 1e3)
    rough_ms: float = parameter(2000.0, "low-pass of the tilt rate's square, ms", 1.0, 20000.0)
    blocked_m: float = parameter(0.05, "a swing foot this far from its target strikes something, m", 0.0, 1.0)


class Feel:
    """The senses. contact (4,) bool; speed (2,) m/s by leg odometry; heading: rad left of the wished one.

    A foot at p that bears stands still, so the body goes at -(p' + w x p), w the gyro's rates; over the feet

        speed = low-pass of  -sum c^2 (p' + w x p) / sum c^2,   c = knee torque / bearing_nm, at most 1

    Source: rigid-body kinematics; Roston and Krotkov, Dead reckoning navigation for walking robots, IROS 1992.
    """

    def __init__(self, config: FeelConfig, kinematics: KinematicsConfig) -> None:
        self._config = config
        self._links, self._hips = kinematics.links(), kinematics.hips()
        self.contact, self.landed = np.zeros(4, np.bool_), np.zeros(4, np.bool_)
        self.feet, self.speed, self.progress = np.zeros((4, 3)), np.zeros(2), 0.0
        self.usual, self.hurry, self.odometry = 0.0, 1.0, 1.0  # the gait's tilt rate, swing speed, odometry gain
        self.reset()

    def reset(self) -> None:
        """Standing, level, nothing felt yet."""
        self.contact[:], self.landed[:] = True, False
        self.feet[:], self.speed[:] = 0.0, 0.0
        self.progress = self.heading = self.rough = self._swaying = self.wished = 0.0
        self.known = False
        self._yaw: float | None = None
        self._legs_ns = 0  # of the last sample of the legs

    def take(self, imu: Imu | None, legs: LegSense | None, wished_turn: float, dt_s: float) -> None:
        """Take what has come since the last call, dt_s ago; a sense that is missing stays as it was.

        How fast the feet move goes by the samples' own times: where one was missing, the next is two packets on.
        """
        config, ms = self._config, 1e3 * dt_s
        self.landed[:] = False
        rates = np.zeros(3)
        if imu is not None and np.isfinite(imu.angular_velocity).all():
            rates[:] = np.clip(imu.angular_velocity, -FASTEST, FASTEST)
            turned = self._turned(imu, float(rates[2]) * dt_s) - wished_turn * dt_s
            self.heading = math.remainder(self.heading + turned, math.tau)
            self.rough += (rates[0] ** 2 + rates[1] ** 2 - self.rough) * min(ms / config.rough_ms, 1.0)
            self._swaying += (self.usual - self._swaying) * min(ms / config.rough_ms, 1.0)
        if legs is None or len(legs.position) != 12 or not np.all(np.abs(legs.position) < 100.0):
            return
        for touch in legs.touches:
            foot, down = int(touch["x"]), int(touch["p"]) == DOWN
            if foot < 4:
                self.landed[foot] |= down
                self.contact[foot] = down
        feet = foot_positions(np.array(legs.position).reshape(4, 3), self._links)
        since_ns, self._legs_ns = legs.t_ns - self._legs_ns, legs.t_ns
        if self.known and 0 < since_ns <= GAP_NS:
            moved_s = since_ns * 1e-9
            ms = 1e3 * moved_s
            bearing, share = self._bearing(legs), min(ms / config.odometry_ms, 1.0)
            _odometry(feet, self.feet, bearing, self._hips, rates, moved_s, share, self.speed)
            self.progress += (self.odometry * config.odometry_gain * float(self.speed[0]) - self.progress) * min(
                ms / config.speed_ms, 1.0
            )
        self.feet[:], self.known = feet, True

    def wish(self, speed: float, dt_s: float) -> None:
        """The speed that was to be walked at for dt_s, m/s, seen through the low-pass of progress."""
        self.wished += (speed - self.wished) * min(1e3 * dt_s / self._config.speed_ms, 1.0)

    def _turned(self, imu: Imu, by_gyro: float) -> float:
        """Turn since the last sample, rad: the attitude's, whose filter runs faster than packets; else the gyro's."""
        x, y, z, w = imu.orientation
        if not abs(x * x + y * y + z * z + w * w - 1.0) < 0.1:
            self._yaw = None
            return by_gyro
        yaw, before = math.atan2(2.0 * (w * z + x * y), 1.0 - 2.0 * (y * y + z * z)), self._yaw
        self._yaw = yaw
        return by_gyro if before is None else math.remainder(yaw - before, math.tau)

    def _bearing(self, legs: LegSense) -> NDArray[np.float64]:
        """(4,) how much each foot bears, 1 for the torque that is fully believed; alike where no torque is told."""
        full = self._config.bearing_nm
        knees = np.abs(np.array(legs.effort[2::3])) if len(legs.effort) == 12 else np.zeros(4)
        knees[~(knees < full)] = full
        load: NDArray[np.float64] = self.contact * (knees if knees.any() else full) / full
        return load

    def struck(self, targets: NDArray[np.float64], phases: NDArray[np.float64], swing: float) -> NDArray[np.float64]:
        """(4,) 1 for a foot that is kept from coming forward, or touches, in the middle of its swing; else 0."""
        if not self.known:
            return np.zeros(4)
        middle = (phases > 0.3 * swing) & (phases < 0.85 * swing)
        late = np.abs(targets[:, 0] - self.feet[:, 0]) > self._config.blocked_m * self.hurry
        hit: NDArray[np.float64] = (middle & (late | (self.contact & (phases < 0.7 * swing)))).astype(np.float64)
        return hit

    @property
    def tilt_rate(self) -> float:
        """Root mean square of the roll and pitch rates, less what the gait itself makes, rad/s."""
        return math.sqrt(self.rough) - self._swaying


@njit(cache=True)
def _odometry(
    feet: NDArray[np.float64],
    before: NDArray[np.float64],
    bearing: NDArray[np.float64],
    hips: NDArray[np.float64],
    rates: NDArray[np.float64],
    dt: float,
    share: float,
    speed: NDArray[np.float64],
) -> None:
    vx, vy, weight = 0.0, 0.0, 0.0
    for leg in range(4):
        x, y, z = hips[leg, 0] + feet[leg, 0], hips[leg, 1] + feet[leg, 1], feet[leg, 2]
        counts = bearing[leg] ** 2
        vx -= counts * ((feet[leg, 0] - before[leg, 0]) / dt + rates[1] * z - rates[2] * y)
        vy -= counts * ((feet[leg, 1] - before[leg, 1]) / dt + rates[2] * x - rates[0] * z)
        weight += counts
    if weight > 1e-6:
        share *= min(bearing.sum(), 1.0)
        speed[0] += (min(max(vx / weight, -3.0), 3.0) - speed[0]) * share
        speed[1] += (min(max(vy / weight, -3.0), 3.0) - speed[1]) * share
