"""What every file format offers: a reader that streams chunks, a writer that takes them, and its entry in the table."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from neuro_robot.errors import FileFormatError, PacketError
from neuro_robot.events.array import (
    MAX_TIME_NS,
    TRIGGER_DTYPE,
    Events,
    Triggers,
    as_kernel_input,
    empty_triggers,
    require_event_array,
)
from neuro_robot.events.files.gathered import Gathered

if TYPE_CHECKING:
    from typing_extensions import Self

Geometry = tuple[int, int]
"""(width, height) of the sensor in pixels."""

MAX_SIDE = 2**16  # pixels: x and y are uint16
HEAD_BYTES = 1 << 16  # of a file that Format.sniff is shown
CHUNK_EVENTS = 1 << 20
_READ_ALL_EVENTS = 1 << 16  # a chunk that stays in the processor's cache while it is copied


class Chunk(NamedTuple):
    """A stretch of a recording, in stream order; times of a real camera may step back by some microseconds."""

    events: Events  # EVENT_DTYPE
    triggers: Triggers  # TRIGGER_DTYPE, those that came among the events


@dataclass(slots=True)
class FileStats:
    """Counters, filled while a file is read."""

    events: int = 0
    triggers: int = 0
    backward_time: int = 0  # steps back of sensor time
    dropped_out_of_geometry: int = 0
    unknown_words: int = 0  # words or records of a type that the format does not name
    torn_bytes: int = 0  # at the end of the file, less than a word or record
    dropped_unsynchronised: int = 0  # before time and address were known: a recording joined in the middle

    def as_dict(self) -> dict[str, int]:
        """Every counter by its name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


class EventReader(ABC):
    """One open recording."""

    format: str
    width: int
    height: int
    details: dict[str, str]  # what the file says about itself
    stats: FileStats
    _last_ns: int = -1

    @abstractmethod
    def chunks(self, max_events: int = CHUNK_EVENTS) -> Iterator[Chunk]:
        """The rest of the recording in stream order, in chunks never much larger than max_events.

        Raises FileFormatError where the file breaks its format.
        """

    @abstractmethod
    def position(self) -> float:
        """How much of the file was read, 0 to 1."""

    @abstractmethod
    def close(self) -> None:
        """Give the file back; the reader is of no use any more."""

    def read_all(self) -> Chunk:
        """The rest of the recording at once; it has to fit into memory."""
        gathered, triggers = Gathered(self.position), [empty_triggers()]
        for chunk in self.chunks(_READ_ALL_EVENTS):
            gathered.append(chunk.events)
            triggers.append(chunk.triggers)
        return Chunk(gathered.events(), np.concatenate(triggers))

    def _accept(self, events: Events, triggers: Triggers | None = None) -> Chunk:
        """Count events and triggers that were read; drop the events outside the sensor, in place."""
        events = as_kernel_input(events)
        kept, backward, last_ns = _keep_inside(events, self.width, self.height, self._last_ns)
        self._last_ns = last_ns
        triggers = empty_triggers() if triggers is None else triggers
        self.stats.events += kept
        self.stats.triggers += len(triggers)
        self.stats.backward_time += backward
        self.stats.dropped_out_of_geometry += len(events) - kept
        return Chunk(events[:kept], triggers)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class EventWriter(ABC):
    """One recording being written. Closing it twice does no harm."""

    @abstractmethod
    def write(self, events: Events, triggers: Triggers | None = None) -> None:
        """Append (n,) EVENT_DTYPE events and triggers, in stream order; times are floored to the format's resolution.

        Raises PacketError for events that require_writable refuses, FileFormatError for what the format cannot hold.
        """

    @abstractmethod
    def close(self) -> None:
        """Write what is still held back (header, index) and close the file."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@dataclass(frozen=True)
class Format:
    """One file format. `sniff` sees the first HEAD_BYTES (b"" for a directory) and the path."""

    name: str
    extensions: tuple[str, ...]  # with the dot, lower case; the first one is written
    description: str
    sniff: Callable[[bytes, Path], bool]
    reader: Callable[[Path, Geometry | None], EventReader]
    writer: Callable[[Path, int, int], EventWriter] | None
    time_resolution_ns: int
    keeps_triggers: bool
    max_width: int
    max_height: int


def shortened(text: object, most: int = 200) -> str:
    """The text in one line of at most so many characters: names inside a file may be of any length."""
    line = " ".join(str(text).split())
    return line if len(line) <= most else f"{line[: most - 20]} ... {len(line)} characters"


class GeometryUnknownError(FileFormatError):
    """Neither the file nor the caller says the sensor's size; `suggested` is what the file's camera probably has."""

    def __init__(self, path: Path, offset: int, defect: str, suggested: Geometry | None = None) -> None:
        size = f"{suggested[0]}x{suggested[1]}" if suggested else "WIDTHxHEIGHT, for example 640x480 or 1280x720"
        super().__init__(f"{path}: byte {offset}: {defect}; give it (--geometry {size})")
        self.suggested = suggested


def broken(path: Path, offset: int, defect: str) -> FileFormatError:
    """The error for a file whose content breaks its format at a byte offset."""
    return FileFormatError(f"{path}: byte {offset}: {defect}")


def require_writable(events: Events, width: int, height: int) -> None:
    """Raise PacketError naming the first event outside the sensor, outside 0 to MAX_TIME_NS, or with p above 1.

    Unlike validate_events it lets time step back, as it does in recordings of real cameras.
    """
    require_event_array(events)
    index = _first_unwritable(as_kernel_input(events), width, height, MAX_TIME_NS)
    if index >= 0:
        bad = events[index]
        raise PacketError(
            f"event {index}: expected x below {width}, y below {height}, p 0 or 1, t from 0 to {MAX_TIME_NS} ns, "
            f"got x {bad['x']}, y {bad['y']}, p {bad['p']}, t {bad['t']}; crop or fix the events first"
        )


def require_triggers(triggers: Triggers | None) -> Triggers:
    """The triggers, none for None; raises PacketError unless they are a 1-D TRIGGER_DTYPE array of times in range."""
    if triggers is None:
        return empty_triggers()
    if not isinstance(triggers, np.ndarray) or triggers.ndim != 1 or triggers.dtype != TRIGGER_DTYPE:
        raise PacketError("expected triggers as a 1-D array of TRIGGER_DTYPE; build it with empty_triggers(n)")
    if len(triggers) and not 0 <= int(triggers["t"].min()) <= int(triggers["t"].max()) <= MAX_TIME_NS:
        raise PacketError(f"expected trigger times from 0 to {MAX_TIME_NS} ns, got others; use ns of sensor time")
    return np.ascontiguousarray(triggers)


@njit(cache=True)
def _keep_inside(events: Events, width: int, height: int, last_ns: int) -> tuple[int, int, int]:
    """Move the events inside the sensor to the front; -> (kept, steps back in time, last time)."""
    kept = 0
    backward = 0
    for i in range(len(events)):
        t, x, y, p = events[i].t, events[i].x, events[i].y, events[i].p
        backward += t < last_ns
        last_ns = t
        event = events[kept]
        event.t = t
        event.x = x
        event.y = y
        event.p = p
        kept += x < width and y < height
    return kept, backward, last_ns


@njit(cache=True)
def _first_unwritable(events: Events, width: int, height: int, max_ns: int) -> int:
    for i in range(len(events)):
        event = events[i]
        if event.x >= width or event.y >= height or event.p > 1 or event.t < 0 or event.t > max_ns:
            return i
    return -1
