"""What a phase means to a foot: the gaits, and the path of a foot over one cycle.

A leg's phase counts cycles: 0 is lift-off, the swing lasts until 1 - duty, the stance from there to 1. In a gait leg i
lags behind the front right one by GAITS[gait][i] cycles (Righetti and Ijspeert, ICRA 2008).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

GAITS = {
    "trot": np.array([0.0, 0.5, 0.5, 0.0]),
    "walk": np.array([0.0, 0.5, 0.75, 0.25]),
    "pace": np.array([0.0, 0.5, 0.0, 0.5]),
    "bound": np.array([0.0, 0.0, 0.5, 0.5]),
}


class Steps(NamedTuple):
    """How to step: what tuning changes and the command asks for."""

    vx: float  # m/s, speed of the body that the stance gives it
    vy: float
    yaw_rate: float  # rad/s
    stride: float  # the stance's way as a multiple of what the speed needs; makes up for yielding joints
    height: float  # m, of the swing foot over the ground
    stand: float  # m, of the hips over the feet
    duty: float  # share of the cycle a foot is on the ground
    frequency: float  # Hz


@njit(cache=True)
def foot_targets(
    phases: NDArray[np.float64],
    sizes: NDArray[np.float64],
    steps: tuple[float, float, float, float, float, float, float, float],
    raised: NDArray[np.float64],
    shift: NDArray[np.float64],
    hips: NDArray[np.float64],
    hip: float,
) -> NDArray[np.float64]:
    """(4, 3) feet in their hip frames, m.

    In stance a foot goes straight back at the speed of its hip, (vx - w y, vy + w x); in swing it comes forward on a
    cycloid, s - sin(2 pi s) / 2 pi, and is lifted by height sin(pi s). sizes (4,): amplitude of each leg's oscillator,
    0 stands still; raised (4,): lift beside the height, m; shift (4, 2): where a foot comes down beside its neutral
    place, m, worked off in stance.
    """
    vx, vy, turn, stride, height, stand, duty, frequency = steps
    feet = np.empty((4, 3))
    swing = 1.0 - duty
    for leg in range(4):
        side = -1.0 if leg % 2 == 0 else 1.0
        x, y = hips[leg, 0], hips[leg, 1] + side * hip
        reach = stride * sizes[leg] * duty / max(frequency, 0.1)
        u = phases[leg] % 1.0
        if u < swing:
            s = u / swing
            along = s - math.sin(2.0 * math.pi * s) / (2.0 * math.pi) - 0.5
            lift = sizes[leg] * (height + raised[leg]) * math.sin(math.pi * s)
            share = math.sin(0.5 * math.pi * s)
        else:
            s = (u - swing) / duty
            along, lift, share = 0.5 - s, 0.0, 1.0 - s
        feet[leg, 0] = along * reach * (vx - turn * y) + share * shift[leg, 0]
        feet[leg, 1] = side * hip + along * reach * (vy + turn * x) + share * shift[leg, 1]
        feet[leg, 2] = lift - stand
    return feet
