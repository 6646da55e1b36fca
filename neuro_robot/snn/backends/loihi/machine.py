"""A chip network that runs: integers in compiled code, with on-chip learning."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuro_robot.errors import ConfigError
from neuro_robot.snn.backends.loihi import kernel, learn_kernel, learn_tables, tables
from neuro_robot.snn.backends.loihi.description import ChipNetwork, Compartments

INT32 = np.dtype(np.int32)
FLOAT32 = np.dtype(np.float32)


class Machine:
    """The integer machine: step it with payloads, read u, v and spikes.

    layer_slices: each layer's range in the numbering of all neurons, input layers included, in the order of adding.
    seed: of the stochastic rounding of learning.
    """

    def __init__(self, network: ChipNetwork, seed: int = 0) -> None:
        self.network = network
        self.tables, self.places = tables.build(network)
        self.learning = learn_tables.build(network, self.tables, self.places, seed)
        layers = tuple(network.layers.values())
        self.layer_slices = tables.layer_slices(layers)
        self._shape = (sum(layer.size for layer in layers if layer.parameters is None),)
        self._payloads = np.zeros(self._shape, np.int32)
        self._silence = np.zeros(self._shape, np.int32)
        self._open()
        _warm_up()

    def _open(self) -> None:
        """What depends on where the tables lie in memory."""
        self._frame, self._spikes = tables.frame_of(self.tables), self.tables.cells[kernel.SPIKES]

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in ("_frame", "_spikes")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._open()

    def step(self, payloads: ArrayLike | None = None) -> NDArray[np.int32]:
        """Advance one step; returns the neurons that spiked, ascending, in the numbering of `layer_slices`.

        payloads: (n_inputs,) whole numbers for all input layers, 0 = none; contiguous int32 is taken as it is. Raises
        ConfigError, with nothing changed, on another shape, a broken number, or a payload the line cannot carry.
        """
        values = self._silence if payloads is None else np.asarray(payloads)
        if values.dtype is not INT32 or values.shape != self._shape or not values.flags.c_contiguous:
            values = self._converted(values)
        found = self._advance(values)
        if found < 0:
            raise ConfigError(self._bad_input(values, -1 - found))
        return self._learned(found)

    def step_counts(self, counts: NDArray[np.float32]) -> NDArray[np.int32]:
        """As `step`, from contiguous float32 event counts, (n_inputs,): see kernel.step_counts."""
        found = self._advance_counts(counts)
        if found < 0:
            raise ConfigError(self._bad_input(counts, -1 - found))
        return self._learned(found)

    @property
    def u(self) -> NDArray[np.int32]:
        """(n,) synaptic currents, 24 bits, a view."""
        view: NDArray[np.int32] = self.tables.cells[kernel.U]
        return view

    @property
    def v(self) -> NDArray[np.int32]:
        """(n,) membrane potentials, 24 bits, a view."""
        view: NDArray[np.int32] = self.tables.cells[kernel.V]
        return view

    def _advance(self, payloads: NDArray[np.int32]) -> int:
        found: int = kernel.step_framed(payloads, self._frame)
        return found

    def _advance_counts(self, counts: NDArray[np.float32]) -> int:
        found: int = kernel.step_counts_framed(counts, self._payloads, self._frame)
        return found

    def _learned(self, found: int) -> NDArray[np.int32]:
        """Let the rules work on the step just made; returns its spikes."""
        if self.learning is not None:
            held = self.tables
            slot = (held.counters[kernel.STEP] - 1) % held.sent_count.shape[0]
            learn_kernel.learn(
                slot, held.groups, held.row, held.post, held.weight, held.sent, held.sent_count, *self.learning
            )
        spikes: NDArray[np.int32] = self._spikes[:found].copy()
        return spikes

    def _converted(self, values: NDArray[Any]) -> NDArray[np.int32]:
        """The payloads as contiguous int32; what int32 cannot hold becomes -1, which no line carries."""
        if values.shape != self._shape or values.dtype.kind not in "iub":
            raise ConfigError(
                f"step: inputs: expected whole numbers of the shape {self._shape}, got {values.dtype} {values.shape}"
            )
        if values.dtype.itemsize >= 4:
            values = np.where((values >= 0) & (values < 1 << 31), values, -1)
        return np.ascontiguousarray(values, np.int32)

    def _bad_input(self, values: NDArray[Any], at: int) -> str:
        first = 0
        for layer in self.network.layers.values():
            if layer.parameters is None and at < first + layer.size:
                got = "a negative or far too large number" if values[at] < 0 else values[at]
                if layer.largest_input == 1:
                    expected = "0 or 1, for this line sends spikes without a payload (loihi2 has graded ones)"
                else:
                    expected = f"0 to {layer.largest_input / (1 << layer.fraction_bits):g}"
                return f"step: inputs: layer {layer.name!r}, line {at - first}: expected {expected}, got {got}"
            first += layer.size if layer.parameters is None else 0
        raise IndexError(at)


@functools.cache
def _warm_up() -> None:
    """Compile or load the kernels now, on a network of one neuron, instead of during the first real step."""
    network = ChipNetwork()
    network.add_input("in", 1)
    network.add_layer("n", 1, Compartments(0, 0, 1))
    network.connect("in", "n", [[1]])
    held, _ = tables.build(network)
    frame = tables.frame_of(held)
    kernel.step_framed(np.zeros(1, np.int32), frame)
    kernel.step_counts_framed(np.zeros(1, np.float32), np.zeros(1, np.int32), frame)
