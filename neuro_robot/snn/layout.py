"""The flat tables that the kernel runs on, built from a network description.

Every array the kernel touches is a field of `Tables`; the columns of its integer tables are named here. Synapses of
plastic connections come first, so that a plastic synapse has the same index in `weight` and in `plastic`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuro_robot.snn.network import Connection, Layer
from neuro_robot.snn.primitives import LIF, STDP

# rows of Tables.layers
LAYER_START, LAYER_SIZE, LAYER_INPUT = 0, 1, 2  # LAYER_INPUT: first element of the inputs, -1 for LIF layers
# rows of Tables.cells, one column per neuron
DECAY_MEM, DECAY_SYN, COUPLING, V_INF, V_TH, V_RESET = 0, 1, 2, 3, 4, 5
# rows of Tables.state
V, CURRENT, REWARD = 0, 1, 2
# rows of Tables.refractory
REF_LEFT, REF_STEPS = 0, 1
# columns of Tables.groups: the synapses of one connection with one delay
G_LAYER, G_START, G_LAG, G_ROW, G_RULE, G_TRACE, G_POST_START, G_POST_SIZE = 0, 1, 2, 3, 4, 5, 6, 7
# columns of Tables.rules: one row per plastic connection
R_FIRST, R_LAST, R_LAYER, R_START, R_SIZE, R_COLUMN, R_POST_TRACE, R_PRE_FIRST, R_PRE_LAST = 0, 1, 2, 3, 4, 5, 6, 7, 8
R_THREE_FACTOR, R_SAME_STEP, R_DECAYS, R_STALE, R_FULL = 9, 10, 11, 12, 13  # R_FULL: consecutive full rows
# columns of Tables.rates
A_PLUS, A_MINUS, KEEP_PRE, KEEP_POST, KEEP_ELIGIBILITY, RATE, W_MIN, W_MAX, KEEP_WEIGHT = 0, 1, 2, 3, 4, 5, 6, 7, 8
# rows of Tables.plastic
ELIGIBILITY, GAIN = 0, 1
# elements of Tables.counters
STEP, OPERATIONS, UPDATES = 0, 1, 2


class Tables(NamedTuple):
    """The kernel's arguments, in its order. n = neurons of all layers, s = synapses, p = plastic synapses."""

    layers: NDArray[np.int64]  # (layers, 3)
    groups: NDArray[np.int64]  # (groups, 8)
    rules: NDArray[np.int64]  # (rules, 14)
    rates: NDArray[np.float32]  # (rules, 9)
    cells: NDArray[np.float32]  # (6, n)
    state: NDArray[np.float32]  # (3, n)
    refractory: NDArray[np.int32]  # (2, n)
    weight: NDArray[np.float32]  # (s,)
    post: NDArray[np.int32]  # (s,) neuron
    row: NDArray[np.int64]  # first synapse of each pre neuron, size + 1 entries per group
    plastic: NDArray[np.float32]  # (2, p)
    column: NDArray[np.int64]  # first entry of each post neuron in column_entry, size + 1 entries per rule
    column_entry: NDArray[np.int32]  # (2, p) synapse, element of pre_trace
    pre_trace: NDArray[np.float32]
    post_trace: NDArray[np.float32]
    sent_index: NDArray[np.int32]  # (depth, n) indices in the layer, each layer's packed from its start
    sent_value: NDArray[np.float32]  # (depth, n)
    sent_count: NDArray[np.int32]  # (depth, layers)
    spikes: NDArray[np.int32]  # (n,) the spikes of the last step
    spike_counts: NDArray[np.int64]  # (n,)
    counters: NDArray[np.int64]  # (3,)


