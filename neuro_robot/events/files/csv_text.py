"""Reading numbers out of lines of text: which columns a file has, and a kernel that takes them apart."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from neuro_robot.events.array import Events

NAMES = {
    "t": ("t", "ts", "time", "timestamp", "timestamps", "t_ns", "t_us", "t_ms", "t_s"),
    "x": ("x",),
    "y": ("y",),
    "p": ("p", "pol", "polarity", "on"),
}
UNIT_DIGITS = {"s": 9, "ms": 6, "us": 3, "ns": 0}  # powers of ten to nanoseconds
BAD, TIME = 1, 2  # what may be wrong with a line

_COMMA, _SPACE, _TAB, _SEMICOLON, _CR, _LF, _MINUS, _PLUS, _DOT, _ZERO = (ord(c) for c in ", \t;\r\n-+.0")
_MAX_TENTH = 2**62 // 10


class Columns(NamedTuple):
    """The order of a file's columns."""

    roles: tuple[int, ...]  # of each column: 0 t, 1 x, 2 y, 3 p, 4 something else
    unit_digits: int
    header: bool  # whether the first line names the columns


def find_columns(lines: list[str]) -> Columns:
    """From the first lines that are no comments; ValueError when they do not tell."""
    if not lines:
        return Columns((0, 1, 2, 3), UNIT_DIGITS["us"], False)
    cells = _cells(lines[0])
    if any(re.search("[A-Za-z]", cell) for cell in cells):
        return _named(_cells(re.sub(r"\s*[\[(].*?[\])]", "", lines[0]).lower()), lines[0])
    if len(cells) != 4:
        raise ValueError(f"expected four columns or a line that names them, got {lines[0][:80]!r}")
    rows = [_cells(line) for line in lines]
    small = [all(len(row) > i and row[i] in ("0", "1", "-1") for row in rows) for i in range(4)]
    if "." in cells[0]:
        return Columns((0, 1, 2, 3), UNIT_DIGITS["s"], False)  # seconds x y p, as in the RPG data sets
    if small[3]:
        return Columns((0, 1, 2, 3), UNIT_DIGITS["us"], False)
    if small[2]:
        return Columns((1, 2, 3, 0), UNIT_DIGITS["us"], False)  # x,y,p,t, as Metavision writes it
    raise ValueError(f"no column of {lines[0][:80]!r} is a polarity; name the columns in the first line (t_us,x,y,p)")


def _cells(line: str) -> list[str]:
    return re.split(r"[,;\s]+", line.strip())


def _named(names: list[str], line: str) -> Columns:
    roles = [next((k for k, known in enumerate(NAMES.values()) if name in known), 4) for name in names]
    if sorted(role for role in roles if role < 4) != [0, 1, 2, 3]:
        raise ValueError(f"expected columns t, x, y, p, got {line.strip()[:80]!r}")
    name = names[roles.index(0)]
    unit = name.rpartition("_")[2] if "_" in name else (re.findall(r"[\[(]\s*(ns|us|ms|s)\s*[\])]", line) or ["us"])[0]
    return Columns(tuple(roles), UNIT_DIGITS[unit], True)


@njit(cache=True)
def parse(
    text: npt.NDArray[np.uint8], roles: npt.NDArray[np.int64], unit_digits: int, max_ns: int, events: Events
) -> tuple[int, int, int, int, int]:
    """Whole lines -> (events, of them left out for their time, bytes used, fault, lines).

    A fault stops at its line. Empty lines and those that begin with '#' are passed over; the caller reads the latter.
    """
    at = n = impossible = lines = 0
    fields = np.zeros(5, np.int64)
    while at < len(text) and n < len(events):
        start = at
        column = 0
        first = text[at]
        if first in (ord("#"), _LF, _CR):
            while at < len(text) and text[at] != _LF:
                at += 1
            at += 1
            lines += 1
            continue
        while True:
            while at < len(text) and (text[at] == _SPACE or text[at] == _TAB):
                at += 1
            if column == len(roles) or at >= len(text):
                return n, impossible, start, BAD, lines
            scale = unit_digits if roles[column] == 0 else 0
            value, at, good = _number(text, at, scale)
            if not good:
                return n, impossible, start, BAD, lines
            fields[roles[column]] = value
            column += 1
            while at < len(text) and (text[at] == _SPACE or text[at] == _TAB or text[at] == _CR):
                at += 1
            if at < len(text) and (text[at] == _COMMA or text[at] == _SEMICOLON):
                at += 1
            elif at >= len(text) or text[at] == _LF:
                at += 1
                break
        if column != len(roles):
            return n, impossible, start, BAD, lines
        lines += 1
        t_ns, x, y = fields[0], fields[1], fields[2]
        event = events[n]
        event.t = t_ns
        event.x = x if 0 <= x < 0xFFFF else 0xFFFF
        event.y = y if 0 <= y < 0xFFFF else 0xFFFF
        event.p = fields[3] > 0
        possible = 0 <= t_ns <= max_ns
        n += possible
        impossible += not possible
    return n, impossible, at, 0, lines


@njit(cache=True)
def _number(text: npt.NDArray[np.uint8], at: int, scale: int) -> tuple[int, int, bool]:
    """A decimal number, maybe with an exponent, times 10**scale; -> (value, offset behind, good).

    What is left behind the point is cut off; -1 stands for what is beyond 2**62.
    """
    negative = at < len(text) and text[at] == _MINUS
    if negative or (at < len(text) and text[at] == _PLUS):
        at += 1
    value: Any = np.int64(0)
    digits = 0
    shift = scale
    pointed = False
    while at < len(text):
        digit = np.int64(text[at]) - _ZERO
        if 0 <= digit <= 9:
            digits += 1
            fits = value <= _MAX_TENTH
            value = value * 10 + digit if fits else value
            shift += not fits and not pointed  # a digit that is left away
            shift -= fits and pointed
        elif text[at] == _DOT and not pointed:
            pointed = True
        else:
            break
        at += 1
    if at < len(text) and (text[at] == ord("e") or text[at] == ord("E")):
        exponent, at, good = _exponent(text, at + 1)
        digits = digits if good else 0
        shift += exponent
    while shift < 0 and value > 0:
        value //= 10
        shift += 1
    while shift > 0 and value > 0:
        if value > _MAX_TENTH:
            return -1, at, digits > 0
        value *= 10
        shift -= 1
    return -value if negative else value, at, digits > 0


@njit(cache=True)
def _exponent(text: npt.NDArray[np.uint8], at: int) -> tuple[int, int, bool]:
    negative = at < len(text) and text[at] == _MINUS
    if negative or (at < len(text) and text[at] == _PLUS):
        at += 1
    value: Any = np.int64(0)
    start = at
    while at < len(text) and 0 <= np.int64(text[at]) - _ZERO <= 9:
        value = min(value * 10 + np.int64(text[at]) - _ZERO, 99)
        at += 1
    return -value if negative else value, at, at > start
