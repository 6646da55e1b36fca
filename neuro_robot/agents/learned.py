"""What a mind has learned, to a file and back: its own, that of another back end, that of another body's eyes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuro_robot.errors import WeightsError
from neuro_robot.snn.network import Network
from neuro_robot.snn.weights_file import Arrays, Meta, load_state, save_state

MAX_REWARD = 1e6  # of a reward or its mean


class Learner(NamedTuple):
    """Whose weights they are: the mind, the name of its agent, and what builds the network of a configuration."""

    mind: Any  # each body has its own kind
    agent: str
    make_network: Callable[[Any], Network]

    def weights(self) -> dict[str, NDArray[np.float32]]:
        """The plastic weights by connection, shape (pre, post)."""
        network = self.mind.network
        return {name: network.weights(name) for name, part in network.connections.items() if part.rule is not None}

    def save(self, path: str | Path) -> None:
        """Write weights, thresholds, traces and the expected reward to a checked file."""
        meta: dict[str, str | float] = {"agent": self.agent, "backend": self.mind.config.backend}
        meta["expected_reward"] = float(self.mind.expected_reward)
        save_state(Path(path), self.mind.network.state(), meta)

    def load(self, path: str | Path) -> None:
        """Read what `save` wrote, traces too; of a file from another back end or body only what was learned.

        Raises WeightsError, or ConfigError for weights out of bounds, and changes nothing when the file does not fit.
        """
        arrays, meta = load_state(Path(path))
        network, expected = self.mind.network, expected_reward(meta, str(path))
        if (meta.get("agent", self.agent), meta.get("backend", "cpu")) != (self.agent, self.mind.config.backend):
            self._take(arrays, meta, str(path))
            return
        fixed = {name: network.weights(name) for name, part in network.connections.items() if not part.rule}
        network.load_state_dict(arrays)
        for name, weights in fixed.items():  # what nobody learns is as configured, not as it was when saved
            if not np.array_equal(network.weights(name), weights, equal_nan=True):
                network.set_weights(name, weights)
        self.mind.expected_reward = expected

    def learn_from(self, path: str | Path) -> None:
        """Take what was learned out of a file and leave all else as it is.

        Of another body's file only the synapses that both have, as those of the avoidance: what a drone has learned to
        turn away from, a walker turns away from too. Raises as `load`.
        """
        self._take(*load_state(Path(path)), str(path))

    def _take(self, arrays: Arrays, meta: Meta, path: str) -> None:
        origin, network, expected = str(meta.get("backend", "cpu")), self.mind.network, expected_reward(meta, path)
        if meta.get("agent", self.agent) != self.agent:
            self._adopt(arrays, f"{path}: the weights of a {meta['agent']} on {origin}", origin == "cpu")
        else:
            saved = self.make_network(replace(self.mind.config, backend=origin)).compile(origin)
            saved.load_state_dict(arrays)
            for name in self.weights():
                limit = network.connections[name].rule.w_max
                network.set_weights(name, np.clip(saved.weights(name), 0.0, limit))
        self.mind.expected_reward = expected

    def _adopt(self, arrays: Arrays, what: str, in_volts: bool) -> None:
        """Take the plastic weights of the connections that another body's file has in the same shape."""
        mine = self.weights()
        shared = [name for name in mine if np.array_equal(arrays.get(f"shape/{name}", ()), mine[name].shape)]
        if not shared or not in_volts:
            raise WeightsError(f"{what}: expected those of a {self.agent}, or of a body on cpu with the same eyes")
        try:
            for name in shared:
                pre, post = arrays[f"synapses/{name}"].T[:2]
                weights = np.full_like(mine[name], np.nan)
                weights[pre, post] = arrays[f"weights/{name}"]
                self.mind.network.set_weights(name, weights)
        except (LookupError, ValueError) as error:
            raise WeightsError(f"{what}: expected synapses that fit their layers: {error}") from error


def expected_reward(meta: Meta, path: str) -> float:
    """The expected reward beside saved weights; none is 0. Raises WeightsError for what no reward comes near."""
    expected = meta.get("expected_reward", 0.0)
    if not (isinstance(expected, (int, float)) and abs(expected) <= MAX_REWARD):
        raise WeightsError(f"{path}: expected an expected_reward within +-{MAX_REWARD:g}, got {str(expected)[:40]}")
    return float(expected)
