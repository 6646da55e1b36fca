"""Synapses as columns, for connections too large or too thin for a matrix."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuro_robot.errors import ConfigError


class Sparse(NamedTuple):
    """One entry per synapse: pre and post index, weight, and delay in whole steps (None: as `connect` is told)."""

    pre: NDArray[np.integer[Any]]
    post: NDArray[np.integer[Any]]
    weight: NDArray[np.floating[Any]]
    delay_steps: NDArray[np.integer[Any]] | None = None

    def check(self, where: str, shape: tuple[int, int]) -> None:
        """ConfigError unless the columns are equally long, inside (n_pre, n_post), and no pair appears twice."""
        columns = [np.asarray(column) for column in self if column is not None]
        if any(column.ndim != 1 or column.shape != columns[0].shape for column in columns):
            raise ConfigError(f"{where}: weights: expected equally long columns, got {[c.shape for c in columns]}")
        for name, index, size in (("pre", columns[0], shape[0]), ("post", columns[1], shape[1])):
            if index.dtype.kind not in "iu":
                raise ConfigError(f"{where}: weights: {name}: expected whole numbers, got {index.dtype}")
            if index.size and not 0 <= int(index.min()) <= int(index.max()) < size:
                raise ConfigError(
                    f"{where}: weights: {name}: expected 0 to {size - 1}, got {index.min()} to {index.max()}"
                )
        pairs = columns[0].astype(np.int64) * shape[1] + columns[1]
        if np.unique(pairs).size != pairs.size:
            raise ConfigError(f"{where}: weights: a pair of neurons has two synapses; use two connections")
