"""Surface patterns as small tileable tables with mip levels, so that nothing finer than a pixel is ever drawn.

An event camera turns every flicker into events; a texture sampled below its resolution flickers as the camera moves.
So each pattern is stored at 128x128 and box-filtered down to 1x1, and a lookup blends the two levels whose texels are
as large as the pixel's footprint (trilinear filtering). Far away a pattern fades to its mean, which is 0.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from neuro_robot.sim.fast_float import F, bits_of, float_of
from neuro_robot.sim.world import PATTERNS

SIZE = 128  # texels along a tile
TOP = 7  # the last level is 1x1
FEATURES = 8  # features of the coarsest kind along a tile
_SEED = 20260101


@cache
def texture_tables() -> NDArray[np.float32]:
    """All patterns, (len(PATTERNS), 21845): mip levels 128x128, 64x64 ... 1x1 one after the other, values in -1..1."""
    rng = np.random.default_rng(_SEED)
    cell = SIZE // FEATURES
    rows, columns = np.mgrid[0:SIZE, 0:SIZE] // cell
    images = {
        "plain": np.zeros((SIZE, SIZE)),
        "noise": _octaves(rng, [(8, 8, 1.0), (16, 16, 0.7), (32, 32, 0.45), (64, 64, 0.25)]),
        # rows run along the trunk: few cells there, many around it, which makes upright streaks
        "bark": _octaves(rng, [(2, 8, 0.8), (4, 16, 1.0), (8, 32, 0.6), (16, 64, 0.3)]),
        "checker": ((rows + columns) % 2) * 2.0 - 1.0,
        "stripes": (columns % 2) * 2.0 - 1.0,
    }
    return np.stack([_pyramid(images[name]) for name in PATTERNS])


def _octaves(rng: np.random.Generator, bands: list[tuple[int, int, float]]) -> NDArray[np.float64]:
    """Value noise: random lattices of (rows, columns) cells, smoothly interpolated, summed with amplitudes."""
    image = sum(amplitude * _lattice(rng, ny, nx) for ny, nx, amplitude in bands)
    image = np.asarray(image) - np.mean(image)
    return np.clip(image / (2.2 * np.std(image)), -1.0, 1.0)


def _lattice(rng: np.random.Generator, ny: int, nx: int) -> NDArray[np.float64]:
    values = rng.uniform(-1.0, 1.0, (ny, nx))
    for axis, cells in ((0, ny), (1, nx)):
        place = (np.arange(SIZE) + 0.5) * cells / SIZE
        low = np.floor(place).astype(int)
        part = place - low
        part = part * part * (3.0 - 2.0 * part)
        shape = (SIZE, 1) if axis == 0 else (1, SIZE)
        a, b = np.take(values, low % cells, axis), np.take(values, (low + 1) % cells, axis)
        values = a + part.reshape(shape) * (b - a)
    return values


def _pyramid(image: NDArray[np.float64]) -> NDArray[np.float32]:
    image = image - image.mean()
    levels = [image]
    while levels[-1].size > 1:
        a = levels[-1]
        levels.append((a[::2, ::2] + a[1::2, ::2] + a[::2, 1::2] + a[1::2, 1::2]) / 4.0)
    levels[-1] = np.zeros((1, 1))
    return np.concatenate([level.ravel() for level in levels]).astype(np.float32)


@njit(cache=True, inline="always")
def mip_level(footprint: Any) -> Any:  # noqa: ANN401 - float32 in, (int32, float32) out
    """Level and blend weight for a footprint in texels; log2 by the float's own exponent, linear between powers of 2."""
    bits = bits_of(max(footprint, F(1.0)))
    level = (bits >> np.int32(23)) - np.int32(127)
    part = float_of((bits & np.int32(0x007FFFFF)) | np.int32(0x3F800000)) - F(1.0)
    if level >= np.int32(TOP):
        level, part = np.int32(TOP - 1), F(1.0)
    return level, part


@njit(cache=True, inline="always")
def bilinear(table: Any, level: Any, u: Any, v: Any) -> Any:  # noqa: ANN401
    """One mip level at (u, v) in texels of level 0, wrapping around; table (21845,) float32."""
    n = np.int32(SIZE) >> level
    mask = n - np.int32(1)
    base = (np.int32(SIZE * SIZE) - n * n) // np.int32(3) * np.int32(4)
    scale = float_of((np.int32(127) - level) << np.int32(23))
    uu = u * scale - F(0.5)
    vv = v * scale - F(0.5)
    iu, iv = np.int32(uu), np.int32(vv)
    if F(iu) > uu:
        iu -= np.int32(1)
    if F(iv) > vv:
        iv -= np.int32(1)
    pu, pv = uu - F(iu), vv - F(iv)
    u0, u1 = iu & mask, (iu + np.int32(1)) & mask
    r0, r1 = base + (iv & mask) * n, base + ((iv + np.int32(1)) & mask) * n
    a = table[r0 + u0] + pu * (table[r0 + u1] - table[r0 + u0])
    b = table[r1 + u0] + pu * (table[r1 + u1] - table[r1 + u0])
    return a + pv * (b - a)


@njit(cache=True, inline="always")
def sample(table: Any, level: Any, part: Any, u: Any, v: Any) -> Any:  # noqa: ANN401
    """Trilinear lookup at (u, v) texels, between `level` and the next by `part`."""
    a = bilinear(table, level, u, v)
    return a + part * (bilinear(table, level + np.int32(1), u, v) - a)
