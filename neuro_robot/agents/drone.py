"""The drone's mind: event columns in, spikes through a plastic layer, a body velocity out.

    retina (event counts, far and near band) -> column (LIF) -> motor (LIF, half steer left, half steer right)

How the synapses column -> motor learn is told in `agents/avoidance.py`, which every body shares.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuro_robot.agents.avoidance import Avoidance, NetworkConfig, PlasticityConfig, add_avoidance
from neuro_robot.agents.columns import NEAR, ColumnView, VisionConfig
from neuro_robot.agents.course import Course, CourseConfig
from neuro_robot.agents.mind_config import MindConfig
from neuro_robot.agents.reward import RewardConfig
from neuro_robot.config import group, parameter
from neuro_robot.events.array import empty_events
from neuro_robot.robot import BodyCommand, Imu
from neuro_robot.snn.network import Network

DT_MS = 1.0
DT_NS = 1_000_000

MAX_STEPS = 200  # a longer silence than 0.2 s is a gap, not flight: the network skips it


@dataclass(frozen=True)
class DroneMindConfig(MindConfig):
    """Everything that makes one drone's mind differ from another's."""

    speed: float = parameter(5.0, "commanded forward speed, m/s", 0.0, 25.0)
    vision: VisionConfig = group(VisionConfig)
    network: NetworkConfig = group(NetworkConfig)
    plasticity: PlasticityConfig = group(PlasticityConfig)
    reward: RewardConfig = group(RewardConfig)
    course: CourseConfig = group(CourseConfig)


class Decision(NamedTuple):
    """What the mind says after one packet."""

    command: BodyCommand
    spikes: NDArray[np.void]  # EVENT_DTYPE, x = neuron, y = layer
    reward: float  # mean over the packet's steps, positive for steering right


def build_network(config: DroneMindConfig, rng: np.random.Generator) -> Network:
    """The drone's network with random plastic weights."""
    network = Network(dt_ms=DT_MS)
    add_avoidance(network, config, rng)
    return network


class DroneMind:
    """Steers a drone from events; learns while it does."""

    def __init__(self, config: DroneMindConfig, seed: int) -> None:
        self.config = config
        options = {} if config.arithmetic == "integer" else {"arithmetic": config.arithmetic}
        self.network = build_network(config, np.random.default_rng(seed)).compile(config.backend, **options)
        self.network.learning = config.learning
        self.avoidance = Avoidance(config, self.network, np.random.default_rng([seed, config.shuffle_seed]))
        self._t_ns = -1

    @property
    def view(self) -> ColumnView | None:
        """Where the camera looks, once its geometry is known."""
        return self.avoidance.view

    @property
    def course(self) -> Course:
        """Where the drone is going."""
        return self.avoidance.course

    @property
    def expected_reward(self) -> float:
        """Slow mean of what was felt; learned, so it outlasts the flight."""
        return self.avoidance.expected_reward

    @expected_reward.setter
    def expected_reward(self, value: float) -> None:
        self.avoidance.expected_reward = value

    def look_through(self, width: int, height: int) -> None:
        """Fix the camera's geometry, pixels."""
        self.avoidance.look_through(width, height)

    @property
    def learning(self) -> bool:
        """Whether the plastic synapses change."""
        return self.network.learning

    @learning.setter
    def learning(self, on: bool) -> None:
        self.network.learning = on

    def new_flight(self) -> None:
        """Forget where the robot was and what it saw; keep what it learned."""
        self.network.reset_state()
        self.avoidance.reset()
        self._t_ns = -1

    def step(self, events: NDArray[np.void], t_end_ns: int, imu: Imu | None) -> Decision:
        """Advance the network to t_end_ns over the events since the last call and say what to do."""
        if self.view is None:
            raise RuntimeError("call look_through(width, height) first: the camera's geometry is not known")
        if self._t_ns < 0 or not 0 <= t_end_ns - self._t_ns <= MAX_STEPS * DT_NS:
            self._t_ns = t_end_ns - t_end_ns % DT_NS - DT_NS  # the first packet, or a gap: no time to catch up
        n_steps = (t_end_ns - self._t_ns) // DT_NS
        counts = self.avoidance.count(events, self._t_ns, n_steps, imu)
        spikes = [empty_events()]
        rewards = 0.0
        for row in counts:
            self._t_ns += DT_NS
            rewards += self.avoidance.reinforce(row[NEAR])
            fired = self.network.step(row.reshape(-1))
            self.avoidance.take(fired)
            spikes.append(self.network.spike_events(fired, self._t_ns))
        command = BodyCommand(t_end_ns, self.config.speed, self.course.lateral, 0.0, 0.0)
        return Decision(command, np.concatenate(spikes), rewards / max(n_steps, 1))
