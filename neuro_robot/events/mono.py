"""The `mono` encoding: 8 bytes per event, exact to the nanosecond, every packet self-contained.

A little-endian 64-bit word holds dt in bits 0-31 (ns after the packet's time_base), x in 32-47, y in 48-62 and the
polarity in bit 63 (1 = ON). Source: ros-event-camera/event_camera_codecs, mono_decoder.h and mono_encoder.h.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from neuro_robot.events.array import Events, as_kernel_input
from neuro_robot.events.codec import Codec, Content, EventWordDecoder, Words

WORD = np.dtype("<i8")  # signed, so that arithmetic with it stays in int64


def encode(content: Content) -> tuple[int, Words]:
    """-> (time_base: ns of the first event, or t_end_ns when there is none; one word per event)."""
    events = content.events
    time_base = int(events["t"][0]) if len(events) else content.t_end_ns
    words = np.empty(len(events), WORD)
    _encode_words(as_kernel_input(events), time_base, words)
    return time_base, words


@njit(cache=True)
def _encode_words(events: Events, time_base: int, words: Words) -> None:
    for i in range(len(events)):
        event = events[i]
        x, y, p = np.int64(event.x), np.int64(event.y), np.int64(event.p)
        words[i] = p << 63 | y << 48 | x << 32 | event.t - time_base


@njit(cache=True)
def _decode_words(
    words: Words, time_base: int, width: int, height: int, last_ns: int, events: Events
) -> tuple[int, int, int, int]:
    """-> (events kept, time of the last event, newest time, number of steps back in time)."""
    kept = 0
    backward = 0
    newest_ns = time_base
    for i in range(len(words)):
        word = words[i]
        t_ns = time_base + (word & 0xFFFFFFFF)
        backward += t_ns < last_ns
        last_ns = t_ns
        newest_ns = max(newest_ns, t_ns)
        x = word >> 32 & 0xFFFF
        y = word >> 48 & 0x7FFF
        event = events[kept]
        event.t = t_ns
        event.x = x
        event.y = y
        event.p = word >> 63 & 1
        kept += x < width and y < height  # an event outside the sensor is overwritten by the next one
    return kept, last_ns, newest_ns, backward


MONO = Codec(
    name="mono",
    word=WORD,
    max_width=2**16,
    max_height=2**15,
    max_trigger_id=None,
    max_span_ns=2**32 - 1,
    little_endian_always=False,
    encode=encode,
    decoder=lambda: EventWordDecoder(_decode_words),
    self_contained=lambda _time_base: True,
)
