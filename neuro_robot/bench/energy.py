"""What a network's operations would cost on a chip: a MODEL from counts and published energies, not a measurement.

    dynamic = synaptic operations * 23.6 pJ + updates of neurons that fire * 81 pJ + learning updates * 120 pJ
              + messages * 1.7 pJ + hops east-west * 3.0 pJ + hops north-south * 4.0 pJ
    idle    = updates of neurons that do not fire * 52 pJ

Constants: Davies et al., "Loihi: a neuromorphic manycore processor with on-chip learning", IEEE Micro 38(1), 2018, as
quoted by later papers (docs/metrics.md says by whom). Nobody has published such figures for Loihi 2: the same are
used. Left out: leakage, clocks, barrier between steps, the chip's x86 cores, transfer from and to the host. Measured
systems need one to two orders of magnitude more than such counts.
"""

from __future__ import annotations

from typing import Any

from neuro_robot.bench.activity import Activity

MODEL = "operation counts times Loihi constants (Davies et al. 2018); a model, not a measurement"
PJ = {
    "synaptic_operations": 23.6,
    "active_neurons": 81.0,  # a neuron update that ends in a spike
    "idle_neurons": 52.0,  # one that does not
    "weight_updates": 120.0,
    "messages": 1.7,  # a spike inside a tile
    "hops_x": 3.0,  # from tile to tile, east-west
    "hops_y": 4.0,  # north-south
}
IDLE = ("idle_neurons",)


def energy_counts(activity: Activity) -> dict[str, int]:
    """How often each of the operations of PJ happened."""
    fired = activity.neuron_spikes
    return {
        "synaptic_operations": activity.synaptic_operations,
        "active_neurons": fired,
        "idle_neurons": activity.neurons * activity.steps - fired,
        "weight_updates": activity.weight_updates,
        "messages": activity.messages,
        "hops_x": activity.hops_x,
        "hops_y": activity.hops_y,
    }


def energy_model(activity: Activity, decisions: int) -> dict[str, Any]:
    """Modelled energy by operation, per decision (one packet in, one command out) and step, and as mean power.

    Dynamic and idle are always told apart; per decision is None without decisions, per step and power without steps.
    """
    parts_nj = {name: count * PJ[name] * 1e-3 for name, count in energy_counts(activity).items()}
    idle = sum(parts_nj[name] for name in IDLE)
    dynamic = sum(parts_nj.values()) - idle
    seconds = activity.steps * activity.step_ms * 1e-3
    told: dict[str, Any] = {"model": MODEL, "constants_pj": PJ, "counts": energy_counts(activity), "parts_nj": parts_nj}
    for name, value in (("dynamic", dynamic), ("idle", idle), ("total", dynamic + idle)):
        told[f"{name}_nj_per_decision"] = value / decisions if decisions else None
        told[f"{name}_nj_per_step"] = value / activity.steps if activity.steps else None
        told[f"{name}_power_uw"] = value * 1e-3 / seconds if seconds else None
    return told
