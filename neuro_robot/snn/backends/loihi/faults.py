"""Faults in the tables of a chip's arithmetic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neuro_robot.snn.backends.loihi import kernel, whole
from neuro_robot.snn.faults_breaker import Breaker, Stuck
from neuro_robot.snn.faults_chosen import Index

if TYPE_CHECKING:
    from neuro_robot.snn.backends.loihi.model import LoihiModel


class LoihiBreaker(Breaker):
    """Dead neurons are held by their refractory period, stuck synapses written anew around every step."""

    def __init__(self, model: LoihiModel) -> None:
        self._model = model

    def before(self, dead: Index, stuck: Stuck) -> None:
        """See Breaker."""
        self._model.machine.tables.cells[kernel.LEFT, dead] = 1
        self.after(dead, stuck)

    def after(self, dead: Index, stuck: Stuck) -> None:  # noqa: ARG002 - the dead need nothing more
        """See Breaker."""
        for name, (synapses, values) in stuck.items():
            self.stick(name, synapses, values)

    def stick(self, connection: str, synapses: Index, values: NDArray[Any]) -> None:
        """See Breaker."""
        self._model.set_whole_weights(connection, values, synapses)

    def held(self, connection: str, synapses: Index, value: float | None) -> NDArray[Any]:
        """See Breaker: whole numbers of the connection's unit, the nearest."""
        if value is None:
            return self._model.whole_weights(connection)[synapses]
        where = f"StuckSynapses({connection!r}): value"
        return whole.nearest(self._model, connection, np.full(synapses.size, value), where)

    def forget(self, layer: int, kept: NDArray[np.bool_]) -> None:
        """See Breaker."""
        held = self._model.machine.tables
        slot = (self._model.steps - 1) % len(held.sent_count)
        start = int(held.layers[layer, kernel.L_START])
        packed = slice(start, start + int(held.sent_count[slot, layer]))
        left = slice(start, start + int(np.count_nonzero(kept)))
        held.sent[kernel.INDEX, slot, left] = held.sent[kernel.INDEX, slot, packed][kept]
        held.sent_count[slot, layer] = left.stop - start
