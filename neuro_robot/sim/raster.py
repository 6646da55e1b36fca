"""The renderer's inside: ground and sky, then each object over it from far to near, then the logarithm.

The picture is drawn transposed, in runs along its columns: most things stand upright, and long runs are what a
compiler turns into vector code. Intensities are linear and relative to the sky at the horizon (1). A pixel's ray is
d = R (x, y, 1) in world axes, not normalised, so a hit at d * t has depth t. Edges are blended by coverage; of
things that overlap, the depth of the pixel decides.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, prange

from neuro_robot.sim.draw_box import draw_box
from neuro_robot.sim.draw_cylinder import draw_cylinder
from neuro_robot.sim.draw_ground import draw_background
from neuro_robot.sim.draw_sphere import draw_sphere
from neuro_robot.sim.fast_float import F, log32
from neuro_robot.sim.runs import FAR
from neuro_robot.sim.scene import BOX, CYLINDER
from neuro_robot.sim.silhouette import FACE_SIZE, MAX_LINES, box_faces, cylinder_lines

BLOCK = 16  # runs drawn by one task
DARKEST = F(1e-3)  # a photoreceptor's dark current: deep shadow is not minus infinity


@njit(cache=True, error_model="numpy")
def draw_block(
    block: int, eye: Any, rotation: Any, focal: float, norm: Any, kind: Any, centre: Any, half: Any, turn: Any,
    pattern: Any, look: Any, air: Any, tables: Any, order: Any, count: int, rect: Any, image: Any, depth: Any, out: Any,
) -> None:  # fmt: skip
    """Render runs block*BLOCK .. of image (W, H), then write them to out (H, W) as log intensity.

    rotation (3, 3): its columns are the directions of increasing position in the run, of increasing run, and forward.
    norm (W, H) = |d|; image and depth (W, H) are scratch.
    """
    runs, size = image.shape
    v0, v1 = block * BLOCK, min(block * BLOCK + BLOCK, runs)
    ray = np.empty((3, 3), np.float32)  # d = ray[0] * u + ray[1] * v + ray[2]
    for k in range(3):
        ray[0, k] = rotation[k, 0] / focal
        ray[1, k] = rotation[k, 1] / focal
        ray[2, k] = rotation[k, 2] + (rotation[k, 0] * (0.5 - 0.5 * size) + rotation[k, 1] * (0.5 - 0.5 * runs)) / focal
    ground = pattern.size - 1
    scratch = np.empty((2, size), np.int32)
    rows = np.empty((4, size), np.float32)
    lines, planes = np.empty((MAX_LINES, 3)), np.empty((3, FACE_SIZE))
    for v in range(v0, v1):
        draw_background(v, eye, ray, norm[v], look[ground], air, tables[pattern[ground]], scratch, image[v])
        depth[v, :] = FAR
    for j in range(count):
        i = order[j]
        top, bottom = max(v0, rect[i, 2]), min(v1, rect[i, 3])
        if top >= bottom:
            continue
        x, y, z = centre[i, 0] - eye[0], centre[i, 1] - eye[1], centre[i, 2] - eye[2]
        table = tables[pattern[i]]
        if kind[i] == CYLINDER:
            cylinder_lines(x, y, half[i, 0], rotation, focal, size, runs, lines)
            draw_cylinder(x, y, z, half[i], ray, norm, look[i], air, table, lines, rect[i], top, bottom, scratch,
                          image, depth)  # fmt: skip
        elif kind[i] == BOX:
            faces = box_faces(x, y, z, half[i], turn[i], rotation, focal, size, runs, lines, planes)
            draw_box(faces, planes, lines, ray, norm, look[i], air, table, rect[i], top, bottom, scratch, rows, image,
                     depth)  # fmt: skip
        else:
            draw_sphere(x, y, z, half[i, 0], ray, norm, look[i], air, table, rect[i], top, bottom, scratch, image,
                        depth)  # fmt: skip
    for v in range(v0, v1):
        run = image[v]
        for u in range(size):
            run[u] = log32(max(run[u], DARKEST))
    for u in range(size):
        for v in range(v0, v1):
            out[u, v] = image[v, u]


@njit(cache=True, error_model="numpy")
def draw_serial(
    eye: Any, rotation: Any, focal: float, norm: Any, kind: Any, centre: Any, half: Any, turn: Any, pattern: Any,
    look: Any, air: Any, tables: Any, order: Any, count: int, rect: Any, image: Any, depth: Any,
    out: Any,
) -> None:  # fmt: skip
    """All blocks of runs on the calling thread."""
    for block in range((image.shape[0] + BLOCK - 1) // BLOCK):
        draw_block(block, eye, rotation, focal, norm, kind, centre, half, turn, pattern, look, air, tables, order,
                   count, rect, image, depth, out)  # fmt: skip


@njit(cache=True, error_model="numpy", parallel=True)
def draw_parallel(
    eye: Any, rotation: Any, focal: float, norm: Any, kind: Any, centre: Any, half: Any, turn: Any, pattern: Any,
    look: Any, air: Any, tables: Any, order: Any, count: int, rect: Any, image: Any, depth: Any,
    out: Any,
) -> None:  # fmt: skip
    """All blocks of runs on numba's threads; each run is drawn by one of them alone, so the bits are the same."""
    for block in prange((image.shape[0] + BLOCK - 1) // BLOCK):
        draw_block(block, eye, rotation, focal, norm, kind, centre, half, turn, pattern, look, air, tables, order,
                   count, rect, image, depth, out)  # fmt: skip
