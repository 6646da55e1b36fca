"""numpy `.npz`: columns t, x, y, p that np.load reads, streamed in both directions.

Ours: t (int64 ns), x, y (uint16), p (uint8), trigger_t, trigger_id, trigger_value, width, height, time_unit "ns".
Others': one array of each column under a usual name, or one structured array with such fields; a time without
time_unit counts as microseconds when it is whole and as seconds when it is not; p below 1 is OFF.
Source: numpy.lib.format (npy), zipfile.
"""

from __future__ import annotations

import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from neuro_robot.errors import FileFormatError
from neuro_robot.events.array import EVENT_DTYPE, MAX_TIME_NS, TRIGGER_DTYPE, Triggers
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
from neuro_robot.events.files.npz_writer import NpzWriter
from neuro_robot.events.files.trigger_feed import TriggerFeed

_NAMES = {
    "t": ("t", "ts", "time", "times", "timestamp", "timestamps"),
    "x": ("x", "xs"),
    "y": ("y", "ys"),
    "p": ("p", "ps", "pol", "polarity", "polarities", "on"),
}
_RECORDS = ("events", "event_data", "arr_0", "data")
_UNITS_NS = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000}
# What zipfile, zlib and numpy's header reader raise on damaged archives.
_BROKEN = (
    zipfile.BadZipFile, zlib.error, struct.error, tokenize.TokenError, ValueError, TypeError, KeyError, EOFError,
    OSError, SyntaxError, RuntimeError, MemoryError, OverflowError,
)  # fmt: skip
_MOST_BYTES = 1 << 26  # of one column in memory
_MOST_SMALL = 1 << 10  # bytes of one element


class Column:
    """One array of an archive, read from its beginning on."""

    def __init__(self, path: Path, archive: zipfile.ZipFile, name: str) -> None:
        self.path = path
        self.name = name
        self.info = archive.getinfo(name)
        self.stream: IO[bytes] = archive.open(self.info)
        version = np.lib.format.read_magic(self.stream)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, fortran, self.dtype = read(self.stream, max_header_size=10_000)
        if self.dtype.hasobject or fortran or len(shape) > 1:
            raise ValueError(f"expected a plain array of one dimension, got {self.dtype} of shape {shape}")
        self.n = int(shape[0]) if shape else 1
        if self.n < 0 or not 0 < self.dtype.itemsize <= _MOST_SMALL:
            raise ValueError(f"expected {self.n} elements of 1 to {_MOST_SMALL} bytes, got {self.dtype.itemsize}")
        self.taken = 0

    def read(self, n: int) -> npt.NDArray[Any]:
        """The next n elements; ValueError when the file ends before."""
        size = n * self.dtype.itemsize
        pieces = []
        while size and (piece := self.stream.read(min(size, 1 << 24))):
            pieces.append(piece)
            size -= len(piece)
        if size:
            raise ValueError(f"{size} bytes of the {self.n} elements it announces are missing")
        self.taken += n
        return np.frombuffer(b"".join(pieces), self.dtype)


