"""What a flight had to adapt to, and the reward of a flight over DDS, which its bag does not hold."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from neuro_robot.applied import Applied
from neuro_robot.bags.reader import BagReader
from neuro_robot.bags.replay import replay
from neuro_robot.bench.bodies import body_of
from neuro_robot.bench.pilots import mind_config
from neuro_robot.snn.faults_text import faults_of

if TYPE_CHECKING:
    from neuro_robot.bench.flight import FlightRequest

Floats = npt.NDArray[np.float64]


def shift_s(request: FlightRequest) -> float | None:
    """When the first fault of the flight that does not act from its beginning begins, s; None without one."""
    starts = [told.at_ms * 1e-3 for told in faults_of(str(request.mind.get("faults", ""))) if told.at_ms > 0]
    return min(starts, default=None)


def replayed_reward(bag: Path, request: FlightRequest, weights: Path) -> tuple[Floats, Floats]:
    """Time, s, and reward of the last flight of a bag, from its events through the same controller once more.

    weights: the file that the run began with. A flight in lockstep comes out to the bit.
    """
    watched = _Watched(request, weights)
    with BagReader(bag) as reader:
        replay(reader, watched)
    rows = np.array(watched.rows, np.float64).reshape(-1, 2)
    return rows[:, 0], rows[:, 1]


class _Watched:
    """A controller whose reward is written down."""

    def __init__(self, request: FlightRequest, weights: Path) -> None:
        seed = request.seed if request.mind_seed is None else request.mind_seed
        self._controller = body_of(request.robot).controller(mind_config(request), seed)
        self._controller.load(weights)
        self.rows: list[tuple[float, float]] = []

    def receive(self, *asked: Any) -> Any:  # noqa: ANN401 - as agents.controller.Controller
        """Answer one packet."""
        reply = self._controller.receive(*asked)
        self.rows.append((reply.command.t_ns * 1e-9, float(self._controller.reward)))
        return reply

    def follow(self, recorded: Sequence[Applied], beside: Path) -> None:
        """As agents.controller.Controller."""
        self._controller.follow(recorded, beside)

    def new_flight(self) -> None:
        """A new stream; only the last flight's rewards stay."""
        self.rows.clear()
        self._controller.new_flight()

    def weights(self) -> dict[str, npt.NDArray[Any]]:
        """Plastic weights."""
        told: dict[str, npt.NDArray[Any]] = self._controller.weights()
        return told
