"""The inner loop of the `evt3` decoder: words in, events and triggers out, nothing allocated.

Row, column and low time words make up most of a stream, in an order that no processor can guess. So they share one
path without branches: each updates what it concerns through a mask, and an event is written for each but kept only
for a column. That is twice as fast as a branch for each kind.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
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

_IS_ROW, _IS_COLUMN, _IS_LOW = 1, 2, 4


def _kinds() -> npt.NDArray[np.int64]:
    """What a word of each code does on the common path, 0 for codes that do not take it."""
    kinds = np.zeros(16, np.int64)
    kinds[ADDR_Y], kinds[ADDR_X], kinds[TIME_LOW] = _IS_ROW, _IS_COLUMN, _IS_LOW
    return kinds


_KINDS = _kinds()


@njit(cache=True)
def decode(
    words: Words, base_us: int, width: int, height: int, state: Integers, tally: Integers, slots: Slots, edges: Triggers
) -> tuple[Any, Any, int]:
    """The kernel of evt3_decoder.decode_words, which says what goes in; -> (words consumed, events, triggers)."""
    # Locals, not state[...] or helpers that take arrays: registers make this loop several times faster than memory.
    high, t_us, row, base, polarity, flags = state[0], state[T_US], state[2], state[3], state[4], state[FLAGS]
    newest_us = _newest(tally[NEWEST_US], t_us, flags)
    n, most_kept = np.uint64(len(words)), len(slots) - VECTOR_BITS
    outside = unsynchronised = backward = unknown = triggered = 0
    i = kept = np.uint64(0)
    while i < n and np.int64(kept) <= most_kept:
        # The common words; a loop of its own, since it needs so few variables that all of them stay in registers.
        while flags & _PIXEL_READY == _PIXEL_READY and i < n and np.int64(kept) <= most_kept:
            word = np.int64(words[i])
            kind = _KINDS[word >> CODE_SHIFT]
            if not kind:
                break
            i += np.uint64(1)
            address = word & ADDRESS_MASK
            row ^= (row ^ address) & -(kind & _IS_ROW)
            t_before_us = t_us
            t_us ^= (t_us ^ word) & LOW_MASK & -(kind >> 2)
            if t_us < t_before_us:
                backward, newest_us = backward + 1, max(newest_us, t_before_us)
            put(slots, kept, t_us * 1000, address | row << 16, word >> POLARITY_SHIFT & 1)
            is_kept = (address < width) & (row < height) & kind >> 1
            kept += np.uint64(is_kept)
            outside += is_kept ^ (kind >> 1 & 1)
        if i == n or np.int64(kept) > most_kept:
            break
        word = np.int64(words[i])
        code = word >> CODE_SHIFT
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
        else:
            row, base, polarity, flags, known = _address(code, word, row, base, polarity, flags)
            unknown += not known
        i += np.uint64(1)
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


@njit(cache=True)
def _address(code: int, word: int, row: int, base: int, polarity: int, flags: int) -> tuple[int, int, int, int, bool]:
    """Take a word of the remaining kinds; -> (row, base, polarity, flags, whether the kind is known)."""
    if code == VECT_BASE_X:
        return row, word & ADDRESS_MASK, word >> POLARITY_SHIFT & 1, flags | _BASE_SEEN, True
    if code == ADDR_Y:
        return word & ADDRESS_MASK, base, polarity, flags | _ROW_SEEN, True
    return row, base, polarity, flags, code in (PADDING, OTHERS, CONTINUED_4, CONTINUED_12)
