"""The `libcaer` encoding of iniVation cameras: 8 bytes per event, microseconds, every packet self-contained.

Two little-endian 32-bit words: data with bit 0 valid mark, bit 1 polarity (1 = ON), bits 2-16 y, bits 17-31 x; then
the low 31 bits of the sensor's microseconds. t = time_base + timestamp * 1000 ns, and the timestamp rolls over every
2^31 us, also inside a packet. Sources: libcaer polarity.h; ros-event-camera/event_camera_codecs, libcaer_decoder.h;
libcaer_driver, message_converter.cpp. As there, the valid mark is written but not read.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from neuro_robot.events.array import Events, as_kernel_input
from neuro_robot.events.codec import Codec, Content, EventWordDecoder, Words

WORD = np.dtype("<i8")  # both 32-bit words at once: data below, timestamp above; its sign bit is not used
ROLL_OVER_US = 2**31


def encode(content: Content) -> tuple[int, Words]:
    """-> (time_base: ns with the low 31 bits of its microseconds cleared, words); t floors to us.

    An empty packet has nothing else to tell the time, so its time_base is t_end_ns floored to us.
    """
    events = content.events
    if not len(events):
        return content.t_end_ns // 1000 * 1000, np.empty(0, WORD)
    base_us = int(events["t"][0]) // 1000 // ROLL_OVER_US * ROLL_OVER_US
    words = np.empty(len(events), WORD)
    _encode_words(as_kernel_input(events), words)
    return base_us * 1000, words


@njit(cache=True)
def _encode_words(events: Events, words: Words) -> None:
    for i in range(len(events)):
        event = events[i]
        x, y, p = np.int64(event.x), np.int64(event.y), np.int64(event.p)
        stamp_us = event.t // 1000 & (ROLL_OVER_US - 1)
        words[i] = stamp_us << 32 | x << 17 | y << 2 | p << 1 | 1


@njit(cache=True)
def _decode_words(
    words: Words, time_base: int, width: int, height: int, last_ns: int, events: Events
) -> tuple[int, int, int, int]:
    """-> (events kept, time of the last event, newest time, number of steps back in time).

    A step back by more than half the range is a roll-over, a step forward by more than half the range undoes one (a
    straggler from before it); anything smaller is taken as it is, and counted when it goes back.
    """
    kept = 0
    backward = 0
    newest_ns = time_base
    roll_over_us = 0
    previous_us = words[0] >> 32 & 0x7FFFFFFF if len(words) else 0
    for i in range(len(words)):
        word = words[i]
        stamp_us = word >> 32 & 0x7FFFFFFF
        if previous_us - stamp_us > ROLL_OVER_US // 2:
            roll_over_us += ROLL_OVER_US
        elif stamp_us - previous_us > ROLL_OVER_US // 2 and roll_over_us > 0:
            roll_over_us -= ROLL_OVER_US
        previous_us = stamp_us
        t_ns = time_base + (roll_over_us + stamp_us) * 1000
        backward += t_ns < last_ns
        last_ns = t_ns
        newest_ns = max(newest_ns, t_ns)
        x = word >> 17 & 0x7FFF
        y = word >> 2 & 0x7FFF
        event = events[kept]
        event.t = t_ns
        event.x = x
        event.y = y
        event.p = word >> 1 & 1
        kept += x < width and y < height  # an event outside the sensor is overwritten by the next one
    return kept, last_ns, newest_ns, backward


LIBCAER = Codec(
    name="libcaer",
    word=WORD,
    max_width=2**15,
    max_height=2**15,
    max_trigger_id=None,
    max_span_ns=ROLL_OVER_US // 2 * 1000,
    little_endian_always=True,  # libcaer's memory layout, copied by its driver whatever the machine
    encode=encode,
    decoder=lambda: EventWordDecoder(_decode_words),
    self_contained=lambda _time_base: True,
)
