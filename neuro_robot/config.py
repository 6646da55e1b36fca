"""Parameters: declared once as dataclass fields, read from YAML and from ROS 2 alike.

A parameter is a dataclass field made by `parameter(default, description, minimum, maximum)`; a group of parameters
is a frozen dataclass, and groups nest. From that one declaration come the checked object (`from_dict`), the flat
dotted names that ROS 2 declares (`declarations`) and the reference table in the documentation.
"""

from __future__ import annotations

import dataclasses
import math
import re
import sys
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml

from neuro_robot.errors import ConfigError
from neuro_robot.strict_yaml import read_yaml

Value = bool | int | float | str
T = TypeVar("T")


@dataclass(frozen=True)
class Declaration:
    """One parameter as ROS 2 wants it declared: dotted name, default, description, inclusive range."""

    name: str
    default: Value
    description: str
    minimum: float | None
    maximum: float | None
    choices: tuple[str, ...]


def parameter(
    default: Value,
    description: str,
    minimum: float | None = None,
    maximum: float | None = None,
    choices: tuple[str, ...] = (),
) -> Any:  # noqa: ANN401 - a dataclass field stands where its value's type is declared
    """A dataclass field with the description, inclusive range and choices that every reader of it enforces."""
    metadata = {"description": description, "minimum": minimum, "maximum": maximum, "choices": choices}
    return dataclasses.field(default=default, metadata=metadata)


def group(kind: type[T], **defaults: Value) -> T:
    """A nested group of parameters with its own defaults, or with these for some of them."""
    return dataclasses.field(default_factory=lambda: kind(**defaults))


def declarations(kind: type, prefix: str = "") -> list[Declaration]:
    """Every parameter of a group and its nested groups, with dotted names."""
    return _declared(kind(), prefix)


def _declared(config: object, prefix: str) -> list[Declaration]:
    rows: list[Declaration] = []
    for item in dataclasses.fields(typing.cast(Any, config)):
        value = getattr(config, item.name)
        if dataclasses.is_dataclass(value):
            rows += _declared(value, f"{prefix}{item.name}.")
        else:
            rows.append(Declaration(f"{prefix}{item.name}", value, **item.metadata))
    return rows


def from_dict(kind: type[T], values: Mapping[str, object], where: str = "") -> T:
    """Build a group from nested (or dotted) names, checking type, range and spelling.

    Raises ConfigError that names the parameter, what was expected and what came.
    """
    return _filled(kind(), values, where)


def _filled(defaults: T, values: Mapping[str, object], where: str) -> T:
    kind = type(defaults)
    nested = _nest(values, where)
    hints = typing.get_type_hints(kind)
    fields = {item.name: item for item in dataclasses.fields(typing.cast(Any, kind))}
    unknown = sorted(set(nested) - set(fields))
    if unknown:
        known = ", ".join(sorted(fields))
        raise ConfigError(f"{where}{unknown[0]}: no such parameter; {where or 'this group'} has {known}")
    built: dict[str, object] = {}
    for name, value in nested.items():
        hint = hints[name]
        if dataclasses.is_dataclass(hint):
            if not isinstance(value, Mapping):
                raise ConfigError(f"{where}{name}: expected a group of parameters, got {value!r}")
            built[name] = _filled(getattr(defaults, name), value, f"{where}{name}.")
        else:
            built[name] = _checked(hint, value, dict(fields[name].metadata), f"{where}{name}")
    return typing.cast(T, dataclasses.replace(typing.cast(Any, defaults), **built))


def to_dict(config: object) -> dict[str, object]:
    """The group as nested plain values, ready for YAML or JSON."""
    return dataclasses.asdict(typing.cast(Any, config))


def flat(config: object, prefix: str = "") -> dict[str, Value]:
    """The group as dotted names and values."""
    rows: dict[str, Value] = {}
    for item in dataclasses.fields(typing.cast(Any, config)):
        value = getattr(config, item.name)
        if dataclasses.is_dataclass(value):
            rows |= flat(value, f"{prefix}{item.name}.")
        else:
            rows[f"{prefix}{item.name}"] = value
    return rows


