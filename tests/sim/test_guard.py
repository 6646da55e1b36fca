"""What the guard lets through and what it answers instead."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuro_robot.robot import BodyCommand, stop_command
from neuro_robot.sim.guard import CommandGuard, LimitsConfig

NOW = 5_000_000_000
MS = 1_000_000


def make(**changes):
    return CommandGuard(LimitsConfig(**changes))


def test_a_good_command_passes_unchanged():
    guard = make()
    command = BodyCommand(NOW, 17.9, -4.0, 0.5, 1.0)
    assert guard.check(command, NOW) is command
    assert guard.fault == ""
    assert guard.counts.passed == 1


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("place", range(4))
def test_anything_not_finite_becomes_a_hover(bad, place):
    guard = make()
    values = [1.0, 0.0, 0.0, 0.0]
    values[place] = bad
    assert guard.check(BodyCommand(NOW, *values), NOW) == stop_command(NOW)
    assert "not finite" in guard.fault
    assert guard.counts.non_finite == 1


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ((100, 0, 0, 0), "vx"),
        ((-21, 0, 0, 0), "vx"),
        ((0, 11, 0, 0), "vy"),
        ((0, 0, -6, 0), "vz"),
        ((0, 0, 0, 5), "yaw"),
    ],
)
def test_beyond_the_limits_becomes_a_hover(values, name):
    guard = make()
    assert guard.check(BodyCommand(NOW, *map(float, values)), NOW) == stop_command(NOW)
    assert name in guard.fault
    assert guard.counts.over_limit == 1


def test_a_command_counts_until_the_timeout_and_no_longer():
    guard = make(command_timeout_ms=50.0)
    command = BodyCommand(NOW, 5.0, 0.0, 0.0, 0.0)
    assert guard.check(command, NOW + 50 * MS) == command
    assert guard.check(command, NOW + 51 * MS) == stop_command(NOW + 51 * MS)
    assert "51 ms old" in guard.fault
    assert guard.counts.stale == 1


def test_a_stamp_ahead_of_the_clock_is_refused_because_it_would_never_go_stale():
    guard = make()
    assert guard.check(BodyCommand(NOW + 1, 5.0, 0.0, 0.0, 0.0), NOW) == stop_command(NOW)
    assert "ahead of the clock" in guard.fault
    assert guard.counts.future == 1


def test_without_a_command_it_hovers():
    guard = make()
    assert guard.check(None, NOW) == stop_command(NOW)
    assert guard.fault
    assert guard.counts.missing == 1


def test_the_fault_clears_with_the_next_good_command():
    guard = make()
    guard.check(BodyCommand(NOW, math.nan, 0.0, 0.0, 0.0), NOW)
    guard.check(BodyCommand(NOW, 1.0, 0.0, 0.0, 0.0), NOW)
    assert guard.fault == ""


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=4, max_size=4), st.integers(0, 2 * NOW))
def test_whatever_comes_the_answer_is_within_the_limits(values, stamp):
    limits = LimitsConfig()
    guard = CommandGuard(limits)
    answer = guard.check(BodyCommand(stamp, *values), NOW)
    bounds = (limits.forward_speed, limits.lateral_speed, limits.climb_speed, limits.yaw_rate)
    assert all(abs(value) <= bound for value, bound in zip(answer[1:], bounds, strict=True))
    assert (answer == stop_command(NOW)) or guard.fault == ""
