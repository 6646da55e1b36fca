"""The controller of a walking robot: the drone's, with legs that feel and a velocity that can be commanded."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from neuro_robot.agents.controller import Controller
from neuro_robot.agents.walker import WalkerMind, build_network
from neuro_robot.applied import Applied
from neuro_robot.robot import BodyCommand, Imu, LegSense, stop_command
from neuro_robot.snn.faults_text import inject_text
from neuro_robot.snn.network import Network

WISH_NS = 500_000_000  # a commanded velocity counts so long


class LegController(Controller):
    """Answers packets with joint positions; walks straight on at the mind's speed unless somebody commands a velocity.

    A commanded velocity that is not renewed stops the robot: whoever steered it is gone.
    """

    agent: ClassVar[str] = "walker"

    def __init__(self, config: Any, seed: int) -> None:  # noqa: ANN401 - WalkerMindConfig
        super().__init__(config, seed)
        self._seed = seed
        self._wish: BodyCommand | None = None
        self._renewed = False
        self._renewed_ns = 0
        self.gait: dict[str, float] = {}  # how it steps now
        self.applied: Applied | None = None  # what it goes by, since when
        self.halted = ""  # why it stands whatever is wished; empty: it does not
        self._faults = str(config.faults)
        self._recorded: deque[Applied] | None = None  # what to follow
        self._followed_ns = -1

    def follow(self, recorded: Iterable[Applied]) -> None:
        """Go by what a recording says was applied, from the same packets on, and by nobody's `walk`."""
        self._recorded = deque(recorded)

    def break_by(self, faults: str, seed: int) -> None:
        """Inject the faults of a text, see snn.faults_text; ConfigError, with nothing changed, for one that is none."""
        inject_text(self.mind.network, faults, seed)
        self._faults = faults

    def new_flight(self) -> None:
        """As the drone's; says anew what it goes by. A velocity of the walk before counts no more."""
        super().new_flight()
        self.applied, self._followed_ns, self._renewed_ns = None, -1, -WISH_NS - 1

    def walk(self, wish: BodyCommand) -> None:
        """Walk at this velocity for WISH_NS from the next packet on; one that is not finite stops the robot."""
        if self._recorded is None:
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
        wish = self._wish_at(t_end_ns) if self._recorded is None else self._follow(self._recorded, t_end_ns)
        wish, mind = stop_command(t_end_ns) if self.halted else wish, self.mind
        told = Applied(t_end_ns, wish.vx, wish.vy, wish.yaw_rate, mind.gait, mind.learning, self._faults)
        if not told.same(self.applied):
            self.applied = told
        decision = mind.step(events, t_end_ns, imu, legs, wish)
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
        """As the drone's, and how it steps."""
        return super().diagnostics() | {f"gait_{name}": value for name, value in self.gait.items()}

    def _wish_at(self, t_ns: int) -> BodyCommand:
        if self._wish is None:
            return BodyCommand(t_ns, self.mind.config.speed, 0.0, 0.0, 0.0)
        if self._renewed:
            self._renewed, self._renewed_ns = False, t_ns
        return self._wish if 0 <= t_ns - self._renewed_ns <= WISH_NS else stop_command(t_ns)

    def _follow(self, recorded: deque[Applied], t_ns: int) -> BodyCommand:
        """Take up what the recording says for the packet that ends at t_ns; the velocity that counts."""
        while recorded and self._followed_ns < recorded[0].t_ns <= t_ns:
            told = recorded.popleft()
            self._followed_ns = told.t_ns  # the next walk's first one may bear the same time
            self._wish = BodyCommand(told.t_ns, told.vx, told.vy, 0.0, told.yaw_rate)
            if told.gait != self.mind.gait:
                self.mind.set_gait(told.gait)
            if told.faults != self._faults:
                self.break_by(told.faults, self._seed)
            self.mind.learning = told.learning
        self._followed_ns = t_ns
        return self._wish or BodyCommand(t_ns, self.mind.config.speed, 0.0, 0.0, 0.0)
