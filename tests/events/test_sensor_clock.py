"""The sensor's clock against a simulated truth: delays with a long tail, drift, wandering, congestion, restarts."""

import numpy as np
import pytest

from neuro_robot.events.clock import ClockEstimate, SensorClock

EPOCH_NS = 1_700_000_000_000_000_000
LEAST_DELAY_NS = 300_000


def arrivals(seed, seconds=60, drift=35e-6, jitter_ns=200_000, bursts=True, wander=0.0, offset_ns=EPOCH_NS):
    """-> (sensor times, host times without any delay beyond the least, host times of arrival), 1 kHz."""
    rng = np.random.default_rng(seed)
    sensor_ns = np.arange(1, seconds * 1000) * 1_000_000
    drifts = drift + wander * np.sin(sensor_ns * 1e-9 / 20)
    line_ns = offset_ns + LEAST_DELAY_NS + sensor_ns + np.cumsum(drifts * 1e6).astype(np.int64)
    delay_ns = rng.exponential(jitter_ns, len(sensor_ns))
    if bursts:  # every 5 s half a second in which everything is at least 20 ms late
        delay_ns += np.where((sensor_ns // 500_000_000) % 10 == 7, 20e6, 0)
    return sensor_ns, line_ns, line_ns + delay_ns.astype(np.int64)


def followed(clock, sensor_ns, host_ns):
    for sensor, host in zip(sensor_ns.tolist(), host_ns.tolist(), strict=True):
        clock.update(sensor, host)
    return clock.estimate()


@pytest.mark.parametrize("drift", [-80e-6, 0.0, 35e-6])
def test_offset_and_drift_under_jitter_and_congestion(drift):
    clock = SensorClock()
    sensor_ns, line_ns, host_ns = arrivals(1, drift=drift)
    estimate = followed(clock, sensor_ns, host_ns)
    errors_ns = np.array([clock.to_host(t) for t in sensor_ns[-1000:].tolist()]) - line_ns[-1000:]
    assert np.abs(errors_ns).max() < 5_000, "one packet's arrival is off by 200 us on average"
    assert abs(estimate.drift - drift) < 0.2e-6
    assert clock.resets == 0


def test_errors_stay_within_the_sigmas_it_states():
    normalised = []
    for seed in range(20):
        clock = SensorClock()
        sensor_ns, line_ns, host_ns = arrivals(seed, seconds=15)
        estimate = followed(clock, sensor_ns, host_ns)
        truth_ns = line_ns[sensor_ns == estimate.t_ns][0] - estimate.t_ns
        error_ns, drift_error = estimate.offset_ns - truth_ns, estimate.drift - 35e-6
        normalised.append((error_ns / estimate.offset_sigma_ns, drift_error / estimate.drift_sigma))
    offset, drift = np.abs(normalised).T
    assert np.mean(offset < 2) > 0.9, offset
    assert np.mean(drift < 2) > 0.8, drift
    assert offset.max() < 4, offset
    assert drift.max() < 4, drift


def test_uncertainty_shrinks_with_time():
    sensor_ns, _, host_ns = arrivals(3, bursts=False)
    clock, sigmas = SensorClock(), []
    for part in np.array_split(np.arange(len(sensor_ns)), 6):
        estimate = followed(clock, sensor_ns[part], host_ns[part])
        sigmas.append((estimate.offset_sigma_ns, estimate.drift_sigma))
    assert sigmas[-1][0] < sigmas[0][0] < 200_000
    assert sigmas[-1][1] < 0.1 * sigmas[0][1]


def test_wandering_drift_is_followed():
    sensor_ns, line_ns, host_ns = arrivals(4, seconds=90, wander=0.5e-6)
    clock = SensorClock(drift_walk=5e-8)
    followed(clock, sensor_ns, host_ns)
    assert abs(clock.to_host(int(sensor_ns[-1])) - line_ns[-1]) < 10_000


def test_no_jitter_is_exact_to_the_resolution():
    sensor_ns, line_ns, _ = arrivals(0, seconds=20, drift=1e-6)
    clock = SensorClock()
    estimate = followed(clock, sensor_ns, line_ns)
    assert abs(clock.to_host(int(sensor_ns[-1])) - line_ns[-1]) < 1000
    assert estimate.offset_sigma_ns < 1000


def test_restarted_sensor_is_noticed_and_learned_again():
    sensor_ns, _, host_ns = arrivals(5, seconds=10)
    clock = SensorClock()
    followed(clock, sensor_ns, host_ns)
    later_ns = int(host_ns[-1] - host_ns[0]) + 3_000_000_000
    sensor_ns, line_ns, host_ns = arrivals(6, seconds=10, offset_ns=EPOCH_NS + later_ns)
    followed(clock, sensor_ns, host_ns)
    assert clock.resets == 1
    assert abs(clock.to_host(int(sensor_ns[-1])) - line_ns[-1]) < 20_000


def test_before_the_first_window():
    clock = SensorClock()
    assert clock.estimate() is None
    assert clock.to_host(77) == 77
    clock.update(1_000_000, EPOCH_NS)
    assert clock.estimate() is None
    assert clock.to_host(2_000_000) == EPOCH_NS + 1_000_000
    clock.update(1_000_000 + 200_000_000, EPOCH_NS + 200_000_000)
    assert isinstance(clock.estimate(), ClockEstimate)


def test_hostile_times_do_no_harm():
    rng = np.random.default_rng(7)
    clock = SensorClock()
    for sensor, host in rng.integers(-(2**62), 2**62, (2000, 2)).tolist():
        clock.update(sensor, host)
    for _ in range(2000):
        clock.update(5, 5)  # a sensor whose time stands still
    assert clock.resets > 1000
