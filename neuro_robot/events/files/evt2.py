"""Prophesee RAW files of 32-bit EVT 2.0 words (layout: raw_words)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numba import njit

from neuro_robot.events.array import Events, Triggers
from neuro_robot.events.files import raw_header
from neuro_robot.events.files.base import Format, Geometry
from neuro_robot.events.files.raw_words import (
    ADDRESS_MASK,
    BASE,
    HIGH,
    HIGH_MASK,
    LARGEST,
    LAST_US,
    LOW_BITS,
    LOW_MASK,
    PERIOD_US,
    new_state,
    next_trigger_us,
    put,
    put_trigger,
    step_towards,
    time_high,
    trigger_word,
)
from neuro_robot.events.files.words import (
    BACKWARD,
    OUTSIDE,
    UNKNOWN,
    UNSYNCHRONISED,
    Integers,
    WordReader,
    Words,
    WordWriter,
)

WORD = np.dtype("<u4")
CD_OFF, CD_ON, TIME_HIGH, EXT_TRIGGER, IMU, OTHER, CONTINUED = 0x0, 0x1, 0x8, 0xA, 0xD, 0xE, 0xF


class Evt2Writer(WordWriter):
    """Writes EVT 2.0."""

    def __init__(self, path: Path, width: int, height: int) -> None:
        super().__init__(path, "evt2", (width, height), word=WORD, state=new_state(), encode=_encode)

    def header(self, first_us: int) -> bytes:
        """The RAW header."""
        return raw_header.raw_text("EVT2", "2.0", self.geometry, first_us, PERIOD_US)


def _open(path: Path, given: Geometry | None) -> WordReader:
    header, geometry = raw_header.open_raw(path, given, "EVT2", LARGEST)
    return WordReader(
        path,
        "evt2",
        geometry,
        details=header.fields,
        offset=header.size,
        word=WORD,
        state=new_state(raw_header.time_base_us(header)),
        decode=_decode,
        spare=1,
    )


@njit(cache=True)
def _decode(
    words: Words,
    width: int,
    height: int,
    state: Integers,
    counts: Integers,
    events: Events,
    triggers: Triggers,
) -> tuple[int, int, int]:
    """See words.Decode."""
    high, last_us = state[HIGH], state[LAST_US]
    pixels = kept = triggered = backward = unknown = 0
    first = _skip_untimed(words, counts) if high < 0 else 0
    after = min(len(words), first + len(events))
    for word in words[first:after]:
        code = word >> 28
        if code <= CD_ON:
            t_us = high << LOW_BITS | word >> 22 & LOW_MASK
            x, y = word >> 11 & ADDRESS_MASK, word & ADDRESS_MASK
            put(events, kept, t_us, x, y, code)  # an event outside the sensor is overwritten by the next one
            pixels += 1
            kept += x < width and y < height
            backward += t_us < last_us
            last_us = t_us
        elif code == TIME_HIGH:
            high = time_high(word, high, state[BASE])
        elif code == EXT_TRIGGER:
            put_trigger(triggers, triggered, high, word)
            triggered += 1
        elif code not in (IMU, OTHER, CONTINUED):
            unknown += 1
    state[HIGH], state[LAST_US] = high, last_us
    counts[OUTSIDE] += pixels - kept
    counts[BACKWARD] += backward
    counts[UNKNOWN] += unknown
    return after, kept, triggered


@njit(cache=True)
def _skip_untimed(words: Words, counts: Integers) -> int:
    """Index of the first time word; the events and triggers before it have no time."""
    for i in range(len(words)):
        code = words[i] >> 28
        if code == TIME_HIGH:
            return i
        counts[UNSYNCHRONISED] += code in (CD_OFF, CD_ON, EXT_TRIGGER)
    return len(words)


@njit(cache=True)
def _encode(events: Events, triggers: Triggers, state: Integers, words: Words) -> tuple[int, int, int]:
    """See words.Encode."""
    high = state[HIGH]
    i = j = n = 0
    while True:
        until_us = next_trigger_us(triggers, j)
        i, n, high = _encode_events(events, i, until_us, high, words, n)
        full = n == len(words)
        if full or j == len(triggers) or (i < len(events) and events[i].t // 1000 <= until_us):
            break
        word, high, done = trigger_word(triggers[j], high, TIME_HIGH, EXT_TRIGGER)
        if word < 0:
            break
        words[n] = word
        n += 1
        j += done
    state[HIGH] = high
    return i, j, n


@njit(cache=True)
def _encode_events(events: Events, i: int, until_us: int, high: int, words: Words, n: int) -> tuple[int, int, int]:
    """Encode events from i to until_us; -> (next event, next word, HIGH)."""
    while i < len(events) and n < len(words):
        event = events[i]
        t_us = event.t // 1000
        if t_us > until_us:
            break
        if t_us >> LOW_BITS != high:
            step = step_towards(high, t_us >> LOW_BITS)
            if step < 0:
                break
            high = step
            words[n] = TIME_HIGH << 28 | high & HIGH_MASK
        else:
            words[n] = int(event.p) << 28 | (t_us & LOW_MASK) << 22 | int(event.x) << 11 | int(event.y)
            i += 1
        n += 1
    return i, n, high


FORMATS = (
    Format(
        name="evt2",
        extensions=(".raw",),
        description="Prophesee RAW, EVT 2.0",
        sniff=lambda head, _path: raw_header.seen_encoding(head) == "EVT2",
        reader=_open,
        writer=Evt2Writer,
        time_resolution_ns=1000,
        keeps_triggers=True,
        max_width=LARGEST[0],
        max_height=LARGEST[1],
    ),
)
