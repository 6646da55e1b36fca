"""The `trigger` encoding: 8 bytes per edge of a trigger input, exact to the nanosecond, every packet self-contained.

A little-endian 64-bit word holds dt in bits 0-31 (ns after the packet's time_base), the channel in bits 48-62 and the
edge in bit 63 (1 = rising); bits 32-47 are not used. Source: ros-event-camera/event_camera_codecs, trigger_decoder.h,
where the encoding is deprecated: `evt3` packets carry their triggers among the events. As there, the channel is its
lowest 8 bits.
"""

from __future__ import annotations

import numpy as np

from neuro_robot.events.array import empty_events, empty_triggers
from neuro_robot.events.codec import Batch, Codec, Content, Counts, Words

WORD = np.dtype("<i8")

_DT = 0xFFFFFFFF


def encode(content: Content) -> tuple[int, Words]:
    """-> (time_base: ns of the first trigger, or t_end_ns when there is none; one word per trigger)."""
    triggers = content.triggers
    time_base = int(triggers["t"][0]) if len(triggers) else content.t_end_ns
    address = triggers["value"].astype(WORD) << 63 | triggers["id"].astype(WORD) << 48
    return time_base, address | triggers["t"] - time_base


class TriggerDecoder:
    """Decodes `trigger` packets; between them only the last time is kept, to count steps back."""

    def __init__(self) -> None:
        self._last_ns = -1

    def decode(self, words: Words, time_base: int, width: int, height: int) -> Batch:
        """Triggers in packet order; t_end_ns is the newest time, time_base when there is none."""
        del width, height  # triggers have no pixel
        triggers = empty_triggers(len(words))
        triggers["t"] = time_base + (words & _DT)
        triggers["id"] = words >> 48 & 0xFF
        triggers["value"] = words >> 63 & 1
        times_ns = triggers["t"]
        if not len(words):
            return Batch(empty_events(), triggers, time_base, Counts())
        backward = int(times_ns[0] < self._last_ns) + int(np.count_nonzero(times_ns[1:] < times_ns[:-1]))
        self._last_ns = int(times_ns[-1])
        return Batch(empty_events(), triggers, int(times_ns.max()), Counts(backward_time=backward))

    def resynchronise(self) -> None:
        """Nothing to forget: every packet is self-contained."""


TRIGGER = Codec(
    name="trigger",
    word=WORD,
    max_width=0,
    max_height=0,
    max_trigger_id=255,
    max_span_ns=2**32 - 1,
    little_endian_always=False,
    encode=encode,
    decoder=TriggerDecoder,
    self_contained=lambda _time_base: True,
)
