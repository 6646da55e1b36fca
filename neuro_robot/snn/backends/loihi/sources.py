"""Poisson layers on a chip: the host draws their spikes, those of the `cpu` back end, and sends them as inputs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neuro_robot.snn.compiled import CompiledNetwork
from neuro_robot.snn.kernels import tables as kernel
from neuro_robot.snn.network import Network


class Sources:
    """The Poisson layers of a network, run by the processor's kernel.

    given: where the inputs of a step lie among the lines that the chip takes; state: the sources' whole state.
    """

    def __init__(self, network: Network) -> None:
        drawn = Network(network.dt_ms)
        lines, given, first = [], [], 0
        for layer in network.layers.values():
            here = np.arange(first, first + layer.size)
            if layer.cell is None:
                given.append(here)
            elif layer.cell.generates:
                drawn.add_layer(layer.name, layer.size, layer.cell)
                lines.append(here)
            else:
                continue
            first += layer.size
        self._model = CompiledNetwork(drawn)
        self._lines = np.concatenate(lines)
        self._given = np.concatenate([np.zeros(0, np.int64), *given])
        self._inputs = np.zeros(first, np.float32)

    @staticmethod
    def of(network: Network) -> Sources | None:
        """The sources of a network, None where it has none."""
        some = any(layer.cell is not None and layer.cell.generates for layer in network.layers.values())
        return Sources(network) if some else None

    @property
    def state(self) -> NDArray[np.int64]:
        """(2, layers) random state and silent draws to come, a view."""
        view: NDArray[np.int64] = self._model.tables.source.view(np.int64)
        return view

    def joined(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """The inputs of a step with the sources' spikes between them; a buffer of this object."""
        self._model.step()
        held = self._model.tables
        slot = (self._model.steps - 1) % len(held.sent_count)
        self._inputs[self._given] = inputs
        self._inputs[self._lines] = 0
        for count, layer in zip(held.sent_count[slot], held.layers, strict=True):
            start = layer[kernel.L_START]
            self._inputs[self._lines[start + held.sent_index[slot, start : start + count]]] = 1
        return self._inputs
