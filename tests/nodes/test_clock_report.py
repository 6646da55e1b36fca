"""The sensor's clock on /diagnostics, from given times."""

import numpy as np

from neuro_robot.nodes.clock_report import ClockReport

OFFSET_NS = 1_700_000_000_000_000_000


def followed(report, seconds, drift, first_ns=0):
    rng = np.random.default_rng(1)
    for k in range(seconds * 500):
        sensor_ns = first_ns + k * 2_000_000
        report.take(sensor_ns, OFFSET_NS + round(sensor_ns * (1 + drift)) + int(rng.exponential(100_000)))
    return report.values()


def test_offset_and_drift_are_told_with_their_uncertainty():
    values = followed(ClockReport(live=True), 30, 40e-6)
    assert abs(values["clock_offset_ns"] - OFFSET_NS - 30e9 * 40e-6) < 50_000
    assert abs(values["clock_drift_ppm"] - 40) < 3 * values["clock_drift_sigma_ppm"] + 0.1
    assert 0 < values["clock_drift_sigma_ppm"] < 5
    assert 0 < values["clock_offset_sigma_us"] < 100
    assert values["clock_resets"] == 0


def test_a_sensor_that_restarts_is_counted():
    report = ClockReport(live=True)
    followed(report, 2, 0.0, first_ns=50_000_000_000)
    report.take(0, OFFSET_NS + 52_000_000_000)
    assert report._clock.resets == 1


def test_nothing_is_told_before_there_is_something_to_tell_and_never_in_lockstep():
    report = ClockReport(live=True)
    report.take(0, OFFSET_NS)
    assert report.values() == {}
    assert followed(ClockReport(live=False), 2, 0.0) == {}
    unstamped = ClockReport(live=True)
    unstamped.take(0, 0)  # a middleware that does not tell
    unstamped.take(10**9, 0)
    assert unstamped.values() == {}
