"""One finished flight as plots and pictures need it, whether it was flown in process or over DDS."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from neuro_robot.sim.clearance import Clearance
from neuro_robot.sim.world import World

Floats = npt.NDArray[np.float64]
Events = npt.NDArray[np.void]


@dataclass(frozen=True)
class RunData:
    """Times in s of simulation time, positions in odom (m), velocities in base_link (m/s), events as EVENT_DTYPE."""

    world: World
    summary: dict[str, Any]
    width: int  # sensor, pixels
    height: int
    events: Events
    spikes: Events
    odom_t: Floats  # (N,)
    position: Floats  # (N, 3)
    orientation: Floats  # (N, 4) x, y, z, w
    velocity: Floats  # (N, 3)
    command_t: Floats  # (M,)
    command: Floats  # (M, 4) vx, vy, vz, yaw rate
    reward_t: Floats  # (R,) empty: not recorded
    reward: Floats  # (R,)
    weights_before: dict[str, np.ndarray] = field(default_factory=dict)
    weights_after: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def duration_s(self) -> float:
        """Time of the last pose."""
        return float(self.odom_t[-1]) if len(self.odom_t) else 0.0

    def clearance(self, radius_m: float, every: int = 1) -> tuple[Floats, Floats]:
        """Time and distance (m) from a body sphere of radius_m to the nearest solid, for every `every`-th pose.

        The ground does not count; inf in a bare world.
        """
        solids = Clearance(self.world)
        t = self.odom_t[::every]
        points = np.ascontiguousarray(self.position[::every])
        distance = [solids.nearest(point, float(at))[1] for point, at in zip(points, t, strict=True)]
        return t, np.array(distance, dtype=np.float64) - radius_m


def rate(t_ns: npt.NDArray[np.int64], duration_s: float, bin_s: float) -> tuple[Floats, Floats]:
    """Events per second in bins of bin_s: bin centres (s) and rates (1/s)."""
    bins = max(1, int(np.ceil(duration_s / bin_s)))
    counts = np.bincount(np.clip(t_ns // round(bin_s * 1e9), 0, bins - 1).astype(np.int64), minlength=bins)
    return (np.arange(bins) + 0.5) * bin_s, counts / bin_s
