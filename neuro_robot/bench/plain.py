"""Values as JSON knows them, and the versions that a result depends on."""

from __future__ import annotations

import math
import platform
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

import neuro_robot

LIBRARIES = ("numpy", "numba", "pybullet", "opencv-python-headless", "rosbags", "ros-rclpy")


def plain(value: object) -> Any:  # noqa: ANN401 - whatever JSON can hold
    """The value with numpy numbers, paths and tuples made plain; NaN and infinity, which JSON lacks, become None."""
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return str(value) if isinstance(value, Path) else value


def versions() -> dict[str, str | None]:
    """Versions of everything that decides a result; None: not installed."""
    found: dict[str, str | None] = {
        "neuro_robot": getattr(neuro_robot, "__version__", None) or _version("neuro_robot"),
        "python": platform.python_version(),
        "machine": platform.machine(),
    }
    return found | {name: _version(name) for name in LIBRARIES}


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
