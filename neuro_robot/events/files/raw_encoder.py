"""Writing EVT2, EVT2.1 and EVT4: events and triggers in, 32-bit words out (two for each word of EVT2.1)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from neuro_robot.events.array import Events, Triggers
from neuro_robot.events.files.raw_words import (
    EVT2,
    EVT4,
    EVT21_LEGACY,
    GLITCH,
    HIGH,
    HIGH_BITS,
    HIGH_MASK,
    LAYOUT,
    LOW_BITS,
    LOW_MASK,
    MASK_BITS,
    MOST_CHANNEL,
)
from neuro_robot.events.files.words import MOST_TIME_US, Words
from neuro_robot.events.vectors import Integers

_HALF = 1 << HIGH_BITS - 1
_WORTH_A_VECTOR = 3  # in EVT4, where a vector costs two words


@njit(cache=True)
def encode(events: Events, triggers: Triggers, state: Integers, words: Words) -> tuple[int, int, int]:
    """See words.Encode; words: (n,) uint32, n even."""
    high, layout = state[HIGH], state[LAYOUT]
    time_code, trigger_code = (0xE, 0x9) if layout == EVT4 else (0x8, 0xA)
    i = j = n = 0
    while True:
        until_us = triggers[j].t // 1000 if j < len(triggers) else MOST_TIME_US + 1
        i, n, high = _encode_events(events, i, until_us, high, layout, time_code, words, n)
        full = n + 2 > len(words)
        if full or j == len(triggers) or (i < len(events) and events[i].t // 1000 <= until_us):
            break
        word, high, is_trigger = _towards_trigger(triggers[j], high, time_code, trigger_code)
        if word < 0:
            break
        n = _put_word(words, n, word, 0, layout)
        j += is_trigger
    state[HIGH] = high
    return i, j, n


@njit(cache=True)
def _encode_events(
    events: Events, i: int, until_us: int, high: int, layout: int, time_code: int, words: Words, n: int
) -> tuple[int, int, int]:
    """Encode events from i to until_us; -> (next event, next word, HIGH)."""
    off_code = 0xA if layout == EVT4 else 0x0
    while i < len(events) and n + 2 <= len(words):
        event = events[i]
        t_us = event.t // 1000
        if t_us > until_us:
            break
        if t_us >> LOW_BITS != high:
            step = _step_towards(high, t_us >> LOW_BITS)
            if step < 0:
                break
            high = step
            n = _put_word(words, n, time_code << 28 | high & HIGH_MASK, 0, layout)
            continue
        word = off_code + int(event.p) << 28 | (t_us & LOW_MASK) << 22 | int(event.x) << 11 | int(event.y)
        if layout == EVT2:
            words[n] = word
            i, n = i + 1, n + 1
            continue
        base = int(event.x) & -MASK_BITS
        mask, i_next = _window(events, i, base)
        if layout == EVT4 and i_next - i < _WORTH_A_VECTOR:
            words[n] = word
            i, n = i + 1, n + 1
            continue
        word ^= (int(event.x) ^ base) << 11
        if layout == EVT4:
            words[n], words[n + 1] = word + (2 << 28), mask
            n += 2
        else:
            n = _put_word(words, n, word, mask, layout)
        i = i_next
    return i, n, high


@njit(cache=True)
def _window(events: Events, i: int, base: int) -> tuple[int, int]:
    """(mask, next index): events from i on like the first, with x rising up to base + 31.

    Cameras give vectors whose base is a multiple of 32, and openeb complains of one that leaves the sensor.
    """
    first = events[i]
    before_ns = (first.t // 1000 + 1) * 1000
    mask = 0
    least = int(first.x)
    while i < len(events):
        event = events[i]
        x = int(event.x)
        alike = event.y == first.y and event.p == first.p and before_ns - 1000 <= event.t < before_ns
        if not alike or x < least or x >= base + MASK_BITS:
            break
        mask |= 1 << (x - base)
        least = x + 1
        i += 1
    return mask, i


@njit(cache=True)
def _towards_trigger(trigger: Any, high: int, time_code: int, trigger_code: int) -> tuple[int, int, bool]:
    """-> (the next word on the way to this trigger, HIGH after it, whether it is the trigger itself).

    The word is -1 where no reader would follow, and for a channel that it cannot hold.
    """
    t_us = trigger.t // 1000
    if t_us >> LOW_BITS != high:
        step = _step_towards(high, t_us >> LOW_BITS)
        return (time_code << 28 | step & HIGH_MASK, step, False) if step >= 0 else (-1, high, False)
    if trigger.id > MOST_CHANNEL:
        return -1, high, False
    low = (t_us & LOW_MASK) << 22
    return trigger_code << 28 | low | np.int64(trigger.id) << 8 | np.int64(trigger.value & 1), high, True


@njit(cache=True)
def _step_towards(high: int, target: int) -> int:
    """The next HIGH to write on the way from high to target; -1 when no reader would follow there.

    A roll-over is written as the last count of the old period and the first of the new one, which every reader
    takes for one, and long pauses in steps. A step back is possible by half a period, across a roll-over by a second.
    """
    roll_over = high >= 0 and target >> HIGH_BITS != high >> HIGH_BITS
    if high >= 0 and target < high:
        return target if high - target <= (GLITCH if roll_over else _HALF) else -1
    last = high | HIGH_MASK
    if roll_over:
        target = last if high != last else high + 1
    return target if high < 0 else min(target, high + _HALF)


@njit(cache=True)
def _put_word(words: Words, n: int, word: int, mask: int, layout: int) -> int:
    """Write a word, for EVT2.1 with its other half; -> next word."""
    if layout in (EVT2, EVT4):
        words[n] = word
        return n + 1
    word_first = layout == EVT21_LEGACY
    words[n] = word if word_first else mask
    words[n + 1] = mask if word_first else word
    return n + 2
