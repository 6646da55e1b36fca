"""Where the robot is going, known from its own commands: side-slip, course and drift from the line it started on.

A drone slips sideways with its nose ahead; legs turn the nose (`Turning`) and see where they go.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from neuro_robot.config import parameter


@dataclass(frozen=True)
class CourseConfig:
    """How a wish to steer becomes a lateral velocity."""

    max_slip: float = parameter(0.8, "largest lateral speed as a share of the forward speed", 0.0, 2.0)
    max_lateral: float = parameter(9.0, "largest lateral speed, m/s", 0.0, 10.0)
    homing: float = parameter(
        0.06, "lateral speed back to the start line, share of the forward speed per metre of own drift, 1/m", 0.0, 1.0
    )
    max_homing: float = parameter(0.5, "largest homing speed as a share of the forward speed", 0.0, 2.0)
    max_course_deg: float = parameter(15.0, "the view turns no further from the nose than this, deg", 0.0, 90.0)
    lag_ms: float = parameter(250.0, "the body's lag behind its command, ms", 1.0, 2000.0)


class Course:
    """Path integration of the robot's own lateral commands (an efference copy), with the body's lag.

    dvy/dt = (command - vy) / lag, dy/dt = vy; the command is clip(clip(wish) - homing speed y). The wish is limited
    before homing is added, so that even the strongest wish is turned back far from the line; everything but the lag
    scales with the forward speed, so that the path's shape does not depend on it.
    """

    def __init__(self, config: CourseConfig, speed: float) -> None:
        self._config = config
        self._speed = max(speed, 0.1)
        self.reset()

    def reset(self) -> None:
        """A new flight starts here."""
        self.lateral = 0.0  # commanded lateral speed, m/s, left positive
        self.vy = 0.0  # predicted lateral speed
        self.y = 0.0  # predicted drift from the start line, m

    @property
    def azimuth(self) -> float:
        """Direction of flight from the nose, rad, left positive."""
        azimuth = math.atan2(self.vy, self._speed)
        limit = math.radians(self._config.max_course_deg)
        return min(max(azimuth, -limit), limit)

    def steer(self, wish: float, dt_ms: float) -> None:
        """Advance by one step with the wished lateral speed, m/s."""
        config = self._config
        limit = min(config.max_slip * self._speed, config.max_lateral)
        home = _clip(-config.homing * self._speed * self.y, config.max_homing * self._speed)
        self.lateral = _clip(_clip(wish, limit) + home, limit)
        self.vy += (self.lateral - self.vy) * min(dt_ms / config.lag_ms, 1.0)
        self.y += self.vy * dt_ms * 1e-3


@dataclass(frozen=True)
class TurningConfig:
    """How a lateral speed becomes a turn of the nose."""

    gain: float = parameter(2.0, "turn rate per angle to the wished heading, 1/s", 0.0, 20.0)
    max_rad_s: float = parameter(0.6, "largest turn rate, rad/s", 0.0, 3.0)


class Turning:
    """Goes sideways by its heading: turn = clip(gain (asin(lateral / speed) - heading)), heading = sum of the turns."""

    def __init__(self, config: TurningConfig, speed: float) -> None:
        self._config = config
        self._speed = max(speed, 0.1)
        self.reset()

    def reset(self) -> None:
        """The nose points along the course."""
        self.heading = 0.0  # rad, left positive, of the turns that were asked for here

    def rate(self, lateral: float, dt_s: float) -> float:
        """Turn rate, rad/s, to hold for dt_s for the wished lateral speed, m/s."""
        aim = math.asin(_clip(lateral / self._speed, 0.95))
        turn = _clip(self._config.gain * (aim - self.heading), self._config.max_rad_s)
        self.heading += turn * dt_s
        return turn


def _clip(value: float, limit: float) -> float:
    return min(max(value, -limit), limit)
