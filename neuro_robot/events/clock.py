"""How a sensor's clock runs against the host's: offset and drift, estimated while packets arrive.

What can be seen is host - sensor at each arrival, which is offset + drift * time + transport delay. The delay has a
least value and a long tail upwards, so only the earliest arrival of each window counts, and what is left of it is
noise for a Kalman filter with two states (offset, drift; the drift wanders). A window whose earliest arrival is late
was congested and weighs little. The least delay itself cannot be told from the offset by anyone who only listens: it
is part of the offset here.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

WINDOW_NS = 200_000_000
RESET_NS = 500_000_000
_RESOLUTION_NS = 1000.0  # sensors count microseconds
_START_DRIFT = 200e-6  # crystals are within 100 ppm, each
_NOISE_SHARE = 0.05  # weight of one window in the noise estimate
_LATE_SIGMAS = 3.0


class ClockEstimate(NamedTuple):
    """host time = sensor time + offset_ns + drift * (sensor time - t_ns); sigmas are one standard deviation."""

    t_ns: int  # sensor time of the newest window
    offset_ns: int
    drift: float  # host seconds gained per sensor second, 1e-6 = 1 ppm
    offset_sigma_ns: float
    drift_sigma: float


class SensorClock:
    """Online estimate of a sensor's clock on the host's, from the arrival times of its packets.

    drift_walk is how much the drift wanders within a second (standard deviation; the default is a crystal's in a
    changing temperature). resets counts how often host - sensor jumped by more than RESET_NS, as when a sensor
    restarts: then the estimate starts afresh.
    """

    def __init__(self, *, window_ns: int = WINDOW_NS, drift_walk: float = 2e-9) -> None:
        self.resets = 0
        self._window_ns = window_ns
        self._drift_walk = drift_walk
        self._start()

    def _start(self) -> None:
        self._first: tuple[int, int] | None = None  # (sensor time, host - sensor) of this window's first arrival
        self._earliest = (0, 0)
        self._arrivals = self._sum_ns = 0  # of this window; the sum is of host - sensor beyond the first
        self._t_ns: int | None = None
        self._anchor_ns = 0  # the offset up to here as an integer: epochs do not fit in floats to the nanosecond
        self._state = np.zeros(2)  # offset beyond the anchor (ns), drift (ns per ns)
        self._covariance = np.zeros((2, 2))
        self._noise = 0.0  # variance of a window's earliest arrival, ns^2

    def update(self, sensor_ns: int, host_ns: int) -> None:
        """Take a packet: the newest sensor time in it, and the host time of its arrival, both in ns."""
        arrival = int(sensor_ns), int(host_ns) - int(sensor_ns)
        if self._first is not None and abs(arrival[1] - self._expected_ns(arrival[0])) > RESET_NS:
            self._start()
            self.resets += 1
        first = self._first = self._first or arrival
        if not self._arrivals or self._lateness(arrival, first) < self._lateness(self._earliest, first):
            self._earliest = arrival
        self._arrivals += 1
        self._sum_ns += arrival[1] - first[1]
        if arrival[0] - first[0] >= self._window_ns:
            self._close_window(self._sum_ns / self._arrivals - (self._earliest[1] - first[1]))
            self._first, self._arrivals, self._sum_ns = arrival, 0, 0

    def estimate(self) -> ClockEstimate | None:
        """The estimate as of the newest full window; None before the first."""
        if self._t_ns is None:
            return None
        offset_ns = self._anchor_ns + round(float(self._state[0]))
        # The noise is one sided: its mean, part of the offset's error, is about its standard deviation.
        sigma_ns = math.sqrt(self._covariance[0, 0] + self._noise)
        drift_sigma = math.sqrt(self._covariance[1, 1])
        return ClockEstimate(self._t_ns, offset_ns, float(self._state[1]), sigma_ns, drift_sigma)

    def to_host(self, sensor_ns: int) -> int:
        """Host time in ns of a sensor time; sensor_ns itself before the first arrival."""
        return int(sensor_ns) + (self._expected_ns(sensor_ns) if self._first else 0)

    def _expected_ns(self, sensor_ns: int) -> int:
        """Give host - sensor at a sensor time, as far as known."""
        if self._t_ns is None:
            return self._earliest[1]
        moved_ns = float(self._state[0]) + float(self._state[1]) * (int(sensor_ns) - self._t_ns)
        return self._anchor_ns + round(moved_ns)

    def _lateness(self, arrival: tuple[int, int], first: tuple[int, int]) -> float:
        """How much later than the window's first arrival in ns, the drift as known taken out."""
        return arrival[1] - first[1] - float(self._state[1]) * (arrival[0] - first[0])

    def _close_window(self, spread_ns: float) -> None:
        """Take the window's earliest arrival into the estimate; the others are spread_ns later on average."""
        t_ns, earliest_ns = self._earliest
        if self._t_ns is None:
            self._noise = _RESOLUTION_NS**2 + spread_ns**2
            self._anchor_ns = earliest_ns
            self._covariance = np.diag([self._noise, _START_DRIFT**2])
        else:
            self._predict(t_ns - self._t_ns)
            self._correct(float(earliest_ns - self._anchor_ns))
        self._t_ns = t_ns

    def _predict(self, dt_ns: int) -> None:
        step = np.array([[1.0, float(dt_ns)], [0.0, 1.0]])
        walk = self._drift_walk**2 * abs(dt_ns) * 1e-9  # variance that the drift gains in this time
        wander = walk * np.array([[dt_ns**2 / 3.0, dt_ns / 2.0], [dt_ns / 2.0, 1.0]])
        self._state = step @ self._state
        self._covariance = step @ self._covariance @ step.T + wander

    def _correct(self, measured_ns: float) -> None:
        innovation_ns = measured_ns - float(self._state[0])
        variance = float(self._covariance[0, 0])
        noise = self._noise
        if innovation_ns > _LATE_SIGMAS * math.sqrt(variance + noise):
            noise += innovation_ns**2  # congested: the line is somewhere below
        else:
            seen = max(innovation_ns**2 - variance, 0.0)
            self._noise = max(self._noise + _NOISE_SHARE * (seen - self._noise), _RESOLUTION_NS**2 / 12)
        gain = self._covariance[:, 0] / (variance + noise)
        self._state = self._state + gain * innovation_ns
        keep = np.array([[1.0 - gain[0], 0.0], [-gain[1], 1.0]])
        # Joseph's form: stays positive whatever rounding does.
        self._covariance = keep @ self._covariance @ keep.T + noise * np.outer(gain, gain)
        self._anchor_ns += round(float(self._state[0]))
        self._state[0] -= round(float(self._state[0]))
