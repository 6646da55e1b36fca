"""Rules that work at once on every synapse: reward and decay before a step's spikes, potentiation after them."""

from __future__ import annotations

from neuro_robot.snn.kernels.arrivals import change
from neuro_robot.snn.kernels.tables import (
    A3_PLUS,
    A_PLUS,
    COLUMN,
    COLUMN_ENTRY,
    COUNTERS,
    ELIGIBILITY,
    GAIN,
    KEEP_ELIGIBILITY,
    KEEP_PRE,
    KEEP_PRE_SLOW,
    KEEP_WEIGHT,
    PLASTIC,
    POST,
    PRE_TRACE,
    R_COLUMN,
    R_DECAYS,
    R_FIRST,
    R_FULL,
    R_LAST,
    R_LEARNS,
    R_POST_TRACE,
    R_PRE_FIRST,
    R_PRE_LAST,
    R_SIZE,
    R_STALE,
    R_START,
    R_THREE_FACTOR,
    R_TRIPLET,
    RATE,
    RATES,
    REWARD,
    RULES,
    SLOW,
    STATE,
    TINY,
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
    table_ints,
    table_longs,
    table_reals,
)
from neuro_robot.snn.kernels.traces import decay, decay_post, raise_post


@inner
def begin(r: int, t: Memory) -> None:
    """Reward moves the weights of one rule, eligibility and traces decay."""
    rules = table_longs(t, RULES)
    rates = table_reals(t, RATES)
    pre_trace = reals(t, PRE_TRACE)
    counters = longs(t, COUNTERS)
    weight = reals(t, WEIGHT)
    plastic = table_reals(t, PLASTIC)
    rule, rate = rules[r], rates[r]
    first, last = rule[R_FIRST], rule[R_LAST]
    if rule[R_LEARNS] == 1 and rule[R_THREE_FACTOR] == 1:
        if rule[R_STALE] == 1:
            _regain(r, t)
        counters[UPDATES] += _reward(
            weight[first:last], plastic[ELIGIBILITY, first:last], plastic[GAIN, first:last], rate
        )
    elif rule[R_LEARNS] == 1 and rule[R_DECAYS] == 1:
        for k in range(first, last):
            weight[k] *= rate[KEEP_WEIGHT]
    decay(pre_trace[rule[R_PRE_FIRST] : rule[R_PRE_LAST]], rate[KEEP_PRE])
    if rule[R_TRIPLET] == 1:
        decay(reals(t, SLOW)[rule[R_PRE_FIRST] : rule[R_PRE_LAST]], rate[KEEP_PRE_SLOW])
    decay_post(r, t)


@inner
def _regain(r: int, t: Memory) -> None:
    """Spread the reward of the post neurons over the synapses of one rule, after it changed."""
    rules = table_longs(t, RULES)
    state = table_reals(t, STATE)
    rates = table_reals(t, RATES)
    plastic = table_reals(t, PLASTIC)
    post = ints(t, POST)
    rule = rules[r]
    reward = state[REWARD, rule[R_START] : rule[R_START] + rule[R_SIZE]] * rates[r, RATE]
    if rule[R_FULL] == 1:
        _tile(plastic[GAIN, rule[R_FIRST] : rule[R_LAST]], reward)
    else:
        for k in range(rule[R_FIRST], rule[R_LAST]):
            plastic[GAIN, k] = reward[post[k] - rule[R_START]]
    rule[R_STALE] = 0


@inner
def _tile(target: Reals, row: Reals) -> None:
    """Fill target with copies of row, doubling what is there: rows are short, and long loops are fast."""
    filled = min(row.shape[0], target.shape[0])
    _copy(target[:filled], row)
    while filled < target.shape[0]:
        more = min(filled, target.shape[0] - filled)
        _copy(target[filled : filled + more], target[:more])
        filled += more


@inner
def _copy(target: Reals, source: Reals) -> None:
    for k in range(target.shape[0]):
        target[k] = source[k]


@inner
def _reward(weight: Reals, eligibility: Reals, gain: Reals, rate: Reals) -> int:
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


@inner
def potentiate(r: int, j: int, t: Memory) -> None:
    """A post spike adds a_plus x over its column and raises its own trace."""
    rules = table_longs(t, RULES)
    rates = table_reals(t, RATES)
    pre_trace = reals(t, PRE_TRACE)
    column = longs(t, COLUMN)
    slow = reals(t, SLOW)
    plastic = table_reals(t, PLASTIC)
    column_entry = table_ints(t, COLUMN_ENTRY)
    rule, rate = rules[r], rates[r]
    y, second = rule[R_POST_TRACE] + j, pre_trace.shape[0] + rule[R_POST_TRACE] + j
    first, last = column[rule[R_COLUMN] + j], column[rule[R_COLUMN] + j + 1]
    amount = rate[A_PLUS]
    if rule[R_TRIPLET] == 1:
        amount = rate[A_PLUS] + rate[A3_PLUS] * slow[second]
    if rule[R_LEARNS] == 1 and rule[R_THREE_FACTOR] == 1:
        for c in range(first, last):
            plastic[ELIGIBILITY, column_entry[0, c]] += amount * pre_trace[column_entry[1, c]]
    elif rule[R_LEARNS] == 1:
        for c in range(first, last):
            change(r, column_entry[0, c], amount * pre_trace[column_entry[1, c]], t)
    raise_post(rule, y, second, t)
