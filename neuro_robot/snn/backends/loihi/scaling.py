"""How many units of a layer's voltage make one unit of v, and with which exponents its weights are then held."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from neuro_robot.errors import ConfigError
from neuro_robot.snn.backends.loihi import registers as reg
from neuro_robot.snn.backends.loihi.dynamics import Dynamics
from neuro_robot.snn.network import Connection
from neuro_robot.snn.rules import STDP, Homeostasis, SumOfProducts

FINEST_THRESHOLD, COARSEST_THRESHOLD = 1 << 14, 1 << 10  # of the threshold register; the rest is head-room
ENOUGH = 32.0  # thresholds of current
TRIES = 128  # scales looked at within the octave


def largest_count(told: Dynamics, connection: Connection) -> float:
    """Events in every step of one line alone that make a current of ENOUGH thresholds: more can do nothing more."""
    drive = abs(told.coupling) * largest_weight(connection) / (1.0 - told.keep_u)
    return max(ENOUGH * told.threshold / drive, 1.0) if drive > 0 else math.inf


def scale(name: str, told: Dynamics, incoming: list[Connection], largest: dict[str, float], notes: list[str]) -> float:
    """Units per unit of v: threshold / v_threshold for the threshold register that meets the weights best.

    largest: events that a line of each input layer sends at most. The current is to hold the largest line alone beside
    one spike of every other in every step; what all of them can do together is told in the notes.
    """
    finest = float(FINEST_THRESHOLD)
    single = max(
        (largest.get(c.pre.name, 1.0) * largest_weight(c) * abs(told.coupling) for c in incoming), default=0.0
    ) / (1.0 - told.keep_u)
    drive = single + _largest_drive(told, incoming, {})
    if drive > 0:
        finest = max(min(finest, reg.STATE_LIMIT / drive * told.threshold / (1 << reg.ALIGN)), COARSEST_THRESHOLD)
    largest_bias = reg.BIAS_RANGE[1] << reg.LARGEST_BIAS_EXP
    if told.drift:
        finest = min(finest, largest_bias / abs(told.drift) * told.threshold / (1 << reg.ALIGN))
    if abs(told.start) > 0:
        finest = min(finest, (reg.STATE_LIMIT - 1) / abs(told.start) * told.threshold / (1 << reg.ALIGN))
    for connection in incoming:
        weight = largest_weight(connection) * told.coupling
        if weight > 0:
            finest = min(finest, 254.0 * 2.0 ** reg.WEIGHT_EXP_RANGE[1] * told.threshold / weight)
    if finest < 1:
        raise ConfigError(
            f"layer {name!r}: bias or weights are too far above the threshold for one scale: at the finest scale that "
            f"holds them the threshold would be {finest:.2g} of its register's unit; reduce them"
        )
    tries = np.unique(np.linspace(max(1.0, finest / 2), finest, TRIES).astype(np.int64))
    best = min(tries.tolist(), key=lambda mantissa: _misfit(mantissa, told, incoming))
    chosen = float(best * (1 << reg.ALIGN) / told.threshold)
    share = reg.STATE_LIMIT / max(chosen * _largest_drive(told, incoming, largest), 1.0)
    if share < 1.0:
        notes.append(
            f"layer {name}: the current wraps above {100 * share:.2g} % of the largest drive (all inputs at their "
            "largest in every step)"
        )
    return chosen


def _largest_drive(told: Dynamics, incoming: list[Connection], largest: dict[str, float]) -> float:
    """The largest current of any neuron, in units of v per step, if all inputs sent their largest in every step."""
    total = 0.0
    for sign in (1.0, -1.0):
        drive = np.zeros(incoming[0].post.size if incoming else 1)
        for c in incoming:
            weights = c.weights if bounds(c) is None else np.full(c.weights.size, sign * largest_weight(c))
            times = largest.get(c.pre.name, 1.0)
            drive += times * np.bincount(c.post_index, np.maximum(sign * weights, 0.0), drive.size)
        total = max(total, float(drive.max()))
    return total * abs(told.coupling) / (1.0 - told.keep_u)


def _misfit(mantissa: int, told: Dynamics, incoming: list[Connection]) -> float:
    """Sum over the connections of the squared relative error of their weights."""
    gain = mantissa / told.threshold * told.coupling
    total = 0.0
    for c in incoming:
        largest, mixed = largest_weight(c), is_mixed(c)
        if largest == 0:
            continue
        unit = 2.0 ** exponent(gain * largest, mixed) / gain
        if bounds(c) is not None:
            total += (unit * (2 if mixed else 1) / largest) ** 2 / 12
        else:
            error = rounded(c.weights, unit, mixed) * unit - c.weights
            total += float(error @ error) / max(float(c.weights @ c.weights), 1e-300)
    return total


def bounds(connection: Connection) -> tuple[float, float] | None:
    """Between what learning and scaling keep the weights; None where nothing moves them."""
    rules = [
        one for one in (connection.rule, connection.scaling) if isinstance(one, STDP | SumOfProducts | Homeostasis)
    ]
    return (max(one.w_min for one in rules), min(one.w_max for one in rules)) if rules else None


def largest_weight(connection: Connection) -> float:
    """The largest size that a weight has, or may come to have by learning."""
    largest = float(np.abs(connection.weights).max(initial=0.0))
    learned = bounds(connection)
    return largest if learned is None else max(abs(learned[0]), abs(learned[1]), largest)


def is_mixed(connection: Connection) -> bool:
    """Whether the weights have, or may come to have, both signs."""
    learned = bounds(connection)
    if learned is not None:
        return learned[0] < 0 < learned[1]
    return bool(connection.weights.size and connection.weights.min() < 0 < connection.weights.max())


def exponent(largest: float, mixed: bool) -> int:
    """The smallest exponent with which a weight of `largest` times 64 units fits the chip's 8 bits."""
    if largest == 0:
        return 0
    fits = math.ceil(math.log2(largest / (254.0 if mixed else 255.0)) - 1e-9)
    return min(max(fits, reg.WEIGHT_EXP_RANGE[0]), reg.WEIGHT_EXP_RANGE[1])


def rounded(weights: NDArray[np.float32], unit: float, mixed: bool) -> NDArray[np.float64]:
    """The whole numbers of units that the chip holds for the weights."""
    step = 2.0 if mixed else 1.0  # a sign takes the last bit
    rounded: NDArray[np.float64] = np.rint(weights.astype(np.float64) / (unit * step)) * step
    return np.clip(rounded, -256.0 if mixed else -255.0, 254.0 if mixed else 255.0)
