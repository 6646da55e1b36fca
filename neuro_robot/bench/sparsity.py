"""Sparsity and operations by NeuroBench's definitions (Yik et al., Nature Communications 16, 2025; harness 2.3).

    activation sparsity   zero activations / all activations, over layers of neurons and time steps
    connection sparsity   zero weights / all weights, each connection a matrix (n_pre, n_post), absent synapses 0
    dense                 all weights, for every execution of the model
    effective MACs, ACs   without weights of 0 and inputs of 0; AC where inputs are 0 or 1 alone, MAC otherwise

An execution is one time step. Biases, membrane updates and learning are not operations in this count. Weights count as
they are at the end.
"""

from __future__ import annotations

from neuro_robot.bench.activity import Activity


def sparsity(activity: Activity) -> dict[str, float]:
    """Activation and connection sparsity, 0 (dense) to 1 (nothing), and the mean firing rate of neurons, Hz."""
    neuron_steps = activity.neurons * activity.steps
    share = activity.neuron_spikes / neuron_steps if neuron_steps else 0.0
    weights = activity.dense_synapses
    return {
        "activation_sparsity": 1.0 - share,
        "connection_sparsity": 1.0 - activity.nonzero_weights / weights if weights else 0.0,
        "mean_rate_hz": 1e3 * share / activity.step_ms,
    }


def operations(activity: Activity, decisions: int = 0, graded_inputs: bool = True) -> dict[str, float | None]:
    """Dense operations, effective MACs and ACs: per step, and per decision where there are decisions.

    graded_inputs: input lines carry values, so their operations are MACs; otherwise ACs as those of neurons' spikes.
    """
    macs = activity.input_operations if graded_inputs else 0
    totals = {
        "dense": activity.dense_synapses * activity.steps,
        "effective_macs": macs,
        "effective_acs": activity.input_operations + activity.neuron_operations - macs,
    }
    told: dict[str, float | None] = {}
    for unit, number in (("step", activity.steps), ("decision", decisions)):
        told |= {f"{name}_per_{unit}": total / number if number else None for name, total in totals.items()}
    return told
