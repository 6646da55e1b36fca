"""Address events in 32-bit words, as SpiNNaker's SPIF boards and AEStream send them over UDP.

A word holds y in bits 0-14, the polarity in bit 15 (1 = ON), x in bits 16-30; bit 31 is 0 when a word with the
sender's time follows (32 bits, us, wrapping after 71.6 min) and 1 when none does. Words are little-endian: both send
them as they lie in memory. A datagram is a row of words, without a header or a sequence number.
Sources: SpiNNakerManchester/spif, spiffer/README.md and spiffer.h; aestream/aestream, src/cpp/output/dvs_to_udp.cpp.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from numba import njit

from neuro_robot.errors import ConfigError
from neuro_robot.events.array import (
    EVENT_DTYPE,
    MAX_TIME_NS,
    Events,
    as_kernel_input,
    empty_events,
    require_event_array,
)

WORD = np.dtype("<u4")
NO_TIME_BIT = 31
RESTART_US = 1_000_000  # a sender's clock that steps back further was set anew
MAX_TIME_US = MAX_TIME_NS // 1000

Words = npt.NDArray[np.uint32]


@dataclass(frozen=True)
class AerLayout:
    """Where x, y and the polarity are; x and y reach up to the next field. Raises ConfigError where they collide."""

    x_shift: int = 16
    y_shift: int = 0
    polarity_bit: int = 15
    x_mask: int = field(init=False)
    y_mask: int = field(init=False)

    def __post_init__(self) -> None:
        """Find the width of each field."""
        starts = sorted([self.x_shift, self.y_shift, self.polarity_bit, NO_TIME_BIT])
        if starts[0] < 0 or starts[-1] > NO_TIME_BIT or len(set(starts)) < len(starts):
            got = f"x from bit {self.x_shift}, y from bit {self.y_shift}, polarity in bit {self.polarity_bit}"
            raise ConfigError(f"expected three different bits from 0 to {NO_TIME_BIT - 1}, got {got}")
        for name, shift in (("x_mask", self.x_shift), ("y_mask", self.y_shift)):
            end = starts[starts.index(shift) + 1]
            object.__setattr__(self, name, min(2 ** (end - shift), 2**16) - 1)

    def check_geometry(self, width: int, height: int) -> None:
        """Raise ConfigError for a sensor with pixels that these words cannot address."""
        if not (0 < width <= self.x_mask + 1 and 0 < height <= self.y_mask + 1):
            largest = f"{self.x_mask + 1}x{self.y_mask + 1}"
            raise ConfigError(f"expected a sensor of 1x1 to {largest} pixels in this layout, got {width}x{height}")


@dataclass(slots=True)
class AerStats:
    """Counters over the life of a stream."""

    datagrams: int = 0
    events: int = 0
    malformed_length: int = 0  # datagrams that are empty or not a whole number of words; ignored
    torn: int = 0  # datagrams that end where the last word's time should be; that event is dropped
    out_of_geometry: int = 0  # events dropped
    without_time: int = 0  # events dropped: the sender's time is wanted and there is none
    out_of_order: int = 0  # events older than one before them
    late: int = 0  # of these the ones dropped, because events after them had been handed on
    clock_restarts: int = 0  # the sender's clock was set back by more than a second


class AerDecoder:
    """Collects datagrams and gives their events in order of time.

    With `sender_time` the events have the sender's time, unwrapped to 64 bits, and what the network put out of order
    is sorted as far as `take` has not handed it on. A sender's clock that was set back goes on from where it was.
    Otherwise all events of a datagram have the time of its arrival, and a sender's time is passed over.
    """

    def __init__(
        self, width: int, height: int, layout: AerLayout | None = None, *, sender_time: bool = False
    ) -> None:  # fmt: skip
        self._layout = layout or AerLayout()
        self._layout.check_geometry(width, height)
        self._geometry = (width, height)
        self._sender_time = sender_time
        self._clock = np.zeros(3, np.int64)  # newest time in us, its 32 bits as sent, whether both are known
        self._newest_ns = 0  # handed on, or (of arrival) seen
        self._collected: list[Events] = []
        self.waiting = 0  # events that take() would look at
        self.stats = AerStats()

    def add(self, datagram: bytes | memoryview, arrival_ns: int) -> None:
        """Decode one datagram; whatever it holds is data, never an error."""
        stats = self.stats
        stats.datagrams += 1
        if not datagram or len(datagram) % WORD.itemsize:
            stats.malformed_length += 1
            return
        words = np.frombuffer(datagram, WORD).copy()  # writeable, as the kernel is compiled for
        events = np.empty(len(words), EVENT_DTYPE)
        layout = self._layout
        fields = (layout.x_shift, layout.x_mask, layout.y_shift, layout.y_mask, layout.polarity_bit)
        if not self._sender_time:  # the clock of arrival may be set, too
            self._newest_ns = arrival_ns = max(self._newest_ns, min(arrival_ns, MAX_TIME_NS))
        kept, outside, untimed, torn, backward, restarts = _decode_words(
            words, *fields, *self._geometry, self._sender_time, arrival_ns, self._clock, events
        )
        stats.out_of_geometry += outside
        stats.without_time += untimed
        stats.torn += torn
        stats.out_of_order += backward
        stats.clock_restarts += restarts
        self._collected.append(events[:kept])
        self.waiting += kept

    def take(self) -> Events:
        """Give the (n,) EVENT_DTYPE events collected since the last time, sorted by t, none before the last one's."""
        if not self.waiting:
            self._collected.clear()
            return empty_events()
        events = np.concatenate(self._collected)
        self._collected.clear()
        self.waiting = 0
        if self._sender_time:
            late = events["t"] < self._newest_ns
            self.stats.late += int(np.count_nonzero(late))
            events = events[~late]
            events = events[np.argsort(events["t"], kind="stable")]
            self._newest_ns = int(events["t"][-1]) if len(events) else self._newest_ns
        self.stats.events += len(events)
        return events


