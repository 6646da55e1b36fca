"""Streaming decoder of the `evt3` encoding: words in, events and triggers out, state kept from packet to packet."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from neuro_robot.events.array import EVENT_DTYPE, TRIGGER_DTYPE, Events, Triggers
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

# The state array. HIGH counts 2^12 us since clock zero, roll-overs included; T_US is the time of the last time word.
_HIGH, _T_US, _ROW, _BASE, _POLARITY, _FLAGS, _STATE_SIZE = range(7)
# Flags: HIGH can be unwrapped against; TIME_HIGH seen; TIME_LOW seen after it; ADDR_Y seen; VECT_BASE_X seen.
_REFERENCE, _HIGH_SEEN, _TIMED, _ROW_SEEN, _BASE_SEEN = 1, 2, 4, 8, 16
_PIXEL_READY = _TIMED | _ROW_SEEN
_VECTOR_READY = _TIMED | _ROW_SEEN | _BASE_SEEN
# The counters, in the order of codec.Counts, and the newest time in us (-1: none).
_OUTSIDE, _UNSYNCHRONISED, _BACKWARD, _UNKNOWN, _NEWEST_US, _COUNTS_SIZE = range(6)

SPARE = 13  # events that must still fit for the next word: a vector writes 12 candidates and one past its last

Integers = npt.NDArray[Any]  # int64; Any keeps numba's arithmetic out of mypy's integer types


class Evt3Decoder:
    """Decodes a stream of `evt3` packets."""

    def __init__(self) -> None:
        self._state = new_state()

    def decode(self, words: Words, time_base: int, width: int, height: int) -> Batch:
        """Events and triggers in stream order; t_end_ns is the newest time named up to the packet's end.

        A time_base other than 0 marks a self-contained packet: nothing from earlier packets is used for it.
        """
        if time_base:
            self._state[_FLAGS] = 0
        capacity, n_triggers = count_outputs(words)
        events = np.empty(capacity + SPARE, EVENT_DTYPE)
        triggers = np.empty(n_triggers + 1, TRIGGER_DTYPE)
        counts = new_counts()
        base_us = time_base // 1000 if time_base else -1
        _, kept, triggered = decode_words(words, base_us, width, height, self._state, counts, events, triggers)
        newest_us = int(counts[_NEWEST_US])
        t_end_ns = newest_us * 1000 if newest_us >= 0 else None
        return Batch(events[:kept], triggers[:triggered], t_end_ns, Counts(*counts[:_NEWEST_US].tolist()))

    def resynchronise(self) -> None:
        """Wait for new time, row and base words; the clock's roll-over count stays."""
        self._state[_FLAGS] &= _REFERENCE


def new_state() -> Integers:
    """The state of decode_words before the first word of a stream."""
    return np.zeros(_STATE_SIZE, np.int64)


def new_counts() -> Integers:
    """The counters that decode_words adds to: the fields of codec.Counts in order, then the newest time in us or -1."""
    counts = np.zeros(_COUNTS_SIZE, np.int64)
    counts[_NEWEST_US] = -1
    return counts


@njit(cache=True)
def count_outputs(words: Words) -> tuple[int, int]:
    """(most events, most triggers) these words can make; the size of every output follows from this alone."""
    events = 0
    triggers = 0
    for word in words:
        code = word >> 12
        if code == ADDR_X:
            events += 1
        elif code in (VECT_12, VECT_8):
            events += _ones(word & 0xFFF)
        elif code == EXT_TRIGGER:
            triggers += 1
    return events, triggers


