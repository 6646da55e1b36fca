"""config/drone.yaml as text: every parameter of the drone's nodes with default, range and description."""

from __future__ import annotations

import json
from typing import Any

from neuro_robot.config import Declaration, Value, declarations

HEAD = """\
# Every parameter of the drone's nodes, at its default; written by `neuro_robot parameters`.
# Copy it, keep what you change, and fly with it:  ros2 launch neuro_robot drone.launch.py params_file:=my.yaml
# World, seed, mode, speed, episodes, learning and weights are launch arguments and come on top of this file.
"""


def parameter_file() -> str:
    """The file's text."""
    from neuro_robot.nodes.controller_node import ControllerParameters
    from neuro_robot.nodes.sim_parameters import SimParameters

    text = HEAD
    for name, kind in (("sim_node", SimParameters), ("controller_node", ControllerParameters)):
        text += f"\n/**/{name}:\n  ros__parameters:\n" + "".join(_lines(_tree(declarations(kind)), 4))
    return text


def _tree(rows: list[Declaration]) -> dict[str, Any]:
    root: dict[str, Any] = {}
    for row in rows:
        *groups, leaf = row.name.split(".")
        here = root
        for name in groups:
            here = here.setdefault(name, {})
        here[leaf] = row
    return root


def _lines(tree: dict[str, Any], indent: int) -> list[str]:
    lines = []
    for name, item in tree.items():
        if isinstance(item, dict):
            lines += [f"{' ' * indent}{name}:\n", *_lines(item, indent + 2)]
        else:
            lines.append(f"{' ' * indent}{name}: {_yaml(item.default)}  # {item.description}{_range(item)}\n")
    return lines


def _yaml(value: Value) -> str:
    """A YAML scalar that keeps its type: 1e-05 without a point would be a string."""
    if isinstance(value, float):
        text = repr(value)
        return text.replace("e", ".0e") if "e" in text and "." not in text else text
    return json.dumps(value)


def _range(row: Declaration) -> str:
    if row.choices:
        return f" ({', '.join(row.choices)})"
    if row.minimum is None and row.maximum is None:
        return ""
    low = "" if row.minimum is None else f"{row.minimum:g}"
    high = "" if row.maximum is None else f"{row.maximum:g}"
    return f" [{low}, {high}]"
