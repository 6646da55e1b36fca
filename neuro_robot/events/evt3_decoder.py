"""Streaming decoder of the `evt3` encoding: words in, events and triggers out, state kept from packet to packet."""

from __future__ import annotations

import numpy as np

from neuro_robot.events import evt3_kernels as kernels
from neuro_robot.events.array import EVENT_DTYPE, TRIGGER_DTYPE, Events, Triggers
from neuro_robot.events.codec import Batch, Counts, Words
from neuro_robot.events.evt3_words import ADDR_X, EXT_TRIGGER, VECT_8, VECT_12
from neuro_robot.events.vectors import VECTOR_BITS, Integers, as_slots, count_outputs

SPARE = VECTOR_BITS  # events that must still fit for the next word, which may be a full vector


class Evt3Decoder:
    """Decodes a stream of `evt3` packets."""

    def __init__(self) -> None:
        self._state = new_state()

    def decode(self, words: Words, time_base: int, width: int, height: int) -> Batch:
        """Events and triggers in stream order; t_end_ns is the newest time named up to the packet's end.

        A time_base other than 0 marks a self-contained packet: nothing from earlier packets is used for it.
        """
        if time_base:
            self._state[kernels.FLAGS] = 0
        n_events, n_triggers = count_outputs(words, ADDR_X, (VECT_12, VECT_8), EXT_TRIGGER)
        events = np.empty(n_events + SPARE, EVENT_DTYPE)
        triggers = np.empty(n_triggers, TRIGGER_DTYPE)
        counts = new_counts()
        base_us = time_base // 1000 if time_base else -1
        _, kept, triggered = decode_words(words, base_us, width, height, self._state, counts, events, triggers)
        newest_us = int(counts[kernels.NEWEST_US])
        t_end_ns = newest_us * 1000 if newest_us >= 0 else None
        return Batch(events[:kept], triggers[:triggered], t_end_ns, Counts(*counts[: kernels.NEWEST_US].tolist()))

    def resynchronise(self) -> None:
        """Wait for new time, row and base words; the clock's roll-over count stays."""
        self._state[kernels.FLAGS] &= kernels.REFERENCE


def new_state() -> Integers:
    """The state of decode_words before the first word of a stream."""
    return np.zeros(kernels.STATE_SIZE, np.int64)


def new_counts() -> Integers:
    """The counters that decode_words adds to: the fields of codec.Counts in order, then the newest time in us or -1."""
    counts = np.zeros(kernels.COUNTS_SIZE, np.int64)
    counts[kernels.NEWEST_US] = -1
    return counts


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
    new_counts(), added to; one array may serve a whole file. events, triggers: contiguous outputs, written from their
    start. Decoding stops where fewer than SPARE events, or no trigger, would fit, so events must hold at least SPARE
    and triggers 1 to make progress; call again with words[consumed:]. Nothing that words hold is an error.
    """
    used, kept, triggered = kernels.decode(words, base_us, width, height, state, counts, as_slots(events), triggers)
    return int(used), int(kept), int(triggered)
