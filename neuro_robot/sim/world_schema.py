"""What a world file may say, and the drawing of what it scatters; every error names the file and the path in it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path as FilePath

import numpy as np

from neuro_robot.errors import WorldError
from neuro_robot.sim.document import FAR, Node, override, parse
from neuro_robot.sim.path import Path, Sinusoid, Waypoints
from neuro_robot.sim.terrain import FrictionPatch, HeightField, Terrain
from neuro_robot.sim.terrain_schema import read_push, read_shift, read_terrain
from neuro_robot.sim.world import KINDS, PATTERNS, Bounds, Goal, Light, Start, Texture, World, WorldObject

MAX_OBJECTS = 5000


def read_world(file: FilePath, seed: int, overrides: Mapping[str, object]) -> World:
    """Parse, check and draw one world; raises WorldError."""
    document = parse(file)
    override(document, overrides, file)
    optional = ("name", "light", "sky", "ground", "objects", "scatter", "terrain", "pushes", "shifts")
    top = Node(document, "", file).mapping(("bounds", "start", "goal"), optional)
    bounds = _bounds(top["bounds"])
    start = _start(top["start"])
    if not bounds.contains(start.x, start.y, start.z):
        raise top["start"].fail("a position inside bounds", "move the start or widen the bounds")
    rng = np.random.default_rng([seed, 0])
    objects = [_placed(node, rng) for node in top["objects"].items()] if "objects" in top else []
    for i, node in enumerate(top["scatter"].items() if "scatter" in top else []):
        objects += _scattered(node, np.random.default_rng([seed, i + 1]))
    terrain, raised = _terrain(top, seed)
    objects += raised
    if len(objects) > MAX_OBJECTS:
        raise WorldError(f"{file}: expected at most {MAX_OBJECTS} objects, got {len(objects)}; lower a density")
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
        terrain=terrain,
    )


def _terrain(top: dict[str, Node], seed: int) -> tuple[Terrain, list[WorldObject]]:
    """The ground, and the part of it that is objects; each entry draws from a generator of its own."""

    def entries(key: str) -> list[tuple[Node, np.random.Generator]]:
        nodes = top[key].items() if key in top else []
        return [(node, np.random.default_rng([seed, *key.encode(), i])) for i, node in enumerate(nodes)]

    pieces = [piece for node, rng in entries("terrain") for piece in read_terrain(node, rng, _texture)]
    terrain = Terrain(
        fields=tuple(piece for piece in pieces if isinstance(piece, HeightField)),
        frictions=tuple(piece for piece in pieces if isinstance(piece, FrictionPatch)),
        pushes=tuple(read_push(node, rng) for node, rng in entries("pushes")),
        shifts=tuple(read_shift(node) for node, _ in entries("shifts")),
    )
    return terrain, [piece for piece in pieces if isinstance(piece, WorldObject)]


def _bounds(node: Node) -> Bounds:
    axes = node.mapping(("x", "y", "z"))
    return Bounds(*axes["x"].extent(), *axes["y"].extent(), *axes["z"].extent())


def _start(node: Node) -> Start:
    keys = node.mapping(("position",), ("yaw_deg",))
    yaw = math.radians(keys["yaw_deg"].number(-360, 360)) if "yaw_deg" in keys else 0.0
    return Start(*keys["position"].vector3(), yaw)


def _goal(node: Node) -> Goal:
    if isinstance(node.value, Mapping) and "x" in node.value:
        return Goal(node.mapping(("x",))["x"].number())
    keys = node.mapping(("position", "radius"))
    return Goal(*keys["position"].vector3(), radius=keys["radius"].number(0.01))


def _light(node: Node) -> Light:
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


def _texture(node: Node | None, rng: np.random.Generator | None) -> Texture:
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


def _placed(node: Node, rng: np.random.Generator) -> WorldObject:
    kind = _kind_of(node)
    path_node = node.value.get("path") if isinstance(node.value, Mapping) else None
    walks = isinstance(path_node, Mapping) and "waypoints" in path_node  # its path says where it is
    needs = {"cylinder": ("radius", "height"), "box": ("size",), "sphere": ("radius",)}[kind]
    required = ("kind", *needs) if walks else ("kind", "position", *needs)
    keys = node.mapping(required, ("texture", "path", "yaw_deg") if kind == "box" else ("texture", "path"))
    if kind == "box":
        x, y, z = keys["size"].vector3(0.001, FAR)
        size = (x / 2, y / 2, z / 2)
    else:
        radius = keys["radius"].number(0.001, FAR)
        size = (radius, radius, keys["height"].number(0.001, FAR) / 2 if kind == "cylinder" else radius)
    path = _path(keys["path"]) if "path" in keys else None
    return WorldObject(
        kind=kind,
        position=path.points[0] if isinstance(path, Waypoints) else keys["position"].vector3(),
        size=size,
        yaw=math.radians(keys["yaw_deg"].number(-360, 360)) if "yaw_deg" in keys else 0.0,
        texture=_texture(keys.get("texture"), rng),
        path=path,
    )


def _kind_of(node: Node) -> str:
    if not isinstance(node.value, Mapping) or "kind" not in node.value:
        raise node.fail(f"a mapping with kind, one of {', '.join(KINDS)}")
    return Node(node.value["kind"], f"{node.path}.kind", node.file).word(KINDS)


def _path(node: Node) -> Path:
    if isinstance(node.value, Mapping) and "amplitude" in node.value:
        keys = node.mapping(("amplitude", "period_s"), ("phase_deg",))
        phase = math.radians(keys["phase_deg"].number(-360, 360)) if "phase_deg" in keys else 0.0
        return Sinusoid(keys["amplitude"].vector3(), keys["period_s"].number(0.01, 1e5), phase)
    keys = node.mapping(("waypoints", "speed"), ("mode", "start_s"))
    points = tuple(item.vector3() for item in keys["waypoints"].items(at_least=2))
    if all(math.dist(a, b) < 1e-6 for a, b in pairwise(points)):
        raise keys["waypoints"].fail("points that differ")
    mode = keys["mode"].word(("loop", "ping_pong")) if "mode" in keys else "loop"
    start_s = keys["start_s"].number(0, 1e5) if "start_s" in keys else 0.0
    return Waypoints(points, keys["speed"].number(0.0, 1000), mode, start_s)


def _swing(node: Node, rng: np.random.Generator) -> Sinusoid:
    """A sinusoid of random period and phase for a scattered object."""
    keys = node.mapping(("amplitude", "period_s"))
    low, high = keys["period_s"].span(0.01, 1e5)
    return Sinusoid(keys["amplitude"].vector3(), float(rng.uniform(low, high)), float(rng.uniform(0, math.tau)))


def _scattered(node: Node, rng: np.random.Generator) -> list[WorldObject]:
    """A homogeneous Poisson process: Poisson count, uniform places; thinned by keep-clear discs it stays Poisson.

    The discs keep out what is there at rest; a swinging object may cross them.
    """
    cylinder = _kind_of(node) == "cylinder"
    needs = ("kind", "density_per_m2", "area", "radius", "height" if cylinder else "z")
    keys = node.mapping(needs, ("keep_clear", "texture", "path"))
    keys["kind"].word(("cylinder", "sphere"))
    area = keys["area"].mapping(("x", "y"))
    (x0, x1), (y0, y1) = area["x"].extent(), area["y"].extent()
    expected = keys["density_per_m2"].number(0, 1e3) * (x1 - x0) * (y1 - y0)
    if expected > MAX_OBJECTS:
        raise keys["density_per_m2"].fail(f"at most {MAX_OBJECTS} objects in the area", f"this makes {expected:.0f}")
    radius, upright = keys["radius"].span(0.001, 1e3), keys["height" if cylinder else "z"].span(0.001, FAR)
    clear = [_disc(disc) for disc in keys["keep_clear"].items()] if "keep_clear" in keys else []
    objects: list[WorldObject] = []
    # one more than drawn, not kept: a file is checked in full even where chance draws nothing
    for left in range(int(rng.poisson(expected)), -1, -1):
        x, y = float(rng.uniform(x0, x1)), float(rng.uniform(y0, y1))
        r, h = float(rng.uniform(*radius)), float(rng.uniform(*upright))
        z, half = (h / 2, h / 2) if cylinder else (h, r)
        texture = _texture(keys.get("texture"), rng)
        path = _swing(keys["path"], rng) if "path" in keys else None
        if left and all(math.hypot(x - cx, y - cy) >= clearance + r for cx, cy, clearance in clear):
            objects.append(
                WorldObject("cylinder" if cylinder else "sphere", (x, y, z), (r, r, half), 0.0, texture, path)
            )
    return objects


def _disc(node: Node) -> tuple[float, float, float]:
    keys = node.mapping(("center", "radius"))
    x, y = keys["center"].vector(2)
    return x, y, keys["radius"].number(0, FAR)
