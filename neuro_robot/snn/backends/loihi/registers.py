"""What the chip's registers can hold, and the form in which it holds weights.

Sources: Davies et al., "Loihi", IEEE Micro 38 (2018); the docstrings and bit-accurate models of Lava 0.10 (decays 12
bits, bias 13 bits signed and 3 bits of exponent, threshold 17 bits, states 24 bits, delays 6 bits); the emulator of
nengo-loihi 1.1 (refractory period, weight exponent); Brian2Loihi (largest delay in use, 62).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neuro_robot.errors import ConfigError

DECAY_ONE = 4096  # a decay of this many parts would be complete: state -> state (4096 - decay) / 4096
LARGEST_DECAY = DECAY_ONE - 1
DECAY_OFFSET_U = 1  # the chip adds this to the current's decay, so that 4095 empties it; the voltage's has none
STATE_LIMIT = 1 << 23  # u wraps and v saturates here
ALIGN = 6  # bits by which synaptic sums and thresholds are shifted left to meet u and v
LARGEST_VTH = (1 << 17) - 1
BIAS_RANGE = (-(1 << 12), (1 << 12) - 1)
LARGEST_BIAS_EXP = 7
WEIGHT_EXP_RANGE = (-8, 7)
LARGEST_DELAY = 62
LARGEST_REFRACT = 63
LARGEST_MESSAGE_BITS = 24
WEIGHT_BITS = 8

MIXED, EXCITATORY, INHIBITORY = "mixed", "excitatory", "inhibitory"
SIGN_MODES = (MIXED, EXCITATORY, INHIBITORY)


def sign_mode(weights: NDArray[np.int64]) -> str:
    """The mode that a set of weights calls for; one without any negative weight is excitatory, all zero included."""
    if not weights.size or weights.min() >= 0:
        return EXCITATORY
    return INHIBITORY if weights.max() <= 0 else MIXED


def held_weights(weights: NDArray[np.int64], mode: str, bits: int) -> NDArray[np.int64]:
    """The weights as the chip holds them: clipped to 8 bits, then the low bits dropped.

    Range -256 .. 255 (mixed), 0 .. 255 (excitatory), -255 .. 0 (inhibitory). Dropped are 8 - bits, one more where the
    sign takes a bit; mixed weights are floored (-3 -> -4), inhibitory ones lose magnitude.
    """
    magnitude = -weights if mode == INHIBITORY else weights
    magnitude = np.clip(magnitude, -256 if mode == MIXED else 0, 255)
    drop = WEIGHT_BITS - bits + (mode == MIXED)
    held: NDArray[np.int64] = (magnitude >> drop) << drop
    return -held if mode == INHIBITORY else held


def check_range(where: str, values: object, low: int, high: int) -> NDArray[np.int64]:
    """The values as int64 when all are whole and inside low .. high; ConfigError otherwise."""
    array = np.asarray(values)
    if array.dtype.kind not in "iu":
        raise ConfigError(f"{where}: expected whole numbers from {low} to {high}, got {array.dtype} {values!r}")
    if array.size and (array.min() < low or array.max() > high):
        raise ConfigError(f"{where}: the chip holds {low} to {high}, got {array.min()} to {array.max()}")
    return array.astype(np.int64)
