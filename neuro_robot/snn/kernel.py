"""One step of a network over the flat tables of `layout`; float32 throughout, in a fixed order of summation.

The order inside a step: reward moves weights and eligibility decays; traces decay; spikes arrive (deposit with the
weight as it stands, then depression, then the pre trace); membranes are integrated and tested; post spikes
potentiate and raise their trace. Everything is in one file because numba's cache watches one file per entry point.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from neuro_robot.snn.layout import (
    A_MINUS,
    A_PLUS,
    COUPLING,
    CURRENT,
    DECAY_MEM,
    DECAY_SYN,
    ELIGIBILITY,
    G_LAG,
    G_LAYER,
    G_ROW,
    G_RULE,
    G_START,
    G_TRACE,
    GAIN,
    KEEP_ELIGIBILITY,
    KEEP_POST,
    KEEP_PRE,
    KEEP_WEIGHT,
    LAYER_INPUT,
    LAYER_SIZE,
    LAYER_START,
    OPERATIONS,
    R_COLUMN,
    R_DECAYS,
    R_FIRST,
    R_LAST,
    R_LAYER,
    R_POST_TRACE,
    R_PRE_FIRST,
    R_PRE_LAST,
    R_SAME_STEP,
    R_SIZE,
    R_STALE,
    R_START,
    R_THREE_FACTOR,
    RATE,
    REF_LEFT,
    REF_STEPS,
    REWARD,
    STEP,
    UPDATES,
    V_INF,
    V_RESET,
    V_TH,
    V,
    W_MAX,
    W_MIN,
)

TINY = np.float32(1e-30)  # smaller state is set to 0: denormal numbers are a hundred times slower
ZERO = np.float32(0.0)
ONE = np.float32(1.0)
LARGEST_INPUT = np.float32(2**24)  # counts up to here are exact in float32


@njit(cache=True)
def step(
    inputs: Any, learning: bool, layers: Any, groups: Any, rules: Any, rates: Any, cells: Any, state: Any,
    refractory: Any, weight: Any, post: Any, row: Any, plastic: Any, column: Any, column_entry: Any, pre_trace: Any,
    post_trace: Any, sent_index: Any, sent_value: Any, sent_count: Any, spikes: Any, spike_counts: Any, counters: Any,
) -> int:  # fmt: skip
    """Advance by one step; returns the number of spikes written to `spikes`, -1 when an input is not a count."""
    for k in range(inputs.shape[0]):
        if not (inputs[k] >= ZERO and inputs[k] <= LARGEST_INPUT):
            return -1
    now = counters[STEP]
    depth = sent_count.shape[0]
    slot = now % depth
    for r in range(rules.shape[0]):
        _begin(learning, rules[r], rates[r], state[REWARD], weight, post, plastic, pre_trace, post_trace, counters)
    for layer in range(layers.shape[0]):
        if layers[layer, LAYER_INPUT] >= 0:
            _receive(inputs, layer, layers, sent_index[slot], sent_value[slot], sent_count[slot], spike_counts)
    for g in range(groups.shape[0]):
        source = (now - groups[g, G_LAG]) % depth
        _arrive(
            learning, groups[g], sent_index[source], sent_value[source], sent_count[source], row, post, weight,
            state[CURRENT], rules, rates, plastic[ELIGIBILITY], pre_trace, post_trace, counters,
        )  # fmt: skip
    n_spikes = 0
    for layer in range(layers.shape[0]):
        if layers[layer, LAYER_INPUT] < 0:
            sent_count[slot, layer] = _integrate(
                layers[layer], cells, state, refractory, sent_index[slot], sent_value[slot], spikes[n_spikes:]
            )
            for k in range(n_spikes, n_spikes + sent_count[slot, layer]):
                spike_counts[spikes[k]] += 1
            n_spikes += sent_count[slot, layer]
    for r in range(rules.shape[0]):
        _potentiate(
            learning, rules[r], rates[r], sent_index[slot], sent_count[slot], weight, plastic[ELIGIBILITY], column,
            column_entry, pre_trace, post_trace, counters,
        )  # fmt: skip
    for g in range(groups.shape[0]):
        rule = groups[g, G_RULE]
        if rule >= 0 and rules[rule, R_SAME_STEP] == 0:
            source = (now - groups[g, G_LAG]) % depth
            _raise_traces(groups[g], sent_index[source], sent_value[source], sent_count[source], pre_trace)
    counters[STEP] = now + 1
    return n_spikes


@njit(cache=True)
def _begin(
    learning: Any, rule: Any, rate: Any, reward: Any, weight: Any, post: Any, plastic: Any, pre_trace: Any,
    post_trace: Any, counters: Any,
) -> None:  # fmt: skip
    """Reward moves the weights of one rule, eligibility and both traces decay."""
    first, last = rule[R_FIRST], rule[R_LAST]
    if learning and rule[R_THREE_FACTOR] == 1:
        if rule[R_STALE] == 1:
            for k in range(first, last):
                plastic[GAIN, k] = rate[RATE] * reward[post[k]]
            rule[R_STALE] = 0
        counters[UPDATES] += _reward(
            weight[first:last], plastic[ELIGIBILITY, first:last], plastic[GAIN, first:last], rate[KEEP_ELIGIBILITY],
            rate[KEEP_WEIGHT], rate[W_MIN], rate[W_MAX],
        )  # fmt: skip
    elif learning and rule[R_DECAYS] == 1:
        for k in range(first, last):
            weight[k] *= rate[KEEP_WEIGHT]
    _decay(pre_trace[rule[R_PRE_FIRST] : rule[R_PRE_LAST]], rate[KEEP_PRE])
    _decay(post_trace[rule[R_POST_TRACE] : rule[R_POST_TRACE] + rule[R_SIZE]], rate[KEEP_POST])


@njit(cache=True)
def _reward(weight: Any, eligibility: Any, gain: Any, keep_e: Any, keep_w: Any, low: Any, high: Any) -> int:
    """w <- clip(keep w + gain e), e <- keep e; a contiguous loop that the compiler turns into vector code."""
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
def _decay(trace: Any, keep: Any) -> None:
    for k in range(trace.shape[0]):
        x = trace[k] * keep
        trace[k] = x if x >= TINY else ZERO


@njit(cache=True)
def _receive(inputs: Any, layer: int, layers: Any, index: Any, value: Any, count: Any, spike_counts: Any) -> None:
    """Pack the non-zero inputs of one layer into the history slot of this step."""
    start, offset = layers[layer, LAYER_START], layers[layer, LAYER_INPUT]
    found = 0
    for i in range(layers[layer, LAYER_SIZE]):
        if inputs[offset + i] != ZERO:
            index[start + found] = i
            value[start + found] = inputs[offset + i]
            spike_counts[start + i] += 1
            found += 1
    count[layer] = found


@njit(cache=True)
def _arrive(
    learning: Any, group: Any, index: Any, value: Any, count: Any, row: Any, post: Any, weight: Any, current: Any,
    rules: Any, rates: Any, eligibility: Any, pre_trace: Any, post_trace: Any, counters: Any,
) -> None:  # fmt: skip
    """Deposit the spikes that arrive through one group; a plastic group is depressed and its pre trace raised."""
    start, r = group[G_START], group[G_RULE]
    for m in range(count[group[G_LAYER]]):
        i, s = index[start + m], value[start + m]
        first, last = row[group[G_ROW] + i], row[group[G_ROW] + i + 1]
        for k in range(first, last):
            current[post[k]] += weight[k] * s
        counters[OPERATIONS] += last - first
        if r < 0:
            continue
        if learning:
            amount = -rates[r, A_MINUS] * s
            shift = rules[r, R_POST_TRACE] - rules[r, R_START]
            for k in range(first, last):
                change = amount * post_trace[post[k] + shift]
                if change != ZERO:
                    counters[UPDATES] += _change(rules[r], rates[r], k, change, weight, eligibility)
        if rules[r, R_SAME_STEP] == 1:
            pre_trace[group[G_TRACE] + i] += s


@njit(cache=True)
def _change(rule: Any, rate: Any, k: int, change: Any, weight: Any, eligibility: Any) -> int:
    """Add a pair's contribution to the eligibility, or to the weight under the plain rule; returns weights changed."""
    if rule[R_THREE_FACTOR] == 1:
        eligibility[k] += change
        return 0
    weight[k] = min(max(weight[k] + change, rate[W_MIN]), rate[W_MAX])
    return 1


