from __future__ import annotations

import math

import pytest
from bench.fakes import episode
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from neuro_robot.bench.statistics import summarise, trailing_rate, wilson_interval


@given(st.integers(1, 400), st.data())
def test_wilson_agrees_with_scipy(trials, data):
    wins = data.draw(st.integers(0, trials))
    low, high = wilson_interval(wins, trials)
    expected = binomtest(wins, trials).proportion_ci(0.95, method="wilson")
    assert low == pytest.approx(expected.low, abs=1e-12)
    assert high == pytest.approx(expected.high, abs=1e-12)


@pytest.mark.parametrize("trials", [1, 10, 50])
def test_wilson_closed_form_at_the_ends(trials):
    z2 = 1.959963984540054**2
    assert wilson_interval(trials, trials) == (pytest.approx(trials / (trials + z2)), 1.0)
    assert wilson_interval(0, trials) == (0.0, pytest.approx(z2 / (trials + z2)))


def test_wilson_without_trials_and_with_nonsense():
    assert wilson_interval(0, 0) == (0.0, 1.0)
    for wins, trials in ((3, 2), (-1, 4)):
        with pytest.raises(ValueError, match="successes"):
            wilson_interval(wins, trials)


def test_summary_of_episodes_by_hand():
    flights = [
        episode("goal", 60.0, 12.0, clearance=0.4),
        episode("collision", 20.0, 4.0, clearance=0.0),
        episode("collision", 10.0, 2.5, clearance=math.nan),
        episode("timeout", 30.0, 11.5, clearance=0.2),
    ]
    row = summarise(flights)
    assert row["success_rate"] == 0.25
    assert row["episodes"] == 4
    assert row["outcomes"] == {"collision": 2, "goal": 1, "timeout": 1}
    assert row["metres_to_first_contact"] == 30.0
    assert row["metres_per_contact"] == 60.0
    assert row["mean_speed"] == 4.0
    assert row["min_clearance"] == 0.0
    assert row["median_clearance"] == 0.2


def test_summary_of_nothing():
    row = summarise([])
    assert row["success_rate"] is None
    assert row["interval"] == [0.0, 1.0]
    assert row["metres_per_contact"] is None


def test_trailing_rate_against_a_naive_count():
    flags = [True, False, True, True, False, False, True]
    expected = [sum(flags[max(0, i - 2) : i + 1]) / len(flags[max(0, i - 2) : i + 1]) for i in range(7)]
    assert trailing_rate(flags, 3) == pytest.approx(expected)
