"""Spikes on their way: what comes in and what random sources fire."""

from __future__ import annotations

import math

import numpy as np

from neuro_robot.snn.kernels.tables import (
    CELLS,
    INPUT,
    INPUTS,
    L_INPUT,
    L_KIND,
    L_SIZE,
    L_START,
    LARGEST_INPUT,
    LAYERS,
    LINE,
    LOG_SILENT,
    ONE,
    POISSON,
    SENT_COUNT,
    SENT_INDEX,
    SENT_VALUE,
    SOURCE,
    SPIKE_COUNTS,
    ZERO,
    Memory,
    Reals,
    bits,
    inner,
    ints,
    longs,
    singles,
    table_ints,
    table_longs,
    table_reals,
    table_singles,
    table_words,
)

LARGEST_BITS = LARGEST_INPUT.view(np.uint32)
BLOCK = 16  # inputs looked at together: most blocks are silent
NEVER = np.uint64(2**62)
FRESH = np.uint64(2**63)  # in place of the silent draws to come: nothing has been drawn yet


@inner
def are_counts(t: Memory) -> bool:
    """Whether every input is a number from 0 to LARGEST_INPUT.

    Read as unsigned whole numbers, the floats from 0 upwards are in order, and NaN and all negative ones come after
    (so does -0, which is then looked at again); many whole numbers are compared at once.
    """
    words, worst = bits(t, INPUTS), np.uint32(0)
    for k in range(words.shape[0]):
        worst = max(worst, words[k])
    if worst <= LARGEST_BITS:
        return True
    inputs, good = singles(t, INPUTS), True
    for k in range(inputs.shape[0]):
        good &= (inputs[k] >= ZERO) & (inputs[k] <= LARGEST_INPUT)
    return good


@inner
def receive(slot: int, t: Memory) -> None:
    """Pack the non-zero inputs of the input layers into this step's slot."""
    layers, sent_index, sent_value = table_longs(t, LAYERS), table_ints(t, SENT_INDEX), table_singles(t, SENT_VALUE)
    for layer in range(layers.shape[0]):
        if layers[layer, L_KIND] == INPUT:
            first, start, size = layers[layer, L_INPUT], layers[layer, L_START], layers[layer, L_SIZE]
            here, inputs = slice(start, start + size), singles(t, INPUTS)[first : first + size]
            words = bits(t, INPUTS)[first : first + size]
            found = _pack(words, inputs, sent_index[slot, here], sent_value[slot, here])
            _count(layer, slot, found, t)


@inner
def draw(slot: int, t: Memory) -> None:
    """Write what the random sources fire into this step's slot."""
    layers, sent_index, sent_value = table_longs(t, LAYERS), table_ints(t, SENT_INDEX), table_singles(t, SENT_VALUE)
    for layer in range(layers.shape[0]):
        if layers[layer, L_KIND] == POISSON:
            start, size = layers[layer, L_START], layers[layer, L_SIZE]
            silent = table_reals(t, CELLS)[layer, LOG_SILENT]
            found = _draw(table_words(t, SOURCE)[:, layer], silent, size, sent_index[slot, start : start + size])
            sent_value[slot, start : start + found] = ONE
            _count(layer, slot, found, t)


@inner
def _count(layer: int, slot: int, found: int, t: Memory) -> None:
    start, sent_index = table_longs(t, LAYERS)[layer, L_START], table_ints(t, SENT_INDEX)
    table_ints(t, SENT_COUNT)[slot, layer] = found
    spike_counts = longs(t, SPIKE_COUNTS)
    for m in range(start, start + found):
        spike_counts[start + sent_index[slot, m]] += 1


@inner
def _pack(words: Reals, inputs: Reals, index: Reals, value: Reals) -> int:
    """Write the non-zero inputs and where they are; returns how many there are. words: the bits of inputs."""
    found, size = 0, inputs.shape[0]
    for block in range(0, size, BLOCK):
        stop, loud = min(block + BLOCK, size), np.uint32(0)
        for k in range(block, stop):
            loud |= words[k]
        if loud != 0:
            for k in range(block, stop):
                if inputs[k] != ZERO:
                    index[found] = k
                    value[found] = inputs[k]
                    found += 1
    return found


@inner
def receive_list(slot: int, lines: Reals, values: Reals, t: Memory) -> None:
    """As `receive`, from the numbers and values of the non-zero inputs, ascending."""
    layers = table_longs(t, LAYERS)
    sent_count = table_ints(t, SENT_COUNT)
    line = ints(t, LINE)
    sent_index = table_ints(t, SENT_INDEX)
    sent_value = table_singles(t, SENT_VALUE)
    spike_counts = longs(t, SPIKE_COUNTS)
    for layer in range(layers.shape[0]):
        if layers[layer, L_KIND] == INPUT:
            sent_count[slot, layer] = 0
    for m in range(lines.shape[0]):
        layer = line[lines[m]]
        start, found = layers[layer, L_START], sent_count[slot, layer]
        index = lines[m] - layers[layer, L_INPUT]
        sent_index[slot, start + found] = index
        sent_value[slot, start + found] = values[m]
        sent_count[slot, layer] = found + 1
        spike_counts[start + index] += 1


@inner
def _draw(source: Reals, log_silent: float, size: int, index: Reals) -> int:
    """Which of size neurons fire: the gaps between successes of independent draws are geometric.

    So one number is drawn for each spike, not for each neuron. source: random state (SplitMix64, Steele et al. 2014),
    and how many silent draws come before the next spike.
    """
    if log_silent >= 0.0:
        return 0
    found, gap = 0, source[1]
    if gap == FRESH:
        gap = _gap(source, log_silent)
    at = np.uint64(0)
    while gap < np.uint64(size) - at:
        at += gap
        index[found] = at
        found += 1
        at += np.uint64(1)
        gap = _gap(source, log_silent)
    source[1] = gap - (np.uint64(size) - at)
    return found


@inner
def _gap(source: Reals, log_silent: float) -> np.uint64:
    """Failures before the next success, log_silent = log(1 - p)."""
    source[0] += np.uint64(0x9E3779B97F4A7C15)
    z = source[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    uniform = (np.float64(z >> np.uint64(11)) + 0.5) * 2.0**-53
    gap = math.log(uniform) / log_silent
    return NEVER if gap > 4e18 else np.uint64(gap)
