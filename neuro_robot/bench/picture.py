"""The world in colour, for people: the event camera's renderer once per colour channel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from neuro_robot.sim.camera import CameraConfig
from neuro_robot.sim.renderer import Renderer
from neuro_robot.sim.scene import Tint
from neuro_robot.sim.world import World

# Factors on brightness: bark brown, boxes grey-blue, spheres orange, ground green, sky blue overhead.
RED = Tint(objects=(1.25, 0.95, 1.9), ground=0.86, horizon=0.86, zenith=0.62)
GREEN = Tint(objects=(1.0, 1.0, 0.95), ground=1.0, horizon=0.93, zenith=0.80)
BLUE = Tint(objects=(0.72, 1.1, 0.45), ground=0.55, horizon=1.0, zenith=1.12)
GAMMA = 1.0 / 2.2


class Picture:
    """A pinhole picture of a world; same frame as the renderer (z forward, x right, y down)."""

    def __init__(self, world: World, width: int, height: int, fov_deg: float) -> None:
        camera = replace(CameraConfig(), width=width, height=height, fov_deg=fov_deg)
        self._channels = [Renderer(world, camera, tint=tint) for tint in (RED, GREEN, BLUE)]

    def render_rgb(
        self, position: npt.NDArray[np.float64], rotation: npt.NDArray[np.float64], t_s: float
    ) -> npt.NDArray[np.uint8]:
        """(height, width, 3) uint8 RGB from a position (3,) m and a camera-to-world rotation (3, 3) at time t_s."""
        linear = np.stack([np.exp(one.render(position, rotation, t_s)) for one in self._channels], axis=2)
        return np.asarray(255.0 * np.clip(linear, 0.0, 1.0) ** GAMMA, dtype=np.uint8)
