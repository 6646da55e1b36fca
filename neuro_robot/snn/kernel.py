"""One step of a network over flat tables; float32 throughout, in a fixed order of summation.

The order inside a step: reward moves weights and eligibility decays; traces decay; spikes arrive (deposit with the
weight as it stands, then depression, then the pre trace); membranes are integrated and tested; post spikes
potentiate and raise their trace. Tables and kernels are in one file because numba's cache watches only this one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]
Longs = NDArray[np.int64]

TINY = np.float32(1e-30)  # smaller state is set to 0: denormal numbers are a hundred times slower
ZERO = np.float32(0.0)
ONE = np.float32(1.0)
LARGEST_INPUT = np.float32(2**24)  # counts up to here are exact in float32

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


@njit(cache=True)
def step(
    inputs: Floats, learning: bool, layers: Longs, groups: Longs, rules: Longs, rates: Floats, cells: Floats,
    state: Floats, refractory: Ints, weight: Floats, post: Ints, row: Longs, plastic: Floats, column: Longs,
    column_entry: Ints, pre_trace: Floats, post_trace: Floats, sent_index: Ints, sent_value: Floats,
    sent_count: Ints, spikes: Ints, spike_counts: Longs, counters: Longs,
) -> int:  # fmt: skip
    """Advance by one step; returns the number of spikes written to `spikes`, -1 when an input is not a count.

    The arrays are the fields of Tables: one by one they reach compiled code 1 us sooner than as a tuple.
    """
    t = Tables(
        layers, groups, rules, rates, cells, state, refractory, weight, post, row, plastic, column, column_entry,
        pre_trace, post_trace, sent_index, sent_value, sent_count, spikes, spike_counts, counters,
    )  # fmt: skip
    for k in range(inputs.shape[0]):
        if not (inputs[k] >= ZERO and inputs[k] <= LARGEST_INPUT):
            return -1
    now = t.counters[STEP]
    slot = now % t.sent_count.shape[0]
    for rule in range(t.rules.shape[0]):
        _begin(rule, learning, t)
    for layer in range(t.layers.shape[0]):
        if t.layers[layer, LAYER_INPUT] >= 0:
            _receive(layer, slot, inputs, t)
    for group in range(t.groups.shape[0]):
        _arrive(group, (now - t.groups[group, G_LAG]) % t.sent_count.shape[0], learning, t)
    found = 0
    for layer in range(t.layers.shape[0]):
        if t.layers[layer, LAYER_INPUT] < 0:
            found = _integrate(layer, slot, found, t)
    for rule in range(t.rules.shape[0]):
        _potentiate(rule, slot, learning, t)
    for group in range(t.groups.shape[0]):
        _raise_late(group, (now - t.groups[group, G_LAG]) % t.sent_count.shape[0], t)
    t.counters[STEP] = now + 1
    return found


@njit(cache=True)
def _begin(r: int, learning: bool, t: Tables) -> None:
    """Reward moves the weights of one rule, eligibility and both traces decay."""
    rule, rate = t.rules[r], t.rates[r]
    first, last = rule[R_FIRST], rule[R_LAST]
    if learning and rule[R_THREE_FACTOR] == 1:
        if rule[R_STALE] == 1:
            _regain(r, t)
        t.counters[UPDATES] += _reward(
            t.weight[first:last], t.plastic[ELIGIBILITY, first:last], t.plastic[GAIN, first:last], rate
        )
    elif learning and rule[R_DECAYS] == 1:
        for k in range(first, last):
            t.weight[k] *= rate[KEEP_WEIGHT]
    _decay(t.pre_trace[rule[R_PRE_FIRST] : rule[R_PRE_LAST]], rate[KEEP_PRE])
    _decay(t.post_trace[rule[R_POST_TRACE] : rule[R_POST_TRACE] + rule[R_SIZE]], rate[KEEP_POST])


@njit(cache=True)
def _regain(r: int, t: Tables) -> None:
    """Spread the reward of the post neurons over the synapses of one rule, after it changed."""
    rule = t.rules[r]
    reward = t.state[REWARD, rule[R_START] : rule[R_START] + rule[R_SIZE]] * t.rates[r, RATE]
    if rule[R_FULL] == 1:
        _tile(t.plastic[GAIN, rule[R_FIRST] : rule[R_LAST]], reward)
    else:
        for k in range(rule[R_FIRST], rule[R_LAST]):
            t.plastic[GAIN, k] = reward[t.post[k] - rule[R_START]]
    rule[R_STALE] = 0


@njit(cache=True)
def _tile(target: Floats, row: Floats) -> None:
    """Fill target with copies of row, doubling what is there: rows are short, and long loops are fast."""
    filled = min(row.shape[0], target.shape[0])
    _copy(target[:filled], row)
    while filled < target.shape[0]:
        more = min(filled, target.shape[0] - filled)
        _copy(target[filled : filled + more], target[:more])
        filled += more


@njit(cache=True)
def _copy(target: Floats, source: Floats) -> None:
    for k in range(target.shape[0]):
        target[k] = source[k]


@njit(cache=True)
def _reward(weight: Floats, eligibility: Floats, gain: Floats, rate: Floats) -> int:
    """W <- clip(keep w + gain e), e <- keep e: a plain contiguous loop, which the compiler makes vector code."""
    keep_e, keep_w, low, high = rate[KEEP_ELIGIBILITY], rate[KEEP_WEIGHT], rate[W_MIN], rate[W_MAX]
    changed = 0
    for k in range(weight.shape[0]):
        e = eligibility[k]
        delta = gain[k] * e
        w = weight[k] * keep_w + delta
        w = low if w < low else w
        weight[k] = high if w > high else w
        e = e * keep_e
        eligibility[k] = e if abs(e) >= TINY else ZERO
        changed += 1 if delta != ZERO else 0
    return changed


@njit(cache=True)
def _decay(trace: Floats, keep: np.float32) -> None:
    for k in range(trace.shape[0]):
        x = trace[k] * keep
        trace[k] = x if x >= TINY else ZERO


@njit(cache=True)
def _receive(layer: int, slot: int, inputs: Floats, t: Tables) -> None:
    """Pack the non-zero inputs of one input layer into the history slot of this step."""
    start, offset = t.layers[layer, LAYER_START], t.layers[layer, LAYER_INPUT]
    found = 0
    for i in range(t.layers[layer, LAYER_SIZE]):
        if inputs[offset + i] != ZERO:
            t.sent_index[slot, start + found] = i
            t.sent_value[slot, start + found] = inputs[offset + i]
            t.spike_counts[start + i] += 1
            found += 1
    t.sent_count[slot, layer] = found


@njit(cache=True)
def _arrive(g: int, slot: int, learning: bool, t: Tables) -> None:
    """Deposit the spikes that arrive through one group; a plastic group is depressed and its pre trace raised."""
    start, r, trace = t.groups[g, G_START], t.groups[g, G_RULE], t.groups[g, G_TRACE]
    for m in range(t.sent_count[slot, t.groups[g, G_LAYER]]):
        i, s = t.sent_index[slot, start + m], t.sent_value[slot, start + m]
        first, last = t.row[t.groups[g, G_ROW] + i], t.row[t.groups[g, G_ROW] + i + 1]
        if last - first == t.groups[g, G_POST_SIZE]:  # a full row
            post = t.groups[g, G_POST_START]
            _add(t.state[CURRENT, post : post + last - first], t.weight[first:last], s)
        else:
            for k in range(first, last):
                t.state[CURRENT, t.post[k]] += t.weight[k] * s
        t.counters[OPERATIONS] += last - first
        if r < 0:
            continue
        if learning:
            _depress(r, first, last, s, t)
        if t.rules[r, R_SAME_STEP] == 1:
            t.pre_trace[trace + i] += s


@njit(cache=True)
def _add(target: Floats, values: Floats, factor: np.float32) -> None:
    for k in range(target.shape[0]):
        target[k] += values[k] * factor


@njit(cache=True)
def _depress(r: int, first: int, last: int, s: np.float32, t: Tables) -> None:
    """An arrival of value s adds -a_minus s y to the synapses first .. last of one pre neuron."""
    amount = -t.rates[r, A_MINUS] * s
    shift = t.rules[r, R_POST_TRACE] - t.rules[r, R_START]
    if t.rules[r, R_THREE_FACTOR] == 1:
        if last - first == t.rules[r, R_SIZE]:  # a full row
            post = t.rules[r, R_POST_TRACE]
            _add(t.plastic[ELIGIBILITY, first:last], t.post_trace[post : post + last - first], amount)
            return
        for k in range(first, last):
            t.plastic[ELIGIBILITY, k] += amount * t.post_trace[t.post[k] + shift]
        return
    for k in range(first, last):
        _change(r, k, t.post_trace[t.post[k] + shift] * amount, t)


@njit(cache=True)
def _change(r: int, k: int, change: np.float32, t: Tables) -> None:
    """Change one weight directly, as the plain rule does."""
    t.weight[k] = min(max(t.weight[k] + change, t.rates[r, W_MIN]), t.rates[r, W_MAX])
    t.counters[UPDATES] += 1 if change != ZERO else 0


@njit(cache=True)
def _integrate(layer: int, slot: int, found: int, t: Tables) -> int:
    """Integrate and test the membranes of one layer; returns the number of spikes found so far."""
    start, before = t.layers[layer, LAYER_START], found
    for n in range(start, start + t.layers[layer, LAYER_SIZE]):
        i, rest = t.state[CURRENT, n], t.cells[V_INF, n]
        v = rest + (t.state[V, n] - rest) * t.cells[DECAY_MEM, n] + t.cells[COUPLING, n] * i
        i = i * t.cells[DECAY_SYN, n]
        t.state[CURRENT, n] = i if abs(i) >= TINY else ZERO
        if t.refractory[REF_LEFT, n] > 0:
            t.refractory[REF_LEFT, n] -= 1
            v = t.cells[V_RESET, n]
        elif v >= t.cells[V_TH, n]:
            v = t.cells[V_RESET, n]
            t.refractory[REF_LEFT, n] = t.refractory[REF_STEPS, n]
            t.sent_index[slot, start + found - before] = n - start
            t.sent_value[slot, start + found - before] = ONE
            t.spikes[found] = n
            t.spike_counts[n] += 1
            found += 1
        t.state[V, n] = v if abs(v) >= TINY else ZERO
    t.sent_count[slot, layer] = found - before
    return found


@njit(cache=True)
def _potentiate(r: int, slot: int, learning: bool, t: Tables) -> None:
    """Each post spike of one rule adds a_plus x over its column and raises its own trace."""
    rule, amount = t.rules[r], t.rates[r, A_PLUS]
    for m in range(t.sent_count[slot, rule[R_LAYER]]):
        j = t.sent_index[slot, rule[R_START] + m]
        first, last = t.column[rule[R_COLUMN] + j], t.column[rule[R_COLUMN] + j + 1]
        if learning and rule[R_THREE_FACTOR] == 1:
            for c in range(first, last):
                t.plastic[ELIGIBILITY, t.column_entry[0, c]] += amount * t.pre_trace[t.column_entry[1, c]]
        elif learning:
            for c in range(first, last):
                _change(r, t.column_entry[0, c], amount * t.pre_trace[t.column_entry[1, c]], t)
        t.post_trace[rule[R_POST_TRACE] + j] += ONE


@njit(cache=True)
def _raise_late(g: int, slot: int, t: Tables) -> None:
    """Raise pre traces only after the post spikes where pairs of the same step are not to count."""
    start, r, trace = t.groups[g, G_START], t.groups[g, G_RULE], t.groups[g, G_TRACE]
    if r < 0 or t.rules[r, R_SAME_STEP] == 1:
        return
    for m in range(t.sent_count[slot, t.groups[g, G_LAYER]]):
        t.pre_trace[trace + t.sent_index[slot, start + m]] += t.sent_value[slot, start + m]
