"""The walker's mind: one spiking network that steps, feels, learns how to step, and turns away from what it sees.

drive, touch -> cpg (agents.cpg) -> phases -> foot targets (agents.gait) -> inverse kinematics -> joint positions
nerve -> feel --plastic--> tune (agents.walk_tuning) -> step height, stride, crouch, coupling, turn
obstacle -> reflex (stumbling raises the foot)          retina -> column --plastic--> motor (agents.avoidance)
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuro_robot.agents.avoidance import Avoidance, add_avoidance
from neuro_robot.agents.columns import NEAR, ColumnView
from neuro_robot.agents.course import Turning
from neuro_robot.agents.cpg import Rhythm, add_cpg
from neuro_robot.agents.gait import GAITS, Steps, gait_at, gaits_of
from neuro_robot.agents.stepping import Stepping
from neuro_robot.agents.walk_feel import Feel
from neuro_robot.agents.walk_tuning import FIGURES, Tuning, add_tuning
from neuro_robot.agents.walker_config import WalkerMindConfig
from neuro_robot.robot import BodyCommand, Imu, JointCommand, LegSense
from neuro_robot.snn.network import LIF, Network

DT_MS = 1.0
DT_NS = 1_000_000
MAX_STEPS = 200  # a longer silence than 0.2 s is a gap, not walking: the network skips it
SLOWEST = 0.02  # m/s or rad/s; a smaller wish is a wish to stand


class WalkDecision(NamedTuple):
    """What the mind says after one packet."""

    command: JointCommand
    spikes: NDArray[np.void]  # EVENT_DTYPE, x = neuron, y = layer
    reward: float  # mean of the gait's rewards, positive for more
    steps: Steps  # as walked now
    feet: NDArray[np.float64]  # (4, 3) targets in the hip frames, m
    phases: NDArray[np.float64]  # (4,) cycles
    coupling: float  # as a multiple of the configured one


def build_network(config: WalkerMindConfig, rng: np.random.Generator) -> Network:
    """The walker's network with random plastic weights; input lines: retina, drive, touch, obstacle, nerve."""
    network = Network(dt_ms=DT_MS)
    add_avoidance(network, config, rng)
    add_cpg(network, config.cpg, gaits_of(config.gait)[0].gait, config.step.duty, rng)
    network.add_input("obstacle", 4)
    network.add_lif("reflex", 4, LIF(tau_mem_ms=10.0, tau_syn_ms=0.0, v_th=1.0, t_ref_ms=20.0))
    network.connect("obstacle", "reflex", np.where(np.eye(4) > 0, 0.3, np.nan), name="obstacle")
    add_tuning(network, config.tuning, rng)
    return network


