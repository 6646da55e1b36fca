"""Parameters and memories as one-row numpy records: named fields in Python and in numba kernels alike."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

Record = NDArray[Any]


def record(config: object) -> Record:
    """The numbers of a dataclass as a (1,) record of float64, so that a kernel reads `config[0].mass`."""
    values = dataclasses.asdict(config)  # type: ignore[call-overload]
    row = memory(*values)
    for name, value in values.items():
        row[name] = value
    return row


def memory(*names: str) -> Record:
    """A zeroed (1,) record of float64 with these fields, for what a kernel keeps from step to step."""
    # np.record gives the rows attributes without numba too, so that kernels can be debugged as plain Python
    return np.zeros(1, dtype=np.dtype((np.record, [(name, np.float64) for name in names])))
