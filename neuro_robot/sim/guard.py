"""The last check before a command moves the robot: what is stale, not a number or too large is not obeyed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Generic, TypeVar

from neuro_robot.config import parameter
from neuro_robot.robot import BodyCommand, JointCommand, stop_command

C = TypeVar("C", BodyCommand, JointCommand)


@dataclass(frozen=True)
class LimitsConfig:
    """What the robot obeys; anything beyond is a fault of the sender, not a wish."""

    command_timeout_ms: float = parameter(100.0, "age at which a command no longer counts, ms", 1.0, 5000.0)
    forward_speed: float = parameter(20.0, "largest forward or backward speed obeyed, m/s", 0.1, 50.0)
    lateral_speed: float = parameter(10.0, "largest sideways speed obeyed, m/s", 0.1, 50.0)
    climb_speed: float = parameter(5.0, "largest climb or descent obeyed, m/s", 0.1, 20.0)
    yaw_rate: float = parameter(4.0, "largest yaw rate obeyed, rad/s (Kingfisher)", 0.1, 20.0)


@dataclass
class GuardCounts:
    """How often each answer was given since the start."""

    passed: int = 0
    missing: int = 0
    stale: int = 0
    future: int = 0
    non_finite: int = 0
    over_limit: int = 0


class Guard(ABC, Generic[C]):
    """Passes a good command, answers a safe one to a bad one and says why in `fault` (empty when all is well)."""

    def __init__(self, timeout_ms: float, answer: str) -> None:
        self._timeout_ms = timeout_ms
        self._answer = answer  # what the robot does instead, for people
        self.fault = ""
        self.counts = GuardCounts()

    def check(self, command: C | None, now_ns: int) -> C:
        """The command to obey at now_ns; None means that none has come yet."""
        kind, reason = self._fault(command, now_ns)
        self.fault = f"{reason}: {self._answer}" if reason else ""
        setattr(self.counts, kind, getattr(self.counts, kind) + 1)
        return command if command is not None and not reason else self._instead(now_ns)

    def _fault(self, command: C | None, now_ns: int) -> tuple[str, str]:
        """Name of the counter and text of the fault."""
        if command is None:
            return "missing", "no command yet"
        if not command.is_finite():
            return "non_finite", f"command {self._values(command)} is not finite"
        age_ms = (now_ns - command.t_ns) * 1e-6
        if age_ms > self._timeout_ms:
            return "stale", f"command is {age_ms:.0f} ms old, limit {self._timeout_ms:.0f} ms"
        if age_ms < 0.0:
            return "future", f"command is stamped {-age_ms:.3f} ms ahead of the clock"
        beyond = self._beyond(command)
        return ("over_limit", beyond) if beyond else ("passed", "")

    @abstractmethod
    def _values(self, command: C) -> tuple[float, ...]:
        """The numbers of a command."""

    @abstractmethod
    def _beyond(self, command: C) -> str:
        """Which limit a command breaks; empty when none."""

    @abstractmethod
    def _instead(self, now_ns: int) -> C:
        """The safe command."""


class CommandGuard(Guard[BodyCommand]):
    """The drone's: a bad command becomes a hover."""

    def __init__(self, limits: LimitsConfig) -> None:
        super().__init__(limits.command_timeout_ms, "hovering")
        self._bounds = (limits.forward_speed, limits.lateral_speed, limits.climb_speed, limits.yaw_rate)

    def _values(self, command: BodyCommand) -> tuple[float, ...]:
        return command[1:]

    def _beyond(self, command: BodyCommand) -> str:
        for name, value, bound in zip(command._fields[1:], command[1:], self._bounds, strict=True):
            if abs(value) > bound:
                return f"command {name} = {value:.2f} exceeds the limit {bound:.2f}"
        return ""

    def _instead(self, now_ns: int) -> BodyCommand:
        return stop_command(now_ns)
