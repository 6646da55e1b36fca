"""What the robot feels while it flies: something near, to the left or to the right of where it is going.

Only what is near rises into the upper band of the view (see `columns`), so its event rate around the course is a
measure of looming that needs no distance sensor. The difference of the two sides is dense, signed and on board: it
tells each motor side whether it is the one that should have been stronger a moment ago.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neuro_robot.config import parameter


@dataclass(frozen=True)
class RewardConfig:
    """r = tanh(gain (L - R)), L and R the low-passed rates of the near band above the floor."""

    width_deg: float = parameter(12.0, "how far from the course something near is felt, deg", 1.0, 90.0)
    floor_khz: float = parameter(0.5, "near rate of a side that counts as free, kHz", 0.0, 1e4)
    gain: float = parameter(0.1, "reward per kHz above the floor", 0.0, 10.0)
    tau_ms: float = parameter(50.0, "low-pass of the rates, ms", 1.0, 1000.0)
    tau_mean_ms: float = parameter(10_000.0, "time constant of the expected reward, ms", 100.0, 1e6)


class LoomingReward:
    """Left-right looming as a dense, signed reward. azimuths: column centres, rad, left positive."""

    def __init__(self, config: RewardConfig, azimuths: NDArray[np.float64]) -> None:
        self._config = config
        inside = np.abs(azimuths) <= math.radians(config.width_deg)
        self._sides = np.stack([inside & (azimuths > 0.0), inside & (azimuths < 0.0)]).astype(np.float32)
        self.rates_khz = np.zeros(2)

    def step(self, near: NDArray[np.float32], dt_ms: float) -> float:
        """Take one step's counts of the near band; returns the reward of steering right (that of left is minus it)."""
        keep = math.exp(-dt_ms / self._config.tau_ms)
        self.rates_khz *= keep
        self.rates_khz += (1.0 - keep) / dt_ms * (self._sides @ near)
        left, right = np.maximum(self.rates_khz - self._config.floor_khz, 0.0)
        return math.tanh(self._config.gain * float(left - right))