class NpzReader(EventReader):
    """Reads all columns side by side."""

    format = "npz"

    def __init__(self, path: Path, geometry: Geometry | None = None) -> None:
        self.stats = FileStats()
        self._path = path
        try:
            self._archive = zipfile.ZipFile(path)
        except _BROKEN as error:
            raise FileFormatError(
                f"{path}: byte 0: this is no npz archive, or one that was cut off: {shortened(error)}"
            ) from error
        try:
            self._open(geometry)
        except BaseException:
            self._archive.close()
            raise

    def _open(self, geometry: Geometry | None) -> None:
        self._directory = max(self._archive.start_dir, 0)  # byte offset of the list of arrays
        self._names = {name.removesuffix(".npy"): name for name in self._archive.namelist()}
        self._columns = self._find_columns()
        lengths = {column.n for column in self._columns.values()}
        if len(lengths) != 1:
            sizes = ", ".join(f"{column.name} {column.n}" for column in self._columns.values())
            raise broken(self._path, self._directory, f"expected columns of one length, got {shortened(sizes)}")
        self._n = lengths.pop()
        names = [f"trigger_{name}" for name in TRIGGER_DTYPE.names or ()]
        self._triggers = [self._column(name) for name in names] if set(names) <= set(self._names) else []
        self._feed = TriggerFeed(self._next_triggers if self._triggers else None)
        sides = [self._number(name) for name in ("width", "height")]
        size = (sides[0] or 0, sides[1] or 0) if all(sides) else geometry
        if size is None or not all(0 < side <= 1 << 16 for side in size):
            defect = f"expected width and height, got {shortened(sides)}; give the geometry (--geometry WxH)"
            raise broken(self._path, self._directory, defect)
        self.width, self.height = size
        self._unit_ns = self._unit()
        self.details = {"arrays": shortened(", ".join(self._names), 1000)}

    def _find_columns(self) -> dict[str, Column]:
        found = {key: next((name for name in names if name in self._names), None) for key, names in _NAMES.items()}
        if all(found.values()):
            return {key: self._column(name or "") for key, name in found.items()}
        for name in _RECORDS:
            if name in self._names:
                column = self._column(name)
                if column.dtype.names:
                    return {"events": column}
        have = ", ".join(self._names) or "nothing"
        defect = f"expected arrays t, x, y, p or a structured array events, found {shortened(have)}"
        raise broken(self._path, self._directory, defect)

    def _column(self, name: str) -> Column:
        try:
            return Column(self._path, self._archive, self._names[name])
        except _BROKEN as error:
            raise self._defect(name, error) from error

    def _defect(self, name: str, error: Exception) -> FileFormatError:
        try:
            offset = self._archive.getinfo(self._names.get(name, name)).header_offset
        except KeyError:
            offset = 0
        return broken(self._path, max(offset, 0), f"array {shortened(name, 60)}: {shortened(error)}")

    def _number(self, name: str) -> int | None:
        if name not in self._names:
            return None
        column = self._column(name)
        if column.n != 1 or column.dtype.kind not in "iu":
            raise self._defect(name, ValueError("expected one whole number"))
        return int(self._read(column, 1)[0])

    def _unit(self) -> int:
        if "time_unit" in self._names:
            column = self._column("time_unit")
            text = str(self._read(column, 1)[0]) if column.n == 1 else ""
            if text not in _UNITS_NS:
                raise self._defect("time_unit", ValueError(f"expected one of {', '.join(_UNITS_NS)}, got {text!r}"))
            return _UNITS_NS[text]
        column = self._columns.get("t") or self._columns["events"]
        dtype = column.dtype if column.dtype.names is None else column.dtype[self._field(column.dtype, "t")]
        return _UNITS_NS["s"] if dtype.kind == "f" else _UNITS_NS["us"]

    def _field(self, dtype: np.dtype[Any], key: str) -> str:
        names = dtype.names or ()
        found = next((name for name in _NAMES[key] if name in names), None)
        if found is None:
            raise self._defect("events", ValueError(f"expected a field {key} of the events, found {', '.join(names)}"))
        return found

    def _read(self, column: Column, n: int) -> npt.NDArray[Any]:
        try:
            return column.read(n)
        except _BROKEN as error:
            raise self._defect(column.name, error) from error

    def chunks(self, max_events: int = CHUNK_EVENTS) -> Iterator[Chunk]:
        first = next(iter(self._columns.values()))
        itemsize = max(column.dtype.itemsize for column in self._columns.values())
        size = max(1, min(max_events, CHUNK_EVENTS, _MOST_BYTES // itemsize))
        while first.taken < self._n:
            n = min(size, self._n - first.taken)
            parts = {key: self._read(column, n) for key, column in self._columns.items()}
            if "events" in parts:
                parts = {key: parts["events"][self._field(parts["events"].dtype, key)] for key in _NAMES}
            events = self._as_events(parts)
            yield self._accept(events, self._feed.until(int(events["t"].max(initial=0))))
        for triggers in self._feed.rest():
            yield self._accept(np.empty(0, EVENT_DTYPE), triggers)

    def _as_events(self, parts: dict[str, npt.NDArray[Any]]) -> npt.NDArray[np.void]:
        if not all(part.dtype.kind in "iufb" for part in parts.values()):
            types = ", ".join(f"{key} {part.dtype}" for key, part in parts.items())
            raise broken(self._path, self._directory, f"expected columns of numbers, got {shortened(types)}")
        events = np.empty(len(parts["t"]), EVENT_DTYPE)
        t = parts["t"]
        with np.errstate(all="ignore"):
            in_range = (t >= 0) & (t <= MAX_TIME_NS // self._unit_ns)
            t_ns = np.rint(t * self._unit_ns) if t.dtype.kind == "f" else t.astype(np.int64) * self._unit_ns
            events["t"] = np.where(in_range, t_ns, 0)
            for side in ("x", "y"):
                inside = (parts[side] >= 0) & (parts[side] < 0xFFFF)
                events[side] = np.where(inside, parts[side], 0xFFFF)
            events["p"] = parts["p"] > 0
        self.stats.unknown_words += len(events) - int(np.count_nonzero(in_range))
        return events if in_range.all() else events[in_range]

    def _next_triggers(self, n: int) -> Triggers:
        n = min(n, *(column.n - column.taken for column in self._triggers))
        triggers = np.empty(n, TRIGGER_DTYPE)
        for name, column in zip(("t", "id", "value"), self._triggers, strict=True):
            values = self._read(column, n)
            if values.dtype.kind not in "iu":
                raise self._defect(column.name, ValueError("expected whole numbers"))
            triggers[name] = values
        return triggers

    def position(self) -> float:
        first = next(iter(self._columns.values()))
        return first.taken / self._n if self._n else 1.0

    def close(self) -> None:
        self._archive.close()


FORMATS = (
    Format(
        name="npz",
        extensions=(".npz",),
        description="numpy columns t (ns), x, y, p",
        sniff=lambda head, path: head.startswith(b"PK\x03\x04") and path.suffix.lower() == ".npz",
        reader=NpzReader,
        writer=NpzWriter,
        time_resolution_ns=1,
        keeps_triggers=True,
        max_width=1 << 16,
        max_height=1 << 16,
    ),
)
