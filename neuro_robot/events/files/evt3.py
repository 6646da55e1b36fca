"""Prophesee RAW files of 16-bit EVT 3.0 words; the words themselves are the codec's (events/evt3)."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from neuro_robot.events import evt3_decoder, evt3_encoder
from neuro_robot.events.array import Events, Triggers
from neuro_robot.events.evt3_words import EXT_TRIGGER, GLITCH_COUNTS, HIGH_COUNTS, TIME_HIGH, TIME_LOW
from neuro_robot.events.files import raw_header
from neuro_robot.events.files.base import Format, Geometry
from neuro_robot.events.files.words import WordReader, Words, WordWriter
from neuro_robot.events.vectors import CODE_SHIFT, LOW_BITS, LOW_MASK, WORD, Integers, Slots

_LARGEST = (2048, 2048)
_PERIOD_US = HIGH_COUNTS << LOW_BITS
_BRIDGE = HIGH_COUNTS // 2  # the longest step of TIME_HIGH that every reader takes for one forward
_MOST_CHANNEL = 15
_WORDS_PER_EVENT, _WORDS_PER_CALL = 4, 2048  # at most, in one call of the codec's encoder
_LONGEST_US = 1 << 22  # time that one such call is given


class Evt3Writer(WordWriter):
    """Writes EVT 3.0."""

    def __init__(self, path: Path, width: int, height: int) -> None:
        super().__init__(path, "evt3", (width, height), word=WORD, state=np.full(1, -1), encode=_encode)

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


def _encode(events: Events, triggers: Triggers, state: Integers, words: Words) -> tuple[int, int, int]:
    """See words.Encode; the state is the last TIME_HIGH with its roll-overs, -1 before the first."""
    trigger_us = int(triggers["t"][0]) // 1000 if len(triggers) else None
    event_us = int(events["t"][0]) // 1000 if len(events) else None
    is_trigger = event_us is None or (trigger_us is not None and trigger_us < event_us)
    t_us = trigger_us if is_trigger else event_us
    if t_us is None or (bridge := _bridge(int(state[0]), t_us >> LOW_BITS)) is None:
        return 0, 0, 0
    if len(bridge):
        n = min(len(bridge), len(words))
        words[:n] = TIME_HIGH << CODE_SHIFT | bridge[:n] & (HIGH_COUNTS - 1)
        state[0] = bridge[n - 1]
        return 0, 0, n
    if is_trigger:
        return _encode_trigger(triggers[0], t_us, state, words)
    events = events[: _run(events, len(words), trigger_us)]
    _, encoded = evt3_encoder.encode(events, int(events["t"][-1]))
    words[: len(encoded)] = encoded
    state[0] = int(events["t"][-1]) // 1000 >> LOW_BITS
    return len(events), 0, len(encoded)


def _bridge(high: int, target: int) -> Integers | None:
    """The steps of TIME_HIGH in between; None for a step back that readers would take for a roll-over."""
    if high < 0:
        return np.empty(0, np.int64)
    if high - target > GLITCH_COUNTS:
        return None
    last = min(target, high + (1 << 16) * _BRIDGE)
    return np.arange(high + _BRIDGE, last, _BRIDGE)


def _encode_trigger(trigger: np.void, t_us: int, state: Integers, words: Words) -> tuple[int, int, int]:
    if trigger["id"] > _MOST_CHANNEL:
        return 0, 0, 0
    high = t_us >> LOW_BITS
    words[0] = TIME_HIGH << CODE_SHIFT | high & (HIGH_COUNTS - 1)
    words[1] = TIME_LOW << CODE_SHIFT | t_us & LOW_MASK
    words[2] = EXT_TRIGGER << CODE_SHIFT | int(trigger["id"]) << 8 | int(trigger["value"]) & 1
    state[0] = high
    return 0, 1, 3


def _run(events: Events, n_words: int, until_us: int | None) -> int:
    """How many events one call of the encoder takes: sorted, not later than until_us, and their words fit."""
    events = events[: max((n_words - _WORDS_PER_CALL) // _WORDS_PER_EVENT, 1)]
    t_us = events["t"] // 1000
    last_us = int(t_us[0]) + _LONGEST_US
    if until_us is not None:
        last_us = min(last_us, until_us)
    ends = np.flatnonzero((np.diff(t_us) < 0) | (t_us[1:] > last_us))
    return int(ends[0]) + 1 if len(ends) else len(events)


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
