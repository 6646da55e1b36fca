"""From a network description to the flat tables that the kernel runs on.

Synapses of plastic connections come first, so that a plastic synapse has the same index in `weight` and in `plastic`.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from neuro_robot.snn.cells import LIF
from neuro_robot.snn.kernel import REF_STEPS, Tables, V
from neuro_robot.snn.network import Connection, Layer
from neuro_robot.snn.primitives import Cell
from neuro_robot.snn.rules import STDP


def build(
    dt_ms: float, layers: tuple[Layer, ...], connections: tuple[Connection, ...]
) -> tuple[Tables, dict[str, slice]]:
    """The tables at rest, and the range of every connection in `weight`."""
    n = sum(layer.size for layer in layers)
    depth = 1 + max((int(c.delay_steps.max()) for c in connections if c.delay_steps.size), default=1)
    places = _places(connections)
    synapses = _Synapses(layers, dt_ms)
    for connection in connections:
        synapses.add(connection, places[connection.name])
    n_synapses = sum(c.weights.size for c in connections)
    n_plastic = sum(c.weights.size for c in connections if c.rule is not None)
    weight, post = np.zeros(n_synapses, np.float32), np.zeros(n_synapses, np.int32)
    entry = np.zeros((2, n_plastic), np.int32)
    for connection in connections:
        place = places[connection.name]
        weight[place], post[place] = connection.weights, connection.post_index + synapses.starts[connection.post.name]
        if connection.rule is not None:
            entry[:, place] = synapses.entries[connection.name]
    tables = Tables(
        layers=_layer_table(layers),
        groups=_table(synapses.groups, 8),
        rules=_table(synapses.rules, 14),
        rates=np.array(synapses.rates, np.float32).reshape(-1, 9),
        cells=_cells(layers, dt_ms),
        state=np.zeros((3, n), np.float32),
        refractory=np.zeros((2, n), np.int32),
        weight=weight,
        post=post,
        row=np.array(synapses.row, np.int64),
        plastic=np.zeros((2, n_plastic), np.float32),
        column=np.array(synapses.column, np.int64),
        column_entry=entry,
        pre_trace=np.zeros(synapses.pre_traces, np.float32),
        post_trace=np.zeros(synapses.post_traces, np.float32),
        sent_index=np.zeros((depth, n), np.int32),
        sent_value=np.zeros((depth, n), np.float32),
        sent_count=np.zeros((depth, len(layers)), np.int32),
        spikes=np.zeros(n, np.int32),
        spike_counts=np.zeros(n, np.int64),
        counters=np.zeros(3, np.int64),
    )
    _rest(tables, layers, dt_ms)
    return tables, places


class _Synapses:
    """The tables of groups and rules, growing connection by connection; columns as the kernel names them."""

    def __init__(self, layers: tuple[Layer, ...], dt_ms: float) -> None:
        self.dt_ms = dt_ms
        self.number = {layer.name: number for number, layer in enumerate(layers)}
        sizes = np.array([layer.size for layer in layers])
        self.starts = dict(zip(self.number, (np.cumsum(sizes) - sizes).tolist(), strict=True))
        self.groups: list[tuple[int, ...]] = []
        self.rules: list[tuple[int, ...]] = []
        self.rates: list[tuple[float, ...]] = []
        self.row: list[int] = []
        self.column: list[int] = []
        self.entries: dict[str, NDArray[np.int64]] = {}
        self.pre_traces = self.post_traces = 0

    def add(self, connection: Connection, place: slice) -> None:
        """One group for every delay of the connection, and its rule if it is plastic."""
        source, target = connection.pre, connection.post
        stdp = connection.rule if isinstance(connection.rule, STDP) else None
        rule = len(self.rules) if stdp is not None else -1
        first_trace, trace = self.pre_traces, np.zeros(connection.weights.size, np.int64)
        for delay in np.unique(connection.delay_steps):
            chosen = connection.delay_steps == delay
            lag = int(delay) - (1 if source.cell is None else 0)
            self.groups.append((
                self.number[source.name], self.starts[source.name], lag, len(self.row), rule, self.pre_traces,
                self.starts[target.name], target.size,
            ))  # fmt: skip
            self.row += _offsets(place.start + int(np.argmax(chosen)), connection.pre_index[chosen], source.size)
            trace[chosen] = self.pre_traces + connection.pre_index[chosen]
            self.pre_traces += source.size if stdp is not None else 0
        if stdp is None:
            return
        self.rules.append((
            place.start, place.stop, self.number[target.name], self.starts[target.name], target.size,
            len(self.column), self.post_traces, first_trace, self.pre_traces, int(stdp.tau_eligibility_ms > 0),
            int(stdp.same_step), int(stdp.weight_decay_per_s > 0), 1, int(_is_full(connection)),
        ))  # fmt: skip
        self.rates.append(_rates(stdp, self.dt_ms))
        by_post = np.argsort(connection.post_index, kind="stable")
        self.entries[connection.name] = np.stack([place.start + by_post, trace[by_post]])
        self.column += _offsets(place.start, connection.post_index, target.size)
        self.post_traces += target.size


def _offsets(first: int, index: NDArray[np.int64], size: int) -> list[int]:
    """Where each of size neurons begins in a list sorted by neuron that starts at first, and where the last ends."""
    counts = np.bincount(index, minlength=size)
    return [first, *(first + np.cumsum(counts)).tolist()]


def _is_full(connection: Connection) -> bool:
    """Whether the synapses, one after the other, are full rows: then loops over them need no index."""
    rows = np.unique(connection.pre_index).size
    return connection.weights.size == rows * connection.post.size and np.unique(connection.delay_steps).size <= 1


def _table(rows: list[tuple[int, ...]], width: int) -> NDArray[np.int64]:
    return np.array(rows, np.int64).reshape(-1, width)


def _layer_table(layers: tuple[Layer, ...]) -> NDArray[np.int64]:
    rows: list[tuple[int, ...]] = []
    start = inputs = 0
    for layer in layers:
        rows.append((start, layer.size, inputs if layer.cell is None else -1))
        start += layer.size
        inputs += layer.size if layer.cell is None else 0
    return _table(rows, 3)


def _places(connections: tuple[Connection, ...]) -> dict[str, slice]:
    places, first = {}, 0
    for connection in sorted(connections, key=lambda c: c.rule is None):
        places[connection.name] = slice(first, first + connection.weights.size)
        first += connection.weights.size
    return places


def _cells(layers: tuple[Layer, ...], dt_ms: float) -> NDArray[np.float32]:
    columns = [np.tile(np.array(_cell(layer.cell, dt_ms), np.float32)[:, None], layer.size) for layer in layers]
    return np.ascontiguousarray(np.concatenate(columns, axis=1))


def _cell(cell: Cell | None, dt_ms: float) -> tuple[float, ...]:
    """The six constants of a neuron; see LIF for their formulas."""
    if not isinstance(cell, LIF):
        return (0.0, 0.0, 0.0, 0.0, math.inf, 0.0)
    mem, syn = cell.tau_mem_ms, cell.tau_syn_ms
    a = math.exp(-dt_ms / mem)
    b = math.exp(-dt_ms / syn) if syn > 0 else 0.0
    if syn == 0:
        coupling = 1.0
    elif abs(mem - syn) < 1e-9 * mem:
        coupling = dt_ms / mem * a
    else:
        coupling = syn / (mem - syn) * (a - b)
    return (a, b, coupling, cell.v_rest + cell.bias, cell.v_th, cell.v_reset)


def _rates(stdp: STDP, dt_ms: float) -> tuple[float, ...]:
    three = stdp.tau_eligibility_ms > 0
    factor = 1.0 if three else stdp.learning_rate  # the plain rule changes weights by these amounts directly
    return (
        stdp.a_plus * factor,
        stdp.a_minus * factor,
        math.exp(-dt_ms / stdp.tau_plus_ms),
        math.exp(-dt_ms / stdp.tau_minus_ms),
        math.exp(-dt_ms / stdp.tau_eligibility_ms) if three else 0.0,
        stdp.learning_rate * dt_ms,
        stdp.w_min,
        stdp.w_max,
        math.exp(-stdp.weight_decay_per_s * dt_ms * 1e-3),
    )


def _rest(tables: Tables, layers: tuple[Layer, ...], dt_ms: float) -> None:
    """Membranes at v_rest, and the refractory periods in steps."""
    start = 0
    for layer in layers:
        if isinstance(layer.cell, LIF):
            tables.state[V, start : start + layer.size] = layer.cell.v_rest
            tables.refractory[REF_STEPS, start : start + layer.size] = round(layer.cell.t_ref_ms / dt_ms)
        start += layer.size
