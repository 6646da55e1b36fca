"""The package's parameters as ROS 2 parameters: declared, described, ranged; what is unknown is refused."""

from __future__ import annotations

import math
from typing import Any, TypeVar

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor, SetParametersResult
from rclpy.exceptions import (
    InvalidParameterTypeException,
    InvalidParameterValueException,
    ParameterUninitializedException,
)
from rclpy.node import Node
from rclpy.parameter import Parameter

from neuro_robot.config import Declaration, Value, declarations, from_dict
from neuro_robot.errors import ConfigError

T = TypeVar("T")
ROS_OWN = ("use_sim_time", "start_type_description_service")
LARGEST = {int: 2**62, float: 1e300}


def declare(node: Node, kind: type) -> None:
    """Declare every parameter of a group on the node. Raises ConfigError when an override has no valid value."""
    for row in declarations(kind):
        _accept_whole_numbers(node, row)
        try:
            node.declare_parameter(row.name, row.default, descriptor(row))
        except (
            InvalidParameterTypeException,
            InvalidParameterValueException,
            ParameterUninitializedException,
        ) as error:
            raise ConfigError(f"{row.name}: {error}; {_expected(row)}") from error


def read(node: Node, kind: type[T]) -> T:
    """The node's parameters as the checked group. Raises ConfigError for an unknown override or a wrong value."""
    rows = declarations(kind)
    known = {row.name for row in rows}
    for name in sorted(overrides(node)):
        if name not in known and name not in ROS_OWN and not name.startswith("qos_overrides."):
            near = ", ".join(sorted(known)) if "." not in name else f"see `ros2 param list {node.get_name()}`"
            raise ConfigError(f"{name}: {node.get_name()} has no such parameter; it has {near}")
    return from_dict(kind, {row.name: value(node.get_parameter(row.name)) for row in rows})


def descriptor(row: Declaration) -> ParameterDescriptor:
    """Description, range and choices as `ros2 param describe` shows them."""
    result = ParameterDescriptor(description=row.description)
    if row.choices:
        result.additional_constraints = "one of " + ", ".join(row.choices)
    if row.minimum is None and row.maximum is None or isinstance(row.default, bool | str):
        return result
    kind = type(row.default)
    low = -LARGEST[kind] if row.minimum is None else kind(row.minimum)
    high = LARGEST[kind] if row.maximum is None else kind(row.maximum)
    if kind is int:
        result.integer_range = [IntegerRange(from_value=low, to_value=high, step=1)]
    else:
        result.floating_point_range = [FloatingPointRange(from_value=low, to_value=high, step=0.0)]
    return result


def check_change(kind: type, changed: list[Parameter[Any]]) -> SetParametersResult:
    """Whether these values may be set: choices and finiteness, which ROS does not know."""
    rows = {row.name: row for row in declarations(kind)}
    for item in changed:
        row = rows.get(item.name)
        if row is None:
            continue
        if row.choices and item.value not in row.choices:
            return SetParametersResult(successful=False, reason=f"{item.name}: {_expected(row)}")
        if isinstance(item.value, float) and not math.isfinite(item.value):
            return SetParametersResult(successful=False, reason=f"{item.name}: expected a finite number")
    return SetParametersResult(successful=True)


def overrides(node: Node) -> dict[str, Parameter[Any]]:
    """What the command line and parameter files set for this node."""
    found: dict[str, Parameter[Any]] = node._parameter_overrides  # noqa: SLF001 - rclpy has no public way to list them
    return found


def value(item: Parameter[Any]) -> Value:
    """The plain value of a parameter."""
    plain: Value = item.value
    return plain


def _accept_whole_numbers(node: Node, row: Declaration) -> None:
    """`speed: 5` means 5.0; ROS alone would refuse it."""
    given = overrides(node).get(row.name)
    if given is not None and isinstance(row.default, float) and given.type_ == Parameter.Type.INTEGER:
        overrides(node)[row.name] = Parameter(row.name, Parameter.Type.DOUBLE, float(given.value))


def _expected(row: Declaration) -> str:
    if row.choices:
        return f"expected one of {', '.join(row.choices)}"
    return f"expected {type(row.default).__name__} from {row.minimum} to {row.maximum}: {row.description}"
