"""From a network to a NIR graph: populations as Input, IF, LIF, CubaLIF ... and a Linear or Affine between two."""

from __future__ import annotations

from typing import Any

import numpy as np

from neuro_robot.errors import ConfigError
from neuro_robot.snn.backends.base import Model
from neuro_robot.snn.cells import IF, Poisson
from neuro_robot.snn.network import Connection, Network
from neuro_robot.snn.nir import neurons
from neuro_robot.snn.nir.neurons import Clock, Floats, NirNetwork, Population
from neuro_robot.snn.nir.reading import library

MOST_WEIGHTS = 200_000_000  # of one matrix, which NIR holds in full


def to_nir(
    network: Network,
    time_unit: str | float | None = None,
    *,
    integration: str | None = None,
    model: Model | None = None,
) -> Any:  # noqa: ANN401 - a nir.NIRGraph
    """The `nir.NIRGraph` of a network; `nir.write` keeps it.

    time_unit, integration: as for `from_nir`; None: as the network was imported, else s and exact. model: the
    running network whose learnt weights are wanted. Parameters are float32, populations one-dimensional; r and w_in are
    those of the imported graph, else 1. A path is one Linear (Affine where there is a bias), after a Delay where it
    takes more than one step. Learning rules have no place in NIR and are left out.
    Raises ConfigError, naming the layer, on what NIR has no node for.
    """
    clock = Clock.of(network.dt_ms, time_unit or "s", integration or "exact")
    populations: dict[str, Population] = {}
    if isinstance(network, NirNetwork):
        told = network.origin.clock
        clock = Clock.of(network.dt_ms, time_unit or told.unit_ms, integration or told.integration)
        populations |= network.populations
    held = {layer for population in populations.values() for layer, _ in population.parts}
    for layer in network.layers.values():
        if layer.name in held:
            continue
        source = isinstance(layer.cell, Poisson) and layer.cell.rate_hz * network.dt_ms * 1e-3 > 1 - 1e-9
        kind = "bias" if source else neurons.kind_of(f"layer {layer.name!r}", layer.cell, clock)
        ones = np.ones(layer.size)
        populations[layer.name] = Population(kind, (layer.size,), ((layer.name, np.arange(layer.size)),), ones, ones)
    return _Export(network, populations, clock, model).graph()


