"""From the figures of the gait to where the joints go: velocity taken up, feet raised by the reflex, foot targets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neuro_robot.agents.cpg import Rhythm
from neuro_robot.agents.gait import GAITS, Steps, foot_targets
from neuro_robot.agents.kinematics import KinematicsConfig, joint_angles
from neuro_robot.agents.walk_tuning import FIGURES
from neuro_robot.config import parameter


@dataclass(frozen=True)
class StepConfig:
    """How the robot steps before it has learned anything, and how far learning may move that."""

    duty: float = parameter(0.55, "share of the cycle that a foot is on the ground", 0.5, 0.8)
    height: float = parameter(0.06, "height of the swing foot, m", 0.0, 0.3)
    height_range: float = parameter(0.05, "more step height by learning at most, m", 0.0, 0.3)
    stand: float = parameter(0.27, "height of the hips over the feet, m", 0.05, 1.0)
    crouch_range: float = parameter(0.05, "crouch by learning at most, m", 0.0, 0.3)
    stride: float = parameter(1.2, "stride as a multiple of what the speed needs; the joints yield", 0.1, 3.0)
    stride_range: float = parameter(0.7, "more or less of it by learning at most", 0.0, 2.0)
    turn_range: float = parameter(0.6, "turn rate by heading spikes at most, rad/s", 0.0, 3.0)
    sidestep: float = parameter(0.15, "a foot comes down so far sideways per lateral speed (Raibert), s", 0.0, 1.0)
    stumble: float = parameter(0.01, "a foot is raised so far per recent spike of its reflex cell, m", 0.0, 0.2)
    stumble_ms: float = parameter(150.0, "how long the reflex lasts, ms", 1.0, 2000.0)
    change_ms: float = parameter(
        300.0, "time constant of taking up another gait's duty, tempo and track, ms", 1.0, 5000.0
    )
    max_speed: float = parameter(1.0, "a faster wish is limited to this, m/s; the A1 falls at 1.2", 0.05, 5.0)
    max_sideways: float = parameter(0.4, "the same sideways, m/s; the A1 falls at 0.7", 0.0, 3.0)
    max_turn: float = parameter(1.5, "the same for turning, rad/s", 0.0, 6.0)
    start_ms: float = parameter(500.0, "time constant of taking up a commanded velocity, ms", 1.0, 5000.0)


class Stepping:
    """The feet. targets (4, 3): m, in the hip frames; velocity (3,): vx, vy, yaw rate taken up so far.

    duty: share of the cycle on the ground; like tempo and track it follows a change of gait smoothly.
    """

    def __init__(self, config: StepConfig, kinematics: KinematicsConfig) -> None:
        self._config, self._hip = config, kinematics.hip
        self._manner = np.zeros(3)  # duty, frequency Hz, sideways offset of the feet m
        self._links, self._hips = kinematics.links(), kinematics.hips()
        self._raised, self.targets, self.velocity = np.zeros(4), np.zeros((4, 3)), np.zeros(3)

    @property
    def duty(self) -> float:
        """Share of the cycle on the ground, now."""
        return float(self._manner[0])

    def reset(self, rhythm: Rhythm) -> None:
        """Standing, about to walk in the rhythm's gait."""
        self._manner[:] = self._wanted_manner(rhythm)
        self._raised[:], self.velocity[:], self.targets[:] = 0.0, 0.0, 0.0

    def lift(self, struck: NDArray[np.int32], dt_ms: float) -> None:
        """The stumbling reflex over dt_ms: every spike of a reflex cell (struck: its leg) raises the foot a while."""
        config = self._config
        self._raised *= np.exp(-dt_ms / config.stumble_ms)
        np.add.at(self._raised, struck, config.stumble)
        np.minimum(self._raised, 3.0 * config.stumble, out=self._raised)

    def move(
        self, wanted: NDArray[np.float64], walking: bool, figures: NDArray[np.float64], rhythm: Rhythm, dt_ms: float
    ) -> Steps:
        """Take up the wanted velocity (vx, vy, yaw rate) and gait for dt_ms; the figures as walked now."""
        config, figure = self._config, dict(zip(FIGURES, figures.tolist(), strict=True))
        self.velocity += (wanted - self.velocity) * min(dt_ms / config.start_ms, 1.0)
        self._manner += (self._wanted_manner(rhythm) - self._manner) * min(dt_ms / config.change_ms, 1.0)
        vx, vy, turn = self.velocity.tolist()
        coupling = round(4.0 * 1.5 ** figure["coupling"]) / 4.0
        if coupling != rhythm.coupling:
            rhythm.set_coupling(coupling)
        return Steps(
            vx,
            vy,
            turn + (config.turn_range * figure["turn"] if walking else 0.0),
            config.stride + config.stride_range * figure["stride"],
            config.height + max(config.height_range * figure["height"], -0.3 * config.height),
            config.stand - max(config.crouch_range * figure["crouch"], 0.0),
            float(self._manner[0]),
            float(self._manner[1]),
        )

    def angles(self, steps: Steps, rhythm: Rhythm, lateral_speed: float) -> tuple[float, ...]:
        """Put the feet where the phases say, further out when the body drifts sideways; the 12 joint angles."""
        shift = np.zeros((4, 2))
        shift[:, 1] = self._config.sidestep * (lateral_speed - steps.vy)
        np.clip(shift, -0.08, 0.08, out=shift)
        self.targets[:] = foot_targets(
            rhythm.phases, rhythm.sizes, tuple(steps), self._raised, shift, self._hips, float(self._manner[2])
        )
        return tuple(joint_angles(self.targets, self._links).ravel().tolist())

    def _wanted_manner(self, rhythm: Rhythm) -> NDArray[np.float64]:
        return np.array([rhythm.duty, rhythm.frequency, max(self._hip - GAITS[rhythm.gait].inward, 0.0)])
