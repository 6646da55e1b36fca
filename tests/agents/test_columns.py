"""Columns, bands and levelling against plain trigonometry."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from agents.streams import AT_REST, attitude, events_at, imu_with
from hypothesis import assume, given
from hypothesis import strategies as st

from neuro_robot.agents.columns import FAR, NEAR, ColumnView, VisionConfig, levelling, steadiness
from neuro_robot.robot import Imu

WIDTH, HEIGHT = 64, 48
CONFIG = VisionConfig()
MS = 1_000_000


def turn(axis, angle):
    """Right-handed rotation matrix about a coordinate axis."""
    c, s = math.cos(angle), math.sin(angle)
    i, j = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    matrix = np.eye(3)
    matrix[i, i] = matrix[j, j] = c
    matrix[i, j], matrix[j, i] = -s, s
    return matrix


def seen_at(config, x, y, roll, pitch, yaw):
    """Azimuth (rad, from the heading, left positive) and elevation (rad) of a pixel's ray, the long way."""
    per_pixel = 2.0 * math.tan(math.radians(config.fov_deg) / 2.0) / WIDTH
    ray = np.array([1.0, ((WIDTH - 1) / 2 - x) * per_pixel, ((HEIGHT - 1) / 2 - y) * per_pixel])
    in_body = turn("y", -math.radians(config.pitch_deg)) @ ray  # turning about left by a negative angle looks up
    in_odom = turn("z", yaw) @ turn("y", pitch) @ turn("x", roll) @ in_body
    azimuth = math.atan2(in_odom[1], in_odom[0]) - yaw
    return math.remainder(azimuth, 2 * math.pi), math.asin(in_odom[2] / np.linalg.norm(in_odom))


def expected_counts(config, x, y, angles, course):
    counts = np.zeros((2, config.n_columns))
    azimuth, elevation = seen_at(config, x, y, *angles)
    edges = [math.radians(edge) for edge in (config.far_deg, config.near_deg, config.top_deg)]
    place = ((azimuth - course) / math.radians(config.span_deg) + 0.5) * config.n_columns
    assume(min(abs(elevation - edge) for edge in edges) > 1e-9)
    assume(abs(place - round(place)) > 1e-9)
    if 0 <= place < config.n_columns and edges[0] < elevation < edges[2]:
        counts[NEAR if elevation > edges[1] else FAR, int(place)] = 1
    return counts


def count_one(config, x, y, imu, course=0.0):
    view = ColumnView(config, WIDTH, HEIGHT)
    return view.count(events_at([0], [x], [y]), 0, MS, 1, levelling(imu), course)[0]


@given(
    x=st.integers(0, WIDTH - 1),
    y=st.integers(0, HEIGHT - 1),
    roll=st.floats(-1.0, 1.0),
    pitch=st.floats(-1.0, 1.0),
    yaw=st.floats(-3.0, 3.0),
    mount=st.floats(-60.0, 60.0),
    course=st.floats(-0.3, 0.3),
)
def test_an_event_falls_where_trigonometry_says(x, y, roll, pitch, yaw, mount, course):
    config = dataclasses.replace(CONFIG, pitch_deg=mount)
    expected = expected_counts(config, x, y, (roll, pitch, yaw), course)
    found = count_one(config, x, y, imu_with(attitude(roll, pitch, yaw)), course)
    np.testing.assert_array_equal(found, expected)


def test_nothing_hides_from_the_reference():
    """The property above would hold for a view that never counts: over all pixels both bands must fill."""
    x, y = (axis.ravel() for axis in np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT)))
    events = events_at(np.zeros(x.size, int), x, y)
    counts = ColumnView(CONFIG, WIDTH, HEIGHT).count(events, 0, MS, 1, levelling(AT_REST), 0.0)[0]
    expected = np.zeros_like(counts)
    for column, row in zip(x, y, strict=True):
        azimuth, elevation = (math.degrees(angle) for angle in seen_at(CONFIG, column, row, 0.0, 0.0, 0.0))
        place = math.floor((azimuth / CONFIG.span_deg + 0.5) * CONFIG.n_columns)
        if 0 <= place < CONFIG.n_columns and CONFIG.far_deg <= elevation <= CONFIG.top_deg:
            expected[int(elevation > CONFIG.near_deg), place] += 1
    np.testing.assert_array_equal(counts, expected)
    assert counts[FAR].sum() > 0
    assert counts[NEAR].sum() > 0


