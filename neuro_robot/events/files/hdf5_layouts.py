"""Where the events stand in HDF5 files: the layouts of Metavision, DSEC (and kin) and MVSEC.

Metavision: /CD/events, records {x, y, p, t us}, ECF-compressed; /EXT_TRIGGER/events {p, t, id}; the size in the root
attribute `geometry`. DSEC: columns events/x, y, p, t (us after t_offset), ms_to_idx; 640x480. Kin: columns xs, ys, ps,
ts, seconds when they are not whole. MVSEC: davis/left/events and davis/right/events, N x 4 float64: x, y, t in s since
1970, p of +-1; 346x260; t is taken to the nearest us. Sources: openeb hdf5_event_file_writer.cpp; uzh-rpg/DSEC
eventslicer.py; daniilidis-group/mvsec.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import numpy.typing as npt

from neuro_robot.events.array import EVENT_DTYPE, MAX_TIME_NS, TRIGGER_DTYPE, Events, Triggers
from neuro_robot.events.files import ecf
from neuro_robot.events.files.base import Geometry

_MAX_US = MAX_TIME_NS // 1000
_MAX_CHUNK_BYTES = 1 << 28
_OUTSIDE = 0xFFFF
_NAMES = {"x": ("x", "xs"), "y": ("y", "ys"), "p": ("p", "ps"), "t": ("t", "ts")}


class DamagedError(ValueError):
    """A file whose parts contradict each other; the argument says where."""


class Layout(ABC):
    """One stream of events inside an open file."""

    name: str
    n: int  # events
    geometry: Geometry | None = None  # as the file or the layout's definition says

    @abstractmethod
    def read(self, start: int, end: int) -> tuple[Events, int]:
        """(events of these numbers, number of those left out because their time is impossible)."""

    def triggers(self, start: int, end: int) -> Triggers:  # noqa: ARG002
        """Triggers of these numbers."""
        return np.empty(0, TRIGGER_DTYPE)


def find_layout(file: Any) -> Layout | None:  # noqa: ANN401 - h5py.File
    """The layout of an open file, None when it is none of these."""
    if "CD/events" in file:
        return Metavision(file)
    if "davis/left/events" in file:
        return Mvsec(file, "left")
    if "davis/right/events" in file:
        return Mvsec(file, "right")
    for group in ("events", "CD", "/"):
        if group in file and hasattr(file[group], "keys") and Dsec.columns(file[group]) is not None:
            return Dsec(file, group)
    return None


class Metavision(Layout):
    """Records, by h5py or by ECF."""

    name = "hdf5"

    def __init__(self, file: Any) -> None:  # noqa: ANN401
        self._events = checked(file["CD/events"])
        fields = self._events.dtype.names or ()
        if not set(_NAMES) <= set(fields):
            raise DamagedError(f"CD/events: expected records of x, y, p, t, got {self._events.dtype}")
        self.n = int(self._events.shape[0])
        self._triggers = checked(file["EXT_TRIGGER/events"]) if "EXT_TRIGGER/events" in file else None
        if self._triggers is not None and not {"p", "t", "id"} <= set(self._triggers.dtype.names or ()):
            raise DamagedError(f"EXT_TRIGGER/events: expected records of p, t, id, got {self._triggers.dtype}")
        self.geometry = _size_of(file.attrs.get("geometry"))
        filters = self._events.id.get_create_plist()
        kinds = [filters.get_filter(i)[0] for i in range(filters.get_nfilters())]
        self._ecf = ecf.FILTER in kinds
        if self._ecf and kinds != [ecf.FILTER]:
            raise DamagedError(f"CD/events: ECF together with other filters {kinds} is not supported")
        self._block: tuple[int, Events] = (-1, np.empty(0, EVENT_DTYPE))

    def read(self, start: int, end: int) -> tuple[Events, int]:
        if not self._ecf:
            return _events_of(self._events[start:end])
        length = int(self._events.chunks[0])
        blocks = []
        for first in range(start - start % length, end, length):
            block = self._decoded(first)
            blocks.append(block[max(start - first, 0) : end - first])
        events = np.concatenate(blocks) if blocks else np.empty(0, EVENT_DTYPE)
        good = events["t"] >= 0
        return (events, 0) if good.all() else (events[good], int(np.count_nonzero(~good)))

    def _decoded(self, first: int) -> Events:
        """The block that begins with this event; the last one read is kept."""
        if self._block[0] != first:
            n = min(int(self._events.chunks[0]), self.n - first)
            info = self._events.id.get_chunk_info_by_coord((first,))
            if not 0 < info.size <= _MAX_CHUNK_BYTES:
                raise DamagedError(f"CD/events: the block of event {first} has {info.size} bytes")
            mask, data = self._events.id.read_direct_chunk((first,))
            try:
                events = _events_of(self._events[first : first + n])[0] if mask & 1 else ecf.decode(data)
            except ValueError as error:
                raise DamagedError(f"byte {info.byte_offset}: CD/events: {error}") from error
            if len(events) < n:
                raise DamagedError(f"byte {info.byte_offset}: CD/events: a block of {n} events holds {len(events)}")
            self._block = (first, events[:n])
        return self._block[1]

    def triggers(self, start: int, end: int) -> Triggers:
        if self._triggers is None:
            return np.empty(0, TRIGGER_DTYPE)
        rows = self._triggers[start:end]
        triggers = np.empty(len(rows), TRIGGER_DTYPE)
        good = (rows["t"] >= 0) & (rows["t"] <= _MAX_US)
        triggers["t"] = np.where(good, rows["t"], 0) * 1000
        triggers["id"] = rows["id"] & 0xFF
        triggers["value"] = rows["p"] > 0
        kept: Triggers = triggers[good]
        return kept


class Dsec(Layout):
    """Columns in a group."""

    name = "dsec"

    def __init__(self, file: Any, group: str) -> None:  # noqa: ANN401
        node = file[group]
        self._columns = {key: checked(node[name]) for key, name in (Dsec.columns(node) or {}).items()}
        lengths = {key: int(column.shape[0]) for key, column in self._columns.items()}
        if len(set(lengths.values())) != 1 or any(len(column.shape) != 1 for column in self._columns.values()):
            raise DamagedError(f"{group}: expected columns of one length, got {lengths}")
        self.n = lengths["t"]
        self._seconds = self._columns["t"].dtype.kind == "f"
        offset = file["t_offset"][()] if "t_offset" in file else 0
        self._offset_us = int(np.asarray(offset).reshape(-1)[0])
        stated = (node.attrs.get("width"), node.attrs.get("height"))
        self.geometry = _size_of(f"{stated[0]}x{stated[1]}") or ((640, 480) if "ms_to_idx" in file else None)

    @staticmethod
    def columns(group: Any) -> dict[str, str] | None:  # noqa: ANN401
        """The names of the columns in a group, None when one is missing."""
        found = {key: next((name for name in names if name in group), "") for key, names in _NAMES.items()}
        whole = all(found.values()) and all(hasattr(group[name], "shape") for name in found.values())
        return found if whole else None

    def read(self, start: int, end: int) -> tuple[Events, int]:
        parts = {key: column[start:end] for key, column in self._columns.items()}
        t = parts["t"]
        parts["t"] = np.rint(t * 1e6) if self._seconds else t.astype(np.int64)
        if self._offset_us:
            parts["t"] = parts["t"] + self._offset_us
        return _events_of(parts)


class Mvsec(Layout):
    """Rows of four floats."""

    name = "mvsec"
    geometry = (346, 260)

    def __init__(self, file: Any, side: str) -> None:  # noqa: ANN401
        self._rows = checked(file[f"davis/{side}/events"])
        if len(self._rows.shape) != 2 or self._rows.shape[1] != 4 or self._rows.dtype.kind != "f":
            raise DamagedError(f"davis/{side}/events: expected N x 4 floats, got {self._rows.shape} {self._rows.dtype}")
        self.n = int(self._rows.shape[0])
        stated = (self._rows.attrs.get("width"), self._rows.attrs.get("height"))
        self.geometry = _size_of(f"{stated[0]}x{stated[1]}") or Mvsec.geometry

    def read(self, start: int, end: int) -> tuple[Events, int]:
        x, y, t, p = self._rows[start:end].T
        with np.errstate(all="ignore"):
            return _events_of({"x": x, "y": y, "t": np.rint(t * 1e6), "p": p})


def checked(dataset: Any) -> Any:  # noqa: ANN401 - h5py.Dataset
    """The data set, when what it announces is there: HDF5 would make up zeros for the rest."""
    if not hasattr(dataset, "shape") or dataset.shape is None or not dataset.shape:
        raise DamagedError(f"{dataset.name}: expected an array")
    name, n = dataset.name, int(dataset.shape[0])
    row_bytes = dataset.dtype.itemsize * int(np.prod(dataset.shape[1:], dtype=np.float64))
    if dataset.chunks:
        if np.prod(dataset.chunks, dtype=np.float64) * dataset.dtype.itemsize > _MAX_CHUNK_BYTES:
            raise DamagedError(f"{name}: chunks of {dataset.chunks} elements are too large")
        stored = dataset.id.get_num_chunks() * int(np.prod(dataset.chunks))
        if stored < n:
            raise DamagedError(f"{name}: announces {n} rows, at most {stored} elements are stored; cut off or damaged")
    elif n * row_bytes > dataset.id.get_storage_size():
        raise DamagedError(f"{name}: announces {n} rows, {dataset.id.get_storage_size()} bytes are stored")
    return dataset


def _events_of(columns: Any) -> tuple[Events, int]:  # noqa: ANN401 - dict or record array
    """Events of columns x, y, p and t in us; those whose time is impossible are left out and counted."""
    t = columns["t"]
    events: npt.NDArray[np.void] = np.empty(len(t), EVENT_DTYPE)
    with np.errstate(all="ignore"):
        good = (t >= 0) & (t <= _MAX_US)
        events["t"] = np.where(good, t, 0).astype(np.int64) * 1000
        for side in ("x", "y"):
            inside = (columns[side] >= 0) & (columns[side] < _OUTSIDE)
            events[side] = np.where(inside, columns[side], _OUTSIDE)
        events["p"] = columns["p"] > 0
    return (events, 0) if good.all() else (events[good], int(np.count_nonzero(~good)))


def _size_of(text: Any) -> Geometry | None:  # noqa: ANN401 - an attribute of any type
    text = text.decode("ascii", "replace") if isinstance(text, bytes) else text
    width, _, height = text.partition("x") if isinstance(text, str) else ("", "", "")
    if not (width.isdecimal() and height.isdecimal() and len(width) < 6 and len(height) < 6):
        return None
    size = (int(width), int(height))
    return size if 0 < size[0] <= 1 << 16 and 0 < size[1] <= 1 << 16 else None
