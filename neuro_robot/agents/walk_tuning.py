"""The part of the walker that learns: what it feels is turned into how it steps, by reward-modulated STDP.

    nerve (graded) -> feel (LIF) --plastic--> tune (LIF; for every figure of the gait a pool for more, one for less)

The difference of the two pools' traces moves a figure (step height, stride, crouch, coupling, turn). Each figure has a
signed reward of its own; the pool for more gets it, the pool for less its opposite, as the drone's motor sides do: a
pre-before-post pair leaves an eligibility, and the reward decides whether it strengthens or weakens the synapse. Which
feeling shall lead to which figure, and how strongly, is learned; which reward concerns which figure is given.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neuro_robot.agents.walk_feel import Feel
from neuro_robot.config import parameter
from neuro_robot.snn.backends.base import Model
from neuro_robot.snn.network import LIF, STDP, Network

FEELINGS = ("steady", "rough", "strike", "slow", "fast", "left", "right")
FIGURES = ("height", "stride", "crouch", "coupling", "turn")


@dataclass(frozen=True)
class TuningConfig:
    """Neurons, plasticity and rewards of the gait's tuning."""

    neurons: int = parameter(6, "neurons a pool", 1, 64)
    bias: float = parameter(1.05, "constant drive of a tuning neuron; above 1 it fires on its own", 0.0, 10.0)
    reflex: float = parameter(0.5, "fixed weight of a heading error onto the turning pools", 0.0, 10.0)
    tau_ms: float = parameter(400.0, "time constant of the pools' traces, ms", 1.0, 10000.0)
    turn_ms: float = parameter(120.0, "the same for the turn, which must follow the heading closely, ms", 1.0, 10000.0)
    scale_hz: float = parameter(12.0, "difference of two pools' rates that moves a figure by its range, Hz", 0.1, 1e3)
    rate: float = parameter(3e-6, "learning rate, weight per ms, unit of reward and eligibility", 0.0, 10.0)
    a_plus: float = parameter(1.0, "eligibility of a pre-before-post pair", 0.0, 10.0)
    a_minus: float = parameter(0.2, "eligibility lost by a post-before-pre pair", 0.0, 10.0)
    tau_stdp_ms: float = parameter(20.0, "time constant of both STDP windows, ms", 1.0, 1000.0)
    tau_eligibility_ms: float = parameter(500.0, "time constant of the eligibility trace, ms", 1.0, 5000.0)
    w_init: float = parameter(0.3, "mean of the random initial weights", 0.0, 10.0)
    w_max: float = parameter(1.2, "upper weight bound (lower is 0)", 0.0, 10.0)
    veering: float = parameter(3.0, "feeling of a heading error; more makes the robot sway, 1/rad", 0.0, 100.0)
    calm_rad_s: float = parameter(0.85, "tilt rate that counts as even ground, rad/s", 0.0, 10.0)
    strikes_hz: float = parameter(0.6, "strikes of all feet per second that are as wanted, Hz", 0.0, 100.0)


def add_tuning(network: Network, config: TuningConfig, rng: np.random.Generator) -> None:
    """Add the layers nerve, feel and tune (figure, more then less, neuron) with their synapses."""
    n, size = config.neurons, 2 * config.neurons * len(FIGURES)
    network.add_input("nerve", len(FEELINGS))
    network.add_lif("feel", len(FEELINGS), LIF(tau_mem_ms=200.0, tau_syn_ms=0.0, v_th=1.0, t_ref_ms=2.0))
    network.add_lif("tune", size, LIF(tau_mem_ms=20.0, tau_syn_ms=5.0, v_th=1.0, t_ref_ms=2.0, bias=config.bias))
    network.connect("nerve", "feel", np.where(np.eye(len(FEELINGS)) > 0, 0.1, np.nan), name="nerve")
    stdp = STDP(
        a_plus=config.a_plus,
        a_minus=config.a_minus,
        tau_plus_ms=config.tau_stdp_ms,
        tau_minus_ms=config.tau_stdp_ms,
        tau_eligibility_ms=config.tau_eligibility_ms,
        learning_rate=config.rate,
        w_min=0.0,
        w_max=config.w_max,
    )
    start = np.minimum(rng.uniform(0.8, 1.2, (len(FEELINGS), size)) * config.w_init, config.w_max)
    network.connect("feel", "tune", start, rule=stdp, name="tune")
    reflex = np.full((len(FEELINGS), size), np.nan)
    turn = 2 * n * FIGURES.index("turn")
    reflex[FEELINGS.index("right"), turn : turn + n] = config.reflex
    reflex[FEELINGS.index("left"), turn + n : turn + 2 * n] = config.reflex
    network.connect("feel", "tune", reflex, name="heading")


