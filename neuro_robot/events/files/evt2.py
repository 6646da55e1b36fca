"""Prophesee RAW files of 32-bit EVT 2.0 words (layout: raw_words)."""

from __future__ import annotations

import numpy as np
from numba import njit

from neuro_robot.events.array import Triggers
from neuro_robot.events.files.raw_file import RawKind, raw_format
from neuro_robot.events.files.raw_words import BASE, EVT2, HIGH, LAST_US, LOW_BITS, LOW_MASK, put_trigger, time_high
from neuro_robot.events.files.words import BACKWARD, OUTSIDE, UNKNOWN, UNSYNCHRONISED, Words
from neuro_robot.events.vectors import ADDRESS_MASK, Integers, Slots, put

_CD_OFF, _CD_ON, _TIME_HIGH, _EXT_TRIGGER, _IMU, _OTHER, _CONTINUED = 0x0, 0x1, 0x8, 0xA, 0xD, 0xE, 0xF


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
    high, last_us = state[HIGH], state[LAST_US]
    kept = np.uint64(0)
    pixels = triggered = backward = unknown = 0
    first = _skip_untimed(words, counts) if high < 0 else 0
    after = min(len(words), first + len(slots))
    for word in words[first:after]:
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
    return after, int(kept), triggered


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
