"""How faults reach a back end's tables, and what is told about them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuro_robot.snn.faults_chosen import Index

Stuck = dict[str, tuple[Index, NDArray[Any]]]  # per connection: synapses, and what a back end holds for their weights


class Breaker(ABC):
    """How a back end's tables are broken around one step; between steps they are as a healthy model's."""

    @abstractmethod
    def before(self, dead: Index, stuck: Stuck) -> None:
        """Hold the neurons at reset during the coming step, and the synapses at their values."""

    @abstractmethod
    def after(self, dead: Index, stuck: Stuck) -> None:
        """The step is over: put the synapses back to their values, after what learning did."""

    @abstractmethod
    def stick(self, connection: str, synapses: Index, values: NDArray[Any]) -> None:
        """Write what `held` returned, and drop what a rule still owes those synapses."""

    @abstractmethod
    def held(self, connection: str, synapses: Index, value: float | None) -> NDArray[Any]:
        """What the back end holds for a weight, or for the weights as they are now. ConfigError when it cannot."""

    @abstractmethod
    def forget(self, layer: int, kept: NDArray[np.bool_]) -> None:
        """Leave of the spikes that a layer fired in the step just made only those that are kept."""


@dataclass(frozen=True)
class FaultReport:
    """What is broken now: descriptions of faults that act and of those that wait for their time; counts since made."""

    active: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    dead_neurons: int = 0
    stuck_synapses: int = 0
    spikes_lost: int = 0

    def __bool__(self) -> bool:
        return bool(self.active or self.waiting)

    def __str__(self) -> str:
        lines = [*self.active, *(f"waiting: {text}" for text in self.waiting)] or ["no faults"]
        counts = f"{self.dead_neurons} dead neurons, {self.stuck_synapses} stuck synapses"
        return "\n".join([*lines, f"{counts}, {self.spikes_lost} spikes lost so far"])

    def figures(self) -> dict[str, float]:
        """The counts by name, for diagnostics."""
        return {
            "faults": float(len(self.active)),
            "faults_waiting": float(len(self.waiting)),
            "fault_dead_neurons": float(self.dead_neurons),
            "fault_stuck_synapses": float(self.stuck_synapses),
            "fault_spikes_lost": float(self.spikes_lost),
        }
