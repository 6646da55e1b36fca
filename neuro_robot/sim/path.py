"""How an object of the world moves: a given path, a function of time alone, so a world needs no state to be stepped."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numba import njit
from numpy.typing import NDArray

from neuro_robot.robot import Vector3

STATIC, LOOP, PING_PONG, SINUSOID = 0, 1, 2, 3


@dataclass(frozen=True)
class Waypoints:
    """Constant speed along straight legs between points (m, world); `loop` closes them, `ping_pong` turns back."""

    points: tuple[Vector3, ...]
    speed: float  # m/s
    mode: str  # loop | ping_pong
    start_s: float = 0.0  # how far along the path (in seconds of travel) the object is at t = 0


@dataclass(frozen=True)
class Sinusoid:
    """position = rest + amplitude * sin(2 pi t / period_s + phase)."""

    amplitude: Vector3  # m, world axes
    period_s: float
    phase: float = 0.0  # rad


Path = Waypoints | Sinusoid


@dataclass(frozen=True)
class PathTable:
    """All paths of a world as flat arrays for the kernel; N objects, M way-points in all."""

    kind: NDArray[np.int64]  # (N,)
    rest: NDArray[np.float64]  # (N, 3) m, position of a static object, rest position of a sinusoid
    amplitude: NDArray[np.float64]  # (N, 3) m
    rate: NDArray[np.float64]  # (N,) m/s along way-points, rad/s of a sinusoid
    phase: NDArray[np.float64]  # (N,) m along way-points, rad of a sinusoid
    first: NDArray[np.int64]  # (N + 1,) row of the object's first way-point
    points: NDArray[np.float64]  # (M, 3) m
    along: NDArray[np.float64]  # (M,) m travelled from the first way-point

    def positions(self, t_s: float) -> NDArray[np.float64]:
        """Position of every object at time t_s, (N, 3) m."""
        out = self.rest.copy()
        _positions(t_s, self.kind, self.amplitude, self.rate, self.phase, self.first, self.points, self.along, out)
        return out


def compile_paths(rest: Sequence[Vector3], paths: Sequence[Path | None]) -> PathTable:
    """Flatten the paths of N objects; None stands still."""
    n = len(paths)
    kind, rate, phase = np.zeros(n, np.int64), np.zeros(n), np.zeros(n)
    amplitude, first = np.zeros((n, 3)), np.zeros(n + 1, np.int64)
    points: list[Vector3] = []
    along: list[float] = []
    for i, path in enumerate(paths):
        if isinstance(path, Sinusoid):
            kind[i], amplitude[i], rate[i], phase[i] = SINUSOID, path.amplitude, math.tau / path.period_s, path.phase
        elif isinstance(path, Waypoints):
            legs = (*path.points, path.points[0]) if path.mode == "loop" else path.points
            travelled = [0.0]
            for a, b in pairwise(legs):
                travelled.append(travelled[-1] + math.dist(a, b))
            kind[i] = LOOP if path.mode == "loop" else PING_PONG
            rate[i], phase[i] = path.speed, path.speed * path.start_s
            points += legs
            along += travelled
        first[i + 1] = len(points)
    return PathTable(
        kind,
        np.array(rest, np.float64).reshape(n, 3),
        amplitude,
        rate,
        phase,
        first,
        np.array(points, np.float64).reshape(-1, 3),
        np.array(along, np.float64),
    )


@njit(cache=True)
def _positions(
    t_s: float,
    kind: NDArray[np.int64],
    amplitude: NDArray[np.float64],
    rate: NDArray[np.float64],
    phase: NDArray[np.float64],
    first: NDArray[np.int64],
    points: NDArray[np.float64],
    along: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    """Overwrite the rows of moving objects in `out` (N, 3), which holds the rest positions."""
    for i in range(kind.size):
        if kind[i] == SINUSOID:
            swing = math.sin(rate[i] * t_s + phase[i])
            for k in range(3):
                out[i, k] += amplitude[i, k] * swing
        elif kind[i] != STATIC:
            low, high = first[i], first[i + 1]
            length = along[high - 1]
            s = rate[i] * t_s + phase[i]
            if kind[i] == LOOP:
                s %= length
            else:
                s %= 2.0 * length
                s = min(s, 2.0 * length - s)
            leg = low
            while leg < high - 2 and along[leg + 1] < s:
                leg += 1
            span = along[leg + 1] - along[leg]
            part = (s - along[leg]) / span if span > 0.0 else 0.0
            for k in range(3):
                out[i, k] = points[leg, k] + part * (points[leg + 1, k] - points[leg, k])
