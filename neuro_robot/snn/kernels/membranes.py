"""The neurons: one function per type integrates a layer by one step and marks who fired."""

from __future__ import annotations

import math
from typing import Any

from neuro_robot.snn.kernels.tables import (
    ADAPTATION,
    ADAPTIVE,
    ADEX,
    BETA,
    C_A,
    C_B,
    C_D,
    CELLS,
    CONDUCTANCE,
    COUPLING,
    CURRENT,
    DECAY_ADAPT,
    DECAY_INH,
    DECAY_MEM,
    DECAY_SYN,
    DELTA_T,
    DRIFT,
    E_EXC,
    E_INH,
    EXTRA,
    FIRED,
    INHIBITION,
    IZHIKEVICH,
    KICK,
    L_REF_STEPS,
    L_SIZE,
    L_START,
    L_SUBSTEPS,
    LAYERS,
    LEAK,
    ONE,
    PART,
    REFRACTORY,
    SENT_COUNT,
    SENT_INDEX,
    SENT_VALUE,
    SPIKE_COUNTS,
    SPIKES,
    STATE,
    THRESHOLD,
    TINY,
    V_INF,
    V_RESET,
    V_T,
    ZERO,
    Memory,
    Reals,
    V,
    bytes_of,
    inner,
    ints,
    longs,
    reals,
    table_ints,
    table_longs,
    table_reals,
    table_singles,
)

BLOCK = 32  # neurons looked at together for spikes: most blocks are silent


@inner
def integrate(layer: int, kind: int, t: Memory) -> None:
    """Integrate one layer of neurons that are more than leaky, and mark who fired."""
    layers = table_longs(t, LAYERS)
    start, ref, parts = layers[layer, L_START], layers[layer, L_REF_STEPS], layers[layer, L_SUBSTEPS]
    here, cell = slice(start, start + layers[layer, L_SIZE]), table_reals(t, CELLS)[layer]
    v, current = table_reals(t, STATE)[V, here], table_reals(t, STATE)[CURRENT, here]
    second, adaptation = table_reals(t, EXTRA)[INHIBITION, here], table_reals(t, EXTRA)[ADAPTATION, here]
    threshold, left, fired = reals(t, THRESHOLD)[here], ints(t, REFRACTORY)[here], bytes_of(t, FIRED)[here]
    if kind == ADAPTIVE:
        adaptive(v, current, adaptation, threshold, left, fired, cell, ref)
    elif kind == CONDUCTANCE:
        conductance(v, current, second, threshold, left, fired, cell, ref)
    elif kind == IZHIKEVICH:
        izhikevich(v, current, adaptation, threshold, fired, cell, parts)
    elif kind == ADEX:
        adex(v, current, adaptation, threshold, left, fired, cell, ref, parts)


@inner
def integrate_leaky(layer: int, t: Memory) -> None:
    """Integrate one layer of IF or LIF neurons, and mark who fired."""
    layers = table_longs(t, LAYERS)
    start = layers[layer, L_START]
    here = slice(start, start + layers[layer, L_SIZE])
    state = table_reals(t, STATE)
    leaky(
        state[V, here], state[CURRENT, here], reals(t, THRESHOLD)[here], ints(t, REFRACTORY)[here],
        bytes_of(t, FIRED)[here], table_reals(t, CELLS)[layer], layers[layer, L_REF_STEPS],
    )  # fmt: skip


@inner
def collect(layer: int, slot: int, found: int, t: Memory) -> Any:
    """List and count who fired in one layer, after found others; returns how many have been found now."""
    layers, spikes, spike_counts = table_longs(t, LAYERS), ints(t, SPIKES), longs(t, SPIKE_COUNTS)
    start = layers[layer, L_START]
    here = slice(start, start + layers[layer, L_SIZE])
    index, value = table_ints(t, SENT_INDEX)[slot, here], table_singles(t, SENT_VALUE)[slot, here]
    new = _collect(bytes_of(t, FIRED)[here], start, spikes[found:], index, value)
    for m in range(found, found + new):
        spike_counts[spikes[m]] += 1
    table_ints(t, SENT_COUNT)[slot, layer] = new
    return found + new


@inner
def _collect(fired: Reals, start: int, spikes: Reals, index: Reals, value: Reals) -> int:
    """List who fired."""
    found = 0
    for block in range(0, fired.shape[0], BLOCK):
        stop = min(block + BLOCK, fired.shape[0])
        loud = 0
        for n in range(block, stop):
            loud |= fired[n]
        if loud != 0:
            for n in range(block, stop):
                if fired[n] != 0:
                    spikes[found] = start + n
                    index[found] = n
                    value[found] = ONE
                    found += 1
    return found


@inner
def leaky(v: Reals, current: Reals, threshold: Reals, left: Reals, fired: Reals, cell: Reals, ref: int) -> None:
    """IF and LIF, exact; no branch inside, so that it becomes vector code."""
    a, b, c = cell[DECAY_MEM], cell[DECAY_SYN], cell[COUPLING]
    rest, drift, reset = cell[V_INF], cell[DRIFT], cell[V_RESET]
    for n in range(v.shape[0]):
        i = current[n]
        u = rest + (v[n] - rest) * a + c * i + drift
        i = i * b
        current[n] = i if abs(i) >= TINY else ZERO
        held = left[n] > 0
        spike = (not held) & (u >= threshold[n])
        left[n] = left[n] - 1 if held else (ref if spike else 0)
        u = reset if (held | spike) else u
        v[n] = u if abs(u) >= TINY else ZERO
        fired[n] = spike


