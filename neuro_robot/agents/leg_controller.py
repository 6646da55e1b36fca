"""The controller of a walking robot: the drone's, with legs that feel and a velocity that can be commanded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from neuro_robot.agents.controller import Controller
from neuro_robot.agents.walker import WalkerMind, build_network
from neuro_robot.applied import Applied, Steered
from neuro_robot.errors import BagError
from neuro_robot.robot import BodyCommand, Imu, LegSense, stop_command
from neuro_robot.snn.network import Network

WISH_NS = 500_000_000  # a commanded velocity counts so long


class LegController(Controller):
    """Answers packets with joint positions; walks straight on at the mind's speed unless somebody commands a velocity.

    A commanded velocity that is not renewed stops the robot: whoever steered it is gone.
    """

    agent: ClassVar[str] = "walker"

    def __init__(self, config: Any, seed: int) -> None:  # noqa: ANN401 - WalkerMindConfig
        super().__init__(config, seed)
        self._wish: BodyCommand | None = None
        self._renewed = False
        self._renewed_ns = 0
        self._goes = stop_command(0)  # the velocity that counts for this packet
        self.gait: dict[str, float] = {}  # how it steps now
        self.halted = ""  # why it stands whatever is wished; empty: it does not

    def new_flight(self) -> None:
        """As the drone's. A velocity of the walk before counts no more."""
        super().new_flight()
        self._renewed_ns = -WISH_NS - 1

    def walk(self, wish: BodyCommand) -> None:
        """Walk at this velocity for WISH_NS from the next packet on; one that is not finite stops the robot."""
        if not self.follows:
            self._wish, self._renewed = wish if wish.is_finite() else stop_command(wish.t_ns), True

    @staticmethod
    def make_mind(config: Any, seed: int) -> Any:  # noqa: ANN401 - as Controller
        """The walker's mind."""
        return WalkerMind(config, seed)

    @staticmethod
    def make_network(config: Any) -> Network:  # noqa: ANN401
        """The walker's network."""
        return build_network(config, np.random.default_rng(0))

    def decide(self, events: NDArray[np.void], t_end_ns: int, imu: Imu | None, legs: LegSense | None) -> Any:  # noqa: ANN401
        """Walk on by the wish; its decision's command is a JointCommand."""
        decision = self.mind.step(events, t_end_ns, imu, legs, self._goes)
        steps = decision.steps
        self.gait = {
            "step_height_m": float(steps.height),
            "stride": float(steps.stride),
            "stand_m": float(steps.stand),
            "turn_rad_s": float(steps.yaw_rate),
            "coupling": float(decision.coupling),
        }
        return decision

    def load(self, path: str | Path) -> None:
        """As the drone's; the gait's own synapses are then set anew, since a file holds those of the gait it was in."""
        super().load(path)
        self.mind.new_flight()

    def diagnostics(self) -> dict[str, float]:
        """As the drone's, how it steps, and what it feels: speed in m/s, tilt rate in rad/s, over the last 2 s."""
        felt = {"felt_speed": float(self.mind.feel.progress), "felt_tilt_rate": float(self.mind.feel.tilt_rate)}
        return super().diagnostics() | felt | {f"gait_{name}": value for name, value in self.gait.items()}

    def steering(self, t_ns: int) -> Steered:
        """The velocity that counts, and the gait."""
        wish = self._wish_at(t_ns)
        self._goes = stop_command(t_ns) if self.halted else wish
        return Steered(self._goes.vx, self._goes.vy, self._goes.yaw_rate, self.mind.gait)

    @property
    def changes(self) -> dict[str, Callable[[str], None]]:
        """As the drone's, and the gait."""
        return super().changes | {"gait": self.mind.set_gait}

    def take_up(self, told: Applied) -> None:
        """As the drone's; goes by the recorded velocity until the recording says otherwise."""
        super().take_up(told)
        if told.steered is not None:
            vx, vy, yaw_rate, gait = told.steered
            if gait != self.mind.gait:
                raise BagError(f"diagnostics at {told.t_ns} ns: expected the gait {gait!r} after what was done, got "
                               f"{self.mind.gait!r}; the bag does not begin where the run began")  # fmt: skip
            self._wish = BodyCommand(told.t_ns, vx, vy, 0.0, yaw_rate)

    def _wish_at(self, t_ns: int) -> BodyCommand:
        if self._wish is None:
            return BodyCommand(t_ns, self.mind.config.speed, 0.0, 0.0, 0.0)
        if self.follows:
            return self._wish
        if self._renewed:
            self._renewed, self._renewed_ns = False, t_ns
        return self._wish if 0 <= t_ns - self._renewed_ns <= WISH_NS else stop_command(t_ns)
