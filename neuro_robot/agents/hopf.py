"""What spikes have to beat: an open loop of amplitude-controlled Hopf oscillators, published equations and gains.

    r'' = a (a / 4 (mu - r) - r')        theta_i' = omega_i + sum_j w r_j sin(theta_j - theta_i - phi_ij)
    omega = 2 pi swing_hz while sin theta > 0, else 2 pi stance_hz
    x = -L r cos theta        z = -h + g_c sin theta (swing), -h + g_p sin theta (stance)

Same inverse kinematics and joint controller as the spiking walker, and the same smooth start; L gives the wished speed:
v = 4 L stance_hz.
Sources: Righetti and Ijspeert, ICRA 2008 (phases, swing and stance); Bellegarda and Ijspeert, CPG-RL, RA-L 7, 2022
(amplitude, a = 150, foot map); gains and h, g_c, g_p of the EPFL course on legged robots.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from neuro_robot.agents.gait import GAITS
from neuro_robot.agents.kinematics import SIDES, KinematicsConfig, joint_angles
from neuro_robot.config import group, parameter
from neuro_robot.events.array import empty_events
from neuro_robot.events.packet import EventPacket, StreamDecoder
from neuro_robot.robot import BodyCommand, Imu, JointCommand, LegSense

DT_S = 1e-3
MAX_STEPS = 200  # a longer silence than 0.2 s is a gap


@dataclass(frozen=True)
class HopfConfig:
    """Oscillators and foot map."""

    speed: float = parameter(0.6, "forward speed unless somebody commands a velocity, m/s", 0.0, 2.0)
    gait: str = parameter("trot", "trot, walk, pace or bound", choices=tuple(GAITS))
    swing_hz: float = parameter(5.0, "frequency of the swing half of a cycle, Hz", 0.1, 10.0)
    stance_hz: float = parameter(2.0, "frequency of the stance half of a cycle, Hz", 0.1, 10.0)
    convergence: float = parameter(150.0, "a, 1/s: how fast the amplitude follows", 1.0, 1000.0)
    coupling: float = parameter(1.0, "w, 1/s: how fast the legs follow each other", 0.0, 100.0)
    stand: float = parameter(0.25, "h, m", 0.05, 1.0)
    clearance: float = parameter(0.05, "g_c, m", 0.0, 0.3)
    penetration: float = parameter(0.01, "g_p, m", 0.0, 0.1)
    start_ms: float = parameter(500.0, "time constant of taking up a commanded velocity, ms", 1.0, 5000.0)
    longest: float = parameter(0.15, "largest L, m", 0.0, 1.0)
    kinematics: KinematicsConfig = group(KinematicsConfig)


class HopfReply(NamedTuple):
    """The answer to one packet; there are no spikes."""

    command: JointCommand
    spikes: NDArray[np.void]
    events: NDArray[np.void]


class HopfWalker:
    """Walks in an open loop; feels and sees nothing."""

    def __init__(self, config: HopfConfig, _seed: int) -> None:
        self.config = config
        self.decoder = StreamDecoder()
        self._lags = 2.0 * np.pi * GAITS[config.gait].lags
        self._hips, self._links = config.kinematics.hips(), config.kinematics.links()
        self._wish: BodyCommand | None = None
        self.new_flight()

    def new_flight(self) -> None:
        """Standing, at the gait's phases."""
        self.decoder = StreamDecoder()
        self.state = np.zeros((3, 4))  # theta, r, r'
        self.state[0] = -self._lags
        self._t_ns = -1
        self._velocity = np.zeros(3)  # taken up so far

    def walk(self, wish: BodyCommand) -> None:
        """Walk at this velocity from now on."""
        self._wish = wish

    def receive(self, packet: EventPacket, imu: Imu | None = None, legs: LegSense | None = None) -> HopfReply:
        """Answer one packet."""
        decoded = self.decoder.decode(packet)
        wish = self._wish or BodyCommand(decoded.t_end_ns, self.config.speed, 0.0, 0.0, 0.0)
        return HopfReply(self.step(decoded.events, decoded.t_end_ns, imu, legs, wish), empty_events(), decoded.events)

    def step(self, _events: Any, t_end_ns: int, _imu: Any, _legs: Any, wish: BodyCommand) -> JointCommand:  # noqa: ANN401
        """Advance the oscillators to t_end_ns and say where the joints shall go; only the wish matters."""
        config = self.config
        steps = (t_end_ns - self._t_ns) // 1_000_000 if 0 <= self._t_ns <= t_end_ns else 1
        self._t_ns = t_end_ns
        wanted = np.array([wish.vx, wish.vy, wish.yaw_rate])
        if not np.isfinite(wanted).all():
            wanted[:] = 0.0
        walking = bool(np.abs(wanted).max() > 0.0)
        figures = (config.convergence, config.coupling, config.swing_hz, config.stance_hz, float(walking))
        steps = min(max(int(steps), 0), MAX_STEPS)
        _oscillate(self.state, self._lags, figures, steps)
        velocity = self._velocity = wanted + (self._velocity - wanted) * math.exp(-1e3 * DT_S * steps / config.start_ms)
        theta, r = self.state[0], self.state[1]
        offset = config.kinematics.hip * SIDES
        x, y = self._hips[:, 0], self._hips[:, 1] + offset
        limit, half = config.longest, 0.25 / config.stance_hz
        along = np.clip((velocity[0] - velocity[2] * y) * half, -limit, limit) if walking else np.zeros(4)
        aside = np.clip((velocity[1] + velocity[2] * x) * half, -limit, limit) if walking else np.zeros(4)
        sine = np.sin(theta)
        rise = np.where(sine > 0.0, config.clearance, config.penetration) * np.minimum(r, 1.0)
        feet = np.stack([-along * r * np.cos(theta), offset - aside * r * np.cos(theta), rise * sine - config.stand], 1)
        return JointCommand(t_end_ns, tuple(joint_angles(feet, self._links).ravel().tolist()))


@njit(cache=True)
def _oscillate(
    state: NDArray[np.float64], lags: NDArray[np.float64], figures: tuple[float, float, float, float, float], steps: int
) -> None:
    a, w, swing, stance, mu = figures
    for _ in range(steps):
        theta, r = state[0].copy(), state[1].copy()
        for i in range(4):
            rate = 2.0 * math.pi * (swing if math.sin(theta[i]) > 0.0 else stance)
            for j in range(4):
                rate += w * r[j] * math.sin(theta[j] - theta[i] + lags[j] - lags[i])
            state[0, i] = (theta[i] + rate * DT_S) % (2.0 * math.pi)
            state[2, i] += a * (0.25 * a * (mu - r[i]) - state[2, i]) * DT_S
            state[1, i] = r[i] + state[2, i] * DT_S
