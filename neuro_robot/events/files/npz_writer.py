"""Writing `.npz` in little memory: each column goes to a nameless file beside it, close() puts them into the archive.

A writer killed half way leaves no archive.
"""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path
from typing import IO

import numpy as np

from neuro_robot.events.array import EVENT_DTYPE, TRIGGER_DTYPE, Events, Triggers
from neuro_robot.events.files.base import EventWriter, require_triggers, require_writable

_PIECE = 1 << 22


class NpzWriter(EventWriter):
    """Columns t, x, y, p, the triggers', and width, height, time_unit."""

    def __init__(self, path: Path, width: int, height: int, *, compress: bool = True) -> None:
        self._path = path
        self._size = (width, height)
        self._method = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
        path.open("ab").close()  # so that a place that cannot be written is known now
        self._columns = {name: _scratch(path) for name in EVENT_DTYPE.names or ()}
        self._columns |= {f"trigger_{name}": _scratch(path) for name in TRIGGER_DTYPE.names or ()}
        self._closed = False

    def write(self, events: Events, triggers: Triggers | None = None) -> None:
        require_writable(events, *self._size)
        triggers = require_triggers(triggers)
        for name, column in self._columns.items():
            part = triggers[name.removeprefix("trigger_")] if name.startswith("trigger_") else events[name]
            column.write(np.ascontiguousarray(part).tobytes())

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        scalars = {"width": np.int64(self._size[0]), "height": np.int64(self._size[1]), "time_unit": np.str_("ns")}
        with zipfile.ZipFile(self._path, "w", self._method, compresslevel=1) as archive:
            for name, value in scalars.items():
                with archive.open(f"{name}.npy", "w") as member:
                    np.lib.format.write_array(member, np.asanyarray(value), allow_pickle=False)
            for name, column in self._columns.items():
                dtype = (TRIGGER_DTYPE if name.startswith("trigger_") else EVENT_DTYPE)[name.removeprefix("trigger_")]
                with archive.open(f"{name}.npy", "w", force_zip64=True) as member, column:
                    shape = (column.tell() // dtype.itemsize,)
                    header = {"descr": dtype.str, "fortran_order": False, "shape": shape}
                    np.lib.format.write_array_header_1_0(member, header)
                    column.seek(0)
                    while piece := column.read(_PIECE):
                        member.write(piece)


def _scratch(path: Path) -> IO[bytes]:
    """A file on the same disk that is gone when it is closed, whatever happens."""
    return tempfile.TemporaryFile(dir=path.absolute().parent)
