"""Libraries that only some formats need: imported when such a file is opened."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from neuro_robot.errors import FileFormatError


def library(module: str, package: str) -> Any:  # noqa: ANN401 - a module
    """The module; FileFormatError naming the pip package when it is not installed."""
    try:
        return import_module(module)
    except ImportError as error:
        raise FileFormatError(f"this format needs the Python package {package}: pip install {package}") from error
