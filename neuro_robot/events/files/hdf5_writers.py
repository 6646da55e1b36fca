"""Writing HDF5 in the layouts of Metavision, DSEC and MVSEC (see hdf5_layouts).

Every call of write() flushes, so a file whose writer was killed can be read up to there; the indexes come last.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from neuro_robot.errors import FileFormatError
from neuro_robot.events.array import EVENT_DTYPE, Events, Triggers
from neuro_robot.events.files import ecf
from neuro_robot.events.files.base import EventWriter, require_triggers, require_writable
from neuro_robot.events.files.optional import library

_BLOCK = 16_384  # events of an ECF block, as Metavision writes them
_RECORD = np.dtype(
    {"names": ["x", "y", "p", "t"], "formats": ["<u2", "<u2", "<i2", "<i8"], "offsets": [0, 2, 4, 8], "itemsize": 16}
)
_TRIGGER = np.dtype(
    {"names": ["p", "t", "id"], "formats": ["<i2", "<i8", "<i2"], "offsets": [0, 8, 16], "itemsize": 24}
)
_INDEX = np.dtype([("id", "<u8"), ("ts", "<i8")])
_INDEX_PERIOD_US = 2000
_MOST_BINS = 1 << 25  # 9 hours of milliseconds


class BinIndex:
    """The first event of every stretch of time: bins[k] of `period_us` begins with event ids[k] at times_us[k].

    Only stretches with events are listed; time that steps back belongs to the stretch before.
    """

    def __init__(self, path: Path, period_us: int) -> None:
        self._path = path
        self._period_us = period_us
        self._newest = -1
        self._n = 0
        self.first_us: int | None = None
        self._parts: list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]] = []

    def add(self, times_us: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Count in the next events; -> their times after the first event of all."""
        if self.first_us is None and len(times_us):
            self.first_us = int(times_us[0])
        relative = times_us - (self.first_us or 0)
        bins = np.maximum.accumulate(np.maximum(relative // self._period_us, self._newest))
        steps = np.flatnonzero(np.diff(bins, prepend=self._newest))
        if len(steps):
            if bins[-1] > _MOST_BINS:
                hours = f"{_MOST_BINS * self._period_us / 3.6e9:.0f} hours"
                raise FileFormatError(f"{self._path}: the index covers at most {hours}; split the recording")
            self._parts.append((bins[steps], steps + self._n, relative[steps]))
            self._newest = int(bins[-1])
        self._n += len(times_us)
        return relative

    def columns(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """(bins, ids, times_us)."""
        if not self._parts:
            nothing = np.empty(0, np.int64)
            return nothing, nothing, nothing
        bins, ids, times = (np.concatenate(part) for part in zip(*self._parts, strict=True))
        return bins, ids, times


class _Hdf5Writer(EventWriter):
    def __init__(self, path: Path, width: int, height: int) -> None:
        self._h5py = library("h5py", "h5py")
        self._path = path
        self._size = (width, height)
        self._file: Any = self._h5py.File(path, "w")

    def _no_triggers(self, triggers: Triggers | None) -> None:
        if triggers is not None and len(triggers):
            raise FileFormatError(f"{self._path}: this layout holds no triggers; leave them out, or write Metavision's")

    def close(self) -> None:
        if self._file:
            try:
                self._finish()
            finally:
                self._file.close()

    def _finish(self) -> None:
        """Write what comes last."""


class MetavisionWriter(_Hdf5Writer):
    """ECF blocks, which need no plug-in here. A block in which time steps back is stored as it is, as HDF5 allows."""

    def __init__(self, path: Path, width: int, height: int) -> None:
        super().__init__(path, width, height)
        self._file.attrs.update({"version": "1.0", "format": "ECF", "geometry": f"{width}x{height}"})
        h5py = self._h5py
        space = h5py.h5s.create_simple((0,), (h5py.h5s.UNLIMITED,))
        properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        properties.set_chunk((_BLOCK,))
        properties.set_filter(ecf.FILTER, h5py.h5z.FLAG_OPTIONAL, ())
        group = self._file.create_group("CD")
        kind = h5py.h5t.py_create(_RECORD, logical=True)
        self._events = h5py.Dataset(h5py.h5d.create(group.id, b"events", kind, space, properties))
        options = {"shape": (0,), "maxshape": (None,), "chunks": (_BLOCK,)}
        self._triggers = self._file.create_dataset("EXT_TRIGGER/events", dtype=_TRIGGER, **options)
        self._indexes = [BinIndex(path, _INDEX_PERIOD_US) for _ in range(2)]
        self._pending = np.empty(0, EVENT_DTYPE)
        self._written = 0

    def write(self, events: Events, triggers: Triggers | None = None) -> None:
        require_writable(events, *self._size)
        triggers = require_triggers(triggers)
        self._indexes[0].add(events["t"] // 1000)
        self._indexes[1].add(triggers["t"] // 1000)
        waiting = np.concatenate([self._pending, events]) if len(self._pending) else events
        whole = len(waiting) - len(waiting) % _BLOCK
        for start in range(0, whole, _BLOCK):
            self._put(waiting[start : start + _BLOCK])
        self._pending = waiting[whole:].copy()
        if len(triggers):
            rows = np.zeros(len(triggers), _TRIGGER)
            rows["t"], rows["p"], rows["id"] = triggers["t"] // 1000, triggers["value"] != 0, triggers["id"]
            _append(self._triggers, rows)
        self._file.flush()

    def _put(self, events: Events) -> None:
        """One block, whole but for the last of the file."""
        self._events.resize((self._written + len(events),))
        packed = ecf.encode(events)
        if packed is None:
            rows = np.zeros(_BLOCK, _RECORD)
            for name in "xyp":
                rows[name][: len(events)] = events[name]
            rows["t"][: len(events)] = events["t"] // 1000
            self._events.id.write_direct_chunk((self._written,), rows.tobytes(), filter_mask=1)
        else:
            self._events.id.write_direct_chunk((self._written,), packed)
        self._written += len(events)

    def _finish(self) -> None:
        if len(self._pending):
            self._put(self._pending)
        for name, index in zip(("CD", "EXT_TRIGGER"), self._indexes, strict=True):
            # Entry k is the first event of the last stretch up to k - 1 that has one; in front stands (0, -1).
            bins, ids, times = index.columns()
            rows = np.zeros(int(bins[-1]) + 2 if len(bins) else 0, _INDEX)
            if len(rows):
                rows[0] = (0, -1)
                lengths = np.diff(bins, append=bins[-1] + 1)
                rows["id"][1:], rows["ts"][1:] = np.repeat(ids, lengths), np.repeat(times, lengths)
            dataset = self._file.create_dataset(f"{name}/indexes", data=rows, maxshape=(None,), chunks=(_BLOCK,))
            dataset.attrs["offset"] = str(-(index.first_us or 0))


class DsecWriter(_Hdf5Writer):
    """Columns compressed by Blosc, as in the published files."""

    def __init__(self, path: Path, width: int, height: int) -> None:
        super().__init__(path, width, height)
        packing = dict(library("hdf5plugin", "hdf5plugin").Blosc(cname="zstd", clevel=1))
        options = {"shape": (0,), "maxshape": (None,), "chunks": (1 << 15,), **packing}
        kinds = {"x": "<u2", "y": "<u2", "p": "u1", "t": "<i8"}
        self._columns = {
            name: self._file.create_dataset(f"events/{name}", dtype=kind, **options) for name, kind in kinds.items()
        }
        self._file["events"].attrs.update({"width": width, "height": height})
        self._index = BinIndex(path, 1000)

    def write(self, events: Events, triggers: Triggers | None = None) -> None:
        require_writable(events, *self._size)
        self._no_triggers(triggers)
        times_us = self._index.add(events["t"] // 1000)
        for name, column in self._columns.items():
            _append(column, times_us if name == "t" else events[name])
        if self._index.first_us is not None and "t_offset" not in self._file:
            self._file.create_dataset("t_offset", data=np.int64(self._index.first_us))
        self._file.flush()

    def _finish(self) -> None:
        bins, ids, _ = self._index.columns()
        if "t_offset" not in self._file:
            self._file.create_dataset("t_offset", data=np.int64(0))
        # Entry ms is the first event at or after that millisecond.
        ms_to_idx = np.repeat(ids, np.diff(bins, prepend=-1)).astype(np.uint64)
        self._file.create_dataset("ms_to_idx", data=ms_to_idx)


class MvsecWriter(_Hdf5Writer):
    """Rows of float64 for the left camera."""

    def __init__(self, path: Path, width: int, height: int) -> None:
        super().__init__(path, width, height)
        self._rows = self._file.create_dataset(
            "davis/left/events", (0, 4), "<f8", maxshape=(None, 4), chunks=(1 << 14, 4), compression=1, shuffle=True
        )
        self._rows.attrs.update({"width": width, "height": height})

    def write(self, events: Events, triggers: Triggers | None = None) -> None:
        require_writable(events, *self._size)
        self._no_triggers(triggers)
        times_us = events["t"] // 1000
        if len(events) and int(times_us.max()) >= 1 << 51:
            raise FileFormatError(f"{self._path}: a float64 of seconds holds whole us only below 71 years; shift it")
        signs = events["p"].astype(np.float64) * 2 - 1
        _append(self._rows, np.stack([events["x"], events["y"], times_us / 1e6, signs], axis=1))
        self._file.flush()


def _append(dataset: Any, rows: npt.NDArray[Any]) -> None:  # noqa: ANN401 - h5py.Dataset
    n = dataset.shape[0]
    dataset.resize(n + len(rows), axis=0)
    dataset[n:] = rows
