"""What a phase means to a foot: the gaits, when which is walked, and the path of a foot over one cycle.

A leg's phase counts cycles: 0 is lift-off, the swing lasts until 1 - duty, the stance from there to 1. In a gait leg i
lags behind the front right one by GAITS[gait].lags[i] cycles (Righetti and Ijspeert, ICRA 2008).
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from neuro_robot.errors import ConfigError


class Gait(NamedTuple):
    """A gait, beside the trot that duty, frequency and track are configured for."""

    lags: NDArray[np.float64]  # (4,) cycles behind the front right leg
    duty: float = 0.0  # more of the cycle on the ground
    tempo: float = 1.0  # times the configured frequency
    inward: float = 0.0  # m, feet nearer to the middle
    swaying: float = 0.0  # rad/s, tilt rate on even ground, with room as in the trot's threshold
    odometry: float = 1.0  # true speed per speed of the feet that bear (measured)


# Feet that bear in pairs of one side or one end tip the trunk: shorter steps and a longer stance keep it from tipping
# far, and so does a narrower track where it tips sideways. A walk has three feet on the ground.
GAITS = {
    "trot": Gait(np.array([0.0, 0.5, 0.5, 0.0])),
    "walk": Gait(np.array([0.0, 0.5, 0.75, 0.25]), duty=0.2, tempo=0.8, swaying=0.85, odometry=1.28),
    "pace": Gait(np.array([0.0, 0.5, 0.0, 0.5]), duty=0.1, tempo=1.1, inward=0.034, swaying=0.4, odometry=0.94),
    "bound": Gait(np.array([0.0, 0.0, 0.5, 0.5]), duty=0.2, tempo=1.1, swaying=0.2, odometry=1.1),
}
LONGEST_DUTY, HIGHEST_HZ = 0.85, 3.5
FORM = re.compile(r"(\w+)(?:@(\d{1,9}(?:\.\d{1,9})?)(m?s))?")


class GaitChange(NamedTuple):
    """From when on, counted from the first packet, which gait."""

    at_ns: int
    gait: str


def gaits_of(text: str) -> tuple[GaitChange, ...]:
    """The gaits of a text: one, or one and when others follow, `trot bound@8s walk@15500ms`.

    Raises ConfigError that names what is wrong.
    """
    changes: list[GaitChange] = []
    for word in text.split():
        found = FORM.fullmatch(word)
        if found is None or (found[2] is None) == bool(changes):
            raise ConfigError(
                f"gait {text!r}: expected a gait, then GAIT@TIME for each change, as in `trot bound@8s walk@15s`, "
                f"got {word!r}"
            )
        gait, number, unit = found.groups()
        if gait not in GAITS:
            raise ConfigError(f"gait {gait!r}: expected one of {', '.join(GAITS)}")
        at_ns = round(float(number or 0.0) * (1e6 if unit == "ms" else 1e9))
        if changes and at_ns <= changes[-1].at_ns:
            raise ConfigError(f"gait {text!r}: expected times above 0 that rise, got {word!r}")
        changes.append(GaitChange(at_ns, gait))
    if not changes:
        raise ConfigError(f"gait: expected one of {', '.join(GAITS)}, got {text!r}")
    return tuple(changes)


def gait_at(changes: Sequence[GaitChange], elapsed_ns: int) -> str:
    """The gait after that time."""
    return next((change.gait for change in reversed(changes) if change.at_ns <= elapsed_ns), changes[0].gait)


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
