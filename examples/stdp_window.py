"""The STDP window, pair by pair, and one weight driven by a list of spike pairs.

python examples/stdp_window.py
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence

import numpy as np

from neuro_robot import nhal as nh

RULE = {"a_plus": 0.1, "a_minus": 0.12, "tau_plus_ms": 20.0, "tau_minus_ms": 20.0, "w_min": -10.0, "w_max": 10.0}


def weight_after(gaps_ms: Sequence[int]) -> float:
    """The weight after pairs of these gaps (post minus pre), far apart from each other."""
    network = nh.Network(dt_ms=1.0)
    pre, force = (nh.NeuronGroup(1, type="events", network=network) for _ in range(2))
    post = nh.NeuronGroup(1, type="LIF", params={"tau_syn_ms": 0.0}, network=network)
    synapse = nh.Connection(pre, post, params={"weight": 0.0})
    nh.Connection(force, post, params={"weight": 100.0})  # its spike makes the post neuron fire
    nh.LearningRule(synapse, type="STDP", params=RULE)
    inputs = np.zeros((500 * len(gaps_ms) + 1, 2))
    for k, gap in enumerate(gaps_ms):
        inputs[500 * k + 100, 0] = inputs[500 * k + 100 + gap, 1] = 1
    model = nh.compile(network, backend="cpu")
    model.run(inputs)
    return float(model.weights(synapse)[0, 0])


def main() -> dict[int, float]:
    """Print the window and the driven weight; return the window, gap in ms -> change."""
    window = {gap: weight_after([gap]) for gap in (-40, -20, -10, -5, 5, 10, 20, 40)}
    for gap, change in window.items():
        told = (0.1 if gap > 0 else -0.12) * math.exp(-abs(gap) / 20.0)
        sys.stdout.write(f"dt {gap:+3d} ms: {change:+.4f}   on paper {told:+.4f}\n")
    pairs = [5, 5, -10, 20, 5, -5]
    sys.stdout.write(f"pairs {pairs}: weight {weight_after(pairs):+.4f}\n")
    return window


if __name__ == "__main__":
    main()
