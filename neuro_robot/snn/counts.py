"""What a network is and what it did so far, as plain numbers by name: for diagnostics, energy models and sparsity.

    steps, step_ms                          neurons/LAYER or inputs/LAYER, spikes/LAYER
    synapses, plastic_synapses              dense_synapses: n_pre n_post, summed over the connections
    nonzero_weights                         of the synapses, as they are now
    synaptic_operations                     one per spike and synapse that it reached
    input_operations, neuron_operations     the same by NeuroBench's rule: without weights of 0; spikes of input lines,
                                            which may carry values, and of neurons
    weight_updates                          learning changes of single weights
    messages, hops_x, hops_y                what spikes sent over a chip's mesh (see `snn.hops`)

Operations are fan-out times spikes, with the weights that are not 0 at the time of asking.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np

from neuro_robot.snn.hops import Routes, routes

if TYPE_CHECKING:
    from neuro_robot.snn.backends.base import Model

_ROUTES: WeakKeyDictionary[Model, Routes] = WeakKeyDictionary()  # they follow from the network alone


def counts_of(model: Model) -> dict[str, float]:
    """The numbers named in the module's text."""
    spikes = model.spike_counts
    told = {"steps": float(model.steps), "step_ms": float(model.dt_ms)}
    for layer in model.layers:
        told[f"{'inputs' if layer.cell is None else 'neurons'}/{layer.name}"] = float(layer.size)
        told[f"spikes/{layer.name}"] = float(spikes[model.layer_slices[layer.name]].sum())
    connections = model.connections.values()
    told["synapses"] = float(sum(c.weights.size for c in connections))
    told["plastic_synapses"] = float(sum(c.weights.size for c in connections if c.rule is not None))
    told["dense_synapses"] = float(sum(c.pre.size * c.post.size for c in connections))
    nonzero, operations = 0, {"input_operations": 0, "neuron_operations": 0}
    for connection in connections:
        used = model.synapse_weights(connection.name) != 0
        fan_out = np.bincount(connection.pre_index[used], minlength=connection.pre.size)
        nonzero += int(np.count_nonzero(used))
        sent = int(fan_out @ spikes[model.layer_slices[connection.pre.name]])
        operations["input_operations" if connection.pre.cell is None else "neuron_operations"] += sent
    told["nonzero_weights"] = float(nonzero)
    told |= {name: float(value) for name, value in operations.items()}
    told["synaptic_operations"] = float(model.synaptic_operations)
    told["weight_updates"] = float(model.weight_updates)
    if model not in _ROUTES:
        _ROUTES[model] = routes(model)
    return told | {name: float(values @ spikes) for name, values in _ROUTES[model]._asdict().items()}
