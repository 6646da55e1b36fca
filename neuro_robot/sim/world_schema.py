"""Reading world files: strict YAML, every value checked, errors that name file, path, what was expected and what came."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path as FilePath
from typing import Any

import numpy as np
import yaml

from neuro_robot.errors import WorldError
from neuro_robot.robot import Vector3
from neuro_robot.sim.path import Path, Sinusoid, Waypoints
from neuro_robot.sim.world import PATTERNS, Bounds, Goal, Light, Start, Texture, World, WorldObject

MAX_BYTES = 1_000_000
MAX_OBJECTS = 5000
FAR = 1e4  # m; nothing may be larger or farther away
Range = tuple[float, float]


class _Loader(yaml.SafeLoader):
    """SafeLoader that refuses aliases (nested ones explode in memory) and duplicate keys (one would be lost)."""

    def compose_node(self, parent: Any, index: Any) -> Any:  # noqa: ANN401 - signature of the base class
        if self.check_event(yaml.events.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise WorldError(f"line {mark.line + 1}: aliases (*name) are not allowed; write the value out")
        return super().compose_node(parent, index)  # type: ignore[no-untyped-call]

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:  # noqa: ANN401
        names = [key.value for key, _ in node.value]
        for name in names:
            if names.count(name) > 1:
                raise WorldError(f"line {node.start_mark.line + 1}: key {name!r} is given twice; keep one")
        return super().construct_mapping(node, deep)


class _Node:
    """A value inside the document with its path; each reader method checks and converts, or raises WorldError."""

    def __init__(self, value: object, path: str, file: FilePath) -> None:
        self.value, self.path, self.file = value, path, file

    def fail(self, expected: str, remedy: str = "") -> WorldError:
        shown = repr(self.value)
        shown = shown if len(shown) <= 60 else shown[:57] + "..."
        where = self.path or "top level"
        return WorldError(f"{self.file}: {where}: expected {expected}, got {shown}{'; ' + remedy if remedy else ''}")

    def mapping(self, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> dict[str, _Node]:
        known = required + optional
        if not isinstance(self.value, Mapping):
            raise self.fail(f"a mapping with {', '.join(known)}")
        prefix = f"{self.path}." if self.path else ""
        for key in self.value:
            if key not in known:
                raise WorldError(
                    f"{self.file}: {prefix}{key}: no such key; known here are {', '.join(known)}: remove or rename it"
                )
        for key in required:
            if key not in self.value:
                raise WorldError(f"{self.file}: {prefix}{key}: is missing; add it")
        return {str(key): _Node(value, f"{prefix}{key}", self.file) for key, value in self.value.items()}

    def items(self, at_least: int = 0) -> list[_Node]:
        if not isinstance(self.value, list) or len(self.value) < at_least:
            raise self.fail(f"a list of at least {at_least} entries" if at_least else "a list")
        if len(self.value) > MAX_OBJECTS:
            raise WorldError(
                f"{self.file}: {self.path}: expected at most {MAX_OBJECTS} entries, got {len(self.value)}; split the world"
            )
        return [_Node(value, f"{self.path}[{i}]", self.file) for i, value in enumerate(self.value)]

    def number(self, low: float = -FAR, high: float = FAR) -> float:
        is_number = isinstance(self.value, (int, float)) and not isinstance(self.value, bool)
        if not is_number or not low <= self.value <= high:  # type: ignore[operator]
            hint = "write 1.0e-3, not 1e-3" if isinstance(self.value, str) and "e" in self.value.lower() else ""
            raise self.fail(f"a number from {low:g} to {high:g}", hint)
        return float(self.value)  # type: ignore[arg-type]

    def vector(self, size: int = 3, low: float = -FAR, high: float = FAR) -> tuple[float, ...]:
        if not isinstance(self.value, list) or len(self.value) != size:
            raise self.fail(f"a list of {size} numbers")
        return tuple(node.number(low, high) for node in self.items())

    def vector3(self, low: float = -FAR, high: float = FAR) -> Vector3:
        x, y, z = self.vector(3, low, high)
        return x, y, z

    def span(self, low: float = -FAR, high: float = FAR) -> Range:
        """[low, high]; a single number means both."""
        if not isinstance(self.value, list):
            value = self.number(low, high)
            return value, value
        a, b = self.vector(2, low, high)
        if b < a:
            raise self.fail("[low, high] with low <= high", "swap the two")
        return a, b

    def extent(self) -> Range:
        """[low, high] with low < high."""
        a, b = self.vector(2)
        if b <= a:
            raise self.fail("[low, high] with low < high")
        return a, b

    def word(self, choices: tuple[str, ...]) -> str:
        if self.value not in choices or not isinstance(self.value, str):
            raise self.fail(f"one of {', '.join(choices)}")
        return self.value


def read_world(file: FilePath, seed: int) -> World:
    """Parse, check and draw one world; raises WorldError."""
    root = _Node(_parse(file), "", file)
    top = root.mapping(
        ("bounds", "start", "goal"),
        ("name", "light", "sky", "ground", "objects", "scatter"),
    )
    bounds = _bounds(top["bounds"])
    start = _start(top["start"])
    if not bounds.contains(start.x, start.y, start.z):
        raise top["start"].fail("a position inside bounds", "move the start or widen the bounds")
    rng = np.random.default_rng([seed, 0])
    objects = [_placed(node, rng) for node in top["objects"].items()] if "objects" in top else []
    for i, node in enumerate(top["scatter"].items() if "scatter" in top else []):
        objects += _scattered(node, np.random.default_rng([seed, i + 1]))
    if len(objects) > MAX_OBJECTS:
        raise WorldError(f"{file}: expected at most {MAX_OBJECTS} objects, got {len(objects)}; lower a density or an area")
    name = top["name"].value if "name" in top else file.stem
    if not isinstance(name, str) or not 0 < len(name) <= 100:
        raise top["name"].fail("a text of 1 to 100 characters")
    sky = top["sky"].mapping((), ("zenith",)) if "sky" in top else {}
    return World(
        name=name,
        seed=seed,
        bounds=bounds,
        start=start,
        goal=_goal(top["goal"]),
        light=_light(top["light"]) if "light" in top else Light(),
        ground=_texture(top["ground"], None) if "ground" in top else Texture(scale_m=2.0),
        zenith=sky["zenith"].number(0.05, 5.0) if "zenith" in sky else 0.8,
        objects=tuple(objects),
    )


def _parse(file: FilePath) -> object:
    try:
        if file.stat().st_size > MAX_BYTES:
            raise WorldError(f"{file}: expected at most {MAX_BYTES} bytes, got {file.stat().st_size}; use scatter")
        return yaml.load(file.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - a SafeLoader
    except WorldError as error:
        raise WorldError(f"{file}: {error}" if str(file) not in str(error) else str(error)) from None
    except (OSError, UnicodeDecodeError, ValueError, TypeError, yaml.YAMLError, RecursionError) as error:
        detail = " ".join(str(error).split())
        raise WorldError(f"{file}: cannot be read as YAML: {detail}; correct the syntax") from error


def _bounds(node: _Node) -> Bounds:
    axes = node.mapping(("x", "y", "z"))
    return Bounds(*axes["x"].extent(), *axes["y"].extent(), *axes["z"].extent())


def _start(node: _Node) -> Start:
    keys = node.mapping(("position",), ("yaw_deg",))
    yaw = math.radians(keys["yaw_deg"].number(-360, 360)) if "yaw_deg" in keys else 0.0
    return Start(*keys["position"].vector3(), yaw)


def _goal(node: _Node) -> Goal:
    if isinstance(node.value, Mapping) and "x" in node.value:
        return Goal(node.mapping(("x",))["x"].number())
    keys = node.mapping(("position", "radius"))
    return Goal(*keys["position"].vector3(), radius=keys["radius"].number(0.01))


def _light(node: _Node) -> Light:
    keys = node.mapping((), ("direction", "ambient", "haze_m"))
    plain = Light()
    direction = plain.direction
    if "direction" in keys:
        x, y, z = keys["direction"].vector3()
        length = math.hypot(x, y, z)
        if length < 1e-6:
            raise keys["direction"].fail("a direction towards the sun that is not zero")
        direction = (x / length, y / length, z / length)
    ambient = keys["ambient"].number(0, 1) if "ambient" in keys else plain.ambient
    return Light(direction, ambient, keys["haze_m"].number(1, 1e6) if "haze_m" in keys else plain.haze_m)


def _texture(node: _Node | None, rng: np.random.Generator | None) -> Texture:
    """A surface; with a generator, brightness may be a range to draw from and the pattern gets a random shift."""
    keys = node.mapping((), ("pattern", "brightness", "contrast", "scale_m")) if node else {}
    plain = Texture()
    low, high = keys["brightness"].span(0.01, 5) if "brightness" in keys else (plain.brightness, plain.brightness)
    brightness = float(rng.uniform(low, high)) if rng else low
    return Texture(
        pattern=keys["pattern"].word(PATTERNS) if "pattern" in keys else plain.pattern,
        brightness=brightness,
        contrast=keys["contrast"].number(0, 0.95) if "contrast" in keys else plain.contrast,
        scale_m=keys["scale_m"].number(0.01, 1000) if "scale_m" in keys else plain.scale_m,
        offset=(float(rng.uniform()), float(rng.uniform())) if rng else (0.0, 0.0),
    )


def _placed(node: _Node, rng: np.random.Generator) -> WorldObject:
    common = ("texture", "path")
    kind_node = node.mapping(("kind",), ("position", "radius", "height", "size", "yaw_deg", *common))["kind"]
    kind = kind_node.word(("cylinder", "box", "sphere"))
    needs = {"cylinder": ("radius", "height"), "box": ("size",), "sphere": ("radius",)}[kind]
    keys = node.mapping(("kind", "position", *needs), (*common, "yaw_deg") if kind == "box" else common)
    if kind == "box":
        x, y, z = keys["size"].vector3(0.001, FAR)
        size = (x / 2, y / 2, z / 2)
    else:
        radius = keys["radius"].number(0.001, FAR)
        size = (radius, radius, keys["height"].number(0.001, FAR) / 2 if kind == "cylinder" else radius)
    return WorldObject(
        kind=kind,
        position=keys["position"].vector3(),
        size=size,
        yaw=math.radians(keys["yaw_deg"].number(-360, 360)) if "yaw_deg" in keys else 0.0,
        texture=_texture(keys.get("texture"), rng),
        path=_path(keys["path"], None) if "path" in keys else None,
    )


def _path(node: _Node, rng: np.random.Generator | None) -> Path:
    if isinstance(node.value, Mapping) and "amplitude" in node.value:
        keys = node.mapping(("amplitude", "period_s"), ("phase_deg",))
        low, high = keys["period_s"].span(0.01, 1e5)
        phase = math.radians(keys["phase_deg"].number(-360, 360)) if "phase_deg" in keys else 0.0
        if rng:
            return Sinusoid(keys["amplitude"].vector3(), float(rng.uniform(low, high)), float(rng.uniform(0, math.tau)))
        return Sinusoid(keys["amplitude"].vector3(), low, phase)
    keys = node.mapping(("waypoints", "speed"), ("mode", "start_s"))
    points = tuple(item.vector3() for item in keys["waypoints"].items(at_least=2))
    if all(math.dist(a, b) < 1e-6 for a, b in zip(points, points[1:], strict=False)):
        raise keys["waypoints"].fail("points that differ")
    mode = keys["mode"].word(("loop", "ping_pong")) if "mode" in keys else "loop"
    start_s = keys["start_s"].number(0, 1e5) if "start_s" in keys else 0.0
    return Waypoints(points, keys["speed"].number(0.0, 1000), mode, start_s)


def _scattered(node: _Node, rng: np.random.Generator) -> list[WorldObject]:
    """A homogeneous Poisson process: Poisson count, uniform places; keep-clear discs thin it, which keeps it Poisson."""
    keys = node.mapping(("kind", "density_per_m2", "area", "radius"), ("height", "z", "keep_clear", "texture", "path"))
    kind = keys["kind"].word(("cylinder", "sphere"))
    if kind == "cylinder" and "height" not in keys:
        raise WorldError(f"{node.file}: {node.path}.height: is missing; a scattered cylinder stands on the ground, say how high")
    if kind == "sphere" and "z" not in keys:
        raise WorldError(f"{node.file}: {node.path}.z: is missing; a scattered sphere needs the range of its height")
    area = keys["area"].mapping(("x", "y"))
    (x0, x1), (y0, y1) = area["x"].extent(), area["y"].extent()
    expected = keys["density_per_m2"].number(0, 1e3) * (x1 - x0) * (y1 - y0)
    if expected > MAX_OBJECTS:
        raise keys["density_per_m2"].fail(f"a density that makes at most {MAX_OBJECTS} objects", f"it makes {expected:.0f}")
    radius = keys["radius"].span(0.001, 1e3)
    height = keys["height"].span(0.001, FAR) if "height" in keys else (0.0, 0.0)
    level = keys["z"].span() if "z" in keys else (0.0, 0.0)
    clear = [_disc(disc) for disc in keys["keep_clear"].items()] if "keep_clear" in keys else []
    objects: list[WorldObject] = []
    for _ in range(int(rng.poisson(expected))):
        x, y = float(rng.uniform(x0, x1)), float(rng.uniform(y0, y1))
        r = float(rng.uniform(*radius))
        half = float(rng.uniform(*height)) / 2 if kind == "cylinder" else r
        z = half if kind == "cylinder" else float(rng.uniform(*level))
        texture = _texture(keys.get("texture"), rng)
        path = _path(keys["path"], rng) if "path" in keys else None
        if all(math.hypot(x - cx, y - cy) >= clearance + r for cx, cy, clearance in clear):
            objects.append(WorldObject(kind, (x, y, z), (r, r, half), 0.0, texture, path))
    return objects


def _disc(node: _Node) -> tuple[float, float, float]:
    keys = node.mapping(("center", "radius"))
    x, y = keys["center"].vector(2)
    return x, y, keys["radius"].number(0, FAR)
