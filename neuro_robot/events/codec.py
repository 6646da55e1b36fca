"""What an encoding must offer: the interface between packets and the codecs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from neuro_robot.events.array import EVENT_DTYPE, Events, Triggers, empty_triggers

Words = npt.NDArray[Any]  # integers of the codec's word type


class Content(NamedTuple):
    """What one packet is made of: sorted, inside the sensor, within what its Codec says of itself."""

    events: Events
    triggers: Triggers
    t_end_ns: int  # sensor time up to which the packet tells everything
    width: int


class Counts(NamedTuple):
    """What a decoder met in one packet besides good events."""

    dropped_out_of_geometry: int = 0
    dropped_unsynchronised: int = 0
    backward_time: int = 0
    unknown_words: int = 0


class Batch(NamedTuple):
    """One decoded packet; t_end_ns is None while the stream's time is not known."""

    events: Events
    triggers: Triggers
    t_end_ns: int | None
    counts: Counts


class PacketDecoder(Protocol):
    """The decoding state of one stream."""

    def decode(self, words: Words, time_base: int, width: int, height: int) -> Batch:
        """Decode one packet's whole words (native byte order); anything they contain is data, never an error."""

    def resynchronise(self) -> None:
        """Forget what the lost part of the stream may have changed."""


class EventWordDecoder:
    """Decodes encodings of events only, one word each, whose packets are self-contained.

    kernel(words, time_base, width, height, last_ns, events) fills events and returns (events kept, time of the last
    event, newest time, number of steps back in time). last_ns is the last time of the packet before: it is all that
    is kept between packets, and only to count steps back.
    """

    def __init__(self, kernel: Callable[..., tuple[int, int, int, int]]) -> None:
        self._kernel = kernel
        self._last_ns = -1

    def decode(self, words: Words, time_base: int, width: int, height: int) -> Batch:
        """Events in packet order; t_end_ns is the newest event time, time_base when there is none."""
        events = np.empty(len(words), EVENT_DTYPE)
        kept, last_ns, newest_ns, backward = self._kernel(words, time_base, width, height, self._last_ns, events)
        self._last_ns = last_ns
        counts = Counts(dropped_out_of_geometry=len(words) - kept, backward_time=backward)
        return Batch(events[:kept], empty_triggers(), newest_ns, counts)

    def resynchronise(self) -> None:
        """Nothing to forget: every packet is self-contained."""


@dataclass(frozen=True)
class Codec:
    """One encoding of event packets."""

    name: str
    word: np.dtype[Any]  # a packet is a whole number of these
    max_width: int  # pixels that the address bits can tell apart; 0: carries no events, so any sensor will do
    max_height: int
    max_trigger_id: int | None  # None: carries no triggers
    max_span_ns: int  # longest time from the first event or trigger to the end of a packet
    little_endian_always: bool  # by definition of the format, whatever is_bigendian says
    encode: Callable[[Content], tuple[int, Words]]  # -> (time_base, words)
    decoder: Callable[[], PacketDecoder]
    self_contained: Callable[[int], bool]  # time_base -> whether a packet decodes without those before it
