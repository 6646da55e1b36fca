"""What travels through a NIR graph: shapes, and signals from population to population.

Everything between two populations of neurons is linear, so a path is one matrix and one delay: signals are followed
through the nodes as {(source, delay): matrix (n_source, n_here)}, biases as the signal of a constant source.
"""

from __future__ import annotations

import math
from collections import deque
from graphlib import CycleError, TopologicalSorter
from typing import Any

import numpy as np
from scipy import sparse

from neuro_robot.errors import ConfigError
from neuro_robot.snn.nir import neurons
from neuro_robot.snn.nir.linear import Shape, Step, step_of
from neuro_robot.snn.nir.neurons import FIELDS, Clock

Signal = dict[tuple[str, int], Any]
CONSTANT = ""  # the source of biases; no node is called so
GRADED = ("LI", "CubaLI", "I")


class Graph:
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
