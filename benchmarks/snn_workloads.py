"""Speed of the spiking engine on four workloads, medians of five runs, one thread.

    python benchmarks/snn_workloads.py [w1] [w2] [w3] [w4]

W1 1024 inputs at 20 Hz, 256 and 16 LIF neurons, all to all, exponential currents, 1 ms steps, 10 s. W2 the same with
pair STDP on the first connection. W3 10,000 LIF neurons (80 % excitatory), 1 % recurrent. W4 W1 and W2 stepped from
Python, fresh input each step, spikes read back. "given": the input spikes are there before the run, as in a robot;
"drawn": a Poisson layer draws them inside.
"""

from __future__ import annotations

import sys
import time

import numpy as np

from neuro_robot.snn.backends import Model, Raster
from neuro_robot.snn.cells import LIF, Poisson
from neuro_robot.snn.network import Network
from neuro_robot.snn.rules import STDP
from neuro_robot.snn.sparse import Sparse

CELL = LIF(tau_mem_ms=20.0, tau_syn_ms=5.0, v_th=1.0, t_ref_ms=2.0)
RULE = STDP(0.0001, 0.000105, 20.0, 20.0, w_min=0.0, w_max=0.1)  # slow enough to leave the rates as they are
STEPS = 10_000


def feed_forward(rule: STDP | None, drawn: bool) -> Model:
    """1024 -> 256 -> 16."""
    rng = np.random.default_rng(1)
    net = Network(dt_ms=1.0)
    if drawn:
        net.add_layer("in", 1024, Poisson(20.0))
    else:
        net.add_input("in", 1024)
    net.add_lif("hidden", 256, CELL)
    net.add_lif("out", 16, CELL)
    net.connect("in", "hidden", rng.uniform(0.0, 22.0 / 1024, (1024, 256)), rule=rule)
    net.connect("hidden", "out", rng.uniform(0.0, 22.0 / 256, (256, 16)))
    return net.compile()


def recurrent() -> Model:
    """8000 excitatory and 2000 inhibitory neurons, driven above threshold by their bias apart by inhibition."""
    rng = np.random.default_rng(2)
    net = Network(dt_ms=1.0)
    net.add_lif("n", 10_000, LIF(20.0, 5.0, 1.0, t_ref_ms=2.0, bias=1.06))
    flat = np.unique(rng.integers(0, 10_000 * 10_000, 1_000_000))
    pre, post = np.divmod(flat, 10_000)
    net.connect("n", "n", Sparse(pre, post, np.where(pre < 8000, 0.01, -0.06)))
    model = net.compile()
    model.v[:] = rng.uniform(0.0, 1.0, 10_000)
    return model


def spikes_of(seed: int) -> Raster:
    """Bernoulli inputs of 20 Hz."""
    step, line = np.nonzero(np.random.default_rng(seed).random((STEPS, 1024)) < 0.02)
    return Raster(step, line, np.ones(step.size, np.float32))


def run(title: str, model: Model, inputs: Raster | None, steps: int = STEPS) -> None:
    """Print simulated time over wall time."""
    model.run(inputs, 200)
    took = []
    for _ in range(5):
        start = time.perf_counter()
        found = model.run(inputs, steps)
        took.append(time.perf_counter() - start)
    seconds = steps * 1e-3
    neurons = sum(layer.size for layer in model.layers if layer.cell is not None and not layer.cell.generates)
    rate = found.neuron.size / neurons / seconds
    sys.stdout.write(f"{title:28} {seconds / np.median(took):7.0f} x real time   {rate:5.1f} Hz\n")


def step(title: str, model: Model) -> None:
    """Print percentiles of one step called from Python."""
    rows = (np.random.default_rng(3).random((6000, 1024)) < 0.02).astype(np.float32)
    took = np.empty(len(rows))
    for k, row in enumerate(rows):
        start = time.perf_counter_ns()
        model.step(row)
        took[k] = time.perf_counter_ns() - start
    p50, p99 = np.percentile(took[500:], [50, 99]) / 1000
    sys.stdout.write(f"{title:28} p50 {p50:6.2f} us   p99 {p99:6.2f} us\n")


def main() -> None:
    """Measure the workloads that are named, or all."""
    chosen = sys.argv[1:] or ["w1", "w2", "w3", "w4"]
    for name, rule in (("w1", None), ("w2", RULE)):
        if name in chosen:
            run(f"{name.upper()} given", feed_forward(rule, drawn=False), spikes_of(5))
            run(f"{name.upper()} drawn", feed_forward(rule, drawn=True), None)
    if "w3" in chosen:
        run("W3", recurrent(), None, 1000)
    if "w4" in chosen:
        step("W4", feed_forward(None, drawn=False))
        step("W4 with STDP", feed_forward(RULE, drawn=False))


if __name__ == "__main__":
    main()
