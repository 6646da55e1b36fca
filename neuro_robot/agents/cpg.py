"""A central pattern generator of spiking neurons: two half-centres in quadrature for every leg.

A leg has four pools of LIF neurons with the preferred phases 0 (lift), 90 (forward), 180 (press), 270 degrees (back).
Opposite pools inhibit each other (two half-centres); each excites the next and inhibits the one before, which turns
the activity round the ring. With d the difference of the preferred phases, post - pre, a synapse of the ring has

    w = gain (cos d + turn sin d)

so the population vector z = sum of spikes x exp(i phase) follows tau dz/dt = -z + slope gain (1 + i turn) z, whose
amplitude is limited by the neurons' rectification and refractoriness (slope falls as |z| grows): a limit cycle with
the angular frequency turn / tau, tau the lag of synapse and membrane together. turn is therefore the tempo. Legs are
coupled in the same form, w = coupling cos(d - phi), phi the wanted lead of the post leg, which pulls phase lags to the
gait's like the sine of an oscillator network (Kuramoto). A gait is the weights of these synapses, and its tempo.
Sources: population vectors in recurrent networks, Eliasmith and Anderson, Neural Engineering, 2003, chapter 8; half-
centres, Brown, Proc. R. Soc. B 84, 1911; coupled oscillators for legs, Ijspeert, Neural Networks 21, 2008.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from neuro_robot.agents.gait import GAITS, HIGHEST_HZ, LONGEST_DUTY
from neuro_robot.config import parameter
from neuro_robot.errors import ConfigError
from neuro_robot.snn.backends.base import Model
from neuro_robot.snn.network import LIF, Network

LEGS, POOLS = 4, 4
PREFERRED = 0.5 * np.pi * np.arange(POOLS)
FULL_SIZE = 18.0  # |z| of a pool of 8 in a full rhythm; smaller while it starts
TEMPO = (2.065, 0.177)  # measured: frequency = a turn + b turn^2, Hz, from 0.9 to 3.5 Hz within 2 %


@dataclass(frozen=True)
class CpgConfig:
    """Neurons and synapses of the pattern generator."""

    neurons: int = parameter(8, "neurons a pool (four pools a leg)", 2, 64)
    drive: float = parameter(1.5, "tonic drive while walking; the threshold is 1", 0.0, 10.0)
    spread: float = parameter(0.3, "the drive differs by so much among the neurons of a pool", 0.0, 1.0)
    gain: float = parameter(0.096, "weight of a ring synapse, times neurons a pool", 0.0, 10.0)
    coupling: float = parameter(0.016, "weight of a synapse between legs, times neurons a pool", 0.0, 10.0)
    frequency: float = parameter(2.5, "steps of a leg per second, Hz", 0.9, 3.5)
    touch: float = parameter(0.05, "weight of a touch-down, which resets the leg's phase", 0.0, 10.0)
    tau_ms: float = parameter(25.0, "time constant of each of the two filters from spikes to phase, ms", 1.0, 200.0)


SYNAPSE_MS, MEMBRANE_MS = 50.0, 10.0  # TEMPO was measured with these


def add_cpg(network: Network, config: CpgConfig, gait: str, duty: float, rng: np.random.Generator) -> None:
    """Add the layers drive (1 line), touch (4 lines) and cpg (leg, pool, neuron) with their fixed synapses."""
    n = config.neurons
    network.add_input("drive", 1)
    network.add_input("touch", LEGS)
    network.add_lif("cpg", LEGS * POOLS * n, LIF(tau_mem_ms=MEMBRANE_MS, tau_syn_ms=SYNAPSE_MS, t_ref_ms=2.0))
    per_ms = config.drive * (1.0 - math.exp(-network.dt_ms / SYNAPSE_MS))
    shares = per_ms * (1.0 + config.spread * np.linspace(-1.0, 1.0, n))
    tonic = np.concatenate([rng.permutation(shares) for _ in range(LEGS * POOLS)])
    network.connect("drive", "cpg", tonic[None, :], name="drive")
    network.connect("touch", "cpg", touch_weights(config, duty_of(gait, duty)), name="touch")
    network.connect("cpg", "cpg", ring_weights(config, frequency_of(gait, config.frequency)), name="ring")
    network.connect("cpg", "cpg", gait_weights(config, gait, 1.0), name="gait")


def duty_of(gait: str, duty: float) -> float:
    """The gait's share of the cycle on the ground, when the configured one is the trot's. ConfigError: no such gait."""
    if gait not in GAITS:
        raise ConfigError(f"gait {gait!r}: expected one of {', '.join(GAITS)}")
    return min(duty + GAITS[gait].duty, LONGEST_DUTY)


def frequency_of(gait: str, frequency: float) -> float:
    """The gait's steps of a leg per second, Hz, when the configured ones are the trot's."""
    return min(frequency * GAITS[gait].tempo, HIGHEST_HZ)


def touch_weights(config: CpgConfig, duty: float) -> NDArray[np.float64]:
    """Synapses of the foot switches, each onto its own leg, that pull its phase to that of a touch-down."""
    landing = config.touch * np.cos(PREFERRED - 2.0 * np.pi * (1.0 - duty))
    return _kron(_present(np.eye(LEGS)), np.repeat(landing, config.neurons)[None, :])


def ring_weights(config: CpgConfig, frequency: float) -> NDArray[np.float64]:
    """Synapses inside each leg that turn at this frequency, Hz; NaN between legs."""
    d = PREFERRED[None, :] - PREFERRED[:, None]
    a, b = TEMPO
    turn = (math.sqrt(a * a + 4.0 * b * frequency) - a) / (2.0 * b)
    ring: NDArray[np.float64] = config.gain / config.neurons * (np.cos(d) + turn * np.sin(d))
    return _kron(_present(np.eye(LEGS)), _kron(ring, np.ones((config.neurons, config.neurons))))


def gait_weights(config: CpgConfig, gait: str, strength: float) -> NDArray[np.float64]:
    """Synapses between legs, neuron to neuron of the same rank; NaN elsewhere."""
    lags = 2.0 * np.pi * GAITS[gait].lags
    lead = lags[:, None] - lags[None, :]  # of the post leg (column) over the pre leg (row)
    d = PREFERRED[None, None, None, :] - PREFERRED[None, :, None, None] - lead[:, None, :, None]
    pools = (config.coupling * strength * np.cos(d)).reshape(LEGS * POOLS, LEGS * POOLS)
    others = _kron(1.0 - np.eye(LEGS), np.ones((POOLS, POOLS)))
    return _kron(_present(others) * pools, _present(np.eye(config.neurons)))


class Rhythm:
    """The pattern generator of a running network: gait, tempo and coupling to set, phases and sizes to read.

    phases (4,): cycles in [0, 1); sizes (4,): 0 silent .. 1 in full rhythm. Filters delay all phases alike.
    duty: share of the cycle on the ground, frequency: steps of a leg per second, Hz, both the gait's.
    """

    def __init__(self, config: CpgConfig, model: Model, gait: str, duty: float) -> None:
        self._config, self._model, self._duty = config, model, duty
        self.gait, self.coupling = gait, 1.0
        self.duty, self.frequency = duty_of(gait, duty), frequency_of(gait, config.frequency)
        self._first = model.layer_slices["cpg"].start
        self._keep = math.exp(-model.dt_ms / config.tau_ms)
        self._full = FULL_SIZE * config.neurons / 8.0 * config.tau_ms / 25.0
        self._filters = np.zeros((2, LEGS, 2))
        self.phases, self.sizes = np.zeros(LEGS), np.zeros(LEGS)

    def reset(self) -> None:
        """At rest."""
        self._filters[:] = 0.0
        self.phases[:], self.sizes[:] = 0.0, 0.0

    def set_gait(self, gait: str, coupling: float | None = None) -> None:
        """Pull the legs to this gait from now on, at its tempo, coupled by a multiple of the configured strength."""
        coupling = self.coupling if coupling is None else coupling
        self.gait, self.duty = gait, duty_of(gait, self._duty)
        self.set_coupling(coupling)
        self._model.set_weights("touch", touch_weights(self._config, self.duty))
        self.set_frequency(frequency_of(gait, self._config.frequency))

    def set_coupling(self, coupling: float) -> None:
        """Pull the legs to the gait's lags so strongly from now on, as a multiple of the configured coupling."""
        self._model.set_weights("gait", gait_weights(self._config, self.gait, coupling))
        self.coupling = coupling

    def set_frequency(self, frequency: float) -> None:
        """Steps of a leg per second, Hz, from now on."""
        self._model.set_weights("ring", ring_weights(self._config, frequency))
        self.frequency = frequency

    def read(self, fired: NDArray[np.int32]) -> None:
        """Take the spikes of one step."""
        _read(fired, self._first, self._config.neurons, self._keep, self._full, self._filters, self.phases, self.sizes)