def test_left_is_the_upper_half_of_the_columns():
    azimuths = ColumnView(CONFIG, WIDTH, HEIGHT).azimuths
    assert np.degrees(azimuths[[0, -1]]) == pytest.approx([-38.75, 38.75])
    counts = count_one(dataclasses.replace(CONFIG, pitch_deg=40.0), 16, HEIGHT // 2, AT_REST)
    assert azimuths[counts.sum(axis=0) > 0].tolist() == pytest.approx([0.57], abs=0.05)


def test_events_go_to_their_step_and_late_ones_to_the_last():
    config = dataclasses.replace(CONFIG, pitch_deg=30.0)
    times = np.array([-5, 0, MS - 1, MS, 3 * MS, 9 * MS])  # from 10 ms on
    events = events_at(times + 10 * MS, [30] * 6, [24] * 6)
    view = ColumnView(config, WIDTH, HEIGHT)
    counts = view.count(events, 10 * MS, MS, 4, np.eye(3), 0.0)
    assert counts.shape == (4, 2, CONFIG.n_columns)
    assert counts.dtype == np.float32
    assert counts.sum(axis=(1, 2)).tolist() == [3, 1, 0, 2]


def test_no_events_and_no_steps_count_nothing():
    view = ColumnView(CONFIG, WIDTH, HEIGHT)
    assert not view.count(events_at([], [], []), 0, MS, 3, np.eye(3), 0.0).any()
    assert view.count(events_at([0], [1], [1]), 0, MS, 0, np.eye(3), 0.0).shape == (0, 2, CONFIG.n_columns)


@given(roll=st.floats(-1.5, 1.5), pitch=st.floats(-1.4, 1.4), yaw=st.floats(-3.1, 3.1))
def test_levelling_takes_out_roll_and_pitch_only(roll, pitch, yaw):
    expected = turn("y", pitch) @ turn("x", roll)  # base_link to odom without the heading
    np.testing.assert_allclose(levelling(imu_with(attitude(roll, pitch, yaw))), expected, atol=1e-9)


def test_levelling_of_known_quaternions():
    half = math.sqrt(0.5)
    np.testing.assert_allclose(levelling(imu_with((0.0, 0.0, half, half))), np.eye(3), atol=1e-12)  # pure yaw
    rolled = levelling(imu_with((half, 0.0, 0.0, half)))  # 90 deg to the right: the left side points up
    np.testing.assert_allclose(rolled @ (0.0, 1.0, 0.0), (0.0, 0.0, 1.0), atol=1e-12)


def test_levelling_without_a_heading_or_an_imu_changes_nothing():
    half = math.sqrt(0.5)
    np.testing.assert_array_equal(levelling(None), np.eye(3))
    np.testing.assert_array_equal(levelling(imu_with((0.0, half, 0.0, half))), np.eye(3))  # nose straight down


def test_levelling_is_finite_for_a_broken_attitude():
    for quaternion in ((math.nan,) * 4, (0.0, 0.0, 0.0, 0.0)):
        assert np.isfinite(levelling(imu_with(quaternion))).all()


def test_steadiness():
    assert steadiness(None, 5.0) == 1.0
    assert steadiness(AT_REST, 5.0) == 1.0
    turning = Imu(0, (0.0, 0.0, 0.0, 1.0), (3.0, 0.0, -4.0), (0.0, 0.0, 9.81))
    assert steadiness(turning, 5.0) == pytest.approx(0.5)
    assert steadiness(turning, 2.5) == pytest.approx(0.2)
