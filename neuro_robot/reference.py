"""config/drone.yaml and quadruped.yaml as text: every parameter of a robot's nodes with default, range, description."""

from __future__ import annotations

import json
from typing import Any

from neuro_robot.config import Declaration, Value, declarations
from neuro_robot.errors import ConfigError
from neuro_robot.graph import ROBOTS

HEAD = """\
# Every parameter of the {robot}'s nodes, at its default; written by `neuro_robot parameters{option}`.
# Copy it, keep what you change, and {move} with it:  ros2 launch neuro_robot {robot}.launch.py params_file:=my.yaml
# World, seed, mode, speed, episodes, learning and weights are launch arguments and come on top of this file.
"""


def parameter_file(robot: str = "drone") -> str:
    """The file's text. Raises ConfigError for an unknown robot."""
    if robot not in ROBOTS:
        raise ConfigError(f"robot: expected one of {', '.join(ROBOTS)}, got {robot!r}")
    drone = robot == "drone"
    text = HEAD.format(robot=robot, option="" if drone else f" --robot {robot}", move="fly" if drone else "walk")
    for name, kind in _nodes(drone):
        text += f"\n/**/{name}:\n  ros__parameters:\n" + "".join(_lines(_tree(declarations(kind)), 4))
    return text


def _nodes(drone: bool) -> list[tuple[str, type]]:
    if drone:
        from neuro_robot.nodes.controller_parameters import ControllerParameters
        from neuro_robot.nodes.sim_parameters import SimParameters

        return [("sim_node", SimParameters), ("controller_node", ControllerParameters)]
    from neuro_robot.nodes.controller_parameters import LegControllerParameters
    from neuro_robot.nodes.sim_parameters import LegSimParameters

    return [("leg_sim_node", LegSimParameters), ("leg_controller_node", LegControllerParameters)]


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
