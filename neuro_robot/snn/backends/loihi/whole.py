"""Weights of the description as whole numbers of a connection's unit, inside what the chip can hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from neuro_robot.errors import ConfigError
from neuro_robot.snn.backends.loihi import learn_kernel
from neuro_robot.snn.backends.loihi.registers import EXCITATORY, INHIBITORY, MIXED

if TYPE_CHECKING:
    from neuro_robot.snn.backends.loihi.model import LoihiModel

HELD = {MIXED: (-256, 254), EXCITATORY: (0, 255), INHIBITORY: (-255, 0)}
Whole = NDArray[np.int64]


def bounds(model: LoihiModel, connection: str) -> tuple[int, int, int]:
    """Smallest and largest whole number that a connection holds, and the step between two."""
    if connection in model.plastic_names():
        rule = model.quantised.learning[connection].rule
        return rule.w_min, rule.w_max, 1
    mode = model.quantised.chip.synapses[connection].sign_mode
    return *HELD[mode], 2 if mode == MIXED else 1


def nearest(model: LoihiModel, connection: str, values: NDArray[np.float64], where: str) -> Whole:
    """The nearest whole numbers; ConfigError that begins with `where` for values beyond what the chip holds."""
    low, high, step = bounds(model, connection)
    unit = model.quantised.units[connection]
    whole = np.rint(values / unit / step) * step
    if connection in model.plastic_names():  # inside the bounds of the rule, which were checked
        whole = np.clip(whole, low, high)
    if whole.size and (whole.min() < low or whole.max() > high):
        raise ConfigError(
            f"{where}: the chip holds {low * unit:g} to {high * unit:g} with the exponent chosen when it was compiled, "
            f"got {values.min():g} to {values.max():g}"
        )
    return whole.astype(np.int64)


def of_weights(model: LoihiModel, connection: str, values: NDArray[np.float64]) -> Whole:
    """Whole numbers of units: nearest, or for a rule's weights one of the two neighbours at random."""
    learning = model.machine.learning
    if connection not in model.plastic_names() or learning is None:
        return nearest(model, connection, values, f"set_weights({connection!r})")
    low, high, _ = bounds(model, connection)
    exact = values / model.quantised.units[connection]
    clock, number = learning.clock, model.plastic_names().index(connection)
    rng = np.random.default_rng((int(clock[learn_kernel.SEED]), int(clock[learn_kernel.NOW]), number))
    chance = rng.random(exact.size)
    close = np.abs(exact - np.rint(exact)) < 1e-4
    return np.clip(np.where(close, np.rint(exact), np.floor(exact + chance)), low, high).astype(np.int64)
