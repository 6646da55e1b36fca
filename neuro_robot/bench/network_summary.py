"""The network's part of a summary: what it is, what it did, how sparse it was, and what it might cost on a chip."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from neuro_robot.bench.activity import Activity
from neuro_robot.bench.energy import energy_model
from neuro_robot.bench.sparsity import operations, sparsity


def network_summary(activity: Activity, decisions: int, graded_inputs: bool = True) -> dict[str, Any]:
    """Counts, sparsity, operations and the energy model. decisions: commands given while this was counted."""
    return {
        **asdict(activity),
        "decisions": decisions,
        "sparsity": sparsity(activity),
        "operations": operations(activity, decisions, graded_inputs),
        "synaptic_operations_per_decision": activity.synaptic_operations / decisions if decisions else None,
        "energy_model": energy_model(activity, decisions),
    }
