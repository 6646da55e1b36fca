"""What a walking robot was told from outside, as it took effect: said on /diagnostics, so that a bag replays."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

from neuro_robot.errors import BagError

SUFFIX = ": applied"  # of the diagnostic status, behind the node's name


class Applied(NamedTuple):
    """What the walker goes by from a packet on."""

    t_ns: int  # end of the first packet that it counts for
    vx: float  # m/s
    vy: float  # m/s
    yaw_rate: float  # rad/s
    gait: str  # as text, see agents.gait
    learning: bool
    faults: str  # as text, see snn.faults_text

    def values(self) -> dict[str, str]:
        """The entries of the status; floats so that they come back exactly."""
        return {name: repr(float(value)) if isinstance(value, float) else str(value) for name, value in self._named()}

    def same(self, other: Applied | None) -> bool:
        """Whether it says the same, whenever."""
        return other is not None and self[1:] == other[1:]

    def _named(self) -> list[tuple[str, object]]:
        return list(zip(self._fields[1:], self[1:], strict=True))


def applied_from(t_ns: int, values: Mapping[str, str]) -> Applied:
    """What such a status says. Raises BagError for one that is damaged."""
    try:
        vx, vy, yaw_rate = (float(values[name]) for name in ("vx", "vy", "yaw_rate"))
        learning = {"True": True, "False": False}[values["learning"]]
        told = Applied(t_ns, vx, vy, yaw_rate, values["gait"], learning, values["faults"])
    except (KeyError, ValueError) as error:
        raise BagError(f"diagnostics at {t_ns} ns: expected {', '.join(Applied._fields[1:])} behind `applied`, "
                       f"got {dict(values)}: {error}; the bag cannot be replayed to the bit") from error  # fmt: skip
    if not (math.isfinite(vx) and math.isfinite(vy) and math.isfinite(yaw_rate)):
        raise BagError(f"diagnostics at {t_ns} ns: expected a finite velocity behind `applied`, got {told[1:4]}")
    return told
