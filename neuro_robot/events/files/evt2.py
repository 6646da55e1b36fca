"""Prophesee RAW files of 32-bit EVT 2.0 words (layout: raw_words)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from neuro_robot.events.array import Triggers
from neuro_robot.events.files.raw_file import RawKind, raw_format
from neuro_robot.events.files.raw_words import BASE, EVT2, HIGH, LAST_US, LOW_BITS, LOW_MASK, put_trigger, time_high
from neuro_robot.events.files.words import BACKWARD, OUTSIDE, UNKNOWN, UNSYNCHRONISED, Words
from neuro_robot.events.vectors import ADDRESS_MASK, Integers, Slots, put

_CD_OFF, _CD_ON, _TIME_HIGH, _EXT_TRIGGER, _IMU, _OTHER, _CONTINUED = 0x0, 0x1, 0x8, 0xA, 0xD, 0xE, 0xF
_GROUP = np.uint64(32)  # words that are looked at together


@njit(cache=True)
def _decode(
    words: Words,
    width: int,
    height: int,
    state: Integers,
    counts: Integers,
    slots: Slots,
    triggers: Triggers,
) -> tuple[int, int, int]:
    """See words.Decode."""
    high = state[HIGH]
    last_us: Any = state[LAST_US]
    i = kept = np.uint64(0)
    pixels: Any = 0
    triggered = backward = unknown = 0
    i += np.uint64(_skip_untimed(words, counts) if high < 0 else 0)
    after = min(np.uint64(len(words)), i + np.uint64(len(slots)))
    while i < after:
        while i + _GROUP <= after and _is_plain(words, i, width, height):
            if (high << LOW_BITS | np.int64(words[i]) >> 22 & LOW_MASK) < last_us:
                break
            for k in range(_GROUP):
                word = np.int64(words[i + k])
                t_us = high << LOW_BITS | word >> 22 & LOW_MASK
                put(slots, kept + k, t_us * 1000, word >> 11 & ADDRESS_MASK | (word & ADDRESS_MASK) << 16, word >> 28)
            i, kept, pixels = i + _GROUP, kept + _GROUP, pixels + np.int64(_GROUP)
            last_us = high << LOW_BITS | np.int64(words[i - np.uint64(1)]) >> 22 & LOW_MASK
        end = min(i + _GROUP, after)
        while i < end:
            word = np.int64(words[i])
            i += np.uint64(1)
            code = word >> 28
            if code <= _CD_ON:
                t_us = high << LOW_BITS | word >> 22 & LOW_MASK
                x, y = word >> 11 & ADDRESS_MASK, word & ADDRESS_MASK
                put(slots, kept, t_us * 1000, x | y << 16, code)  # one outside the sensor is overwritten by the next
                kept += np.uint64((x < width) & (y < height))
                pixels += 1
                backward += t_us < last_us
                last_us = t_us
            elif code == _TIME_HIGH:
                high = time_high(word, high, state[BASE])
            elif code == _EXT_TRIGGER:
                put_trigger(triggers, triggered, high, word)
                triggered += 1
            elif code not in (_IMU, _OTHER, _CONTINUED):
                unknown += 1
    state[HIGH], state[LAST_US] = high, last_us
    counts[OUTSIDE] += pixels - np.int64(kept)
    counts[BACKWARD] += backward
    counts[UNKNOWN] += unknown
    return int(after), int(kept), triggered


@njit(cache=True)
def _is_plain(words: Words, i: Any, width: int, height: int) -> Any:
    """Whether the group of words from i on is events inside the sensor whose times do not step back.

    In 32-bit numbers throughout, which a compiler checks sixteen at a time.
    """
    address, low, one = np.uint32(ADDRESS_MASK), np.uint32(LOW_MASK), np.uint32(1)
    x_shift, low_shift, code_shift = np.uint32(11), np.uint32(22), np.uint32(28)
    odd = np.uint32(0)
    for k in range(_GROUP):
        word = words[i + k]
        odd |= np.uint32(word >> code_shift > one)
        odd |= np.uint32((word >> x_shift & address) >= np.uint32(width))
        odd |= np.uint32((word & address) >= np.uint32(height))
    for k in range(np.uint64(1), _GROUP):
        before, word = words[i + k - np.uint64(1)], words[i + k]
        odd |= np.uint32((word >> low_shift & low) < (before >> low_shift & low))
    return odd == 0


@njit(cache=True)
def _skip_untimed(words: Words, counts: Integers) -> int:
    """Index of the first time word; the events and triggers before it have no time."""
    for i in range(len(words)):
        code = words[i] >> 28
        if code == _TIME_HIGH:
            return i
        if code in (_CD_OFF, _CD_ON, _EXT_TRIGGER):
            counts[UNSYNCHRONISED] += 1
        elif code not in (_IMU, _OTHER, _CONTINUED):
            counts[UNKNOWN] += 1
    return len(words)


FORMATS = (raw_format(RawKind("evt2", "Prophesee RAW, EVT 2.0", "EVT2", "2.0", EVT2), "<u4", _decode, spare=1),)
