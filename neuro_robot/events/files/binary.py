"""A file of bytes read in order, with the offset of every defect."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from neuro_robot.errors import FileFormatError
from neuro_robot.events.array import EVENT_DTYPE, empty_triggers
from neuro_robot.events.files.base import CHUNK_EVENTS, Chunk

MAX_LINE_BYTES = 1 << 16


class BinaryFile:
    """An open file of known size. Nothing is read, and nothing allocated, beyond its end."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = path.open("rb")
        self.size = os.fstat(self.file.fileno()).st_size
        self.offset = 0

    @property
    def left(self) -> int:
        """Bytes from here to the end."""
        return self.size - self.offset

    def read(self, n: int, what: str) -> bytes:
        """The next n bytes; FileFormatError when the file ends before."""
        self.require(n, what)
        data = self.file.read(n)
        if len(data) < n:
            raise self.defect(f"{what} needs {n} bytes, the file ended while it was read")
        self.offset += n
        return data

    def require(self, n: int, what: str) -> None:
        """FileFormatError unless there are n more bytes."""
        if not 0 <= n <= self.left:
            raise self.defect(f"{what} says {n} bytes, {self.left} are left; the file is cut off or damaged")

    def line(self) -> bytes:
        """The next line with its end, at most MAX_LINE_BYTES of it."""
        data = self.file.readline(MAX_LINE_BYTES)
        self.offset += len(data)
        return data

    def seek(self, offset: int) -> None:
        """Go on from there."""
        self.file.seek(offset)
        self.offset = offset

    def defect(self, what: str, offset: int | None = None) -> FileFormatError:
        """The error for a defect here or at another offset."""
        return FileFormatError(f"{self.path}: byte {self.offset if offset is None else offset}: {what}")

    def position(self) -> float:
        """Share of the file that was read, 0 to 1."""
        return self.offset / self.size if self.size else 1.0

    def close(self) -> None:
        """Close the file."""
        self.file.close()


def regroup(pieces: Iterable[Chunk], max_events: int) -> Iterator[Chunk]:
    """The same stream in chunks of max_events (of CHUNK_EVENTS when that is less), whatever the size of the pieces."""
    size = max(1, min(max_events, CHUNK_EVENTS))
    events, n = np.empty(size, EVENT_DTYPE), 0
    triggers = [empty_triggers()]
    n_triggers = 0
    for piece in pieces:
        triggers.append(piece.triggers)
        n_triggers += len(piece.triggers)
        start = 0
        while start < len(piece.events) or n_triggers >= size:
            taken = min(size - n, len(piece.events) - start)
            part = np.ascontiguousarray(piece.events[start : start + taken])
            events[n : n + taken].view(np.uint8)[:] = part.view(np.uint8)
            n, start = n + taken, start + taken
            if n == size or n_triggers >= size:
                yield Chunk(events[:n], np.concatenate(triggers))
                events, n = np.empty(size, EVENT_DTYPE), 0
                triggers, n_triggers = [empty_triggers()], 0
    if n or n_triggers:
        yield Chunk(events[:n], np.concatenate(triggers))
