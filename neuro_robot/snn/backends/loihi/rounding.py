"""Numbers rounded at random, so that their mean is right: the bits, and the traces that they round."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Ints = NDArray[np.int32]
Longs = NDArray[np.int64]

NOW, SEED = 0, 1  # elements of `clock`, as in learn_kernel
TOP = 127  # of a trace


@njit(cache=True)
def random_bits(clock: Longs, stream: int, place: int) -> int:
    """32 random bits of this step (the finaliser of splitmix64 over seed, step, stream and place)."""
    h = np.uint64(clock[SEED]) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(clock[NOW])
    h = (h ^ (h >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9) + np.uint64(place)
    h = (h ^ (h >> np.uint64(27))) * np.uint64(0x94D049BB133111EB) + np.uint64(stream)
    h = (h ^ (h >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    h = (h ^ (h >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    bits: int = np.int64(h >> np.uint64(32))  # type: ignore[assignment]
    return bits


@njit(cache=True)
def decay(traces: Ints, keep: Longs, clock: Longs, stream: int) -> None:
    """Each trace times its keep / 65536, rounded at random so that the mean is right."""
    for kind in range(traces.shape[0]):
        if keep[kind] < 65536:
            for n in range(traces.shape[1]):
                if traces[kind, n] > 0:
                    bits = random_bits(clock, 100 + stream * 3 + kind, n) & 65535
                    traces[kind, n] = (traces[kind, n] * keep[kind] + bits) >> 16


@njit(cache=True)
def raised(value: int, impulse: int, times: int, bits: int) -> int:
    """A trace after an impulse in 256ths, times a payload; saturates at 7 bits."""
    return min(value + ((impulse * times + (bits & 255)) >> 8), TOP)
