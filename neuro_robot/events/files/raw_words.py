"""What EVT2, EVT2.1 and EVT4 have in common: the layout of a word, the 34-bit clock, masks of 32 pixels.

A word has its type in bits 28-31. For events bits 0-10 are y, 11-21 x, 22-27 the low six bits of the time in us; a
time word has the 28 bits above them in bits 0-27; a trigger has its value in bit 0, its channel in bits 8-12 and the
low time in 22-27. Sources: docs.prophesee.ai, EVT 2.0 and EVT 2.1 formats; openeb, evt2_event_types.h,
evt21_event_types.h, evt4_event_types.h.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from neuro_robot.events.array import Triggers
from neuro_robot.events.files.words import MOST_TIME_US, nearest, unwrapped
from neuro_robot.events.vectors import (
    ADDRESS_MASK,
    ALONG_X,
    PAYLOAD_MASK,
    VECTOR_BITS,
    Integers,
    Slots,
    ones,
    ones_of_64,
    put_vector,
)

LARGEST = (ADDRESS_MASK + 1, ADDRESS_MASK + 1)  # pixels
LOW_BITS, LOW_MASK = 6, 0x3F
HIGH_BITS, HIGH_MASK = 28, 0xFFFFFFF
PERIOD_US = 1 << HIGH_BITS + LOW_BITS  # 4 h 46 min
GLITCH = 1 << 14  # counts of 64 us: 1 s, as far as time may step back across a roll-over
MOST_CHANNEL = 31
MASK_BITS = 32
MASK_SPARE = 36  # slots that a mask may touch

# State of decoders and encoders. HIGH: time in counts of 64 us, roll-overs included, -1 before the first time word;
# LAST_US: time of the last event; BASE: HIGH that the first time word is near to, or -1; OPEN: EVT4's vector word
# whose mask is in the next block, or -1; LAYOUT: one of the four below.
HIGH, LAST_US, BASE, OPEN, LAYOUT, _STATE_SIZE = range(6)
EVT2, EVT21, EVT21_LEGACY, EVT4 = range(4)  # legacy: the halves of a 64-bit word the other way round


def new_state(layout: int, base_us: int = -1) -> Integers:
    """The state before the first word of a file whose header gives base_us (-1: it does not)."""
    state = np.full(_STATE_SIZE, -1, np.int64)
    state[BASE] = base_us >> LOW_BITS
    state[LAYOUT] = layout
    return state


@njit(cache=True)
def time_high(word: int, high: int, base: int) -> int:
    """HIGH after a time word."""
    count = word & HIGH_MASK
    if high >= 0:
        count = unwrapped(count, high, HIGH_BITS, GLITCH, MOST_TIME_US >> LOW_BITS)
    elif base >= 0:
        count = nearest(count, base, HIGH_BITS)
    return count


@njit(cache=True)
def put_mask(slots: Slots, i: Any, t_ns: int, word: int, p: int, mask: int) -> Any:
    """Write the events of a 32-bit mask from slot i (unsigned) on, at the address in an event's word.

    -> the next slot. Up to MASK_SPARE slots are written; what comes after the last event is rubbish.
    """
    xy = word >> 11 & ADDRESS_MASK | (word & ADDRESS_MASK) << 16
    empty = (
        ones_of_64(np.uint64((mask & -mask) - 1)) if mask else 0
    )  # below the first, so that one event takes one step
    xy += empty
    mask >>= empty
    while mask:
        i += put_vector(slots, i, t_ns, xy, ALONG_X, p, mask & PAYLOAD_MASK)
        xy += VECTOR_BITS
        mask >>= VECTOR_BITS
    return i


@njit(cache=True)
def inside_mask(word: int, mask: int, width: int, height: int) -> int:
    """The bits of a 32-bit mask whose pixels are on the sensor, for a vector at the address in this word."""
    room = width - (word >> 11 & ADDRESS_MASK) if word & ADDRESS_MASK < height else 0
    return mask & ((1 << min(max(room, 0), 32)) - 1)


@njit(cache=True)
def ones_of_mask(mask: int) -> int:
    """Number of set bits of a 32-bit mask."""
    number: int = ones(mask & PAYLOAD_MASK) + ones(mask >> 12 & PAYLOAD_MASK) + ones(mask >> 24)
    return number


@njit(cache=True)
def put_trigger(triggers: Triggers, i: int, high: int, word: int) -> None:
    """Write trigger i from its word."""
    trigger = triggers[i]
    trigger.t = (high << LOW_BITS | word >> 22 & LOW_MASK) * 1000
    trigger.id = word >> 8 & MOST_CHANNEL
    trigger.value = word & 1
