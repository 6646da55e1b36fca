"""Boxes: up to three visible faces, whose coverages add up so that no seam shows between them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from neuro_robot.sim.fast_float import F
from neuro_robot.sim.runs import FAR, HALF, ONE, ZERO, along_run, fetch, hazed, lambert, mixed_texels, narrow, ramp
from neuro_robot.sim.scene import (
    AMBIENT,
    BRIGHTNESS,
    CONTRAST,
    HORIZON,
    INVERSE_HAZE,
    LIGHT_X,
    LIGHT_Y,
    LIGHT_Z,
    OFFSET_U,
    OFFSET_V,
    TEXELS_PER_M,
)
from neuro_robot.sim.silhouette import FACE_SIZE
from neuro_robot.sim.texture import BYTE, mip_level, texel


@njit(cache=True, error_model="numpy")
def draw_box(
    faces: int, planes: Any, lines: Any, ray: Any, norm: Any, look: Any, air: Any, table: Any, rect: Any, top: int,
    bottom: int, scratch: Any, rows: Any, image: Any, depth: Any,
) -> None:  # fmt: skip
    """Draw runs top..bottom of a box from what cull.box_faces prepared; scratch (2, size) int32, rows (4, size)."""
    for v in range(top, bottom):
        low, high = rect[1], rect[0]
        total, mixed, nearest = rows[0], rows[1], rows[2]
        total[rect[0] : rect[1]] = ZERO
        mixed[rect[0] : rect[1]] = ZERO
        nearest[rect[0] : rect[1]] = FAR
        for k in range(faces):
            u0, u1 = rect[0], rect[1]
            for e in range(4):
                u0, u1 = narrow(lines[4 * k + e], v, u0, u1)
            if u0 >= u1:
                continue
            low, high = min(low, u0), max(high, u1)
            _face(u0, v, planes[k], lines[4 * k : 4 * k + 4], ray, norm[v, u0:u1], look, air, table,
                  scratch[0, : u1 - u0], scratch[1, : u1 - u0], rows[3, : u1 - u0], total[u0:u1], mixed[u0:u1],
                  nearest[u0:u1])  # fmt: skip
        if low < high:
            _blend(total[low:high], mixed[low:high], nearest[low:high], image[v, low:high], depth[v, low:high])


@njit(cache=True, error_model="numpy")
def _face(
    u0: int, v: int, plane: Any, lines: Any, ray: Any, norm: Any, look: Any, air: Any, table: Any, fine: Any,
    coarse: Any, shade: Any, total: Any, mixed: Any, nearest: Any,
) -> None:  # fmt: skip
    """Add one face along one run to the accumulators."""
    step, start = along_run(ray, v)
    face = np.empty(FACE_SIZE, np.float32)
    for k in range(FACE_SIZE):
        face[k] = plane[k]
    slopes = (_dot(face, 0, step), _dot(face, 4, step), _dot(face, 7, step))
    starts = (_dot(face, 0, start), _dot(face, 4, start), _dot(face, 7, start))
    texels = look[TEXELS_PER_M]
    # texture coordinates are origin + t * (U.d, V.d) * texels
    origin = (face[10] * texels + look[OFFSET_U] + face[12], face[11] * texels + look[OFFSET_V])
    pixel = np.sqrt(step[0] ** 2 + step[1] ** 2 + step[2] ** 2)
    _texels(u0, slopes, starts, face[3], origin, texels, pixel, norm, fine, coarse)
    fetch(table, fine, coarse)
    facing = face[0] * air[LIGHT_X] + face[1] * air[LIGHT_Y] + face[2] * air[LIGHT_Z]
    lit = look[BRIGHTNESS] * lambert(facing, air[AMBIENT])
    _shade(u0, slopes, starts, face[3], origin, texels, pixel, norm, fine, coarse, lit, look[CONTRAST] * BYTE,
           air[HORIZON], air[INVERSE_HAZE], shade)  # fmt: skip
    edge = (F(lines[0, 0]), F(lines[1, 0]), F(lines[2, 0]), F(lines[3, 0]))
    base = (_at(lines[0], v), _at(lines[1], v), _at(lines[2], v), _at(lines[3], v))
    _accumulate(u0, slopes[0], starts[0], face[3], edge, base, shade, total, mixed, nearest)


@njit(cache=True, error_model="numpy")
def _dot(face: Any, first: int, d: Any) -> Any:
    return face[first] * d[0] + face[first + 1] * d[1] + face[first + 2] * d[2]


@njit(cache=True, error_model="numpy")
def _at(line: Any, v: int) -> Any:
    return F(line[1] * v + line[2])


@njit(cache=True, error_model="numpy")
def _point(k: int, slopes: Any, starts: Any, reach: Any, origin: Any, texels: Any, pixel: Any, length: Any) -> Any:
    """Depth, mip level, blend weight and texture coordinates where ray k of norm `length` meets the face's plane."""
    u = F(np.int32(k))
    steep = min(slopes[0] * u + starts[0], F(-1e-6))
    t = reach / steep
    # the pixel's footprint, stretched by the grazing angle
    level, part = mip_level(t * pixel * texels * length * length / -steep)
    x = origin[0] + t * (slopes[1] * u + starts[1]) * texels
    y = origin[1] + t * (slopes[2] * u + starts[2]) * texels
    return t, level, part, x, y


