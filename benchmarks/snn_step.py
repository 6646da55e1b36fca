"""Time of one 1 ms step of the spiking engine, called from Python with fresh inputs, in microseconds.

    python benchmarks/snn_step.py [steps]

Every network gets Bernoulli inputs of 20 Hz drawn beforehand; the median and the 99th percentile of single calls are
printed after 500 steps of settling, with what the network did meanwhile.
"""

from __future__ import annotations

import sys
import time

import numpy as np

from neuro_robot.snn.compiled import CompiledNetwork
from neuro_robot.snn.network import LIF, STDP, Network

CELL = LIF(tau_mem_ms=20.0, tau_syn_ms=5.0, v_th=1.0, t_ref_ms=2.0)


def rule(tau_eligibility_ms: float) -> STDP:
    """A rule slow enough to leave the rates as they are while it does its full work."""
    return STDP(0.01, 0.0105, 20.0, 20.0, tau_eligibility_ms, 1e-5, 0.0, 1.0)


def network(sizes: tuple[int, ...], mean: float, stdp: STDP | None) -> CompiledNetwork:
    """Layers in a chain, all to all; the rule sits on the last connection, with a reward that changes."""
    rng = np.random.default_rng(1)
    net = Network(dt_ms=1.0)
    names = [f"layer{number}" for number in range(len(sizes))]
    net.add_input(names[0], sizes[0])
    for name, size in zip(names[1:], sizes[1:], strict=True):
        net.add_lif(name, size, CELL)
    for number in range(len(sizes) - 1):
        weights = np.minimum(rng.uniform(0.0, 2.0 * mean / sizes[number], sizes[number : number + 2]), 1.0)
        last = number == len(sizes) - 2
        net.connect(names[number], names[number + 1], weights, rule=stdp if last else None)
    return net.compile()


def measure(run: CompiledNetwork, steps: int) -> tuple[float, float, float]:
    """Median and 99th percentile of a step in us, and spikes per step."""
    rng = np.random.default_rng(2)
    inputs = (rng.random((steps + 500, run.input_slices["layer0"].stop)) < 0.02).astype(np.float32)
    target = run.layers[-1].name
    took = np.empty(steps + 500)
    spikes = 0
    for k, row in enumerate(inputs):
        if k % 2 == 0:
            run.set_reward(target, 0.1 if k % 4 else -0.1)
        start = time.perf_counter_ns()
        found = run.step(row)
        took[k] = time.perf_counter_ns() - start
        spikes += found.size
    p50, p99 = np.percentile(took[500:], [50, 99]) / 1000.0
    return float(p50), float(p99), spikes / took.size


def main() -> None:
    """Measure and print one line per network."""
    steps = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    cases = {
        "100-40-60, 6.4k synapses, static": ((100, 40, 60), 11.0, None),
        "100-40-60, 6.4k synapses, 2.4k plastic, eligibility": ((100, 40, 60), 11.0, rule(200.0)),
        "8k plastic, eligibility": ((400, 20), 11.0, rule(200.0)),
        "8k plastic, plain pair rule": ((400, 20), 11.0, rule(0.0)),
        "1024-256-16, 266k synapses, static": ((1024, 256, 16), 11.0, None),
        "1024-256, 262k plastic, eligibility": ((1024, 256), 11.0, rule(200.0)),
        "1024-256, 262k plastic, plain pair rule": ((1024, 256), 11.0, rule(0.0)),
    }
    for title, (sizes, mean, stdp) in cases.items():
        p50, p99, spikes = measure(network(sizes, mean, stdp), steps)
        sys.stdout.write(f"{title:48} p50 {p50:7.2f} us   p99 {p99:7.2f} us   {spikes:6.2f} spikes/step\n")


if __name__ == "__main__":
    main()
