"""The pixel loops of the renderer: ground and sky, then each object over it from far to near, then the logarithm.

The picture is drawn transposed: a "run" here is a column of it, because most things stand upright and long runs are
what a compiler turns into vector code. For the same reason the loops below take scalars and tuples, never an array
they only read one value of, and table look-ups stand in loops of their own.

Intensities are linear and relative to the sky at the horizon (1). A pixel is d = R (x, y, 1) in world axes, not
normalised, so a hit at d * t has depth t. Edges are blended by coverage, objects hidden behind others lose the depth
test, and distance pulls everything to the horizon's intensity by exp(-distance / haze) (Koschmieder's law).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, prange

from neuro_robot.sim.cull import MAX_LINES, box_faces, cylinder_lines
from neuro_robot.sim.fast_float import F, asin32, exp_minus32, log32
from neuro_robot.sim.scene import (
    AMBIENT,
    BOX,
    BRIGHTNESS,
    CONTRAST,
    CYLINDER,
    HORIZON,
    INVERSE_HAZE,
    LIGHT_X,
    LIGHT_Y,
    LIGHT_Z,
    OFFSET_U,
    OFFSET_V,
    TEXELS_PER_M,
    ZENITH,
)
from neuro_robot.sim.texture import BYTE, SIZE, blend, mip_level, sample, texel

BLOCK = 16  # runs drawn by one task
TEXELS_PER_RADIAN = F(SIZE / 6.283185307179586)
HALF = F(0.5)
ZERO = F(0.0)
ONE = F(1.0)


@njit(cache=True)
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
    for v in range(v0, v1):
        _background(v, eye, ray, norm[v], look[ground], air, tables[pattern[ground]], scratch, image[v])
        depth[v, :] = F(1e9)
    lines = np.empty((MAX_LINES, 3))
    planes = np.empty((3, 8))
    for j in range(count):
        i = order[j]
        top, bottom = max(v0, rect[i, 2]), min(v1, rect[i, 3])
        if top >= bottom:
            continue
        x, y, z = centre[i, 0] - eye[0], centre[i, 1] - eye[1], centre[i, 2] - eye[2]
        table = tables[pattern[i]]
        if kind[i] == CYLINDER:
            cylinder_lines(x, y, half[i, 0], rotation, focal, size, runs, lines)
            _cylinder(x, y, z, half[i], ray, norm, look[i], air, table, lines, rect[i], top, bottom, scratch, image,
                      depth)  # fmt: skip
        elif kind[i] == BOX:
            faces = box_faces(x, y, z, half[i], turn[i], rotation, focal, size, runs, lines, planes)
            _box(faces, planes, half[i], turn[i], ray, norm, look[i], air, table, lines, rect[i], top, bottom,
                 F(1.0 / focal), image, depth)  # fmt: skip
        else:
            _sphere(x, y, z, half[i, 0], ray, norm, look[i], air, table, rect[i], top, bottom, F(1.0 / focal), image,
                    depth)  # fmt: skip
    for v in range(v0, v1):
        run = image[v]
        for u in range(size):
            run[u] = log32(run[u])
    for u in range(size):
        for v in range(v0, v1):
            out[u, v] = image[v, u]


@njit(cache=True, inline="always")
def _ramp(x: Any) -> Any:  # noqa: ANN401
    """Coverage of a pixel whose centre lies x pixels inside an edge."""
    return min(max(x + HALF, ZERO), ONE)


@njit(cache=True, inline="always")
def _along(ray: Any, u: int, v: int) -> Any:  # noqa: ANN401
    """The rays of run v from position u on: d = step * k + start, as two tuples."""
    fu, fv = F(u), F(v)
    step = (ray[0, 0], ray[0, 1], ray[0, 2])
    start = (
        fv * ray[1, 0] + ray[2, 0] + fu * ray[0, 0],
        fv * ray[1, 1] + ray[2, 1] + fu * ray[0, 1],
        fv * ray[1, 2] + ray[2, 2] + fu * ray[0, 2],
    )
    return step, start


@njit(cache=True)
def _background(v: int, eye: Any, ray: Any, norm: Any, look: Any, air: Any, table: Any, scratch: Any, row: Any) -> None:
    """Sky above, ground plane z = 0 below, blended over the one pixel of the horizon; scratch (2, size) int32."""
    step, start = _along(ray, 0, v)
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
    step, start = _along(ray, first, v)
    pixel = np.sqrt(step[0] * step[0] + step[1] * step[1] + step[2] * step[2])
    place = (F(eye[0]), F(eye[1]), F(eye[2]))
    _ground_texels(step, start, place, pixel, look[TEXELS_PER_M], norm[first:last], fine, coarse)
    _fetch(table, fine, coarse)
    lit = look[BRIGHTNESS] * (air[AMBIENT] + (ONE - air[AMBIENT]) * max(air[LIGHT_Z], ZERO))
    _ground(step, start, place, pixel, look[TEXELS_PER_M], norm[first:last], fine, coarse, lit, look[CONTRAST] * BYTE,
            horizon, air[INVERSE_HAZE], slope, row[first:last])  # fmt: skip


@njit(cache=True)
def _fetch(table: Any, fine: Any, coarse: Any) -> None:
    """Replace table entries by what stands there."""
    for k in range(fine.size):
        fine[k] = table[np.uint32(fine[k])]
        coarse[k] = table[np.uint32(coarse[k])]


@njit(cache=True, inline="always")
def _ground_point(dz: Any, h: Any, length: Any, texels: Any, pixel: Any) -> Any:  # noqa: ANN401
    """Depth, mip level and blend weight where a ray of norm `length` meets the ground h below."""
    t = min(h / max(-dz, F(1e-6)), F(1e5))
    # the footprint of a pixel, stretched along the view direction by the grazing angle
    level, part = mip_level(t * length * pixel * max(length * t / h, ONE) * texels)
    return t, level, part


@njit(cache=True)
def _ground_texels(
    step: Any, start: Any, eye: Any, pixel: Any, texels: Any, norm: Any, fine: Any, coarse: Any
) -> None:
    """Table entries of the two mip levels for each pixel of a run."""
    for k in range(norm.size):
        u = F(np.int32(k))
        dx, dy, dz = step[0] * u + start[0], step[1] * u + start[1], step[2] * u + start[2]
        t, level, _ = _ground_point(dz, eye[2], norm[k], texels, pixel)
        x, y = (eye[0] + t * dx) * texels, (eye[1] + t * dy) * texels
        fine[k] = texel(level, x, y)[0]
        coarse[k] = texel(np.int32(level + np.int32(1)), x, y)[0]


@njit(cache=True)
def _ground(
    step: Any, start: Any, eye: Any, pixel: Any, texels: Any, norm: Any, fine: Any, coarse: Any, lit: Any,
    contrast: Any, horizon: Any, inverse_haze: Any, slope: Any, row: Any,
) -> None:  # fmt: skip
    """Shade a run of ground pixels from their packed texels."""
    for k in range(row.size):
        u = F(np.int32(k))
        dx, dy, dz = step[0] * u + start[0], step[1] * u + start[1], step[2] * u + start[2]
        t, level, part = _ground_point(dz, eye[2], norm[k], texels, pixel)
        x, y = (eye[0] + t * dx) * texels, (eye[1] + t * dy) * texels
        _, pu, pv = texel(level, x, y)
        a = blend(fine[k], pu, pv)
        _, pu, pv = texel(np.int32(level + np.int32(1)), x, y)
        tex = a + part * (blend(coarse[k], pu, pv) - a)
        clear = exp_minus32(t * norm[k] * inverse_haze)
        shade = horizon + clear * (lit * (ONE + contrast * tex) - horizon)
        row[k] += _ramp(-dz * slope) * (shade - row[k])


@njit(cache=True, inline="always")
def _span(line: Any, v: int, u0: int, u1: int) -> tuple[int, int]:
    """Narrow u0..u1 to the pixels of run v less than half a pixel outside the line (rounded outwards)."""
    a, c = line[0], line[1] * v + line[2] + 0.5
    if a > 1e-12:
        u0 = max(u0, int(min(max(-c / a, 0.0), 1e6)))
    elif a < -1e-12:
        u1 = min(u1, int(min(max(-c / a + 2.0, 0.0), 1e6)))
    elif c <= 0.0:
        u1 = u0
    return u0, u1


@njit(cache=True)
def _cylinder(
    x: float, y: float, z: float, half: Any, ray: Any, norm: Any, look: Any, air: Any, table: Any, lines: Any,
    rect: Any, top: int, bottom: int, scratch: Any, image: Any, depth: Any,
) -> None:  # fmt: skip
    """Draw runs top..bottom of an upright cylinder with its centre at (x, y, z) from the eye."""
    axis = (F(x), F(y), F(half[0]))
    distance = max(np.sqrt(x * x + y * y), 1e-6)
    toward = (F(-x / distance), F(-y / distance))  # from the axis towards the eye
    texels = look[TEXELS_PER_M]
    ends = (F(z - half[2]), F(z + half[2]))
    shift = (F(np.arctan2(-y, -x)) * TEXELS_PER_RADIAN + look[OFFSET_U], look[OFFSET_V] - F(z) * texels)
    gz = max(np.sqrt(ray[0, 2] ** 2 + ray[1, 2] ** 2), F(1e-4))
    pixel = np.sqrt(ray[0, 0] ** 2 + ray[0, 1] ** 2 + ray[0, 2] ** 2)
    level, part = mip_level(F(distance) * pixel * max(TEXELS_PER_RADIAN / axis[2], texels))
    surface = (look[BRIGHTNESS], look[CONTRAST] * BYTE)
    light = (air[LIGHT_X], air[LIGHT_Y], air[AMBIENT], air[HORIZON], air[INVERSE_HAZE])
    for v in range(top, bottom):
        u0, u1 = _span(lines[0], v, rect[0], rect[1])
        u0, u1 = _span(lines[1], v, u0, u1)
        if u0 >= u1:
            continue
        step, start = _along(ray, u0, v)
        left = (F(lines[0, 0]), F(lines[0, 0] * u0 + lines[0, 1] * v + lines[0, 2]))
        right = (F(lines[1, 0]), F(lines[1, 0] * u0 + lines[1, 1] * v + lines[1, 2]))
        far, run, length = depth[v, u0:u1], image[v, u0:u1], norm[v, u0:u1]
        if ends[0] > ZERO or ends[1] < ZERO:
            _cap(step, start, axis, ends, gz, left, right, look[BRIGHTNESS], air, length, run, far)
        fine, coarse = scratch[0, : u1 - u0], scratch[1, : u1 - u0]
        _trunk_texels(step, start, axis, toward, shift, texels, level, fine, coarse)
        _fetch(table, fine, coarse)
        _trunk(step, start, axis, toward, shift, texels, level, part, ends, gz, left, right, surface, light, fine,
               coarse, length, run, far)  # fmt: skip


@njit(cache=True, inline="always")
def _trunk_point(k: int, step: Any, start: Any, axis: Any, toward: Any) -> Any:  # noqa: ANN401
    """Depth, height from the eye, normal and position around the trunk where ray k meets or just misses the cylinder."""
    u = F(np.int32(k))
    dx, dy, dz = step[0] * u + start[0], step[1] * u + start[1], step[2] * u + start[2]
    flat = max(dx * dx + dy * dy, F(1e-9))
    across = dx * axis[1] - dy * axis[0]
    root = np.sqrt(max(axis[2] * axis[2] * flat - across * across, ZERO))
    t = (dx * axis[0] + dy * axis[1] - root) / flat
    nx, ny = (dx * t - axis[0]) / axis[2], (dy * t - axis[1]) / axis[2]
    sine = min(max(toward[0] * ny - toward[1] * nx, -ONE), ONE)
    return t, t * dz, nx, ny, asin32(sine) * TEXELS_PER_RADIAN


@njit(cache=True)
def _trunk_texels(
    step: Any, start: Any, axis: Any, toward: Any, shift: Any, texels: Any, level: Any, fine: Any, coarse: Any
) -> None:
    """Table entries of the two mip levels along a run over a cylinder."""
    for k in range(fine.size):
        _, zh, _, _, around = _trunk_point(k, step, start, axis, toward)
        x, y = shift[0] + around, shift[1] + zh * texels
        fine[k] = texel(level, x, y)[0]
        coarse[k] = texel(np.int32(level + np.int32(1)), x, y)[0]


@njit(cache=True)
def _trunk(
    step: Any, start: Any, axis: Any, toward: Any, shift: Any, texels: Any, level: Any, part: Any, ends: Any, gz: Any,
    left: Any, right: Any, surface: Any, light: Any, fine: Any, coarse: Any, norm: Any, run: Any, far: Any,
) -> None:  # fmt: skip
    """Shade a run over the mantle of a cylinder from its packed texels."""
    for k in range(run.size):
        u = F(np.int32(k))
        t, zh, nx, ny, around = _trunk_point(k, step, start, axis, toward)
        cover = max(_ramp(left[0] * u + left[1]) + _ramp(right[0] * u + right[1]) - ONE, ZERO)
        soft = ONE / max(t * gz, F(1e-9))
        cover *= max(_ramp((ends[1] - zh) * soft) + _ramp((zh - ends[0]) * soft) - ONE, ZERO)
        x, y = shift[0] + around, shift[1] + zh * texels
        _, pu, pv = texel(level, x, y)
        a = blend(fine[k], pu, pv)
        _, pu, pv = texel(np.int32(level + np.int32(1)), x, y)
        tex = a + part * (blend(coarse[k], pu, pv) - a)
        facing = max(nx * light[0] + ny * light[1], ZERO)
        shade = surface[0] * (ONE + surface[1] * tex) * (light[2] + (ONE - light[2]) * facing)
        shade = light[3] + exp_minus32(max(t, ZERO) * norm[k] * light[4]) * (shade - light[3])
        old = far[k]
        seen = cover if t > ZERO and t < old else ZERO
        run[k] += seen * (shade - run[k])
        far[k] = t if seen >= HALF else old


@njit(cache=True)
def _cap(
    step: Any, start: Any, axis: Any, ends: Any, gz: Any, left: Any, right: Any, brightness: Any, air: Any, norm: Any,
    run: Any, far: Any,
) -> None:  # fmt: skip
    """The flat end of a cylinder seen from beyond it, drawn before the mantle, which covers its near rim."""
    above = ends[1] < ZERO
    end = ends[1] if above else ends[0]
    inward = -ONE if above else ONE
    light = air[LIGHT_Z] if above else -air[LIGHT_Z]
    flat_shade = brightness * (air[AMBIENT] + (ONE - air[AMBIENT]) * max(light, ZERO))
    for k in range(run.size):
        u = F(np.int32(k))
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
        cover = _ramp((beyond * dz - end) * inward / max(abs(beyond) * gz, F(1e-9))) if beyond > ZERO else ZERO
        if near > ZERO:
            cover *= _ramp(ONE - (near * dz - end) * inward / max(near * gz, F(1e-9)))
        cover *= max(_ramp(left[0] * u + left[1]) + _ramp(right[0] * u + right[1]) - ONE, ZERO)
        clear = exp_minus32(t * norm[k] * air[INVERSE_HAZE])
        shade = air[HORIZON] + clear * (flat_shade - air[HORIZON])
        run[k] += cover * (shade - run[k])
        if cover >= HALF:
            far[k] = t


@njit(cache=True)
def _sphere(
    x: float, y: float, z: float, radius64: float, ray: Any, norm: Any, look: Any, air: Any, table: Any, rect: Any,
    top: int, bottom: int, pixel: Any, image: Any, depth: Any,
) -> None:  # fmt: skip
    """Draw runs top..bottom of a sphere with its centre at (x, y, z) from the eye."""
    radius = F(radius64)
    cx, cy, cz = F(x), F(y), F(z)
    texels = F(SIZE / 6.283185307179586) / radius
    for v in range(top, bottom):
        bx, by, bz = (
            F(v) * ray[1, 0] + ray[2, 0], F(v) * ray[1, 1] + ray[2, 1], F(v) * ray[1, 2] + ray[2, 2]
        )  # fmt: skip
        for u in range(rect[0], rect[1]):
            dx, dy, dz = ray[0, 0] * F(u) + bx, ray[0, 1] * F(u) + by, ray[0, 2] * F(u) + bz
            along = dx * cx + dy * cy + dz * cz
            if along <= ZERO:
                continue
            kx, ky, kz = dy * cz - dz * cy, dz * cx - dx * cz, dx * cy - dy * cx
            square = norm[v, u] * norm[v, u]
            miss = np.sqrt(kx * kx + ky * ky + kz * kz)
            middle = along / square
            footprint = middle * pixel
            cover = _ramp((radius - miss / norm[v, u]) / footprint)
            if cover <= ZERO:
                continue
            t = (along - np.sqrt(max(square * radius * radius - miss * miss, ZERO))) / square
            if t >= depth[v, u]:
                continue
            nx, ny, nz = (dx * t - cx) / radius, (dy * t - cy) / radius, (dz * t - cz) / radius
            belt = max(ONE - nz * nz, ZERO)
            level, part = mip_level(footprint * texels / max(np.sqrt(belt), F(0.05)))
            tex = sample(
                table, level, part, np.arctan2(ny, nx) * TEXELS_PER_RADIAN + look[OFFSET_U],
                nz * F(0.25 * SIZE) + look[OFFSET_V],
            )  # fmt: skip
            facing = max(nx * air[LIGHT_X] + ny * air[LIGHT_Y] + nz * air[LIGHT_Z], ZERO)
            shade = look[BRIGHTNESS] * (ONE + look[CONTRAST] * belt * tex)
            shade *= air[AMBIENT] + (ONE - air[AMBIENT]) * facing
            clear = exp_minus32(t * norm[v, u] * air[INVERSE_HAZE])
            shade = air[HORIZON] + clear * (shade - air[HORIZON])
            image[v, u] += cover * (shade - image[v, u])
            if cover >= HALF:
                depth[v, u] = t


@njit(cache=True)
def _box(
    faces: int, planes: Any, half: Any, turn: Any, ray: Any, norm: Any, look: Any, air: Any, table: Any, lines: Any,
    rect: Any, top: int, bottom: int, pixel: Any, image: Any, depth: Any,
) -> None:  # fmt: skip
    """Draw runs top..bottom of the visible faces of a box: their coverages add up, so no seam shows between them."""
    texels = look[TEXELS_PER_M]
    for v in range(top, bottom):
        bx, by, bz = (
            F(v) * ray[1, 0] + ray[2, 0], F(v) * ray[1, 1] + ray[2, 1], F(v) * ray[1, 2] + ray[2, 2]
        )  # fmt: skip
        for u in range(rect[0], rect[1]):
            total, mixed, nearest = ZERO, ZERO, F(1e9)
            for k in range(faces):
                pairs = ONE
                for e in range(2):
                    a, b = lines[4 * k + e], lines[4 * k + e + 2]
                    da = F(a[0] * u + a[1] * v + a[2])
                    db = F(b[0] * u + b[1] * v + b[2])
                    pairs *= max(_ramp(da) + _ramp(db) - ONE, ZERO)
                if pairs <= ZERO:
                    continue
                dx, dy, dz = ray[0, 0] * F(u) + bx, ray[0, 1] * F(u) + by, ray[0, 2] * F(u) + bz
                nx, ny, nz = F(planes[k, 0]), F(planes[k, 1]), F(planes[k, 2])
                steep = min(nx * dx + ny * dy + nz * dz, F(-1e-6))
                t = F(planes[k, 3]) / steep
                ux, uy = F(turn[0]) * dx + F(turn[1]) * dy, F(turn[0]) * dy - F(turn[1]) * dx
                axis = int(planes[k, 4])
                du = uy if axis == 0 else (dz if axis == 1 else ux)
                dv = dz if axis == 0 else (ux if axis == 1 else uy)
                level, part = mip_level(t * pixel * texels * norm[v, u] * norm[v, u] / -steep)
                tex = sample(
                    table, level, part, (F(planes[k, 5]) + t * du) * texels + look[OFFSET_U] + F(40 * k),
                    (F(planes[k, 6]) + t * dv) * texels + look[OFFSET_V],
                )  # fmt: skip
                facing = max(nx * air[LIGHT_X] + ny * air[LIGHT_Y] + nz * air[LIGHT_Z], ZERO)
                shade = look[BRIGHTNESS] * (ONE + look[CONTRAST] * tex)
                shade *= air[AMBIENT] + (ONE - air[AMBIENT]) * facing
                clear = exp_minus32(t * norm[v, u] * air[INVERSE_HAZE])
                total += pairs
                mixed += pairs * (air[HORIZON] + clear * (shade - air[HORIZON]))
                nearest = min(nearest, t)
            if total <= ZERO or nearest >= depth[v, u]:
                continue
            cover = min(total, ONE)
            image[v, u] += cover * (mixed / total - image[v, u])
            if cover >= HALF:
                depth[v, u] = nearest


@njit(cache=True)
def draw_serial(
    eye: Any, rotation: Any, focal: float, norm: Any, kind: Any, centre: Any, half: Any, turn: Any, pattern: Any,
    look: Any, air: Any, tables: Any, order: Any, count: int, rect: Any, image: Any, depth: Any,
    out: Any,
) -> None:  # fmt: skip
    """All blocks of runs on the calling thread."""
    for block in range((image.shape[0] + BLOCK - 1) // BLOCK):
        draw_block(block, eye, rotation, focal, norm, kind, centre, half, turn, pattern, look, air, tables, order,
                   count, rect, image, depth, out)  # fmt: skip


@njit(cache=True, parallel=True)
def draw_parallel(
    eye: Any, rotation: Any, focal: float, norm: Any, kind: Any, centre: Any, half: Any, turn: Any, pattern: Any,
    look: Any, air: Any, tables: Any, order: Any, count: int, rect: Any, image: Any, depth: Any,
    out: Any,
) -> None:  # fmt: skip
    """All blocks of runs on numba's threads; each run is drawn by one of them alone, so the bits are the same."""
    for block in prange((image.shape[0] + BLOCK - 1) // BLOCK):
        draw_block(block, eye, rotation, focal, norm, kind, centre, half, turn, pattern, look, air, tables, order,
                   count, rect, image, depth, out)  # fmt: skip
