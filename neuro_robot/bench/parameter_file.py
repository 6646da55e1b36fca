"""Body and mind of a run from a ROS 2 parameter file: the one that the launch file takes as `params_file`."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from neuro_robot.bench.bodies import body_of
from neuro_robot.config import from_dict, load_node_parameters, node_groups
from neuro_robot.errors import ConfigError
from neuro_robot.graph import ROBOTS, named


class Overrides(NamedTuple):
    """Dotted names and values, as `FlightRequest` takes them."""

    sim: dict[str, object]
    mind: dict[str, object]


def overrides_from(path: Path, robot: str) -> Overrides:
    """What the file says about a robot's simulated body (the group named after the robot) and its mind.

    World, seed, mode and whatever else is a node's own are the command's options and left out. Raises ConfigError for a
    file that cannot be read, that names neither node, or that says what robot or mind do not have.
    """
    body, nodes = body_of(robot), ROBOTS[robot]({})
    sim, controller = named(nodes, "sim_node"), named(nodes, "controller_node")
    found = Overrides(_group(path, sim, body.name, body.sim_config), _group(path, controller, "mind", body.mind_config))
    for node, group, said in ((sim, body.name, found.sim), (controller, "mind", found.mind)):
        if not said:
            _check_misspelt(path, node, group)
    if not any(found):
        raise ConfigError(f"{path}: expected parameters of {sim} or {controller}, found none")
    try:
        body.fits(from_dict(body.sim_config, found.sim), from_dict(body.mind_config, found.mind))
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error
    return found


def _check_misspelt(path: Path, node: str, group: str) -> None:
    """Raise ConfigError when the file, which does not name this node, means it: by a similar name, or by its group."""
    known = {one.name for graph_of in ROBOTS.values() for one in graph_of({"record": "x"})}
    groups = {name.split("/")[-1]: found for name, found in node_groups(path).items()}
    similar = difflib.get_close_matches(node, groups.keys() - known, 1)
    others = [name for name, found in groups.items() if group in found and name not in (node, "*", "**")]
    meant = similar or (others if group != "mind" else [])  # minds are all called so
    if meant:
        raise ConfigError(f"{path}: {meant[0]}: expected {node} for the group {group}; correct the node's name")


def _group(path: Path, node: str, name: str, kind: type) -> dict[str, object]:
    said = load_node_parameters(path, node)
    strange = [key for key, value in said.items() if isinstance(value, Mapping) and key != name]
    if strange:
        raise ConfigError(f"{path}: {node}: {strange[0]}: no such group; this node has {name}")
    values = said.get(name, {})
    if not isinstance(values, Mapping):
        raise ConfigError(f"{path}: {node}: {name}: expected a group of parameters, got {values!r}")
    try:
        from_dict(kind, values, f"{name}.")
    except ConfigError as error:
        raise ConfigError(f"{path}: {node}: {error}") from error
    return dict(_dotted(values))


def _dotted(values: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _dotted(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
