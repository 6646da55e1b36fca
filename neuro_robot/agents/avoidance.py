"""Turning away from what looms: what every body's mind shares, from event columns to a wish to go sideways.

    retina (event counts, far and near band) -> column (LIF) -> motor (LIF, half steer left, half steer right)

The synapses column -> motor learn by reward-modulated STDP while the robot moves: a pre-before-post pair leaves an
eligibility trace of most of a second, and when the object that excited the column looms near, left or right of the
course, the signed reward strengthens the motor side that turns away and weakens the other. So early, weak activity in
the far band comes to predict the late looming in the near band (Porr and Woergoetter, "Isotropic sequence order
learning", Neural Computation 15, 2003; sign per motor side as in Bing et al., ICRA 2018). The motor sides inhibit
each other, so that two equal sides still end in one decision (winner takes all).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from neuro_robot.agents.columns import ColumnView, VisionConfig, levelling, steadiness
from neuro_robot.agents.course import Course, CourseConfig
from neuro_robot.agents.reward import LoomingReward, RewardConfig
from neuro_robot.config import parameter
from neuro_robot.robot import Imu
from neuro_robot.snn.backends.base import Model
from neuro_robot.snn.network import LIF, STDP, Network

DT_MS = 1.0
DT_NS = 1_000_000
PAST_KEPT = 2_000_000  # rewards to shuffle, one each ms; then the older half goes
SCALING_STEPS = 100  # every 0.1 s the incoming weights of each motor neuron are scaled back to their sum


@dataclass(frozen=True)
class NetworkConfig:
    """Neurons and fixed synapses."""

    retina_gain: float = parameter(0.1, "weight of one event onto its column neuron", 0.0, 10.0)
    motor_neurons: int = parameter(8, "motor neurons a side", 1, 256)
    motor_bias: float = parameter(
        1.05, "constant drive of a motor neuron; above 1 it explores by firing on its own", 0.0, 10.0
    )
    rivalry: float = parameter(0.2, "inhibition of one motor side by the other (winner takes all)", 0.0, 10.0)
    motor_gain: float = parameter(
        0.16, "lateral share of the speed per spike of difference in the motor trace", 0.0, 100.0
    )
    motor_tau_ms: float = parameter(50.0, "time constant of the motor trace, ms", 1.0, 1000.0)


@dataclass(frozen=True)
class PlasticityConfig:
    """Reward-modulated STDP of the synapses column -> motor."""

    rate: float = parameter(1e-6, "learning rate, weight per ms, unit of reward and eligibility", 0.0, 10.0)
    a_plus: float = parameter(1.0, "eligibility of a pre-before-post pair", 0.0, 10.0)
    a_minus: float = parameter(0.2, "eligibility lost by a post-before-pre pair", 0.0, 10.0)
    tau_stdp_ms: float = parameter(20.0, "time constant of both STDP windows, ms", 1.0, 1000.0)
    tau_eligibility_ms: float = parameter(500.0, "time constant of the eligibility trace, ms", 1.0, 5000.0)
    w_init: float = parameter(
        0.1, "mean of the uniform random initial weights, and what scaling keeps it at", 0.0, 10.0
    )
    w_max: float = parameter(0.4, "upper weight bound (lower is 0)", 0.0, 10.0)


class AvoidanceConfig(Protocol):
    """The groups of a mind's configuration that concern avoidance."""

    @property
    def speed(self) -> float: ...
    @property
    def reward_mode(self) -> str: ...
    @property
    def vision(self) -> VisionConfig: ...
    @property
    def network(self) -> NetworkConfig: ...
    @property
    def plasticity(self) -> PlasticityConfig: ...
    @property
    def reward(self) -> RewardConfig: ...
    @property
    def course(self) -> CourseConfig: ...


def add_avoidance(network: Network, config: AvoidanceConfig, rng: np.random.Generator) -> None:
    """Add the layers retina (lines), column and motor, with random plastic weights."""
    n_cells, n = 2 * config.vision.n_columns, config.network.motor_neurons
    plasticity = config.plasticity
    network.add_input("retina", n_cells)
    network.add_lif("column", n_cells, LIF(tau_mem_ms=20.0, tau_syn_ms=0.0, v_th=1.0, t_ref_ms=2.0))
    motor = LIF(tau_mem_ms=20.0, tau_syn_ms=5.0, v_th=1.0, t_ref_ms=2.0, bias=config.network.motor_bias)
    network.add_lif("motor", 2 * n, motor)
    network.connect("retina", "column", np.where(np.eye(n_cells) > 0, config.network.retina_gain, np.nan))
    stdp = STDP(
        a_plus=plasticity.a_plus,
        a_minus=plasticity.a_minus,
        tau_plus_ms=plasticity.tau_stdp_ms,
        tau_minus_ms=plasticity.tau_stdp_ms,
        tau_eligibility_ms=plasticity.tau_eligibility_ms,
        learning_rate=plasticity.rate,
        w_min=0.0,
        w_max=plasticity.w_max,
    )
    start = rng.uniform(0.0, 2.0 * plasticity.w_init, (n_cells, 2 * n))
    network.connect("column", "motor", start, rule=stdp, name="steer")
    rival = np.full((2 * n, 2 * n), np.nan)
    rival[:n, n:] = rival[n:, :n] = -config.network.rivalry / n
    network.connect("motor", "motor", rival, name="rivalry")


