"""The model of `loihi` and `loihi2`: a quantised network on the integer machine, in real units outside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuro_robot.errors import ConfigError
from neuro_robot.snn import quantise
from neuro_robot.snn.backends.base import Model
from neuro_robot.snn.backends.loihi import kernel, learn_kernel, mapping, snapshot, whole
from neuro_robot.snn.backends.loihi.chips import Chip
from neuro_robot.snn.backends.loihi.faults import LoihiBreaker
from neuro_robot.snn.backends.loihi.float_machine import FloatMachine
from neuro_robot.snn.backends.loihi.machine import FLOAT32, Machine
from neuro_robot.snn.backends.loihi.registers import MIXED
from neuro_robot.snn.backends.loihi.sources import Sources
from neuro_robot.snn.network import Network, check_weights
from neuro_robot.snn.primitives import LARGEST, check_choice, check_number

ARITHMETICS = {"integer": Machine, "cpu": FloatMachine}


class LoihiModel(Model):
    """A network on a chip's arithmetic. quantised: the chip's network and its losses; mapping: where it lies.

    arithmetic: "integer", or "cpu" for the same quantised network in float64 (see float_machine). seed: of the
    stochastic rounding of learning. largest_input: events that a payload can carry, more saturate; largest_reward: see
    quantise.Options. Weights and voltages are in the units of the description.
    """

    def __init__(
        self,
        network: Network,
        chip: Chip,
        seed: int = 0,
        arithmetic: str = "integer",
        largest_input: float = 255.0,
        largest_reward: float = 1.0,
    ) -> None:
        super().__init__(network)
        self.chip = chip
        check_choice(f"{chip.name}.arithmetic", arithmetic, tuple(ARITHMETICS))
        if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < 1 << 63:
            raise ConfigError(f"{chip.name}.seed: expected a whole number from 0, got {seed!r}")
        options = quantise.Options(
            chip.graded,
            _positive(f"{chip.name}.largest_input", largest_input, 1 << 16),
            _positive(f"{chip.name}.largest_reward", largest_reward, LARGEST),
        )
        self.quantised = quantise.quantise(network, options)
        self.mapping = mapping.place(self.quantised.chip, chip)
        self.machine: Machine = ARITHMETICS[arithmetic](self.quantised.chip, int(seed))
        self._rules = {name: number for number, name in enumerate(self.quantised.learning)}
        self._silence = np.zeros(self._input_shape, np.float32)
        self.sources = Sources.of(network)
        self._start = self.machine.v.copy()
        self._switch()

    def step(self, inputs: ArrayLike | None = None) -> NDArray[np.int32]:
        """See Model.step. Counts are rounded to the payload's fraction and saturate; `loihi` takes 0 and 1 alone."""
        values = self._silence if inputs is None else np.asarray(inputs)
        if values.dtype is not FLOAT32 or values.shape != self._input_shape or not values.flags.c_contiguous:
            values = self._converted(values)
        return self.machine.step_counts(values) if self.sources is None else self._step_drawn(self.sources, values)

    def _step_drawn(self, sources: Sources, values: NDArray[np.float32]) -> NDArray[np.int32]:
        """A step with the spikes of Poisson layers, which are drawn again when the inputs are refused."""
        before = sources.state.copy()
        try:
            return self.machine.step_counts(sources.joined(values))
        except ConfigError:
            sources.state[...] = before
            raise

    def set_reward(self, layer: str, value: ArrayLike) -> None:
        """See Model.set_reward; `loihi` has one reward for all neurons of a layer, `loihi2` one for each."""
        where = f"set_reward({layer!r})"
        piece = self.layer_slices.get(layer)
        if piece is None or layer in self.input_slices:
            known = ", ".join(name for name in self.layer_slices if name not in self.input_slices) or "none"
            raise ConfigError(f"{where}: no layer of neurons of this name; there are {known}")
        try:
            new = np.asarray(value, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise ConfigError(f"{where}: expected numbers, got {value!r}") from error
        size = piece.stop - piece.start
        if new.shape not in ((), (size,)):
            raise ConfigError(f"{where}: expected one number or {(size,)}, got {new.shape}")
        if not np.all(np.abs(new) <= LARGEST):
            raise ConfigError(f"{where}: expected finite numbers up to {LARGEST:g}, got {value!r}")
        if new.ndim and not self.chip.reward_per_neuron and np.ptp(new) > 0:
            raise ConfigError(
                f"{where}: {self.chip.name} has one reward for a whole layer; use loihi2 for one per neuron"
            )
        if self.machine.learning is not None:
            self.machine.learning.reward[piece] = new

    def reset_state(self) -> None:
        """See Model.reset_state."""
        held, learning = self.machine.tables, self.machine.learning
        for row in (kernel.U, kernel.LEFT, kernel.SUM):
            held.cells[row] = 0
        held.cells[kernel.V] = self._start
        held.sent_count.fill(0)
        if learning is not None:
            for values in (learning.x, learning.y, learning.reward, learning.reward_sum):
                values.fill(0)
            learning.synapse[learn_kernel.TAG] = 0

    def synapse_weights(self, connection: str) -> NDArray[np.float32]:
        """See Model.synapse_weights; the whole numbers that the chip holds, times the connection's unit."""
        told = self.connections[self._named(connection)]
        values = (self.whole_weights(connection) * self.quantised.units[connection]).astype(np.float32)
        if told.rule is not None:
            values = np.clip(values, np.float32(told.rule.w_min), np.float32(told.rule.w_max))  # type: ignore[attr-defined]
        return values

    def eligibility(self, connection: str) -> NDArray[np.float32]:
        """(n_pre, n_post) of a plastic connection's tags in units of eligibility, NaN where there is no synapse."""
        if connection not in self._rules:
            self._named(connection)
            raise ConfigError(f"eligibility({connection!r}): the connection has no rule")
        tags = self.machine.learning.synapse[learn_kernel.TAG, self._plastic(connection)]  # type: ignore[union-attr]
        unit = self.quantised.learning[connection].rule.tag_unit
        return self._matrix(connection, (tags / unit).astype(np.float32))

    def set_weights(self, connection: str, weights: ArrayLike) -> None:
        """See Model.set_weights; rounded to the connection's unit, at random where it learns.

        So a change smaller than the unit has its effect on the mean; what `weights` returned is kept exactly.
        """
        where = f"set_weights({connection!r})"
        told = self.connections[self._named(connection)]
        values = np.asarray(weights, dtype=np.float64)
        if values.shape != (told.pre.size, told.post.size):
            raise ConfigError(f"{where}: expected the shape {(told.pre.size, told.post.size)}, got {values.shape}")
        exists = np.zeros(values.shape, np.bool_)
        exists[told.pre_index, told.post_index] = True
        if not np.array_equal(~np.isnan(values), exists):
            raise ConfigError(f"{where}: expected NaN exactly where the connection has no synapse")
        chosen = values[told.pre_index, told.post_index]
        check_weights(where, chosen.astype(np.float32), told.rule, told.scaling)
        self.set_whole_weights(connection, whole.of_weights(self, connection, chosen))

    def whole_weights(self, connection: str) -> NDArray[np.int64]:
        """(n_synapses,) weights as the chip holds them, in the order of the connection's synapses."""
        exponent = max(self.quantised.chip.synapses[connection].weight_exp, 0)
        if connection in self._rules and self.machine.learning is not None:
            held = self.machine.learning.synapse[learn_kernel.Z, self._plastic(connection)].astype(np.int64)
        else:
            held = self.machine.tables.weight[self.machine.places[connection]].astype(np.int64) >> exponent
        return np.asarray(held, np.int64)

    def set_whole_weights(
        self, connection: str, weights: NDArray[np.int64], synapses: NDArray[np.int64] | None = None
    ) -> None:
        """Put whole numbers where `whole_weights` reads them; a weight that learns may be odd, used is the even one."""
        told = self.quantised.chip.synapses[connection]
        chosen = slice(None) if synapses is None else synapses
        if connection in self._rules and self.machine.learning is not None:
            self.machine.learning.synapse[learn_kernel.Z, self._plastic(connection)][chosen] = weights
            weights = (weights >> 1) << 1 if told.sign_mode == MIXED else weights
        self.machine.tables.weight[self.machine.places[connection]][chosen] = weights << max(told.weight_exp, 0)

    @property
    def v(self) -> NDArray[np.float64]:
        """(n,) membrane potentials of all neurons in the units of the description; input layers stay 0."""
        values = np.zeros(self.machine.v.size)
        for name, scale in self.quantised.scales.items():
            here = self.layer_slices[name]
            values[here] = self.quantised.offsets[name] + self.machine.v[here] / scale
        return values

    @property
    def spike_counts(self) -> NDArray[np.int64]:
        """See Model.spike_counts."""
        view: NDArray[np.int64] = self.machine.tables.counters[kernel.COUNTS :]
        return view

    @property
    def steps(self) -> int:
        """Steps made so far."""
        return int(self.machine.tables.counters[kernel.STEP])

    @property
    def synaptic_operations(self) -> int:
        """See Model.synaptic_operations."""
        return int(self.machine.tables.counters[kernel.OPERATIONS])

    @property
    def weight_updates(self) -> int:
        """Changes of single weights by at least one unit."""
        learning = self.machine.learning
        return 0 if learning is None else int(learning.clock[learn_kernel.UPDATES])

    def report(self) -> str:
        """What was lost by quantising, and where the network lies on the chip, as text."""
        return f"{self.quantised.report()}\n{self.mapping.report()}"

    def state(self) -> dict[str, NDArray[Any]]:
        """See Model.state."""
        return snapshot.take(self)

    def load_state_dict(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """See Model.load_state_dict."""
        snapshot.restore(self, arrays)

    def core_slices(self) -> tuple[slice, ...]:
        """See Model.core_slices: the cores of the mapping."""
        starts = {name: place.start for name, place in self.layer_slices.items()}
        return tuple(
            slice(starts[core.layer] + core.first, starts[core.layer] + core.last) for core in self.mapping.cores
        )

    def breaker(self) -> LoihiBreaker:
        """See Model.breaker."""
        return LoihiBreaker(self)

    def plastic_names(self) -> tuple[str, ...]:
        """The connections with a rule, in the order of the learning tables."""
        return tuple(self._rules)

    def _switch(self) -> None:
        if self.machine.learning is not None:
            for name, number in self._rules.items():
                self.machine.learning.rules[number, learn_kernel.R_LEARNS] = self.learns(name)

    def _plastic(self, connection: str) -> slice:
        """The range of a plastic connection in the learning tables' synapses."""
        row = self.machine.learning.rules[self._rules[connection]]  # type: ignore[union-attr]
        first = int(row[learn_kernel.R_Z])
        return slice(first, first + int(row[learn_kernel.R_LAST] - row[learn_kernel.R_FIRST]))

    def _converted(self, values: NDArray[Any]) -> NDArray[np.float32]:
        if values.shape != self._input_shape:
            raise ConfigError(f"step: inputs: expected the shape {self._input_shape}, got {values.shape}")
        if values.dtype.kind not in "buif":
            raise ConfigError(f"step: inputs: expected numbers, got {values.dtype}")
        return np.ascontiguousarray(values, np.float32)


def _positive(where: str, value: object, largest: float) -> float:
    number = check_number(where, value)
    if not 0 < number <= largest:
        raise ConfigError(f"{where}: expected a number above 0, up to {largest:g}, got {value!r}")
    return number
