"""Adaptation time: how long after a shift a performance is back at 90 % of what it was before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
LEVEL = 0.9
WINDOW_S = 1.0


@dataclass(frozen=True)
class Adaptation:
    """time_s: from the shift to the return, 0 when it never fell below the level, None when it did not return."""

    before: float  # mean performance before the shift
    lowest: float  # of the moving mean after it
    time_s: float | None


def adaptation(
    t: Floats, value: Floats, shift_s: float, window_s: float = WINDOW_S, level: float = LEVEL
) -> Adaptation | None:
    """Time until the trailing mean over window_s of a performance (more is better, from 0) returns to level * before.

    t: ascending, s. Counted from the shift to the first time, after the mean fell below, at which it is at the level
    again. None without a value before the shift and one after it.
    """
    early = t < shift_s
    if not early.any() or early.all():
        return None
    before = float(value[early].mean())
    total = np.concatenate([[0.0], np.cumsum(value)])
    first = np.searchsorted(t, t - window_s, side="right")
    mean = (total[1:] - total[first]) / (np.arange(len(t)) + 1 - first)
    late, after = t[~early], mean[~early]
    below = after < level * before
    if not below.any():
        return Adaptation(before, float(after.min()), 0.0)
    back = np.flatnonzero(~below[int(np.argmax(below)) :])
    time_s = float(late[int(np.argmax(below)) + back[0]] - shift_s) if back.size else None
    return Adaptation(before, float(after.min()), time_s)
