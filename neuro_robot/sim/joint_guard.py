"""The last check before joint positions reach the motors: a bad command becomes a slow return to the stance."""

from __future__ import annotations

from collections.abc import Sequence

from neuro_robot.robot import JointCommand
from neuro_robot.sim.guard import Guard


class JointGuard(Guard[JointCommand]):
    """The legged robot's: the answer to a bad command is the stance, approached no faster than `step` rad a check.

    names, stance, lower and upper: one entry per joint, rad.
    """

    def __init__(
        self,
        names: Sequence[str],
        stance: Sequence[float],
        lower: Sequence[float],
        upper: Sequence[float],
        timeout_ms: float,
        step: float,
    ) -> None:
        super().__init__(timeout_ms, "holding the stance")
        self._limits = tuple(zip(names, lower, upper, strict=True))
        self._stance = tuple(stance)
        self._step = step
        self._last = self._stance  # what was answered last

    def check(self, command: JointCommand | None, now_ns: int) -> JointCommand:
        """The command to obey at now_ns; None means that none has come yet."""
        answer = super().check(command, now_ns)
        self._last = answer.position
        return answer

    def _values(self, command: JointCommand) -> tuple[float, ...]:
        return command.position

    def _beyond(self, command: JointCommand) -> str:
        if len(command.position) != len(self._limits):
            names = [name for name, _, _ in self._limits]
            return f"command has {len(command.position)} positions, expected one for each of {', '.join(names)}"
        for (name, low, high), value in zip(self._limits, command.position, strict=True):
            if not low <= value <= high:
                return f"command {name} = {value:.3f} rad is beyond the limits {low:.3f} to {high:.3f}"
        return ""

    def _instead(self, now_ns: int) -> JointCommand:
        step = self._step
        nearer = [max(-step, min(step, goal - at)) + at for goal, at in zip(self._stance, self._last, strict=True)]
        return JointCommand(now_ns, tuple(nearer))
