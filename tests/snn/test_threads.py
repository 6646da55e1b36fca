"""One thread and several give the same bits, in networks large enough to be divided."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from neuro_robot.errors import ConfigError
from neuro_robot.snn.cells import LIF, Poisson
from neuro_robot.snn.kernels import threads
from neuro_robot.snn.network import Network
from neuro_robot.snn.rules import STDP
from neuro_robot.snn.sparse import Sparse

N, FAN_OUT = 20_000, 40


def large(rule=None):
    """Recurrent synapses with three delays, and a random source onto a few of the neurons, in two orders of summing."""
    rng, net = np.random.default_rng(3), Network(1.0)
    net.add_layer("noise", 500, Poisson(200.0, seed=4))
    net.add_lif("n", N, LIF(20.0, 5.0, t_ref_ms=2.0, bias=1.05))
    flat = np.unique(rng.integers(0, N * N, N * FAN_OUT))
    pre, post = np.divmod(flat, N)
    weight = np.where(pre < 0.8 * N, 0.05, -0.3) * rng.random(flat.size)
    net.connect("n", "n", Sparse(pre, post, weight, rng.integers(1, 4, flat.size)))
    pre, post = np.divmod(np.unique(rng.integers(0, 500 * N, 100_000)), N)
    net.connect("noise", "n", Sparse(pre, post, rng.random(pre.size) * 0.3), rule=rule)
    return net


def digest(n_threads, steps=150, rule=None, dtype="float32"):
    model = large(rule).compile(threads=n_threads, dtype=dtype)
    model.v[:] = np.random.default_rng(5).random(model.v.size)
    raster = model.run(None, steps)
    told = hashlib.sha256()
    for array in (raster.step, raster.neuron, model.v, model.current, model.weights("noise->n")[:, :100]):
        told.update(np.ascontiguousarray(array).tobytes())
    assert raster.step.size > 5_000
    return told.hexdigest(), model.synaptic_operations


@pytest.mark.parametrize("rule", [None, STDP(0.01, 0.01, w_min=0.0, w_max=1.0)], ids=["static", "learning"])
def test_the_same_bits_with_one_two_and_three_threads(rule):
    assert N >= threads.LEAST_NEURONS
    one = digest(1, rule=rule)
    assert digest(2, rule=rule) == one
    assert digest(3, rule=rule) == one


def test_the_same_bits_however_many_threads_numba_has():
    code = "import sys; sys.path[:0] = sys.argv[1:]; import test_threads; print(*test_threads.digest(2, 60))"
    here = str(Path(__file__).parent)
    found = set()
    for number in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", code, here],
            env={**os.environ, "NUMBA_NUM_THREADS": number},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        found.add(done.stdout)
    assert len(found) == 1


@pytest.mark.parametrize("number", [0, 65, 1.5, True])
def test_absurd_numbers_of_threads_are_refused(number):
    net = Network()
    net.add_input("in", 1)
    with pytest.raises(ConfigError, match=r"cpu\.threads"):
        net.compile(threads=number)
