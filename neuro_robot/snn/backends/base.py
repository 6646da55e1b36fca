"""What a back end is to the rest: what it supports, and the running model it makes of a network."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuro_robot.errors import ConfigError
from neuro_robot.events.array import EVENT_DTYPE
from neuro_robot.snn.backends.raster import Raster, raster_of
from neuro_robot.snn.faults import Fault
from neuro_robot.snn.faults_breaker import Breaker, FaultReport
from neuro_robot.snn.faults_running import FaultyModel
from neuro_robot.snn.network import Connection, Layer, Network
from neuro_robot.snn.primitives import Cell, Rule

__all__ = ["Backend", "Model", "Raster"]


@dataclass(frozen=True)
class Backend:
    """Where networks run. compile: (network, **options) -> Model, raising ConfigError for what it cannot hold.

    cells and rules are the supported primitives; limits and options are what `backends()` tells, name -> meaning.
    available returns why the back end cannot run on this machine, or an empty text.
    """

    name: str
    description: str
    cells: tuple[type[Cell], ...]
    rules: tuple[type[Rule], ...]
    compile: Callable[..., Model]
    limits: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)
    available: Callable[[], str] = field(default=lambda: "")


class Model(ABC):
    """A network that runs on some back end; an agent does not notice which.

    layer_slices: each layer's range in the numbering of all neurons, input layers included, in the order of adding;
    spikes and spike_counts use it. input_slices: each input layer's range in the inputs of a step.
    """

    def __init__(self, network: Network) -> None:
        self.dt_ms = network.dt_ms
        self.layers: tuple[Layer, ...] = tuple(network.layers.values())
        self.connections: dict[str, Connection] = dict(network.connections)
        self.layer_slices = _slices(self.layers)
        self.input_slices = _slices(tuple(layer for layer in self.layers if layer.cell is None))
        self._input_shape = (sum(layer.size for layer in self.layers if layer.cell is None),)
        starts = np.array([piece.start for piece in self.layer_slices.values()])
        sizes = [layer.size for layer in self.layers]
        self._event_layer = np.repeat(np.arange(len(sizes)), sizes).astype(np.uint16)
        self._event_neuron = (np.arange(sum(sizes)) - np.repeat(starts, sizes)).astype(np.uint16)
        self._switched_off: set[str] = set()
        self._learning = True
        self._faulty: FaultyModel | None = None

    @abstractmethod
    def step(self, inputs: ArrayLike | None = None) -> NDArray[np.int32]:
        """Advance by dt; returns the neurons that spiked, ascending, in the numbering of `layer_slices`.

        inputs: (n_inputs,) graded spikes of all input layers in order of adding: event counts 0 .. 2^24, 0 = none; a
        spike of value s deposits s times the weight and raises the pre trace by s. None means silence. An input with
        delay 1 is integrated in this very call; a neuron's spike of step k with delay d is integrated in step k + d.
        Raises ConfigError, with nothing changed, when the shape is wrong or a value is negative, too large or NaN.
        """

    def run(self, inputs: Raster | ArrayLike | None = None, steps: int | None = None) -> Raster:
        """Many steps: inputs (steps, n_inputs) as for `step`, or the Raster of their non-zero values, or silence.

        Returns the spikes of all neurons (input lines not included), steps counted from 0.
        Raises ConfigError on what `step` refuses; the steps before the refused one are then made.
        """
        raster, steps = raster_of(inputs, steps, self._input_shape[0])
        first = np.searchsorted(raster.step, np.arange(steps + 1))
        row = np.zeros(self._input_shape, np.float32)
        found = []
        for k in range(steps):
            now = slice(first[k], first[k + 1])
            row[raster.neuron[now]] = raster.value[now]
            found.append(self.step(row))
            row[raster.neuron[now]] = 0.0
        counts = [spikes.size for spikes in found]
        neuron = np.concatenate([np.zeros(0, np.int32), *found]).astype(np.int64)
        return Raster(np.repeat(np.arange(steps), counts), neuron, np.ones(neuron.size, np.float32))

    @property
    def learning(self) -> bool:
        """While False neither weights nor eligibility change; the pair traces still follow the spikes."""
        return self._learning

    @learning.setter
    def learning(self, value: bool) -> None:
        self._learning = bool(value)
        self._switch()

    def set_learning(self, connection: str, on: bool) -> None:
        """Switch the learning of one connection; it learns while it and `learning` are both on."""
        self._named(connection)
        if on:
            self._switched_off.discard(connection)
        else:
            self._switched_off.add(connection)
        self._switch()

    def learns(self, connection: str) -> bool:
        """Whether the connection has a rule that is switched on."""
        told = self.connections[self._named(connection)]
        ruled = told.rule is not None or told.scaling is not None
        return ruled and self._learning and connection not in self._switched_off

    @abstractmethod
    def _switch(self) -> None:
        """Make the kernel follow `learns`; called whenever a switch was moved."""

    @abstractmethod
    def set_reward(self, layer: str, value: ArrayLike) -> None:
        """Set the reward of a layer of neurons, one number or (n,); it holds from the next step on, until changed.

        The next step first applies it to the eligibility that the step before left, then processes its own spikes.
        Raises ConfigError on an unknown or input layer, another shape, or a number that is not finite.
        """

    @abstractmethod
    def reset_state(self) -> None:
        """Everything dynamic (membranes, currents, traces, eligibility, reward, spikes under way) to its start.

        Weights, thresholds and counters stay.
        """

    def weights(self, connection: str) -> NDArray[Any]:
        """(n_pre, n_post) copy of a connection's weights, NaN where there is no synapse."""
        return self._matrix(connection, self.synapse_weights(connection))

    @abstractmethod
    def synapse_weights(self, connection: str) -> NDArray[Any]:
        """(n_synapses,) copy of a connection's weights, in the order of its synapses."""

    @abstractmethod
    def set_weights(self, connection: str, weights: ArrayLike) -> None:
        """Replace a connection's weights by (n_pre, n_post) numbers, NaN exactly where there is no synapse.

        Raises ConfigError on another shape or other synapses, on infinities, and outside the bounds of the rule.
        """

    @property
    @abstractmethod
    def v(self) -> NDArray[np.floating[Any]]:
        """(n,) membrane potentials of all neurons in the units of the description; input layers stay 0."""

    @property
    @abstractmethod
    def spike_counts(self) -> NDArray[np.int64]:
        """(n,) spikes of every neuron so far, input lines included (a graded spike counts once)."""

    @property
    @abstractmethod
    def steps(self) -> int:
        """Steps made so far."""

    @property
    @abstractmethod
    def synaptic_operations(self) -> int:
        """Synaptic events so far: one per spike and synapse it reached, however large its value."""

    @property
    @abstractmethod
    def weight_updates(self) -> int:
        """Learning changes applied to single weights so far (changes of exactly 0 and weight decay not counted)."""

    @abstractmethod
    def state(self) -> dict[str, NDArray[Any]]:
        """A copy of everything that decides the future, as named arrays without NaN (what `save_state` writes)."""

    @abstractmethod
    def load_state_dict(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Continue from what `state` returned; counters stay.

        Raises WeightsError, with nothing changed, that says which array differs from this network and how.
        """

    def inject(self, fault: Fault, at_ms: float = 0.0, until_ms: float = math.inf) -> None:
        """Let a fault of `snn.faults` act, now or from one time to another; the rest of the model keeps going.

        Times are counted from this call, or the last reset_state after it. Faults belong to the model, not its state:
        reset_state and load_state_dict leave them, state holds none. ConfigError, with nothing changed, tells what.
        """
        if not isinstance(fault, Fault):
            raise ConfigError(f"inject: expected one of the faults of snn.faults, got {fault!r}")
        faulty = self._faulty or FaultyModel(self)
        faulty.inject(fault, at_ms, until_ms)
        self._faulty = faulty

    def heal(self, fault: Fault | None = None) -> None:
        """End one fault, or all: neurons begin at reset, synapses hold the weights they had before they were stuck."""
        if fault is not None and (self._faulty is None or not self._faulty.holds(fault)):
            raise ConfigError(f"heal: {fault!r} was not injected, or is healed already; see `faults`")
        if self._faulty is not None:
            self._faulty.heal(fault)

    @property
    def faults(self) -> FaultReport:
        """What is broken, and how many spikes were lost so far."""
        return FaultReport() if self._faulty is None else self._faulty.report()

    def core_slices(self) -> tuple[slice, ...]:
        """The neurons of every core, in the numbering of `layer_slices`; empty where there are no cores."""
        return ()

    @abstractmethod
    def breaker(self) -> Breaker:
        """How faults reach this model's tables."""

    def spike_events(self, indices: NDArray[np.integer[Any]], t_ns: int) -> NDArray[np.void]:
        """The spikes as address events at t_ns: x = neuron in its layer, y = layer in order of adding, p = 1."""
        events = np.empty(len(indices), EVENT_DTYPE)
        events["t"] = t_ns
        events["x"] = self._event_neuron[indices]
        events["y"] = self._event_layer[indices]
        events["p"] = 1
        return events

    def _matrix(self, connection: str, values: NDArray[Any]) -> NDArray[Any]:
        """(n_pre, n_post) of one value per synapse, NaN where there is none."""
        told = self.connections[connection]
        matrix = np.full((told.pre.size, told.post.size), np.nan, values.dtype)
        matrix[told.pre_index, told.post_index] = values
        return matrix

    def _named(self, connection: str) -> str:
        if connection not in self.connections:
            known = ", ".join(self.connections) or "none"
            raise ConfigError(f"no connection {connection!r}; the connections are {known}")
        return connection


def _slices(layers: tuple[Layer, ...]) -> dict[str, slice]:
    slices, start = {}, 0
    for layer in layers:
        slices[layer.name] = slice(start, start + layer.size)
        start += layer.size
    return slices
