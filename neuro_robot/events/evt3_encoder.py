"""Encoder of the `evt3` encoding: one call, one self-contained packet."""

from __future__ import annotations

import numpy as np
from numba import njit

from neuro_robot.events.array import Events, as_kernel_input
from neuro_robot.events.codec import Words
from neuro_robot.events.evt3_words import (
    ADDR_X,
    ADDR_Y,
    HIGH_COUNTS,
    LOW_BITS,
    POLARITY_SHIFT,
    TIME_HIGH,
    TIME_LOW,
    VECT_8,
    VECT_12,
    VECT_BASE_X,
    WORD,
)

# A receiver may take a longer step of TIME_HIGH for a step back; this is half the range, the least that openeb accepts
# as a roll-over.
_LONGEST_STEP = HIGH_COUNTS // 2
MAX_SPAN_US = 2**30
_MOST_STEPS = (MAX_SPAN_US >> LOW_BITS) // _LONGEST_STEP + 1
_WORTH_A_VECTOR = 3  # a vector costs VECT_BASE_X and the mask, so two events are no cheaper than two ADDR_X


def encode(events: Events, t_end_ns: int) -> tuple[int, Words]:
    """Sorted events, t_end_ns not before the last -> (time_base: ns of the packet's start, at least 1; words).

    Times are floored to whole microseconds. Apart from that decoding gives back the same events in the same order:
    vectors are used only where the input already runs along a row with rising x in one microsecond. The packet starts
    with TIME_HIGH, TIME_LOW and ends with those of t_end_ns.
    """
    t_start_ns = int(events["t"][0]) if len(events) else t_end_ns
    words = np.empty(4 * len(events) + 4 + 2 * _MOST_STEPS, WORD)
    n = _encode_words(as_kernel_input(events), t_start_ns // 1000, t_end_ns // 1000, words)
    return max(t_start_ns, 1), words[:n].copy()


@njit(cache=True)
def _encode_words(events: Events, start_us: int, end_us: int, words: Words) -> int:
    """-> number of words written; the capacity covers four words for each event, both ends and the longest span."""
    n: int = _put_time(words, 0, start_us, start_us >> LOW_BITS, True)
    now_us = start_us
    row = -1
    i = 0
    while i < len(events):
        t_us = events[i].t // 1000
        if t_us != now_us:
            n = _put_time(words, n, t_us, now_us >> LOW_BITS, False)
            now_us = t_us
        if events[i].y != row:
            row = int(events[i].y)
            words[n] = ADDR_Y << 12 | row
            n += 1
        x, p = int(events[i].x), int(events[i].p)
        mask, i_next = _window(events, i, x, row, p, t_us)
        if i_next - i < _WORTH_A_VECTOR:
            words[n] = ADDR_X << 12 | p << POLARITY_SHIFT | x
            n += 1
            i += 1
            continue
        words[n] = VECT_BASE_X << 12 | p << POLARITY_SHIFT | x
        n += 1
        while i_next > i:
            # Both masks cost one word; cameras end a group with the short one.
            short = mask < 1 << 8
            words[n] = (VECT_8 if short else VECT_12) << 12 | mask
            n += 1
            x += 8 if short else 12
            i = i_next
            mask, i_next = _window(events, i, x, row, p, t_us)
    if len(events):
        n = _put_time(words, n, end_us, now_us >> LOW_BITS, True)
    return n


@njit(cache=True)
def _put_time(words: Words, n: int, t_us: int, high_before: int, both: bool) -> int:
    """Write the time words that lead from the high half high_before to t_us; both halves when asked to."""
    high = t_us >> LOW_BITS
    while high - high_before > _LONGEST_STEP:
        high_before += _LONGEST_STEP
        words[n] = TIME_HIGH << 12 | high_before & (HIGH_COUNTS - 1)
        n += 1
    if both or high != high_before:
        words[n] = TIME_HIGH << 12 | high & (HIGH_COUNTS - 1)
        n += 1
    words[n] = TIME_LOW << 12 | t_us & ((1 << LOW_BITS) - 1)
    return n + 1


@njit(cache=True)
def _window(events: Events, i: int, base: int, row: int, p: int, t_us: int) -> tuple[int, int]:
    """(mask, next index): events from i on in this row, polarity and microsecond with x rising in base..base+11."""
    after_ns = (t_us + 1) * 1000
    mask = 0
    least = base
    while i < len(events):
        event = events[i]
        x = int(event.x)
        if x < least or x >= base + 12 or event.y != row or event.p != p or event.t >= after_ns:
            break
        mask |= 1 << (x - base)
        least = x + 1
        i += 1
    return mask, i
