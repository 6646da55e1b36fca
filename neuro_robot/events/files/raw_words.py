"""What EVT2, EVT2.1 and EVT4 have in common: the layout of a word, the 34-bit clock, the way into and out of arrays.

A word has its type in bits 28-31. For events bits 0-10 are y, 11-21 x, 22-27 the low six bits of the time in us; a
time word has the 28 bits above them in bits 0-27; a trigger has its value in bit 0, its channel in bits 8-12 and the
low time in 22-27. Sources: docs.prophesee.ai, EVT 2.0 and EVT 2.1 formats; openeb, evt2_event_types.h,
evt21_event_types.h, evt4_event_types.h.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from neuro_robot.events.array import Events, Triggers
from neuro_robot.events.files.words import MOST_TIME_US, Integers, nearest, unwrapped

ADDRESS_MASK = 0x7FF
LARGEST = (ADDRESS_MASK + 1, ADDRESS_MASK + 1)  # pixels
LOW_BITS, LOW_MASK = 6, 0x3F
HIGH_BITS, HIGH_MASK = 28, 0xFFFFFFF
PERIOD_US = 1 << HIGH_BITS + LOW_BITS  # 4 h 46 min
_HALF = 1 << HIGH_BITS - 1
_GLITCH = 1 << 14  # counts of 64 us: 1 s, as far as time may step back across a roll-over
_MOST_CHANNEL = 31

# State of decoders and encoders. HIGH: time in counts of 64 us, roll-overs included, -1 before the first time word;
# LAST_US: time of the last event; BASE: HIGH that the first time word is near to, or -1; OPEN: EVT4's vector word
# whose mask is in the next block, or -1; SWAPPED: 1 when EVT2.1 words have their halves in the legacy order.
HIGH, LAST_US, BASE, OPEN, SWAPPED, _STATE_SIZE = range(6)


def new_state(base_us: int = -1) -> Integers:
    """The state before the first word of a file whose header gives base_us (-1: it does not)."""
    state = np.full(_STATE_SIZE, -1, np.int64)
    state[BASE] = base_us >> LOW_BITS
    state[SWAPPED] = 0
    return state


@njit(cache=True)
def time_high(word: int, high: int, base: int) -> int:
    """HIGH after a time word."""
    count = word & HIGH_MASK
    if high >= 0:
        count = unwrapped(count, high, HIGH_BITS, _GLITCH, MOST_TIME_US >> LOW_BITS)
    elif base >= 0:
        count = nearest(count, base, HIGH_BITS)
    return count


@njit(cache=True)
def put(events: Events, i: int, t_us: int, x: int, y: int, p: int) -> None:
    """Write event i."""
    event = events[i]
    event.t = t_us * 1000
    event.x = x
    event.y = y
    event.p = p


@njit(cache=True)
def put_trigger(triggers: Triggers, i: int, high: int, word: int) -> None:
    """Write trigger i from its word."""
    trigger = triggers[i]
    trigger.t = (high << LOW_BITS | word >> 22 & LOW_MASK) * 1000
    trigger.id = word >> 8 & _MOST_CHANNEL
    trigger.value = word & 1


@njit(cache=True)
def next_trigger_us(triggers: Triggers, j: int) -> int:
    """Time of trigger j; later than any event when there is none."""
    return triggers[j].t // 1000 if j < len(triggers) else MOST_TIME_US + 1


@njit(cache=True)
def trigger_word(trigger: Any, high: int, time_code: int, trigger_code: int) -> tuple[int, int, bool]:
    """-> (the next word on the way to this trigger, HIGH after it, whether it is the trigger itself).

    The word is -1 where no reader would follow, and for a channel that it cannot hold.
    """
    t_us = trigger.t // 1000
    if t_us >> LOW_BITS != high:
        step = step_towards(high, t_us >> LOW_BITS)
        return (time_code << 28 | step & HIGH_MASK, step, False) if step >= 0 else (-1, high, False)
    if trigger.id > _MOST_CHANNEL:
        return -1, high, False
    low = (t_us & LOW_MASK) << 22
    return trigger_code << 28 | low | np.int64(trigger.id) << 8 | np.int64(trigger.value & 1), high, True


@njit(cache=True)
def step_towards(high: int, target: int) -> int:
    """The next HIGH to write on the way from high to target; -1 when no reader would follow there.

    A roll-over is written as the last count of the old period and the first of the new one, which every reader
    takes for one. A step back is possible by half a period, across a roll-over by a second.
    """
    if high < 0 or target >> HIGH_BITS == high >> HIGH_BITS:
        return target if high - target <= _HALF else -1
    if target > high:
        last = high | HIGH_MASK
        return last if high != last else high + 1
    return target if high - target < _GLITCH else -1