class WalkerMind:
    """Walks by a commanded velocity; learns while it does."""

    def __init__(self, config: WalkerMindConfig, seed: int) -> None:
        self.config = config
        options: dict[str, Any] = {} if config.arithmetic == "integer" else {"arithmetic": config.arithmetic}
        self.network = build_network(config, np.random.default_rng(seed)).compile(config.backend, **options)
        self.network.learning = config.learning
        self.gait = config.gait  # as text
        self._gaits = gaits_of(config.gait)
        self.rhythm = Rhythm(config.cpg, self.network, self._gaits[0].gait, config.step.duty)
        self.tuning = Tuning(config.tuning, self.network)
        self.feel = Feel(config.feel, config.kinematics)
        self._shuffle = np.random.default_rng([seed, config.shuffle_seed])
        self.avoidance = Avoidance(config, self.network, self._shuffle)
        self.turning = Turning(config.turning, config.speed)
        self.view: ColumnView | None = None
        self.stepping = Stepping(config.step, config.kinematics)
        self._fastest = np.array([config.step.max_speed, config.step.max_sideways, config.step.max_turn])
        self._row = np.zeros(sum(piece.stop - piece.start for piece in self.network.input_slices.values()), np.float32)
        self._past: list[NDArray[np.float64]] = []
        self.new_flight()

    @property
    def expected_reward(self) -> float:
        """The avoidance's slow mean of what was felt, kept with the weights."""
        return self.avoidance.expected_reward

    @expected_reward.setter
    def expected_reward(self, value: float) -> None:
        self.avoidance.expected_reward = value

    def look_through(self, width: int, height: int) -> None:
        """Fix the camera's geometry, pixels."""
        self.view = self.avoidance.look_through(width, height)

    @property
    def learning(self) -> bool:
        """Whether the plastic synapses change."""
        return self.network.learning

    @learning.setter
    def learning(self, on: bool) -> None:
        self.network.learning = on

    def set_gait(self, text: str) -> None:
        """Walk by this text (agents.gait) from the next packet on; its times count from the first packet.

        Before the first packet the walk begins with it, whether it is set before or after `new_flight`.
        """
        self._gaits, self.gait = gaits_of(text), text
        if self._begun_ns < 0:
            self._begin_gait()

    def new_flight(self) -> None:
        """Forget where the robot was and what it felt; keep what it learned."""
        self.network.reset_state()
        self.avoidance.reset()
        self.turning.reset()
        self.rhythm.reset()
        self.tuning.reset()
        self.feel.reset()
        self._begin_gait()
        self._t_ns = self._begun_ns = -1
        self._strikes = 0  # spikes of the reflex cells in the last packet

    def _begin_gait(self) -> None:
        """Stand, about to walk in the first of the gaits."""
        self.rhythm.set_gait(self._gaits[0].gait, 1.0)
        self.stepping.reset(self.rhythm)

    def step(
        self, events: NDArray[np.void], t_end_ns: int, imu: Imu | None, legs: LegSense | None, wish: BodyCommand
    ) -> WalkDecision:
        """Advance the network to t_end_ns over what came since the last call and say where the joints shall go."""
        if self.view is None:
            raise RuntimeError("call look_through(width, height) first: the camera's geometry is not known")
        if self._t_ns < 0 or not 0 <= t_end_ns - self._t_ns <= MAX_STEPS * DT_NS:
            self._t_ns = t_end_ns - t_end_ns % DT_NS - DT_NS  # the first packet, or a gap: no time to catch up
        n_steps = (t_end_ns - self._t_ns) // DT_NS
        self._follow_gaits(t_end_ns)
        wanted = np.array([wish.vx, wish.vy, wish.yaw_rate])
        if not np.isfinite(wanted).all():
            wanted[:] = 0.0
        np.clip(wanted, -self._fastest, self._fastest, out=wanted)
        walking = bool(np.abs(wanted).max() > SLOWEST)
        seeing = self.config.seeing and bool(wanted[0] > SLOWEST)
        if seeing:
            wanted[2] += self.turning.rate(self.avoidance.course.lateral, n_steps * DT_NS * 1e-9)
        self.feel.take(imu, legs, float(wanted[2]), n_steps * DT_NS * 1e-9)
        stepping = self.stepping
        self.feel.wish(float(stepping.velocity[0]), n_steps * DT_NS * 1e-9)
        speed = self.feel.wished
        self._sense(speed, walking, n_steps)
        reward = self._reinforce(speed) if walking else self._rest()
        spikes, fired = self._advance(events if seeing else None, n_steps, imu)
        if walking:  # standing, it stays as it is: the pools go on firing at random
            self.tuning.read(fired, max(n_steps, 1))
        stepping.lift(self._reflexes(fired), n_steps * DT_MS)
        steps = stepping.move(wanted, walking, self.tuning.figures, self.rhythm, n_steps * DT_MS)
        command = JointCommand(t_end_ns, stepping.angles(steps, self.rhythm, self.feel.speed[1]))
        phases = self.rhythm.phases.copy()
        return WalkDecision(command, spikes, reward, steps, stepping.targets.copy(), phases, self.rhythm.coupling)

    def _follow_gaits(self, t_end_ns: int) -> None:
        """Change to the gait whose time has come."""
        self._begun_ns = t_end_ns if self._begun_ns < 0 else self._begun_ns
        gait, duty, own = gait_at(self._gaits, t_end_ns - self._begun_ns), self.config.step.duty, self.stepping.duty
        if gait != self.rhythm.gait:
            self.rhythm.set_gait(gait)
        self.feel.usual, self.feel.odometry = GAITS[gait].swaying, GAITS[gait].odometry
        self.feel.hurry = (own / (1.0 - own)) / (duty / (1.0 - duty))

    def _sense(self, speed: float, walking: bool, n_steps: int) -> None:
        """Fill the input lines but the retina's."""
        lines, row = self.network.input_slices, self._row
        row[:] = 0.0
        row[lines["drive"]] = float(walking)
        struck = (
            self.feel.struck(self.stepping.targets, self.rhythm.phases, 1.0 - self.stepping.duty)
            if walking
            else np.zeros(4)
        )
        row[lines["obstacle"]] = struck
        row[lines["nerve"]] = self.tuning.nerve(self.feel, speed, walking, self._strikes, n_steps * DT_MS)

    def _reinforce(self, speed: float) -> float:
        """Reward the tuning pools; returns the mean."""
        rewards = self.tuning.rewards(self.feel, speed)
        if self.config.reward_mode == "shuffled":
            self._past.append(rewards)
            if len(self._past) > 20_000:
                del self._past[:10_000]
            past = self._past[int(self._shuffle.integers(len(self._past)))]
            rewards = past * self._shuffle.choice((-1.0, 1.0), past.size)
        self.tuning.reinforce(rewards)
        return float(rewards.mean())

    def _rest(self) -> float:
        """No reward while standing."""
        self.tuning.reinforce(np.zeros(len(FIGURES)))
        return 0.0

    def _advance(
        self, events: NDArray[np.void] | None, n_steps: int, imu: Imu | None
    ) -> tuple[NDArray[np.void], NDArray[np.int32]]:
        """Step the network over the packet; returns its spikes as events, and all together as neurons.

        events: what is seen; None: eyes shut.
        """
        row, retina = self._row, self.network.input_slices["retina"]
        touch = self.network.input_slices["touch"]
        row[touch] = self.feel.landed
        if events is None:
            self.avoidance.rest()
        counts = self.avoidance.count(events, self._t_ns, n_steps, imu) if events is not None else None
        found, spikes = [np.empty(0, np.int32)], []
        for k in range(n_steps):
            self._t_ns += DT_NS
            if counts is not None:
                self.avoidance.reinforce(counts[k][NEAR])
                row[retina] = counts[k].reshape(-1)
            fired = self.network.step(row)
            if counts is not None:
                self.avoidance.take(fired)
            self.rhythm.read(fired)
            found.append(fired)
            spikes.append(self.network.spike_events(fired, self._t_ns))
            row[touch] = 0.0
        return np.concatenate(spikes) if spikes else self.network.spike_events(found[0], 0), np.concatenate(found)

    def _reflexes(self, fired: NDArray[np.int32]) -> NDArray[np.int32]:
        """The legs whose reflex cells fired, one for each spike."""
        cells = self.network.layer_slices["reflex"]
        hit: NDArray[np.int32] = fired[(fired >= cells.start) & (fired < cells.stop)] - cells.start
        self._strikes = int(hit.size)
        return hit
