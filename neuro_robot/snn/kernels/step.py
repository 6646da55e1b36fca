"""The order of a step, and the entry points that are called from Python: one table of addresses is their argument.

The order inside a step: reward moves weights and eligibility decays; traces decay; spikes arrive (deposit with the
weight as it stands, then depression, then the pre trace); membranes are integrated and tested; post spikes
potentiate and raise their trace; sums of products are evaluated; weights are scaled.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

from numba import njit

from neuro_robot.snn.kernels import arrivals, deferred, membranes, owing, plasticity, products, scaling, threads
from neuro_robot.snn.kernels import tables as k
from neuro_robot.snn.kernels.spikes import are_counts, draw, receive, receive_list
from neuro_robot.snn.kernels.tables import ints, longs, table_ints, table_longs, table_singles
from neuro_robot.snn.kernels.traces import raise_pre


class Parts(NamedTuple):
    """What a network has, so that only the code for that is compiled."""

    cells: bool  # other neurons than IF and LIF
    eager: bool
    deferred: bool
    products: bool
    scaling: bool
    threads: int  # 1: nothing is divided


class Entries(NamedTuple):
    """The compiled entry points for one type of floats and certain parts; all take the frame first."""

    step: Any  # () -> spikes found, or -1 when an input is not a count
    run: Any  # (steps, first of each step, lines, values, spikes out, counts out) -> spikes found
    settle: Any  # (rule) puts in what a deferred rule owes
    settled: Any  # (rule, weights out) tells the weights as they would be settled, and leaves the network alone


def parts_of(tables: k.Tables, threads: int = 1) -> Parts:
    """The parts that a network has, and among how many threads its large ones are divided."""
    kinds, rules = set(tables.layers[:, k.L_KIND]), set(tables.rules[:, k.R_KIND])
    others = bool(kinds - {k.INPUT, k.LEAKY, k.POISSON})
    scaled = len(tables.scalings) > 0
    return Parts(others, k.EAGER in rules, k.DEFERRED in rules, k.PRODUCTS in rules, scaled, threads)


@functools.cache
def entries(real: Any, parts: Parts) -> Entries:
    """The entry points, compiled when they are first called.

    A part that is missing is told as None: numba leaves out what an `is not None` of None guards. The functions are
    global and the closures hold constants only, as otherwise their cache would never be hit.
    """
    cells, eager, deferral, sums, scalings = (True if part else None for part in parts[:5])
    shares = parts.threads if parts.threads > 1 else None

    @njit(cache=True)
    def step(frame: k.Longs) -> Any:
        t = k.memory(frame, real)
        if not are_counts(t):
            return -1
        now = longs(t, k.COUNTERS)[k.STEP]
        receive(now % table_ints(t, k.SENT_COUNT).shape[0], t)
        draw(now % table_ints(t, k.SENT_COUNT).shape[0], t)
        return advance(now, t, cells, eager, deferral, sums, scalings, shares)

    @njit(cache=True)
    def run(
        frame: k.Longs, steps: int, first: k.Longs, lines: k.Longs, values: k.Reals, out: k.Longs, counts: k.Longs
    ) -> Any:
        t = k.memory(frame, real)
        spikes, found = ints(t, k.SPIKES), 0
        for n in range(steps):
            now = longs(t, k.COUNTERS)[k.STEP]
            slot = now % table_ints(t, k.SENT_COUNT).shape[0]
            draw(slot, t)
            receive_list(slot, lines[first[n] : first[n + 1]], values[first[n] : first[n + 1]], t)
            counts[n] = advance(now, t, cells, eager, deferral, sums, scalings, shares)
            out[found : found + counts[n]] = spikes[: counts[n]]
            found += counts[n]
        return found

    @njit(cache=True)
    def settle(frame: k.Longs, rule: int) -> None:
        owing.settle_rule(rule, k.memory(frame, real))

    @njit(cache=True)
    def settled(frame: k.Longs, rule: int, weight: k.Reals) -> None:
        t = k.memory(frame, real)
        rules = table_longs(t, k.RULES)
        for trace in range(rules[rule, k.R_PRE_FIRST], rules[rule, k.R_PRE_LAST]):
            owing.settle(rule, trace, weight, t)

    return Entries(step, run, settle, settled)


Part = Any  # None where the network does not have it


@k.inner
def advance(
    now: int, t: k.Memory, cells: Part, eager: Part, deferral: Part, sums: Part, scalings: Part, shares: Part
) -> Any:
    """A step from the received spikes on; returns how many neurons fired."""
    slot, layers = now % table_ints(t, k.SENT_COUNT).shape[0], table_longs(t, k.LAYERS)
    begin(t, eager, deferral, sums)
    arrive(now, t, eager, deferral, sums, shares)
    found = 0
    for layer in range(layers.shape[0]):
        kind = layers[layer, k.L_KIND]
        if kind in (k.INPUT, k.POISSON):
            continue
        if kind == k.LEAKY and shares is None:
            membranes.integrate_leaky(layer, t)
        if shares is not None and kind == k.LEAKY:
            threads.integrate_leaky(layer, shares, t)
        if cells is not None:
            membranes.integrate(layer, kind, t)
        found = membranes.collect(layer, slot, found, t)
    potentiate(slot, t, eager, deferral)
    raise_late(now, t, eager, deferral)
    if sums is not None:
        products.learn(now, t)
    if scalings is not None:
        scaling.scale(slot, t)
    longs(t, k.COUNTERS)[k.STEP] = now + 1
    return found


@k.inner
def begin(t: k.Memory, eager: Part, deferral: Part, sums: Part) -> None:
    """Every rule before the spikes of a step."""
    rules = table_longs(t, k.RULES)
    for r in range(rules.shape[0]):
        kind = rules[r, k.R_KIND]
        if eager is not None and kind == k.EAGER:
            plasticity.begin(r, t)
        if deferral is not None and kind == k.DEFERRED:
            deferred.begin(r, t)
        if sums is not None and kind == k.PRODUCTS:
            products.begin(r, t)


@k.inner
def arrive(now: int, t: k.Memory, eager: Part, deferral: Part, sums: Part, shares: Part) -> None:
    """Everything that arrives in this step, group by group."""
    groups, rules, sent_count = table_longs(t, k.GROUPS), table_longs(t, k.RULES), table_ints(t, k.SENT_COUNT)
    sent_index, sent_value = table_ints(t, k.SENT_INDEX), table_singles(t, k.SENT_VALUE)
    for g in range(groups.shape[0]):
        group = groups[g]
        slot = (now - group[k.G_LAG]) % sent_count.shape[0]
        count = sent_count[slot, group[k.G_LAYER]]
        if count == 0:
            continue
        index = sent_index[slot, group[k.G_START] : group[k.G_START] + count]
        value = sent_value[slot, group[k.G_START] : group[k.G_START] + count]
        kind = -1 if group[k.G_RULE] < 0 else rules[group[k.G_RULE], k.R_KIND]
        if kind < 0 and shares is None:
            arrivals.fixed(group, index, value, t)
        if shares is not None and kind < 0:
            threads.fixed(group, index, value, shares, t)
        if eager is not None and kind == k.EAGER:
            arrivals.eager(group, index, value, t)
        if deferral is not None and kind == k.DEFERRED:
            deferred.arrive(group, index, value, t)
        if sums is not None and kind == k.PRODUCTS:
            products.arrive(group, index, value, t)


@k.inner
def potentiate(slot: int, t: k.Memory, eager: Part, deferral: Part) -> None:
    """The post spikes of this step, rule by rule."""
    rules, sent_count = table_longs(t, k.RULES), table_ints(t, k.SENT_COUNT)
    sent_index = table_ints(t, k.SENT_INDEX)
    for r in range(rules.shape[0]):
        rule, kind = rules[r], rules[r, k.R_KIND]
        for m in range(rule[k.R_START], rule[k.R_START] + sent_count[slot, rule[k.R_LAYER]]):
            if eager is not None and kind == k.EAGER:
                plasticity.potentiate(r, sent_index[slot, m], t)
            if deferral is not None and kind == k.DEFERRED:
                deferred.potentiate(r, sent_index[slot, m], t)
        if deferral is not None and kind == k.DEFERRED:
            deferred.finish(r, t)


@k.inner
def raise_late(now: int, t: k.Memory, eager: Part, deferral: Part) -> None:
    """Raise the pre traces that must not have paired with the spikes of this step."""
    rules, groups, sent_count = table_longs(t, k.RULES), table_longs(t, k.GROUPS), table_ints(t, k.SENT_COUNT)
    sent_index, sent_value = table_ints(t, k.SENT_INDEX), table_singles(t, k.SENT_VALUE)
    for g in range(groups.shape[0]):
        group = groups[g]
        if group[k.G_RULE] < 0 or rules[group[k.G_RULE], k.R_SAME_STEP] == 1:
            continue
        kind, then = rules[group[k.G_RULE], k.R_KIND], (now - group[k.G_LAG]) % sent_count.shape[0]
        for m in range(group[k.G_START], group[k.G_START] + sent_count[then, group[k.G_LAYER]]):
            if eager is not None and kind == k.EAGER:
                trace = group[k.G_TRACE] + sent_index[then, m]
                raise_pre(rules[group[k.G_RULE]], trace, sent_value[then, m], t)
            if deferral is not None and kind == k.DEFERRED:
                deferred.raise_late(group, sent_index[then, m], sent_value[then, m], t)
