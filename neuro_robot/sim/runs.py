"""What the drawing loops share: rays along a run, edge coverage, texture fetch, and the air between things and the eye.

A run is one column of the picture (see raster.py). The loops that shade runs are written to vectorise: scalars and
tuples in, never an array they read only one value of, no branches, and table look-ups in a loop of their own.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from neuro_robot.sim.fast_float import F, exp_minus32
from neuro_robot.sim.texture import blend, texel

HALF, ZERO, ONE = F(0.5), F(0.0), F(1.0)
FAR = F(1e9)  # depth of nothing


@njit(cache=True, error_model="numpy")
def ramp(x: Any) -> Any:
    """Coverage of a pixel whose centre lies x pixels inside an edge."""
    return min(max(x + HALF, ZERO), ONE)


@njit(cache=True, error_model="numpy")
def along_run(ray: Any, v: int) -> Any:
    """The rays of run v: d = step * u + start at position u, as two tuples."""
    fv = F(v)
    step = (ray[0, 0], ray[0, 1], ray[0, 2])
    start = (
        fv * ray[1, 0] + ray[2, 0],
        fv * ray[1, 1] + ray[2, 1],
        fv * ray[1, 2] + ray[2, 2],
    )
    return step, start


@njit(cache=True, error_model="numpy")
def fetch(table: Any, fine: Any, coarse: Any) -> None:
    """Replace table entries by what stands there."""
    for k in range(fine.size):
        fine[k] = table[np.uint32(fine[k])]
        coarse[k] = table[np.uint32(coarse[k])]


@njit(cache=True, error_model="numpy")
def mixed_texels(fine: Any, coarse: Any, level: Any, part: Any, x: Any, y: Any) -> Any:
    """Trilinear value, -127..127, from the packed texels of two mip levels at (x, y) texels."""
    _, pu, pv = texel(level, x, y)
    a = blend(fine, pu, pv)
    _, pu, pv = texel(np.int32(level + np.int32(1)), x, y)
    return a + part * (blend(coarse, pu, pv) - a)


@njit(cache=True, error_model="numpy")
def hazed(shade: Any, distance: Any, horizon: Any, inverse_haze: Any) -> Any:
    """Intensity after `distance` metres of air: contrast falls as exp(-distance / haze) (Koschmieder's law)."""
    return horizon + exp_minus32(distance * inverse_haze) * (shade - horizon)


@njit(cache=True, error_model="numpy")
def lambert(facing: Any, ambient: Any) -> Any:
    """Light on a surface whose normal has the cosine `facing` to the sun."""
    return ambient + (ONE - ambient) * max(facing, ZERO)


@njit(cache=True, error_model="numpy")
def narrow(line: Any, v: int, u0: int, u1: int) -> tuple[int, int]:
    """Narrow u0..u1 to the pixels of run v less than half a pixel outside the line (rounded outwards)."""
    a, c = line[0], line[1] * v + line[2] + 0.5
    if a > 1e-12:
        u0 = max(u0, int(min(max(-c / a, 0.0), 1e6)))
    elif a < -1e-12:
        u1 = min(u1, int(min(max(-c / a + 2.0, 0.0), 1e6)))
    elif c <= 0.0:
        u1 = u0
    return u0, u1
