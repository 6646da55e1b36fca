"""The text header of Prophesee RAW and DAT files: lines `% key value`, then binary data.

A line `% end` closes it in recent files; in older ones the data begins where lines stop beginning with "% ".
Sources: docs.prophesee.ai, RAW and DAT file formats; openeb, generic_header.cpp and psee_raw_file_header.cpp.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from neuro_robot.errors import FileFormatError
from neuro_robot.events.array import MAX_TIME_NS
from neuro_robot.events.files.base import HEAD_BYTES, Geometry, GeometryUnknownError, broken

TIME_BASE = "time_base_us"
"""A key of this package: sensor time near the first event, which tells roll-over periods of the clock apart. Written
when the recording starts later than the first period; other readers pass over it and see the time modulo a period."""

_LONGEST_LINE = 4096
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_ENCODINGS = {"2.0": "EVT2", "2.1": "EVT21", "3.0": "EVT3", "4.0": "EVT4"}
# Cameras of the years before the header told its geometry: what may be supposed. openeb knows them by system_ID.
_GEN_3 = {21, 23, 25, 28, 29, 33, 34, 35, 40, 41, 151, 153, 161, 162}
_GEN_4 = {26, 30, 31, 32, 39, 46, 48, 49, 50, 154}


@dataclass(frozen=True)
class Header:
    """A parsed header: its fields, where each began, and where the data begins."""

    path: Path
    fields: dict[str, str]
    offsets: dict[str, int]
    size: int  # bytes

    def broken(self, key: str, defect: str) -> FileFormatError:
        """The error for the line of this key."""
        return broken(self.path, self.offsets.get(key, 0), defect)


def parse(head: bytes, path: Path) -> Header:
    """The header at the start of head, the first HEAD_BYTES of a file; empty when there is none.

    Raises FileFormatError for a header that does not end in them.
    """
    fields: dict[str, str] = {}
    offsets: dict[str, int] = {}
    at = 0
    while head.startswith(b"% ", at):
        line = _line(head, at)
        if line is None:
            if len(head) - at < _LONGEST_LINE and len(head) >= HEAD_BYTES:
                raise broken(path, at, f"a header longer than {HEAD_BYTES} bytes; no RAW or DAT file, or a broken one")
            break
        key, _, value = line[2:].decode("utf-8", "replace").strip().partition(" ")
        if key and key != "end":
            fields[key] = value.strip()
            offsets.setdefault(key, at)
        at += len(line)
        if key == "end":
            break
    return Header(path, fields, offsets, at)


def _line(head: bytes, at: int) -> bytes | None:
    """The text line at `at` with its line end; None for data that happens to begin with "% "."""
    end = head.find(b"\n", at, at + _LONGEST_LINE)
    line = head[at : end + 1]
    return line if end >= 0 and not _CONTROL.search(line) else None


def read(path: Path) -> Header:
    """Parse the header of a file."""
    with path.open("rb") as file:
        return parse(file.read(HEAD_BYTES), path)


def open_raw(path: Path, given: Geometry | None, expected: str, largest: Geometry) -> tuple[Header, Geometry]:
    """Header and geometry of a RAW file of the encoding expected; raises FileFormatError when it names another.

    A file that names none is taken for what the caller says.
    """
    header = read(path)
    seen = encoding(header)
    if seen is not None and seen != expected:
        key = "format" if "format" in header.fields else "evt"
        raise header.broken(key, f"expected {expected} data, got {seen[:40]!r}; open it as what it says")
    return header, geometry(header, given, largest)


def raw_text(name: str, evt: str, size: Geometry, first_us: int, period_us: int, *extra: str) -> bytes:
    """The header of a RAW file of the encoding `name` whose first time is first_us, on a clock of period_us."""
    lines = [
        f"evt {evt}",
        f"format {name};height={size[1]};width={size[0]}",
        f"geometry {_text(size)}",
        *extra,
        *([f"{TIME_BASE} {first_us}"] if first_us >= period_us else []),
        "written_by neuro_robot",
        "end",
    ]
    return "".join(f"% {line}\n" for line in lines).encode()


def seen_encoding(head: bytes) -> str | None:
    """The encoding of a RAW file that begins so; None for anything else."""
    try:
        return encoding(parse(head, Path()))
    except FileFormatError:
        return None


def encoding(header: Header) -> str | None:
    """EVT2, EVT21, EVT3, EVT4 or another name that the header gives; None when it gives none."""
    named = header.fields.get("format", "").partition(";")[0].strip().upper()
    return named or _ENCODINGS.get(header.fields.get("evt", ""), header.fields.get("evt"))


def endianness(header: Header) -> str | None:
    """`little`, `legacy` or what else the header says, in the format line or on its own."""
    return _format_options(header).get("endianness") or header.fields.get("endianness")


def geometry(header: Header, given: Geometry | None, largest: Geometry) -> Geometry:
    """(width, height) as the header says, or as given when it does not.

    Raises FileFormatError when nobody says it, when both do and differ, and for a size the format cannot address.
    """
    stated = _stated_geometry(header)
    if stated is None and given is None:
        defect = "the header does not tell the sensor's geometry"
        raise GeometryUnknownError(header.path, 0, defect, _suggestion(header))
    if stated is not None and given is not None and stated != given:
        raise header.broken("geometry", f"the header says {_text(stated)}, but {_text(given)} was given; leave it out")
    size = stated or given or (0, 0)
    if not (0 < size[0] <= largest[0] and 0 < size[1] <= largest[1]):
        raise header.broken("geometry", f"expected a geometry of 1x1 to {_text(largest)}, got {_text(size)}")
    return size


def time_base_us(header: Header) -> int:
    """The value of TIME_BASE, -1 when the file has none; raises FileFormatError for one out of range."""
    return _microseconds(header, TIME_BASE, -1)


def time_offset_us(header: Header) -> int:
    """What faery takes off every time and notes as t0 (RAW) or T0 (DAT); 0 when the file has none."""
    return _microseconds(header, "T0" if "T0" in header.fields else "t0", 0)


def _microseconds(header: Header, key: str, otherwise: int) -> int:
    text = header.fields.get(key)
    if text is None:
        return otherwise
    if not re.fullmatch(r"[0-9]{1,16}", text) or int(text) > MAX_TIME_NS // 1000:
        raise header.broken(key, f"expected {key} in whole microseconds, got {text[:40]!r}")
    return int(text)


def _stated_geometry(header: Header) -> Geometry | None:
    options = _format_options(header)
    texts = {
        "geometry": header.fields.get("geometry"),
        "format": f"{options.get('width', '')}x{options.get('height', '')}",
        "Width": f"{header.fields.get('Width', '')}x{header.fields.get('Height', '')}",
    }
    for key, text in texts.items():
        if text is None or text == "x":
            continue
        match = re.fullmatch(r"\s*([0-9]{1,9})\s*x\s*([0-9]{1,9})\s*", text)
        if match is None:
            raise header.broken(key, f"expected a geometry such as 1280x720, got {text[:40]!r}")
        return int(match[1]), int(match[2])
    return None


def _format_options(header: Header) -> dict[str, str]:
    parts = header.fields.get("format", "").split(";")[1:]
    pairs = (part.partition("=") for part in parts)
    return {key.strip(): value.strip() for key, _, value in pairs}


def _suggestion(header: Header) -> Geometry | None:
    """What the geometry probably is, from what the header tells about the camera."""
    system = header.fields.get("system_ID", "")
    number = int(system) if re.fullmatch(r"[0-9]{1,4}", system) else 0
    if number in _GEN_3:
        return 640, 480
    return (1280, 720) if number in _GEN_4 else None


def _text(size: Geometry) -> str:
    return f"{size[0]}x{size[1]}"
