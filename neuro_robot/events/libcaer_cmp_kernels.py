"""The words of the `libcaer_cmp` encoding and the loops that read and write them (sources: libcaer_cmp.py)."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from neuro_robot.events.codec import Words
from neuro_robot.events.vectors import (
    ADDRESS_MASK,
    ALONG_Y,
    CODE_SHIFT,
    LOW_BITS,
    LOW_MASK,
    PAYLOAD_MASK,
    POLARITY_SHIFT,
    Slots,
    inside_mask,
    ones,
    put,
    put_vector,
    run,
)

TIME_HIGH = 0  # bits 12-23 of the microseconds since time_base
TIME_LOW = 1  # bits 0-11
ADDR_X = 2  # bits 0-10 column
ADDR_Y = 3  # bits 0-10 row, bit 11 polarity: one event
VECT_BASE_Y = 4  # bits 0-10 row of the next vector's bit 0, bit 11 polarity
VECT_8 = 5  # 8-bit mask: events at base + i; then base += 8
VECT_12 = 6  # named in the sources, neither written nor read by anybody

_MASK_8 = 0xFF
_WORTH_A_VECTOR = 3  # VECT_BASE_Y and VECT_8 cost as much as two rows
_WORTH_GOING_ON = 2  # VECT_8 alone, where the last vector ended
_IS_COLUMN, _IS_ROW, _IS_LOW = 1, 2, 4


def _kinds() -> npt.NDArray[np.int64]:
    """What a word of each code does on the common path, 0 for codes that do not take it."""
    kinds = np.zeros(16, np.int64)
    kinds[ADDR_X], kinds[ADDR_Y], kinds[TIME_LOW] = _IS_COLUMN, _IS_ROW, _IS_LOW
    return kinds


_KINDS = _kinds()


@njit(cache=True)
def decode(words: Words, time_base: int, width: int, height: int, last_ns: int, slots: Slots) -> tuple[Any, ...]:
    """-> (events, last time, newest time, and the four counters of codec.Counts).

    The common words take a path without branches, as in evt3_kernels.py, which says why.
    """
    t_us: Any = np.int64(0)
    newest_us: Any = np.int64(0)
    column = base = np.int64(-1)  # not known yet
    polarity = np.int64(0)
    outside = unsynchronised = backward = unknown = 0
    i = kept = np.uint64(0)
    while i < np.uint64(len(words)):
        while column >= 0 and i < np.uint64(len(words)):
            word: Any = np.int64(words[i])
            kind = _KINDS[word >> CODE_SHIFT]
            if not kind:
                break
            i += np.uint64(1)
            address = word & ADDRESS_MASK
            column ^= (column ^ address) & -(kind & _IS_COLUMN)
            t_before_us = t_us
            t_us ^= (t_us ^ word) & LOW_MASK & -(kind >> 2)
            if t_us < t_before_us:
                backward, newest_us = backward + 1, max(newest_us, t_before_us)
            put(slots, kept, time_base + t_us * 1000, column | address << 16, word >> POLARITY_SHIFT & 1)
            is_kept = (column < width) & (address < height) & kind >> 1
            kept += np.uint64(is_kept)
            outside += is_kept ^ (kind >> 1 & 1)
        if i == np.uint64(len(words)):
            break
        word = np.int64(words[i])
        i += np.uint64(1)
        code = word >> CODE_SHIFT
        if code == VECT_8:
            mask, n_outside, n_early = _vector(word & _MASK_8, base, column, width, height)
            kept += put_vector(slots, kept, time_base + t_us * 1000, column | base << 16, ALONG_Y, polarity, mask)
            outside, unsynchronised = outside + n_outside, unsynchronised + n_early
            base += 8 if base >= 0 else 0
        elif code in (TIME_HIGH, TIME_LOW):
            # A new high half keeps the low one, unless TIME_LOW follows: one step of time, not there and back.
            follows: Any = np.int64(words[i]) if i < np.uint64(len(words)) else word
            pair = code == TIME_HIGH and follows >> CODE_SHIFT == TIME_LOW
            i += np.uint64(pair)
            t_before_us = t_us
            newest_us = max(newest_us, t_us)
            t_us = _time(t_us, word, follows if pair else word)
            backward += t_us < t_before_us
        else:
            column, base, polarity = _address(code, word, column, base, polarity)
            unsynchronised += code == ADDR_Y
            unknown += code >= VECT_12
    first_is_back = len(words) > 0 and time_base < last_ns
    newest_ns = time_base + max(newest_us, t_us) * 1000
    last_ns = time_base + t_us * 1000
    return np.int64(kept), last_ns, newest_ns, outside, unsynchronised, backward + first_is_back, unknown


@njit(cache=True)
def _time(t_us: int, first: int, last: int) -> int:
    """t_us after one time word (first = last), or after TIME_HIGH and TIME_LOW."""
    for word in (first, last):
        if word >> CODE_SHIFT == TIME_HIGH:
            t_us = (word & PAYLOAD_MASK) << LOW_BITS | t_us & LOW_MASK
        else:
            t_us = t_us & ~LOW_MASK | word & LOW_MASK
    return t_us


@njit(cache=True)
def _vector(mask: int, base: int, column: int, width: int, height: int) -> tuple[int, int, int]:
    """-> (mask of a vector's events, events outside the sensor, events that came before column and base)."""
    if column < 0 or base < 0:
        return 0, 0, ones(mask)
    inside = inside_mask(mask, base, height if column < width else 0)
    return inside, ones(mask ^ inside), 0


@njit(cache=True)
def _address(code: int, word: int, column: int, base: int, polarity: int) -> tuple[int, int, int]:
    """Take a word of the remaining kinds; -> (column, base, polarity)."""
    if code == ADDR_X:
        return word & ADDRESS_MASK, base, polarity
    if code == VECT_BASE_Y:
        return column, word & ADDRESS_MASK, word >> POLARITY_SHIFT & 1
    return column, base, polarity


@njit(cache=True)
def encode(slots: Slots, base_us: int, t_end_us: int, words: Words) -> Any:
    """-> number of words written; there must be room for four for each event and two for the end."""
    n = np.uint64(0)
    now_us, after_ns = base_us, (base_us + 1) * 1000
    column = base = base_p = np.int64(-1)  # as the decoder knows them
    i = 0
    while i < len(slots):
        slot = slots[i]
        t_ns, xy, p = slot.t, np.int64(slot.xy), np.int64(slot.p)
        if t_ns >= after_ns:
            t_us = t_ns // 1000
            n = _put_time(words, n, t_us - base_us, now_us - base_us)
            now_us, after_ns = t_us, (t_us + 1) * 1000
        row = xy >> 16
        if xy & ADDRESS_MASK != column:
            column = xy & ADDRESS_MASK
            words[n] = ADDR_X << CODE_SHIFT | column
            n += np.uint64(1)
        goes_on = p == base_p and base <= row < base + 8
        start = base if goes_on else row
        mask, i_next = run(slots, i, start << 16 | column, ALONG_Y, 8, p, after_ns)
        if i_next - i < (_WORTH_GOING_ON if goes_on else _WORTH_A_VECTOR):
            words[n] = ADDR_Y << CODE_SHIFT | p << POLARITY_SHIFT | row
            n += np.uint64(1)
            i += 1
            continue
        if not goes_on:
            words[n] = VECT_BASE_Y << CODE_SHIFT | p << POLARITY_SHIFT | start
            n += np.uint64(1)
        words[n] = VECT_8 << CODE_SHIFT | mask
        n += np.uint64(1)
        base, base_p, i = start + 8, p, i_next
    return np.int64(_put_time(words, n, t_end_us - base_us, now_us - base_us))


@njit(cache=True, inline="always")
def _put_time(words: Words, n: Any, dt_us: int, before_us: int) -> Any:
    """Write the time words that differ."""
    if dt_us >> LOW_BITS != before_us >> LOW_BITS:
        words[n] = TIME_HIGH << CODE_SHIFT | dt_us >> LOW_BITS
        n += np.uint64(1)
    if (dt_us ^ before_us) & LOW_MASK:
        words[n] = TIME_LOW << CODE_SHIFT | dt_us & LOW_MASK
        n += np.uint64(1)
    return n
