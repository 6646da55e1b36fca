"""What a network did during a flight: spikes, silence, synaptic operations, and what they might cost on a chip.

The energy figures are a MODEL, not a measurement: operation counts times published per-operation energies of Loihi
(Davies et al., IEEE Micro 38(1), 2018). Measured systems need one to two orders of magnitude more than such counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

ENERGY_MODEL = "operation counts times Loihi constants (Davies et al. 2018); a model, not a measurement"
SYNAPTIC_OPERATION_PJ = 23.6
WEIGHT_UPDATE_PJ = 120.0
ACTIVE_NEURON_PJ = 81.0  # a neuron update that ends in a spike
IDLE_NEURON_PJ = 52.0  # one that does not


@dataclass(frozen=True)
class Activity:
    """Counts of one network since it was made; the difference of two is what happened in between."""

    layers: dict[str, int]  # neurons by layer, in the order of the spikes' y
    inputs: tuple[str, ...]  # layers that only carry events in
    step_ms: float
    steps: int
    spikes: dict[str, int]  # by layer
    synapses: int
    plastic_synapses: int
    synaptic_operations: int
    weight_updates: int

    def since(self, earlier: Activity) -> Activity:
        """What happened after `earlier`, of the same network."""
        return Activity(
            self.layers,
            self.inputs,
            self.step_ms,
            self.steps - earlier.steps,
            {name: count - earlier.spikes[name] for name, count in self.spikes.items()},
            self.synapses,
            self.plastic_synapses,
            self.synaptic_operations - earlier.synaptic_operations,
            self.weight_updates - earlier.weight_updates,
        )

    @property
    def neurons(self) -> int:
        """Neurons that compute, without input lines."""
        return sum(size for name, size in self.layers.items() if name not in self.inputs)

    @property
    def neuron_spikes(self) -> int:
        """Spikes of the neurons that compute."""
        return sum(count for name, count in self.spikes.items() if name not in self.inputs)


def activity_of(pilot: Any) -> Activity | None:  # noqa: ANN401 - a Pilot
    """The counts of a pilot's network so far; None for a pilot without one."""
    network = getattr(getattr(pilot, "mind", pilot), "network", None)
    if network is None:
        return None
    counts: npt.NDArray[np.int64] = np.asarray(network.spike_counts)
    slices = network.layer_slices
    connections = network.connections.values()
    return Activity(
        layers={name: place.stop - place.start for name, place in slices.items()},
        inputs=tuple(network.input_slices),
        step_ms=float(network.dt_ms),
        steps=network.steps,
        spikes={name: int(counts[place].sum()) for name, place in slices.items()},
        synapses=sum(int(c.weights.size) for c in connections),
        plastic_synapses=sum(int(c.weights.size) for c in connections if c.rule is not None),
        synaptic_operations=network.synaptic_operations,
        weight_updates=network.weight_updates,
    )


def activity_from(values: Mapping[str, Any]) -> Activity:
    """The counts from their JSON form (`asdict`)."""
    return Activity(**{**values, "inputs": tuple(values["inputs"])})


def sparsity(activity: Activity) -> dict[str, float]:
    """Mean firing rate and the share of neuron steps without a spike (a neuron spikes at most once per step)."""
    neuron_steps = activity.neurons * activity.steps
    if neuron_steps == 0:
        return {"mean_rate_hz": 0.0, "silent_share": 1.0}
    share = activity.neuron_spikes / neuron_steps
    return {"mean_rate_hz": 1e3 * share / activity.step_ms, "silent_share": 1.0 - share}


def energy_model(activity: Activity, decisions: int) -> dict[str, Any]:
    """Modelled energy of the flight, per decision (one packet in, one command out) and as mean power.

    dynamic: synaptic operations, neuron updates with a spike, weight updates; idle: neuron updates without a spike.
    """
    spikes = activity.neuron_spikes
    silent = activity.neurons * activity.steps - spikes
    parts_nj = {
        "synaptic_operations": activity.synaptic_operations * SYNAPTIC_OPERATION_PJ * 1e-3,
        "active_neurons": spikes * ACTIVE_NEURON_PJ * 1e-3,
        "weight_updates": activity.weight_updates * WEIGHT_UPDATE_PJ * 1e-3,
        "idle_neurons": silent * IDLE_NEURON_PJ * 1e-3,
    }
    idle = parts_nj["idle_neurons"]
    total = sum(parts_nj.values())
    seconds = activity.steps * activity.step_ms * 1e-3
    return {
        "model": ENERGY_MODEL,
        "parts_nj": parts_nj,
        "dynamic_nj_per_decision": (total - idle) / decisions if decisions else None,
        "idle_nj_per_decision": idle / decisions if decisions else None,
        "total_nj_per_decision": total / decisions if decisions else None,
        "mean_power_uw": total * 1e-3 / seconds if seconds else None,
    }


def network_summary(activity: Activity, decisions: int) -> dict[str, Any]:
    """The network's part of summary.json."""
    return {
        **asdict(activity),
        "sparsity": sparsity(activity),
        "synaptic_operations_per_decision": activity.synaptic_operations / decisions if decisions else None,
        "energy_model": energy_model(activity, decisions),
    }