@njit(cache=True)
def decode_words(
    words: Words,
    base_us: int,
    width: int,
    height: int,
    state: Integers,
    counts: Integers,
    events: Events,
    triggers: Triggers,
) -> tuple[int, int, int]:
    """Decode words until they end or an output is full; -> (words consumed, events written, triggers written).

    words: (n,) uint16 in native byte order, contiguous and writeable (np.require, as_kernel_input), so that only one
    version is compiled. base_us: -1 for a camera's stream or file, whose clock starts in its first roll-over period;
    otherwise the sensor time in us that decides the period of the first TIME_HIGH. width, height: pixels, at most
    2048; events outside are dropped and counted. state: from new_state(), carried from call to call. counts: from
    new_counts(), added to; one array may serve a whole file. events, triggers: outputs, written from their start.
    Decoding stops when fewer than SPARE events or no trigger would fit, so events must be longer than SPARE and
    triggers than 0 to make progress; call again with words[consumed:]. Nothing that words hold is an error.
    """
    # Locals, not state[...]: registers make this loop several times faster than memory.
    high, t_us, row = state[_HIGH], state[_T_US], state[_ROW]
    base, polarity, flags = state[_BASE], state[_POLARITY], state[_FLAGS]
    newest_us = max(t_us, counts[_NEWEST_US]) if flags & _TIMED else counts[_NEWEST_US]
    most_kept = len(events) - SPARE
    consumed = kept = triggered = 0
    while consumed < len(words) and kept <= most_kept and triggered < len(triggers):
        word = words[consumed]
        consumed += 1
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
        elif code in (VECT_12, VECT_8):
            ready = flags & _VECTOR_READY == _VECTOR_READY
            mask = value if code == VECT_12 else value & 0xFF
            inside = _inside(mask, base, width if row < height else 0, ready, counts)
            kept = _put_vector(events, kept, t_us, base, row, polarity, inside)
            base += 12 if code == VECT_12 else 8
        elif code == ADDR_Y:
            row = value & ADDRESS_MASK
            flags |= _ROW_SEEN
        elif code in (TIME_LOW, TIME_HIGH):
            t_before_us = t_us
            high, t_us, flags = _time(code == TIME_HIGH, value, base_us, high, t_us, flags)
            counts[_BACKWARD] += t_us < t_before_us
            newest_us = max(newest_us, t_us) if flags & _TIMED else newest_us
        elif code == VECT_BASE_X:
            base = value & ADDRESS_MASK
            polarity = value >> POLARITY_SHIFT
            flags |= _BASE_SEEN
        elif code == EXT_TRIGGER:
            triggered = _put_trigger(triggers, triggered, t_us, value, flags & _TIMED != 0, counts)
        elif code not in (PADDING, OTHERS, CONTINUED_4, CONTINUED_12):
            counts[_UNKNOWN] += 1
    counts[_NEWEST_US] = newest_us
    state[_HIGH], state[_T_US], state[_ROW] = high, t_us, row
    state[_BASE], state[_POLARITY], state[_FLAGS] = base, polarity, flags
    return consumed, kept, triggered


@njit(cache=True)
def _time(is_high: bool, value: int, base_us: int, high: int, t_us: int, flags: int) -> tuple[int, int, int]:
    """Take a TIME_HIGH or TIME_LOW word; -> (high, t_us, flags). t_us stays until both halves were seen.

    A new high half starts at low 0 until TIME_LOW says more, as openeb has it.
    """
    low = value
    if is_high:
        new_high = _unwrapped(value, base_us, high, flags)
        low = t_us & ((1 << LOW_BITS) - 1) if new_high == high else 0
        high = new_high
        flags |= _REFERENCE | _HIGH_SEEN
    elif flags & _HIGH_SEEN:
        flags |= _TIMED
    return high, high << LOW_BITS | low if flags & _TIMED else t_us, flags


@njit(cache=True)
def _unwrapped(value: int, base_us: int, high: int, flags: int) -> int:
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
def _inside(mask: int, base: int, width: int, ready: bool, counts: Integers) -> int:
    """The bits of a vector's mask that are events of this sensor; the others are counted."""
    if not ready:
        counts[_UNSYNCHRONISED] += _ones(mask)
        return 0
    if base + 12 <= width:
        return mask
    inside = mask & ((1 << max(width - base, 0)) - 1)
    counts[_OUTSIDE] += _ones(mask ^ inside)
    return inside


@njit(cache=True)
def _put_vector(events: Events, i: int, t_us: int, base: int, row: int, polarity: int, mask: int) -> int:
    """Write every candidate and step on only when its bit is set: no branch for the processor to guess wrong."""
    x = base
    while mask:
        _put(events, i, t_us, x, row, polarity)
        i += mask & 1
        mask >>= 1
        x += 1
    return i


@njit(cache=True)
def _put_trigger(triggers: Triggers, i: int, t_us: int, value: int, timed: bool, counts: Integers) -> int:
    if not timed:
        counts[_UNSYNCHRONISED] += 1
        return i
    trigger = triggers[i]
    trigger.t = t_us * 1000
    trigger.id = value >> 8
    trigger.value = value & 1
    return i + 1


@njit(cache=True)
def _put(events: Events, i: int, t_us: int, x: int, y: int, p: int) -> None:
    event = events[i]
    event.t = t_us * 1000
    event.x = x
    event.y = y
    event.p = p


@njit(cache=True)
def _ones(bits: int) -> int:
    """Number of set bits of a 12-bit mask (parallel sums in halves)."""
    pairs = (bits & 0x555) + (bits >> 1 & 0x555)
    quads = (pairs & 0x333) + (pairs >> 2 & 0x333)
    return (quads & 0xF) + (quads >> 4 & 0xF) + (quads >> 8 & 0xF)
