"""Colour pictures for people: the same ray caster once per colour channel, with a drone drawn in if asked."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuro_robot.sim.camera import CameraConfig
from neuro_robot.sim.renderer import Renderer
from neuro_robot.sim.scene import Tint
from neuro_robot.sim.world import Texture, World, WorldObject

# red, green, blue: brown trunks and boxes, orange balls, green ground, blue sky, a red drone
CHANNELS = (
    Tint((1.15, 1.10, 1.60), 0.62, 0.86, 0.55, 1.6),
    Tint((0.80, 0.95, 0.75), 0.85, 0.93, 0.80, 0.2),
    Tint((0.55, 0.75, 0.30), 0.42, 1.00, 1.25, 0.2),
)
GAMMA = 1.0 / 2.2
ROTOR_RADIUS, ARM, HUB_RADIUS = 0.11, 0.17, 0.08  # m, drawn larger than life to be seen
_ROTOR = WorldObject("cylinder", (0.0, 0.0, 0.0), (ROTOR_RADIUS, ROTOR_RADIUS, 0.012), 0.0, Texture("plain", 0.35))
_HUB = WorldObject("sphere", (0.0, 0.0, 0.0), (HUB_RADIUS, HUB_RADIUS, HUB_RADIUS), 0.0, Texture("plain", 0.8))
DRONE = (_HUB, _ROTOR, _ROTOR, _ROTOR, _ROTOR)
_PLACES = np.array([[0, 0, 0], [ARM, ARM, 0.03], [ARM, -ARM, 0.03], [-ARM, ARM, 0.03], [-ARM, -ARM, 0.03]])


def render_rgb(
    world: World,
    position: ArrayLike,
    rotation: ArrayLike,
    width: int,
    height: int,
    fov_deg: float,
    t_s: float,
    drone: tuple[ArrayLike, ArrayLike] | None = None,
) -> NDArray[np.uint8]:
    """A picture, uint8 (height, width, 3) RGB, from `position` (3,) m with `rotation` (3, 3) camera to world.

    fov_deg is horizontal. `drone` is the pose (position (3,) m, rotation (3, 3) base_link to world) of a drone to
    draw. Raises SimulationError for poses that are not finite.
    """
    parts = DRONE if drone is not None else ()
    places = None
    if drone is not None:
        places = np.asarray(drone[0], np.float64) + _PLACES @ np.asarray(drone[1], np.float64).T
    picture = np.empty((height, width, 3), np.uint8)
    for channel, renderer in enumerate(_renderers(world, width, height, fov_deg, parts)):
        light = np.exp(GAMMA * renderer.render(position, rotation, t_s, places))
        picture[:, :, channel] = np.clip(225.0 * light, 0.0, 255.0)
    return picture


def look_at(position: ArrayLike, target: ArrayLike) -> NDArray[np.float64]:
    """Camera-to-world rotation (3, 3) that looks from position to target with the horizon level."""
    forward = np.asarray(target, np.float64) - np.asarray(position, np.float64)
    forward = forward / max(float(np.linalg.norm(forward)), 1e-9)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    size = float(np.linalg.norm(right))
    right = right / size if size > 1e-6 else np.array([0.0, -1.0, 0.0])
    return np.stack([right, np.cross(forward, right), forward], axis=1)


@lru_cache(maxsize=4)
def _renderers(
    world: World, width: int, height: int, fov_deg: float, parts: tuple[WorldObject, ...]
) -> tuple[Renderer, ...]:
    camera = CameraConfig(width=width, height=height, fov_deg=fov_deg)
    return tuple(Renderer(world, camera, tint=tint, extra=parts) for tint in CHANNELS)
