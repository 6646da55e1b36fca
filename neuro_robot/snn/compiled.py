"""The model of the `cpu` back end: stepping, reward, weights, and its complete state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuro_robot.errors import ConfigError
from neuro_robot.snn import kernel, layout, snapshot
from neuro_robot.snn.backends.base import Model
from neuro_robot.snn.network import Layer, Network, check_weights
from neuro_robot.snn.primitives import LARGEST


class CompiledNetwork(Model):
    """A network that runs on the processor; v, current and thresholds are views in the numbering of `layer_slices`."""

    def __init__(self, network: Network) -> None:
        super().__init__(network)
        self._tables, self._places = layout.build(self.dt_ms, self.layers, tuple(self.connections.values()))
        post = self._tables.rules[:, kernel.R_START]
        self._neurons = {name: piece for name, piece in self.layer_slices.items() if name not in self.input_slices}
        self._rules = {name: np.flatnonzero(post == piece.start).tolist() for name, piece in self._neurons.items()}
        self._rest = {name: getattr(self._tables, name).copy() for name in snapshot.DYNAMIC}
        self._inputs = np.zeros(self._input_shape, np.float32)
        _warm_up()

    def step(self, inputs: ArrayLike | None = None) -> NDArray[np.int32]:
        """Advance by dt; returns the neurons that spiked, ascending, in the numbering of `layer_slices`.

        inputs: (n_inputs,) graded spikes of all input layers in order of adding: event counts 0 .. 2^24, 0 = none; a
        spike of value s deposits s times the weight and raises the pre trace by s. None means silence. An input with
        delay 1 is integrated in this very call; a neuron's spike of step k with delay d is integrated in step k + d.
        Raises ConfigError, with nothing changed, when the shape is wrong or a value is negative, too large or NaN.
        """
        self._take(inputs)
        found = kernel.step(self._inputs, self._learning, *self._tables)
        if found < 0:
            raise ConfigError(f"step: inputs: expected event counts from 0 to {2**24}, got {_bad_input(self._inputs)}")
        return self._tables.spikes[:found].copy()

    def _switch(self) -> None:
        """Nothing to do: the switch is an argument of the kernel."""

    def set_reward(self, layer: str, value: ArrayLike) -> None:
        """Set the reward of a layer of neurons, one number or (n,); it holds from the next step on, until changed.

        The next step first applies it to the eligibility that the step before left, then processes its own spikes.
        Raises ConfigError on an unknown or input layer, another shape, or a number that is not finite.
        """
        piece = self._neurons.get(layer)
        if piece is None:
            known = ", ".join(self._neurons) or "none"
            raise ConfigError(f"set_reward: no layer of neurons {layer!r}; there are {known}")
        target = self._tables.state[kernel.REWARD, piece]
        try:
            new = np.asarray(value, dtype=np.float32)
        except (TypeError, ValueError) as error:
            raise ConfigError(f"set_reward({layer!r}): expected numbers, got {value!r}") from error
        if new.shape and new.shape != target.shape:
            raise ConfigError(f"set_reward({layer!r}): expected one number or {target.shape}, got {new.shape}")
        if not np.vdot(new, new) <= LARGEST**2:  # one pass finds NaN, infinity and absurd size alike
            raise ConfigError(f"set_reward({layer!r}): expected finite numbers up to {LARGEST:g}, got {value!r}")
        target[...] = new
        for rule in self._rules[layer]:
            self._tables.rules[rule, kernel.R_STALE] = 1

    def reset_state(self) -> None:
        """Everything dynamic (membranes, currents, traces, eligibility, reward, spikes under way) to its start.

        Weights, thresholds and counters stay.
        """
        for name, values in self._rest.items():
            getattr(self._tables, name)[...] = values
        self._tables.rules[:, kernel.R_STALE] = 1

    def weights(self, connection: str) -> NDArray[np.float32]:
        """(n_pre, n_post) copy of a connection's weights, NaN where there is no synapse."""
        return self._matrix(connection, self._tables.weight[self.synapses(connection)])

    def eligibility(self, connection: str) -> NDArray[np.float32]:
        """(n_pre, n_post) copy of a plastic connection's eligibility, NaN where there is no synapse."""
        if self.connections[self._named(connection)].rule is None:
            raise ConfigError(f"eligibility({connection!r}): the connection has no STDP rule")
        return self._matrix(connection, self._tables.plastic[kernel.ELIGIBILITY, self.synapses(connection)])

    def set_weights(self, connection: str, weights: ArrayLike) -> None:
        """Replace a connection's weights by (n_pre, n_post) numbers, NaN exactly where there is no synapse.

        Raises ConfigError on another shape or other synapses, on infinities, and outside the bounds of the rule.
        """
        where = f"set_weights({connection!r})"
        told = self.connections[self._named(connection)]
        values = np.asarray(weights, dtype=np.float32)
        if values.shape != (told.pre.size, told.post.size):
            raise ConfigError(f"{where}: expected the shape {(told.pre.size, told.post.size)}, got {values.shape}")
        if not np.array_equal(np.isnan(values), np.isnan(self.weights(connection))):
            raise ConfigError(f"{where}: expected NaN exactly where the connection has no synapse")
        chosen = values[told.pre_index, told.post_index]
        check_weights(where, chosen, told.rule, told.scaling)
        self._tables.weight[self.synapses(connection)] = chosen

    @property
    def v(self) -> NDArray[np.float32]:
        """(n,) membrane potentials of all neurons, a view; input layers stay 0."""
        view: NDArray[np.float32] = self._tables.state[kernel.V]
        return view

    @property
    def current(self) -> NDArray[np.float32]:
        """(n,) synaptic currents of all neurons, a view."""
        view: NDArray[np.float32] = self._tables.state[kernel.CURRENT]
        return view

    @property
    def thresholds(self) -> NDArray[np.float32]:
        """(n,) firing thresholds, a view that may be written (keep them above v_reset); input layers hold inf."""
        view: NDArray[np.float32] = self._tables.cells[kernel.V_TH]
        return view

    @property
    def spike_counts(self) -> NDArray[np.int64]:
        """(n,) spikes of every neuron so far, input lines included (a graded spike counts once), a view."""
        return self._tables.spike_counts

    @property
    def steps(self) -> int:
        """Steps made so far."""
        return int(self._tables.counters[kernel.STEP])

    @property
    def synaptic_operations(self) -> int:
        """Synaptic events so far: one per spike and synapse it reached, however large its value."""
        return int(self._tables.counters[kernel.OPERATIONS])

    @property
    def weight_updates(self) -> int:
        """Learning changes applied to single weights so far (changes of exactly 0 and weight decay not counted)."""
        return int(self._tables.counters[kernel.UPDATES])

    def state(self) -> dict[str, NDArray[Any]]:
        """A copy of everything that decides the future: weights, thresholds, traces, membranes, spikes under way."""
        return snapshot.take(self)

    def load_state_dict(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Continue from what `state` returned; counters stay.

        Raises WeightsError, with nothing changed, that says which array differs from this network and how.
        """
        snapshot.restore(self, arrays)
        self._tables.rules[:, kernel.R_STALE] = 1

    @property
    def tables(self) -> kernel.Tables:
        """The flat arrays the kernel runs on, for `snapshot`; others should leave them alone."""
        return self._tables

    def synapses(self, connection: str) -> slice:
        """The range of a connection's synapses in `tables.weight`."""
        return self._places[self._named(connection)]

    def _take(self, inputs: ArrayLike | None) -> None:
        """Copy inputs of any type and layout to where the kernel reads them, so that it is compiled only once."""
        if inputs is None:
            self._inputs.fill(0.0)
            return
        values = np.asarray(inputs)
        if values.shape != self._input_shape:
            raise ConfigError(f"step: inputs: expected the shape {self._input_shape}, got {values.shape}")
        try:
            np.copyto(self._inputs, values, casting="same_kind")
        except TypeError as error:
            raise ConfigError(f"step: inputs: expected numbers, got {values.dtype}") from error

    def _matrix(self, connection: str, values: NDArray[np.float32]) -> NDArray[np.float32]:
        told = self.connections[connection]
        matrix = np.full((told.pre.size, told.post.size), np.nan, np.float32)
        matrix[told.pre_index, told.post_index] = values
        return matrix


def _warm_up() -> None:
    """Compile or load the kernel now, on a network of one input line, instead of during the first real step."""
    tables, _ = layout.build(1.0, (Layer("warm up", 1, None),), ())
    kernel.step(np.zeros(1, np.float32), False, *tables)


def _bad_input(values: NDArray[np.float32]) -> str:
    at = int(np.argmin((values >= 0) & (values <= 2**24)))
    return f"{values[at]} at input {at}"
