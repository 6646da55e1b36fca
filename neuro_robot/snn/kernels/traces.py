"""The traces of pair and triplet rules: how they fade, and what a spike does to them."""

from __future__ import annotations

from neuro_robot.snn.kernels.tables import (
    KEEP_POST,
    KEEP_POST_SLOW,
    ONE,
    POST_TRACE,
    PRE_TRACE,
    R_NEAREST,
    R_POST_TRACE,
    R_SIZE,
    R_TRIPLET,
    RATES,
    RULES,
    SLOW,
    TINY,
    ZERO,
    Memory,
    Reals,
    inner,
    reals,
    table_longs,
    table_reals,
)


@inner
def decay(trace: Reals, keep: float) -> None:
    """One step of exponential decay."""
    for k in range(trace.shape[0]):
        x = trace[k] * keep
        trace[k] = x if x >= TINY else ZERO


@inner
def raise_pre(rule: Reals, trace: int, s: float, t: Memory) -> None:
    """The pre trace of one arrival, and its slow trace."""
    pre_trace = reals(t, PRE_TRACE)
    slow = reals(t, SLOW)
    if rule[R_NEAREST] == 1:
        pre_trace[trace] = s
    else:
        pre_trace[trace] += s
    if rule[R_TRIPLET] == 1:
        slow[trace] = s if rule[R_NEAREST] == 1 else slow[trace] + s


@inner
def raise_post(rule: Reals, y: int, second: int, t: Memory) -> None:
    """The post trace of one spike, and its slow trace."""
    post_trace = reals(t, POST_TRACE)
    slow = reals(t, SLOW)
    if rule[R_NEAREST] == 1:
        post_trace[y] = ONE
    else:
        post_trace[y] += ONE
    if rule[R_TRIPLET] == 1:
        slow[second] = ONE if rule[R_NEAREST] == 1 else slow[second] + ONE


@inner
def decay_post(r: int, t: Memory) -> None:
    """One step of decay of a rule's post traces."""
    rule, rate = table_longs(t, RULES)[r], table_reals(t, RATES)[r]
    first, last = rule[R_POST_TRACE], rule[R_POST_TRACE] + rule[R_SIZE]
    decay(reals(t, POST_TRACE)[first:last], rate[KEEP_POST])
    if rule[R_TRIPLET] == 1:
        offset = reals(t, PRE_TRACE).shape[0]
        decay(reals(t, SLOW)[offset + first : offset + last], rate[KEEP_POST_SLOW])
