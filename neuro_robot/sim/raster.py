"""The pixel loops of the renderer: ground and sky, then each object over it from far to near, then the logarithm.

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
from neuro_robot.sim.texture import SIZE, mip_level, sample

BLOCK = 16  # rows drawn by one task
TEXELS_PER_RADIAN = F(SIZE / 6.283185307179586)
HALF = F(0.5)
ZERO = F(0.0)
ONE = F(1.0)


@njit(cache=True)
def draw_block(
    block: int, eye: Any, rotation: Any, focal: float, norm: Any, kind: Any, centre: Any, half: Any, turn: Any,
    pattern: Any, look: Any, air: Any, tables: Any, order: Any, count: int, rect: Any, image: Any, depth: Any,
) -> None:  # fmt: skip
    """Render rows block*BLOCK .. of image (H, W) as log intensity; depth (H, W) is scratch; norm (H, W) = |d|."""
    height, width = image.shape
    v0, v1 = block * BLOCK, min(block * BLOCK + BLOCK, height)
    ray = np.empty((3, 3), np.float32)  # d = ray[0] * u + ray[1] * v + ray[2]
    for k in range(3):
        ray[0, k] = rotation[k, 0] / focal
        ray[1, k] = rotation[k, 1] / focal
        ray[2, k] = (
            rotation[k, 2]
            + rotation[k, 0] * (0.5 - 0.5 * width) / focal
            + rotation[k, 1] * (0.5 - 0.5 * height) / focal
        )
    ground = pattern.size - 1
    for v in range(v0, v1):
        _background(v, eye, ray, norm[v], look[ground], air, tables[pattern[ground]], F(1.0 / focal), image[v])
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
            cylinder_lines(x, y, half[i, 0], rotation, focal, width, height, lines)
            _cylinder(x, y, z, half[i], ray, norm, look[i], air, table, lines, rect[i], top, bottom, image, depth)
        elif kind[i] == BOX:
            faces = box_faces(x, y, z, half[i], turn[i], rotation, focal, width, height, lines, planes)
            _box(faces, planes, half[i], turn[i], ray, norm, look[i], air, table, lines, rect[i], top, bottom,
                 F(1.0 / focal), image, depth)  # fmt: skip
        else:
            _sphere(x, y, z, half[i, 0], ray, norm, look[i], air, table, rect[i], top, bottom, F(1.0 / focal), image,
                    depth)  # fmt: skip
    for v in range(v0, v1):
        row = image[v]
        for u in range(width):
            row[u] = log32(row[u])


@njit(cache=True, inline="always")
def _ramp(x: Any) -> Any:  # noqa: ANN401
    """Coverage of a pixel whose centre lies x pixels inside an edge."""
    return min(max(x + HALF, ZERO), ONE)


@njit(cache=True)
def _background(
    v: int, eye: Any, ray: Any, norm: Any, look: Any, air: Any, table: Any, pixel: Any, row: Any
) -> None:
    """Sky above, ground plane z = 0 below, blended over the one pixel of the horizon."""
    bx, by, bz = F(v) * ray[1, 0] + ray[2, 0], F(v) * ray[1, 1] + ray[2, 1], F(v) * ray[1, 2] + ray[2, 2]
    ax, ay, az = ray[0, 0], ray[0, 1], ray[0, 2]
    slope = ONE / max(np.sqrt(az * az + ray[1, 2] * ray[1, 2]), F(1e-9))
    h = F(eye[2])
    ex, ey = F(eye[0]), F(eye[1])
    texels = look[TEXELS_PER_M]
    lit = look[BRIGHTNESS] * (air[AMBIENT] + (ONE - air[AMBIENT]) * max(air[LIGHT_Z], ZERO))
    horizon, rise = air[HORIZON], air[ZENITH] - air[HORIZON]
    for u in range(row.size):
        dz = az * F(u) + bz
        cover = _ramp(-dz * slope)
        value = horizon + rise * max(dz, ZERO) / norm[u]
        if cover > ZERO and h > ZERO:
            t = h / max(-dz, F(1e-6))
            # the footprint of a pixel, stretched along the view direction by the grazing angle
            t = min(t, F(1e5))
            level, part = mip_level(t * norm[u] * pixel * max(norm[u] * t / h, ONE) * texels)
            x, y = ex + t * (ax * F(u) + bx), ey + t * (ay * F(u) + by)
            if level < 6:
                tex = sample(table, level, part, x * texels, y * texels)
            else:
                tex = ZERO
            clear = exp_minus32(t * norm[u] * air[INVERSE_HAZE])
            shade = horizon + clear * (lit * (ONE + look[CONTRAST] * tex) - horizon)
            value += cover * (shade - value)
        row[u] = value


@njit(cache=True, inline="always")
def _span(line: Any, v: int, u0: int, u1: int) -> tuple[int, int]:
    """Narrow u0..u1 to the pixels of row v less than half a pixel outside the line (rounded outwards)."""
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
    rect: Any, top: int, bottom: int, image: Any, depth: Any,
) -> None:  # fmt: skip
    """Draw rows top..bottom of an upright cylinder with its centre at (x, y, z) from the eye."""
    radius = F(half[0])
    cx, cy = F(x), F(y)
    low, high = F(z - half[2]), F(z + half[2])
    distance = max(np.sqrt(x * x + y * y), 1e-6)
    tx, ty = F(-x / distance), F(-y / distance)  # from the axis towards the eye
    start = F(np.arctan2(-y, -x)) * TEXELS_PER_RADIAN + look[OFFSET_U]
    gz = max(np.sqrt(ray[0, 2] ** 2 + ray[1, 2] ** 2), F(1e-4))
    pixel = np.sqrt(ray[0, 0] ** 2 + ray[0, 1] ** 2 + ray[0, 2] ** 2)
    around = TEXELS_PER_RADIAN / radius
    level, part = mip_level(F(distance) * pixel * max(around, look[TEXELS_PER_M]))
    caps = low > ZERO or high < ZERO
    for v in range(top, bottom):
        u0, u1 = _span(lines[0], v, rect[0], rect[1])
        u0, u1 = _span(lines[1], v, u0, u1)
        left, right = F(lines[0, 1] * v + lines[0, 2]), F(lines[1, 1] * v + lines[1, 2])
        la, ra = F(lines[0, 0]), F(lines[1, 0])
        bx, by, bz = (
            F(v) * ray[1, 0] + ray[2, 0], F(v) * ray[1, 1] + ray[2, 1], F(v) * ray[1, 2] + ray[2, 2]
        )  # fmt: skip
        for u in range(u0, u1):
            fu = F(u)
            cover = _ramp(la * fu + left) + _ramp(ra * fu + right) - ONE
            if cover <= ZERO:
                continue
            dx, dy, dz = ray[0, 0] * fu + bx, ray[0, 1] * fu + by, ray[0, 2] * fu + bz
            inverse = ONE / max(dx * dx + dy * dy, F(1e-9))
            along = dx * cx + dy * cy
            across = dx * cy - dy * cx
            root = np.sqrt(max(radius * radius * (dx * dx + dy * dy) - across * across, ZERO))
            t = (along - root) * inverse
            zh = t * dz
            soft = ONE / max(abs(t) * gz, F(1e-9))
            upright = _ramp((high - zh) * soft) + _ramp((zh - low) * soft) - ONE
            if t <= ZERO:
                upright = ZERO
            upright = max(upright, ZERO)
            nx, ny = (dx * t - cx) / radius, (dy * t - cy) / radius
            sine = min(max(tx * ny - ty * nx, -ONE), ONE)
            tex = sample(
                table, level, part, start + asin32(sine) * TEXELS_PER_RADIAN,
                zh * look[TEXELS_PER_M] + look[OFFSET_V],
            )  # fmt: skip
            facing = max(nx * air[LIGHT_X] + ny * air[LIGHT_Y], ZERO)
            shade = look[BRIGHTNESS] * (ONE + look[CONTRAST] * tex) * (air[AMBIENT] + (ONE - air[AMBIENT]) * facing)
            whole = upright
            if caps and upright < ONE:
                level_z = high if high < ZERO else low
                t_cap = level_z / dz if abs(dz) > F(1e-9) else F(-1.0)
                t_far = (along + root) * inverse
                z_far = t_far * dz
                soft_far = ONE / max(abs(t_far) * gz, F(1e-9))
                cap = ZERO
                if t_cap > ZERO and (t <= ZERO or (zh > high if high < ZERO else zh < low) or upright > ZERO):
                    cap = _ramp((high - z_far) * soft_far) if high < ZERO else _ramp((z_far - low) * soft_far)
                    if root <= ZERO and t > ZERO:
                        cap = ZERO
                cap *= ONE - upright
                if cap > ZERO:
                    lit = air[LIGHT_Z] if high < ZERO else -air[LIGHT_Z]
                    flat = look[BRIGHTNESS] * (air[AMBIENT] + (ONE - air[AMBIENT]) * max(lit, ZERO))
                    whole = upright + cap
                    shade = (shade * upright + flat * cap) / whole
                    if cap > upright:
                        t = t_cap
            cover *= whole
            if cover <= ZERO or t >= depth[v, u]:
                continue
            clear = exp_minus32(t * norm[v, u] * air[INVERSE_HAZE])
            shade = air[HORIZON] + clear * (shade - air[HORIZON])
            image[v, u] += cover * (shade - image[v, u])
            if cover >= HALF:
                depth[v, u] = t


@njit(cache=True)
def _sphere(
    x: float, y: float, z: float, radius64: float, ray: Any, norm: Any, look: Any, air: Any, table: Any, rect: Any,
    top: int, bottom: int, pixel: Any, image: Any, depth: Any,
) -> None:  # fmt: skip
    """Draw rows top..bottom of a sphere with its centre at (x, y, z) from the eye."""
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
    """Draw rows top..bottom of the visible faces of a box: their coverages add up, so no seam shows between them."""
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
) -> None:  # fmt: skip
    """All blocks of rows on the calling thread."""
    for block in range((image.shape[0] + BLOCK - 1) // BLOCK):
        draw_block(block, eye, rotation, focal, norm, kind, centre, half, turn, pattern, look, air, tables, order,
                   count, rect, image, depth)  # fmt: skip


@njit(cache=True, parallel=True)
def draw_parallel(
    eye: Any, rotation: Any, focal: float, norm: Any, kind: Any, centre: Any, half: Any, turn: Any, pattern: Any,
    look: Any, air: Any, tables: Any, order: Any, count: int, rect: Any, image: Any, depth: Any,
) -> None:  # fmt: skip
    """All blocks of rows on numba's threads; each row is drawn by one of them alone, so the bits are the same."""
    for block in prange((image.shape[0] + BLOCK - 1) // BLOCK):
        draw_block(block, eye, rotation, focal, norm, kind, centre, half, turn, pattern, look, air, tables, order,
                   count, rect, image, depth)  # fmt: skip
