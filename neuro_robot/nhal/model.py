"""A network that runs on the chosen back end: for so long, or step by step in a closed loop."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuro_robot.errors import ConfigError, WeightsError
from neuro_robot.nhal.description import Connection, Network, NeuronGroup
from neuro_robot.nhal.monitors import PotentialMonitor, SpikeMonitor
from neuro_robot.snn.backends import Raster, compile_network
from neuro_robot.snn.faults import Fault
from neuro_robot.snn.faults_breaker import FaultReport
from neuro_robot.snn.primitives import check_number
from neuro_robot.snn.weights_file import load_state, save_state


class Model:
    """What `compile` returns. `core` is the back end's own model (`snn.backends.base.Model`).

    Inputs are the spikes of all `events` groups and of the input lines of groups that no connection reaches, in the
    order in which the groups were described: `inputs` names them with their ranges.
    """

    def __init__(self, network: Network, backend: str, options: dict[str, Any]) -> None:
        self.network, self.backend = network, backend
        self.core = compile_network(network.described(), backend, **options)
        self.dt_ms = network.dt_ms
        self.inputs = {name.removesuffix(".input"): place for name, place in self.core.input_slices.items()}
        self._spikes = [m for m in network.monitors if isinstance(m, SpikeMonitor)]
        self._potentials = [m for m in network.monitors if isinstance(m, PotentialMonitor)]
        self._steps = 0

    def step(self, spikes: ArrayLike | None = None) -> NDArray[np.int32]:
        """Advance by dt; returns who fired, numbered through all groups (see `of`). spikes: (n_inputs,) counts.

        Raises ConfigError, with nothing changed, when the shape or a value cannot be used.
        """
        fired = self.core.step(spikes)
        for spiking in self._spikes:
            spiking.record(self.core, np.full(fired.size, self._steps), fired.astype(np.int64), 1)
        for potential in self._potentials:
            potential.record(self.core, self._steps)
        self._steps += 1
        return fired

    def run(self, input_data: Raster | ArrayLike | None = None, duration: float | None = None) -> Raster:
        """Run for duration ms; returns all spikes of neurons (step counted from this call, neuron as in `step`).

        input_data: (steps, n_inputs) counts, (n_inputs,) counts for every step, a Raster of non-zero counts, or None.
        What is shorter than the duration is followed by silence, what is longer is cut; without a duration (steps,
        n_inputs) decides. Raises ConfigError on what cannot be used.
        """
        steps = None
        if duration is not None:
            steps = round(check_number("run: duration", duration) / self.dt_ms)
        elif input_data is None or isinstance(input_data, Raster):
            raise ConfigError("run: duration: expected the time in ms, as the input does not tell it; got None")
        if input_data is not None and not isinstance(input_data, Raster):
            input_data = np.asarray(input_data)
            if input_data.ndim == 1 and steps is not None:
                input_data = np.broadcast_to(input_data, (max(steps, 0), *input_data.shape))
        if not self._potentials:
            found = self.core.run(input_data, steps)
            made = steps or 0
            if steps is None and isinstance(input_data, np.ndarray):
                made = len(input_data)
            for spiking in self._spikes:
                spiking.record(self.core, self._steps + found.step, found.neuron, made)
            self._steps += made
            return found
        return self._run_by_steps(input_data, steps)

    def of(self, group: NeuronGroup, fired: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
        """Who of one group is among the fired, numbered in the group."""
        piece = self._place(group)
        mine = fired[(fired >= piece.start) & (fired < piece.stop)]
        index: NDArray[np.int64] = mine.astype(np.int64) - piece.start
        return index

    def v(self, group: NeuronGroup) -> NDArray[np.floating[Any]]:
        """(size,) membrane potentials of a group."""
        return self.core.v[self._place(group)]

    def weights(self, connection: Connection) -> NDArray[np.floating[Any]]:
        """(n_pre, n_post) weights, NaN where there is no synapse."""
        return self.core.weights(connection.name)

    def set_weights(self, connection: Connection, weights: ArrayLike) -> None:
        """Replace all weights of a connection, NaN exactly where it has no synapse."""
        self.core.set_weights(connection.name, weights)

    def set_learning(self, connection: Connection, on: bool) -> None:
        """Switch the rules of a connection."""
        self.core.set_learning(connection.name, on)

    def set_reward(self, group: NeuronGroup, value: ArrayLike) -> None:
        """The reward of a group's neurons, one number or one each, until set anew; R-STDP and y3 follow it."""
        self.core.set_reward(group.name, value)

    def inject(self, fault: Fault, at_ms: float = 0.0, until_ms: float = math.inf) -> None:
        """Let a fault act, now or from one time to another, counted from this call or the last `reset` after it.

        Faults are `DeadNeurons`, `DeadCores`, `StuckSynapses` and `LostSpikes`. Raises ConfigError, with nothing
        changed, that names fault, group or connection, index and what is allowed.
        """
        self.core.inject(fault, at_ms, until_ms)

    def heal(self, fault: Fault | None = None) -> None:
        """End one fault, or all."""
        self.core.heal(fault)

    @property
    def faults(self) -> FaultReport:
        """What is broken, as text and counts; false when nothing is."""
        return self.core.faults

    def reset(self) -> None:
        """All dynamic state to its start; weights stay, and so do monitors and faults."""
        self.core.reset_state()

    def save(self, path: str | Path) -> None:
        """Write the whole state to a checked file. Raises WeightsError when it cannot be written."""
        save_state(path, self.core.state(), {"nhal": 1, "backend": self.backend, "dt_ms": self.dt_ms})

    def restore(self, path: str | Path) -> None:
        """Continue from what `save` wrote. Raises WeightsError, with nothing changed, when the file does not fit."""
        arrays, meta = load_state(path)
        if meta.get("backend") != self.backend or meta.get("dt_ms") != self.dt_ms:
            raise WeightsError(
                f"{path}: saved on the back end {meta.get('backend')} with dt {meta.get('dt_ms')} ms, "
                f"this model runs on {self.backend} with {self.dt_ms} ms; restore it there, or start without it"
            )
        self.core.load_state_dict(arrays)

    def _run_by_steps(self, input_data: Any, steps: int | None) -> Raster:
        rows = self._rows(input_data, steps)
        fired = [self.step(row) for row in rows]
        counts = [found.size for found in fired]
        neuron = np.concatenate([np.zeros(0, np.int32), *fired]).astype(np.int64)
        return Raster(np.repeat(np.arange(len(fired)), counts), neuron, np.ones(neuron.size, np.float32))

    def _rows(self, input_data: Any, steps: int | None) -> NDArray[Any]:
        """The inputs as a full matrix, for runs that are watched step by step."""
        n = sum(place.stop - place.start for place in self.inputs.values())
        if isinstance(input_data, Raster):
            rows = np.zeros((steps or 0, n), np.float32)
            kept = np.asarray(input_data.step) < (steps or 0)
            rows[input_data.step[kept], input_data.neuron[kept]] = input_data.value[kept]
            return rows
        if input_data is None:
            return np.zeros((steps or 0, n), np.float32)
        if steps is None or len(input_data) >= steps:
            return np.asarray(input_data)[:steps]
        rows = np.zeros((steps, *input_data.shape[1:]), np.float32)
        rows[: len(input_data)] = input_data
        return rows

    def _place(self, group: NeuronGroup) -> slice:
        if group.network is not self.network:
            raise ConfigError(f"group {group.name!r} belongs to another network than this model's")
        return self.core.layer_slices[group.name]
