"""Large layers and large arrivals divided among threads: every thread has a block of neurons of its own.

A neuron is written by one thread alone, and what it receives is added in the order of one thread: the bits are the
same whatever the number. Waking threads takes some microseconds, so small work is done by one.
"""

from __future__ import annotations

from numba import njit, prange

from neuro_robot.snn.kernels import arrivals, membranes
from neuro_robot.snn.kernels.tables import (
    CELLS,
    COUNTERS,
    CURRENT,
    FIRED,
    G_POST_SIZE,
    G_POST_START,
    G_ROW,
    G_SPLIT,
    L_REF_STEPS,
    L_SIZE,
    L_START,
    LAYERS,
    OPERATIONS,
    POST,
    REFRACTORY,
    ROW,
    STATE,
    THRESHOLD,
    WEIGHT,
    Memory,
    Reals,
    V,
    bytes_of,
    inner,
    ints,
    longs,
    reals,
    table_longs,
    table_reals,
)

LEAST_NEURONS = 16_384  # below, a thread alone is faster
LEAST_SYNAPSES = 8_192
divided = njit(parallel=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)


@inner
def integrate_leaky(layer: int, threads: int, t: Memory) -> None:
    """As membranes.integrate_leaky."""
    layers = table_longs(t, LAYERS)
    start, size = layers[layer, L_START], layers[layer, L_SIZE]
    if size < LEAST_NEURONS:
        membranes.integrate_leaky(layer, t)
        return
    here, state = slice(start, start + size), table_reals(t, STATE)
    _leaky(
        state[V, here], state[CURRENT, here], reals(t, THRESHOLD)[here], ints(t, REFRACTORY)[here],
        bytes_of(t, FIRED)[here], table_reals(t, CELLS)[layer], layers[layer, L_REF_STEPS], threads,
    )  # fmt: skip


@divided
def _leaky(
    v: Reals, current: Reals, threshold: Reals, left: Reals, fired: Reals, cell: Reals, ref: int, threads: int
) -> None:
    for block in prange(threads):
        a, b = v.shape[0] * block // threads, v.shape[0] * (block + 1) // threads
        membranes.leaky(v[a:b], current[a:b], threshold[a:b], left[a:b], fired[a:b], cell, ref)


@inner
def fixed(group: Reals, index: Reals, value: Reals, threads: int, t: Memory) -> None:
    """As arrivals.fixed."""
    row, reached = longs(t, ROW)[group[G_ROW] :], 0
    for m in range(index.shape[0]):
        reached += row[index[m] + 1] - row[index[m]]
    if reached < LEAST_SYNAPSES or group[G_SPLIT] == 1:
        arrivals.fixed(group, index, value, t)
        return
    _scatter(
        table_reals(t, STATE)[CURRENT], row, ints(t, POST), reals(t, WEIGHT), index, value, group[G_POST_START],
        group[G_POST_SIZE], threads,
    )  # fmt: skip
    longs(t, COUNTERS)[OPERATIONS] += reached


@divided
def _scatter(
    current: Reals, row: Reals, post: Reals, weight: Reals, index: Reals, value: Reals, start: int, size: int,
    threads: int,
) -> None:  # fmt: skip
    for block in prange(threads):
        low, high = start + size * block // threads, start + size * (block + 1) // threads
        for m in range(index.shape[0]):
            first, last = row[index[m]], row[index[m] + 1]
            a = _first_from(post, first, last, low)
            b = _first_from(post, a, last, high)
            arrivals.scatter(current, post[a:b], weight[a:b], value[m])


@inner
def _first_from(post: Reals, first: int, last: int, neuron: int) -> int:
    """The first of the synapses first .. last, ascending in their neurons, that reaches neuron or one after it."""
    while first < last:
        middle = (first + last) // 2
        if post[middle] < neuron:
            first = middle + 1
        else:
            last = middle
    return first
