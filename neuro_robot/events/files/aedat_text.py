"""The text in front of AEDAT 2 and 3 files: lines that begin with '#', and the cameras they name.

Source: docs.inivation.com, "AEDAT File Formats".
"""

from __future__ import annotations

from neuro_robot.events.files.base import Geometry
from neuro_robot.events.files.binary import MAX_LINE_BYTES, BinaryFile

_MAX_HEADER_BYTES = 1 << 26  # jAER writes all its preferences
_PRINTABLE = bytes(range(32, 127)) + b"\t\r\n" + bytes(range(128, 256))
SIZES: dict[str, Geometry] = {
    "dvs128": (128, 128),
    "davis128": (128, 128),
    "davis208": (208, 192),
    "davis240": (240, 180),
    "davis346": (346, 260),
    "davis640": (640, 480),
    "davisrgbw640": (640, 480),
    "davishet640": (640, 480),
    "dvs132s": (132, 104),
    "dvxplorer": (640, 480),
    "seebetter20": (240, 180),
}


def read_lines(file: BinaryFile, magic: bytes, end: bytes) -> list[str]:
    """The header's lines without '#', up to the line `end` or to the first that is none; leaves the file behind it.

    A record may begin with the byte of '#', so a line counts only when all of it is text.
    """
    lines: list[str] = []
    start = file.line()
    if not start.startswith(magic):
        raise file.defect(f"expected {magic!r}, got {start[: len(magic)]!r}", 0)
    while file.left:
        at = file.offset
        line = file.line()
        if not line.startswith(b"#") or line.translate(None, _PRINTABLE) or not line.endswith(b"\n"):
            if line.startswith(b"#") and len(line) == MAX_LINE_BYTES and not line.translate(None, _PRINTABLE):
                raise file.defect(f"a line of the header is longer than {MAX_LINE_BYTES} bytes", at)
            file.seek(at)
            break
        if line.strip() == end:
            break
        lines.append(line[1:].decode("latin-1").strip())
        if file.offset > _MAX_HEADER_BYTES:
            raise file.defect(f"the header is longer than {_MAX_HEADER_BYTES} bytes", 0)
    return lines


def camera_size(text: str) -> Geometry | None:
    """Size of the sensor whose name is in the text, e.g. eu.seebetter.ini.chips.davis.Davis346B."""
    lower = text.lower()
    return next((size for name, size in SIZES.items() if name in lower), None)


def value(lines: list[str], key: str) -> str | None:
    """What follows `key` at the start of a line, None when no line begins so."""
    return next((line[len(key) :].strip() for line in lines if line.startswith(key)), None)


def stated_size(lines: list[str], key: str) -> Geometry | None:
    """A size that one of our own writers noted as `key WxH`."""
    try:
        width, height = (int(side) for side in (value(lines, key) or "").split("x"))
    except ValueError:
        return None
    return (width, height) if 0 < width <= 1 << 15 and 0 < height <= 1 << 15 else None