class Tuning:
    """Figures of the gait out of the spikes of `tune`, rewards into it. figures (5,): -1 .. 1, 0 as configured."""

    def __init__(self, config: TuningConfig, model: Model) -> None:
        self._config, self._model = config, model
        self._first = model.layer_slices["tune"].start
        taus = np.full(2 * len(FIGURES), config.tau_ms)
        taus[2 * FIGURES.index("turn") :][:2] = config.turn_ms
        self._keep = np.exp(-model.dt_ms / taus)
        self._rates = np.zeros(2 * len(FIGURES))  # Hz per neuron
        self._rewards = np.zeros(model.layer_slices["tune"].stop - self._first, np.float32)
        self.figures = np.zeros(len(FIGURES))
        self.strikes_hz = 0.0

    def reset(self) -> None:
        """At rest; what was learned stays."""
        self._rates[:], self.figures[:] = 0.0, 0.0
        self.strikes_hz = 0.0

    def nerve(self, feel: Feel, wish: float, walking: bool, strikes: int, dt_ms: float) -> NDArray[np.float32]:
        """(7,) graded input of FEELINGS for each millisecond, 0 .. 5; strikes: spikes of the reflex cells just now."""
        config = self._config
        keep = math.exp(-dt_ms / 2000.0)
        self.strikes_hz = self.strikes_hz * keep + strikes / 2.0
        if not walking:
            return np.zeros(len(FEELINGS), np.float32)
        uneven = feel.tilt_rate - config.calm_rad_s
        lacking = wish - feel.progress
        veering = config.veering * feel.heading
        values = (1.0, 2.0 * uneven, 0.5 * self.strikes_hz, 5.0 * lacking, -5.0 * lacking, veering, -veering)
        drive = np.array(values, np.float32)
        return np.minimum(np.maximum(drive, 0.0), np.float32(5.0))

    def rewards(self, feel: Feel, wish: float) -> NDArray[np.float64]:
        """(5,) for more of each figure, -1 .. 1.

        height: feet strike more often than wanted; stride: slower than wished; crouch and coupling: the trunk tilts
        faster than on even ground; turn: the heading is right of the wished one.
        """
        config = self._config
        struck = 0.5 * (self.strikes_hz - config.strikes_hz)
        uneven = 3.0 * (feel.tilt_rate - config.calm_rad_s)
        values = np.array([struck, 4.0 * (wish - feel.progress), uneven, uneven, -2.0 * feel.heading])
        low, high = np.array([-0.3, -1.0, -0.3, -0.3, -0.1]), np.array([1.0, 1.0, 1.0, 1.0, 0.1])
        limited: NDArray[np.float64] = np.minimum(np.maximum(values, low), high)  # relaxing is slower than responding
        return limited

    def reinforce(self, rewards: NDArray[np.float64]) -> None:
        """Give every pool its reward from the next step on."""
        n = self._config.neurons
        self._rewards[:] = np.repeat(np.stack([rewards, -rewards], axis=1).ravel(), n)
        self._model.set_reward("tune", self._rewards)

    def read(self, fired: NDArray[np.int32], n_steps: int) -> None:
        """Take the spikes of n_steps steps together."""
        config = self._config
        pools = (
            fired[(fired >= self._first) & (fired < self._first + self._rewards.size)] - self._first
        ) // config.neurons
        counts = np.bincount(pools, minlength=self._rates.size)
        keep = self._keep**n_steps
        per_hz = 1e3 / (self._model.dt_ms * n_steps * config.neurons)
        self._rates *= keep
        self._rates += (1.0 - keep) * per_hz * counts
        difference = (self._rates[0::2] - self._rates[1::2]) / config.scale_hz
        self.figures[:] = np.minimum(np.maximum(difference, -1.0), 1.0)
