"""Streaming decoder of the `evt3` encoding: words in, events and triggers out, state kept from packet to packet."""

from __future__ import annotations

import numpy as np
from numba import njit

from neuro_robot.events.array import EVENT_DTYPE, TRIGGER_DTYPE
from neuro_robot.events.codec import Batch, Counts, Words
from neuro_robot.events.evt3_words import (
    ADDR_X,
    ADDR_Y,
    ADDRESS_MASK,
    CONTINUED_4,
    CONTINUED_12,
    EXT_TRIGGER,
    GLITCH_COUNTS,
    HIGH_COUNTS,
    LOW_BITS,
    OTHERS,
    PADDING,
    POLARITY_SHIFT,
    TIME_HIGH,
    TIME_LOW,
    VECT_8,
    VECT_12,
    VECT_BASE_X,
)

# The state array. HIGH counts 2^12 us since clock zero, roll-overs included; LAST_US is the last time decoded.
_HIGH, _LOW, _ROW, _BASE, _POLARITY, _FLAGS, _LAST_US, _STATE_SIZE = range(8)
# Flags: HIGH can be unwrapped against; TIME_HIGH seen; TIME_LOW seen after it; ADDR_Y seen; VECT_BASE_X seen.
_REFERENCE, _HIGH_SEEN, _TIMED, _ROW_SEEN, _BASE_SEEN = 1, 2, 4, 8, 16
_PIXEL_READY = _TIMED | _ROW_SEEN
_VECTOR_READY = _TIMED | _ROW_SEEN | _BASE_SEEN
# The counters, in the order of codec.Counts, and the newest time in us (-1: none).
_OUTSIDE, _UNSYNCHRONISED, _BACKWARD, _UNKNOWN, _NEWEST_US, _COUNTS_SIZE = range(6)


class Evt3Decoder:
    """Decodes a stream of `evt3` packets."""

    def __init__(self) -> None:
        self._state = np.zeros(_STATE_SIZE, np.int64)

    def decode(self, words: Words, time_base: int, width: int, height: int) -> Batch:
        """Events and triggers in stream order; t_end_ns is the newest time named up to the packet's end.

        A time_base other than 0 marks a self-contained packet: nothing from earlier packets is used for it.
        """
        if time_base:
            self._state[_FLAGS] = 0
        capacity, n_triggers = _count_outputs(words)
        events = np.empty(capacity + 1, EVENT_DTYPE)  # one spare: a vector's last write may be one past its last event
        triggers = np.empty(n_triggers, TRIGGER_DTYPE)
        counts = np.zeros(_COUNTS_SIZE, np.int64)
        base_us = time_base // 1000 if time_base else -1
        kept, triggered = _decode_words(words, base_us, width, height, self._state, counts, events, triggers)
        newest_us = int(counts[_NEWEST_US])
        t_end_ns = newest_us * 1000 if newest_us >= 0 else None
        return Batch(events[:kept], triggers[:triggered], t_end_ns, Counts(*counts[:_NEWEST_US].tolist()))

    def resynchronise(self) -> None:
        """Wait for new time, row and base words; the clock's roll-over count stays."""
        self._state[_FLAGS] &= _REFERENCE


@njit(cache=True)
def _count_outputs(words):  # type: ignore[no-untyped-def]
    """(most events, most triggers) these words can make; the size of every output follows from this alone."""
    events = 0
    triggers = 0
    for word in words:
        code = word >> 12
        if code == ADDR_X:
            events += 1
        elif code == VECT_12 or code == VECT_8:
            events += _ones(word & 0xFFF)
        elif code == EXT_TRIGGER:
            triggers += 1
    return events, triggers


