"""The terms of a sum-of-products rule, evaluated for one synapse."""

from __future__ import annotations

from typing import Any

from neuro_robot.snn.kernels.tables import (
    COEFFICIENTS,
    COUNTERS,
    ELIGIBILITY,
    FACTORS,
    FIRED,
    ONE,
    PLASTIC,
    POST,
    POST_TRACE,
    PRE_TRACE,
    R_POST_TRACE,
    R_START,
    R_TERM,
    R_TERMS,
    RATES,
    RULES,
    SLOW,
    TERMS,
    UPDATES,
    W_MAX,
    W_MIN,
    WEIGHT,
    ZERO,
    Memory,
    bytes_of,
    inner,
    ints,
    longs,
    reals,
    table_longs,
    table_reals,
)

X0, Y0, U0 = 0, 1, 2  # dependencies; U0 + k for u_k
X1, X2, Y1, Y2, Y3, W, TAG = 0, 1, 2, 3, 4, 5, 6  # variables
LARGEST_TAG = 1e9


@inner
def synapse(r: int, k: int, trace: int, value: float, now: int, t: Memory) -> None:
    """All terms of one synapse, from the variables as they are; value is the spike that arrived, or 0."""
    rules = table_longs(t, RULES)
    weight = reals(t, WEIGHT)
    terms = table_longs(t, TERMS)
    coefficients = reals(t, COEFFICIENTS)
    fired = bytes_of(t, FIRED)
    post = ints(t, POST)
    factors = table_longs(t, FACTORS)
    rates = table_reals(t, RATES)
    plastic = table_reals(t, PLASTIC)
    counters = longs(t, COUNTERS)
    rule = rules[r]
    change_w = change_t = weight[k] * ZERO
    for term in range(rule[R_TERM], rule[R_TERM] + rule[R_TERMS]):
        dependency = terms[term, 1]
        product = coefficients[term]
        if dependency == X0:
            product *= value
        elif dependency == Y0:
            product *= fired[post[k]]
        elif (now + 1) % (1 << (dependency - U0)) != 0:
            product *= ZERO
        if product == ZERO:
            continue
        first = terms[term - 1, 2] if term > 0 else 0
        for f in range(first, terms[term, 2]):
            x = _variable(factors[f, 0], r, k, trace, t) + coefficients[terms.shape[0] + f]
            if factors[f, 1] == 1:
                x = _sign(x)
            product *= x
        if terms[term, 0] == 0:
            change_w += product
        else:
            change_t += product
    w = weight[k] + change_w
    weight[k] = min(max(w, rates[r, W_MIN]), rates[r, W_MAX])
    plastic[ELIGIBILITY, k] = min(max(plastic[ELIGIBILITY, k] + change_t, -LARGEST_TAG), LARGEST_TAG)
    counters[UPDATES] += 1 if change_w != ZERO else 0


@inner
def _sign(x: float) -> Any:
    if x > ZERO:
        return ONE
    return -ONE if x < ZERO else ZERO


@inner
def _variable(which: int, r: int, k: int, trace: int, t: Memory) -> Any:
    rules = table_longs(t, RULES)
    post = ints(t, POST)
    pre_trace = reals(t, PRE_TRACE)
    slow = reals(t, SLOW)
    post_trace = reals(t, POST_TRACE)
    weight = reals(t, WEIGHT)
    plastic = table_reals(t, PLASTIC)
    y = rules[r, R_POST_TRACE] + post[k] - rules[r, R_START]
    if which == X1:
        return pre_trace[trace]
    if which == X2:
        return slow[trace]
    if which == Y1:
        return post_trace[y]
    if which == Y2:
        return slow[pre_trace.shape[0] + y]
    if which == Y3:
        return slow[pre_trace.shape[0] + post_trace.shape[0] + y]
    if which == W:
        return weight[k]
    return plastic[ELIGIBILITY, k]
