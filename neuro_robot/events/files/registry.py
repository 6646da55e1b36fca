"""The table of file formats, and opening a file without saying which one it is."""

from __future__ import annotations

from pathlib import Path

from neuro_robot.errors import FileFormatError
from neuro_robot.events.files import aedat2, aedat3, aedat4, csv, dat, evt2, evt3, evt4, evt21, hdf5, nmnist, npz
from neuro_robot.events.files.base import HEAD_BYTES, MAX_SIDE, Chunk, EventReader, EventWriter, Format, Geometry

# One line for each format module: its tuple of formats. The order decides when several claim a file or an extension.
_ENTRIES: tuple[Format, ...] = (
    *evt3.FORMATS,
    *evt2.FORMATS,
    *evt21.FORMATS,
    *evt4.FORMATS,
    *dat.FORMATS,
    *aedat4.FORMATS,
    *aedat3.FORMATS,
    *aedat2.FORMATS,
    *hdf5.FORMATS,
    *npz.FORMATS,
    *csv.FORMATS,
    *nmnist.FORMATS,
)

FORMATS: dict[str, Format] = {entry.name: entry for entry in _ENTRIES}
"""Every file format that can be read, by name."""


def register(entry: Format) -> None:
    """Add a format of another layer; raises FileFormatError when the name is taken by another one."""
    if FORMATS.setdefault(entry.name, entry) is not entry:
        raise FileFormatError(f"a format {entry.name!r} exists already; give the new one another name")


def open_reader(path: str | Path, *, format: str | None = None, geometry: Geometry | None = None) -> EventReader:  # noqa: A002
    """Open a recording of any format: the one named, else the one its content shows, else the one of its extension.

    geometry (width, height) is for files that do not say it themselves. Raises FileFormatError naming what was seen.
    """
    path = Path(path)
    _check_geometry(geometry)
    head = _head(path)
    entry = _named(format) if format is not None else _recognised(path, head)
    try:
        return entry.reader(path, geometry)
    except OSError as error:
        raise FileFormatError(f"{path}: cannot be read ({error.strerror or error})") from error


def open_writer(path: str | Path, width: int, height: int, *, format: str | None = None) -> EventWriter:  # noqa: A002
    """Start a recording of a width x height sensor, in the format named or that of the path's extension.

    Raises FileFormatError when that is unknown, cannot be written, or cannot address such a sensor.
    """
    path = Path(path)
    entry = _named(format) if format is not None else _to_write(path)
    if entry is None:
        raise FileFormatError(f"{path}: no format that can be written ends so; name one of {_names(writable=True)}")
    if entry.writer is None:
        raise FileFormatError(f"{entry.name} files can only be read; write one of {_names(writable=True)}")
    if not (0 < width <= entry.max_width and 0 < height <= entry.max_height):
        largest = f"{entry.max_width}x{entry.max_height}"
        raise FileFormatError(f"{entry.name}: expected a sensor of 1x1 to {largest} pixels, got {width}x{height}")
    try:
        return entry.writer(path, width, height)
    except OSError as error:
        raise FileFormatError(f"{path}: cannot be written ({error.strerror or error})") from error


def read_all(path: str | Path, *, format: str | None = None, geometry: Geometry | None = None) -> Chunk:  # noqa: A002
    """All events and triggers of a recording that fits into memory."""
    with open_reader(path, format=format, geometry=geometry) as reader:
        return reader.read_all()


def _head(path: Path) -> bytes:
    if path.is_dir():
        return b""
    try:
        with path.open("rb") as file:
            return file.read(HEAD_BYTES)
    except OSError as error:
        raise FileFormatError(f"{path}: cannot be read ({error.strerror or error})") from error


def _recognised(path: Path, head: bytes) -> Format:
    for entry in FORMATS.values():
        if entry.sniff(head, path):
            return entry
    same_ending = [entry for entry in FORMATS.values() if path.name.lower().endswith(entry.extensions)]
    if len(same_ending) == 1:
        return same_ending[0]
    seen = "a directory" if path.is_dir() else f"a file that begins {head[:16]!r}" if head else "an empty file"
    names = ", ".join(entry.name for entry in same_ending) or _names()
    raise FileFormatError(f"{path}: {seen} is of no format known here ({names}); name one if it is (--input-format)")


def _to_write(path: Path) -> Format | None:
    """The first format that is written with this ending."""
    for entry in FORMATS.values():
        if path.name.lower().endswith(entry.extensions) and entry.writer is not None:
            return entry
    return None


def _named(name: str) -> Format:
    if name not in FORMATS:
        raise FileFormatError(f"expected a format of {_names()}, got {name!r}")
    return FORMATS[name]


def _names(*, writable: bool = False) -> str:
    return ", ".join(name for name, entry in FORMATS.items() if entry.writer is not None or not writable)


def _check_geometry(geometry: Geometry | None) -> None:
    if geometry is not None and not all(0 < side <= MAX_SIDE for side in geometry):
        raise FileFormatError(f"expected a geometry of 1x1 to {MAX_SIDE}x{MAX_SIDE} pixels, got {geometry}")
