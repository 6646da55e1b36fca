"""Encoder of the `evt3` encoding: one call, one self-contained packet.

Vectors are written as cameras do, in groups of VECT_12, VECT_12, VECT_8 for 32 pixels of a row that lie inside the
sensor: openeb (evt3_decoder.h, evt3_validator.h) reads nothing else, although the format's description has each word
stand for itself.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from neuro_robot.events.array import Events, Triggers, as_kernel_input, empty_triggers
from neuro_robot.events.codec import Words
from neuro_robot.events.evt3_words import (
    ADDR_X,
    ADDR_Y,
    EXT_TRIGGER,
    HIGH_COUNTS,
    TIME_HIGH,
    TIME_LOW,
    VECT_8,
    VECT_12,
    VECT_BASE_X,
)
from neuro_robot.events.vectors import (
    ADDRESS_MASK,
    ALONG_X,
    CODE_SHIFT,
    LOW_BITS,
    LOW_MASK,
    PAYLOAD_MASK,
    POLARITY_SHIFT,
    WORD,
    Slots,
    as_slots,
    run,
)

# A receiver may take a longer step of TIME_HIGH for a step back; this is half the range, the least that openeb accepts
# as a roll-over.
_LONGEST_STEP = HIGH_COUNTS // 2
MAX_SPAN_US = 2**30
_MOST_STEPS = (MAX_SPAN_US >> LOW_BITS) // _LONGEST_STEP + 1
_GROUP = 32  # pixels of VECT_12, VECT_12, VECT_8
_WORTH_A_GROUP = 5  # those and VECT_BASE_X cost as much as four columns
_WORTH_GOING_ON = 4  # without VECT_BASE_X, where the last group ended


def encode(
    events: Events, t_end_ns: int, triggers: Triggers | None = None, width: int = ADDRESS_MASK + 1
) -> tuple[int, Words]:
    """Sorted events and triggers, t_end_ns not before the last -> (time_base: ns of the start, at least 1; words).

    Times are floored to whole microseconds. Apart from that decoding gives back the same events in the same order, and
    the same triggers: vectors are used only where the input already runs along a row with rising x in one microsecond.
    They stay inside width pixels. The packet starts with TIME_HIGH, TIME_LOW and ends with those of t_end_ns.
    """
    triggers = empty_triggers() if triggers is None else triggers
    t_start_ns = min([int(part["t"][0]) for part in (events, triggers) if len(part)], default=t_end_ns)
    words = np.empty(4 * len(events) + 3 * len(triggers) + 4 + 2 * _MOST_STEPS, WORD)
    slots, edges = as_slots(as_kernel_input(events)), as_kernel_input(triggers)
    n = _encode_words(slots, edges, t_start_ns // 1000, t_end_ns // 1000, width, words)
    return max(t_start_ns, 1), words[:n].copy()


@njit(cache=True)
def _encode_words(slots: Slots, triggers: Triggers, start_us: int, end_us: int, width: int, words: Words) -> Any:
    """-> words written; there must be room for four for each event, three for each trigger, the ends and the span."""
    n = _put_time(words, np.uint64(0), start_us, start_us >> LOW_BITS, True)
    now_us, after_ns = start_us, 0
    # As the decoder knows them.
    row: Any = np.int64(-1)
    base: Any = np.int64(-1)
    base_p: Any = np.int64(-1)
    i = triggered = 0
    while i < len(slots):
        slot = slots[i]
        t_ns, xy, p = slot.t, np.int64(slot.xy), np.int64(slot.p)
        if t_ns >= after_ns:
            t_us = t_ns // 1000
            after_ns = (t_us + 1) * 1000
            if triggered < len(triggers):
                n, triggered, now_us = _put_triggers(words, n, triggers, triggered, after_ns, now_us)
            n = _put_time(words, n, t_us, now_us >> LOW_BITS, False) if t_us != now_us else n
            now_us = t_us
        if xy >> 16 != row:
            row = xy >> 16
            words[n] = ADDR_Y << CODE_SHIFT | row
            n += np.uint64(1)
        x = xy & ADDRESS_MASK
        goes_on = p == base_p and base <= x < base + _GROUP <= width
        start: Any = base if goes_on else min(x, width - _GROUP)
        mask, i_next = run(slots, i, row << 16 | max(start, 0), ALONG_X, _GROUP, p, after_ns)
        if start < 0 or i_next - i < (_WORTH_GOING_ON if goes_on else _WORTH_A_GROUP):
            words[n] = ADDR_X << CODE_SHIFT | p << POLARITY_SHIFT | x
            n += np.uint64(1)
            i += 1
            base_p = -1  # some readers keep one x and polarity for both: the next group needs a VECT_BASE_X
            continue
        if not goes_on:
            words[n] = VECT_BASE_X << CODE_SHIFT | p << POLARITY_SHIFT | start
            n += np.uint64(1)
        words[n] = VECT_12 << CODE_SHIFT | mask & PAYLOAD_MASK
        words[n + np.uint64(1)] = VECT_12 << CODE_SHIFT | mask >> 12 & PAYLOAD_MASK
        words[n + np.uint64(2)] = VECT_8 << CODE_SHIFT | mask >> 24
        n += np.uint64(3)
        base, base_p, i = start + _GROUP, p, i_next
    n, _, now_us = _put_triggers(words, n, triggers, triggered, (end_us + 1) * 1000, now_us)
    if len(slots) or len(triggers):
        n = _put_time(words, n, end_us, now_us >> LOW_BITS, True)
    return np.int64(n)


@njit(cache=True)
def _put_triggers(words: Words, n: Any, triggers: Triggers, i: int, after_ns: int, now_us: int) -> tuple[Any, int, int]:
    """Write the triggers from i on that come before after_ns; -> (words written, next trigger, time told last)."""
    while i < len(triggers) and triggers[i].t < after_ns:
        trigger = triggers[i]
        t_us = trigger.t // 1000
        n = _put_time(words, n, t_us, now_us >> LOW_BITS, False) if t_us != now_us else n
        words[n] = EXT_TRIGGER << CODE_SHIFT | np.int64(trigger.id) << 8 | np.int64(trigger.value)
        n += np.uint64(1)
        now_us = t_us
        i += 1
    return n, i, now_us


@njit(cache=True)
def _put_time(words: Words, n: Any, t_us: int, high_before: int, both: bool) -> Any:
    """Write the time words that lead from the high half high_before to t_us; both halves when asked to."""
    high = t_us >> LOW_BITS
    while high - high_before > _LONGEST_STEP:
        high_before += _LONGEST_STEP
        words[n] = TIME_HIGH << CODE_SHIFT | high_before & (HIGH_COUNTS - 1)
        n += np.uint64(1)
    if both or high != high_before:
        words[n] = TIME_HIGH << CODE_SHIFT | high & (HIGH_COUNTS - 1)
        n += np.uint64(1)
    words[n] = TIME_LOW << CODE_SHIFT | t_us & LOW_MASK
    return n + np.uint64(1)
