"""Worlds: what there is to see and to hit, as plain data that the renderer and the physics both load.

Frame: x forward, y left, z up, metres; the ground is the plane z = 0.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path as FilePath
from typing import TypeVar

import numpy as np
import yaml
from numpy.typing import NDArray

from neuro_robot.errors import WorldError
from neuro_robot.robot import Vector3
from neuro_robot.share import share_folder
from neuro_robot.sim.path import Path, PathTable, compile_paths
from neuro_robot.sim.terrain import Spring, Terrain
from neuro_robot.strict_yaml import read_yaml

KINDS = ("cylinder", "box", "sphere")
PATTERNS = ("plain", "noise", "bark", "checker", "stripes")


@dataclass(frozen=True)
class Texture:
    """Surface look: reflected intensity = brightness * (1 + contrast * pattern), pattern in -1..1 with mean 0."""

    pattern: str = "noise"  # one of PATTERNS
    brightness: float = 0.4  # relative to the sky at the horizon, which is 1
    contrast: float = 0.5  # 0..0.95
    scale_m: float = 1.0  # size of the coarsest features (m); `bark` wraps the trunk once whatever the scale
    offset: tuple[float, float] = (0.0, 0.0)  # shift of the pattern in tiles, 0..1, so that no two trunks are alike


@dataclass(frozen=True)
class WorldObject:
    """A solid. `position` is its centre (at t = 0 if static), `size` its half extents along its own axes.

    cylinder (upright): (radius, radius, height / 2); box: half edges, turned by yaw about z; sphere: (r, r, r).
    """

    kind: str  # one of KINDS
    position: Vector3
    size: Vector3
    yaw: float = 0.0  # rad
    texture: Texture = field(default_factory=Texture)
    path: Path | None = None
    walkable: bool = False  # part of the ground to a walking robot, not an obstacle
    spring: Spring | None = None  # of a plate that gives way under a walking robot

    @property
    def radius(self) -> float:
        """Radius of a cylinder or sphere (m)."""
        return self.size[0]

    @property
    def height(self) -> float:
        """Full height (m)."""
        return 2.0 * self.size[2]


Metres = TypeVar("Metres", float, NDArray[np.float64])


@dataclass(frozen=True)
class Start:
    """Where a robot begins: position (m) and heading (rad, 0 looks along +x)."""

    x: float
    y: float
    z: float
    yaw: float = 0.0

    def ahead(self, x: Metres, y: Metres) -> Metres:
        """How far points (m) lie ahead of it, along its heading, m."""
        return math.cos(self.yaw) * (x - self.x) + math.sin(self.yaw) * (y - self.y)


@dataclass(frozen=True)
class Goal:
    """Reached when x >= goal.x (radius None), or within radius of the point (x, y, z)."""

    x: float
    y: float = 0.0
    z: float = 2.0
    radius: float | None = None

    def reached(self, x: float, y: float, z: float) -> bool:
        """True when the point (m) has reached the goal."""
        if self.radius is None:
            return x >= self.x
        return (x - self.x) ** 2 + (y - self.y) ** 2 + (z - self.z) ** 2 <= self.radius**2


@dataclass(frozen=True)
class Light:
    """Sun direction (unit vector towards it), the share of light that comes from everywhere, and the haze."""

    direction: Vector3 = (-0.424, 0.566, 0.707)
    ambient: float = 0.45  # 0..1
    haze_m: float = 60.0  # distance at which contrast has fallen to 1/e (Koschmieder); inf = clear air


@dataclass(frozen=True)
class Bounds:
    """The box a robot must stay in (m)."""

    xmin: float
    xmax: float
    ymin: float
    ymax: float
    zmin: float
    zmax: float

    def contains(self, x: float, y: float, z: float) -> bool:
        """True inside or on the border; false for anything that is not a number."""
        return self.xmin <= x <= self.xmax and self.ymin <= y <= self.ymax and self.zmin <= z <= self.zmax


@dataclass(frozen=True)
class World:
    """One world, fully drawn: same file and seed, same world."""

    name: str
    seed: int
    bounds: Bounds
    start: Start
    goal: Goal
    light: Light
    ground: Texture
    zenith: float  # intensity of the sky overhead relative to the horizon
    objects: tuple[WorldObject, ...]
    terrain: Terrain = field(default_factory=Terrain)

    @cached_property
    def paths(self) -> PathTable:
        """The motion of all objects as arrays."""
        return compile_paths([item.position for item in self.objects], [item.path for item in self.objects])

    @cached_property
    def moving(self) -> tuple[int, ...]:
        """Indices into `objects` of those that move."""
        return tuple(i for i, item in enumerate(self.objects) if item.path is not None)

    @cached_property
    def upright(self) -> World:
        """The world without the ground's own boxes: what the event camera sees (a box costs the renderer 8 us)."""
        if not any(item.walkable for item in self.objects):
            return self
        return replace(self, objects=tuple(item for item in self.objects if not item.walkable))

    def positions_at(self, t_s: float) -> NDArray[np.float64]:
        """Centres of all N objects at time t_s, (N, 3) m, in the order of `objects`; static ones never change."""
        return self.paths.positions(t_s)


def world_file(name: str | FilePath) -> FilePath:
    """The file of a world given by path or by bare name (`forest`); raises WorldError listing the known names."""
    given = FilePath(name)
    if given.suffix in (".yaml", ".yml"):
        if not given.is_file():
            raise WorldError(f"{given}: no such world file")
        return given
    folder = share_folder() / "sim_worlds"
    if (folder / f"{name}.yaml").is_file():
        return folder / f"{name}.yaml"
    known = sorted(path.stem for path in folder.glob("*.yaml"))
    raise WorldError(f"{name}: no such world; known are {', '.join(known) or 'none'}, or give the path of a .yaml file")


def load_world(path_or_name: str | FilePath, seed: int = 0, overrides: Mapping[str, object] | None = None) -> World:
    """Read a world file, draw what it scatters from `seed`, and return it; raises WorldError with file and path.

    overrides: values to put in place of those in the file, by their path in it: `{"terrain.0.height_m": 0.08}`. They
    may stand behind the name, too: `walk_rough?terrain.0.height_m=0.08&terrain.0.cell_m=0.1`.
    """
    from neuro_robot.sim.world_schema import read_world  # the schema builds these classes

    if seed < 0:
        raise WorldError(f"seed: expected an integer >= 0, got {seed}")
    name, mark, told = str(path_or_name).partition("?")
    return read_world(world_file(name), seed, {**(_overrides(told) if mark else {}), **(overrides or {})})


def _overrides(told: str) -> dict[str, object]:
    """`path=value&path=value` as a mapping; values as YAML has them."""
    pairs = [part.partition("=") for part in told.split("&")]
    try:
        found = {path.strip(): read_yaml(value) for path, mark, value in pairs if path.strip() and mark}
    except yaml.YAMLError:
        found = {}
    twice = [path for path in found if sum(path == other.strip() for other, *_ in pairs) > 1]
    if twice:
        raise WorldError(f"{told!r}: {twice[0]} is given twice; keep one")
    if len(found) != len(pairs):
        raise WorldError(f"{told!r}: expected changes as path=value&path=value behind the world's name, such as "
                         "walk_rough?terrain.0.height_m=0.08")  # fmt: skip
    return found
