"""The controller of a walking robot: the drone's, with legs that feel and a velocity that can be commanded."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from neuro_robot.agents.controller import Controller
from neuro_robot.agents.walker import WalkerMind, build_network
from neuro_robot.robot import BodyCommand, Imu, LegSense
from neuro_robot.snn.network import Network


class LegController(Controller):
    """Answers packets with joint positions. `wish` is the velocity to walk at; None: straight on at its own speed."""

    agent: ClassVar[str] = "walker"

    def __init__(self, config: Any, seed: int) -> None:  # noqa: ANN401 - WalkerMindConfig
        super().__init__(config, seed)
        self.wish: BodyCommand | None = None

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
        wish = self.wish or BodyCommand(t_end_ns, self.mind.config.speed, 0.0, 0.0, 0.0)
        return self.mind.step(events, t_end_ns, imu, legs, wish)
