"""The inner loop of the `evt3` decoder: words in, events and triggers out, nothing allocated.

What makes up most of a stream goes fast: a row with its column as one, a group of vectors for 32 pixels as one, and
row, column and low time words in an order that no processor can guess without branches (each selects what it
concerns, and an event is written for each but kept only for a column). Everything else takes one word at a time.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from neuro_robot.events.array import Triggers
from neuro_robot.events.codec import Words
from neuro_robot.events.evt3_words import (
    ADDR_X,
    ADDR_Y,
    CONTINUED_4,
    CONTINUED_12,
    EXT_TRIGGER,
    GLITCH_COUNTS,
    HIGH_COUNTS,
    OTHERS,
    PADDING,
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
    VECTOR_BITS,
    Integers,
    Slots,
    inside_mask,
    ones,
    put,
    put_vector,
)

# The state array: high half of the clock (counts of 2^12 us, roll-overs included), time of the last time word, row,
# base and polarity of vectors, flags.
T_US, FLAGS, STATE_SIZE = 1, 5, 6
# Flags: HIGH can be unwrapped against; TIME_HIGH seen; TIME_LOW seen after it; ADDR_Y seen; VECT_BASE_X seen.
REFERENCE, _HIGH_SEEN, _TIMED, _ROW_SEEN, _BASE_SEEN = 1, 2, 4, 8, 16
_PIXEL_READY = _TIMED | _ROW_SEEN
_VECTOR_READY = _TIMED | _ROW_SEEN | _BASE_SEEN
# The counters: those of codec.Counts in order, then the newest time in us (-1: none).
NEWEST_US, COUNTS_SIZE = 4, 5

_GROUP_PIXELS, _GROUP_SPARE = 32, 36  # pixels of VECT_12, VECT_12, VECT_8, and slots that they may touch
_ONE, _TWO, _THREE = np.uint64(1), np.uint64(2), np.uint64(3)  # unsigned indices spare numba's handling of negatives


@njit(cache=True)
def decode(  # noqa: C901 - one function: its parts as functions of their own take twice as long
    words: Words, base_us: int, width: int, height: int, state: Integers, tally: Integers, slots: Slots, edges: Triggers
) -> tuple[Any, Any, int]:
    """The kernel of evt3_decoder.decode_words, which says what goes in; -> (words consumed, events, triggers)."""
    # Locals, not state[...] or helpers that take arrays: registers make this loop several times faster than memory.
    high, t_us, row, base, polarity, flags = state[0], state[T_US], state[2], state[3], state[4], state[FLAGS]
    newest_us = _newest(tally[NEWEST_US], t_us, flags)
    n, most_kept = np.uint64(len(words)), len(slots) - VECTOR_BITS
    outside: Any = 0
    unsynchronised = backward = unknown = triggered = 0
    i = kept = np.uint64(0)
    while i < n and np.int64(kept) <= most_kept:
        if flags & _PIXEL_READY == _PIXEL_READY:
            end = min(n, i + np.uint64(most_kept - np.int64(kept) + 1))
            before, columns = kept, 0
            while i < end:
                word = np.int64(words[i])
                code = word >> CODE_SHIFT
                address = word & ADDRESS_MASK
                if code == ADDR_Y and i + _ONE < end and np.int64(words[i + _ONE]) >> CODE_SHIFT == ADDR_X:
                    row, word = address, np.int64(words[i + _ONE])
                    address = word & ADDRESS_MASK
                    put(slots, kept, t_us * 1000, address | row << 16, word >> POLARITY_SHIFT & 1)
                    kept += np.uint64((address < width) & (row < height))
                    columns += 1
                    i += _TWO
                    continue
                if code != ADDR_X and code != TIME_LOW and code != ADDR_Y:
                    break
                row = address if code == ADDR_Y else row
                t_before_us = t_us
                t_us = t_us & ~LOW_MASK | word & LOW_MASK if code == TIME_LOW else t_us
                if t_us < t_before_us:
                    backward, newest_us = backward + 1, max(newest_us, t_before_us)
                put(slots, kept, t_us * 1000, address | row << 16, word >> POLARITY_SHIFT & 1)
                kept += np.uint64((address < width) & (row < height) & (code == ADDR_X))
                columns += code == ADDR_X
                i += _ONE
            outside += columns - np.int64(kept - before)
            if i == end:
                continue
        word = np.int64(words[i])
        code = word >> CODE_SHIFT
        if code == VECT_BASE_X:
            base, polarity, flags = word & ADDRESS_MASK, word >> POLARITY_SHIFT & 1, flags | _BASE_SEEN
            i += _ONE
            if i == n:
                break
            word = np.int64(words[i])
            code = word >> CODE_SHIFT
            if code != VECT_12:
                continue
        if code == VECT_12 and i + _TWO < n and np.int64(kept) + _GROUP_SPARE <= len(slots):
            second, third = np.int64(words[i + _ONE]), np.int64(words[i + _TWO])
            group = (second >> CODE_SHIFT == VECT_12) & (third >> CODE_SHIFT == VECT_8)
            ready = (flags & _VECTOR_READY == _VECTOR_READY) & (base + _GROUP_PIXELS <= width) & (row < height)
            if group & ready:
                t_ns, xy = t_us * 1000, base | row << 16
                kept += put_vector(slots, kept, t_ns, xy, ALONG_X, polarity, word & PAYLOAD_MASK)
                kept += put_vector(slots, kept, t_ns, xy + 12, ALONG_X, polarity, second & PAYLOAD_MASK)
                kept += put_vector(slots, kept, t_ns, xy + 24, ALONG_X, polarity, third & 0xFF)
                base += _GROUP_PIXELS
                i += _THREE
                continue
        if code in (VECT_12, VECT_8):
            mask, n_outside, n_early = _vector(code, word, base, row, width, height, flags)
            kept += put_vector(slots, kept, t_us * 1000, base | row << 16, ALONG_X, polarity, mask)
            outside, unsynchronised = outside + n_outside, unsynchronised + n_early
            base += 12 if code == VECT_12 else 8
        elif code == EXT_TRIGGER and flags & _TIMED:
            if triggered == len(edges):
                break
            _put_trigger(edges, triggered, t_us * 1000, word)
            triggered += 1
        elif code in (ADDR_X, EXT_TRIGGER):
            unsynchronised += 1
        elif code in (TIME_LOW, TIME_HIGH):
            t_before_us, newest_us = t_us, _newest(newest_us, t_us, flags)
            high, t_us, flags = _time(code == TIME_HIGH, word & PAYLOAD_MASK, base_us, high, t_us, flags)
            backward += t_us < t_before_us
        elif code == ADDR_Y:
            row, flags = word & ADDRESS_MASK, flags | _ROW_SEEN
        else:
            unknown += code not in (PADDING, OTHERS, CONTINUED_4, CONTINUED_12)
        i += _ONE
    tally[NEWEST_US] = _newest(newest_us, t_us, flags)
    tally[:NEWEST_US] += np.array([outside, unsynchronised, backward, unknown])
    state[:] = np.array([high, t_us, row, base, polarity, flags])
    return np.int64(i), np.int64(kept), triggered


@njit(cache=True)
def _newest(newest_us: int, t_us: int, flags: int) -> int:
    """The newest time told, t_us included if it means anything yet."""
    return max(newest_us, t_us) if flags & _TIMED else newest_us


@njit(cache=True)
def _put_trigger(edges: Triggers, i: int, t_ns: int, word: int) -> None:
    edge = edges[i]
    edge.t, edge.id, edge.value = t_ns, word >> 8 & 0xF, word & 1


@njit(cache=True)
def _vector(code: int, word: int, base: int, row: int, width: int, height: int, flags: int) -> tuple[int, int, int]:
    """-> (mask of a vector's events, events outside the sensor, events that came before time, row and base)."""
    mask = word & PAYLOAD_MASK if code == VECT_12 else word & 0xFF
    if flags & _VECTOR_READY != _VECTOR_READY:
        return 0, 0, ones(mask)
    if base + VECTOR_BITS <= width and row < height:
        return mask, 0, 0
    inside = inside_mask(mask, base, width if row < height else 0)
    return inside, ones(mask ^ inside), 0


@njit(cache=True)
def _time(is_high: bool, value: int, base_us: int, high: int, t_us: int, flags: int) -> tuple[int, int, int]:
    """Take a TIME_HIGH or TIME_LOW word; -> (high, t_us, flags). t_us stays until both halves were seen.

    A new high half starts at low 0 until TIME_LOW says more, as openeb has it.
    """
    low = value
    if is_high:
        new_high = _unwrapped(value, base_us, high, flags)
        low = t_us & LOW_MASK if new_high == high else 0
        high = new_high
        flags |= REFERENCE | _HIGH_SEEN
    elif flags & _HIGH_SEEN:
        flags |= _TIMED
    return high, high << LOW_BITS | low if flags & _TIMED else t_us, flags


@njit(cache=True)
def _unwrapped(value: int, base_us: int, high: int, flags: int) -> int:
    """The high half of the clock with its roll-overs, from the 12 bits of TIME_HIGH."""
    if not flags & REFERENCE:
        if base_us < 0:
            return value
        period_bits = LOW_BITS + 12
        roll_overs = (base_us - (value << LOW_BITS) + (1 << period_bits - 1)) >> period_bits
        return value + max(roll_overs, 0) * HIGH_COUNTS
    step = value - (high & (HIGH_COUNTS - 1))
    if step < -GLITCH_COUNTS:
        step += HIGH_COUNTS
    elif step >= HIGH_COUNTS - GLITCH_COUNTS and high >= HIGH_COUNTS:
        step -= HIGH_COUNTS  # a small step back across the roll-over just counted
    return high + step
