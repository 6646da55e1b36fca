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
TEXELS_PER_RADIAN = F(SIZE / 6.283185307179586)  # for a tile that wraps around once
BYTE = F(1.0 / 127.0)  # texels are signed bytes: the steps vanish in the interpolation
FEATURES = 8  # features of the coarsest kind along a tile
_SEED = 20260101


@cache
def texture_tables() -> NDArray[np.int32]:
    """All patterns with their mip levels, (len(PATTERNS), 2 * SIZE^2), four packed neighbours per entry."""
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
    return np.asarray(np.clip(image / (2.2 * np.std(image)), -1.0, 1.0), np.float64)


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


def _pyramid(image: NDArray[np.float64]) -> NDArray[np.int32]:
    """Mip levels n = 128, 64 .. 1 of one pattern, level n at entry 2 * (SIZE^2 - n^2), which leaves harmless gaps."""
    table = np.zeros(2 * SIZE * SIZE, np.int32)
    level = image - image.mean()
    while True:
        n = len(level)
        base = 2 * (SIZE * SIZE - n * n)
        table[base : base + n * n] = _packed(level if n > 1 else np.zeros((1, 1))).ravel()
        if n == 1:
            return table
        level = (level[::2, ::2] + level[1::2, ::2] + level[::2, 1::2] + level[1::2, 1::2]) / 4.0


def _packed(level: NDArray[np.float64]) -> NDArray[np.int32]:
    """The four texels that a bilinear lookup blends, one signed byte each, in one word: one load instead of four."""
    byte = np.rint(level * 127.0).astype(np.int64) & 0xFF
    right, below = np.roll(byte, -1, 1), np.roll(byte, -1, 0)
    word = byte | right << 8 | below << 16 | np.roll(right, -1, 0) << 24
    return word.astype(np.uint32).view(np.int32)


@njit(cache=True, error_model="numpy")
def mip_level(footprint: Any) -> Any:  # float32 in, (int32, float32) out
    """Level and blend weight for a footprint in texels; log2 by the float's exponent, linear between powers of 2."""
    bits = bits_of(min(max(footprint, F(1.0)), F(SIZE - 0.01)))
    level = np.int32(np.int32(bits >> np.int32(23)) - np.int32(127))
    part = float_of(np.int32(np.int32(bits & np.int32(0x007FFFFF)) | np.int32(0x3F800000))) - F(1.0)
    return level, part


@njit(cache=True, error_model="numpy")
def texel(level: Any, u: Any, v: Any) -> Any:  # int32, float32, float32 in, (int32, float32, float32) out
    """Entry of the table and the blend weights for (u, v) in texels of level 0, wrapping around."""
    n = np.int32(np.int32(SIZE) >> level)
    mask = np.int32(n - np.int32(1))
    scale = float_of(np.int32(np.int32(np.int32(127) - level) << np.int32(23)))
    uu = u * scale - F(0.5)
    vv = v * scale - F(0.5)
    fu, fv = np.floor(uu), np.floor(vv)
    row = np.int32(np.int32(np.int32(fv) & mask) * n)
    base = np.int32(np.int32(2 * SIZE * SIZE) - np.int32(np.int32(2) * np.int32(n * n)))
    index = np.int32(base + np.int32(row + np.int32(np.int32(fu) & mask)))
    return index, uu - fu, vv - fv


@njit(cache=True, error_model="numpy")
def blend(word: Any, pu: Any, pv: Any) -> Any:  # int32, float32, float32 in, float32 out
    """Bilinear value, -127..127, of the four texels packed in a word."""
    a = F(np.int32(np.int32(word << np.int32(24)) >> np.int32(24)))
    b = F(np.int32(np.int32(word << np.int32(16)) >> np.int32(24)))
    c = F(np.int32(np.int32(word << np.int32(8)) >> np.int32(24)))
    d = F(np.int32(word >> np.int32(24)))
    upper = a + pu * (b - a)
    return upper + pv * (c + pu * (d - c) - upper)


@njit(cache=True, error_model="numpy")
def sample(table: Any, level: Any, part: Any, u: Any, v: Any) -> Any:
    """Trilinear lookup at (u, v) texels, between `level` and the next by `part`; -1..1."""
    index, pu, pv = texel(level, u, v)
    a = blend(table[np.uint32(index)], pu, pv)
    index, pu, pv = texel(np.int32(level + np.int32(1)), u, v)
    return (a + part * (blend(table[np.uint32(index)], pu, pv) - a)) * BYTE