def load_node_parameters(path: Path, node: str) -> dict[str, object]:
    """The `ros__parameters` of one node from a ROS 2 parameter file: every entry that names it, the later on top.

    `node` is a name or a full name (`/left/sim_node`). Entries may have wildcards as rcl knows them: `*` stands for one
    part of the name, `**` for any number of them.
    """
    merged: dict[str, object] = {}
    for key, section in _sections(path).items():
        if section is None or not _names(str(key), node):
            continue
        if not isinstance(section, Mapping) or not isinstance(section.get("ros__parameters"), Mapping):
            raise ConfigError(f"{path}: {key}: expected a `ros__parameters` mapping")
        merged = _merge(merged, _nest(section["ros__parameters"], ""))
    return merged


def node_groups(path: Path) -> dict[str, set[str]]:
    """The nodes that a parameter file names, as it does, and the groups of each; ConfigError as above."""
    found: dict[str, set[str]] = {}
    for key, section in _sections(path).items():
        values = section.get("ros__parameters") if isinstance(section, Mapping) else None
        found[str(key)] = {str(name).partition(".")[0] for name in values} if isinstance(values, Mapping) else set()
    return found


def _sections(path: Path) -> Mapping[object, object]:
    try:
        document = read_yaml(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{path}: cannot be read as a parameter file: {error}") from error
    if not isinstance(document, Mapping):
        raise ConfigError(f"{path}: expected node names at the top level, got {type(document).__name__}")
    return document


def _names(pattern: str, node: str) -> bool:
    parts = {"*": "/[^/]+", "**": "(?:/[^/]+)*"}
    expression = "".join(parts.get(part, "/" + re.escape(part)) for part in pattern.strip("/").split("/"))
    return re.fullmatch(expression, "/" + node.strip("/")) is not None


def _merge(below: Mapping[str, object], above: Mapping[str, object]) -> dict[str, object]:
    result = dict(below)
    for name, value in above.items():
        old = result.get(name)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        result[name] = _merge(typing.cast(Mapping[str, object], old), typing.cast(Any, value)) if both else value
    return result


def _nest(values: Mapping[str, object], where: str) -> dict[str, object]:
    """Dotted names become nested mappings; what is given twice, or is both a value and a group, is refused."""
    nested: dict[str, object] = {}
    for name, value in values.items():
        head, _, rest = str(name).partition(".")
        told = _nest({rest: value}, f"{where}{head}.") if rest else value
        nested[head] = _join(nested[head], told, f"{where}{head}") if head in nested else told
    return nested


def _join(one: object, other: object, where: str) -> object:
    if isinstance(one, Mapping) != isinstance(other, Mapping):
        raise ConfigError(f"{where}: is both a value and a group")
    if not isinstance(one, Mapping) or not isinstance(other, Mapping):
        raise ConfigError(f"{where}: is given twice; keep one")
    return {**one, **other} | {name: _join(one[name], other[name], f"{where}.{name}") for name in one if name in other}


def _checked(hint: object, value: object, metadata: Mapping[str, Any], name: str) -> Value:
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value) if abs(value) <= sys.float_info.max else math.inf
    if type(value) is not hint:
        raise ConfigError(f"{name}: expected {getattr(hint, '__name__', hint)}, got {value!r}")
    if isinstance(value, float) and not math.isfinite(value):
        raise ConfigError(f"{name}: expected a finite number, got {value!r}")
    low, high, choices = metadata["minimum"], metadata["maximum"], metadata["choices"]
    if not isinstance(value, str) and (low is not None and value < low or high is not None and value > high):
        raise ConfigError(f"{name}: expected a value from {low} to {high}, got {value!r}")
    if choices and value not in choices:
        raise ConfigError(f"{name}: expected one of {', '.join(choices)}, got {value!r}")
    return typing.cast(Value, value)
