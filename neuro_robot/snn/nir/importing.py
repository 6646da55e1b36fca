"""From a NIR graph to a network.

Everything between two populations of neurons is linear, so a path is one matrix and one delay: signals are followed
through the nodes as {(source, delay): matrix (n_source, n_here)}, biases as the signal of a constant source.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from neuro_robot.errors import ConfigError
from neuro_robot.snn.cells import Poisson
from neuro_robot.snn.network import LARGEST_LAYER
from neuro_robot.snn.nir import neurons
from neuro_robot.snn.nir.linear import Shape, Step, step_of
from neuro_robot.snn.nir.neurons import FIELDS, Clock, NirNetwork, Population
from neuro_robot.snn.nir.reading import flatten, read
from neuro_robot.snn.primitives import check_choice
from neuro_robot.snn.sparse import Sparse

Signal = dict[tuple[str, int], Any]
CONSTANT = ""  # the source of biases; no node is called so
BIAS_LAYER = "bias"
MOST_PIECES = 100_000  # connections
GRADED = ("LI", "CubaLI", "I")


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
    told = _Graph(nodes, edges, clock)
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


class _Graph:
    """A flat graph: who hears whom, and the shape and step of every node."""

    def __init__(self, nodes: dict[str, Any], edges: list[tuple[str, str]], clock: Clock) -> None:
        self.nodes = nodes
        self.before: dict[str, list[str]] = {name: [] for name in nodes}
        self.after: dict[str, list[str]] = {name: [] for name in nodes}
        for pre, post in edges:
            self.before[post].append(pre)
            self.after[pre].append(post)
        kinds = {name: type(node).__name__ for name, node in nodes.items()}
        self.inputs = [name for name, kind in kinds.items() if kind == "Input" and not self.before[name]]
        self.neurons = {
            name: neurons.parameters(f"node {name!r}", nodes[name]) for name in nodes if kinds[name] in FIELDS
        }
        self.graded = {name for name in self.neurons if kinds[name] in GRADED}
        self.sources = {*self.inputs, *self.neurons}
        self.shapes: dict[str, Shape] = {}
        self.steps: dict[str, Step] = {}
        self._find_shapes(clock)
        self.populated = set(self.neurons)  # and the readouts, as `signals` finds them

    def _find_shapes(self, clock: Clock) -> None:
        for name in self.inputs:
            self.shapes[name] = _told_shape(name, self.nodes[name])
        for name, parameters in self.neurons.items():
            own = neurons.own_shape(f"node {name!r}", parameters)
            if own is not None or not any(pre != name for pre in self.before[name]):
                self.shapes[name] = own or (1,)
        ready = deque(self.shapes)
        while ready:
            pre = ready.popleft()
            for name in self.after[pre]:
                if name not in self.shapes:
                    if name not in self.neurons:
                        self.steps[name] = step_of(f"node {name!r}", self.nodes[name], self.shapes[pre], clock)
                    self.shapes[name] = self.steps[name].shape if name in self.steps else self.shapes[pre]
                    ready.append(name)
        for name in self.nodes:
            if name not in self.shapes:
                raise ConfigError(f"node {name!r}: nothing that has a shape leads to it; connect an Input")
        for name, befores in self.before.items():
            fed = {pre: math.prod(self.shapes[pre]) for pre in befores}
            size = math.prod(self.shapes[name])
            if len({*fed.values()} | ({size} if name in self.sources else set())) > 1:
                raise ConfigError(
                    f"node {name!r}: fed by {fed} signals; expected one number, its own {size} where it has neurons"
                )

    def signals(self) -> dict[str, Signal]:
        """What leaves each node; an Output that hears more than one population as it is becomes a readout."""
        found: dict[str, Signal] = {}
        for name in self.sources:
            found[name] = {(name, 0): sparse.eye_array(math.prod(self.shapes[name]), format="csr")}
        between = {
            name: [pre for pre in self.before[name] if pre not in self.sources]
            for name in self.nodes
            if name not in self.sources
        }
        try:
            order = list(TopologicalSorter(between).static_order())
        except CycleError as error:
            raise ConfigError(
                f"a cycle without neurons: {' -> '.join(reversed(error.args[1]))}; expected a node with neurons in it"
            ) from error
        for name in order:
            heard = self.heard(name, found)
            found[name] = _through(heard, self.steps[name])
            if type(self.nodes[name]).__name__ == "Output" and not self.after[name] and not _is_plain(heard):
                self.populated.add(name)
        return found

    def heard(self, name: str, signals: dict[str, Signal]) -> Signal:
        """The sum of what comes to a node."""
        total: Signal = {}
        for pre in self.before[name]:
            for key, matrix in signals[pre].items():
                if key[0] in self.graded and not (
                    type(self.nodes[name]).__name__ == "Output" and _is_plain(signals[pre])
                ):
                    raise ConfigError(
                        f"node {key[0]!r}: its potential goes to {name!r}, but only spikes travel here; a node without "
                        "spikes must lead straight to an Output"
                    )
                total[key] = total[key] + matrix if key in total else matrix
        return total


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


def _through(signal: Signal, step: Step) -> Signal:
    """What a node makes of what it hears."""
    out: Signal = {}
    for (source, delay), incoming in signal.items():
        matrix = incoming if step.matrix is None else incoming @ step.matrix
        if step.delay is None or source == CONSTANT:
            out[source, delay] = matrix
            continue
        for more in np.unique(step.delay).tolist():
            kept = matrix @ sparse.diags_array((step.delay == more).astype(np.float64))
            key = source, delay + more
            out[key] = out[key] + kept if key in out else kept.tocsr()
    if step.bias is not None and np.any(step.bias):
        bias = sparse.csr_array(step.bias[None, :])
        out[CONSTANT, 0] = out[CONSTANT, 0] + bias if (CONSTANT, 0) in out else bias
    return out


def _is_plain(signal: Signal) -> bool:
    """Whether a signal is one population as it is."""
    if len(signal) != 1:
        return False
    (((source, delay), matrix),) = signal.items()
    n = matrix.shape[0]
    return source != CONSTANT and delay == 0 and matrix.shape == (n, n) and not (matrix - sparse.eye_array(n)).nnz


def _told_shape(name: str, node: Any) -> Shape:  # noqa: ANN401
    told = (node.input_type or {}).get("input")
    shape = np.asarray([0] if told is None else told).reshape(-1)
    if shape.dtype.kind not in "iuf" or not np.all(shape == np.floor(shape)) or np.any((shape < 1) | (shape > 1e6)):
        raise ConfigError(f"node {name!r}: expected the shape of the input, whole numbers above 0, got {told!r}")
    return tuple(int(side) for side in shape) or (1,)


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


def _add_neurons(network: NirNetwork, name: str, node: Any, told: _Graph, start: str) -> None:  # noqa: ANN401
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
