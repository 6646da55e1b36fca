"""Path integration of the commands against closed forms."""

from __future__ import annotations

import dataclasses
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuro_robot.agents.course import Course, CourseConfig

CONFIG = CourseConfig(max_slip=0.5, max_lateral=9.0, homing=0.06, max_homing=0.24, max_course_deg=15.0, lag_ms=250.0)
FREE = dataclasses.replace(CONFIG, homing=0.0)


def test_starts_straight():
    course = Course(CONFIG, 5.0)
    assert (course.lateral, course.vy, course.y, course.azimuth) == (0.0, 0.0, 0.0, 0.0)


def test_a_step_of_command_follows_the_lag():
    course = Course(FREE, 5.0)
    for _ in range(100):
        course.steer(2.0, 1.0)
    keep = 1.0 - 1.0 / 250.0
    assert course.vy == pytest.approx(2.0 * (1.0 - keep**100))
    drift = sum(2.0 * (1.0 - keep**k) for k in range(1, 101)) * 1e-3
    assert course.y == pytest.approx(drift)
    assert course.vy == pytest.approx(2.0 * (1.0 - math.exp(-100 / 250.0)), rel=5e-3)


def test_a_step_longer_than_the_lag_does_not_overshoot():
    course = Course(FREE, 5.0)
    course.steer(1.0, 1000.0)
    assert course.vy == 1.0


def test_homing_brings_the_drift_back():
    course = Course(CONFIG, 5.0)
    for _ in range(1000):
        course.steer(2.0, 1.0)
    away = course.y
    course.steer(0.0, 1.0)
    assert course.lateral == pytest.approx(-0.3 * away)
    for _ in range(30_000):
        course.steer(0.0, 1.0)
    assert away > 1.0
    assert abs(course.y) < 0.01


def test_homing_has_a_limit():
    course = Course(CONFIG, 5.0)
    course.y = -100.0
    course.steer(0.0, 1.0)
    assert course.lateral == 1.2


def test_the_strongest_wish_does_not_beat_homing():
    course = Course(dataclasses.replace(CONFIG, max_homing=0.5), 5.0)
    course.y = 10.0
    course.steer(1e6, 1.0)
    assert course.lateral == 0.0


def test_the_path_does_not_depend_on_the_speed():
    slow, fast = (Course(dataclasses.replace(CONFIG, lag_ms=1.0), speed) for speed in (2.0, 8.0))
    for _ in range(200):
        slow.steer(0.8, 4.0)
        fast.steer(3.2, 1.0)
    assert slow.y > 0.0
    assert slow.y == pytest.approx(fast.y, rel=0.01)


def test_lateral_speed_has_a_limit_of_its_own():
    course = Course(dataclasses.replace(CONFIG, max_lateral=3.0), 17.0)
    course.steer(1e6, 1.0)
    assert course.lateral == 3.0


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50), st.floats(0.0, 20.0))
def test_commands_and_view_keep_their_limits(wishes, speed):
    course = Course(CONFIG, speed)
    for wish in wishes:
        course.steer(wish, 50.0)
        assert abs(course.lateral) <= 0.5 * max(speed, 0.1)
        assert abs(course.vy) <= 0.5 * max(speed, 0.1)
        assert abs(math.degrees(course.azimuth)) <= 15.0 + 1e-9


def test_azimuth_is_the_direction_of_flight():
    course = Course(FREE, 5.0)
    course.vy = 1.0
    assert course.azimuth == pytest.approx(math.atan(0.2))
    course.vy = -1.0
    assert course.azimuth == pytest.approx(-math.atan(0.2))


def test_reset():
    course = Course(CONFIG, 5.0)
    course.steer(2.0, 100.0)
    course.reset()
    assert (course.lateral, course.vy, course.y) == (0.0, 0.0, 0.0)
