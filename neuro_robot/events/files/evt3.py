"""Prophesee RAW files of 16-bit EVT 3.0 words; the words themselves are the codec's (events/evt3)."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
from numba import njit

from neuro_robot.events import evt3_decoder, evt3_encoder
from neuro_robot.events.array import Events, Triggers
from neuro_robot.events.evt3_words import GLITCH_COUNTS, HIGH_COUNTS, TIME_HIGH
from neuro_robot.events.files import raw_header
from neuro_robot.events.files.base import Format, Geometry
from neuro_robot.events.files.words import WordReader, Words, WordWriter
from neuro_robot.events.vectors import CODE_SHIFT, LOW_BITS, WORD, Integers, Slots

_LARGEST = (2048, 2048)
_PERIOD_US = HIGH_COUNTS << LOW_BITS
_BRIDGE = HIGH_COUNTS // 2  # the longest step of TIME_HIGH that every reader takes for one forward
_MOST_CHANNEL = 15
_WORDS_PER_EVENT, _WORDS_PER_TRIGGER, _WORDS_PER_CALL = 4, 3, 2048  # at most, in a call of the codec's encoder
_LONGEST_US = 1 << 22  # time that one such call is given


class Evt3Writer(WordWriter):
    """Writes EVT 3.0."""

    def __init__(self, path: Path, width: int, height: int) -> None:
        encode = partial(_encode, width)
        super().__init__(path, "evt3", (width, height), word=WORD, state=np.full(1, -1), encode=encode)

    def header(self, first_us: int) -> bytes:
        """The RAW header."""
        return raw_header.raw_text("EVT3", "3.0", self.geometry, first_us, _PERIOD_US)


def _open(path: Path, given: Geometry | None) -> WordReader:
    header, geometry = raw_header.open_raw(path, given, "EVT3", _LARGEST)
    return WordReader(
        path,
        "evt3",
        geometry,
        details=header.fields,
        offset=header.size,
        word=WORD,
        state=evt3_decoder.new_state(),
        decode=partial(_decode, raw_header.time_base_us(header)),
        spare=evt3_decoder.SPARE,
        offset_us=raw_header.time_offset_us(header),
    )


def _decode(
    base_us: int,
    words: Words,
    width: int,
    height: int,
    state: Integers,
    counts: Integers,
    slots: Slots,
    triggers: Triggers,
) -> tuple[int, int, int]:
    """See words.Decode."""
    return evt3_decoder.decode_words(words, base_us, width, height, state, counts, slots, triggers)


def _encode(width: int, events: Events, triggers: Triggers, state: Integers, words: Words) -> tuple[int, int, int]:
    """See words.Encode; the state is the last TIME_HIGH with its roll-overs, -1 before the first."""
    t_us = min(int(part["t"][0]) // 1000 for part in (events, triggers) if len(part))
    bridge = _bridge(int(state[0]), t_us >> LOW_BITS)
    if bridge is None:
        return 0, 0, 0
    if len(bridge):
        n = min(len(bridge), len(words))
        words[:n] = TIME_HIGH << CODE_SHIFT | bridge[:n] & (HIGH_COUNTS - 1)
        state[0] = bridge[n - 1]
        return 0, 0, n
    n_events, n_triggers, end_us = _run(events, triggers, t_us + _LONGEST_US, len(words) - _WORDS_PER_CALL)
    if not n_events and not n_triggers:
        return 0, 0, 0
    _, encoded = evt3_encoder.encode(events[:n_events], end_us * 1000, triggers[:n_triggers], width)
    words[: len(encoded)] = encoded
    state[0] = end_us >> LOW_BITS
    return n_events, n_triggers, len(encoded)


def _bridge(high: int, target: int) -> Integers | None:
    """The steps of TIME_HIGH in between; None for a step back that readers would take for a roll-over."""
    if high < 0:
        return np.empty(0, np.int64)
    if high - target > GLITCH_COUNTS:
        return None
    last = min(target, high + (1 << 16) * _BRIDGE)
    return np.arange(high + _BRIDGE, last, _BRIDGE)


@njit(cache=True)
def _run(events: Events, triggers: Triggers, last_us: int, room: int) -> tuple[int, int, int]:
    """(events, triggers, time of the last) that one call of the encoder takes: sorted, until last_us, fitting."""
    j = 0
    t_us = 0
    while j < min(len(triggers), room // (2 * _WORDS_PER_TRIGGER)):
        trigger = triggers[j]
        if trigger.id > _MOST_CHANNEL or not t_us <= trigger.t // 1000 <= last_us:
            break
        t_us = trigger.t // 1000
        j += 1
    if j < len(triggers):
        last_us = min(last_us, max(t_us, triggers[j].t // 1000))
    i = 0
    end_us = 0
    while i < min(len(events), (room - _WORDS_PER_TRIGGER * j) // _WORDS_PER_EVENT):
        t_us = events[i].t // 1000
        if not end_us <= t_us <= last_us:
            break
        end_us = t_us
        i += 1
    if i < len(events) and i:
        while j and triggers[j - 1].t // 1000 > end_us:
            j -= 1
    return i, j, max(end_us, triggers[j - 1].t // 1000 if j else 0)


FORMATS = (
    Format(
        name="evt3",
        extensions=(".raw",),
        description="Prophesee RAW, EVT 3.0",
        sniff=lambda head, _path: raw_header.seen_encoding(head) == "EVT3",
        reader=_open,
        writer=Evt3Writer,
        time_resolution_ns=1000,
        keeps_triggers=True,
        max_width=_LARGEST[0],
        max_height=_LARGEST[1],
    ),
)
