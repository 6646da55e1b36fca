"""What is recorded while a model runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from neuro_robot.errors import ConfigError
from neuro_robot.nhal.description import NeuronGroup
from neuro_robot.snn.primitives import check_whole

if TYPE_CHECKING:
    from neuro_robot.snn.backends.base import Model as Core


class SpikeMonitor:
    """Records the spikes of a group of neurons; describe it before `compile`."""

    def __init__(self, group: NeuronGroup) -> None:
        if not isinstance(group, NeuronGroup):
            raise ConfigError(f"SpikeMonitor: expected a NeuronGroup, got {group!r}")
        if group.cell is None:
            raise ConfigError(f"SpikeMonitor: {group.name!r} is a group of events: its spikes are the input")
        if group.cell.generates:
            raise ConfigError(
                f"SpikeMonitor: {group.name!r} is a random source, whose single spikes no back end reports; expected "
                "neurons; model.core.spike_counts counts the source's spikes"
            )
        self.group = group
        self.clear()
        group.network.monitors.append(self)

    def clear(self) -> None:
        """Forget what was recorded."""
        self._time: list[NDArray[np.float64]] = []
        self._neuron: list[NDArray[np.int64]] = []
        self._steps, self._dt_ms = 0, self.group.network.dt_ms

    def record(self, core: Core, step: NDArray[np.int64], neuron: NDArray[np.int64], steps: int) -> None:
        """Take the spikes of some steps, numbered from the model's beginning."""
        piece = core.layer_slices[self.group.name]
        mine = (neuron >= piece.start) & (neuron < piece.stop)
        self._time.append(step[mine] * self._dt_ms)
        self._neuron.append(neuron[mine] - piece.start)
        self._steps += steps

    @property
    def t_ms(self) -> NDArray[np.float64]:
        """(n,) time of every spike: the beginning of its step."""
        return np.concatenate([np.zeros(0), *self._time])

    @property
    def neuron(self) -> NDArray[np.int64]:
        """(n,) neuron of every spike, in the group."""
        return np.concatenate([np.zeros(0, np.int64), *self._neuron])

    @property
    def count(self) -> NDArray[np.int64]:
        """(size,) spikes of every neuron."""
        return np.bincount(self.neuron, minlength=self.group.size)

    @property
    def rate_hz(self) -> NDArray[np.float64]:
        """(size,) mean rate over the recorded time."""
        return self.count / max(self._steps * self._dt_ms * 1e-3, 1e-12)


class PotentialMonitor:
    """Records the membrane potentials after every so many steps; a model with one runs step by step."""

    def __init__(self, group: NeuronGroup, neurons: Sequence[int] | None = None, every: int = 1) -> None:
        if not isinstance(group, NeuronGroup) or group.cell is None or group.cell.generates:
            raise ConfigError(f"PotentialMonitor: expected a NeuronGroup of neurons, got {group!r}")
        self.every = check_whole("PotentialMonitor: every", every)
        self.neurons = np.arange(group.size) if neurons is None else np.asarray(neurons)
        if self.neurons.dtype.kind not in "iu" or self.neurons.ndim != 1 or not np.all(
            (self.neurons >= 0) & (self.neurons < group.size)
        ):  # fmt: skip
            raise ConfigError(
                f"PotentialMonitor: neurons: expected indices from 0 to {group.size - 1}, got {neurons!r}"
            )
        self.group = group
        self.clear()
        group.network.monitors.append(self)

    def clear(self) -> None:
        """Forget what was recorded."""
        self._time: list[float] = []
        self._v: list[NDArray[np.float64]] = []

    def record(self, core: Core, steps_before: int) -> None:
        """Take the potentials after one step."""
        if steps_before % self.every == 0:
            self._time.append((steps_before + 1) * core.dt_ms)
            self._v.append(np.asarray(core.v[core.layer_slices[self.group.name]][self.neurons], np.float64))

    @property
    def t_ms(self) -> NDArray[np.float64]:
        """(n,) times of the samples: the end of their step."""
        return np.array(self._time)

    @property
    def v(self) -> NDArray[np.float64]:
        """(n, neurons) potentials."""
        return np.array(self._v).reshape(-1, self.neurons.size)
