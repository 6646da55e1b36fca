"""The looming reward against its formula."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from neuro_robot.agents.reward import LoomingReward, RewardConfig

AZIMUTHS = np.radians(np.linspace(-38.75, 38.75, 32))
CONFIG = RewardConfig(width_deg=25.0, floor_khz=1.0, gain=0.05, tau_ms=50.0)


def near(azimuth_deg, count):
    counts = np.zeros(32, np.float32)
    counts[np.argmin(np.abs(np.degrees(AZIMUTHS) - azimuth_deg))] = count
    return counts


def after(counts, steps, config=CONFIG):
    reward = LoomingReward(config, AZIMUTHS)
    for _ in range(steps):
        value = reward.step(counts, 1.0)
    return value


def test_silence_is_worth_nothing():
    assert after(np.zeros(32, np.float32), 10) == 0.0


def test_left_looming_rewards_steering_right():
    assert after(near(10.0, 10), 20) > 0.0
    assert after(near(-10.0, 10), 20) == -after(near(10.0, 10), 20)


@pytest.mark.parametrize("steps", [1, 10, 50, 1000])
def test_follows_the_low_pass_and_the_floor(steps):
    rate = 8.0 * (1.0 - math.exp(-steps / 50.0))  # 8 events per ms from t = 0 on, kHz
    assert after(near(10.0, 8), steps) == pytest.approx(math.tanh(0.05 * max(rate - 1.0, 0.0)), abs=1e-6)


def test_what_is_below_the_floor_or_off_the_course_is_not_felt():
    assert after(near(10.0, 0.9), 1000) == 0.0
    assert after(near(30.0, 100), 1000) == 0.0


def test_two_equal_sides_cancel():
    assert after(near(10.0, 9) + near(-10.0, 9), 100) == 0.0


@given(hnp.arrays(np.float32, 32, elements=st.floats(0, 1e4, width=32)))
def test_is_bounded_and_mirrors(counts):
    reward = after(counts, 5)
    assert -1.0 <= reward <= 1.0
    assert after(counts[::-1].copy(), 5) == pytest.approx(-reward, abs=1e-5)
