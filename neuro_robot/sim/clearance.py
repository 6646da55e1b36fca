"""Distance from a point to every solid of a world, in closed form (signed distance functions)."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from neuro_robot.sim.world import KINDS, World

Floats = NDArray[np.float64]
CYLINDER, BOX = KINDS.index("cylinder"), KINDS.index("box")


@njit(cache=True)
def surface_distance(kind: int, size: Floats, x: float, y: float, z: float) -> float:
    """Distance, m, from a point in the solid's own axes to its surface, negative inside; size = half extents, m."""
    if kind == CYLINDER:
        a, b = math.hypot(x, y) - size[0], abs(z) - size[2]
        distance = min(max(a, b), 0.0) + math.hypot(max(a, 0.0), max(b, 0.0))
    elif kind == BOX:
        a, b, c = abs(x) - size[0], abs(y) - size[1], abs(z) - size[2]
        outside = math.sqrt(max(a, 0.0) ** 2 + max(b, 0.0) ** 2 + max(c, 0.0) ** 2)
        distance = min(max(a, b, c), 0.0) + outside
    else:
        distance = math.sqrt(x * x + y * y + z * z) - size[0]
    return float(distance)


@njit(cache=True)
def nearest_surface(
    kinds: NDArray[np.int64], centres: Floats, sizes: Floats, yaws: Floats, point: Floats
) -> tuple[int, float]:
    """Row of the nearest of N solids and its distance, m; (-1, inf) when there is none. Point (3,) in the world."""
    nearest, distance = -1, np.inf
    for i in range(len(kinds)):
        dx, dy, dz = point[0] - centres[i, 0], point[1] - centres[i, 1], point[2] - centres[i, 2]
        reach = sizes[i, 0] + sizes[i, 1]
        if abs(dx) - reach > distance or abs(dy) - reach > distance:
            continue
        cosine, sine = math.cos(yaws[i]), math.sin(yaws[i])
        here = surface_distance(kinds[i], sizes[i], cosine * dx + sine * dy, cosine * dy - sine * dx, dz)
        if here < distance:
            nearest, distance = i, here
    return nearest, distance


class Clearance:
    """The solids of a world as arrays, asked for the one nearest to a point; neither the ground nor what is walked on
    counts.
    """

    def __init__(self, world: World) -> None:
        self._rows = np.array([i for i, item in enumerate(world.objects) if not item.walkable], np.int64)
        solids = [world.objects[row] for row in self._rows]
        self._kinds = np.array([KINDS.index(item.kind) for item in solids], np.int64)
        self._sizes = np.array([item.size for item in solids], np.float64).reshape(-1, 3)
        self._yaws = np.array([item.yaw for item in solids], np.float64)
        self._centres = world.positions_at(0.0)[self._rows]
        self._world = world

    def nearest(self, point: Floats, t_s: float) -> tuple[int, float]:
        """Index into world.objects and distance, m, from the point (3,) to that surface; (-1, inf) in a bare world."""
        if self._world.moving:
            self._centres = self._world.positions_at(t_s)[self._rows]
        row, distance = nearest_surface(self._kinds, self._centres, self._sizes, self._yaws, point)
        return (int(self._rows[row]) if row >= 0 else -1), float(distance)
