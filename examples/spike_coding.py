"""One signal in two codes: as the rate of many neurons, and as the time of each neuron's first spike.

python examples/spike_coding.py
"""

from __future__ import annotations

import sys

import numpy as np
from numpy.typing import NDArray

from neuro_robot import nhal as nh

TAU_MS, WINDOW_MS, NEURONS = 20.0, 100, 40


def population(drive: float) -> nh.SpikeMonitor:
    """Spikes of a group of LIF neurons whose thresholds are passed after tau ln(drive / (drive - 1))."""
    network = nh.Network(dt_ms=0.1)
    group = nh.NeuronGroup(NEURONS, params={"tau_mem_ms": TAU_MS, "bias": drive}, network=network)
    spikes = nh.SpikeMonitor(group)
    model = nh.compile(network, backend="cpu")
    model.core.v[model.core.layer_slices[group.name]] = 0.0
    model.run(duration=WINDOW_MS)
    return spikes


def main() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Print and return the largest errors of both decoders over a range of signals."""
    signal = np.linspace(0.1, 1.0, 10)
    by_rate, by_time = np.zeros(10), np.zeros(10)
    for k, value in enumerate(signal):
        spikes = population(1.0 + 2.0 * value)
        interval = 1000.0 / spikes.rate_hz.mean()
        first = spikes.t_ms.min() + 0.1  # the end of the step
        by_rate[k] = (1.0 / (1.0 - np.exp(-interval / TAU_MS)) - 1.0) / 2.0
        by_time[k] = (1.0 / (1.0 - np.exp(-first / TAU_MS)) - 1.0) / 2.0
    for name, decoded in (("rate", by_rate), ("first spike", by_time)):
        wait = f"{WINDOW_MS} ms" if name == "rate" else "one spike"
        sys.stdout.write(f"{name:12} largest error {np.abs(decoded - signal).max():.3f}, after {wait}\n")
    return np.abs(by_rate - signal), np.abs(by_time - signal)


if __name__ == "__main__":
    main()
