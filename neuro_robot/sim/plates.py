"""Plates that sink and tilt under the feet: each a spring with a lag, moved by the forces of the contacts.

PyBullet bodies on joints would cost every plate in every step; these cost only while they are loaded or on their way
back. A plate without mass is moved, so its speed does not reach the contact: it gives way, it does not throw.
"""

from __future__ import annotations

import math

from neuro_robot.robot import Quaternion, Vector3
from neuro_robot.sim.quadrotor import STEP_S
from neuro_robot.sim.world import WorldObject

LOAD = 60.0  # N at which a plate has given way in full: half the weight of an A1, two feet of a trot
LAG_S = 0.1
AT_REST = 1e-6  # m and rad


class Plate:
    """One plate. Displacement: sink m (downwards), tilt rad about x and about y."""

    def __init__(self, item: WorldObject) -> None:
        self._item = item
        self._now = [0.0, 0.0, 0.0]
        self._load = [0.0, 0.0, 0.0]

    def press(self, x: float, y: float, force: float) -> None:
        """Add a contact of this millisecond: place in the world, m, and force downwards, N."""
        self._load[0] += force
        self._load[1] -= force * (y - self._item.position[1]) / self._item.size[1]
        self._load[2] += force * (x - self._item.position[0]) / self._item.size[0]

    def step(self) -> bool:
        """Give way for a millisecond; False when it is back at rest."""
        spring = self._item.spring
        if spring is None:
            return False
        for k, travel in enumerate((spring.sink_m, spring.tilt, spring.tilt)):
            goal = travel * max(-1.0, min(1.0, self._load[k] / LOAD))
            self._now[k] += (goal - self._now[k]) * STEP_S / LAG_S
        loaded = self._load[0] > 0.0
        self._load = [0.0, 0.0, 0.0]
        return loaded or max(map(abs, self._now)) > AT_REST

    @property
    def pose(self) -> tuple[Vector3, Quaternion]:
        """Where its centre is, m, and its attitude."""
        sink, about_x, about_y = self._now
        x, y, z = self._item.position
        a, b = math.sin(0.5 * about_x), math.sin(0.5 * about_y)
        return (x, y, z - sink), (a, b, 0.0, math.sqrt(1.0 - a * a - b * b))
