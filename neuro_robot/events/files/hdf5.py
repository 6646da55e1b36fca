"""Reading events from HDF5 files, whichever layout they have (see hdf5_layouts)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from neuro_robot.errors import FileFormatError
from neuro_robot.events.array import EVENT_DTYPE, Triggers
from neuro_robot.events.files.base import (
    CHUNK_EVENTS,
    Chunk,
    EventReader,
    FileStats,
    Format,
    Geometry,
    broken,
    shortened,
)
from neuro_robot.events.files.hdf5_layouts import DamagedError, find_layout
from neuro_robot.events.files.hdf5_writers import DsecWriter, MetavisionWriter, MvsecWriter
from neuro_robot.events.files.optional import library
from neuro_robot.events.files.trigger_feed import TriggerFeed

SIGNATURE = b"\x89HDF\r\n\x1a\n"
# What h5py raises on damaged files, and DamagedError.
_BROKEN = (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError, OverflowError, MemoryError)


class Hdf5Reader(EventReader):
    """One stream of events of a file; of MVSEC's two cameras the left one."""

    def __init__(self, path: Path, geometry: Geometry | None = None, layout: str | None = None) -> None:
        self.stats = FileStats()
        self._path = path
        h5py = library("h5py", "h5py")
        library("hdf5plugin", "hdf5plugin")  # registers Blosc, Zstandard and others with h5py
        try:
            self._file = h5py.File(path, "r")
        except _BROKEN as error:
            raise broken(path, 0, f"HDF5 cannot open it: {shortened(error)}") from error
        try:
            self._open(geometry, layout)
        except BaseException as error:
            self._file.close()
            if isinstance(error, _BROKEN):
                raise self._defect(error) from error
            raise

    def _open(self, geometry: Geometry | None, layout: str | None) -> None:
        found = find_layout(self._file)
        if found is None or layout not in (None, found.name):
            seen = f"the layout of {found.name}" if found else f"groups {', '.join(list(self._file)[:10]) or '(none)'}"
            expected = layout or "CD/events, events/x ... or davis/left/events"
            raise broken(self._path, 0, f"expected {expected}, found {shortened(seen)}")
        self._layout = found
        self.format = found.name
        size = found.geometry or geometry
        if size is None:
            defect = "the file says no size of the sensor; give the geometry (--geometry WxH)"
            raise broken(self._path, 0, defect)
        self.width, self.height = size
        self._next = 0
        self._next_trigger = 0
        self._feed = TriggerFeed(self._read_triggers)
        self.details = {key: str(value)[:200] for key, value in self._file.attrs.items()}
        self.details |= {"layout": found.name, "groups": ", ".join(list(self._file)[:10])}

    def _defect(self, error: BaseException) -> FileFormatError:
        """HDF5 keeps byte offsets to itself, so where DamagedError has none the event is named."""
        at = "" if str(error).startswith("byte ") else f"event {getattr(self, '_next', 0)}: "
        at += "" if isinstance(error, DamagedError) else "HDF5: "
        return FileFormatError(f"{self._path}: {at}{shortened(error)}")

    def chunks(self, max_events: int = CHUNK_EVENTS) -> Iterator[Chunk]:
        size = max(1, min(max_events, CHUNK_EVENTS))
        while self._next < self._layout.n:
            end = min(self._next + size, self._layout.n)
            try:
                events, impossible = self._layout.read(self._next, end)
            except _BROKEN as error:
                raise self._defect(error) from error
            self._next = end
            self.stats.unknown_words += impossible
            yield self._accept(events, self._feed.until(int(events["t"].max(initial=0))))
        for triggers in self._feed.rest():
            yield self._accept(np.empty(0, EVENT_DTYPE), triggers)

    def _read_triggers(self, n: int) -> Triggers:
        try:
            triggers = self._layout.triggers(self._next_trigger, self._next_trigger + n)
        except _BROKEN as error:
            raise self._defect(error) from error
        self._next_trigger += n
        return triggers

    def position(self) -> float:
        return self._next / self._layout.n if self._layout.n else 1.0

    def close(self) -> None:
        self._file.close()


def _never(_head: bytes, _path: Path) -> bool:
    """`hdf5` opens every layout."""
    return False


FORMATS = (
    Format(
        name="dsec",
        extensions=(".dsec.h5", ".dsec.hdf5"),
        description="HDF5 as in DSEC; columns and ms_to_idx",
        sniff=_never,
        reader=partial(Hdf5Reader, layout="dsec"),
        writer=DsecWriter,
        time_resolution_ns=1000,
        keeps_triggers=False,
        max_width=1 << 16,
        max_height=1 << 16,
    ),
    Format(
        name="mvsec",
        extensions=(".mvsec.hdf5", ".mvsec.h5"),
        description="HDF5 as in MVSEC: davis/left/events",
        sniff=_never,
        reader=partial(Hdf5Reader, layout="mvsec"),
        writer=MvsecWriter,
        time_resolution_ns=1000,
        keeps_triggers=False,
        max_width=1 << 16,
        max_height=1 << 16,
    ),
    Format(
        name="hdf5",
        extensions=(".hdf5", ".h5"),
        description="HDF5 of Metavision, DSEC and MVSEC; written as Metavision does (ECF)",
        sniff=lambda head, _path: head.startswith(SIGNATURE),
        reader=Hdf5Reader,
        writer=MetavisionWriter,
        time_resolution_ns=1000,
        keeps_triggers=True,
        max_width=1 << 11,
        max_height=1 << 11,
    ),
)
