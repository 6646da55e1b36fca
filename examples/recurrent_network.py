"""A recurrent network, 80 % excitatory and 20 % inhibitory, that random input keeps irregularly active.

    python examples/recurrent_network.py [neurons]

Balanced as in Brunel, J. Computational Neuroscience 8, 2000: inhibition is stronger than excitation, so that the rate
stays low and the intervals irregular (coefficient of variation near 1).
"""

from __future__ import annotations

import sys

import numpy as np

from neuro_robot import nhal as nh


def main(n: int = 500) -> tuple[float, float]:
    """Print and return the mean rate, Hz, and the mean coefficient of variation of the intervals."""
    network = nh.Network(dt_ms=1.0, seed=7)
    cell = {"tau_mem_ms": 20.0, "tau_syn_ms": 2.0, "t_ref_ms": 2.0}
    noise = nh.NeuronGroup(n, type="Poisson", params={"rate_hz": 30.0}, network=network)
    excitatory = nh.NeuronGroup(n * 4 // 5, type="LIF", params=cell, network=network)
    inhibitory = nh.NeuronGroup(n // 5, type="LIF", params=cell, network=network)
    for group in (excitatory, inhibitory):
        nh.Connection(noise, group, "fixed_fan_in", {"fan_in": 10, "weight": 1.6})
        nh.Connection(excitatory, group, "probabilistic", {"probability": 0.1, "weight": 0.6, "delay_ms": (1.0, 4.0)})
        nh.Connection(inhibitory, group, "probabilistic", {"probability": 0.1, "weight": -3.6})
    spikes = nh.SpikeMonitor(excitatory)
    nh.compile(network, backend="cpu").run(duration=2000.0)
    rate = float(spikes.rate_hz.mean())
    variations = []
    for neuron in range(len(excitatory)):
        gaps = np.diff(spikes.t_ms[spikes.neuron == neuron])
        if gaps.size >= 5:
            variations.append(gaps.std() / gaps.mean())
    variation = float(np.mean(variations)) if variations else 0.0
    sys.stdout.write(f"{n} neurons: {rate:.1f} Hz, coefficient of variation {variation:.2f}\n")
    return rate, variation


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:]))