@njit(cache=True, error_model="numpy")
def _texels(
    first: int,
    slopes: Any,
    starts: Any,
    reach: Any,
    origin: Any,
    texels: Any,
    pixel: Any,
    norm: Any,
    fine: Any,
    coarse: Any,
) -> None:
    """Table entries of the two mip levels along a run over a face."""
    for k in range(norm.size):
        _, level, _, x, y = _point(first + k, slopes, starts, reach, origin, texels, pixel, norm[k])
        fine[k] = texel(level, x, y)[0]
        coarse[k] = texel(np.int32(level + np.int32(1)), x, y)[0]


@njit(cache=True, error_model="numpy")
def _shade(
    first: int, slopes: Any, starts: Any, reach: Any, origin: Any, texels: Any, pixel: Any, norm: Any, fine: Any,
    coarse: Any, lit: Any, contrast: Any, horizon: Any, inverse_haze: Any, shade: Any,
) -> None:  # fmt: skip
    """Intensity of the face along a run."""
    for k in range(norm.size):
        t, level, part, x, y = _point(first + k, slopes, starts, reach, origin, texels, pixel, norm[k])
        tex = mixed_texels(fine[k], coarse[k], level, part, x, y)
        shade[k] = hazed(lit * (ONE + contrast * tex), t * norm[k], horizon, inverse_haze)


@njit(cache=True, error_model="numpy")
def _accumulate(
    first: int,
    slope: Any,
    start: Any,
    reach: Any,
    edge: Any,
    base: Any,
    shade: Any,
    total: Any,
    mixed: Any,
    nearest: Any,
) -> None:
    """Coverage of the face, inside its four edges (opposite ones in pairs), into the accumulators."""
    for k in range(shade.size):
        u = F(np.int32(first + k))
        across = max(ramp(edge[0] * u + base[0]) + ramp(edge[2] * u + base[2]) - ONE, ZERO)
        along = max(ramp(edge[1] * u + base[1]) + ramp(edge[3] * u + base[3]) - ONE, ZERO)
        cover = across * along
        t = reach / min(slope * u + start, F(-1e-6))
        total[k] += cover
        mixed[k] += cover * shade[k]
        old = nearest[k]
        nearest[k] = min(t, old) if cover > ZERO else old


@njit(cache=True, error_model="numpy")
def _blend(total: Any, mixed: Any, nearest: Any, run: Any, far: Any) -> None:
    """Lay the faces over what is there."""
    for k in range(run.size):
        cover = min(total[k], ONE)
        shade = mixed[k] / max(total[k], F(1e-9))
        t, old = nearest[k], far[k]
        seen = cover if t < old else ZERO
        run[k] += seen * (shade - run[k])
        far[k] = t if seen >= HALF else old
