"""Homeostatic scaling: rates are followed in every step, weights scaled once in a while."""

from __future__ import annotations

from neuro_robot.snn.kernels import owing
from neuro_robot.snn.kernels.tables import (
    COUNTERS,
    DEFERRED,
    MEAN_RATE,
    ONE,
    POST,
    R_KIND,
    RULES,
    S_FIRST,
    S_GAIN,
    S_JUMP,
    S_KEEP,
    S_LAST,
    S_LAYER,
    S_LEARNS,
    S_MAX,
    S_MIN,
    S_PERIOD,
    S_PHASE,
    S_RATE,
    S_RULE,
    S_SIZE,
    S_START,
    S_TARGET,
    SCALING_RATES,
    SCALINGS,
    SENT_COUNT,
    SENT_INDEX,
    UPDATES,
    WEIGHT,
    Memory,
    inner,
    ints,
    longs,
    reals,
    table_ints,
    table_longs,
    table_reals,
)
from neuro_robot.snn.kernels.traces import decay


@inner
def scale(slot: int, t: Memory) -> None:
    """After the spikes of a step: mean rates of all scalings, and the weights of those whose period is over."""
    scalings = table_longs(t, SCALINGS)
    scaling_rates = table_reals(t, SCALING_RATES)
    mean_rate = reals(t, MEAN_RATE)
    sent_count = table_ints(t, SENT_COUNT)
    sent_index = table_ints(t, SENT_INDEX)
    for s in range(scalings.shape[0]):
        told, number = scalings[s], scaling_rates[s]
        rate = mean_rate[told[S_RATE] : told[S_RATE] + told[S_SIZE]]
        decay(rate, number[S_KEEP])
        for m in range(sent_count[slot, told[S_LAYER]]):
            rate[sent_index[slot, told[S_START] + m]] += number[S_JUMP]
        told[S_PHASE] += 1
        if told[S_PHASE] < told[S_PERIOD]:
            continue
        told[S_PHASE] = 0
        if told[S_LEARNS] == 1:
            _apply(s, t)


@inner
def _apply(s: int, t: Memory) -> None:
    scalings = table_longs(t, SCALINGS)
    scaling_rates = table_reals(t, SCALING_RATES)
    rules = table_longs(t, RULES)
    mean_rate = reals(t, MEAN_RATE)
    post = ints(t, POST)
    weight = reals(t, WEIGHT)
    counters = longs(t, COUNTERS)
    told, number = scalings[s], scaling_rates[s]
    if told[S_RULE] >= 0 and rules[told[S_RULE], R_KIND] == DEFERRED:
        owing.settle_rule(told[S_RULE], t)
    for k in range(told[S_FIRST], told[S_LAST]):
        rate = mean_rate[told[S_RATE] + post[k] - told[S_START]]
        w = weight[k]
        new = w * (ONE + number[S_GAIN] * (number[S_TARGET] - rate))
        weight[k] = min(max(new, number[S_MIN]), number[S_MAX])
        counters[UPDATES] += 1 if weight[k] != w else 0
