"""NIR files and graphs made flat and checked: known nodes, edges between them, no sub-graphs."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from neuro_robot.errors import ConfigError, FileFormatError
from neuro_robot.snn.nir.linear import LINEAR
from neuro_robot.snn.nir.neurons import FIELDS

SUPPORTED = (*FIELDS, *LINEAR, "NIRGraph")
MOST_NUMBERS = 200_000_000  # in all datasets of a file
DEEPEST = 32  # graphs in graphs


def library() -> Any:  # noqa: ANN401 - a module without types
    """The package `nir`; ConfigError names it when it is not installed."""
    try:
        return importlib.import_module("nir")
    except ImportError as error:
        raise ConfigError('NIR needs the Python package "nir" (>=1.0.8,<1.1): pip install nir') from error


def read(path: str | Path) -> Any:  # noqa: ANN401
    """The graph of a file; FileFormatError when it is broken, ConfigError names a node that is not supported."""
    nir = library()
    h5py = importlib.import_module("h5py")  # nir brings it
    if not Path(path).is_file():
        raise FileFormatError(f"{path}: expected a NIR file (HDF5), found no file")
    try:
        with h5py.File(path, "r") as file:
            left = MOST_NUMBERS
            for name, item in _walk(h5py, file, 0):
                if not isinstance(item, h5py.Dataset):
                    continue
                left -= item.size or 0
                if left < 0:
                    raise FileFormatError(f"{path}: {name}: the file announces more than {MOST_NUMBERS} numbers")
                if name.endswith("/type") and not item.shape:
                    _check_kind(name.removesuffix("/type").removeprefix("node/nodes/"), item.asstr()[()])
        return nir.read(str(path), type_check=False)
    except (FileFormatError, ConfigError):
        raise
    except Exception as error:  # h5py and nir raise whatever a forged file makes them stumble over
        raise FileFormatError(f"{path}: not a readable NIR file: {type(error).__name__}: {error}") from error


def flatten(graph: Any, prefix: str = "", depth: int = 0) -> tuple[dict[str, Any], list[tuple[str, str]]]:  # noqa: ANN401
    """Nodes by name and edges, those of a sub-graph named "sub.node"."""
    if type(graph).__name__ != "NIRGraph":
        raise ConfigError(f"from_nir: expected a NIRGraph or the path of a NIR file, got {type(graph).__name__}")
    if depth > DEEPEST:
        raise ConfigError(f"node {prefix!r}: graphs nested more than {DEEPEST} deep")
    nodes: dict[str, Any] = {}
    edges: list[tuple[str, str]] = []
    for name, node in graph.nodes.items():
        _check_kind(prefix + name, type(node).__name__)
        if type(node).__name__ == "NIRGraph":
            inner, between = flatten(node, f"{prefix}{name}.", depth + 1)
            nodes |= inner
            edges += between
        else:
            nodes[prefix + name] = node
    for pre, post in graph.edges:
        edges.append((_end(graph, nodes, prefix, pre, "Output"), _end(graph, nodes, prefix, post, "Input")))
    return nodes, list(dict.fromkeys(edges))


def _end(graph: Any, nodes: dict[str, Any], prefix: str, name: str, port: str) -> str:  # noqa: ANN401
    """The flat node at one end of an edge; of a sub-graph its one Input or Output, or "sub.port"."""
    if prefix + name in nodes:
        return prefix + name
    if name not in graph.nodes:
        raise ConfigError(
            f"an edge names the node {prefix + name!r}, which is not in the graph; the nodes are "
            f"{', '.join(prefix + key for key in graph.nodes)}"
        )
    ports = [key for key, node in graph.nodes[name].nodes.items() if type(node).__name__ == port]
    if len(ports) != 1:
        raise ConfigError(
            f"an edge names the sub-graph {prefix + name!r}, which has {len(ports)} {port} nodes; expected exactly "
            f"one, or an edge that names '{name}.<node>'"
        )
    return f"{prefix}{name}.{ports[0]}"


def _check_kind(name: str, kind: str) -> None:
    if kind not in SUPPORTED:
        raise ConfigError(f"node {name!r}: {kind} is not supported; supported are {', '.join(SUPPORTED)}")


def _walk(h5py: Any, group: Any, depth: int, prefix: str = "") -> Iterator[tuple[str, Any]]:  # noqa: ANN401
    if depth > 4 * DEEPEST:
        raise FileFormatError(f"{prefix}: groups nested more than {4 * DEEPEST} deep")
    for key in group:
        if not isinstance(group.get(key, getlink=True), h5py.HardLink):
            raise FileFormatError(f"{prefix}{key}: a link to elsewhere; expected data inside the file")
        item = group[key]
        yield prefix + key, item
        if isinstance(item, h5py.Group):
            yield from _walk(h5py, item, depth + 1, f"{prefix}{key}/")
