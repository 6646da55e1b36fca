"""Faults in the tables of the `cpu` back end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neuro_robot.snn.faults_breaker import Breaker, Stuck
from neuro_robot.snn.faults_chosen import Index
from neuro_robot.snn.kernels import tables as k

if TYPE_CHECKING:
    from neuro_robot.snn.compiled import CompiledNetwork


class CpuBreaker(Breaker):
    """Dead neurons are held by their refractory period, stuck synapses written anew around every step.

    Izhikevich neurons have no refractory period: they rest with their threshold out of reach.
    """

    def __init__(self, model: CompiledNetwork) -> None:
        self._model, self._tables = model, model.tables
        kinds = np.repeat(self._tables.layers[:, k.L_KIND], self._tables.layers[:, k.L_SIZE])
        self._unheld = kinds == k.IZHIKEVICH
        rules = (c.name for c in model.connections.values() if c.rule is not None)
        self._rule = {name: number for number, name in enumerate(rules)}
        self._thresholds: NDArray[Any] = np.zeros(0)

    def before(self, dead: Index, stuck: Stuck) -> None:
        """See Breaker; what decays in the step is lifted so that it is at its value when spikes arrive."""
        tables = self._tables
        tables.refractory[dead] = 1
        self._rest(dead)
        unheld = dead[self._unheld[dead]]
        self._thresholds = tables.threshold[unheld]
        tables.threshold[unheld] = np.inf
        for name, (synapses, values) in stuck.items():
            rule = self._rule.get(name, -1)
            decays = rule >= 0 and tables.rules[rule, k.R_LEARNS] == 1 and tables.rules[rule, k.R_KIND] == k.EAGER
            self.stick(name, synapses, values / tables.rates[rule, k.KEEP_WEIGHT] if decays else values)

    def after(self, dead: Index, stuck: Stuck) -> None:
        """See Breaker."""
        self._rest(dead)
        self._tables.threshold[dead[self._unheld[dead]]] = self._thresholds
        for name, (synapses, values) in stuck.items():
            self.stick(name, synapses, values)

    def stick(self, connection: str, synapses: Index, values: NDArray[Any]) -> None:
        """See Breaker."""
        self._model.settle(connection)
        place = self._model.synapses(connection)
        self._tables.weight[place.start + synapses] = values
        if connection in self._rule:  # eligibility is what a reward would change the weight by
            self._tables.plastic[k.ELIGIBILITY, place.start + synapses] = 0.0

    def held(self, connection: str, synapses: Index, value: float | None) -> NDArray[Any]:
        """See Breaker: floats as the tables have them."""
        if value is not None:
            return np.full(synapses.size, value, self._tables.weight.dtype)
        return self._model.synapse_weights(connection)[synapses]

    def forget(self, layer: int, kept: NDArray[np.bool_]) -> None:
        """See Breaker."""
        tables = self._tables
        slot = (int(tables.counters[k.STEP]) - 1) % len(tables.sent_count)
        start = int(tables.layers[layer, k.L_START])
        packed = slice(start, start + int(tables.sent_count[slot, layer]))
        left = slice(start, start + int(np.count_nonzero(kept)))
        tables.sent_index[slot, left] = tables.sent_index[slot, packed][kept]
        tables.sent_count[slot, layer] = left.stop - start

    def _rest(self, dead: Index) -> None:
        """Put the neurons without a refractory period to their rest."""
        unheld = dead[self._unheld[dead]]
        if unheld.size:
            cells = np.repeat(self._tables.cells, self._tables.layers[:, k.L_SIZE], axis=0)[unheld]
            self._tables.state[k.V, unheld] = cells[:, k.V_RESET]
            self._tables.extra[k.ADAPTATION, unheld] = cells[:, k.C_B] * cells[:, k.V_RESET]
