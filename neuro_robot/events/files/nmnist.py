"""N-MNIST and N-Caltech101 `.bin`: five bytes for each event, no header, 23 bits of microseconds.

Byte 0: x; byte 1: y; byte 2: polarity in bit 7 (1 = ON), bits 16-22 of the time in the rest; bytes 3 and 4: bits 8-15
and 0-7 of the time. A record with y = 240 stands for 2^13 us that are added to its own and every later time; it is no
event. Source: Orchard et al. 2015, Read_Ndataset of the data set; tonic's io.read_mnist_file agrees.

The sensor is 34x34 (N-MNIST) or, when an event lies outside of that, 240x180 (N-Caltech101); anything else needs the
geometry. Times are written as they are; those beyond 8.388 s (2^23 us) need the records with y = 240.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from numba import njit

from neuro_robot.errors import FileFormatError
from neuro_robot.events.array import EVENT_DTYPE, Events, Triggers, as_kernel_input
from neuro_robot.events.files.base import (
    CHUNK_EVENTS,
    Chunk,
    EventReader,
    EventWriter,
    FileStats,
    Format,
    Geometry,
    require_writable,
)
from neuro_robot.events.files.binary import BinaryFile

_RECORD = 5
_MARK_ROW = 240
_STEP_US = 1 << 13
_MAX_FIELD_US = (1 << 23) - 1
_MOST_MARKS = 1 << 20  # 2 hours and 23 minutes in 5 MB of records
_SIZES: tuple[Geometry, ...] = ((34, 34), (240, 180))  # N-MNIST, N-Caltech101
_BLOCK = 1 << 18  # records

Bytes = npt.NDArray[np.uint8]


class NmnistReader(EventReader):
    """One sample of the data sets."""

    format = "nmnist"

    def __init__(self, path: Path, geometry: Geometry | None = None) -> None:
        self.stats = FileStats()
        self.details: dict[str, str] = {}
        self._file = BinaryFile(path)
        self._ahead_us = np.zeros(1, np.int64)  # by the records with y = 240
        try:
            self.width, self.height = geometry or self._guessed()
        except BaseException:
            self._file.close()
            raise

    def _guessed(self) -> Geometry:
        """The smaller of the two sensors that all events are on."""
        if self._file.size == 0:
            return _SIZES[0]
        x_most, y_most = 0, 0
        for block in self._blocks(_BLOCK):
            pixels = block[block[:, 1] != _MARK_ROW]
            if len(pixels):
                x_most, y_most = max(x_most, int(pixels[:, 0].max())), max(y_most, int(pixels[:, 1].max()))
        self._file.seek(0)
        for width, height in _SIZES:
            if x_most < width and y_most < height:
                return width, height
        raise self._file.defect(
            f"an event at x {x_most} or y {y_most} is outside the 34x34 of N-MNIST and the 240x180 of N-Caltech101; "
            "give the geometry (--geometry WxH), or name the format (--input-format) if it is another one"
        )

    def _blocks(self, records: int) -> Iterator[Bytes]:
        while self._file.left >= _RECORD:
            n = min(records, self._file.left // _RECORD)
            yield np.frombuffer(self._file.read(n * _RECORD, "records"), np.uint8).reshape(n, _RECORD)

    def chunks(self, max_events: int = CHUNK_EVENTS) -> Iterator[Chunk]:
        for block in self._blocks(max(1, min(max_events, _BLOCK))):
            events = np.empty(len(block), EVENT_DTYPE)
            yield self._accept(events[: _decode(block, self._ahead_us, events)])
        self.stats.torn_bytes += self._file.left
        self._file.seek(self._file.size)

    def position(self) -> float:
        return self._file.position()

    def close(self) -> None:
        self._file.close()


class NmnistWriter(EventWriter):
    """Writes what fits: rows 0 to 239, times up to 2 hours, no triggers."""

    def __init__(self, path: Path, width: int, height: int) -> None:
        self._path = path
        self._size = (width, height)
        self._marks = np.zeros(1, np.int64)  # records with y = 240 so far
        self._file = path.open("wb")

    def write(self, events: Events, triggers: Triggers | None = None) -> None:
        require_writable(events, *self._size)
        if triggers is not None and len(triggers):
            raise FileFormatError(f"{self._path}: N-MNIST files hold no triggers; leave them out, or write hdf5 or npz")
        if not len(events):
            return
        last_us, first_us = int(events["t"].max()) // 1000, int(events["t"].min()) // 1000
        marks = max(-((_MAX_FIELD_US - last_us) // _STEP_US), int(self._marks[0]), 0)
        if marks > _MOST_MARKS or first_us < self._marks[0] * _STEP_US:
            range_s = f"from {self._marks[0] * _STEP_US * 1e-6:.6f} to {_MOST_MARKS * _STEP_US * 1e-6:.0f} s"
            raise FileFormatError(
                f"{self._path}: expected times {range_s}, got {first_us * 1e-6:.6f} to {last_us * 1e-6:.6f} s; "
                "shift the recording so that it begins at 0"
            )
        records = np.zeros((len(events) + marks - int(self._marks[0]), _RECORD), np.uint8)
        n = _encode(as_kernel_input(events), self._marks, records)
        if n < 0:
            raise FileFormatError(f"{self._path}: time steps back by more than 8.3 s; sort the events first")
        self._file.write(records[:n].tobytes())

    def close(self) -> None:
        self._file.close()


@njit(cache=True)
def _decode(records: Bytes, ahead_us: npt.NDArray[np.int64], events: Events) -> int:
    """-> number of events; ahead_us goes on with the next block."""
    n = 0
    for i in range(len(records)):
        if records[i, 1] == _MARK_ROW:
            ahead_us[0] += _STEP_US
            continue
        high, middle, low = np.int64(records[i, 2]), np.int64(records[i, 3]), np.int64(records[i, 4])
        event = events[n]
        event.t = (ahead_us[0] + ((high & 0x7F) << 16 | middle << 8 | low)) * 1000
        event.x = records[i, 0]
        event.y = records[i, 1]
        event.p = high >> 7
        n += 1
    return n


@njit(cache=True)
def _encode(events: Events, marks: npt.NDArray[np.int64], records: Bytes) -> int:
    """-> number of records, -1 when a time is before the marks written so far."""
    n = 0
    for i in range(len(events)):
        event = events[i]
        t_us = event.t // 1000
        while t_us - marks[0] * _STEP_US > _MAX_FIELD_US:
            records[n, 1] = _MARK_ROW
            marks[0] += 1
            n += 1
        field = t_us - marks[0] * _STEP_US
        if field < 0:
            return -1
        records[n, 0] = event.x
        records[n, 1] = event.y
        records[n, 2] = np.int64(event.p) << 7 | field >> 16
        records[n, 3] = field >> 8 & 0xFF
        records[n, 4] = field & 0xFF
        n += 1
    return n


FORMATS = (
    Format(
        name="nmnist",
        extensions=(".bin",),
        description="N-MNIST and N-Caltech101 samples",
        sniff=lambda _head, _path: False,  # nothing to recognise: the extension decides
        reader=NmnistReader,
        writer=NmnistWriter,
        time_resolution_ns=1000,
        keeps_triggers=False,
        max_width=256,
        max_height=_MARK_ROW,
    ),
)
