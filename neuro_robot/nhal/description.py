"""Groups, connections and rules as the user names them, gathered in a Network that becomes one of `snn.network`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuro_robot.errors import ConfigError
from neuro_robot.nhal import params as named
from neuro_robot.nhal.wiring import WIRINGS
from neuro_robot.snn import network as snn
from neuro_robot.snn.network import check_weights
from neuro_robot.snn.primitives import Rule, check_number, check_whole
from neuro_robot.snn.rules import Homeostasis
from neuro_robot.snn.sparse import Sparse

__all__ = ["Connection", "LearningRule", "Network", "NeuronGroup", "default_network"]

INPUT_WEIGHT = 10.0
COMMON = ("weight", "delay_ms")  # of every connection, beside its rule's own


class Network:
    """What is described, in order. dt_ms: the time step. seed: decides random connections, weights and delays."""

    def __init__(self, dt_ms: float = 1.0, seed: int = 0) -> None:
        snn.Network(dt_ms)  # checks it
        self.dt_ms = float(dt_ms)
        self.seed = check_whole("Network.seed", seed, 0, 2**63 - 1)
        self.rng = np.random.default_rng(seed)
        self.groups: dict[str, NeuronGroup] = {}
        self.connections: dict[str, Connection] = {}
        self.monitors: list[Any] = []

    def described(self) -> snn.Network:
        """The same as a network of `snn`; a group of neurons that no connection reaches gets input lines of its own."""
        network = snn.Network(self.dt_ms)
        reached = {connection.post.name for connection in self.connections.values()}
        for group in self.groups.values():
            if group.cell is None:
                network.add_input(group.name, group.size)
                continue
            driven = not group.cell.generates and group.name not in reached
            if driven:
                network.add_input(group.input_name, group.size)
            network.add_layer(group.name, group.size, group.cell)
            if driven:
                every = np.arange(group.size)
                weights = Sparse(every, every, np.full(group.size, group.input_weight))
                network.connect(group.input_name, group.name, weights)
        for told in self.connections.values():
            network.connect(
                told.pre.name, told.post.name, told.synapses, 1, told.learning, name=told.name, scaling=told.scaling
            )
        return network


_default = Network()


def default_network(new: Network | None = None) -> Network:
    """The module's own network, after replacing it by a new one if given."""
    global _default  # noqa: PLW0603 - see nhal.set_backend
    _default = _default if new is None else new
    return _default


class NeuronGroup:
    """A population of equal neurons.

    type: IF, LIF, conductance_LIF, adaptive_LIF, Izhikevich, AdEx, Poisson or events. params: the fields of the type's
    class in `snn.cells`, times in ms, and for neurons `input_weight` (10, enough for a default neuron to fire): what
    one spike of the model's input deposits, which goes one to one to every group that no connection reaches. An
    `events` group takes its input as its spikes.
    Raises ConfigError that names the group, the parameter and what is allowed.
    """

    def __init__(
        self, size: int, type: str = "LIF", params: object = None, name: str | None = None,  # noqa: A002 - as named
        network: Network | None = None,
    ) -> None:  # fmt: skip
        self.network = network or _default
        self.name = name or f"group{len(self.network.groups)}"
        where = f"NeuronGroup {self.name!r} ({type})"
        kind = named.chosen(f"NeuronGroup {self.name!r}", "type", type, named.CELLS)
        told = named.given(where, params)
        self.size = check_whole(f"{where}: size", size, 1, snn.LARGEST_LAYER)
        self.input_weight = INPUT_WEIGHT
        if kind is None:
            named.only(where, told, [])
        elif not kind.generates:
            self.input_weight = check_number(f"{where}: input_weight", told.pop("input_weight", INPUT_WEIGHT))
        self.cell = None if kind is None else named.make(where, kind, told)
        if self.name in self.network.groups:
            raise ConfigError(f"{where}: name: there is already a group of this name; names are unique")
        self.network.groups[self.name] = self

    @property
    def input_name(self) -> str:
        """The name of the group's own input lines, where it has them."""
        return self.name if self.cell is None else f"{self.name}.input"

    def __len__(self) -> int:
        return self.size