class _Export:
    """A graph growing: populations, then paths."""

    def __init__(self, network: Network, populations: dict[str, Population], clock: Clock, model: Model | None) -> None:
        self.nir, self.network, self.populations, self.clock = library(), network, populations, clock
        self.place = {layer: (name, which) for name, told in populations.items() for layer, which in told.parts}
        self.paths: dict[tuple[str, str, int], Floats] = {}
        self.biases: dict[str, Floats] = {}
        self.names: dict[str, str] = {}
        self.nodes: dict[str, Any] = {}
        self.edges: list[tuple[str, str]] = []
        for connection in network.connections.values():
            weights = connection.weights
            if model is not None:
                weights = model.weights(connection.name)[connection.pre_index, connection.post_index]
            self._gather(connection, weights.astype(np.float64))
        for layer in network.layers.values():
            if isinstance(layer.cell, IF) and layer.cell.bias:
                name, which = self.place[layer.name]
                self._bias(name)[which] += layer.cell.bias * clock.unit_ms / self._scale(name)[which]

    def graph(self) -> Any:  # noqa: ANN401
        """All nodes and edges."""
        for name, told in self.populations.items():
            if told.kind != "bias":
                self.names[name] = self._add(name, self._node(told))
        # straight from an input first: that path takes the bias along
        order = sorted(self.paths, key=lambda path: (path[2], self.populations[path[0]].kind != "Input"))
        for pre, post, delay in order:
            self._path(pre, post, delay, self.paths[pre, post, delay])
        if self.biases:
            raise ConfigError(
                f"layer {next(iter(self.biases))!r}: a bias but no synapses; NIR keeps biases in an Affine "
                "node: connect an input"
            )
        leading = {pre for pre, post, _ in self.paths if pre != post}
        last = [name for name in self.names if name not in leading and self.populations[name].kind != "readout"]
        if not last and not any(told.kind == "readout" for told in self.populations.values()):
            last = list(self.names)[-1:]
        for name in last:
            size = self.populations[name].r.size
            output = self._add("output" if len(last) == 1 else f"output_{name}", self.nir.Output(np.array([size])))
            self.edges.append((self.names[name], output))
        return self.nir.NIRGraph(self.nodes, self.edges)

    def _gather(self, connection: Connection, weights: Floats) -> None:
        """Put a connection's synapses into the matrix of its path."""
        (pre, rows), (post, columns) = self.place[connection.pre.name], self.place[connection.post.name]
        to = self.populations[post]
        gain = neurons.gain(to.kind, connection.post.cell, self.clock)
        at = columns[connection.post_index]
        scale = self._scale(post)[at] * gain
        weights = np.divide(weights, scale, out=np.zeros_like(weights), where=scale != 0)
        if self.populations[pre].kind == "bias":
            np.add.at(self._bias(post), at, weights)
            return
        if isinstance(connection.pre.cell, Poisson):
            raise ConfigError(f"layer {connection.pre.name!r}: NIR has no Poisson source; make it an input")
        if to.r.size * self.populations[pre].r.size > MOST_WEIGHTS:
            raise ConfigError(
                f"connection {connection.name!r}: more than {MOST_WEIGHTS} weights, which NIR holds in full"
            )
        for delay in np.unique(connection.delay_steps).tolist():
            chosen = connection.delay_steps == delay
            more = max(0, delay - self.populations[pre].latency(to))
            matrix = self.paths.setdefault((pre, post, more), np.zeros((to.r.size, self.populations[pre].r.size)))
            np.add.at(matrix, (at[chosen], rows[connection.pre_index[chosen]]), weights[chosen])

    def _scale(self, name: str) -> Floats:
        return self.populations[name].r * self.populations[name].w_in

    def _bias(self, name: str) -> Floats:
        return self.biases.setdefault(name, np.zeros(self.populations[name].r.size))

    def _node(self, told: Population) -> Any:  # noqa: ANN401
        size = np.array([told.r.size])
        if told.kind == "Input":
            return self.nir.Input(size)
        if told.kind == "readout":
            return self.nir.Output(size)
        values: dict[str, Any] = {}
        for layer, which in told.parts:
            for field, value in neurons.row_of(told.kind, self.network.layers[layer].cell, self.clock).items():
                values.setdefault(field, np.zeros(told.r.size, np.float32))[which] = value
        for field in ("r", "w_in"):
            if field in neurons.FIELDS[told.kind]:
                values[field] = getattr(told, field).astype(np.float32)
        return getattr(self.nir, told.kind)(**values)

    def _path(self, pre: str, post: str, delay: int, weight: Floats) -> None:
        """Delay, then Linear or Affine; the first path to a population takes its bias along."""
        start = self.names[pre]
        if delay:
            steps = np.full(weight.shape[1], delay * self.clock.step, np.float32)
            held = self._add(f"{pre}_{post}_delay", self.nir.Delay(steps))
            self.edges.append((start, held))
            start = held
        weight = weight.astype(np.float32)
        bias = self.biases.pop(post, None)
        node = self.nir.Linear(weight) if bias is None else self.nir.Affine(weight, bias.astype(np.float32))
        linear = self._add(f"{pre}_{post}", node)
        self.edges += [(start, linear), (linear, self.names[post])]

    def _add(self, name: str, node: Any) -> str:  # noqa: ANN401
        """Add a node under a name of its own; a file has no place for a slash in it."""
        plain = name.replace("/", "_")
        free, k = plain, 1
        while free in self.nodes:
            free, k = f"{plain}_{k}", k + 1
        self.nodes[free] = node
        return free
