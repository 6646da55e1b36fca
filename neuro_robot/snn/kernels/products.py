"""Sum-of-products rules: at the end of a step, every synapse that a term concerns is evaluated once."""

from __future__ import annotations

from neuro_robot.snn.kernels.arrivals import deposit
from neuro_robot.snn.kernels.tables import (
    COLUMN,
    COLUMN_ENTRY,
    COUNTERS,
    G_LAG,
    G_LAYER,
    G_ROW,
    G_RULE,
    G_START,
    G_TRACE,
    GROUPS,
    KEEP_POST,
    KEEP_POST_SLOW,
    KEEP_PRE,
    KEEP_PRE_SLOW,
    KEEP_THIRD,
    OPERATIONS,
    POST_TRACE,
    PRE_TRACE,
    PRODUCTS,
    R_COLUMN,
    R_KIND,
    R_LAYER,
    R_LEARNS,
    R_POST_TRACE,
    R_PRE_FIRST,
    R_PRE_LAST,
    R_SIZE,
    R_START,
    R_TERM,
    R_TERMS,
    RATES,
    REWARD,
    ROW,
    RULES,
    SENT_COUNT,
    SENT_INDEX,
    SENT_VALUE,
    SLOW,
    STAMP,
    STATE,
    TERMS,
    TRACE_ROW,
    X1_IMPULSE,
    X2_IMPULSE,
    Y1_IMPULSE,
    Y2_IMPULSE,
    Y3_IMPULSE,
    ZERO,
    Memory,
    Reals,
    inner,
    longs,
    reals,
    table_ints,
    table_longs,
    table_reals,
    table_singles,
)
from neuro_robot.snn.kernels.terms import U0, synapse
from neuro_robot.snn.kernels.traces import decay


@inner
def begin(r: int, t: Memory) -> None:
    """The traces of one rule decay; a third post trace that is the reward has no decay and no impulse."""
    rules = table_longs(t, RULES)
    rates = table_reals(t, RATES)
    slow = reals(t, SLOW)
    pre_trace = reals(t, PRE_TRACE)
    post_trace = reals(t, POST_TRACE)
    state = table_reals(t, STATE)
    rule, rate = rules[r], rates[r]
    pre, post = slice(rule[R_PRE_FIRST], rule[R_PRE_LAST]), slice(rule[R_POST_TRACE], rule[R_POST_TRACE] + rule[R_SIZE])
    slow_post = slow[pre_trace.shape[0] :]
    decay(pre_trace[pre], rate[KEEP_PRE])
    decay(slow[pre], rate[KEEP_PRE_SLOW])
    decay(post_trace[post], rate[KEEP_POST])
    decay(slow_post[post], rate[KEEP_POST_SLOW])
    third = slow_post[post_trace.shape[0] :][post]
    if rate[KEEP_THIRD] >= ZERO:
        decay(third, rate[KEEP_THIRD])
    else:
        third[:] = state[REWARD, rule[R_START] : rule[R_START] + rule[R_SIZE]]


@inner
def arrive(group: Reals, index: Reals, value: Reals, t: Memory) -> None:
    """The arrivals of one group: deposit, and raise both pre traces."""
    row = longs(t, ROW)
    rates = table_reals(t, RATES)
    pre_trace = reals(t, PRE_TRACE)
    slow = reals(t, SLOW)
    counters = longs(t, COUNTERS)
    rate = rates[group[G_RULE]]
    for m in range(index.shape[0]):
        trace = group[G_TRACE] + index[m]
        first, last = row[group[G_ROW] + index[m]], row[group[G_ROW] + index[m] + 1]
        deposit(group, first, last, value[m], t)
        counters[OPERATIONS] += last - first
        pre_trace[trace] += rate[X1_IMPULSE] * value[m]
        slow[trace] += rate[X2_IMPULSE] * value[m]


@inner
def learn(now: int, t: Memory) -> None:
    """Raise the post traces, then evaluate rows that a spike reached, columns that fired, or all when u is due."""
    rules = table_longs(t, RULES)
    rates = table_reals(t, RATES)
    sent_count = table_ints(t, SENT_COUNT)
    sent_index = table_ints(t, SENT_INDEX)
    slow = reals(t, SLOW)
    pre_trace = reals(t, PRE_TRACE)
    post_trace = reals(t, POST_TRACE)
    for r in range(rules.shape[0]):
        if rules[r, R_KIND] != PRODUCTS:
            continue
        rule, rate = rules[r], rates[r]
        slot = now % sent_count.shape[0]
        fired = sent_index[slot, rule[R_START] : rule[R_START] + sent_count[slot, rule[R_LAYER]]]
        slow_post = slow[pre_trace.shape[0] :]
        for m in range(fired.shape[0]):
            y = rule[R_POST_TRACE] + fired[m]
            post_trace[y] += rate[Y1_IMPULSE]
            slow_post[y] += rate[Y2_IMPULSE]
            if rate[KEEP_THIRD] >= ZERO:
                slow_post[post_trace.shape[0] + y] += rate[Y3_IMPULSE]
        if rule[R_LEARNS] == 1 and rule[R_TERMS] > 0:
            _evaluate(r, now, fired, t)


@inner
def _evaluate(r: int, now: int, fired: Reals, t: Memory) -> None:
    rules = table_longs(t, RULES)
    terms = table_longs(t, TERMS)
    groups = table_longs(t, GROUPS)
    sent_count = table_ints(t, SENT_COUNT)
    sent_index = table_ints(t, SENT_INDEX)
    sent_value = table_singles(t, SENT_VALUE)
    stamp = longs(t, STAMP)
    trace_row = longs(t, TRACE_ROW)
    column = longs(t, COLUMN)
    column_entry = table_ints(t, COLUMN_ENTRY)
    rule = rules[r]
    due = False
    for term in range(rule[R_TERM], rule[R_TERM] + rule[R_TERMS]):
        u = terms[term, 1] - U0
        due |= u >= 0 and (now + 1) % (1 << max(u, 0)) == 0
    for g in range(groups.shape[0]):
        group = groups[g]
        if group[G_RULE] != r:
            continue
        slot = (now - group[G_LAG]) % sent_count.shape[0]
        for m in range(group[G_START], group[G_START] + sent_count[slot, group[G_LAYER]]):
            i = sent_index[slot, m]
            _row(r, group[G_TRACE] + i, group[G_ROW] + i, sent_value[slot, m], now, t)
    for trace in range(rule[R_PRE_FIRST], rule[R_PRE_LAST] if due else rule[R_PRE_FIRST]):
        if stamp[trace] != now + 1:
            _row(r, trace, trace_row[trace], ZERO, now, t)
    for m in range(0 if due else fired.shape[0]):
        first, last = column[rule[R_COLUMN] + fired[m]], column[rule[R_COLUMN] + fired[m] + 1]
        for c in range(first, last):
            trace = column_entry[1, c]
            if stamp[trace] != now + 1:
                synapse(r, column_entry[0, c], trace, ZERO, now, t)


@inner
def _row(r: int, trace: int, entry: int, value: float, now: int, t: Memory) -> None:
    stamp = longs(t, STAMP)
    row = longs(t, ROW)
    stamp[trace] = now + 1
    for k in range(row[entry], row[entry + 1]):
        synapse(r, k, trace, value, now, t)
