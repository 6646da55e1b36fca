"""Declared parameters on a real node: text, range, refusals; the latency histogram."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

rclpy = pytest.importorskip("rclpy", reason="ROS 2 is not installed: run `make setup`")

from rclpy.context import Context  # noqa: E402
from rclpy.node import Node  # noqa: E402
from rclpy.parameter import Parameter  # noqa: E402

from neuro_robot.config import group, parameter  # noqa: E402
from neuro_robot.errors import ConfigError  # noqa: E402
from neuro_robot.nodes.latency import LatencyHistogram  # noqa: E402
from neuro_robot.nodes.parameters import check_change, declare, read, with_whole_numbers  # noqa: E402

pytestmark = pytest.mark.ros


@dataclass(frozen=True)
class Wing:
    span: float = parameter(2.0, "wing span, m", 0.5, 9.0)


@dataclass(frozen=True)
class Plane:
    engines: int = parameter(2, "engines", 0, 8)
    mode: str = parameter("slow", "how", choices=("slow", "fast"))
    wing: Wing = group(Wing)


@pytest.fixture
def make_node():
    context = Context()
    rclpy.init(args=[], context=context)
    nodes = []

    def make(**overrides):
        given = [Parameter(name.replace("__", "."), value=value) for name, value in overrides.items()]
        nodes.append(Node("plane", context=context, parameter_overrides=given,
                          automatically_declare_parameters_from_overrides=True))  # fmt: skip
        return nodes[-1]

    yield make
    for node in nodes:
        node.destroy_node()
    rclpy.shutdown(context=context)


def test_described_ranged_and_read_back(make_node):
    node = make_node(wing__span=3, mode="fast")  # a whole number stands for a float
    declare(node, Plane)
    assert read(node, Plane) == Plane(2, "fast", Wing(3.0))
    about = node.describe_parameter("wing.span")
    assert about.description == "wing span, m"
    assert (about.floating_point_range[0].from_value, about.floating_point_range[0].to_value) == (0.5, 9.0)
    assert node.describe_parameter("engines").integer_range[0].to_value == 8
    assert "slow, fast" in node.describe_parameter("mode").additional_constraints


@pytest.mark.parametrize("overrides", [{"engines": 9}, {"engines": "two"}, {"wing__span": float("nan")}, {"mode": "x"},
                                       {"rudder": 1}, {"wing__flaps": 1}])  # fmt: skip
def test_bad_and_unknown_values_are_refused_by_name(make_node, overrides):
    node = make_node(**overrides)
    with pytest.raises(ConfigError, match=next(iter(overrides)).replace("__", ".")):
        declare(node, Plane)


def test_parameters_of_ros_itself_are_left_alone(make_node):
    node = make_node(use_sim_time=True, wing__span=4.0)
    declare(node, Plane)
    assert read(node, Plane).wing.span == 4.0
    assert node.get_parameter("use_sim_time").value is True


def test_a_range_holds_for_later_changes_and_a_type_stays(make_node):
    node = make_node(engines=4)
    declare(node, Plane)
    assert not node.set_parameters([Parameter("engines", value=9)])[0].successful
    assert not node.set_parameters([Parameter("engines", value="two")])[0].successful
    assert node.set_parameters([Parameter("engines", value=1)])[0].successful
    assert read(node, Plane).engines == 1


def test_whole_numbers_become_floats_where_floats_are_wanted():
    before = [Parameter("wing.span", value=3), Parameter("engines", value=3), Parameter("other", value=3)]
    after = with_whole_numbers(Plane, before)
    assert [type(item.value) for item in after] == [float, int, int]


def test_a_change_is_checked_for_what_ros_does_not_know():
    assert check_change(Plane, [Parameter("mode", value="fast")]).successful
    assert not check_change(Plane, [Parameter("mode", value="warp")]).successful
    assert not check_change(Plane, [Parameter("wing.span", value=float("inf"))]).successful


def test_percentiles_to_two_percent():
    rng = np.random.default_rng(0)
    values = rng.lognormal(np.log(1e6), 1.0, 5000)
    histogram = LatencyHistogram()
    for value in values:
        histogram.add(int(value))
    for percent in (1, 50, 99):
        assert histogram.percentile_ms(percent) == pytest.approx(np.percentile(values, percent) * 1e-6, rel=0.03)
    assert np.isnan(LatencyHistogram().percentile_ms(50))
    assert LatencyHistogram().quantiles_ms() == []
