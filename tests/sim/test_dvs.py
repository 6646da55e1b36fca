"""The pixel model: event by event against a naive one, closed forms, noise statistics, and what is refused."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sim.naive_pixels import NaivePixels

from neuro_robot.config import declarations
from neuro_robot.errors import SimulationError
from neuro_robot.events.array import validate_events
from neuro_robot.sim.dvs import MIN_THRESHOLD, DvsConfig, DvsPixels, ideal

MS = 1_000_000
QUIET = DvsConfig(shot_noise_rate_hz=0.0)


def flat(value, width=1, height=1):
    return np.full((height, width), value, np.float32)


def ramp(config, slope_per_s, seconds, frame_ns=MS):
    """Events of one pixel whose log intensity rises steadily from 0."""
    pixels = DvsPixels(config, 1, 1, 0)
    pixels.reset(flat(0.0), 0)
    frames = round(seconds * 1e9 / frame_ns)
    parts = [pixels.step(flat(slope_per_s * i * frame_ns * 1e-9), i * frame_ns) for i in range(1, frames + 1)]
    return np.concatenate(parts)


def run(config, images, seed=3, threads=1):
    height, width = images[0].shape
    pixels = DvsPixels(config, width, height, seed, threads=threads)
    pixels.reset(images[0], 0)
    return [pixels.step(image, (i + 1) * MS) for i, image in enumerate(images[1:])]


def random_images(rng, frames=12, width=19, height=7, size=0.25):
    return np.cumsum(rng.normal(0, size, (frames, height, width)), axis=0).astype(np.float32)


@pytest.mark.parametrize(
    "config",
    [
        ideal(),
        QUIET,
        dataclasses.replace(QUIET, refractory_us=0.0, cutoff_hz=0.0),
        dataclasses.replace(QUIET, leak_rate_hz=50.0, cutoff_hz=100.0),
        dataclasses.replace(ideal(), threshold_on=0.05, threshold_off=0.4, refractory_us=120.0),
    ],
    ids=["ideal", "real", "instant", "leaky", "many"],
)
@pytest.mark.parametrize("seed", [0, 1])
def test_equals_the_naive_model_event_by_event(config, seed):
    images = random_images(np.random.default_rng(seed))
    pixels = DvsPixels(config, 19, 7, seed)
    pixels.reset(images[0], 0)
    naive = NaivePixels(pixels)
    total = 0
    for i, image in enumerate(images[1:], 1):
        ours = [tuple(int(value) for value in event) for event in pixels.step(image, i * MS)]
        assert ours == naive.step(image, i * MS)
        total += len(ours)
    assert total > 300


@pytest.mark.parametrize("sign", [1, -1])
def test_ramp_makes_equally_spaced_events(sign):
    """Slope 10.01 / s and threshold 0.2: 50 events in a second, 19.98 ms apart, wherever the frames fall."""
    events = ramp(ideal(), sign * 10.01, 1.0, frame_ns=777_777)
    assert len(events) == 50
    assert set(events["p"]) == {int(sign > 0)}
    np.testing.assert_allclose(events["t"], np.arange(1, 51) * 0.2 / 10.01 * 1e9, atol=3000)


def test_several_events_within_a_frame():
    events = ramp(ideal(), 1000.1, 0.002)
    np.testing.assert_allclose(events["t"], np.arange(1, 11) * 0.2 / 1000.1 * 1e9, atol=20)


def test_refractory_period_thins_but_does_not_delay():
    """Crossings every 0.2 ms and 0.5 ms of dead time: every third is seen, at its own time."""
    events = ramp(dataclasses.replace(ideal(), refractory_us=500.0), 1000.1, 0.01)
    np.testing.assert_allclose(events["t"], np.arange(1, 51, 3) * 0.2 / 1000.1 * 1e9, atol=100)


def test_low_pass_delays_a_step_as_its_time_constant_says():
    """A step of 1 through 10 Hz passes 1 - exp(-t / tau) = 0.2 k at t = -tau log(1 - 0.2 k)."""
    pixels = DvsPixels(dataclasses.replace(ideal(), cutoff_hz=10.0, threshold_on=0.2), 1, 1, 0)
    pixels.reset(flat(0.0), 0)
    parts = [pixels.step(flat(1.0), i * MS // 10) for i in range(1, 1000)]
    tau_ns = 1e9 / (math.tau * 10.0)
    np.testing.assert_allclose(
        np.concatenate(parts)["t"], [-tau_ns * math.log(1 - 0.2 * k) for k in (1, 2, 3, 4)], rtol=0.003
    )


def test_leak_rate_and_polarity():
    config = dataclasses.replace(ideal(), leak_rate_hz=5.0, leak_spread_decades=0.1, threshold_sigma=0.03)
    events = np.concatenate(run(config, [flat(0.0, 40, 50)] * 1001))
    mean_rate = 5.0 * math.exp(0.5 * (0.1 * math.log(10)) ** 2)
    assert events["p"].all()
    assert len(events) == pytest.approx(2000 * mean_rate, rel=0.03)
    spread = np.histogram(events["t"], 10)[0]
    assert spread.min() > 0.85 * spread.mean(), "pixels must not leak in step"


def test_shot_noise_rate_balance_and_uniformity():
    config = dataclasses.replace(ideal(), shot_noise_rate_hz=20.0)
    events = np.concatenate(run(config, [flat(-20.0, 50, 40)] * 501))
    expected = 20.0 * 2000 * 0.5
    assert abs(len(events) - expected) < 4 * math.sqrt(expected)
    assert abs(int(events["p"].sum()) - len(events) / 2) < 4 * math.sqrt(len(events) / 4)
    per_pixel = np.bincount(events["y"].astype(int) * 50 + events["x"], minlength=2000)
    assert per_pixel.var() == pytest.approx(per_pixel.mean(), rel=0.15), "Poisson: variance equals mean"
    assert np.histogram(events["t"] % MS, 10, (0, MS))[0].min() > 0.85 * len(events) / 10


def test_shot_noise_falls_with_brightness():
    config = dataclasses.replace(ideal(), shot_noise_rate_hz=50.0, shot_noise_bright_ratio=0.25)
    dark, bright = (len(np.concatenate(run(config, [flat(level, 50, 40)] * 301))) for level in (-20.0, 0.0))
    assert bright / dark == pytest.approx(0.25, rel=0.05)


def test_threshold_mismatch():
    pixels = DvsPixels(DvsConfig(threshold_on=0.3, threshold_off=0.2, threshold_sigma=0.04), 200, 100, 1)
    assert pixels.on.mean() == pytest.approx(0.3, abs=0.001)
    assert pixels.off.mean() == pytest.approx(0.2, abs=0.001)
    assert pixels.on.std() == pytest.approx(0.04, rel=0.03)
    assert abs(np.corrcoef(pixels.on, pixels.off)[0, 1]) < 0.03
    wild = DvsPixels(DvsConfig(threshold_sigma=0.5), 100, 100, 1)
    assert wild.on.min() == np.float32(MIN_THRESHOLD)


@given(st.integers(0, 2**31), st.floats(0.01, 3.0))
@settings(max_examples=25, deadline=None)
def test_events_are_valid_sorted_and_inside_the_frame(seed, size):
    images = random_images(np.random.default_rng(seed), 5, 30, 20, size)
    for i, events in enumerate(run(DvsConfig(shot_noise_rate_hz=300.0), images, seed)):
        validate_events(events, 30, 20)
        if len(events):
            assert i * MS < events["t"][0]
            assert events["t"][-1] <= (i + 1) * MS
        same = np.flatnonzero(np.diff(events["t"]) == 0)
        assert len(same) == 0 or size > 0.2


def test_seed_and_threads_fix_the_bits():
    images = random_images(np.random.default_rng(5), 8, 128, 96, 0.1)
    one, two, other = (np.concatenate(run(DvsConfig(), images, *how)) for how in ((3, 1), (3, 2), (4, 1)))
    np.testing.assert_array_equal(one, two)
    assert len(one) != len(other) or (one != other).any()


def test_a_flash_of_all_pixels_is_sorted_too():
    images = [flat(0.0, 64, 64), flat(3.0, 64, 64), flat(-3.0, 64, 64)]
    for events in run(DvsConfig(refractory_us=0.0, cutoff_hz=0.0), images):
        assert len(events) > 64 * 64 * 10
        assert (np.diff(events["t"]) >= 0).all()


def test_reset_starts_over():
    images = random_images(np.random.default_rng(6))
    pixels = DvsPixels(DvsConfig(), 19, 7, 0)
    runs = []
    for _ in range(2):
        pixels.reset(images[0], 5 * MS)
        runs.append(np.concatenate([pixels.step(image, (6 + i) * MS) for i, image in enumerate(images[1:])]))
    np.testing.assert_array_equal(*runs)


def test_bad_input_is_refused():
    pixels = DvsPixels(DvsConfig(), 4, 3, 0)
    with pytest.raises(SimulationError, match="reset"):
        pixels.step(flat(0.0, 4, 3), MS)
    with pytest.raises(SimulationError, match="float32"):
        pixels.reset(np.zeros((3, 4)), 0)
    with pytest.raises(SimulationError, match=r"\(3, 4\)"):
        pixels.reset(flat(0.0, 3, 4), 0)
    pixels.reset(flat(0.0, 4, 3), MS)
    with pytest.raises(SimulationError, match="time after"):
        pixels.step(flat(0.0, 4, 3), MS)


def test_every_parameter_says_unit_and_has_a_range():
    for row in declarations(DvsConfig):
        assert row.minimum is not None
        assert row.maximum is not None
        assert "(" in row.description
