"""What a network did during a flight: spikes, operations, messages, as counts that can be subtracted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from neuro_robot.snn.counts import counts_of

COUNTERS = (
    "steps", "synaptic_operations", "input_operations", "neuron_operations", "weight_updates", "messages", "hops_x",
    "hops_y",
)  # fmt: skip
PREFIX = "network_"  # of the counts in a controller's diagnostics


@dataclass(frozen=True)
class Activity:
    """Counts of one network since it was made (see `snn.counts`); the difference of two is what happened in between."""

    layers: dict[str, int]  # neurons by layer, in the order of the spikes' y
    inputs: tuple[str, ...]  # layers that only carry events in
    step_ms: float
    steps: int
    spikes: dict[str, int]  # by layer
    synapses: int
    plastic_synapses: int
    synaptic_operations: int
    weight_updates: int
    dense_synapses: int = 0
    nonzero_weights: int = 0
    input_operations: int = 0
    neuron_operations: int = 0
    messages: int = 0
    hops_x: int = 0
    hops_y: int = 0

    def since(self, earlier: Activity) -> Activity:
        """What happened after `earlier`, of the same network."""
        values = asdict(self)
        values["inputs"] = self.inputs
        values["spikes"] = {name: count - earlier.spikes[name] for name, count in self.spikes.items()}
        return Activity(**{**values, **{name: values[name] - getattr(earlier, name) for name in COUNTERS}})

    @property
    def neurons(self) -> int:
        """Neurons that compute, without input lines."""
        return sum(size for name, size in self.layers.items() if name not in self.inputs)

    @property
    def neuron_spikes(self) -> int:
        """Spikes of the neurons that compute."""
        return sum(count for name, count in self.spikes.items() if name not in self.inputs)


def activity_of(pilot: Any) -> Activity | None:  # noqa: ANN401 - a Pilot, a mind, or a network
    """The counts of a pilot's network so far; None for a pilot without one."""
    network = getattr(getattr(pilot, "mind", pilot), "network", None)
    return None if network is None else from_counts(counts_of(network))


def from_counts(counts: Mapping[str, float]) -> Activity:
    """The counts from `snn.counts.counts_of`."""
    sizes = {key: int(size) for key, size in counts.items() if key.startswith(("inputs/", "neurons/"))}
    spikes = {key.partition("/")[2]: int(count) for key, count in counts.items() if key.startswith("spikes/")}
    plain: dict[str, Any] = {item.name: int(counts[item.name]) for item in fields(Activity) if item.name in counts}
    return Activity(
        **{
            **plain,
            "step_ms": float(counts["step_ms"]),
            "layers": {key.partition("/")[2]: size for key, size in sizes.items()},
            "inputs": tuple(key.partition("/")[2] for key in sizes if key.startswith("inputs/")),
            "spikes": spikes,
        }
    )


def from_diagnostics(figures: Mapping[str, Any]) -> Activity | None:
    """The counts that a controller reported, over DDS or in process; None where it reported none."""
    counts = {key.removeprefix(PREFIX): value for key, value in figures.items() if key.startswith(PREFIX)}
    return from_counts({key: float(value) for key, value in counts.items()}) if "steps" in counts else None
