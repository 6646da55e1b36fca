"""On-chip learning of one time step in integers: traces, products, stochastic rounding.

Called after the step it belongs to. Random bits are a hash of seed, step and place, so that neither the order of work
nor the number of threads matters. Bits that the chip drops from a product are rounded at random, too.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from neuro_robot.snn.backends.loihi.kernel import (
    G_FRACTION,
    G_GRADED,
    G_LAG,
    G_LAYER,
    G_PRE_SIZE,
    G_ROW,
    G_START,
    INDEX,
    VALUE,
)
from neuro_robot.snn.backends.loihi.rounding import TOP, decay, raised, random_bits

Ints = NDArray[np.int32]
Shorts = NDArray[np.int16]
Longs = NDArray[np.int64]
Floats = NDArray[np.float64]

# columns of `rules`; synapses R_FIRST .. R_LAST of the kernel's tables, groups R_GROUP .. R_GROUPS
R_FIRST, R_LAST, R_GROUP, R_GROUPS, R_X, R_Y, R_POST, R_SIZE, R_LAYER, R_PRODUCT, R_PRODUCTS = range(11)
R_MIN, R_MAX, R_EXP, R_MIXED, R_LEARNS, R_ORDER, R_REWARD, R_PERIOD, R_Z, R_COLUMN, R_X_SIZE = range(11, 22)
RULE_COLUMNS = 22
# columns of `products`; from P_FACTOR on variable, constant, sign of each factor
P_TARGET, P_MANTISSA, P_EXPONENT, P_SHIFT, P_DEPENDENCY, P_PERIOD, P_FACTORS, P_FACTOR = range(8)
PRODUCT_COLUMNS = 17
# rows of `synapse`
Z, TAG = 0, 1
# elements of `clock`
NOW, SEED, UPDATES = 0, 1, 2
# as in rules.py
X0, Y0, U = 0, 1, 2
BOTH, ARRIVAL_FIRST, APART = 0, 1, 2
SIGNED_REWARD, REWARD_Y3 = 1, 2
LARGEST_TAG = 255
W, T = 5, 6  # variables; 0 .. 4 are the traces x1, x2, y1, y2, y3
LARGEST_SUM = 1 << 15


@njit(cache=True)
def learn(
    slot: int, groups: Longs, row: Longs, post: Ints, weight: Shorts, sent: Ints, sent_count: Longs,
    rules: Longs, keeps: Longs, impulses: Longs, products: Longs, x: Ints, y: Ints, synapse: Ints, column: Longs,
    entry: Ints, reward: Floats, reward_sum: Floats, scale: Floats, clock: Longs,
) -> None:  # fmt: skip
    """Traces and synapses of every rule after the step whose spikes lie in `slot`."""
    for r in range(rules.shape[0]):
        rule = rules[r]
        decay(x[:, rule[R_X] : rule[R_X] + rule[R_X_SIZE]], keeps[r, 0:2], clock, 2 * r)
        decay(y[:, rule[R_Y] : rule[R_Y] + rule[R_SIZE]], keeps[r, 2:5], clock, 2 * r + 1)
        _reward(rule, y, reward, reward_sum, scale[r], clock)
        early = 2 if rule[R_ORDER] == BOTH else (1 if rule[R_ORDER] == ARRIVAL_FIRST else 0)
        _raise_x(rule, impulses[r], 0, early, slot, groups, sent, sent_count, x, clock)
        if rule[R_ORDER] == BOTH:
            _raise_y(rule, impulses[r], slot, sent, sent_count, y, clock)
        if rule[R_LEARNS] == 1:
            _arrivals(rule, slot, groups, row, post, weight, sent, sent_count, products, x, y, synapse, clock)
            _post_spikes(rule, slot, weight, sent, sent_count, products, x, y, synapse, column, entry, clock)
            _epochs(rule, groups, row, post, weight, products, x, y, synapse, clock)
        _raise_x(rule, impulses[r], early, 2, slot, groups, sent, sent_count, x, clock)
        if rule[R_ORDER] != BOTH:
            _raise_y(rule, impulses[r], slot, sent, sent_count, y, clock)
    clock[NOW] += 1


@njit(cache=True)
def _raise_x(
    rule: Longs, impulse: Longs, first_kind: int, end: int, slot: int, groups: Longs, sent: Ints, sent_count: Longs,
    x: Ints, clock: Longs,
) -> None:  # fmt: skip
    """Impulses of the spikes that arrive, on the pre traces first_kind .. end - 1; a payload is so many spikes."""
    start, depth = rule[R_X], sent_count.shape[0]
    if first_kind == end or np.max(impulse[first_kind:end]) == 0:
        return
    for g in range(rule[R_GROUP], rule[R_GROUPS]):
        layer, first, fraction = groups[g, G_LAYER], groups[g, G_START], groups[g, G_FRACTION]
        at = (slot - groups[g, G_LAG] + depth) % depth
        for m in range(sent_count[at, layer]):
            n = start + sent[INDEX, at, first + m]
            times = sent[VALUE, at, first + m] if groups[g, G_GRADED] == 1 else 1
            for kind in range(first_kind, end):
                if impulse[kind] > 0:
                    payload = times if fraction == 0 else max(times >> fraction, 1)
                    x[kind, n] = raised(x[kind, n], impulse[kind], payload, random_bits(clock, 1 + kind, n))
        start += groups[g, G_PRE_SIZE]


@njit(cache=True)
def _raise_y(rule: Longs, impulse: Longs, slot: int, sent: Ints, sent_count: Longs, y: Ints, clock: Longs) -> None:
    for m in range(sent_count[slot, rule[R_LAYER]]):
        n = rule[R_Y] + sent[INDEX, slot, rule[R_POST] + m]
        for kind in range(3):
            if impulse[2 + kind] > 0:
                y[kind, n] = raised(y[kind, n], impulse[2 + kind], 1, random_bits(clock, 3 + kind, n))


@njit(cache=True)
def _reward(rule: Longs, y: Ints, reward: Floats, reward_sum: Floats, scale: float, clock: Longs) -> None:
    """The third factor, sent by the host: its mean over a period, positive part in y2, negative in y3; or y3 itself."""
    if rule[R_REWARD] == REWARD_Y3:
        for n in range(rule[R_SIZE]):
            y[2, rule[R_Y] + n] = min(max(int(round(reward[rule[R_POST] + n])), 0), TOP)
    elif rule[R_REWARD] == SIGNED_REWARD:
        due = (clock[NOW] + 1) % rule[R_PERIOD] == 0
        for n in range(rule[R_SIZE]):
            k = rule[R_Y] + n
            reward_sum[k] += reward[rule[R_POST] + n]
            if due:
                mean = reward_sum[k] / (scale * rule[R_PERIOD]) * TOP
                size = min(int(abs(mean) + random_bits(clock, 7, k) / 4294967296.0), TOP)
                y[1, k], y[2, k] = (size, 0) if mean > 0 else (0, size)
                reward_sum[k] = 0.0


@njit(cache=True)
def _arrivals(
    rule: Longs, slot: int, groups: Longs, row: Longs, post: Ints, weight: Shorts, sent: Ints, sent_count: Longs,
    products: Longs, x: Ints, y: Ints, synapse: Ints, clock: Longs,
) -> None:  # fmt: skip
    """The terms of x0: synapses through which a spike arrived."""
    start, depth, shift = rule[R_X], sent_count.shape[0], rule[R_Y] - rule[R_POST]
    for g in range(rule[R_GROUP], rule[R_GROUPS]):
        at = (slot - groups[g, G_LAG] + depth) % depth
        for m in range(sent_count[at, groups[g, G_LAYER]]):
            i = sent[INDEX, at, groups[g, G_START] + m]
            for k in range(row[groups[g, G_ROW] + i], row[groups[g, G_ROW] + i + 1]):
                _change(rule, X0, k, start + i, post[k] + shift, weight, products, x, y, synapse, clock)
        start += groups[g, G_PRE_SIZE]


@njit(cache=True)
def _post_spikes(
    rule: Longs, slot: int, weight: Shorts, sent: Ints, sent_count: Longs, products: Longs, x: Ints, y: Ints,
    synapse: Ints, column: Longs, entry: Ints, clock: Longs,
) -> None:  # fmt: skip
    """The terms of y0: synapses of the neurons that spiked."""
    for m in range(sent_count[slot, rule[R_LAYER]]):
        j = sent[INDEX, slot, rule[R_POST] + m]
        for c in range(column[rule[R_COLUMN] + j], column[rule[R_COLUMN] + j + 1]):
            _change(rule, Y0, entry[0, c], entry[1, c], rule[R_Y] + j, weight, products, x, y, synapse, clock)


@njit(cache=True)
def _epochs(
    rule: Longs, groups: Longs, row: Longs, post: Ints, weight: Shorts, products: Longs, x: Ints, y: Ints,
    synapse: Ints, clock: Longs,
) -> None:  # fmt: skip
    """The terms of u_k: all synapses, in the steps that end a period; those without a tag only where one needs none."""
    due, needs_tag = False, True
    for p in range(rule[R_PRODUCT], rule[R_PRODUCTS]):
        if products[p, P_DEPENDENCY] == U and (clock[NOW] + 1) % products[p, P_PERIOD] == 0:
            due = True
            needs_tag &= _has_tag(products[p])
    if not due:
        return
    start, shift, offset = rule[R_X], rule[R_Y] - rule[R_POST], rule[R_Z] - rule[R_FIRST]
    for g in range(rule[R_GROUP], rule[R_GROUPS]):
        for i in range(groups[g, G_PRE_SIZE]):
            for k in range(row[groups[g, G_ROW] + i], row[groups[g, G_ROW] + i + 1]):
                if not needs_tag or synapse[TAG, offset + k] != 0:
                    _change(rule, U, k, start + i, post[k] + shift, weight, products, x, y, synapse, clock)
        start += groups[g, G_PRE_SIZE]


@njit(cache=True)
def _has_tag(term: Longs) -> bool:
    """Whether a product is 0 where the tag is."""
    found = False
    for f in range(term[P_FACTORS]):
        found |= term[P_FACTOR + 3 * f] == T and term[P_FACTOR + 3 * f + 1] == 0
    return found


@njit(cache=True)
def _change(
    rule: Longs, dependency: int, k: int, at_x: int, at_y: int, weight: Shorts, products: Longs, x: Ints, y: Ints,
    synapse: Ints, clock: Longs,
) -> None:  # fmt: skip
    """Add the due terms of one dependency to one synapse's weight and tag; both read what was before."""
    at = rule[R_Z] + k - rule[R_FIRST]
    w, tag = synapse[Z, at], synapse[TAG, at]
    change_w: Any = np.int64(0)
    change_t: Any = np.int64(0)
    for p in range(rule[R_PRODUCT], rule[R_PRODUCTS]):
        term = products[p]
        if term[P_DEPENDENCY] != dependency:
            continue
        if dependency == U and (clock[NOW] + 1) % term[P_PERIOD] != 0:
            continue
        bits = random_bits(clock, 30 + p, at) if term[P_SHIFT] > 0 else 0
        amount = _amount(term, at_x, at_y, w, tag, x, y, bits)
        if term[P_TARGET] == 0:
            change_w = min(max(change_w + amount, -LARGEST_SUM), LARGEST_SUM - 1)
        else:
            change_t = min(max(change_t + amount, -LARGEST_SUM), LARGEST_SUM - 1)
    if change_t != 0:
        new = ((np.int64(tag) << 7) + change_t + (random_bits(clock, 10 + dependency, at) & 127)) >> 7
        synapse[TAG, at] = min(max(new, -LARGEST_TAG - 1), LARGEST_TAG)
    if change_w != 0:
        new = ((np.int64(w) << 7) + change_w + (random_bits(clock, 20 + dependency, at) & 127)) >> 7
        new = min(max(new, rule[R_MIN]), rule[R_MAX])
        if new != w:
            synapse[Z, at] = new
            held = (new >> 1) << 1 if rule[R_MIXED] == 1 else new
            weight[k] = held << rule[R_EXP]
            clock[UPDATES] += 1


@njit(cache=True)
def _amount(term: Longs, at_x: int, at_y: int, w: int, tag: int, x: Ints, y: Ints, bits: int) -> int:
    """One product in 128ths of the variable's unit, saturated as the accumulator does; `bits` round what it drops."""
    value: Any = np.int64(term[P_MANTISSA])
    for f in range(term[P_FACTORS]):
        variable, constant = term[P_FACTOR + 3 * f], term[P_FACTOR + 3 * f + 1]
        if variable < 2:
            factor: Any = np.int64(x[variable, at_x])
        elif variable < 5:
            factor = np.int64(y[variable - 2, at_y])
        else:
            factor = np.int64(w if variable == W else tag)
        factor += constant
        if term[P_FACTOR + 3 * f + 2] == 1:
            factor = np.int64(1 if factor > 0 else (-1 if factor < 0 else 0))
        limit = 512 if variable >= W else 128
        value *= min(max(factor, -limit), limit - 1)
    size = (abs(value) + (bits & ((1 << term[P_SHIFT]) - 1))) >> term[P_SHIFT]
    size = min(size << (term[P_EXPONENT] + 7), LARGEST_SUM - 1)
    result: int = size if value > 0 else -size
    return result
