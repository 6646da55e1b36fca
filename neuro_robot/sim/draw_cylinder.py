"""Upright cylinders: trunks and pillars."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from neuro_robot.sim.fast_float import F, asin32
from neuro_robot.sim.runs import HALF, ONE, ZERO, along_run, fetch, hazed, lambert, mixed_texels, narrow, ramp
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
from neuro_robot.sim.texture import BYTE, TEXELS_PER_RADIAN, mip_level, texel


@njit(cache=True, error_model="numpy")
def draw_cylinder(
    x: float, y: float, z: float, half: Any, ray: Any, norm: Any, look: Any, air: Any, table: Any, lines: Any,
    rect: Any, top: int, bottom: int, scratch: Any, image: Any, depth: Any,
) -> None:  # fmt: skip
    """Draw runs top..bottom of an upright cylinder with its centre at (x, y, z) from the eye."""
    distance = max(np.sqrt(x * x + y * y), 1e-6)
    pixel = np.sqrt(ray[0, 0] ** 2 + ray[0, 1] ** 2 + ray[0, 2] ** 2)
    axis = (F(x), F(y), F(half[0]), HALF * pixel * F(distance / half[0]))  # the last: half a pixel in radii
    toward = (F(-x / distance), F(-y / distance))  # from the axis towards the eye
    texels = look[TEXELS_PER_M]
    ends = (F(z - half[2]), F(z + half[2]))
    shift = (F(np.arctan2(-y, -x)) * TEXELS_PER_RADIAN + look[OFFSET_U], look[OFFSET_V] - F(z) * texels)
    gz = max(np.sqrt(ray[0, 2] ** 2 + ray[1, 2] ** 2), F(1e-4))
    level, part = mip_level(F(distance) * pixel * max(TEXELS_PER_RADIAN / axis[2], texels))
    surface = (look[BRIGHTNESS], look[CONTRAST] * BYTE)
    light = (air[LIGHT_X], air[LIGHT_Y], air[AMBIENT], air[HORIZON], air[INVERSE_HAZE])
    for v in range(top, bottom):
        u0, u1 = narrow(lines[0], v, rect[0], rect[1])
        u0, u1 = narrow(lines[1], v, u0, u1)
        if u0 >= u1:
            continue
        step, start = along_run(ray, v)
        left = (F(lines[0, 0]), F(lines[0, 1] * v + lines[0, 2]))
        right = (F(lines[1, 0]), F(lines[1, 1] * v + lines[1, 2]))
        far, run, length = depth[v, u0:u1], image[v, u0:u1], norm[v, u0:u1]
        if ends[0] > ZERO or ends[1] < ZERO:
            _cap(u0, step, start, axis, ends, gz, left, right, look[BRIGHTNESS], air, length, run, far)
        fine, coarse = scratch[0, : u1 - u0], scratch[1, : u1 - u0]
        _trunk_texels(u0, step, start, axis, toward, shift, texels, level, fine, coarse)
        fetch(table, fine, coarse)
        _trunk(u0, step, start, axis, toward, shift, texels, level, part, ends, gz, left, right, surface, light, fine,
               coarse, length, run, far)  # fmt: skip


@njit(cache=True, error_model="numpy")
def _trunk_point(u: Any, step: Any, start: Any, axis: Any, toward: Any) -> Any:
    """Depth, height from the eye, normal and texels around the trunk where the ray at u meets the mantle.

    Taken in the middle of the part of the pixel that lies on the trunk: where the trunk is thinner than a pixel, its
    middle, whichever side of it the pixel's centre is on.
    """
    dx, dy, dz = step[0] * u + start[0], step[1] * u + start[1], step[2] * u + start[2]
    flat = max(np.sqrt(dx * dx + dy * dy), F(1e-5))
    ex, ey = dx / flat, dy / flat
    aside = (ey * axis[0] - ex * axis[1]) / axis[2]  # of the ray from the axis, in radii to the left
    aside = HALF * (min(max(aside + axis[3], -ONE), ONE) + max(min(aside - axis[3], ONE), -ONE))
    ahead = np.sqrt(max(ONE - aside * aside, ZERO))
    nx, ny = -ahead * ex - aside * ey, aside * ex - ahead * ey
    t = (ex * axis[0] + ey * axis[1] - ahead * axis[2]) / flat
    sine = min(max(toward[0] * ny - toward[1] * nx, -ONE), ONE)
    return t, t * dz, nx, ny, asin32(sine) * TEXELS_PER_RADIAN


@njit(cache=True, error_model="numpy")
def _trunk_texels(
    first: int,
    step: Any,
    start: Any,
    axis: Any,
    toward: Any,
    shift: Any,
    texels: Any,
    level: Any,
    fine: Any,
    coarse: Any,
) -> None:
    """Table entries of the two mip levels along a run over a cylinder."""
    for k in range(fine.size):
        u = F(np.int32(first + k))
        _, zh, _, _, around = _trunk_point(u, step, start, axis, toward)
        x, y = shift[0] + around, shift[1] + zh * texels
        fine[k] = texel(level, x, y)[0]
        coarse[k] = texel(np.int32(level + np.int32(1)), x, y)[0]


@njit(cache=True, error_model="numpy")
def _trunk(
    first: int, step: Any, start: Any, axis: Any, toward: Any, shift: Any, texels: Any, level: Any, part: Any,
    ends: Any, gz: Any, left: Any, right: Any, surface: Any, light: Any, fine: Any, coarse: Any, norm: Any, run: Any,
    far: Any,
) -> None:  # fmt: skip
    """Shade a run over the mantle of a cylinder from its packed texels."""
    for k in range(run.size):
        u = F(np.int32(first + k))
        t, zh, nx, ny, around = _trunk_point(u, step, start, axis, toward)
        cover = max(ramp(left[0] * u + left[1]) + ramp(right[0] * u + right[1]) - ONE, ZERO)
        soft = ONE / max(t * gz, F(1e-9))
        cover *= max(ramp((ends[1] - zh) * soft) + ramp((zh - ends[0]) * soft) - ONE, ZERO)
        x, y = shift[0] + around, shift[1] + zh * texels
        tex = mixed_texels(fine[k], coarse[k], level, part, x, y)
        shade = surface[0] * (ONE + surface[1] * tex) * lambert(nx * light[0] + ny * light[1], light[2])
        shade = hazed(shade, max(t, ZERO) * norm[k], light[3], light[4])
        old = far[k]
        seen = cover if t > ZERO and t < old else ZERO
        run[k] += seen * (shade - run[k])
        far[k] = t if seen >= HALF else old


@njit(cache=True, error_model="numpy")
def _cap(
    first: int, step: Any, start: Any, axis: Any, ends: Any, gz: Any, left: Any, right: Any, brightness: Any, air: Any,
    norm: Any, run: Any, far: Any,
) -> None:  # fmt: skip
    """The flat end of a cylinder seen from beyond it, drawn before the mantle, which covers its near rim."""
    above = ends[1] < ZERO
    end = ends[1] if above else ends[0]
    inward = -ONE if above else ONE
    flat_shade = brightness * lambert(air[LIGHT_Z] if above else -air[LIGHT_Z], air[AMBIENT])
    for k in range(run.size):
        u = F(np.int32(first + k))
        dx, dy, dz = step[0] * u + start[0], step[1] * u + start[1], step[2] * u + start[2]
        t = end / dz if abs(dz) > F(1e-9) else F(-1.0)
        if t <= ZERO or t >= far[k]:
            continue
        flat = max(dx * dx + dy * dy, F(1e-9))
        across = dx * axis[1] - dy * axis[0]
        root = np.sqrt(max(axis[2] * axis[2] * flat - across * across, ZERO))
        along = dx * axis[0] + dy * axis[1]
        near, beyond = (along - root) / flat, (along + root) / flat
        # covered up to the far rim, and from just under the near rim, where the mantle takes over
        cover = ramp((beyond * dz - end) * inward / max(abs(beyond) * gz, F(1e-9))) if beyond > ZERO else ZERO
        if near > ZERO:
            cover *= ramp(ONE - (near * dz - end) * inward / max(near * gz, F(1e-9)))
        cover *= max(ramp(left[0] * u + left[1]) + ramp(right[0] * u + right[1]) - ONE, ZERO)
        shade = hazed(flat_shade, t * norm[k], air[HORIZON], air[INVERSE_HAZE])
        run[k] += cover * (shade - run[k])
        if cover >= HALF:
            far[k] = t
