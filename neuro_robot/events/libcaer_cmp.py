"""The `libcaer_cmp` encoding of iniVation cameras: 16-bit words, microseconds, every packet self-contained.

As in `evt3` bits 12-15 of a word are its code, but with other codes and the roles of row and column swapped: a column
word is followed by the rows in it. t = time_base + (TIME_HIGH, TIME_LOW) * 1000 ns, 24 bits from 0 at the packet's
start. Sources: ros-event-camera/event_camera_codecs, libcaer_cmp_types.h and libcaer_cmp_decoder.h; libcaer_driver,
compression_tokens.hpp and message_converter.cpp. Nobody writes VECT_12, and its decoder ignores it: an unknown word.
"""

from __future__ import annotations

import numpy as np

from neuro_robot.events import libcaer_cmp_kernels as kernels
from neuro_robot.events.array import EVENT_DTYPE, as_kernel_input, empty_triggers
from neuro_robot.events.codec import Batch, Codec, Content, Counts, Words
from neuro_robot.events.vectors import ADDRESS_MASK, VECTOR_BITS, WORD, as_slots, count_outputs

MAX_SPAN_US = 2**24 - 1


def encode(content: Content) -> tuple[int, Words]:
    """-> (time_base: ns of the first event floored to us, of t_end_ns when there is none; words); t floors to us.

    The packet ends with the time words of t_end_ns, where it is later than the last event.
    """
    events, t_end_us = content.events, content.t_end_ns // 1000
    base_us = int(events["t"][0]) // 1000 if len(events) else t_end_us
    words = np.empty(4 * len(events) + 2, WORD)
    n = kernels.encode(as_slots(as_kernel_input(events)), base_us, t_end_us, words)
    return base_us * 1000, words[:n].copy()


class LibcaerCmpDecoder:
    """Decodes `libcaer_cmp` packets; between them only the last time is kept, to count steps back."""

    def __init__(self) -> None:
        self._last_ns = -1

    def decode(self, words: Words, time_base: int, width: int, height: int) -> Batch:
        """Events in packet order; t_end_ns is the newest time named, time_base when there is none."""
        n_events, _ = count_outputs(words, kernels.ADDR_Y, (kernels.VECT_8, kernels.VECT_8), kernels.VECT_12)
        events = np.empty(n_events + VECTOR_BITS, EVENT_DTYPE)
        kept, self._last_ns, newest_ns, *counts = kernels.decode(
            words, time_base, width, height, self._last_ns, as_slots(events)
        )
        return Batch(events[:kept], empty_triggers(), newest_ns, Counts(*counts))

    def resynchronise(self) -> None:
        """Nothing to forget: every packet is self-contained."""


LIBCAER_CMP = Codec(
    name="libcaer_cmp",
    word=WORD,
    max_width=ADDRESS_MASK + 1,
    max_height=ADDRESS_MASK + 1,
    max_trigger_id=None,
    max_span_ns=MAX_SPAN_US * 1000,
    little_endian_always=False,
    encode=encode,
    decoder=LibcaerCmpDecoder,
    self_contained=lambda _time_base: True,
)
