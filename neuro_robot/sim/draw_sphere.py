"""Spheres."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from neuro_robot.sim.fast_float import F, asin32
from neuro_robot.sim.runs import HALF, ONE, ZERO, along_run, fetch, hazed, lambert, mixed_texels, ramp
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
)
from neuro_robot.sim.texture import BYTE, SIZE, TEXELS_PER_RADIAN, mip_level, texel

PI = F(3.141592653589793)


@njit(cache=True, error_model="numpy")
def draw_sphere(
    x: float, y: float, z: float, radius: float, ray: Any, norm: Any, look: Any, air: Any, table: Any, rect: Any,
    top: int, bottom: int, scratch: Any, image: Any, depth: Any,
) -> None:  # fmt: skip
    """Draw runs top..bottom of a sphere with its centre at (x, y, z) from the eye; scratch (2, size) int32."""
    centre = (F(x), F(y), F(z), F(radius))
    pixel = np.sqrt(ray[0, 0] ** 2 + ray[0, 1] ** 2 + ray[0, 2] ** 2)
    surface = (look[BRIGHTNESS], look[CONTRAST] * BYTE, look[OFFSET_U], look[OFFSET_V])
    light = (air[LIGHT_X], air[LIGHT_Y], air[LIGHT_Z], air[AMBIENT], air[HORIZON], air[INVERSE_HAZE])
    u0, u1 = rect[0], rect[1]
    fine, coarse = scratch[0, : u1 - u0], scratch[1, : u1 - u0]
    for v in range(top, bottom):
        step, start = along_run(ray, v)
        length = norm[v, u0:u1]
        _texels(u0, step, start, centre, pixel, surface, length, fine, coarse)
        fetch(table, fine, coarse)
        _shade(u0, step, start, centre, pixel, surface, light, fine, coarse, length, image[v, u0:u1], depth[v, u0:u1])


@njit(cache=True, error_model="numpy")
def _point(k: int, step: Any, start: Any, centre: Any, length: Any, pixel: Any) -> Any:
    """Depth, coverage, footprint (m) and normal where ray k of norm `length` meets the sphere.

    Like a trunk's, the normal is that of the middle of what the pixel sees of the sphere.
    """
    u = F(np.int32(k))
    dx, dy, dz = (step[0] * u + start[0]) / length, (step[1] * u + start[1]) / length, (step[2] * u + start[2]) / length
    along = dx * centre[0] + dy * centre[1] + dz * centre[2]
    scale = ONE / centre[3]
    # from the centre to the ray, in radii
    mx, my, mz = (dx * along - centre[0]) * scale, (dy * along - centre[1]) * scale, (dz * along - centre[2]) * scale
    aside = np.sqrt(mx * mx + my * my + mz * mz)
    footprint = max(along / length * pixel, F(1e-9))
    cover = ramp((ONE - aside) * centre[3] / footprint)
    blur = HALF * footprint * scale
    middle = HALF * (min(aside + blur, ONE) + max(min(aside - blur, ONE), -ONE))
    ahead = np.sqrt(max(ONE - middle * middle, ZERO))
    shrink = middle / max(aside, F(1e-6))
    normal = (mx * shrink - dx * ahead, my * shrink - dy * ahead, mz * shrink - dz * ahead)
    return (along - ahead * centre[3]) / length, cover if along > ZERO else ZERO, footprint, normal


@njit(cache=True, error_model="numpy")
def _place(normal: Any, footprint: Any, radius: Any, surface: Any) -> Any:
    """Mip level, blend weight, texture coordinates and fade: longitude and sine of latitude, plain at the poles."""
    belt = max(ONE - normal[2] * normal[2], F(1e-6))
    ring = np.sqrt(belt)
    angle = asin32(min(max(normal[1] / ring, -ONE), ONE))
    angle = PI - angle if normal[0] < ZERO else angle
    level, part = mip_level(footprint * TEXELS_PER_RADIAN / radius / max(ring, F(0.05)))
    x, y = angle * TEXELS_PER_RADIAN + surface[2], normal[2] * F(0.25 * SIZE) + surface[3]
    return level, part, x, y, belt


@njit(cache=True, error_model="numpy")
def _texels(
    first: int, step: Any, start: Any, centre: Any, pixel: Any, surface: Any, norm: Any, fine: Any, coarse: Any
) -> None:
    """Table entries of the two mip levels along a run over a sphere."""
    for k in range(norm.size):
        _, _, footprint, normal = _point(first + k, step, start, centre, norm[k], pixel)
        level, _, x, y, _ = _place(normal, footprint, centre[3], surface)
        fine[k] = texel(level, x, y)[0]
        coarse[k] = texel(np.int32(level + np.int32(1)), x, y)[0]


@njit(cache=True, error_model="numpy")
def _shade(
    first: int, step: Any, start: Any, centre: Any, pixel: Any, surface: Any, light: Any, fine: Any, coarse: Any,
    norm: Any, run: Any, far: Any,
) -> None:  # fmt: skip
    """Shade a run over a sphere from its packed texels."""
    for k in range(run.size):
        t, cover, footprint, normal = _point(first + k, step, start, centre, norm[k], pixel)
        level, part, x, y, belt = _place(normal, footprint, centre[3], surface)
        tex = mixed_texels(fine[k], coarse[k], level, part, x, y)
        facing = normal[0] * light[0] + normal[1] * light[1] + normal[2] * light[2]
        shade = surface[0] * (ONE + surface[1] * belt * tex) * lambert(facing, light[3])
        shade = hazed(shade, max(t, ZERO) * norm[k], light[4], light[5])
        old = far[k]
        seen = cover if t > ZERO and t < old else ZERO
        run[k] += seen * (shade - run[k])
        far[k] = t if seen >= HALF else old
