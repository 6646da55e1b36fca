"""The description of a spiking network: layers, connections and rules, checked as they are added.

Layers are numbered in the order of adding (the y of an address event). Neurons are numbered through all layers,
input layers included; `Model.layer_slices` gives each layer's range.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neuro_robot.errors import ConfigError
from neuro_robot.snn.cells import LIF
from neuro_robot.snn.primitives import LARGEST, Cell, Rule, check_number
from neuro_robot.snn.rules import STDP, Homeostasis
from neuro_robot.snn.sparse import Sparse

if TYPE_CHECKING:
    from neuro_robot.snn.backends.base import Model

__all__ = ["LIF", "STDP", "Connection", "Layer", "Network"]

LARGEST_LAYER = 65536  # neuron and layer indices are 16 bit in an address event
LARGEST_DELAY = 4096  # steps; the spike history is this deep


@dataclass(frozen=True)
class Layer:
    """A named population; `cell` is None for an input layer."""

    name: str
    size: int
    cell: Cell | None


@dataclass(frozen=True)
class Connection:
    """Synapses from one layer to another, in the order delay, pre, post.

    rule moves each weight by itself; scaling moves all weights onto a neuron together. Either may be None.
    pre, post, delay_steps: int64 (n_synapses,); weights: float32 (n_synapses,).
    """

    name: str
    pre: Layer
    post: Layer
    pre_index: NDArray[np.int64]
    post_index: NDArray[np.int64]
    delay_steps: NDArray[np.int64]
    weights: NDArray[np.float32]
    rule: Rule | None
    scaling: Homeostasis | None


class Network:
    """Layers and connections to be compiled; every mistake raises ConfigError that names the primitive."""

    def __init__(self, dt_ms: float = 1.0) -> None:
        self.dt_ms = check_number("Network.dt_ms", dt_ms)
        if self.dt_ms <= 0:
            raise ConfigError(f"Network.dt_ms: expected a value above 0, got {dt_ms!r}")
        self.layers: dict[str, Layer] = {}
        self.connections: dict[str, Connection] = {}

    def add_input(self, name: str, n: int) -> None:
        """An input layer of n lines; its graded spikes (event counts) are given to every step."""
        self._add(name, n, None)

    def add_lif(self, name: str, n: int, cell: LIF) -> None:
        """A layer of n equal LIF neurons."""
        if not isinstance(cell, LIF):
            raise ConfigError(f"add_lif({name!r}): cell: expected an LIF, got {cell!r}")
        self._add(name, n, cell)

    def add_layer(self, name: str, n: int, cell: Cell) -> None:
        """A layer of n equal neurons of any type of `snn.cells`."""
        if not isinstance(cell, Cell):
            raise ConfigError(f"add_layer({name!r}): cell: expected a neuron type of snn.cells, got {cell!r}")
        rate = getattr(cell, "rate_hz", 0.0)
        if rate * self.dt_ms > 1000:
            raise ConfigError(
                f"add_layer({name!r}): rate_hz: expected at most one spike a step, {1000 / self.dt_ms:g} Hz, got {rate}"
            )
        self._add(name, n, cell)

    def connect(
        self,
        pre: str,
        post: str,
        weights: Any,  # noqa: ANN401 - array or any scipy.sparse matrix
        delay_steps: Any = 1,  # noqa: ANN401
        rule: Rule | None = None,
        name: str | None = None,
        scaling: Homeostasis | None = None,
    ) -> str:
        """Connect two layers; returns the connection's name ("pre->post" unless given).

        weights: (n_pre, n_post), NaN = no synapse; or scipy.sparse, whose explicit entries (zeros too) are synapses;
        or Sparse, which may bring its own delays.
        delay_steps: whole number >= 1, or an array (n_pre, n_post). A neuron's spike of step k is integrated in step
        k + delay; an input given to step k in step k + delay - 1, so with delay 1 in that very call.
        """
        name = f"{pre}->{post}" if name is None else name
        where = f"connect({name!r})"
        if not isinstance(name, str) or not name:
            raise ConfigError(f"connect({pre!r}, {post!r}): name: expected a non-empty text, got {name!r}")
        if name in self.connections:
            raise ConfigError(f"{where}: name: there is already a connection of this name; give name=... another")
        source, target = self._layer(where, "pre", pre), self._layer(where, "post", post)
        if target.cell is None or target.cell.generates:
            raise ConfigError(f"{where}: post: expected a layer of neurons, but {post!r} is an input layer")
        if rule is not None and (not isinstance(rule, Rule) or isinstance(rule, Homeostasis)):
            raise ConfigError(f"{where}: rule: expected a learning rule of snn.rules or None, got {rule!r}")
        if scaling is not None and not isinstance(scaling, Homeostasis):
            raise ConfigError(f"{where}: scaling: expected a Homeostasis or None, got {scaling!r}")
        shape = (source.size, target.size)
        pre_index, post_index, values = _synapses(where, weights, shape)
        if isinstance(weights, Sparse) and weights.delay_steps is not None:
            delays = _delays(where, weights.delay_steps, values.shape)
        else:
            delays = _delays(where, delay_steps, shape)[pre_index, post_index]
        check_weights(where, values, rule, scaling)
        order = np.lexsort((post_index, pre_index, delays))
        self.connections[name] = Connection(
            name, source, target, pre_index[order], post_index[order], delays[order], values[order], rule, scaling
        )
        return name

    def compile(self, backend: str = "cpu", **options: Any) -> Model:
        """A running network with all dynamic state at rest; see `snn.backends.compile_network`."""
        from neuro_robot.snn.backends import compile_network

        return compile_network(self, backend, **options)

    def _add(self, name: str, n: int, cell: Cell | None) -> None:
        where = f"add_{'input' if cell is None else 'lif' if isinstance(cell, LIF) else 'layer'}({name!r})"
        if not isinstance(name, str) or not name:
            raise ConfigError(f"{where}: name: expected a non-empty text")
        if name in self.layers:
            raise ConfigError(f"{where}: name: there is already a layer of this name; names are unique")
        if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or not 1 <= n <= LARGEST_LAYER:
            raise ConfigError(f"{where}: n: expected a whole number from 1 to {LARGEST_LAYER}, got {n!r}")
        if len(self.layers) >= LARGEST_LAYER:
            raise ConfigError(f"{where}: a network has at most {LARGEST_LAYER} layers")
        self.layers[name] = Layer(name, int(n), cell)

    def _layer(self, where: str, role: str, name: str) -> Layer:
        if name not in self.layers:
            known = ", ".join(self.layers) or "none yet"
            raise ConfigError(f"{where}: {role}: no layer {name!r}; the layers are {known}")
        return self.layers[name]


def check_weights(where: str, values: NDArray[np.floating[Any]], *rules: Rule | None) -> None:
    """ConfigError unless all weights are finite, of sensible size and inside the bounds of their rules."""
    good = np.abs(values) <= LARGEST
    if not np.all(good):
        raise ConfigError(
            f"{where}: weights: expected finite numbers of magnitude up to {LARGEST:g}, got {values[~good][0]}"
        )
    for rule in rules if values.size else ():
        if rule is None or not hasattr(rule, "w_min") or not hasattr(rule, "w_max"):
            continue
        low, high = values.dtype.type(rule.w_min), values.dtype.type(rule.w_max)
        if values.min() < low or values.max() > high:
            raise ConfigError(
                f"{where}: weights: expected {low} to {high}, the bounds of the {type(rule).__name__} rule, "
                f"got {values.min()} to {values.max()}"
            )


def _synapses(
    where: str,
    weights: Any,  # noqa: ANN401
    shape: tuple[int, int],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """Pre index, post index and weight of every synapse."""
    if isinstance(weights, Sparse):
        weights.check(where, shape)
        pre, post, values = np.asarray(weights.pre), np.asarray(weights.post), _floats(where, weights.weight)
        if np.any(np.isnan(values)):
            raise ConfigError(f"{where}: weights: an entry is NaN; leave absent synapses out")
    elif hasattr(weights, "tocoo"):
        entries = weights.tocoo(copy=True)
        _check_shape(where, "weights", entries.shape, shape)
        entries.sum_duplicates()
        pre, post, values = entries.row, entries.col, _floats(where, entries.data)
        if np.any(np.isnan(values)):
            raise ConfigError(f"{where}: weights: an explicit entry is NaN; leave absent synapses out")
    else:
        dense = _floats(where, weights)
        _check_shape(where, "weights", dense.shape, shape)
        pre, post = np.nonzero(~np.isnan(dense))
        values = dense[pre, post]
    with np.errstate(over="ignore"):
        return pre.astype(np.int64), post.astype(np.int64), values.astype(np.float32)


def _delays(where: str, delay_steps: Any, shape: tuple[int, ...]) -> NDArray[np.int64]:  # noqa: ANN401
    delays = np.asarray(delay_steps)
    if delays.dtype.kind not in "iu":
        raise ConfigError(f"{where}: delay_steps: expected whole steps (int), got {delays.dtype} {delay_steps!r}")
    if delays.ndim:
        _check_shape(where, "delay_steps", delays.shape, shape)
    if delays.size and (delays.min() < 1 or delays.max() > LARGEST_DELAY):
        raise ConfigError(f"{where}: delay_steps: expected 1 to {LARGEST_DELAY}, got {delays.min()} to {delays.max()}")
    return np.broadcast_to(delays.astype(np.int64), shape)


def _floats(where: str, values: Any) -> NDArray[np.float64]:  # noqa: ANN401
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{where}: weights: expected an array of numbers: {error}") from error


def _check_shape(where: str, what: str, found: tuple[int, ...], expected: tuple[int, ...]) -> None:
    if tuple(found) != expected:
        raise ConfigError(f"{where}: {what}: expected the shape (n_pre, n_post) = {expected}, got {tuple(found)}")
