"""What every primitive of a network description shares: numbers with units in their names, checked when made."""

from __future__ import annotations

import dataclasses
import math
from typing import ClassVar

from neuro_robot.errors import ConfigError

LARGEST = 1e9  # bounds every parameter, weight and reward, so that float32 state can never overflow


class Cell:
    """The neuron type of a layer: a frozen dataclass of its parameters.

    An input layer, whose spikes are given to every step, has no cell.
    """

    generates: ClassVar[bool] = False  # True for a source that draws its own spikes and takes no synapses


class Rule:
    """What changes the weights of a connection while the network runs: a frozen dataclass of its parameters."""


def check_numbers(primitive: object, positive: tuple[str, ...] = (), not_negative: tuple[str, ...] = ()) -> None:
    """Check every number and switch of a primitive; ConfigError names the primitive and the parameter."""
    kind = type(primitive).__name__
    for item in dataclasses.fields(primitive):  # type: ignore[arg-type]
        value = getattr(primitive, item.name)
        if isinstance(value, (list, tuple)) or getattr(value, "ndim", 0) > 0:
            raise ConfigError(
                f"{kind}.{item.name}: expected one number, which holds for a whole group or connection, got "
                f"{len(value)}; describe what differs as a group or connection of its own"
            )
        if item.type == "bool":
            if not isinstance(value, bool):
                raise ConfigError(f"{kind}.{item.name}: expected True or False, got {value!r}")
        elif item.type == "int":
            check_whole(f"{kind}.{item.name}", value)
        elif item.type == "float":
            check_number(f"{kind}.{item.name}", value)
        if item.name in positive and value <= 0:
            raise ConfigError(f"{kind}.{item.name}: expected a value above 0, got {value!r}")
        if item.name in not_negative and value < 0:
            raise ConfigError(f"{kind}.{item.name}: expected 0 or more, got {value!r}")


def check_number(name: str, value: object) -> float:
    """The value as float when it is a finite number of sensible size; ConfigError otherwise."""
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        number = math.nan
    if isinstance(value, (bool, str)) or not abs(number) <= LARGEST:
        raise ConfigError(f"{name}: expected a finite number of magnitude up to {LARGEST:g}, got {value!r}")
    return number


def check_whole(name: str, value: object, low: int = 1, high: int = 10_000) -> int:
    """The value when it is a whole number from low to high; ConfigError otherwise."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ConfigError(f"{name}: expected a whole number from {low} to {high}, got {value!r}")
    return value


def check_choice(name: str, value: object, allowed: tuple[str, ...]) -> None:
    """ConfigError unless value is one of the allowed words."""
    if value not in allowed:
        raise ConfigError(f"{name}: expected one of {', '.join(allowed)}, got {value!r}")


def check_reset(cell: object, v_reset: float, v_th: float, threshold: str = "v_th") -> None:
    """ConfigError when a neuron would fire again as soon as it was reset."""
    if v_reset >= v_th:
        raise ConfigError(
            f"{type(cell).__name__}.v_reset: expected a value below {threshold} = {v_th}, got {v_reset}; "
            "the neuron would fire again at once"
        )
