"""What a world file may say about the ground: keys `terrain`, `pushes` and `shifts`, and the drawing of it."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from neuro_robot.sim.document import Node, Range
from neuro_robot.sim.terrain import FrictionPatch, HeightField, Push, Shift, Spring
from neuro_robot.sim.world import Texture, WorldObject

MAX_CORNERS = 400_000  # of one heightfield: 25 MB in the physics
MAX_BOXES = 5000
Draw = np.random.Generator
Piece = HeightField | FrictionPatch | WorldObject
TextureReader = Callable[[Node | None, Draw | None], Texture]


def read_terrain(node: Node, rng: Draw, texture: TextureReader) -> list[Piece]:
    """One entry of `terrain`: the heightfields, friction patches and boxes that it makes."""
    kinds = {"rough": _rough, "slope": _slope, "friction": _friction}
    boxed = {"boxes": _boxes, "steps": _steps, "plates": _plates}
    if not isinstance(node.value, dict) or "kind" not in node.value:
        raise node.fail(f"a mapping with kind, one of {', '.join((*kinds, *boxed))}")
    kind = Node(node.value["kind"], f"{node.path}.kind", node.file).word((*kinds, *boxed))
    return [*kinds[kind](node, rng)] if kind in kinds else [*boxed[kind](node, rng, texture)]


def _area(node: Node) -> tuple[Range, Range]:
    axes = node.mapping(("x", "y"))
    return axes["x"].extent(), axes["y"].extent()


def _rough(node: Node, rng: Draw) -> list[Piece]:
    """Corner heights uniform in 0..height_m; the border lies at 0."""
    keys = node.mapping(("kind", "area", "cell_m", "height_m"))
    (x, _), (y, _), cell, shape = _cells(keys["area"], keys["cell_m"].number(0.02, 10))
    heights = rng.uniform(0.0, keys["height_m"].number(0.0, 1.0), shape)
    return [_field(x, y, cell, heights)]


def _slope(node: Node, _rng: Draw) -> list[Piece]:
    """Up along x by angle_deg to height_m, level, and down again at the far end."""
    keys = node.mapping(("kind", "area", "angle_deg", "height_m"))
    (x, x1), (y, _), cell, shape = _cells(keys["area"], 0.2)
    rise = math.tan(math.radians(keys["angle_deg"].number(0.1, 45.0)))
    height = keys["height_m"].number(0.0, 10.0)
    along = cell * np.arange(shape[0])
    profile = np.minimum(np.minimum(rise * along, rise * (x1 - x - along)), height).clip(0.0)
    return [_field(x, y, cell, np.tile(profile[:, None], (1, shape[1])))]


def _cells(area: Node, cell: float) -> tuple[Range, Range, float, tuple[int, int]]:
    (x0, x1), (y0, y1) = _area(area)
    nx, ny = int((x1 - x0) / cell + 1e-6) + 1, int((y1 - y0) / cell + 1e-6) + 1
    if nx < 3 or ny < 3 or nx * ny > MAX_CORNERS:
        raise area.fail(f"an area of at least 2 x 2 cells and at most {MAX_CORNERS} corners", f"this has {nx} x {ny}")
    return (x0, x1), (y0, y1), cell, (nx, ny)


def _field(x: float, y: float, cell: float, heights: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> HeightField:
    heights[[0, -1], :] = heights[:, [0, -1]] = 0.0
    return HeightField(x, y, cell, heights.shape, heights.tobytes())


def _friction(node: Node, _rng: Draw) -> list[Piece]:
    keys = node.mapping(("kind", "area", "friction"))
    return [FrictionPatch(*_area(keys["area"]), keys["friction"].number(0.0, 5.0))]


def _boxes(node: Node, rng: Draw, texture: TextureReader) -> list[Piece]:
    """A Poisson process of flat boxes at any heading."""
    keys = node.mapping(("kind", "area", "density_per_m2", "size_m", "height_m"), ("texture",))
    (x0, x1), (y0, y1) = _area(keys["area"])
    expected = keys["density_per_m2"].number(0, 1e3) * (x1 - x0) * (y1 - y0)
    if expected > MAX_BOXES:
        raise keys["density_per_m2"].fail(f"at most {MAX_BOXES} boxes in the area", f"this makes {expected:.0f}")
    size, height = keys["size_m"].span(0.01, 100), keys["height_m"].span(0.001, 10)
    pieces: list[Piece] = []
    for _ in range(int(rng.poisson(expected))):
        x, y, turn = float(rng.uniform(x0, x1)), float(rng.uniform(y0, y1)), float(rng.uniform(0.0, math.pi))
        edges = float(rng.uniform(*size)), float(rng.uniform(*size)), float(rng.uniform(*height))
        pieces.append(_box(x, y, edges, turn, texture(keys.get("texture"), rng)))
    return pieces


def _steps(node: Node, rng: Draw, texture: TextureReader) -> list[Piece]:
    """Stairs up along x to a landing and down again: one block per step, side by side."""
    keys = node.mapping(("kind", "area", "rise_m", "run_m", "count"), ("texture",))
    (x0, x1), (y0, y1) = _area(keys["area"])
    rise, run, count = keys["rise_m"].number(0.001, 1), keys["run_m"].number(0.01, 10), keys["count"].number(1, 100)
    if count != int(count):
        raise keys["count"].fail("a whole number")
    landing = x1 - x0 - 2 * run * (int(count) - 1)
    if landing <= 0.0:
        raise keys["count"].fail(f"fewer steps than fit into {x1 - x0:g} m up and down", "lengthen the area")
    look = texture(keys.get("texture"), rng)
    top = rise * int(count)
    pieces: list[Piece] = [_box(0.5 * (x0 + x1), 0.5 * (y0 + y1), (landing, y1 - y0, top), 0.0, look)]
    for i in range(int(count) - 1):
        ends = (x0 + (i + 0.5) * run, x1 - (i + 0.5) * run)
        pieces += [_box(x, 0.5 * (y0 + y1), (run, y1 - y0, rise * (i + 1)), 0.0, look) for x in ends]
    return pieces


def _plates(node: Node, rng: Draw, texture: TextureReader) -> list[Piece]:
    """A pavement of square plates that sink and tilt; spans are drawn plate by plate."""
    keys = node.mapping(("kind", "area", "size_m", "height_m", "sink_m", "tilt_deg"), ("texture",))
    (x0, x1), (y0, y1) = _area(keys["area"])
    size, height = keys["size_m"].number(0.05, 10), keys["height_m"].number(0.001, 1)
    sink, tilt = keys["sink_m"].span(0.0, height), keys["tilt_deg"].span(0.0, 20.0)
    nx, ny = int((x1 - x0) / size + 1e-6), int((y1 - y0) / size + 1e-6)
    if not 1 <= nx * ny <= MAX_BOXES:
        raise keys["area"].fail(f"an area for 1 to {MAX_BOXES} plates", f"this has {nx} x {ny}")
    pieces: list[Piece] = []
    for i in range(nx * ny):
        spring = Spring(float(rng.uniform(*sink)), math.radians(float(rng.uniform(*tilt))))
        x, y = x0 + (i // ny + 0.5) * size, y0 + (i % ny + 0.5) * size
        look = texture(keys.get("texture"), rng)
        pieces.append(_box(x, y, (0.98 * size, 0.98 * size, height), 0.0, look, spring))
    return pieces


def _box(
    x: float, y: float, edges: tuple[float, float, float], turn: float, look: Texture, spring: Spring | None = None
) -> WorldObject:
    half = (0.5 * edges[0], 0.5 * edges[1], 0.5 * edges[2])
    return WorldObject("box", (x, y, half[2]), half, turn, look, walkable=True, spring=spring)


def read_push(node: Node, rng: Draw) -> Push:
    """One entry of `pushes`; spans are drawn. Direction: degrees from x towards y, where it pushes to."""
    keys = node.mapping(("at_s", "impulse_ns"), ("direction_deg", "duration_s"))
    at_s = float(rng.uniform(*keys["at_s"].span(0, 1e5)))
    size = float(rng.uniform(*keys["impulse_ns"].span(0, 1e4)))
    ends = keys["direction_deg"].span(-360, 360) if "direction_deg" in keys else (0.0, 360.0)
    angle = math.radians(float(rng.uniform(*ends)))
    duration_s = keys["duration_s"].number(0.001, 100) if "duration_s" in keys else 0.1
    return Push(at_s, (size * math.cos(angle), size * math.sin(angle), 0.0), duration_s)


def read_shift(node: Node) -> Shift:
    """One entry of `shifts`: a time, and one or more of friction, payload_kg, actuator with torque."""
    keys = node.mapping(("at_s",), ("friction", "payload_kg", "actuator", "torque"))
    if len(keys) == 1 or ("actuator" in keys) != ("torque" in keys):
        raise node.fail("at_s with friction, payload_kg, or actuator and torque together")
    name = keys["actuator"].value if "actuator" in keys else None
    if name is not None and not isinstance(name, str):
        raise keys["actuator"].fail("the name of a joint")
    return Shift(
        at_s=keys["at_s"].number(0, 1e5),
        friction=keys["friction"].number(0, 5) if "friction" in keys else None,
        payload_kg=keys["payload_kg"].number(0, 100) if "payload_kg" in keys else None,
        actuator=name,
        torque=keys["torque"].number(0, 10) if "torque" in keys else 1.0,
    )
