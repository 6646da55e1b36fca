"""What can break in a running network: dead neurons and cores, stuck synapses, lost spikes.

A fault is a description; `Model.inject` lets it act on any back end. Layers and connections are
named, or given as objects with a name. `which` chooses among them: whole numbers, a text "0-3,7", a share "20%" drawn
with the fault's seed, or "all". Every mistake raises ConfigError that names fault, layer, index and what is allowed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from neuro_robot.errors import ConfigError
from neuro_robot.snn.faults_chosen import Index, check_seed, chosen
from neuro_robot.snn.primitives import check_number

if TYPE_CHECKING:
    from neuro_robot.snn.backends.base import Model


class Loss(NamedTuple):
    """Spikes of one layer that get lost: each with a probability, and those listed as (step, neuron)."""

    layer: str
    probability: float
    seed: int
    listed: frozenset[tuple[int, int]]


class Effect(NamedTuple):
    """What a fault does to one model. stuck: per connection the synapses, and the values they hold (None: as now)."""

    dead: Index
    stuck: dict[str, tuple[Index, float | None]]
    lost: tuple[Loss, ...]


NOTHING = np.zeros(0, np.int64)


@dataclass(frozen=True)
class DeadNeurons:
    """Neurons that never fire: held at their reset value, their synapses silent; input lines that give nothing."""

    layer: Any
    which: Any = "all"
    seed: int = 0

    def __post_init__(self) -> None:
        _freeze(self, "layer", "which")

    def effect(self, model: Model) -> Effect:
        """What it does to a model."""
        where = f"DeadNeurons({self.layer!r})"
        place = layer_place(where, self.layer, model)
        return Effect(
            place.start + chosen(f"{where}: neurons", self.which, place.stop - place.start, self.seed), {}, ()
        )


@dataclass(frozen=True)
class DeadCores:
    """Cores with all their neurons: none fires, and the synapses onto them keep their weights.

    cores: numbers of the model's mapping (chips only); or a layer, and which of its neurons: on a chip every core that
    holds one of them dies, on the processor, which has no cores, those neurons die as if they were one.
    """

    cores: Any
    which: Any = "all"
    seed: int = 0

    def __post_init__(self) -> None:
        _freeze(self, "cores", "which")

    def effect(self, model: Model) -> Effect:
        """What it does to a model."""
        dead = self._neurons(model)
        stuck: dict[str, tuple[Index, float | None]] = {}
        for name, told in model.connections.items():
            if told.rule is not None or told.scaling is not None:
                onto = np.flatnonzero(np.isin(model.layer_slices[told.post.name].start + told.post_index, dead))
                if onto.size:
                    stuck[name] = onto, None
        return Effect(dead, stuck, ())

    def _neurons(self, model: Model) -> Index:
        where, cores = f"DeadCores({self.cores!r})", model.core_slices()
        if isinstance(self.cores, str):
            place = layer_place(where, self.cores, model)
            dead = place.start + chosen(f"{where}: neurons", self.which, place.stop - place.start, self.seed)
            hit = [core for core in cores if np.any((dead >= core.start) & (dead < core.stop))]
            return _all_of(hit) if hit else dead
        if not cores:
            raise ConfigError(
                f"{where}: this back end has no cores; name a layer and which of its neurons lie on the dead core"
            )
        numbers = (self.cores,) if isinstance(self.cores, (int, np.integer)) else self.cores
        return _all_of([cores[k] for k in chosen(f"{where}: cores", numbers, len(cores), self.seed)])


@dataclass(frozen=True)
class StuckSynapses:
    """Synapses of a connection that hold one value whatever learning does (None: the weight they have when it begins).

    which: (pre, post) pairs, a text "3>5,4>6", a share "10%", or "all". value: in the description's units, inside the
    bounds of the connection's rule.
    """

    connection: Any
    which: Any = "all"
    value: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        _freeze(self, "connection", "which")

    def effect(self, model: Model) -> Effect:
        """What it does to a model."""
        where = f"StuckSynapses({self.connection!r})"
        if self.connection not in model.connections:
            known = ", ".join(model.connections) or "none"
            raise ConfigError(f"{where}: no connection of this name; the connections are {known}")
        told = model.connections[self.connection]
        value = None if self.value is None else check_number(f"{where}: value", self.value)
        for rule in (told.rule, told.scaling):
            low, high = getattr(rule, "w_min", -math.inf), getattr(rule, "w_max", math.inf)
            if value is not None and not low <= value <= high:
                raise ConfigError(
                    f"{where}: value: expected {low:g} to {high:g}, the bounds of the {type(rule).__name__} rule, "
                    f"got {value:g}"
                )
        if isinstance(self.which, str) and ">" not in self.which:
            synapses = chosen(f"{where}: synapses", self.which, told.weights.size, self.seed)
        else:
            synapses = self._pairs(where, told.pre_index * told.post.size + told.post_index, told)
        return Effect(NOTHING, {self.connection: (synapses, value)}, ())

    def _pairs(self, where: str, keys: Index, told: Any) -> Index:  # noqa: ANN401 - a Connection
        pairs = self.which
        if isinstance(pairs, str):
            pairs = [item.split(">") for item in pairs.split(",")]
        try:
            array = np.array(pairs, np.int64).reshape(-1, 2)
        except (TypeError, ValueError, OverflowError) as error:
            raise ConfigError(f"{where}: synapses: expected (pre, post) pairs, got {self.which!r}") from error
        found = []
        for pre, post in array.tolist():
            inside = 0 <= pre < told.pre.size and 0 <= post < told.post.size
            at = np.flatnonzero(keys == pre * told.post.size + post) if inside else NOTHING
            if not at.size:
                raise ConfigError(
                    f"{where}: synapses: no synapse from {pre} to {post}; the connection has {told.pre.size} pre and "
                    f"{told.post.size} post neurons and {told.weights.size} synapses"
                )
            found.append(at)
        return np.unique(np.concatenate([NOTHING, *found]))


@dataclass(frozen=True)
class LostSpikes:
    """Spikes of a layer that are lost on their way, to synapses and to who reads the model; the neuron did fire.

    probability: of every spike, drawn from seed, step and neuron. spikes: (step, neuron) pairs that are lost for
    certain, steps counted from the injection or the last reset_state after it.
    """

    layer: Any
    probability: float = 0.0
    spikes: Sequence[tuple[int, int]] = field(default=())
    seed: int = 0

    def __post_init__(self) -> None:
        _freeze(self, "layer", "spikes")

    def effect(self, model: Model) -> Effect:
        """What it does to a model."""
        where = f"LostSpikes({self.layer!r})"
        place = layer_place(where, self.layer, model)
        share = check_number(f"{where}: probability", self.probability)
        if not 0.0 <= share <= 1.0:
            raise ConfigError(f"{where}: probability: expected 0 to 1, got {share:g}")
        try:
            listed = np.array(self.spikes, np.int64).reshape(-1, 2)
        except (TypeError, ValueError, OverflowError) as error:
            raise ConfigError(f"{where}: spikes: expected (step, neuron) pairs, got {self.spikes!r}") from error
        size = place.stop - place.start
        if listed.size and (listed.min() < 0 or listed[:, 1].max() >= size):
            raise ConfigError(f"{where}: spikes: expected steps from 0 and neurons from 0 to {size - 1}")
        pairs = frozenset((int(step), int(neuron)) for step, neuron in listed)
        return Effect(NOTHING, {}, (Loss(self.layer, share, check_seed(where, self.seed), pairs),))


Fault = DeadNeurons | DeadCores | StuckSynapses | LostSpikes


def layer_place(where: str, layer: str, model: Model) -> slice:
    """The layer's range; ConfigError for unknown layers and for random sources, whose spikes nothing can stop."""
    if layer not in model.layer_slices:
        raise ConfigError(f"{where}: no layer of this name; the layers are {', '.join(model.layer_slices)}")
    cell = next(item.cell for item in model.layers if item.name == layer)
    if cell is not None and cell.generates:
        raise ConfigError(f"{where}: {layer!r} is a random source, which no fault can reach; lower its rate")
    return model.layer_slices[layer]


def _all_of(places: list[slice]) -> Index:
    return np.concatenate([NOTHING, *(np.arange(place.start, place.stop) for place in places)])


def _freeze(fault: object, name: str, which: str) -> None:
    """Names of objects in their place, and lists as tuples, so that equal faults are equal."""
    given = getattr(fault, name)
    object.__setattr__(fault, name, tuple(given) if _is_list(given) else getattr(given, "name", given))
    values = getattr(fault, which)
    if _is_list(values):
        frozen = tuple(tuple(item) if _is_list(item) else item for item in np.asarray(values, object).tolist())
        object.__setattr__(fault, which, frozen)


def _is_list(value: object) -> bool:
    return isinstance(value, (list, tuple, range, np.ndarray))
