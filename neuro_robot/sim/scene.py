"""A world as the flat arrays the render kernels take."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neuro_robot.robot import Vector3
from neuro_robot.sim.texture import FEATURES, SIZE
from neuro_robot.sim.world import KINDS, PATTERNS, Texture, World, WorldObject

CYLINDER, BOX, SPHERE = (KINDS.index(name) for name in ("cylinder", "box", "sphere"))
# columns of `look`
BRIGHTNESS, CONTRAST, TEXELS_PER_M, OFFSET_U, OFFSET_V = range(5)
# entries of `air`
LIGHT_X, LIGHT_Y, LIGHT_Z, AMBIENT, INVERSE_HAZE, HORIZON, ZENITH = range(7)


@dataclass(frozen=True)
class Tint:
    """One colour channel: factors on the brightness of things and of the sky; all 1 is the event camera."""

    objects: tuple[float, float, float] = (1.0, 1.0, 1.0)  # cylinder, box, sphere
    ground: float = 1.0
    horizon: float = 1.0
    zenith: float = 1.0
    extra: float = 1.0  # objects beyond those of the world: the vehicle in a picture


@dataclass(frozen=True)
class Scene:
    """N objects, ready to draw. Centres come from `World.positions_at`; the rest does not change."""

    kind: NDArray[np.int32]  # (N,)
    half: NDArray[np.float64]  # (N, 3) m half extents
    turn: NDArray[np.float64]  # (N, 2) cos and sin of yaw
    pattern: NDArray[np.int32]  # (N + 1,) row of the texture table; the last is the ground
    look: NDArray[np.float32]  # (N + 1, 5) see the column names above; the last row is the ground
    air: NDArray[np.float32]  # (7,) light, haze and sky


def build_scene(world: World, tint: Tint | None = None, extra: tuple[WorldObject, ...] = ()) -> Scene:
    """Flatten a world and extra objects after its own, optionally as one colour channel of it."""
    tint = tint or Tint()
    objects = world.objects + extra
    look = [_look(item.texture, tint.objects[KINDS.index(item.kind)]) for item in world.objects]
    look += [_look(item.texture, tint.extra) for item in extra]
    look.append(_look(world.ground, tint.ground))
    light = world.light
    return Scene(
        kind=np.array([KINDS.index(item.kind) for item in objects], np.int32),
        half=np.array([item.size for item in objects], np.float64).reshape(-1, 3),
        turn=np.array([(math.cos(item.yaw), math.sin(item.yaw)) for item in objects], np.float64).reshape(-1, 2),
        pattern=np.array([PATTERNS.index(t.pattern) for t in [*(o.texture for o in objects), world.ground]], np.int32),
        look=np.array(look, np.float32),
        air=_air(light.direction, light.ambient, light.haze_m, tint.horizon, world.zenith * tint.zenith),
    )


def _air(sun: Vector3, ambient: float, haze_m: float, horizon: float, zenith: float) -> NDArray[np.float32]:
    return np.array([*sun, ambient, 1.0 / haze_m, horizon, zenith], np.float32)


def _look(texture: Texture, tint: float) -> tuple[float, float, float, float, float]:
    """Columns of `look`; a tile shows FEATURES features of scale_m each."""
    u, v = texture.offset
    texels_per_m = SIZE / (FEATURES * texture.scale_m)
    return texture.brightness * tint, texture.contrast, texels_per_m, u * SIZE, v * SIZE