@njit(cache=True)
def _integrate(
    layer: Any, cells: Any, state: Any, refractory: Any, index: Any, value: Any, spikes: Any
) -> int:
    """Integrate and test the membranes of one layer; returns the number of its spikes."""
    start = layer[LAYER_START]
    found = 0
    for n in range(start, start + layer[LAYER_SIZE]):
        i, rest = state[CURRENT, n], cells[V_INF, n]
        v = rest + (state[V, n] - rest) * cells[DECAY_MEM, n] + cells[COUPLING, n] * i
        i = i * cells[DECAY_SYN, n]
        state[CURRENT, n] = i if abs(i) >= TINY else ZERO
        if refractory[REF_LEFT, n] > 0:
            refractory[REF_LEFT, n] -= 1
            v = cells[V_RESET, n]
        elif v >= cells[V_TH, n]:
            v = cells[V_RESET, n]
            refractory[REF_LEFT, n] = refractory[REF_STEPS, n]
            index[start + found] = n - start
            value[start + found] = ONE
            spikes[found] = n
            found += 1
        state[V, n] = v if abs(v) >= TINY else ZERO
    return found


@njit(cache=True)
def _potentiate(
    learning: Any, rule: Any, rate: Any, index: Any, count: Any, weight: Any, eligibility: Any, column: Any,
    column_entry: Any, pre_trace: Any, post_trace: Any, counters: Any,
) -> None:  # fmt: skip
    """Each post spike of one rule adds a_plus x over its column and raises its own trace."""
    for m in range(count[rule[R_LAYER]]):
        j = index[rule[R_START] + m]
        if learning:
            at = rule[R_COLUMN] + j
            for c in range(column[at], column[at + 1]):
                change = rate[A_PLUS] * pre_trace[column_entry[1, c]]
                if change != ZERO:
                    counters[UPDATES] += _change(rule, rate, column_entry[0, c], change, weight, eligibility)
        post_trace[rule[R_POST_TRACE] + j] += ONE


@njit(cache=True)
def _raise_traces(group: Any, index: Any, value: Any, count: Any, pre_trace: Any) -> None:
    """Raise the pre traces after the post spikes, so that pairs of the same step do not count."""
    start = group[G_START]
    for m in range(count[group[G_LAYER]]):
        pre_trace[group[G_TRACE] + index[start + m]] += value[start + m]
