"""The ground of a walking robot beyond the plane z = 0, and what happens to the robot on the way, as plain data.

Raised boxes, steps and plates are objects of the world (`WorldObject.walkable`), which pictures show and the robot's
camera does not; heightfields, friction and disturbances are felt, not seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neuro_robot.robot import Vector3


@dataclass(frozen=True)
class HeightField:
    """Ground heights at the corners of square cells; `heights` holds shape[0] x shape[1] float64, x slowest, m."""

    x: float  # m, corner of the first cell
    y: float
    cell_m: float
    shape: tuple[int, int]
    heights: bytes

    @property
    def grid(self) -> NDArray[np.float64]:
        """Heights (nx, ny), m."""
        return np.frombuffer(self.heights, np.float64).reshape(self.shape)


@dataclass(frozen=True)
class FrictionPatch:
    """A rectangle where the feet find another friction."""

    x: tuple[float, float]  # m
    y: tuple[float, float]
    friction: float


@dataclass(frozen=True)
class Spring:
    """How a plate gives way: what a third of a robot's weight (see `plates`) does to it at the middle and the edge."""

    sink_m: float
    tilt: float  # rad


@dataclass(frozen=True)
class Push:
    """A push at the trunk: `impulse` N s in world axes, spread evenly over duration_s from at_s on."""

    at_s: float
    impulse: Vector3
    duration_s: float


@dataclass(frozen=True)
class Shift:
    """A lasting change at at_s: what is None stays."""

    at_s: float
    friction: float | None = None  # of every foot, wherever no patch says otherwise
    payload_kg: float | None = None  # lands on the trunk
    actuator: str | None = None  # this joint's torque is multiplied by `torque`
    torque: float = 1.0


@dataclass(frozen=True)
class Terrain:
    """Everything about the ground that is not an object; the default is the bare plane."""

    fields: tuple[HeightField, ...] = ()
    frictions: tuple[FrictionPatch, ...] = ()  # where they overlap, the last counts
    pushes: tuple[Push, ...] = ()
    shifts: tuple[Shift, ...] = ()
