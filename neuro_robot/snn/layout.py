"""From a network description to the flat tables that the kernels run on.

Synapses of plastic connections come first, so that a plastic synapse has the same index in `weight` and in `plastic`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuro_robot.snn import constants, learning
from neuro_robot.snn.cells import ConductanceLIF
from neuro_robot.snn.kernels import spikes
from neuro_robot.snn.kernels.tables import (
    ADAPTATION,
    CELL_COLUMNS,
    RATE_COLUMNS,
    RULE_COLUMNS,
    Tables,
    V,
)
from neuro_robot.snn.network import Connection, Layer


def build(
    dt_ms: float, layers: tuple[Layer, ...], connections: tuple[Connection, ...], real: type, deferred: bool
) -> tuple[Tables, dict[str, slice]]:
    """The tables at rest, and the range of every connection in `weight`.

    real: the type of all floats. deferred: rules that can be are worked out only when a weight is needed.
    """
    n = sum(layer.size for layer in layers)
    depth = 1 + max((int(c.delay_steps.max()) for c in connections if c.delay_steps.size), default=1)
    places = _places(connections)
    synapses = _Synapses(layers, dt_ms, deferred)
    for connection in connections:
        synapses.add(connection, places[connection.name])
    weight, post, entry = _wiring(connections, places, synapses, real)
    state, extra = _at_rest(layers, real)
    x, y = synapses.pre_traces, synapses.post_traces
    tables = Tables(
        layers=_layer_table(layers, dt_ms),
        cells=_rows((constants.of_cell(layer.cell, dt_ms) for layer in layers), CELL_COLUMNS, real),
        groups=_rows(synapses.groups, 9, np.int64),
        rules=_rows(synapses.rules, RULE_COLUMNS, np.int64),
        rates=_rows(synapses.rates, RATE_COLUMNS, real),
        state=state,
        extra=extra,
        threshold=np.repeat([constants.threshold(layer.cell) for layer in layers], [a.size for a in layers]).astype(
            real
        ),
        refractory=np.zeros(n, np.int32),
        fired=np.zeros(n, np.uint8),
        weight=weight,
        post=post,
        row=np.array(synapses.row, np.int64),
        plastic=np.zeros((2, entry.shape[1]), real),
        column=np.array(synapses.column, np.int64),
        column_entry=entry,
        pre_trace=np.zeros(x, real),
        post_trace=np.zeros(y, real),
        slow=np.zeros(x + 2 * y, real),
        stamp=np.zeros(x, np.int64),
        trace_row=np.array(synapses.trace_row, np.int64),
        sums=np.zeros((2, y), np.float64),
        past=np.concatenate([np.zeros(0), *synapses.past]),
        terms=_rows(synapses.terms.terms, 3, np.int64),
        factors=_rows(synapses.terms.factors, 2, np.int64),
        coefficients=np.array(synapses.terms.coefficients + synapses.terms.constants, real),
        scalings=_rows(synapses.scalings, 10, np.int64),
        scaling_rates=_rows(synapses.scaling_rates, 6, real),
        mean_rate=np.zeros(synapses.mean_rates, real),
        source=_sources(layers),
        line=np.repeat(np.arange(len(layers)), [a.size if a.cell is None else 0 for a in layers]).astype(np.int32),
        inputs=np.zeros(sum(layer.size for layer in layers if layer.cell is None), np.float32),
        sent_index=np.zeros((depth, n), np.int32),
        sent_value=np.zeros((depth, n), np.float32),
        sent_count=np.zeros((depth, len(layers)), np.int32),
        spikes=np.zeros(n, np.int32),
        spike_counts=np.zeros(n, np.int64),
        counters=np.zeros(3, np.int64),
        owed=np.zeros(max((c.post.size for c in connections if c.rule is not None), default=0), real),
    )
    return tables, places


def _wiring(
    connections: tuple[Connection, ...], places: dict[str, slice], synapses: _Synapses, real: type
) -> tuple[NDArray[Any], NDArray[np.int32], NDArray[np.int32]]:
    """Of every synapse weight and target, of every plastic one its entries by column."""
    weight: NDArray[Any] = np.zeros(sum(c.weights.size for c in connections), real)
    post = np.zeros(len(weight), np.int32)
    entry = np.zeros((2, sum(c.weights.size for c in connections if c.rule is not None)), np.int32)
    for connection in connections:
        place = places[connection.name]
        weight[place], post[place] = connection.weights, connection.post_index + synapses.starts[connection.post.name]
        if connection.rule is not None:
            entry[:, place] = synapses.entries[connection.name]
    return weight, post, entry


def _at_rest(layers: tuple[Layer, ...], real: type) -> tuple[NDArray[Any], NDArray[Any]]:
    """State (3, neurons) and extra (2, neurons) of cells to which nothing has happened."""
    n = sum(layer.size for layer in layers)
    state: NDArray[Any] = np.zeros((3, n), real)
    extra: NDArray[Any] = np.zeros((2, n), real)
    start = 0
    for layer in layers:
        mine = slice(start, start + layer.size)
        state[V, mine], extra[ADAPTATION, mine] = constants.rest(layer.cell)
        start += layer.size
    return state, extra


class _Synapses:
    """The tables of groups and rules, growing connection by connection; columns as `kernels.tables` names them."""

    def __init__(self, layers: tuple[Layer, ...], dt_ms: float, deferred: bool) -> None:
        self.dt_ms, self.deferred = dt_ms, deferred
        self.number = {layer.name: number for number, layer in enumerate(layers)}
        sizes = np.array([layer.size for layer in layers])
        self.starts = dict(zip(self.number, (np.cumsum(sizes) - sizes).tolist(), strict=True))
        self.groups: list[tuple[int, ...]] = []
        self.rules: list[tuple[int, ...]] = []
        self.rates: list[tuple[float, ...]] = []
        self.scalings: list[tuple[int, ...]] = []
        self.scaling_rates: list[tuple[float, ...]] = []
        self.row: list[int] = []
        self.trace_row: list[int] = []
        self.column: list[int] = []
        self.entries: dict[str, NDArray[np.int64]] = {}
        self.past: list[NDArray[np.float64]] = []
        self.terms = learning.Terms()
        self.pre_traces = self.post_traces = self.mean_rates = 0

    def add(self, connection: Connection, place: slice) -> None:
        """One group for every delay of the connection, and its rule and scaling if it has them."""
        source, target, plastic = connection.pre, connection.post, connection.rule is not None
        rule = len(self.rules) if plastic else -1
        first_trace, trace = self.pre_traces, np.zeros(connection.weights.size, np.int64)
        direct = source.cell is None or source.cell.generates  # its spikes are there when the step begins
        for delay in np.unique(connection.delay_steps):
            chosen = connection.delay_steps == delay
            self.groups.append((
                self.number[source.name], self.starts[source.name], int(delay) - int(direct), len(self.row), rule,
                self.pre_traces, self.starts[target.name], target.size, int(isinstance(target.cell, ConductanceLIF)),
            ))  # fmt: skip
            if plastic:
                trace[chosen] = self.pre_traces + connection.pre_index[chosen]
                self.trace_row += range(len(self.row), len(self.row) + source.size)
                self.pre_traces += source.size
            self.row += _offsets(place.start + int(np.argmax(chosen)), connection.pre_index[chosen], source.size)
        if connection.scaling is not None:
            self._add_scaling(connection, place, rule)
        if plastic:
            self._add_rule(connection, place, first_trace, trace)

    def _add_rule(self, connection: Connection, place: slice, first_trace: int, trace: NDArray[np.int64]) -> None:
        target, rule = connection.post, connection.rule
        assert rule is not None
        kind, window = learning.kind(rule, self.dt_ms, self.deferred)
        first_term, n_terms = self.terms.add(rule)
        self.rules.append((
            place.start, place.stop, self.number[target.name], self.starts[target.name], target.size,
            len(self.column), self.post_traces, first_trace, self.pre_traces, *learning.flags(rule),
            int(_is_full(connection)), kind, 1, *learning.variants(rule), first_term, n_terms,
            sum(part.size for part in self.past), window, 0,
        ))  # fmt: skip
        self.rates.append(learning.rates(rule, self.dt_ms))
        if window:
            self.past.append(learning.past(rule, self.dt_ms, window, target.size))
        by_post = np.argsort(connection.post_index, kind="stable")
        self.entries[connection.name] = np.stack([place.start + by_post, trace[by_post]])
        self.column += _offsets(place.start, connection.post_index, target.size)
        self.post_traces += target.size

    def _add_scaling(self, connection: Connection, place: slice, rule: int) -> None:
        target, scaling = connection.post, connection.scaling
        assert scaling is not None
        period = max(1, round(scaling.period_ms / self.dt_ms))
        self.scalings.append((
            place.start, place.stop, self.number[target.name], self.starts[target.name], target.size, self.mean_rates,
            period, 0, 1, rule,
        ))  # fmt: skip
        self.scaling_rates.append(learning.scaling_rates(scaling, self.dt_ms, period))
        self.mean_rates += target.size


def _offsets(first: int, index: NDArray[np.int64], size: int) -> list[int]:
    """Where each of size neurons begins in a list sorted by neuron that starts at first, and where the last ends."""
    counts = np.bincount(index, minlength=size)
    return [first, *(first + np.cumsum(counts)).tolist()]


def _is_full(connection: Connection) -> bool:
    """Whether the synapses, one after the other, are full rows: then loops over them need no index."""
    rows = np.unique(connection.pre_index).size
    return connection.weights.size == rows * connection.post.size and np.unique(connection.delay_steps).size <= 1


def _rows(rows: Iterable[tuple[Any, ...]], width: int, kind: type) -> NDArray[Any]:
    return np.array(list(rows), kind).reshape(-1, width)


def _layer_table(layers: tuple[Layer, ...], dt_ms: float) -> NDArray[np.int64]:
    rows: list[tuple[int, ...]] = []
    start = inputs = 0
    for layer in layers:
        first = inputs if layer.cell is None else -1
        rows.append(
            (start, layer.size, *constants.kind(layer.cell, dt_ms)[:1], first, *constants.kind(layer.cell, dt_ms)[1:])
        )
        start += layer.size
        inputs += layer.size if layer.cell is None else 0
    return _rows(rows, 6, np.int64)


def _sources(layers: tuple[Layer, ...]) -> NDArray[np.uint64]:
    seeds = [getattr(layer.cell, "seed", 0) for layer in layers]
    return np.array([seeds, [spikes.FRESH] * len(layers)], np.uint64)


def _places(connections: tuple[Connection, ...]) -> dict[str, slice]:
    places, first = {}, 0
    for connection in sorted(connections, key=lambda c: c.rule is None):
        places[connection.name] = slice(first, first + connection.weights.size)
        first += connection.weights.size
    return places
