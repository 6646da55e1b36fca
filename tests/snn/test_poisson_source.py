"""The random source against plain Python: SplitMix64, and gaps drawn by inversion."""

from __future__ import annotations

import math

import numpy as np
import pytest

from neuro_robot.snn.cells import LIF, Poisson
from neuro_robot.snn.network import Network

MASK = 2**64 - 1


def uniforms(seed):
    """Doubles between 0 and 1 of SplitMix64 (Steele, Lea and Flood 2014)."""
    state = seed
    while True:
        state = (state + 0x9E3779B97F4A7C15) & MASK
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        z ^= z >> 31
        yield ((z >> 11) + 0.5) * 2.0**-53


def spikes(p, size, steps, seed):
    """(step, neuron) of independent draws in order, by the number of failures before each success."""
    found, at = [], -1
    for u in uniforms(seed):
        at += 1 + int(math.log(u) / math.log1p(-p))
        if at >= size * steps:
            return found
        found.append(divmod(at, size))
    return found


@pytest.mark.parametrize(("rate_hz", "size", "seed"), [(20.0, 37, 1), (400.0, 5, 9), (0.5, 300, 9999)])
def test_the_source_draws_what_plain_python_draws(rate_hz, size, seed):
    net = Network(1.0)
    net.add_layer("p", size, Poisson(rate_hz, seed=seed))
    net.add_lif("n", size, LIF(20.0, 0.0, 0.5))
    net.connect("p", "n", np.where(np.eye(size) > 0, 1.0, np.nan))
    raster = net.compile(dtype="float64").run(steps=500)
    found = list(zip(raster.step.tolist(), (raster.neuron - size).tolist(), strict=True))
    assert found == spikes(rate_hz * 1e-3, size, 500, seed)
    assert len(found) > 40
