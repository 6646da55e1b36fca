"""The package's parameters as ROS 2 parameters: declared, described, ranged; what is unknown is refused."""

from __future__ import annotations

import math
from typing import Any, TypeVar

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor, SetParametersResult
from rclpy.node import Node
from rclpy.parameter import Parameter

from neuro_robot.config import Declaration, declarations, flat, from_dict

T = TypeVar("T")
ROS_OWN = ("use_sim_time", "start_type_description_service")
LARGEST = {int: 2**62, float: 1e300}


def declare(node: Node, kind: type) -> None:
    """Declare every parameter of a group on a node made with `automatically_declare_parameters_from_overrides`.

    That is rclpy's public way to learn what command line and parameter files set, unknown names included. Each of
    them is declared again with description and range. Raises ConfigError for what is unknown or has no valid value.
    """
    given = {name: item.value for name, item in node.get_parameters_by_prefix("").items() if not _of_ros(name)}
    values = flat(from_dict(kind, given))
    for row in declarations(kind):
        if row.name in given:
            node.undeclare_parameter(row.name)
        node.declare_parameter(row.name, values[row.name], descriptor(row), ignore_override=True)


def read(node: Node, kind: type[T]) -> T:
    """The node's parameters as the checked group. Raises ConfigError for a wrong value."""
    return from_dict(kind, {row.name: node.get_parameter(row.name).value for row in declarations(kind)})


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


def with_whole_numbers(kind: type, changed: list[Parameter[Any]]) -> list[Parameter[Any]]:
    """`3` for a parameter that is a float means 3.0, as in a parameter file; ROS alone would refuse it."""
    floats = {row.name for row in declarations(kind) if isinstance(row.default, float)}
    return [
        Parameter(item.name, Parameter.Type.DOUBLE, float(item.value))
        if item.name in floats and item.type_ == Parameter.Type.INTEGER
        else item
        for item in changed
    ]


def check_change(kind: type, changed: list[Parameter[Any]]) -> SetParametersResult:
    """Whether these values may be set: choices and finiteness, which ROS does not know."""
    rows = {row.name: row for row in declarations(kind)}
    for item in changed:
        row = rows.get(item.name)
        if row is None:
            continue
        if row.choices and item.value not in row.choices:
            reason = f"{item.name}: expected one of {', '.join(row.choices)}, got {item.value!r}"
            return SetParametersResult(successful=False, reason=reason)
        if isinstance(item.value, float) and not math.isfinite(item.value):
            return SetParametersResult(successful=False, reason=f"{item.name}: expected a finite number")
    return SetParametersResult(successful=True)


def _of_ros(name: str) -> bool:
    return name in ROS_OWN or name.startswith("qos_overrides.")
