"""Spikes that reach their synapses: deposit with the weight as it stands, then depression, then the pre trace."""

from __future__ import annotations

from neuro_robot.snn.kernels.tables import (
    A3_MINUS,
    A_MINUS,
    COUNTERS,
    CURRENT,
    ELIGIBILITY,
    EXTRA,
    G_POST_SIZE,
    G_POST_START,
    G_ROW,
    G_RULE,
    G_SPLIT,
    G_TRACE,
    INHIBITION,
    OPERATIONS,
    PLASTIC,
    POST,
    POST_TRACE,
    R_LEARNS,
    R_POST_TRACE,
    R_SAME_STEP,
    R_SIZE,
    R_START,
    R_THREE_FACTOR,
    R_TRIPLET,
    RATES,
    ROW,
    RULES,
    SLOW,
    STATE,
    UPDATES,
    W_MAX,
    W_MIN,
    WEIGHT,
    ZERO,
    Memory,
    Reals,
    inner,
    ints,
    longs,
    reals,
    table_longs,
    table_reals,
)
from neuro_robot.snn.kernels.traces import raise_pre


@inner
def fixed(group: Reals, index: Reals, value: Reals, t: Memory) -> None:
    """The arrivals of one group whose weights have no rule."""
    row = longs(t, ROW)
    counters = longs(t, COUNTERS)
    for m in range(index.shape[0]):
        first, last = row[group[G_ROW] + index[m]], row[group[G_ROW] + index[m] + 1]
        deposit(group, first, last, value[m], t)
        counters[OPERATIONS] += last - first


@inner
def deposit(group: Reals, first: int, last: int, s: float, t: Memory) -> None:
    """Add the weights first .. last of one pre neuron, times its value, to the currents of their neurons."""
    weight = reals(t, WEIGHT)
    state = table_reals(t, STATE)
    post = ints(t, POST)
    extra = table_reals(t, EXTRA)
    if group[G_SPLIT] == 1:
        for k in range(first, last):
            amount = weight[k] * s
            if amount > ZERO:
                state[CURRENT, post[k]] += amount
            else:
                extra[INHIBITION, post[k]] -= amount
    elif last - first == group[G_POST_SIZE]:  # a full row
        to = group[G_POST_START]
        add(state[CURRENT, to : to + last - first], weight[first:last], s)
    else:
        scatter(state[CURRENT], post[first:last], weight[first:last], s)


@inner
def add(target: Reals, values: Reals, factor: float) -> None:
    """Add values times factor, element by element: a plain loop, which the compiler makes vector code."""
    for k in range(target.shape[0]):
        target[k] += values[k] * factor


@inner
def scatter(target: Reals, index: Reals, values: Reals, factor: float) -> None:
    """As add, to the elements index."""
    for k in range(index.shape[0]):
        target[index[k]] += values[k] * factor


@inner
def eager(group: Reals, index: Reals, value: Reals, t: Memory) -> None:
    """The arrivals of one group whose rule works at once."""
    rules = table_longs(t, RULES)
    row = longs(t, ROW)
    counters = longs(t, COUNTERS)
    rule = rules[group[G_RULE]]
    for m in range(index.shape[0]):
        i, s = index[m], value[m]
        first, last = row[group[G_ROW] + i], row[group[G_ROW] + i + 1]
        deposit(group, first, last, s, t)
        counters[OPERATIONS] += last - first
        if rule[R_LEARNS] == 1:
            _depress(group, i, first, last, s, t)
        if rule[R_SAME_STEP] == 1:
            raise_pre(rule, group[G_TRACE] + i, s, t)


@inner
def _depress(group: Reals, i: int, first: int, last: int, s: float, t: Memory) -> None:
    """An arrival of value s adds -a_minus s y to the synapses first .. last of one pre neuron."""
    rules = table_longs(t, RULES)
    rates = table_reals(t, RATES)
    slow = reals(t, SLOW)
    plastic = table_reals(t, PLASTIC)
    post_trace = reals(t, POST_TRACE)
    post = ints(t, POST)
    r = group[G_RULE]
    rule, rate = rules[r], rates[r]
    amount = -rate[A_MINUS] * s
    if rule[R_TRIPLET] == 1:
        amount = -(rate[A_MINUS] + rate[A3_MINUS] * slow[group[G_TRACE] + i]) * s
    shift = rule[R_POST_TRACE] - rule[R_START]
    if rule[R_THREE_FACTOR] == 1:
        if last - first == rule[R_SIZE]:  # a full row
            y = rule[R_POST_TRACE]
            add(plastic[ELIGIBILITY, first:last], post_trace[y : y + last - first], amount)
            return
        for k in range(first, last):
            plastic[ELIGIBILITY, k] += amount * post_trace[post[k] + shift]
        return
    for k in range(first, last):
        change(r, k, post_trace[post[k] + shift] * amount, t)


@inner
def change(r: int, k: int, amount: float, t: Memory) -> None:
    """Change one weight directly, as the plain rule does."""
    weight = reals(t, WEIGHT)
    rates = table_reals(t, RATES)
    counters = longs(t, COUNTERS)
    weight[k] = min(max(weight[k] + amount, rates[r, W_MIN]), rates[r, W_MAX])
    counters[UPDATES] += 1 if amount != ZERO else 0
