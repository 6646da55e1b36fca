"""Which of several things a fault concerns, from numbers or from a text."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuro_robot.errors import ConfigError

Index = NDArray[np.int64]
LONGEST_RANGE = 1 << 20


def chosen(where: str, which: Any, size: int, seed: int) -> Index:  # noqa: ANN401 - see the module's text
    """The whole numbers below size that `which` names, ascending, each once."""
    if isinstance(which, str):
        text = which.strip()
        if text == "all":
            return np.arange(size)
        if text.endswith("%"):
            return _share(where, text, size, seed)
        which = _listed(where, text)
    try:
        array = np.asarray(which)
    except ValueError:  # lists of different lengths
        array = np.zeros((0, 2))
    if array.ndim > 1 or (array.size and array.dtype.kind not in "iu"):
        raise ConfigError(f"{where}: expected whole numbers, a text as 0-3,7 or 20%, or all; got {which!r}")
    array = np.atleast_1d(array).astype(np.int64)
    if array.size and (array.min() < 0 or array.max() >= size):
        raise ConfigError(f"{where}: expected 0 to {size - 1}, got {array.min()} to {array.max()}")
    return np.unique(array)


def check_seed(where: str, seed: object) -> int:
    """The seed when it is a whole number that fits 64 bits."""
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < 1 << 63:
        raise ConfigError(f"{where}: seed: expected a whole number from 0, got {seed!r}")
    return int(seed)


def _share(where: str, text: str, size: int, seed: int) -> Index:
    try:
        share = float(text[:-1]) / 100
    except ValueError:
        share = math.nan
    if not 0 <= share <= 1:
        raise ConfigError(f"{where}: expected a share from 0% to 100%, got {text!r}")
    rng = np.random.default_rng(check_seed(where, seed))
    return np.sort(rng.choice(size, round(share * size), replace=False)).astype(np.int64)


def _listed(where: str, text: str) -> list[int]:
    found: list[int] = []
    for item in text.split(","):
        first, dash, last = item.strip().partition("-")
        if not (first.isdecimal() and (last.isdecimal() if dash else True)) or len(first) + len(last) > 18:
            raise ConfigError(f"{where}: expected numbers and ranges as 0-3,7, a share as 20%, or all; got {text!r}")
        low, high = int(first), int(last or first)
        if high < low:
            raise ConfigError(f"{where}: expected the smaller number first, got {item!r}; swap the two")
        if high - low > LONGEST_RANGE:
            raise ConfigError(f"{where}: expected ranges of sensible length, got {item!r}")
        found += range(low, high + 1)
    return found
