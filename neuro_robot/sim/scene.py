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
    """One colour channel: factors on the brightness of things, and the sky's intensity; all 1 is the event camera."""

    objects: tuple[float, float, float] = (1.0, 1.0, 1.0)  # cylinder, box, sphere
    ground: float = 1.0
    horizon: float = 1.0
    zenith: float = 1.0


@dataclass(frozen=True)
class Scene:
    """N objects, ready to draw. Centres come from `World.positions_at`; the rest does not change."""

    kind: NDArray[np.int32]  # (N,)
    half: NDArray[np.float64]  # (N, 3) m half extents
    turn: NDArray[np.float64]  # (N, 2) cos and sin of yaw
    pattern: NDArray[np.int32]  # (N + 1,) row of the texture table; the last is the ground
    look: NDArray[np.float32]  # (N + 1, 5) see the column names above; the last row is the ground
    air: NDArray[np.float32]  # (7,) light, haze and sky


def build_scene(world: World, tint: Tint | None = None) -> Scene:
    """Flatten a world, optionally as one colour channel of it."""
    tint = tint or Tint()
    objects = world.objects
    look = [_look(item.texture, tint.objects[KINDS.index(item.kind)], _texels_per_m(item)) for item in objects]
    look.append(_look(world.ground, tint.ground, _plain_texels_per_m(world.ground)))
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


def _look(texture: Texture, tint: float, texels_per_m: float) -> tuple[float, float, float, float, float]:
    u, v = texture.offset
    return texture.brightness * tint, texture.contrast, texels_per_m, u * SIZE, v * SIZE


def _plain_texels_per_m(texture: Texture) -> float:
    """A tile shows FEATURES features of scale_m each."""
    return SIZE / (FEATURES * texture.scale_m)


def _texels_per_m(item: WorldObject) -> float:
    """Texels per metre along the surface; upright on a cylinder, whose tile wraps around once whatever its radius."""
    return _plain_texels_per_m(item.texture)
