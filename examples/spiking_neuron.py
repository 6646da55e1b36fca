"""An integrate-and-fire neuron under constant current: its interval is tau ln 5 = 16.09 ms.

    python examples/spiking_neuron.py

R = 10 MOhm, tau = 10 ms, rest -70 mV, threshold -50 mV, 2.5 nA: the current alone would lift v by R I = 25 mV, so v
climbs from 0 to 20 of 25 mV in tau ln(25 / 5). (Some texts print 10 ms, which is tau.)
"""

from __future__ import annotations

import math
import sys

import numpy as np

from neuro_robot import nhal as nh


def main(dt_ms: float = 0.01) -> float:
    """Print the measured and the analytic interval, ms; return the measured one."""
    network = nh.Network(dt_ms=dt_ms)
    cell = {"tau_mem_ms": 10.0, "v_rest": -70.0, "v_reset": -70.0, "v_th": -50.0, "bias": 10.0 * 2.5}
    neuron = nh.NeuronGroup(1, type="LIF", params=cell, network=network)
    spikes = nh.SpikeMonitor(neuron)
    nh.compile(network, backend="cpu", dtype="float64").run(duration=200.0)
    interval = float(np.diff(spikes.t_ms).mean())
    sys.stdout.write(f"interval {interval:.2f} ms, on paper {10.0 * math.log(5.0):.2f} ms\n")
    return interval


if __name__ == "__main__":
    main()
