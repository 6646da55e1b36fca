"""Sky and ground: what every run starts with."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from neuro_robot.sim.fast_float import F
from neuro_robot.sim.runs import HALF, ONE, ZERO, along_run, fetch, hazed, lambert, mixed_texels, ramp
from neuro_robot.sim.scene import AMBIENT, BRIGHTNESS, CONTRAST, HORIZON, INVERSE_HAZE, LIGHT_Z, TEXELS_PER_M, ZENITH
from neuro_robot.sim.texture import BYTE, mip_level, texel


@njit(cache=True, error_model="numpy")
def draw_background(
    v: int, eye: Any, ray: Any, norm: Any, look: Any, air: Any, table: Any, scratch: Any, row: Any
) -> None:
    """Sky above, ground plane z = 0 below, blended over the one pixel of the horizon; scratch (2, size) int32."""
    step, start = along_run(ray, v)
    az, bz = step[2], start[2]
    horizon, rise = air[HORIZON], air[ZENITH] - air[HORIZON]
    for k in range(row.size):
        row[k] = horizon + rise * max(az * F(np.int32(k)) + bz, ZERO) / norm[k]
    slope = ONE / max(np.sqrt(az * az + ray[1, 2] * ray[1, 2]), F(1e-9))
    # the pixels below the line half a pixel above the horizon
    edge = HALF / slope - bz
    first, last = 0, row.size
    if az > F(1e-9):
        last = min(last, max(0, int(min(edge / az, F(1e6))) + 2))
    elif az < F(-1e-9):
        first = max(0, int(min(edge / az, F(1e6))) - 1)
    elif edge <= ZERO:
        last = 0
    if eye[2] <= 0.0 or first >= last:
        return
    n = last - first
    fine, coarse = scratch[0, :n], scratch[1, :n]
    pixel = np.sqrt(step[0] * step[0] + step[1] * step[1] + step[2] * step[2])
    place = (F(eye[0]), F(eye[1]), F(eye[2]))
    _ground_texels(first, step, start, place, pixel, look[TEXELS_PER_M], norm[first:last], fine, coarse)
    fetch(table, fine, coarse)
    lit = look[BRIGHTNESS] * lambert(air[LIGHT_Z], air[AMBIENT])
    _ground(first, step, start, place, pixel, look[TEXELS_PER_M], norm[first:last], fine, coarse, lit,
            look[CONTRAST] * BYTE, horizon, air[INVERSE_HAZE], slope, row[first:last])  # fmt: skip


@njit(cache=True, error_model="numpy")
def _ground_point(dz: Any, h: Any, length: Any, texels: Any, pixel: Any) -> Any:
    """Depth, mip level and blend weight where a ray of norm `length` meets the ground h below."""
    t = min(h / max(-dz, F(1e-6)), F(1e5))
    # the footprint of a pixel, stretched along the view direction by the grazing angle
    level, part = mip_level(t * length * pixel * max(length * t / h, ONE) * texels)
    return t, level, part


@njit(cache=True, error_model="numpy")
def _ground_texels(
    first: int, step: Any, start: Any, eye: Any, pixel: Any, texels: Any, norm: Any, fine: Any, coarse: Any
) -> None:
    """Table entries of the two mip levels for each pixel of a run."""
    for k in range(norm.size):
        u = F(np.int32(first + k))
        dx, dy, dz = step[0] * u + start[0], step[1] * u + start[1], step[2] * u + start[2]
        t, level, _ = _ground_point(dz, eye[2], norm[k], texels, pixel)
        x, y = (eye[0] + t * dx) * texels, (eye[1] + t * dy) * texels
        fine[k] = texel(level, x, y)[0]
        coarse[k] = texel(np.int32(level + np.int32(1)), x, y)[0]


@njit(cache=True, error_model="numpy")
def _ground(
    first: int, step: Any, start: Any, eye: Any, pixel: Any, texels: Any, norm: Any, fine: Any, coarse: Any, lit: Any,
    contrast: Any, horizon: Any, inverse_haze: Any, slope: Any, row: Any,
) -> None:  # fmt: skip
    """Shade a run of ground pixels from their packed texels."""
    for k in range(row.size):
        u = F(np.int32(first + k))
        dx, dy, dz = step[0] * u + start[0], step[1] * u + start[1], step[2] * u + start[2]
        t, level, part = _ground_point(dz, eye[2], norm[k], texels, pixel)
        x, y = (eye[0] + t * dx) * texels, (eye[1] + t * dy) * texels
        tex = mixed_texels(fine[k], coarse[k], level, part, x, y)
        shade = hazed(lit * (ONE + contrast * tex), t * norm[k], horizon, inverse_haze)
        row[k] += ramp(-dz * slope) * (shade - row[k])