class Avoidance:
    """The running avoidance layers of a mind: event counts and rewards in, motor spikes to a course."""

    def __init__(self, config: AvoidanceConfig, network: Model, shuffle: np.random.Generator) -> None:
        self._config, self._network, self._shuffle = config, network, shuffle
        self.course = Course(config.course, config.speed)
        self.view: ColumnView | None = None
        self._trace = np.zeros(2)
        self._steps = 0
        self._past: list[float] = []
        self.expected_reward = 0.0  # slow mean of what was felt; learned, so it outlasts the run
        self._motor_reward = np.zeros(2 * config.network.motor_neurons, np.float32)
        self._motor_first = network.layer_slices["motor"].start

    def look_through(self, width: int, height: int) -> ColumnView:
        """Fix the camera's geometry, pixels; returns the view."""
        self.view = ColumnView(self._config.vision, width, height)
        self._reward = LoomingReward(self._config.reward, self.view.azimuths)
        return self.view

    def reset(self) -> None:
        """Forget where the robot was and what it saw; keep what it learned."""
        self.course.reset()
        self._trace[:] = 0.0
        if self.view is not None:
            self._reward.rates_khz[:] = 0.0

    def count(self, events: NDArray[np.void], t_ns: int, n_steps: int, imu: Imu | None) -> NDArray[np.float32]:
        """(n_steps, 2, columns) graded input of the retina from t_ns on. Raises RuntimeError before look_through."""
        if self.view is None:
            raise RuntimeError("call look_through(width, height) first: the camera's geometry is not known")
        counts = self.view.count(events, t_ns, DT_NS, n_steps, levelling(imu), self.course.azimuth)
        counts *= np.float32(steadiness(imu, self._config.vision.suppression_rad_s))
        return counts

    def rest(self) -> None:
        """Nothing is looked at: no reward, or the last one would go on teaching."""
        if self._motor_reward.any():
            self._motor_reward[:] = 0.0
            self._network.set_reward("motor", self._motor_reward)

    def take(self, fired: NDArray[np.int32]) -> None:
        """Take the spikes of one step: steer, and scale the weights when it is time."""
        self._steer(fired)
        self._scale()

    def reinforce(self, near: NDArray[np.float32]) -> float:
        """Turn this step's looming into the reward of each motor side; returns what was felt.

        The synapses get the reward less its slow mean (reward-modulated STDP with a critic, Fremaux and Gerstner,
        Frontiers in Neural Circuits 9:85, 2016). Without it a chance lead of one side grows: who often turns right
        has more obstacles on the left, which rewards turning right.
        """
        reward = self._reward.step(near, DT_MS)
        if self._config.reward_mode == "shuffled":
            if len(self._past) == PAST_KEPT:
                del self._past[: PAST_KEPT // 2]
            self._past.append(reward)
            reward = self._past[int(self._shuffle.integers(len(self._past)))] * self._shuffle.choice((-1.0, 1.0))
        surprise = reward - self.expected_reward
        self.expected_reward += surprise * DT_MS / self._config.reward.tau_mean_ms
        n = self._config.network.motor_neurons
        self._motor_reward[:n] = -surprise  # what looms on the left should have been answered by the right side
        self._motor_reward[n:] = surprise
        self._network.set_reward("motor", self._motor_reward)
        return reward

    def _scale(self) -> None:
        """Homeostasis: a motor neuron's synapses compete for a constant sum, so that neither side can take all.

        Multiplicative synaptic scaling (Turrigiano, Cell 135, 2008), from time to time as the biology has it.
        """
        self._steps += 1
        if self._steps % SCALING_STEPS or not self._network.learning:
            return
        weights = self._network.weights("steer")
        target = self._config.plasticity.w_init * len(weights)
        weights *= target / np.maximum(weights.sum(axis=0), 1e-6)
        self._network.set_weights("steer", np.minimum(weights, self._config.plasticity.w_max))

    def _steer(self, fired: NDArray[np.int32]) -> None:
        """Motor spikes become a lateral speed."""
        config = self._config.network
        first, right = self._motor_first, self._motor_first + config.motor_neurons
        self._trace *= math.exp(-DT_MS / config.motor_tau_ms)
        self._trace[0] += np.count_nonzero((fired >= first) & (fired < right))
        self._trace[1] += np.count_nonzero((fired >= right) & (fired < right + config.motor_neurons))
        wish = self._config.speed * config.motor_gain * float(self._trace[0] - self._trace[1]) / config.motor_neurons
        self.course.steer(wish, DT_MS)