@njit(cache=True)
def _decode_words(words, base_us, width, height, state, counts, events, triggers):  # type: ignore[no-untyped-def]
    high, low, row, base = state[_HIGH], state[_LOW], state[_ROW], state[_BASE]
    polarity, flags, last_us = state[_POLARITY], state[_FLAGS], state[_LAST_US]
    t_us = high << LOW_BITS | low
    newest_us = t_us if flags & _TIMED else -1
    kept = 0
    triggered = 0
    for word in words:
        code = word >> 12
        value = np.int64(word & 0xFFF)
        if code == ADDR_X:
            if flags & _PIXEL_READY != _PIXEL_READY:
                counts[_UNSYNCHRONISED] += 1
            elif value & ADDRESS_MASK < width and row < height:
                _put(events, kept, t_us, value & ADDRESS_MASK, row, value >> POLARITY_SHIFT)
                kept += 1
            else:
                counts[_OUTSIDE] += 1
        elif code == VECT_12 or code == VECT_8:
            bits = 12 if code == VECT_12 else 8
            mask = value if code == VECT_12 else value & 0xFF
            if flags & _VECTOR_READY != _VECTOR_READY:
                counts[_UNSYNCHRONISED] += _ones(mask)
            else:
                inside = _inside(mask, base, width) if row < height else 0
                counts[_OUTSIDE] += _ones(mask ^ inside)
                kept = _put_vector(events, kept, t_us, base, row, polarity, inside)
            base += bits
        elif code == ADDR_Y:
            row = value & ADDRESS_MASK
            flags |= _ROW_SEEN
        elif code == TIME_LOW or code == TIME_HIGH:
            if code == TIME_LOW:
                low = value
                flags |= _TIMED if flags & _HIGH_SEEN else 0
            else:
                new_high = _unwrapped(value, high, flags, base_us)
                low = low if new_high == high else 0
                high = new_high
                flags |= _REFERENCE | _HIGH_SEEN
            t_us = high << LOW_BITS | low
            if flags & _TIMED:
                counts[_BACKWARD] += t_us < last_us
                last_us = t_us
                newest_us = max(newest_us, t_us)
        elif code == VECT_BASE_X:
            base = value & ADDRESS_MASK
            polarity = value >> POLARITY_SHIFT
            flags |= _BASE_SEEN
        elif code == EXT_TRIGGER:
            if flags & _TIMED:
                trigger = triggers[triggered]
                trigger.t = t_us * 1000
                trigger.id = value >> 8
                trigger.value = value & 1
                triggered += 1
            else:
                counts[_UNSYNCHRONISED] += 1
        elif code != PADDING and code != OTHERS and code != CONTINUED_4 and code != CONTINUED_12:
            counts[_UNKNOWN] += 1
    counts[_NEWEST_US] = newest_us
    state[_HIGH], state[_LOW], state[_ROW], state[_BASE] = high, low, row, base
    state[_POLARITY], state[_FLAGS], state[_LAST_US] = polarity, flags, last_us
    return kept, triggered


@njit(cache=True)
def _unwrapped(value, high, flags, base_us):  # type: ignore[no-untyped-def]
    """The high half of the clock with its roll-overs, from the 12 bits of TIME_HIGH."""
    if not flags & _REFERENCE:
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
def _put(events, i, t_us, x, y, p):  # type: ignore[no-untyped-def]
    event = events[i]
    event.t = t_us * 1000
    event.x = x
    event.y = y
    event.p = p


@njit(cache=True)
def _put_vector(events, i, t_us, base, row, polarity, mask):  # type: ignore[no-untyped-def]
    """Write every candidate and step on only when its bit is set: no branch for the processor to guess wrong."""
    x = base
    while mask:
        _put(events, i, t_us, x, row, polarity)
        i += mask & 1
        mask >>= 1
        x += 1
    return i


@njit(cache=True)
def _inside(mask, base, width):  # type: ignore[no-untyped-def]
    """The bits of mask whose column base + i lies inside the sensor."""
    room = width - base
    if room >= 12:
        return mask
    return mask & ((1 << room) - 1) if room > 0 else 0


@njit(cache=True)
def _ones(bits):  # type: ignore[no-untyped-def]
    """Number of set bits of a 12-bit mask (parallel sums in halves)."""
    pairs = (bits & 0x555) + (bits >> 1 & 0x555)
    quads = (pairs & 0x333) + (pairs >> 2 & 0x333)
    return (quads & 0xF) + (quads >> 4 & 0xF) + (quads >> 8 & 0xF)
