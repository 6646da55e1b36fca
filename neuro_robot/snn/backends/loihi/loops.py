"""Short loops over whole arrays of the chip's numbers, which become vector code: sums, currents, voltages, spikes."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Ints = NDArray[np.int32]
Shorts = NDArray[np.int16]

LIMIT = np.int32(1 << 23)  # as in registers.STATE_LIMIT
TURN = np.int32(1 << 24)
ZERO, ONE = np.int32(0), np.int32(1)


@njit(cache=True)
def add(target: Ints, values: Shorts) -> None:
    """Add a row of weights."""
    for k in range(target.shape[0]):
        target[k] += np.int32(values[k])


@njit(cache=True)
def add_scaled(target: Ints, values: Shorts, factor: np.int32) -> None:
    """Add a row of weights times a payload."""
    for k in range(target.shape[0]):
        target[k] += np.int32(values[k] * factor)


@njit(cache=True)
def move(target: Ints, part: Ints, shift: int) -> None:
    """Add the group's sums, shifted towards minus infinity, and empty them."""
    for k in range(target.shape[0]):
        target[k] += part[k] >> shift
        part[k] = ZERO


@njit(cache=True)
def integrate_u(u: Ints, total: Ints, keep: Ints) -> None:
    """Currents decay, take what has arrived, and wrap once."""
    for n in range(u.shape[0]):
        x = np.int32(_decayed(u[n], keep[n]) + np.int32(total[n] << 6))
        u[n] = np.int32(x - TURN) if x > LIMIT else (np.int32(x + TURN) if x <= -LIMIT else x)
        total[n] = ZERO


@njit(cache=True)
def integrate_v(v: Ints, u: Ints, keep: Ints, bias: Ints, left: Ints) -> None:
    """Voltages decay, take current and bias, saturate, and rest while refractory."""
    for n in range(v.shape[0]):
        y = np.int32(np.int32(_decayed(v[n], keep[n]) + u[n]) + bias[n])
        y = np.int32(min(max(y, np.int32(ONE - LIMIT)), np.int32(LIMIT - ONE)))
        v[n] = ZERO if left[n] > ZERO else y


@njit(cache=True)
def test(v: Ints, vth: Ints, fired: Ints) -> bool:
    """Mark and reset what is above its threshold; tells whether anything is."""
    some = ZERO
    for n in range(v.shape[0]):
        spike = ONE if v[n] > vth[n] else ZERO
        v[n] = ZERO if v[n] > vth[n] else v[n]
        fired[n] = spike
        some |= spike
    found: bool = some != 0
    return found


@njit(cache=True)
def wait(left: Ints, hold: Ints, fired: Ints) -> None:
    """Refractory periods run down, and begin where a neuron spiked."""
    for n in range(left.shape[0]):
        waited = np.int32(left[n] - ONE) if left[n] > ZERO else ZERO
        left[n] = hold[n] if fired[n] != ZERO else waited


@njit(cache=True)
def _decayed(x: np.int32, keep: np.int32) -> np.int32:
    """X keep / 4096 towards zero, in two parts of 12 bits each, so that no product leaves 32 bits."""
    size, factor = np.uint32(abs(x)), np.uint32(keep)
    part = np.uint32(np.uint32(size >> np.uint32(12)) * factor)
    rest = np.uint32(np.uint32(np.uint32(size & np.uint32(4095)) * factor) >> np.uint32(12))
    result = np.int32(np.uint32(part + rest))
    return np.int32(-result) if x < ZERO else result
