"""Who can fly, and what is asked of a pilot: pilots by name, each built from a flight request."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from neuro_robot.bench.bodies import body_of
from neuro_robot.config import from_dict
from neuro_robot.errors import ConfigError
from neuro_robot.events.array import EVENT_DTYPE
from neuro_robot.events.packet import EventPacket
from neuro_robot.robot import BodyCommand, Command, Imu, LegSense

if TYPE_CHECKING:
    from neuro_robot.bench.flight import FlightRequest


class Reply(Protocol):
    """What a controller answers to a packet."""

    @property
    def command(self) -> Command:
        """What the robot shall do."""

    @property
    def spikes(self) -> np.ndarray:
        """EVENT_DTYPE, x = neuron, y = layer."""

    @property
    def events(self) -> np.ndarray:
        """EVENT_DTYPE, as decoded."""


class Pilot(Protocol):
    """Anything that turns an event packet, an IMU sample and what legs feel into a command."""

    def receive(self, packet: EventPacket, imu: Imu | None, legs: LegSense | None = None, /) -> Reply:
        """Answer one packet."""


class Recorder(Protocol):
    """Where a flight is written down while it happens (a bag)."""

    def observation(self, seen: Any, /) -> None:  # noqa: ANN401 - Observation, or what looks like one
        """The simulation took a step; the last one carries the outcome."""

    def reply(self, reply: Any, t_ns: int, /) -> None:  # noqa: ANN401 - Reply
        """The pilot answered at simulation time t_ns."""


class PilotReply(NamedTuple):
    """What a pilot without a network answers."""

    command: BodyCommand
    spikes: np.ndarray
    events: np.ndarray


class BlindPilot:
    """Flies straight on at one speed, whatever it sees: the row every other has to beat."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._nothing = np.empty(0, EVENT_DTYPE)

    def receive(self, packet: Any, imu: Any, _legs: Any = None) -> PilotReply:  # noqa: ANN401 - as Pilot
        """Straight on."""
        t_ns = max(int(packet.stamp_ns), int(imu.t_ns) if imu is not None else 0)
        return PilotReply(BodyCommand(t_ns, self._speed, 0.0, 0.0, 0.0), self._nothing, self._nothing)


def _blind(request: FlightRequest) -> Any:  # noqa: ANN401 - a Pilot
    return BlindPilot(request.speed)


def _potential_field(request: FlightRequest) -> Any:  # noqa: ANN401 - a Pilot
    from neuro_robot.agents.baselines import PotentialField, PotentialFieldConfig

    chosen = {**_lens(request), "speed": float(request.speed)}
    return PotentialField(from_dict(PotentialFieldConfig, chosen), request.seed)


def mind_config(request: FlightRequest) -> Any:  # noqa: ANN401 - of the request's body
    """The mind's configuration: the camera's lens, the request's overrides, then what the request says itself."""
    said: dict[str, object] = {
        "speed": float(request.speed),
        "learning": request.learning,
        "reward_mode": request.reward_mode,
    }
    if request.reward_mode == "shuffled":
        said["shuffle_seed"] = request.seed  # or chance would push every run of a network the same way
    return from_dict(body_of(request.robot).mind_config, {**_lens(request), **request.mind, **said})


def _snn(request: FlightRequest) -> Any:  # noqa: ANN401 - a Pilot
    seed = request.seed if request.mind_seed is None else request.mind_seed
    controller = body_of(request.robot).controller(mind_config(request), seed)
    if request.weights is not None:
        controller.load(request.weights)
    return controller


def _lens(request: FlightRequest) -> dict[str, object]:
    """What a pilot has to know about the camera it looks through."""
    sim: Any = from_dict(body_of(request.robot).sim_config, request.sim)
    camera = sim.camera
    return {"vision.fov_deg": camera.fov_deg, "vision.pitch_deg": camera.pitch_deg}


def _hopf(request: FlightRequest) -> Any:  # noqa: ANN401 - a Pilot
    from neuro_robot.agents.hopf import HopfConfig, HopfWalker

    return HopfWalker(from_dict(HopfConfig, {"speed": float(request.speed)}), request.seed)


PILOTS: dict[str, Callable[[FlightRequest], Any]] = {
    "blind": _blind,
    "potential_field": _potential_field,
    "hopf": _hopf,
    "snn": _snn,
}


def make_pilot(request: FlightRequest) -> Any:  # noqa: ANN401 - a Pilot
    """The pilot that the request names; raises ConfigError for an unknown name."""
    if request.pilot not in PILOTS:
        raise ConfigError(f"pilot: expected one of {', '.join(sorted(PILOTS))}, got {request.pilot!r}")
    return PILOTS[request.pilot](request)
