"""From a NIR graph to a network: layers of equal neurons, and a connection for each path between two (see signals)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from neuro_robot.errors import ConfigError
from neuro_robot.snn.cells import Poisson
from neuro_robot.snn.network import LARGEST_LAYER
from neuro_robot.snn.nir import neurons
from neuro_robot.snn.nir.linear import Shape
from neuro_robot.snn.nir.neurons import Clock, NirNetwork, Population
from neuro_robot.snn.nir.reading import flatten, read
from neuro_robot.snn.nir.signals import CONSTANT, Graph, Signal
from neuro_robot.snn.primitives import check_choice
from neuro_robot.snn.sparse import Sparse

BIAS_LAYER = "bias"
MOST_PIECES = 100_000  # connections


def from_nir(
    graph: Any,  # noqa: ANN401 - a nir.NIRGraph
    dt_ms: float,
    time_unit: str | float = "s",
    *,
    integration: str = "exact",
    start: str = "leak",
) -> NirNetwork:
    """The network of a graph or of a NIR file.

    dt_ms: the time step. time_unit: of the graph's times: s, ms, us, step (one unit is one step), or its length in ms.
    integration: exact, or euler as networks are trained (see `snn.nir.neurons`). start: v begins at "leak" (v_leak) or
    "zero". Layers have the names of the nodes, "name.0", "name.1" ... where a node's neurons differ.
    Raises ConfigError on what is not supported or does not fit, naming the node, and FileFormatError on a broken file.
    """
    clock = Clock.of(dt_ms, time_unit, integration)
    check_choice("NIR: start", start, ("leak", "zero"))
    nodes, edges = flatten(read(graph) if isinstance(graph, (str, Path)) else graph)
    told = Graph(nodes, edges, clock)
    network = NirNetwork(clock)
    signals = told.signals()
    heard = {name: told.heard(name, signals) for name in nodes if name in told.populated}
    for name in told.inputs:
        _check_size(name, told.shapes[name])
        network.add_input(name, math.prod(told.shapes[name]))
        _enter(network, name, "Input", told.shapes[name], [(name, np.arange(math.prod(told.shapes[name])))])
    if any(CONSTANT in (source for source, _ in signal) for signal in heard.values()):
        _add_constant(network, nodes)
    for name in heard:
        _add_neurons(network, name, nodes[name], told, start)
    for name, level in _levels(heard, set(told.inputs)).items():
        network.populations[name] = replace(network.populations[name], level=level)
    pieces = 0
    for name, signal in heard.items():
        for (source, delay), matrix in sorted(signal.items(), key=lambda item: item[0]):
            pieces = _connect(network, source, name, delay, matrix, pieces)
    return network


def _levels(heard: dict[str, Signal], inputs: set[str]) -> dict[str, int]:
    """Of every population, the most populations on a way to it from the inputs; those of one loop have one level."""
    number = {name: k for k, name in enumerate(heard)}
    edges = np.array(
        [(number[s], number[name]) for name in heard for s, _ in heard[name] if s in number and s not in inputs],
        np.int64,
    ).reshape(-1, 2)
    joined = sparse.csr_array((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), shape=(len(number), len(number)))
    loops, loop = connected_components(joined, connection="strong")
    before: dict[int, set[int]] = {k: set() for k in range(loops)}
    for pre, post in loop[edges].tolist():
        if pre != post:
            before[post].add(pre)
    level: dict[int, int] = {}
    for k in TopologicalSorter(before).static_order():
        level[k] = max((level[pre] + 1 for pre in before[k]), default=0)
    return {name: level[int(loop[number[name]])] for name in heard}


def _check_size(name: str, shape: Shape) -> None:
    if math.prod(shape) > LARGEST_LAYER:
        raise ConfigError(f"node {name!r}: {shape} has more than the {LARGEST_LAYER} neurons of a layer")


def _enter(network: NirNetwork, name: str, kind: str, shape: Shape, parts: list[Any], **gains: Any) -> None:
    ones = np.ones(math.prod(shape))
    r, w_in = (np.broadcast_to(gains.get(key, ones).reshape(-1), ones.shape) for key in ("r", "w_in"))
    network.populations[name] = Population(kind, shape, tuple(parts), r, w_in)


def _add_constant(network: NirNetwork, nodes: dict[str, Any]) -> None:
    """One source that fires in every step, whose weights are the biases."""
    rate = 1000.0 / network.dt_ms
    while rate * network.dt_ms > 1000.0:
        rate = math.nextafter(rate, 0.0)
    layer = BIAS_LAYER
    while layer in nodes:
        layer += "_"
    network.add_layer(layer, 1, Poisson(rate_hz=rate))
    network.origin.populations[CONSTANT] = Population("bias", (1,), ((layer, np.arange(1)),), np.ones(1), np.ones(1))


def _add_neurons(network: NirNetwork, name: str, node: Any, told: Graph, start: str) -> None:  # noqa: ANN401
    shape, kind, clock = told.shapes[name], type(node).__name__, network.origin.clock
    n = math.prod(shape)
    _check_size(name, shape)
    parameters = told.neurons.get(name, {})
    if name in told.neurons:
        cells = neurons.cells_of(f"node {name!r}", kind, parameters, n, clock, start)
    else:
        kind, cells = "readout", [(neurons.readout_cell(clock), np.arange(n))]
    parts = []
    for k, (cell, which) in enumerate(cells):
        layer = name if len(cells) == 1 else f"{name}.{k}"
        network.add_layer(layer, which.size, cell)
        parts.append((layer, which))
    _enter(network, name, kind, shape, parts, **{key: parameters[key] for key in ("r", "w_in") if key in parameters})


def _connect(network: NirNetwork, source: str, name: str, delay: int, matrix: Any, pieces: int) -> int:  # noqa: ANN401
    """The synapses of one path, layer by layer; returns how many connections there are now."""
    pre, post = network.populations[source], network.populations[name]
    scaled = matrix @ sparse.diags_array(post.r * post.w_in)
    for post_layer, post_which in post.parts:
        gain = neurons.gain(post.kind, network.layers[post_layer].cell, network.origin.clock)
        columns = scaled.tocsc()[:, post_which].tocsr() * gain
        for pre_layer, rows in _rows(pre, columns):
            pieces += 1
            if pieces > MOST_PIECES:
                raise ConfigError(f"node {name!r}: more than {MOST_PIECES} connections between layers of equal neurons")
            entries = rows.tocoo()
            synapses = Sparse(entries.row.astype(np.int64), entries.col.astype(np.int64), entries.data)
            title = f"{pre_layer}->{post_layer}" + (f" ({delay})" if delay else "")
            network.connect(pre_layer, post_layer, synapses, pre.latency(post) + delay, name=title)
    return pieces


def _rows(pre: Population, columns: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401
    for layer, which in pre.parts:
        rows = columns[which] if len(pre.parts) > 1 else columns
        rows.eliminate_zeros()
        if rows.nnz:
            yield layer, rows
