"""What the mind looks at: events counted per azimuth column in two bands of elevation, relative to the course.

An event's pixel becomes a ray, the ray is levelled by the attitude that the IMU reports, and its azimuth is taken
relative to the direction of flight, so that the middle columns look where the robot is going (the focus of expansion)
whatever the roll, the pitch or the side-slip. Both bands lie above the horizon, where insects look for obstacles too:
the sky behind raises no events, however the robot turns, and elevation is range: the top of an obstacle that rises
h above the robot is seen at elevation atan(h / distance), so only what is near reaches the upper band.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from neuro_robot.config import parameter
from neuro_robot.robot import Imu


@dataclass(frozen=True)
class VisionConfig:
    """Which part of the picture the mind looks at."""

    fov_deg: float = parameter(90.0, "horizontal field of view of the camera, deg", 10.0, 170.0)
    pitch_deg: float = parameter(20.0, "mount angle of the camera, positive looks up, deg", -90.0, 90.0)
    n_columns: int = parameter(32, "azimuth columns", 4, 256)
    suppression_rad_s: float = parameter(
        5.0, "turn rate at which the input is halved (saccadic suppression), rad/s", 0.01, 100.0
    )
    span_deg: float = parameter(80.0, "azimuth covered by the columns, centred on the course, deg", 10.0, 180.0)
    far_deg: float = parameter(20.0, "lower edge of the far band, deg above the horizon", -80.0, 80.0)
    near_deg: float = parameter(42.0, "where the far band ends and the near band begins, deg", -80.0, 80.0)
    top_deg: float = parameter(65.0, "upper edge of the near band, deg", -80.0, 85.0)


FAR, NEAR = 0, 1  # rows of the counts


class ColumnView:
    """Counts events per time step, band (FAR, NEAR) and azimuth column, for a camera of width x height pixels."""

    def __init__(self, config: VisionConfig, width: int, height: int) -> None:
        self.n_columns = config.n_columns
        self._focal = 0.5 * width / math.tan(0.5 * math.radians(config.fov_deg))
        self._centre = (0.5 * (width - 1), 0.5 * (height - 1))
        self._span = math.radians(config.span_deg)
        edges = (config.far_deg, config.near_deg, config.top_deg)
        self._edges = np.tan(np.radians(np.array(edges)))
        pitch = math.radians(config.pitch_deg)
        sine, cosine = math.sin(pitch), math.cos(pitch)
        self._mount = np.array([[cosine, 0.0, -sine], [0.0, 1.0, 0.0], [sine, 0.0, cosine]])

    @property
    def azimuths(self) -> NDArray[np.float64]:
        """Centre of each column, rad from the course, left positive."""
        step = self._span / self.n_columns
        azimuths: NDArray[np.float64] = (np.arange(self.n_columns, dtype=np.float64) + 0.5) * step - 0.5 * self._span
        return azimuths

    def count(
        self,
        events: NDArray[np.void],
        t_start_ns: int,
        dt_ns: int,
        n_steps: int,
        level: NDArray[np.float64],
        course: float,
    ) -> NDArray[np.float32]:
        """Counts, shape (n_steps, 2, n_columns); `level` from `levelling`, `course` in rad, left positive."""
        counts = np.zeros((n_steps, 2, self.n_columns), np.float32)
        if len(events) and n_steps:
            t, x, y = (np.ascontiguousarray(events[name]) for name in ("t", "x", "y"))
            to_level = np.ascontiguousarray(level @ self._mount)
            lens = (self._focal, *self._centre)
            _count(t, x, y, t_start_ns, dt_ns, lens, to_level, course, self._span, self._edges, counts)
        return counts


def levelling(imu: Imu | None) -> NDArray[np.float64]:
    """Rotation from base_link to the frame with the same heading and a vertical z axis, shape (3, 3)."""
    if imu is None:
        return np.eye(3)
    x, y, z, w = imu.orientation
    ux, uy, uz = 2.0 * (x * z - w * y), 2.0 * (y * z + w * x), 1.0 - 2.0 * (x * x + y * y)
    norm = math.sqrt(max(1.0 - ux * ux, 0.0))
    if not norm > 1e-3:
        return np.eye(3)
    fx, fy, fz = (1.0 - ux * ux) / norm, -ux * uy / norm, -ux * uz / norm
    return np.array([[fx, fy, fz], [uy * fz - uz * fy, uz * fx - ux * fz, ux * fy - uy * fx], [ux, uy, uz]])


def steadiness(imu: Imu | None, half: float) -> float:
    """How far to trust the flow, 1 at rest, 1/2 at a turn rate of `half` rad/s: rotation drowns translation."""
    if imu is None:
        return 1.0
    rate_squared = sum(value * value for value in imu.angular_velocity)
    return 1.0 / (1.0 + rate_squared / (half * half))


@njit(cache=True)
def _count(
    t: NDArray[np.int64],
    x: NDArray[np.uint16],
    y: NDArray[np.uint16],
    t_start: int,
    dt: int,
    lens: tuple[float, float, float],
    level: NDArray[np.float64],
    course: float,
    span: float,
    edges: NDArray[np.float64],
    counts: NDArray[np.float32],
) -> None:
    n_steps, _, n_columns = counts.shape
    focal, cx, cy = lens
    per_rad = n_columns / span
    for i in range(t.size):
        left = (cx - x[i]) / focal
        up = (cy - y[i]) / focal
        a = level[0, 0] + level[0, 1] * left + level[0, 2] * up
        b = level[1, 0] + level[1, 1] * left + level[1, 2] * up
        c = level[2, 0] + level[2, 1] * left + level[2, 2] * up
        flat = math.sqrt(a * a + b * b)
        if c < edges[0] * flat or c > edges[2] * flat:
            continue
        column = int(math.floor((math.atan2(b, a) - course + 0.5 * span) * per_rad))
        if column < 0 or column >= n_columns:
            continue
        step = min(max((t[i] - t_start) // dt, 0), n_steps - 1)
        counts[step, 1 if c > edges[1] * flat else 0, column] += np.float32(1.0)