class Connection:
    """Synapses from one group to another.

    rule: all_to_all, one_to_one, probabilistic, fixed_fan_in, distance, convolution or matrix. params: those of the
    rule (see `nhal.wiring`), and
        weight    a number, (low, high) for uniform random ones, or an array, one per synapse or (n_pre, n_post);
                  (0, 1) unless the rule brings its own
        delay_ms  the same, in ms, rounded to whole steps, at least one: the default
    Raises ConfigError that names the connection, the parameter and what is allowed.
    """

    def __init__(
        self, pre: NeuronGroup, post: NeuronGroup, rule: str = "all_to_all", params: object = None,
        name: str | None = None,
    ) -> None:  # fmt: skip
        if not isinstance(pre, NeuronGroup) or not isinstance(post, NeuronGroup):
            raise ConfigError(f"Connection: expected two NeuronGroups, got {pre!r} and {post!r}")
        if pre.network is not post.network:
            raise ConfigError(f"Connection {pre.name!r} to {post.name!r}: the groups belong to different networks")
        self.network, self.pre, self.post = pre.network, pre, post
        self.name = self._free_name(name)
        where = f"Connection {self.name!r} ({rule})"
        if post.cell is None or post.cell.generates:
            raise ConfigError(f"{where}: post: {post.name!r} takes no synapses; expected a group of neurons")
        wiring = named.chosen(f"Connection {self.name!r}", "rule", rule, WIRINGS)
        told = named.given(where, params)
        named.only(where, told, [*wiring.params, *COMMON])
        pairs = wiring.pairs(where, pre.size, post.size, told, self.network.rng)
        own = {} if pairs.weight is None else {"weight": pairs.weight}
        weight = self._values(f"{where}: weight", (own | told).get("weight", (0.0, 1.0)), pairs)
        check_weights(where, weight)
        delay_ms = self._values(f"{where}: delay_ms", told.get("delay_ms", self.network.dt_ms), pairs)
        steps = np.round(delay_ms / self.network.dt_ms)
        if steps.size and not 1 <= steps.min() <= steps.max() <= snn.LARGEST_DELAY:
            raise ConfigError(
                f"{where}: delay_ms: expected {self.network.dt_ms:g} to {snn.LARGEST_DELAY * self.network.dt_ms:g}, "
                f"got {delay_ms.min()} to {delay_ms.max()}"
            )
        self.synapses = Sparse(pairs.pre, pairs.post, weight, steps.astype(np.int64))
        self.learning: Rule | None = None
        self.scaling: Homeostasis | None = None
        self.network.connections[self.name] = self

    def __len__(self) -> int:
        return len(self.synapses.pre)

    def _free_name(self, name: str | None) -> str:
        taken = self.network.connections
        if name is not None:
            if name in taken:
                raise ConfigError(f"Connection {name!r}: name: there is already a connection of this name")
            return name
        plain = f"{self.pre.name}->{self.post.name}"
        return plain if plain not in taken else f"{plain} ({len(taken)})"

    def _values(self, where: str, value: Any, pairs: Any) -> NDArray[np.float64]:
        """One number per synapse from a number, a (low, high) or an array."""
        count = len(pairs.pre)
        if isinstance(value, tuple) and len(value) == 2:
            low, high = (check_number(where, bound) for bound in value)
            if low > high:
                raise ConfigError(f"{where}: expected (low, high), got {value}")
            return self.network.rng.uniform(low, high, count)
        if np.ndim(value) == 0:
            return np.full(count, check_number(where, value))
        try:
            array = np.asarray(value, np.float64)
        except (TypeError, ValueError) as error:
            raise ConfigError(f"{where}: expected numbers: {error}") from error
        if array.shape == (self.pre.size, self.post.size):
            array = array[pairs.pre, pairs.post]
        if array.shape != (count,):
            raise ConfigError(
                f"{where}: expected a number, (low, high), {count} numbers, or the shape "
                f"{(self.pre.size, self.post.size)}, got {array.shape}"
            )
        if not np.all(np.isfinite(array)):
            got = array[~np.isfinite(array)][0]
            raise ConfigError(f"{where}: expected finite numbers, got {got}; rule 'matrix' takes NaN for no synapse")
        return array


class LearningRule:
    """What changes the weights of a connection while the model runs; `model.set_learning` switches it.

    type: STDP (all pairs), nearest_STDP, triplet_STDP, R-STDP (eligibility and reward), sum_of_products, or
    homeostatic, which a connection may have beside one of the others. params: the fields of its class in `snn.rules`.
    Weights must lie between the rule's w_min and w_max.
    Raises ConfigError that names the rule, the parameter and what is allowed.
    """

    def __init__(self, connection: Connection, type: str = "STDP", params: object = None) -> None:  # noqa: A002
        if not isinstance(connection, Connection):
            raise ConfigError(f"LearningRule: expected a Connection, got {connection!r}")
        where = f"LearningRule of {connection.name!r} ({type})"
        kind, preset = named.chosen(f"LearningRule of {connection.name!r}", "type", type, named.RULES)
        rule = named.make(where, kind, preset | named.given(where, params))
        if type == "R-STDP" and rule.tau_eligibility_ms == 0:
            raise ConfigError(f"{where}: tau_eligibility_ms: expected a value above 0; without it the rule is STDP")
        check_weights(where, connection.synapses.weight.astype(np.float32), rule)
        scales = isinstance(rule, Homeostasis)
        if (connection.scaling if scales else connection.learning) is not None:
            raise ConfigError(f"{where}: the connection already has a rule of this kind")
        self.connection, self.rule = connection, rule
        if scales:
            connection.scaling = rule
        else:
            connection.learning = rule
