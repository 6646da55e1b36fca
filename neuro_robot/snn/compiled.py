"""The model of the `cpu` back end: stepping, reward, weights, and its complete state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuro_robot.errors import ConfigError
from neuro_robot.snn import layout, snapshot
from neuro_robot.snn.backends.base import Model, Raster
from neuro_robot.snn.backends.raster import raster_of
from neuro_robot.snn.faults_cpu import CpuBreaker
from neuro_robot.snn.kernels import step, tables
from neuro_robot.snn.network import Network, check_weights
from neuro_robot.snn.primitives import LARGEST, check_choice, check_whole

OPENED = ("_entries", "_frame", "_step", "_inputs", "_spikes")  # rebuilt, not copied
LONGEST_PIECE = 4_000_000  # places for spikes in one call of the kernel


class CompiledNetwork(Model):
    """A network that runs on the processor; v, current and thresholds are views in the numbering of `layer_slices`.

    dtype: "float32" or "float64", of all numbers. potentiation: "deferred" works plain pair and triplet rules out when
    a weight is needed, to the precision of dtype; "eager" does it spike by spike, some ten times slower. threads: among
    how many the leaky neurons and static synapses of large networks are divided; the bits are the same for any number.
    Raises ConfigError on other words and numbers.
    """

    def __init__(
        self, network: Network, dtype: str = "float32", potentiation: str = "deferred", threads: int = 1
    ) -> None:
        super().__init__(network)
        check_choice("cpu.dtype", dtype, ("float32", "float64"))
        check_choice("cpu.potentiation", potentiation, ("deferred", "eager"))
        self._threads = check_whole("cpu.threads", threads, 1, 64)
        told = tuple(self.connections.values())
        self._tables, self._places = layout.build(
            self.dt_ms, self.layers, told, np.dtype(dtype).type, potentiation == "deferred"
        )
        self._neurons = {
            layer.name: self.layer_slices[layer.name]
            for layer in self.layers
            if layer.cell is not None and not layer.cell.generates
        }
        self._rule = {c.name: number for number, c in enumerate(c for c in told if c.rule is not None)}
        self._scaling = {c.name: number for number, c in enumerate(c for c in told if c.scaling is not None)}
        self._rest = self._tables.state.copy(), self._tables.extra.copy()
        self._open()
        self._warm_up()

    def _open(self) -> None:
        """What depends on where the tables lie in memory."""
        real: Any = self._tables.state.dtype.type
        self._entries = step.entries(real, step.parts_of(self._tables, self._threads))
        self._frame = tables.frame_of(self._tables)
        self._step, self._inputs, self._spikes = self._entries.step, self._tables.inputs, self._tables.spikes

    def _warm_up(self) -> None:
        """Compile or load the kernel now, on tables that are all empty, instead of during the first real step."""
        empty = tables.Tables(*(np.zeros((0,) * array.ndim, array.dtype) for array in self._tables))
        empty = empty._replace(counters=np.zeros(3, np.int64), sent_count=np.zeros((1, 0), np.int32))
        self._step(tables.frame_of(empty))

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in OPENED}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._open()

    def step(self, inputs: ArrayLike | None = None) -> NDArray[np.int32]:
        """See Model.step."""
        self._take(inputs)
        found = self._step(self._frame)
        if found < 0:
            raise ConfigError(f"step: inputs: expected event counts from 0 to {2**24}, got {_bad_input(self._inputs)}")
        return self._spikes[:found].copy()

    def run(self, inputs: Raster | ArrayLike | None = None, steps: int | None = None) -> Raster:
        """See Model.run; values are checked before the first step."""
        raster, steps = raster_of(inputs, steps, self._input_shape[0])
        if not np.all((raster.value >= 0) & (raster.value <= 2**24)):
            raise ConfigError(f"run: inputs: expected event counts from 0 to {2**24}")
        pieces = [Raster(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32))]
        n = self._spikes.size
        share = max(1, LONGEST_PIECE // n)
        for start in range(0, steps, share):
            count = min(share, steps - start)
            first = np.searchsorted(raster.step, np.arange(start, start + count + 1))
            found, counts = np.empty(count * n, np.int32), np.empty(count, np.int64)
            total = self._entries.run(self._frame, count, first, raster.neuron, raster.value, found, counts)
            when = np.repeat(np.arange(start, start + count), counts)
            pieces.append(Raster(when, found[:total].astype(np.int64), np.ones(total, np.float32)))
        return Raster(*(np.concatenate(column) for column in zip(*pieces, strict=True)))

    def _switch(self) -> None:
        for name, rule in self._rule.items():
            self._tables.rules[rule, tables.R_LEARNS] = self.learns(name)
        for name, scaling in self._scaling.items():
            self._tables.scalings[scaling, tables.S_LEARNS] = self.learns(name)

    def set_reward(self, layer: str, value: ArrayLike) -> None:
        """See Model.set_reward."""
        piece = self._neurons.get(layer)
        if piece is None:
            known = ", ".join(self._neurons) or "none"
            raise ConfigError(f"set_reward: no layer of neurons {layer!r}; there are {known}")
        target = self._tables.state[tables.REWARD, piece]
        try:
            new = np.asarray(value, dtype=target.dtype)
        except (TypeError, ValueError) as error:
            raise ConfigError(f"set_reward({layer!r}): expected numbers, got {value!r}") from error
        if new.shape and new.shape != target.shape:
            raise ConfigError(f"set_reward({layer!r}): expected one number or {target.shape}, got {new.shape}")
        if not np.vdot(new, new) <= LARGEST**2:  # one pass finds NaN, infinity and absurd size alike
            raise ConfigError(f"set_reward({layer!r}): expected finite numbers up to {LARGEST:g}, got {value!r}")
        target[...] = new
        self._tables.rules[:, tables.R_STALE] = 1

    def reset_state(self) -> None:
        """See Model.reset_state."""
        for rule in self._rule.values():
            self._settle(rule)
        self._tables.state[...], self._tables.extra[...] = self._rest
        for name in snapshot.ZERO_AT_REST:
            getattr(self._tables, name).fill(0)
        for rule in snapshot.deferred_rules(self._tables):
            snapshot.sums_of_past(self._tables, rule).fill(0.0)
        self._tables.rules[:, tables.R_CLOCK] = 0
        self._tables.rules[:, tables.R_STALE] = 1
        self._tables.scalings[:, tables.S_PHASE] = 0

    def synapse_weights(self, connection: str) -> NDArray[Any]:
        """See Model.synapse_weights."""
        place, weight = self.synapses(connection), self._tables.weight
        rule = self._rule.get(connection, -1)
        if rule >= 0 and self._tables.rules[rule, tables.R_KIND] == tables.DEFERRED:
            weight = weight.copy()
            self._entries.settled(self._frame, rule, weight)
        return weight[place].copy()

    def eligibility(self, connection: str) -> NDArray[Any]:
        """(n_pre, n_post) copy of a plastic connection's eligibility (or tags), NaN where there is no synapse."""
        if self.connections[self._named(connection)].rule is None:
            raise ConfigError(f"eligibility({connection!r}): the connection has no rule")
        return self._matrix(connection, self._tables.plastic[tables.ELIGIBILITY, self.synapses(connection)])

    def set_weights(self, connection: str, weights: ArrayLike) -> None:
        """See Model.set_weights."""
        where = f"set_weights({connection!r})"
        told = self.connections[self._named(connection)]
        values = np.asarray(weights, dtype=self._tables.weight.dtype)
        if values.shape != (told.pre.size, told.post.size):
            raise ConfigError(f"{where}: expected the shape {(told.pre.size, told.post.size)}, got {values.shape}")
        if not np.array_equal(np.isnan(values), np.isnan(self.weights(connection))):
            raise ConfigError(f"{where}: expected NaN exactly where the connection has no synapse")
        chosen = values[told.pre_index, told.post_index]
        check_weights(where, chosen, told.rule, told.scaling)
        self.settle(connection)
        self._tables.weight[self.synapses(connection)] = chosen

    @property
    def v(self) -> NDArray[Any]:
        """(n,) membrane potentials of all neurons, a view; input layers stay 0."""
        view: NDArray[Any] = self._tables.state[tables.V]
        return view

    @property
    def current(self) -> NDArray[Any]:
        """(n,) synaptic currents of all neurons, a view."""
        view: NDArray[Any] = self._tables.state[tables.CURRENT]
        return view

    @property
    def thresholds(self) -> NDArray[Any]:
        """(n,) firing thresholds, a view that may be written (keep them above v_reset); input layers hold inf."""
        view: NDArray[Any] = self._tables.threshold
        return view

    @property
    def spike_counts(self) -> NDArray[np.int64]:
        """See Model.spike_counts; a view."""
        return self._tables.spike_counts

    @property
    def steps(self) -> int:
        """Steps made so far."""
        return int(self._tables.counters[tables.STEP])

    @property
    def synaptic_operations(self) -> int:
        """See Model.synaptic_operations."""
        return int(self._tables.counters[tables.OPERATIONS])

    @property
    def weight_updates(self) -> int:
        """See Model.weight_updates."""
        return int(self._tables.counters[tables.UPDATES])

    def state(self) -> dict[str, NDArray[Any]]:
        """See Model.state."""
        return snapshot.take(self)

    def load_state_dict(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """See Model.load_state_dict."""
        snapshot.restore(self, arrays)
        self._tables.rules[:, tables.R_STALE] = 1

    def breaker(self) -> CpuBreaker:
        """See Model.breaker."""
        return CpuBreaker(self)

    @property
    def tables(self) -> tables.Tables:
        """The flat arrays the kernel runs on, for `snapshot`; others should leave them alone."""
        return self._tables

    def synapses(self, connection: str) -> slice:
        """The range of a connection's synapses in `tables.weight`."""
        return self._places[self._named(connection)]

    def settle(self, connection: str) -> None:
        """Put in what a deferred rule owes the weights of a connection."""
        if connection in self._rule:
            self._settle(self._rule[connection])

    def _settle(self, rule: int) -> None:
        if self._tables.rules[rule, tables.R_KIND] == tables.DEFERRED:
            self._entries.settle(self._frame, rule)

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


def _bad_input(values: NDArray[np.float32]) -> str:
    at = int(np.argmin((values >= 0) & (values <= 2**24)))
    return f"{values[at]} at input {at}"
