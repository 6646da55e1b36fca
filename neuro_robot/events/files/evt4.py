"""Prophesee RAW files of 32-bit EVT4 words (layout: raw_words); a vector is a word and then a mask of x to x + 31.

Source: openeb, evt4_event_types.h and evt4_decoder.h.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from neuro_robot.events.array import Triggers
from neuro_robot.events.files.raw_file import RawKind, raw_format
from neuro_robot.events.files.raw_words import (
    BASE,
    EVT4,
    HIGH,
    LAST_US,
    LOW_BITS,
    LOW_MASK,
    MASK_SPARE,
    OPEN,
    inside_mask,
    ones_of_mask,
    put_mask,
    put_trigger,
    time_high,
)
from neuro_robot.events.files.words import BACKWARD, OUTSIDE, UNKNOWN, UNSYNCHRONISED, Words
from neuro_robot.events.vectors import ADDRESS_MASK, Integers, Slots, put

_OTHER, _CONTINUED, _EXT_TRIGGER, _CD_OFF, _CD_ON, _VECTOR_OFF, _VECTOR_ON = 0x6, 0x7, 0x9, 0xA, 0xB, 0xC, 0xD
_TIME_HIGH, _PADDING = 0xE, 0xF


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
    """See words.Decode; words: (n,) uint32."""
    high, last_us, vector = state[HIGH], state[LAST_US], state[OPEN]
    kept = np.uint64(0)
    used = triggered = 0
    while used < len(words) and np.int64(kept) <= len(slots) - MASK_SPARE:
        word = np.int64(words[used])
        used += 1
        code = word >> 28
        if vector >= 0:
            kept = _take_vector(vector, word, width, height, high, slots, kept, counts)
            vector = -1
        elif code in (_CD_OFF, _CD_ON, _VECTOR_OFF, _VECTOR_ON):
            vector = word if code >= _VECTOR_OFF else -1
            t_us = high << LOW_BITS | word >> 22 & LOW_MASK
            if high >= 0:
                counts[BACKWARD] += t_us < last_us
                last_us = t_us
            if vector < 0 and high < 0:
                counts[UNSYNCHRONISED] += 1
            elif vector < 0:
                x, y = word >> 11 & ADDRESS_MASK, word & ADDRESS_MASK
                put(slots, kept, t_us * 1000, x | y << 16, code & 1)
                inside = (x < width) & (y < height)
                kept += np.uint64(inside)
                counts[OUTSIDE] += not inside
        elif code == _TIME_HIGH:
            high = time_high(word, high, state[BASE])
        elif code == _EXT_TRIGGER and high < 0:
            counts[UNSYNCHRONISED] += 1
        elif code == _EXT_TRIGGER:
            put_trigger(triggers, triggered, high, word)
            triggered += 1
        elif code not in (_OTHER, _CONTINUED, _PADDING):
            counts[UNKNOWN] += 1
    state[HIGH], state[LAST_US], state[OPEN] = high, last_us, vector
    return used, int(kept), triggered


@njit(cache=True)
def _take_vector(
    word: int, mask: int, width: int, height: int, high: int, slots: Slots, kept: Any, counts: Integers
) -> Any:
    """Write the events of a vector; -> the next slot."""
    if high < 0:
        counts[UNSYNCHRONISED] += ones_of_mask(mask)
        return kept
    inside = inside_mask(word, mask, width, height)
    counts[OUTSIDE] += ones_of_mask(mask ^ inside)
    t_us = high << LOW_BITS | word >> 22 & LOW_MASK
    return put_mask(slots, kept, t_us * 1000, word, word >> 28 & 1, inside)


FORMATS = (raw_format(RawKind("evt4", "Prophesee RAW, EVT 4", "EVT4", "4.0", EVT4), "<u4", _decode, spare=MASK_SPARE),)
