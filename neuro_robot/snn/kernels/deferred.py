"""Plain pair and triplet rules with the potentiation put off until a weight is needed; exact, and contiguous.

Between two arrivals of a pre neuron its trace only fades, x(k) = x0 d^(k - k0), so all it gains meanwhile from post
neuron j is x0 d^(K - k0) (S_j(now) - S_j(k0)), where S_j sums amount d^(k - K) over the post spikes at steps k. All
these gains have one sign, so one clip at the end does what a clip at each would. The base K is the beginning of a
window of some steps, so that nothing under- or overflows; S of the window before stays known, S_j(k0) is looked up in
`past`, and every trace is brought up to date at least once a window, some in each step. S is kept in double
precision, as it is a difference of sums. `past` ends with the powers of d and of the slow trace's factor.
"""

from __future__ import annotations

import numpy as np

from neuro_robot.snn.kernels.owing import fade, gain, gains_of, owed, power, settle
from neuro_robot.snn.kernels.tables import (
    A3_MINUS,
    A3_PLUS,
    A_MINUS,
    A_PLUS,
    COUNTERS,
    CURRENT,
    EXTRA,
    G_POST_START,
    G_ROW,
    G_RULE,
    G_SPLIT,
    G_TRACE,
    OPERATIONS,
    OWED,
    PAST,
    POST,
    POST_TRACE,
    PRE_TRACE,
    R_CLOCK,
    R_LEARNS,
    R_NEAREST,
    R_PAST,
    R_POST_TRACE,
    R_PRE_FIRST,
    R_PRE_LAST,
    R_SAME_STEP,
    R_SIZE,
    R_START,
    R_TRIPLET,
    R_WINDOW,
    RATES,
    ROW,
    RULES,
    SLOW,
    STATE,
    SUMS,
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
from neuro_robot.snn.kernels.traces import decay_post, raise_post


@inner
def _row(weight: Reals, current: Reals, y: Reals, gains: Reals, s: float, loss: float, low: float, high: float) -> int:
    """A full row: gain, deposit, depression in one pass; returns how many weights changed."""
    changed = 0
    for j in range(weight.shape[0]):
        w0 = weight[j]
        w = w0 + gains[j]
        w = low if w < low else w
        w = high if w > high else w
        current[j] += w * s
        w = w - loss * y[j]
        w = low if w < low else w
        w = high if w > high else w
        weight[j] = w
        changed += 1 if w != w0 else 0
    return changed


@inner
def begin(r: int, t: Memory) -> None:
    """Post traces decay; those pre traces are settled whose turn it is: every one at least once in a window."""
    decay_post(r, t)
    rules = table_longs(t, RULES)
    counters = longs(t, COUNTERS)
    weight = reals(t, WEIGHT)
    rule = rules[r]
    first, last = rule[R_PRE_FIRST], rule[R_PRE_LAST]
    share = (last - first + rule[R_WINDOW] - 1) // rule[R_WINDOW]
    if share == 0:
        return
    turns = (last - first + share - 1) // share
    start = first + rule[R_CLOCK] % turns * share
    for trace in range(start, min(start + share, last)):
        counters[UPDATES] += settle(r, trace, weight, t)
        fade(rule, trace, rule[R_CLOCK], t)


@inner
def arrive(group: Reals, index: Reals, value: Reals, t: Memory) -> None:
    """The arrivals of one group: settle, deposit, depress, raise the trace."""
    rules = table_longs(t, RULES)
    rates = table_reals(t, RATES)
    state = table_reals(t, STATE)
    post_trace = reals(t, POST_TRACE)
    weight = reals(t, WEIGHT)
    row = longs(t, ROW)
    slow = reals(t, SLOW)
    counters = longs(t, COUNTERS)
    r = group[G_RULE]
    rule, rate = rules[r], rates[r]
    size, learns, y0 = rule[R_SIZE], rule[R_LEARNS] == 1, rule[R_POST_TRACE]
    current = state[CURRENT, group[G_POST_START] : group[G_POST_START] + size]
    y, gains = post_trace[y0 : y0 + size], reals(t, OWED)[:size]
    low, high = rate[W_MIN], rate[W_MAX]
    for m in range(index.shape[0]):
        trace, s = group[G_TRACE] + index[m], weight.dtype.type(value[m])
        first, last = row[group[G_ROW] + index[m]], row[group[G_ROW] + index[m] + 1]
        factor, at, rest = owed(rule, trace, t)
        clock = rule[R_CLOCK]
        fade(rule, trace, clock, t)
        amount = rate[A_MINUS] * s
        if rule[R_TRIPLET] == 1:
            amount = (rate[A_MINUS] + rate[A3_MINUS] * slow[trace]) * s
        loss = amount if learns else ZERO * amount
        counters[OPERATIONS] += last - first
        if last - first == size and group[G_SPLIT] == 0:
            gains_of(gains, factor, at, rest, rule, t)
            counters[UPDATES] += _row(weight[first:last], current, y, gains, s, loss, low, high)
        else:
            _sparse_row(group, first, last, factor, at, rest, s, loss, t)
        if rule[R_SAME_STEP] == 1:
            _raise(rule, trace, s, t)


@inner
def _sparse_row(
    group: Reals, first: int, last: int, factor: float, past: int, rest: float, s: float, amount: float, t: Memory
) -> None:
    """As _row, synapse by synapse."""
    rules = table_longs(t, RULES)
    rates = table_reals(t, RATES)
    post = ints(t, POST)
    weight = reals(t, WEIGHT)
    extra = table_reals(t, EXTRA)
    state = table_reals(t, STATE)
    post_trace = reals(t, POST_TRACE)
    counters = longs(t, COUNTERS)
    r = group[G_RULE]
    rule, low, high = rules[r], rates[r, W_MIN], rates[r, W_MAX]
    for k in range(first, last):
        j = post[k] - rule[R_START]
        w0 = weight[k]
        w = w0 + weight.dtype.type(gain(factor, past, rest, j, rule, t))
        w = min(max(w, low), high)
        if group[G_SPLIT] == 1 and w < ZERO:
            extra[0, post[k]] -= w * s
        else:
            state[CURRENT, post[k]] += w * s
        w = min(max(w - amount * post_trace[rule[R_POST_TRACE] + j], low), high)
        weight[k] = w
        counters[UPDATES] += 1 if w != w0 else 0


@inner
def _raise(rule: Reals, trace: int, s: float, t: Memory) -> None:
    pre_trace = reals(t, PRE_TRACE)
    slow = reals(t, SLOW)
    nearest = rule[R_NEAREST] == 1
    pre_trace[trace] = s if nearest else pre_trace[trace] + s
    if rule[R_TRIPLET] == 1:
        slow[trace] = s if nearest else slow[trace] + s


@inner
def raise_late(group: Reals, i: int, s: float, t: Memory) -> None:
    """Raise the trace of an arrival after the post spikes of its step, from which it must not gain."""
    rules = table_longs(t, RULES)
    counters = longs(t, COUNTERS)
    weight = reals(t, WEIGHT)
    r, trace = group[G_RULE], group[G_TRACE] + i
    rule = rules[r]
    counters[UPDATES] += settle(r, trace, weight, t)
    _raise(rule, trace, weight.dtype.type(s), t)
    fade(rule, trace, rule[R_CLOCK], t)


@inner
def potentiate(r: int, j: int, t: Memory) -> None:
    """A post spike enters the sum that its column will gain from, and raises its own trace."""
    rules = table_longs(t, RULES)
    rates = table_reals(t, RATES)
    pre_trace = reals(t, PRE_TRACE)
    slow = reals(t, SLOW)
    sums = table_doubles(t, SUMS)
    rule, rate = rules[r], rates[r]
    y = rule[R_POST_TRACE] + j
    second = pre_trace.shape[0] + y
    if rule[R_LEARNS] == 1:
        amount = np.float64(rate[A_PLUS])
        if rule[R_TRIPLET] == 1:
            amount = amount + rate[A3_PLUS] * np.float64(slow[second])
        sums[0, y] += amount * power(rule, rule[R_CLOCK] % rule[R_WINDOW], False, t)
    raise_post(rule, y, second, t)


@inner
def finish(r: int, t: Memory) -> None:
    """The step is over: move the clock, begin a new window if it is time, and remember the sums as they are now."""
    rules = table_longs(t, RULES)
    sums = table_doubles(t, SUMS)
    past = doubles(t, PAST)
    rule = rules[r]
    rule[R_CLOCK] += 1
    first, size, ring = rule[R_POST_TRACE], rule[R_SIZE], rule[R_WINDOW] + 1
    if rule[R_CLOCK] % rule[R_WINDOW] == 0:
        sums[1, first : first + size] = sums[0, first : first + size]
        sums[0, first : first + size] = 0.0
    start = rule[R_PAST] + rule[R_CLOCK] % ring * size
    past[start : start + size] = sums[0, first : first + size]
