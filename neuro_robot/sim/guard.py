"""The last check before a command moves the robot: what is stale, not a number or too large becomes a hover."""

from __future__ import annotations

from dataclasses import dataclass

from neuro_robot.config import parameter
from neuro_robot.robot import BodyCommand, stop_command


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


class CommandGuard:
    """Passes a good command, answers hover to a bad one and says why in `fault` (empty when all is well)."""

    def __init__(self, limits: LimitsConfig) -> None:
        self._limits = limits
        self.fault = ""
        self.counts = GuardCounts()

    def check(self, command: BodyCommand | None, now_ns: int) -> BodyCommand:
        """The command to obey at now_ns; None means that none has come yet."""
        kind, self.fault = self._fault(command, now_ns)
        setattr(self.counts, kind, getattr(self.counts, kind) + 1)
        return command if command is not None and not self.fault else stop_command(now_ns)

    def _fault(self, command: BodyCommand | None, now_ns: int) -> tuple[str, str]:
        """Name of the counter and text of the fault."""
        if command is None:
            return "missing", "no command yet: hovering"
        if not command.is_finite():
            return "non_finite", f"command {command[1:]} is not finite: hovering"
        age_ms = (now_ns - command.t_ns) * 1e-6
        if age_ms > self._limits.command_timeout_ms:
            return "stale", f"command is {age_ms:.0f} ms old, limit {self._limits.command_timeout_ms:.0f} ms: hovering"
        if age_ms < 0.0:
            return "future", f"command is stamped {-age_ms:.3f} ms ahead of the clock: hovering"
        limits = self._limits
        bounds = (limits.forward_speed, limits.lateral_speed, limits.climb_speed, limits.yaw_rate)
        for name, value, bound in zip(("vx", "vy", "vz", "yaw_rate"), command[1:], bounds, strict=True):
            if abs(value) > bound:
                return "over_limit", f"command {name} = {value:.2f} exceeds the limit {bound:.2f}: hovering"
        return "passed", ""
