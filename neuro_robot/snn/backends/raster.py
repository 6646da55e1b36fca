"""Spikes of many steps as a list."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuro_robot.errors import ConfigError

LONGEST_RUN = 2**40  # steps


class Raster(NamedTuple):
    """Spikes of many steps, ordered by step and then by neuron, as inputs (lines) and as results (neurons)."""

    step: NDArray[np.int64]
    neuron: NDArray[np.int64]
    value: NDArray[np.float32]


def raster_of(inputs: Raster | ArrayLike | None, steps: int | None, n_inputs: int) -> tuple[Raster, int]:
    """Inputs of `run` as a checked Raster, and the number of steps; ConfigError on what cannot be used."""
    if steps is not None and (isinstance(steps, bool) or not isinstance(steps, (int, np.integer)) or steps < 0):
        raise ConfigError(f"run: steps: expected a whole number from 0, got {steps!r}")
    if inputs is None:
        empty = np.zeros(0, np.int64)
        inputs = Raster(empty, empty, np.zeros(0, np.float32))
    elif not isinstance(inputs, Raster):
        dense = np.asarray(inputs)
        if dense.ndim != 2 or dense.shape[1:] != (n_inputs,) or dense.dtype.kind not in "buif":
            raise ConfigError(
                f"run: inputs: expected numbers of the shape (steps, {n_inputs}), got {dense.dtype} {dense.shape}"
            )
        steps = len(dense) if steps is None else steps
        at = np.nonzero(dense[:steps])
        inputs = Raster(at[0], at[1], dense[at].astype(np.float32))
    if steps is None:
        raise ConfigError("run: steps: expected the number of steps, as the inputs do not tell it")
    return _checked(inputs, steps, n_inputs), int(steps)


def _checked(raster: Raster, steps: int, n_inputs: int) -> Raster:
    step, neuron = np.asarray(raster.step, np.int64), np.asarray(raster.neuron, np.int64)
    value = np.asarray(raster.value, np.float32)
    if not step.shape == neuron.shape == value.shape or step.ndim != 1:
        raise ConfigError(f"run: inputs: expected three equal columns, got {step.shape}, {neuron.shape}, {value.shape}")
    if neuron.size and not 0 <= neuron.min() <= neuron.max() < n_inputs:
        raise ConfigError(f"run: inputs: expected lines below {n_inputs}, got {neuron.min()} to {neuron.max()}")
    if step.size and not 0 <= step.min() <= step.max() < LONGEST_RUN:
        raise ConfigError(f"run: inputs: expected steps from 0 below {LONGEST_RUN}, got {step.min()} to {step.max()}")
    order = step * n_inputs + neuron
    if np.any(order[1:] <= order[:-1]):
        raise ConfigError("run: inputs: expected steps in order, and in a step each line once, in order")
    kept = np.searchsorted(step, steps)
    return Raster(step[:kept], neuron[:kept], value[:kept])
