"""Streaming files of fixed-size words: what the readers and writers of RAW and DAT share.

A format brings two kernels. Its decoder turns words into events and triggers until one of the three ends; its encoder
does the reverse. Both carry their state from call to call in an int64 array, so a file is worked through in blocks
that stay in the processor's cache.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from numba import njit

from neuro_robot.errors import FileFormatError
from neuro_robot.events.array import (
    EVENT_DTYPE,
    MAX_TIME_NS,
    TRIGGER_DTYPE,
    Events,
    Triggers,
    as_kernel_input,
    empty_triggers,
)
from neuro_robot.events.files.base import (
    CHUNK_EVENTS,
    Chunk,
    EventReader,
    EventWriter,
    FileStats,
    Geometry,
    require_triggers,
    require_writable,
)
from neuro_robot.events.files.gathered import Gathered
from neuro_robot.events.vectors import Integers, Slots, as_slots

Words = npt.NDArray[Any]

# The counters of a decoder, in the order of codec.Counts; the fifth is the EVT3 decoder's own.
OUTSIDE, UNSYNCHRONISED, BACKWARD, UNKNOWN, _OWN, _COUNTS = range(6)

MOST_TIME_US = MAX_TIME_NS // 1000  # beyond, no more roll-overs are counted
_BLOCK_BYTES = 1 << 19
_LEAST_ROOM = 1 << 14  # events, for a block that is decoded
_LARGEST_CHUNK = 1 << 24  # events: an array is made for as many as asked for, up to this
_TRIGGERS = _BLOCK_BYTES // 2 + 1  # one for each word of a block at most


class Decode(Protocol):
    """(words, width, height, state, counts, slots, triggers) -> (words used, events, triggers written).

    Stops when fewer than the reader's `spare` events would fit; triggers is never too short.
    """

    def __call__(
        self,
        words: Words,
        width: int,
        height: int,
        state: Integers,
        counts: Integers,
        slots: Slots,
        triggers: Triggers,
    ) -> tuple[int, int, int]: ...


class Encode(Protocol):
    """(events, triggers, state, words) -> (events used, triggers used, words written).

    Stops when words is full; leaves room unused only when the next event or trigger cannot be written.
    """

    def __call__(self, events: Events, triggers: Triggers, state: Integers, words: Words) -> tuple[int, int, int]: ...


class WordReader(EventReader):
    """Reads words of one type from an offset of a file to its end."""

    def __init__(
        self,
        path: Path,
        format_name: str,
        geometry: Geometry,
        *,
        details: dict[str, str],
        offset: int,
        word: npt.DTypeLike,
        state: Integers,
        decode: Decode,
        spare: int,
        offset_us: int,
    ) -> None:
        self.format = format_name
        self.width, self.height = geometry
        self.details = details
        self.stats = FileStats()
        self._decode, self._state, self._spare = decode, state, spare
        self._offset_ns = offset_us * 1000
        self._word = np.dtype(word)
        self._counts = np.zeros(_COUNTS, np.int64)
        self._triggers = np.empty(_TRIGGERS, TRIGGER_DTYPE)
        self._block = np.empty(_BLOCK_BYTES, np.uint8)
        self._at = self._end = 0  # the unread part of the block
        self._file = path.open("rb", buffering=0)
        self._size = max(self._file.seek(0, 2), 1)
        self._file.seek(offset)

    def chunks(self, max_events: int = CHUNK_EVENTS) -> Iterator[Chunk]:
        """The rest of the recording; what words hold is data, never an error."""
        capacity = min(max(max_events, 1), _LARGEST_CHUNK)
        more = True
        while more:
            events = np.empty(capacity + self._spare, EVENT_DTYPE)
            triggers = [empty_triggers()]
            n = 0
            while n < capacity and (more := self._fill()):
                n += self._decode_block(events[n:], triggers)
            if n or len(triggers) > 1:
                yield self._chunk(events[:n], triggers)

    def read_all(self) -> Chunk:
        """The rest of the recording, decoded where it stays."""
        gathered, triggers = Gathered(self.position), [empty_triggers()]
        while self._fill():
            gathered.took(self._decode_block(gathered.room(self._spare + _LEAST_ROOM), triggers))
        return self._chunk(gathered.events(), triggers)

    def _chunk(self, events: Events, triggers: list[Triggers]) -> Chunk:
        chunk = Chunk(events, np.concatenate(triggers))
        if self._offset_ns:
            chunk.events["t"] += self._offset_ns
            chunk.triggers["t"] += self._offset_ns
        return chunk

    def _decode_block(self, events: Events, triggers: list[Triggers]) -> int:
        """Decode what is in the block as far as there is room; -> events written."""
        usable = (self._end - self._at) // self._word.itemsize * self._word.itemsize
        words = self._block[self._at : self._at + usable].view(self._word)
        used, kept, triggered = self._decode(
            words, self.width, self.height, self._state, self._counts, as_slots(events), self._triggers
        )
        self._at += used * self._word.itemsize
        if triggered:
            triggers.append(self._triggers[:triggered].copy())
        self._count(kept, triggered)
        return kept

    def _fill(self) -> bool:
        """Have at least one whole word in the block; False at the end of the file."""
        left = self._end - self._at
        if left >= self._word.itemsize:
            return True
        self._block[:left] = self._block[self._at : self._end]
        self._at, self._end = 0, left
        while self._end < self._word.itemsize:
            got = self._file.readinto(self._block.data[self._end :])
            if not got:
                self.stats.torn_bytes = self._end
                return False
            self._end += got
        return True

    def _count(self, kept: int, triggered: int) -> None:
        stats = self.stats
        stats.events += kept
        stats.triggers += triggered
        stats.dropped_out_of_geometry = int(self._counts[OUTSIDE])
        stats.dropped_unsynchronised = int(self._counts[UNSYNCHRONISED])
        stats.backward_time = int(self._counts[BACKWARD])
        stats.unknown_words = int(self._counts[UNKNOWN])

    def position(self) -> float:
        """Bytes decoded of the file's bytes."""
        return min((self._file.tell() - (self._end - self._at)) / self._size, 1.0)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class WordWriter(EventWriter):
    """Writes a header at the first events, then words; at any moment the file is readable up to there."""

    def __init__(
        self, path: Path, format_name: str, geometry: Geometry, *, word: npt.DTypeLike, state: Integers, encode: Encode
    ) -> None:
        self._path, self._format = path, format_name
        self.geometry = geometry
        self._encode, self._state = encode, state
        self._words = np.empty(_BLOCK_BYTES // np.dtype(word).itemsize, word)
        self._started = False
        self._file = path.open("wb", buffering=0)

    def header(self, first_us: int) -> bytes:
        """What comes before the words, for a recording whose first event or trigger is at this time."""
        raise NotImplementedError

    def start(self, first_us: int) -> None:
        """Set the state so that the words go on from the header."""

    def write(self, events: Events, triggers: Triggers | None = None) -> None:
        """Append; a trigger goes before the first event that is later than it."""
        require_writable(events, *self.geometry)
        triggers = require_triggers(triggers)
        events = as_kernel_input(events)
        if not self._started and len(events) + len(triggers):
            self._begin(min(int(each["t"][0]) for each in (events, triggers) if len(each)) // 1000)
        while len(events) + len(triggers):
            used, triggered, n = self._encode(events, triggers, self._state, self._words)
            if not n and not used and not triggered:
                raise self._refusal(events, triggers)
            self._put(self._words[:n].view(np.uint8))
            events, triggers = events[used:], triggers[triggered:]

    def close(self) -> None:
        """Close the file; one without events is a header."""
        if not self._file.closed:
            if not self._started:
                self._begin(0)
            self._file.close()

    def _begin(self, first_us: int) -> None:
        self._started = True
        self._put(np.frombuffer(self.header(first_us), np.uint8))
        self.start(first_us)

    def _put(self, data: npt.NDArray[np.uint8]) -> None:
        view = data.data
        try:
            while view:
                view = view[self._file.write(view) :]
        except OSError as error:
            raise FileFormatError(f"{self._path}: cannot be written ({error.strerror or error})") from error

    def _refusal(self, events: Events, triggers: Triggers) -> FileFormatError:
        times = " and ".join(str(int(each["t"][0])) for each in (events, triggers) if len(each))
        return FileFormatError(
            f"{self._format} cannot hold the step of time to {times} ns, or that trigger's id; "
            "sort the events by time, or write another format (npz holds everything)"
        )


@njit(cache=True)
def unwrapped(value: int, before: int, bits: int, glitch: int, limit: int) -> int:
    """The count nearest to what a clock of `bits` bits means by value, after the count `before`.

    A step back by more than half the range is a roll-over, a step forward by nearly the range (less than glitch
    short of it) a step back across the last roll-over. Beyond limit no more roll-overs are counted.
    """
    period = 1 << bits
    step = value - (before & (period - 1))
    if step < -(period >> 1) and before < limit:
        step += period
    elif step >= period - glitch and before >= period:
        step -= period
    return before + step


@njit(cache=True)
def nearest(value: int, to: int, bits: int) -> int:
    """The count that a clock of `bits` bits shows as value, nearest to the count `to` and not below 0."""
    roll_overs = (to - value + (1 << bits - 1)) >> bits
    return value + (max(roll_overs, 0) << bits)