@inner
def adaptive(
    v: Reals, current: Reals, adaptation: Reals, threshold: Reals, left: Reals, fired: Reals, cell: Reals, ref: int
) -> None:
    """AdaptiveLIF: a LIF against a threshold that its own spikes lift."""
    a, b, c, rest, reset = cell[DECAY_MEM], cell[DECAY_SYN], cell[COUPLING], cell[V_INF], cell[V_RESET]
    beta, keep = cell[BETA], cell[DECAY_ADAPT]
    for n in range(v.shape[0]):
        i = current[n]
        u = rest + (v[n] - rest) * a + c * i
        i = i * b
        current[n] = i if abs(i) >= TINY else ZERO
        lift = adaptation[n] * keep
        held = left[n] > 0
        spike = (not held) & (u >= threshold[n] + beta * lift)
        left[n] = left[n] - 1 if held else (ref if spike else 0)
        lift = lift + ONE if spike else lift
        adaptation[n] = lift if lift >= TINY else ZERO
        u = reset if (held | spike) else u
        v[n] = u if abs(u) >= TINY else ZERO
        fired[n] = spike


@inner
def conductance(
    v: Reals, exc: Reals, inh: Reals, threshold: Reals, left: Reals, fired: Reals, cell: Reals, ref: int
) -> None:
    """ConductanceLIF, by exponential Euler; cell[DECAY_MEM] holds dt / tau_mem here."""
    rate, keep_exc, keep_inh = cell[DECAY_MEM], cell[DECAY_SYN], cell[DECAY_INH]
    rest, reset, e_exc, e_inh = cell[V_INF], cell[V_RESET], cell[E_EXC], cell[E_INH]
    for n in range(v.shape[0]):
        g_e, g_i = exc[n], inh[n]
        g = ONE + g_e + g_i
        goal = (rest + g_e * e_exc + g_i * e_inh) / g
        u = goal + (v[n] - goal) * math.exp(-rate * g)
        g_e, g_i = g_e * keep_exc, g_i * keep_inh
        exc[n] = g_e if abs(g_e) >= TINY else ZERO
        inh[n] = g_i if abs(g_i) >= TINY else ZERO
        held = left[n] > 0
        spike = (not held) & (u >= threshold[n])
        left[n] = left[n] - 1 if held else (ref if spike else 0)
        v[n] = reset if (held | spike) else u
        fired[n] = spike


@inner
def izhikevich(
    v: Reals, current: Reals, recovery: Reals, threshold: Reals, fired: Reals, cell: Reals, parts: int
) -> None:
    """Izhikevich, by Euler in parts of a step; cell: a, b, d, the part in ms, bias, and c as the reset."""
    a, b, d, part, bias = cell[C_A], cell[C_B], cell[C_D], cell[PART], cell[V_INF]
    quadratic, linear, constant = cell[DECAY_MEM], cell[V_T], cell[DELTA_T]
    kick = cell[KICK]
    for n in range(v.shape[0]):
        x, u, i = v[n] + kick * current[n], recovery[n], (ONE - kick) * current[n]
        spike = 0
        for _ in range(parts):
            slope = quadratic * x * x + linear * x + constant - u + i + bias
            u += part * (a * (b * x - u))
            x += part * slope
            if x >= threshold[n]:
                x, u, spike = cell[V_RESET], u + d, 1
        v[n], recovery[n], fired[n] = x, u, spike
        i = current[n] * cell[DECAY_SYN]
        current[n] = i if abs(i) >= TINY else ZERO


@inner
def adex(
    v: Reals, current: Reals, w: Reals, threshold: Reals, left: Reals, fired: Reals, cell: Reals, ref: int, parts: int
) -> None:
    """AdEx, by Euler in parts of a step; cell: see `constants`."""
    per_c, per_tau, leak, rest = cell[DECAY_MEM], cell[PART], cell[LEAK], cell[COUPLING]
    kick, bias, reset = cell[KICK], cell[V_INF], cell[V_RESET]
    for n in range(v.shape[0]):
        held = left[n] > 0
        x, u, i = v[n] + kick * current[n], w[n], (ONE - kick) * current[n]
        x = reset if held else min(x, threshold[n])
        spike = 0
        for _ in range(parts):
            if held | ((spike == 1) & (ref > 0)):
                x = reset
                u += per_tau * (cell[C_A] * (x - rest) - u)
                continue
            rise = leak * cell[DELTA_T] * math.exp((x - cell[V_T]) / cell[DELTA_T])
            slope = rise - leak * (x - rest) - u + i + bias
            u += per_tau * (cell[C_A] * (x - rest) - u)
            x += per_c * slope
            if x >= threshold[n]:
                x, u, spike = reset, u + cell[C_B], 1
        left[n] = left[n] - 1 if held else (ref if spike == 1 else 0)
        v[n], w[n], fired[n] = x, u, spike
        i = current[n] * cell[DECAY_SYN]
        current[n] = i if abs(i) >= TINY else ZERO
