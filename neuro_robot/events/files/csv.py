"""Text with one event in each line.

Ours: comments `# geometry 640x480` and `# trigger t_ns,id,value`, then `t_ns,x,y,p` and the events. Others': columns
separated by commas, semicolons or blanks, named in the first line in any order (t_ns, t_us, t_ms, t_s or a unit in
brackets; plain t is us), else four columns: seconds x y p when the first has a point (RPG data sets), t,x,y,p or
x,y,p,t (Metavision) in us, told apart by which column only holds 0, 1 and -1. p below 1 is OFF.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from numba import njit

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
    Format,
    Geometry,
    require_triggers,
    require_writable,
)
from neuro_robot.events.files.binary import BinaryFile, regroup
from neuro_robot.events.files.csv_text import find_columns, parse

_BLOCK = 1 << 22
_MAX_LINE = 1 << 12
_SHORTEST_LINE = 8  # "0,0,0,0\n"
_SHOWN = 64  # lines that tell which column is which
_LINE_BYTES = 36  # longest line of ours: 19 + 5 + 5 + 1 digits, 3 commas, end
_TRIGGER = re.compile(rb"# ?trigger (\d{1,19}),(\d{1,3}),([01])\s*$")
_GEOMETRY = re.compile(r"# ?geometry (\d{1,5})x(\d{1,5})")


class CsvReader(EventReader):
    """Reads blocks of lines."""

    format = "csv"

    def __init__(self, path: Path, geometry: Geometry | None = None) -> None:
        self.stats = FileStats()
        self._file = BinaryFile(path)
        try:
            self._open(geometry)
        except BaseException:
            self._file.close()
            raise

    def _open(self, geometry: Geometry | None) -> None:
        file = self._file
        head = file.read(min(file.size, 1 << 16), "the first lines")
        lines = head.decode("latin-1").splitlines()[: _SHOWN if file.size > len(head) else None]
        said = next((found for line in lines if (found := _GEOMETRY.match(line))), None)
        size = (int(said[1]), int(said[2])) if said else geometry
        data = [line for line in lines if line.strip() and not line.startswith("#")][:_SHOWN]
        try:
            columns = find_columns(data)
        except ValueError as error:
            raise file.defect(str(error), 0) from error
        if size is None or not (0 < size[0] <= 1 << 16 and 0 < size[1] <= 1 << 16):
            raise file.defect("the text says no size of the sensor; give the geometry (--geometry WxH)", 0)
        self.width, self.height = size
        self._roles = np.array(columns.roles, np.int64)
        self._unit_digits = columns.unit_digits
        file.seek(self._behind_names(head) if columns.header else 0)
        names = {9: "s", 6: "ms", 3: "us", 0: "ns"}
        self.details = {"columns": " ".join("txyp-"[role] for role in columns.roles), "unit": names[self._unit_digits]}
        self._lines = 0

    def _behind_names(self, head: bytes) -> int:
        """Offset behind the line that names the columns; comments in front of it hold no triggers."""
        at = 0
        for line in head.splitlines(keepends=True):
            at += len(line)
            if line.strip() and not line.startswith(b"#"):
                break
        return at

    def chunks(self, max_events: int = CHUNK_EVENTS) -> Iterator[Chunk]:
        for chunk in regroup(self._blocks(), max_events):
            yield self._accept(chunk.events, chunk.triggers)

    def _blocks(self) -> Iterator[Chunk]:
        file = self._file
        rest = b""
        while file.left:
            text = rest + file.read(min(_BLOCK, file.left), "lines")
            end = text.rfind(b"\n") + 1 if file.left else len(text)
            if end == 0 and len(text) > _MAX_LINE:
                raise file.defect(f"a line is longer than {_MAX_LINE} bytes", file.offset - len(text))
            rest = text[end:]
            if end:
                yield self._parsed(text[:end], file.offset - len(text))

    def _parsed(self, text: bytes, offset: int) -> Chunk:
        events = np.empty(len(text) // _SHORTEST_LINE + 1, EVENT_DTYPE)
        numbers = np.frombuffer(text, np.uint8)
        n, impossible, used, fault, lines = parse(numbers, self._roles, self._unit_digits, MAX_TIME_NS, events)
        if fault or used < len(text):
            line = text[used : used + 80].split(b"\n")[0]
            raise self._file.defect(f"expected {len(self._roles)} numbers, got {line!r}", offset + used)
        self._lines += lines
        self.stats.unknown_words += impossible
        return Chunk(events[:n], _triggers(text))

    def position(self) -> float:
        return self._file.position()

    def close(self) -> None:
        self._file.close()


def _triggers(text: bytes) -> Triggers:
    if b"trigger " not in text:
        return empty_triggers()
    found = [match.groups() for line in text.split(b"\n") if line.startswith(b"#") and (match := _TRIGGER.match(line))]
    rows = [(int(t), int(channel), int(value)) for t, channel, value in found]
    return np.array([row for row in rows if row[0] <= MAX_TIME_NS and row[1] < 256], TRIGGER_DTYPE)


class CsvWriter(EventWriter):
    """Writes our own form; what was written can be read at any time."""

    def __init__(self, path: Path, width: int, height: int) -> None:
        self._size = (width, height)
        self._file = path.open("wb")
        self._file.write(f"# geometry {width}x{height}\nt_ns,x,y,p\n".encode())

    def write(self, events: Events, triggers: Triggers | None = None) -> None:
        require_writable(events, *self._size)
        triggers = require_triggers(triggers)
        for start in range(0, len(events), 1 << 17):
            part = as_kernel_input(events[start : start + (1 << 17)])
            text = np.empty(len(part) * _LINE_BYTES, np.uint8)
            self._file.write(text[: _format(part, text)].tobytes())
        for t, channel, value in triggers.tolist():
            self._file.write(f"# trigger {t},{channel},{int(value != 0)}\n".encode())

    def close(self) -> None:
        self._file.close()


@njit(cache=True)
def _format(events: Events, text: npt.NDArray[np.uint8]) -> int:
    """-> number of bytes."""
    n = 0
    for i in range(len(events)):
        event = events[i]
        for value in (np.int64(event.t), np.int64(event.x), np.int64(event.y), np.int64(event.p)):
            start = n
            while value > 9:
                text[n] = 48 + value % 10
                value //= 10
                n += 1
            text[n] = 48 + value
            n += 1
            text[start:n] = text[start:n][::-1].copy()
            text[n] = ord(",")
            n += 1
        text[n - 1] = ord("\n")
    return n


FORMATS = (
    Format(
        name="csv",
        extensions=(".csv", ".txt"),
        description="text, one event in each line; written as t_ns,x,y,p",
        sniff=lambda head, _path: head.startswith(b"# geometry "),
        reader=CsvReader,
        writer=CsvWriter,
        time_resolution_ns=1,
        keeps_triggers=True,
        max_width=1 << 16,
        max_height=1 << 16,
    ),
)