def _kron(a: Any, b: Any) -> NDArray[np.float64]:  # noqa: ANN401 - arrays of numbers
    product: NDArray[np.float64] = np.kron(a, b).astype(np.float64)
    return product


def _present(mask: Any) -> NDArray[np.float64]:  # noqa: ANN401 - an array of numbers
    """1 where the mask is above 0, NaN (no synapse) elsewhere."""
    return np.where(mask > 0.0, 1.0, np.nan)


@njit(cache=True)
def _read(
    fired: NDArray[np.int32],
    first: int,
    neurons: int,
    keep: float,
    full: float,
    filters: NDArray[np.float64],
    phases: NDArray[np.float64],
    sizes: NDArray[np.float64],
) -> None:
    filters[0] *= keep
    for neuron in fired:
        pool = (neuron - first) // neurons
        if neuron < first or pool >= 16:
            continue
        sign = 1.0 if pool % 4 < 2 else -1.0
        filters[0, pool // 4, pool % 2] += sign
    filters[1] *= keep
    filters[1] += (1.0 - keep) * filters[0]
    for leg in range(phases.size):
        x, y = filters[1, leg]
        phases[leg] = (math.atan2(y, x) / (2.0 * math.pi)) % 1.0
        sizes[leg] = min(math.sqrt(x * x + y * y) / full, 1.0)
