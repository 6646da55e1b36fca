"""What learning has to beat: a hand-tuned potential field on event flow, without a spike in it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuro_robot.agents.columns import ColumnView, VisionConfig, levelling, steadiness
from neuro_robot.agents.course import Course, CourseConfig
from neuro_robot.config import group, parameter
from neuro_robot.events.array import EVENT_DTYPE
from neuro_robot.events.packet import EventPacket, StreamDecoder
from neuro_robot.robot import BodyCommand, Imu, LegSense


@dataclass(frozen=True)
class PotentialFieldConfig:
    """The field's shape, tuned by hand."""

    speed: float = parameter(5.0, "commanded forward speed, m/s", 0.0, 25.0)
    tau_ms: float = parameter(80.0, "low-pass of the column rates, ms", 1.0, 1000.0)
    gain: float = parameter(0.004, "lateral speed per kHz of weighted event rate, m/s", 0.0, 1e3)
    exponent: float = parameter(2.0, "columns weigh (azimuth + softening)^-exponent", 0.0, 4.0)
    softening_deg: float = parameter(6.0, "keeps the centre's weight finite, deg", 0.1, 45.0)
    persistence: float = parameter(0.2, "preference for the lateral motion under way, per m/s", 0.0, 10.0)
    sharpness: float = parameter(2.0, "how decisively the weaker side is chosen", 0.0, 100.0)
    vision: VisionConfig = group(VisionConfig)
    course: CourseConfig = group(CourseConfig)


class FieldReply(NamedTuple):
    """The answer to one packet; there are no spikes."""

    command: BodyCommand
    spikes: NDArray[np.void]
    events: NDArray[np.void]


class PotentialField:
    """vy = max(L, R) tanh(sharpness (R - L) / max(L, R) + ...), L the rates of the left, weighted, and R of the right.

    A column weighs gain (azimuth + softening)^-exponent. Its translational flow is V sin(a)^2 / y: with exponent 1
    the weighted rate goes as the inverse of the time to contact, with 2 as the inverse of the lateral distance.
    """

    def __init__(self, config: PotentialFieldConfig, _seed: int) -> None:
        self.config = config
        self.decoder = StreamDecoder()
        self.view: ColumnView | None = None
        self.course = Course(config.course, config.speed)
        self._t_ns = -1

    def receive(self, packet: EventPacket, imu: Imu | None, _legs: LegSense | None = None) -> FieldReply:
        """Answer one packet."""
        decoded = self.decoder.decode(packet)
        config = self.config
        if self.view is None:
            self.view = ColumnView(config.vision, packet.width, packet.height)
            azimuths = self.view.azimuths
            distance = np.abs(azimuths) + math.radians(config.softening_deg)
            weights = config.gain * distance**-config.exponent
            self._left, self._right = weights * (azimuths > 0.0), weights * (azimuths < 0.0)
            self._rates = np.zeros(len(azimuths))
        dt_ns = decoded.t_end_ns - self._t_ns if 0 <= self._t_ns < decoded.t_end_ns else 1_000_000
        self._t_ns = decoded.t_end_ns
        dt_ms = min(dt_ns * 1e-6, 100.0)
        counts = self.view.count(decoded.events, 0, 1 << 62, 1, levelling(imu), self.course.azimuth)[0].sum(axis=0)
        keep = math.exp(-dt_ms / config.tau_ms)
        counts *= steadiness(imu, config.vision.suppression_rad_s)
        self._rates = keep * self._rates + (1.0 - keep) * counts / dt_ms
        self.course.steer(self._wish(), dt_ms)
        command = BodyCommand(decoded.t_end_ns, config.speed, self.course.lateral, 0.0, 0.0)
        return FieldReply(command, np.empty(0, EVENT_DTYPE), decoded.events)

    def _wish(self) -> float:
        """Lateral speed away from the stronger side; two equal sides are resolved in favour of the motion under way."""
        left, right = float(self._rates @ self._left), float(self._rates @ self._right)
        strongest = max(left, right, 1e-9)
        preference = (right - left) / strongest + self.config.persistence * self.course.vy
        return strongest * math.tanh(self.config.sharpness * preference)
