"""What the weights of deferred rules have yet to gain, and putting it in; `deferred` has the reasoning."""

from __future__ import annotations

from typing import Any

import numpy as np

from neuro_robot.snn.kernels.tables import (
    COUNTERS,
    OWED,
    PAST,
    POST,
    PRE_TRACE,
    R_CLOCK,
    R_PAST,
    R_POST_TRACE,
    R_PRE_FIRST,
    R_PRE_LAST,
    R_SIZE,
    R_START,
    R_TRIPLET,
    R_WINDOW,
    RATES,
    ROW,
    RULES,
    SLOW,
    STAMP,
    SUMS,
    TINY,
    TRACE_ROW,
    UPDATES,
    W_MAX,
    W_MIN,
    WEIGHT,
    ZERO,
    Memory,
    Reals,
    doubles,
    inner,
    ints,
    longs,
    reals,
    table_doubles,
    table_longs,
    table_reals,
)


@inner
def power(rule: Reals, steps: int, slow: bool, t: Memory) -> Any:
    """D^steps (steps up to the window + 1) of the fast or the slow pre trace."""
    past = doubles(t, PAST)
    window = rule[R_WINDOW]
    return past[rule[R_PAST] + (window + 1) * rule[R_SIZE] + (window + 2 if slow else 0) + steps]


@inner
def owed(rule: Reals, trace: int, t: Memory) -> tuple[float, int, float]:
    """What the synapses of a trace have to gain: factor * (S - past[first:]) in this window.

    Otherwise, with a negative `rest`, factor * (S_before - past[first:] - rest * S).
    """
    stamp = longs(t, STAMP)
    pre_trace = reals(t, PRE_TRACE)
    window, clock, then = rule[R_WINDOW], rule[R_CLOCK], stamp[trace]
    base = clock - clock % window
    first = rule[R_PAST] + then % (window + 1) * rule[R_SIZE]
    x = np.float64(pre_trace[trace])
    if then >= base:
        return x / power(rule, then - base, False, t), first, 0.0
    return x / power(rule, then - base + window, False, t), first, -power(rule, window, False, t)


@inner
def gain(factor: float, first: int, rest: float, j: int, rule: Reals, t: Memory) -> Any:
    """What the synapse onto post neuron j has to gain; see owed."""
    sums = table_doubles(t, SUMS)
    past = doubles(t, PAST)
    y = rule[R_POST_TRACE] + j
    if rest == 0.0:
        return factor * (sums[0, y] - past[first + j])
    return factor * (sums[1, y] - past[first + j] - rest * sums[0, y])


@inner
def gains_of(out: Reals, factor: float, first: int, rest: float, rule: Reals, t: Memory) -> None:
    """Gain of every synapse of a full row; loops over few arrays become vector code."""
    y, size = rule[R_POST_TRACE], rule[R_SIZE]
    sums = table_doubles(t, SUMS)
    now, before, then = sums[0, y : y + size], sums[1, y : y + size], doubles(t, PAST)[first : first + size]
    if rest == 0.0:
        for j in range(size):
            out[j] = factor * (now[j] - then[j])
    else:
        for j in range(size):
            out[j] = factor * (before[j] - then[j] - rest * now[j])


@inner
def _settle_row(weight: Reals, gains: Reals, low: float, high: float) -> int:
    changed = 0
    for j in range(weight.shape[0]):
        w0 = weight[j]
        w = w0 + gains[j]
        w = low if w < low else w
        w = high if w > high else w
        weight[j] = w
        changed += 1 if w != w0 else 0
    return changed


@inner
def settle(r: int, trace: int, weight: Reals, t: Memory) -> Any:
    """Give the synapses of a trace, in weight, what they have to gain; returns how many changed."""
    rule = table_longs(t, RULES)[r]
    if reals(t, PRE_TRACE)[trace] == ZERO:
        return 0
    row, entry = longs(t, ROW), longs(t, TRACE_ROW)[trace]
    low, high = table_reals(t, RATES)[r, W_MIN], table_reals(t, RATES)[r, W_MAX]
    factor, past, rest = owed(rule, trace, t)
    first, last = row[entry], row[entry + 1]
    if last - first == rule[R_SIZE]:
        gains = reals(t, OWED)[: rule[R_SIZE]]
        gains_of(gains, factor, past, rest, rule, t)
        return _settle_row(weight[first:last], gains, low, high)
    post, changed = ints(t, POST), 0
    for k in range(first, last):
        w0 = weight[k]
        w = w0 + weight.dtype.type(gain(factor, past, rest, post[k] - rule[R_START], rule, t))
        w = min(max(w, low), high)
        weight[k] = w
        changed += 1 if w != w0 else 0
    return changed


@inner
def settle_rule(r: int, t: Memory) -> None:
    """Settle all traces of a rule, so that its weights are what they should be now."""
    rules = table_longs(t, RULES)
    counters = longs(t, COUNTERS)
    weight = reals(t, WEIGHT)
    for trace in range(rules[r, R_PRE_FIRST], rules[r, R_PRE_LAST]):
        counters[UPDATES] += settle(r, trace, weight, t)
        fade(rules[r], trace, rules[r, R_CLOCK], t)


@inner
def fade(rule: Reals, trace: int, clock: int, t: Memory) -> None:
    """Bring the value of a trace to a clock."""
    stamp = longs(t, STAMP)
    pre_trace = reals(t, PRE_TRACE)
    slow = reals(t, SLOW)
    steps = clock - stamp[trace]
    x = pre_trace.dtype.type(pre_trace[trace] * power(rule, steps, False, t))
    pre_trace[trace] = x if x >= TINY else ZERO
    if rule[R_TRIPLET] == 1:
        x = slow.dtype.type(slow[trace] * power(rule, steps, True, t))
        slow[trace] = x if x >= TINY else ZERO
    stamp[trace] = clock