def encode(events: Events, layout: AerLayout, *, timestamps: bool) -> Words:
    """Encode (n,) EVENT_DTYPE events as words, with `timestamps` two for each event; times are floored to us.

    Raises PacketError for an array of another kind. x and y beyond the layout's fields are cut off: see
    `AerLayout.check_geometry`.
    """
    require_event_array(events)
    words = np.empty(len(events) * (2 if timestamps else 1), WORD)
    fields = (layout.x_shift, layout.x_mask, layout.y_shift, layout.y_mask, layout.polarity_bit)
    _encode_words(as_kernel_input(events), *fields, timestamps, words)
    return words


@njit(cache=True)
def _encode_words(
    events: Events, x_shift: int, x_mask: int, y_shift: int, y_mask: int, polarity_bit: int,
    timestamps: bool, words: Words,
) -> None:  # fmt: skip
    mark = 0 if timestamps else 1 << NO_TIME_BIT
    step = 2 if timestamps else 1
    for i in range(len(events)):
        event = events[i]
        x, y, p = np.int64(event.x), np.int64(event.y), np.int64(event.p)
        words[i * step] = mark | (x & x_mask) << x_shift | (y & y_mask) << y_shift | (p & 1) << polarity_bit
        if timestamps:
            words[i * step + 1] = event.t // 1000 & 0xFFFFFFFF


@njit(cache=True)
def _decode_words(
    words: Words, x_shift: int, x_mask: int, y_shift: int, y_mask: int, polarity_bit: int,
    width: int, height: int, sender_time: bool, arrival_ns: int, clock: npt.NDArray[np.int64], events: Events,
) -> tuple[int, int, int, int, int, int]:  # fmt: skip
    """-> (events kept, out of geometry, without time, torn, out of order, restarts of the sender's clock)."""
    kept = outside = untimed = torn = backward = restarts = 0
    i = 0
    while i < len(words):
        word = np.int64(words[i])
        timed = word >> NO_TIME_BIT == 0
        i += 1
        if timed and i == len(words):
            torn = 1
            break
        t_ns = arrival_ns
        if timed:
            if sender_time:
                t_us, step_back, restart = _unwrapped(np.int64(words[i]), clock)
                t_ns = t_us * 1000
                backward += step_back
                restarts += restart
            i += 1
        elif sender_time:
            untimed += 1
            continue
        x = word >> x_shift & x_mask
        y = word >> y_shift & y_mask
        if x >= width or y >= height:
            outside += 1
            continue
        event = events[kept]
        event.t = t_ns
        event.x = x
        event.y = y
        event.p = word >> polarity_bit & 1
        kept += 1
    return kept, outside, untimed, torn, backward, restarts


@njit(cache=True)
def _unwrapped(sent: int, clock: npt.NDArray[np.int64]) -> tuple[int, bool, bool]:
    """32 bits of us -> (us in 64 bits, whether older than the newest, whether the sender's clock was set back).

    Forwards up to 35.8 min it is time that has passed. A forged clock can run to the end of time, not past it.
    """
    if not clock[2]:
        clock[0], clock[1], clock[2] = sent, sent, 1
    step = (sent - clock[1] + 2**31 & 0xFFFFFFFF) - 2**31
    if -RESTART_US <= step < 0:
        return max(clock[0] + step, 0), True, False
    clock[1] = sent
    if step < 0:
        return clock[0], False, True
    clock[0] = min(clock[0] + step, MAX_TIME_US)
    return clock[0], False, False
