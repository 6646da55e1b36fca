"""Time of one step of the chip in integers, called from Python with fresh spikes: `python benchmarks/loihi_step.py`.

1024 inputs at 20 Hz, all to all onto 256 neurons, currents and voltages bit-exact; one line per layer of the program:
the integer machine, and the model of the back end with its counts. Prints median and 99th percentile, us.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuro_robot.snn.backends.loihi.description import ChipNetwork, Compartments
from neuro_robot.snn.backends.loihi.machine import Machine
from neuro_robot.snn.cells import LIF
from neuro_robot.snn.network import Network

INPUTS, NEURONS, RATE_HZ, SEED = 1024, 256, 20.0, 1


def machine() -> Machine:
    """The network of the golden trace ff1024_256_controller's kind: du 742, dv 199, weights 0 .. 40."""
    network = ChipNetwork()
    network.add_input("in", INPUTS)
    network.add_layer("lif", NEURONS, Compartments(742, 199, 15000))
    network.connect("in", "lif", np.random.default_rng(SEED).integers(0, 41, (INPUTS, NEURONS)))
    return Machine(network)


def model() -> Any:
    """The same through the back end, from a float description."""
    network = Network()
    network.add_input("in", INPUTS)
    network.add_lif("lif", NEURONS, LIF(20.0, 5.0, t_ref_ms=2.0))
    network.connect("in", "lif", np.random.default_rng(SEED).uniform(0.0, 0.12, (INPUTS, NEURONS)))
    return network.compile("loihi2")


def times(step: Callable[[NDArray[Any]], NDArray[np.int32]], rows: NDArray[Any]) -> dict[str, float]:
    """Percentiles of the time of a step, us, and the mean spikes of a step."""
    for row in rows[:500]:
        step(row)
    taken, spikes = np.zeros(len(rows)), 0
    for k, row in enumerate(rows):
        start = time.perf_counter_ns()
        found = step(row)
        taken[k] = time.perf_counter_ns() - start
        spikes += found.size
    p50, p99 = np.percentile(taken, [50, 99]) / 1e3
    return {"p50_us": round(float(p50), 2), "p99_us": round(float(p99), 2), "spikes_per_step": spikes / len(rows)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=20000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    drawn = np.random.default_rng(SEED).random((options.steps, INPUTS)) < RATE_HZ * 1e-3
    result = {
        "machine": times(machine().step, drawn.astype(np.int32)),
        "loihi2": times(model().step, drawn.astype(np.float32)),
    }
    if options.json:
        print(json.dumps(result))
        return
    for name, row in result.items():
        p50, p99, spikes = row.values()
        print(f"{name:8} p50 {p50:.2f} us  p99 {p99:.2f} us  {spikes:.1f} spikes a step")


if __name__ == "__main__":
    main()
