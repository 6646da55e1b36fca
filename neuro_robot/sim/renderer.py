"""The camera's view of a world: log intensity per pixel, sampled at an instant."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numba
import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuro_robot.errors import SimulationError
from neuro_robot.sim.cull import visible
from neuro_robot.sim.raster import draw_parallel, draw_serial
from neuro_robot.sim.scene import Scene, Tint, build_scene
from neuro_robot.sim.texture import texture_tables
from neuro_robot.sim.world import World, WorldObject

if TYPE_CHECKING:
    from neuro_robot.sim.camera import CameraConfig


class Renderer:
    """Draws a world as a pinhole camera sees it.

    Image: float32 (height, width), natural log of intensity, 0 = the sky at the horizon; row 0 is the top.
    Camera frame: z forward, x right, y down. `threads` > 1 uses numba's thread pool; the bits are the same.
    `culling` off draws every object everywhere, to check that culling changes nothing. `tint` makes it one colour
    channel and `extra` adds objects that the world does not have, both for pictures (see picture.py).
    """

    def __init__(
        self,
        world: World,
        camera: CameraConfig,
        *,
        threads: int = 1,
        culling: bool = True,
        tint: Tint | None = None,
        extra: tuple[WorldObject, ...] = (),
    ) -> None:
        self.world = world
        self.scene: Scene = build_scene(world, tint, extra)
        self.width, self.height = camera.width, camera.height
        self.focal = 0.5 * camera.width / math.tan(0.5 * math.radians(camera.fov_deg))
        self.threads = min(threads, numba.config.NUMBA_NUM_THREADS)
        self.culling = culling
        n = len(world.objects) + len(extra)
        self._tables = texture_tables()
        self._order, self._rect = np.zeros(n, np.int64), np.zeros((n, 4), np.int64)
        self._image = np.zeros((self.height, self.width), np.float32)
        self._linear = np.zeros((self.width, self.height), np.float32)
        self._depth = np.zeros_like(self._linear)
        u = (np.arange(self.width) + 0.5 - 0.5 * self.width) / self.focal
        v = (np.arange(self.height) + 0.5 - 0.5 * self.height) / self.focal
        self._norm = np.sqrt(u[:, None] ** 2 + v[None, :] ** 2 + 1.0).astype(np.float32)

    def render(
        self, position: ArrayLike, rotation: ArrayLike, t_s: float, extra: NDArray[np.float64] | None = None
    ) -> NDArray[np.float32]:
        """The view from `position` (3,) m with `rotation` (3, 3) camera to world, at time t_s.

        `extra` (E, 3) m: where the extra objects are.

        The returned array is a buffer that the next call overwrites. Raises SimulationError for a pose that is
        not finite.
        """
        eye = np.ascontiguousarray(position, np.float64)
        # the raster draws the picture transposed: its first axis is down, its second right
        turn = np.ascontiguousarray(np.asarray(rotation, np.float64)[:, [1, 0, 2]])
        if not (math.isfinite(eye.sum()) and math.isfinite(turn.sum()) and math.isfinite(t_s)):
            raise SimulationError(f"camera pose: expected finite numbers, got {eye} at {t_s} s; check the vehicle")
        centre = self.world.positions_at(t_s)
        if extra is not None:
            centre = np.concatenate([centre, extra])
        scene = self.scene
        count = visible(
            eye, turn, self.focal, self.height, self.width, scene.kind, centre, scene.half, scene.turn,
            self.culling, self._order, self._rect,
        )  # fmt: skip
        draw = draw_serial
        if self.threads > 1:
            numba.set_num_threads(self.threads)
            draw = draw_parallel
        draw(
            eye, turn, self.focal, self._norm, scene.kind, centre, scene.half, scene.turn, scene.pattern, scene.look,
            scene.air, self._tables, self._order, count, self._rect, self._linear, self._depth,
            self._image,
        )  # fmt: skip
        return self._image