def build(
    dt_ms: float, layers: tuple[Layer, ...], connections: tuple[Connection, ...]
) -> tuple[Tables, dict[str, slice]]:
    """The tables at rest, and the range of every connection in `weight`."""
    n = sum(layer.size for layer in layers)
    depth = 1 + max((int(c.delay_steps.max()) for c in connections if c.delay_steps.size), default=1)
    layer_table, starts = _layer_table(layers)
    places = _places(connections)
    groups, rules, rates = _Rows(8), _Rows(14), []
    rows: list[NDArray[np.int64]] = []
    columns: list[NDArray[np.int64]] = []
    n_plastic = sum(c.weights.size for c in connections if c.stdp is not None)
    entries = np.zeros((2, n_plastic), np.int32)
    n_synapses = sum(c.weights.size for c in connections)
    weight, post = np.zeros(n_synapses, np.float32), np.zeros(n_synapses, np.int32)
    pre_traces = post_traces = 0
    names = [layer.name for layer in layers]
    for connection in connections:
        place, source, target = places[connection.name], connection.pre, connection.post
        weight[place] = connection.weights
        post[place] = connection.post_index + starts[target.name]
        rule = len(rules.rows) if connection.stdp is not None else -1
        first_trace, trace = pre_traces, np.zeros(connection.weights.size, np.int64)
        for delay in np.unique(connection.delay_steps):
            chosen = connection.delay_steps == delay
            first = place.start + int(np.argmax(chosen))
            lag = int(delay) - (1 if source.cell is None else 0)
            row = sum(part.size for part in rows)
            source_row = names.index(source.name)
            groups.add(
                source_row, starts[source.name], lag, row, rule, pre_traces, starts[target.name], target.size
            )  # fmt: skip
            counts = np.bincount(connection.pre_index[chosen], minlength=source.size)
            rows.append(first + np.concatenate(([0], np.cumsum(counts))).astype(np.int64))
            trace[chosen] = pre_traces + connection.pre_index[chosen]
            pre_traces += source.size if rule >= 0 else 0
        if connection.stdp is None:
            continue
        by_post = np.argsort(connection.post_index, kind="stable")
        entries[0, place], entries[1, place] = place.start + by_post, trace[by_post]
        counts = np.bincount(connection.post_index, minlength=target.size)
        stdp, column = connection.stdp, sum(part.size for part in columns)
        columns.append(place.start + np.concatenate(([0], np.cumsum(counts))).astype(np.int64))
        rules.add(
            place.start, place.stop, names.index(target.name), starts[target.name], target.size, column,
            post_traces, first_trace, pre_traces, stdp.tau_eligibility_ms > 0, stdp.same_step,
            stdp.weight_decay_per_s > 0, 1, _is_full(connection),
        )  # fmt: skip
        rates.append(_rates(stdp, dt_ms))
        post_traces += target.size
    tables = Tables(
        layers=layer_table,
        groups=groups.table(),
        rules=rules.table(),
        rates=np.array(rates, np.float32).reshape(-1, 9),
        cells=_cells(layers, dt_ms),
        state=np.zeros((3, n), np.float32),
        refractory=np.zeros((2, n), np.int32),
        weight=weight,
        post=post,
        row=np.concatenate([*rows, np.zeros(0, np.int64)]),
        plastic=np.zeros((2, n_plastic), np.float32),
        column=np.concatenate([*columns, np.zeros(0, np.int64)]),
        column_entry=entries,
        pre_trace=np.zeros(pre_traces, np.float32),
        post_trace=np.zeros(post_traces, np.float32),
        sent_index=np.zeros((depth, n), np.int32),
        sent_value=np.zeros((depth, n), np.float32),
        sent_count=np.zeros((depth, len(layers)), np.int32),
        spikes=np.zeros(n, np.int32),
        spike_counts=np.zeros(n, np.int64),
        counters=np.zeros(3, np.int64),
    )
    _rest(tables, layers, dt_ms)
    return tables, places


def _is_full(connection: Connection) -> bool:
    """Whether the synapses, one after the other, are full rows: then loops over them need no index."""
    rows = np.unique(connection.pre_index).size
    return connection.weights.size == rows * connection.post.size and np.unique(connection.delay_steps).size <= 1


class _Rows:
    """An integer table that grows row by row."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.rows: list[tuple[int, ...]] = []

    def add(self, *values: int) -> None:
        self.rows.append(values)

    def table(self) -> NDArray[np.int64]:
        return np.array(self.rows, np.int64).reshape(-1, self.width)


def _layer_table(layers: tuple[Layer, ...]) -> tuple[NDArray[np.int64], dict[str, int]]:
    table, starts = _Rows(3), {}
    start = inputs = 0
    for layer in layers:
        table.add(start, layer.size, inputs if layer.cell is None else -1)
        starts[layer.name] = start
        start += layer.size
        inputs += layer.size if layer.cell is None else 0
    return table.table(), starts


def _places(connections: tuple[Connection, ...]) -> dict[str, slice]:
    places, first = {}, 0
    for connection in sorted(connections, key=lambda c: c.stdp is None):
        places[connection.name] = slice(first, first + connection.weights.size)
        first += connection.weights.size
    return places


def _cells(layers: tuple[Layer, ...], dt_ms: float) -> NDArray[np.float32]:
    columns = [np.tile(np.array(_cell(layer.cell, dt_ms), np.float32)[:, None], layer.size) for layer in layers]
    return np.ascontiguousarray(np.concatenate(columns, axis=1))


def _cell(cell: LIF | None, dt_ms: float) -> tuple[float, ...]:
    """The six constants of a neuron; see LIF for their formulas."""
    if cell is None:
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
        if layer.cell is not None:
            tables.state[V, start : start + layer.size] = layer.cell.v_rest
            tables.refractory[REF_STEPS, start : start + layer.size] = round(layer.cell.t_ref_ms / dt_ms)
        start += layer.size
