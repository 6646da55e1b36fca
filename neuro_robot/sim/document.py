"""A YAML document whose values know their path, for error messages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path as FilePath
from typing import Any

import yaml

from neuro_robot.errors import WorldError
from neuro_robot.robot import Vector3
from neuro_robot.strict_yaml import StrictYamlError, read_yaml

MAX_BYTES = 1_000_000
MAX_ENTRIES = 5000
FAR = 1e4  # m; nothing may be larger or farther away
POWER = re.compile(r"[-+]?\d+\.?\d*[eE][-+]?\d+")  # a number to people, a text to YAML 1.1
Range = tuple[float, float]


class Node:
    """A value inside the document with its path; each reader method checks and converts, or raises WorldError."""

    def __init__(self, value: object, path: str, file: FilePath) -> None:
        self.value, self.path, self.file = value, path, file

    def fail(self, expected: str, remedy: str = "") -> WorldError:
        shown = repr(self.value)
        shown = shown if len(shown) <= 60 else shown[:57] + "..."
        where = self.path or "top level"
        return WorldError(f"{self.file}: {where}: expected {expected}, got {shown}{'; ' + remedy if remedy else ''}")

    def mapping(self, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> dict[str, Node]:
        known = required + optional
        if not isinstance(self.value, Mapping):
            raise self.fail(f"a mapping with {', '.join(known)}")
        prefix = f"{self.path}." if self.path else ""
        for key in self.value:
            if key not in known:
                raise WorldError(
                    f"{self.file}: {prefix}{key}: no such key; known here are {', '.join(known)}: remove or rename it"
                )
        for key in required:
            if key not in self.value:
                raise WorldError(f"{self.file}: {prefix}{key}: is missing; add it")
        return {str(key): Node(value, f"{prefix}{key}", self.file) for key, value in self.value.items()}

    def items(self, at_least: int = 0) -> list[Node]:
        if not isinstance(self.value, list) or len(self.value) < at_least:
            raise self.fail(f"a list of at least {at_least} entries" if at_least else "a list")
        if len(self.value) > MAX_ENTRIES:
            raise WorldError(
                f"{self.file}: {self.path}: expected at most {MAX_ENTRIES} entries, got {len(self.value)}; split it"
            )
        return [Node(value, f"{self.path}[{i}]", self.file) for i, value in enumerate(self.value)]

    def number(self, low: float = -FAR, high: float = FAR) -> float:
        is_number = isinstance(self.value, (int, float)) and not isinstance(self.value, bool)
        if not is_number or not low <= self.value <= high:  # type: ignore[operator]
            is_power = isinstance(self.value, str) and POWER.fullmatch(self.value)
            hint = "YAML wants a point and a sign in it: 1.0e-3" if is_power else ""
            raise self.fail(f"a number from {low:g} to {high:g}", hint)
        return float(self.value)  # type: ignore[arg-type]

    def vector(self, size: int = 3, low: float = -FAR, high: float = FAR) -> tuple[float, ...]:
        if not isinstance(self.value, list) or len(self.value) != size:
            raise self.fail(f"a list of {size} numbers")
        return tuple(node.number(low, high) for node in self.items())

    def vector3(self, low: float = -FAR, high: float = FAR) -> Vector3:
        x, y, z = self.vector(3, low, high)
        return x, y, z

    def span(self, low: float = -FAR, high: float = FAR) -> Range:
        """[low, high]; a single number means both."""
        if not isinstance(self.value, list):
            value = self.number(low, high)
            return value, value
        a, b = self.vector(2, low, high)
        if b < a:
            raise self.fail("[low, high] with low <= high", "swap the two")
        return a, b

    def extent(self) -> Range:
        """[low, high] with low < high."""
        a, b = self.vector(2)
        if b <= a:
            raise self.fail("[low, high] with low < high")
        return a, b

    def word(self, choices: tuple[str, ...]) -> str:
        if self.value not in choices or not isinstance(self.value, str):
            raise self.fail(f"one of {', '.join(choices)}")
        return self.value


def parse(file: FilePath) -> object:
    """The document in a file as plain values; raises WorldError when it cannot be read at all."""
    try:
        if file.stat().st_size > MAX_BYTES:
            raise WorldError(f"{file}: expected at most {MAX_BYTES} bytes, got {file.stat().st_size}; use scatter")
        return read_yaml(file.read_text(encoding="utf-8"))
    except StrictYamlError as error:
        raise WorldError(f"{file}: {error}") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        detail = " ".join(str(error).split())
        raise WorldError(f"{file}: cannot be read as YAML: {detail}; correct the syntax") from error


def override(document: object, overrides: Mapping[str, object], file: FilePath) -> None:
    """Put values into a parsed document, in place, by dotted path; numbers count list entries. Raises WorldError."""
    for path, value in overrides.items():
        *parents, last = path.split(".")
        here: Any = document
        try:
            for part in parents:
                here = here[int(part) if isinstance(here, list) else part]
            if isinstance(here, list):
                here[int(last)] = value
            else:
                here.update({last: value})
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise WorldError(f"{file}: expected a place for {path} = {value!r}, got none: check the path") from error
