"""What /diagnostics says of the sensor's clock against the host's, in realtime."""

from __future__ import annotations

from neuro_robot.events.clock import SensorClock


class ClockReport:
    """Follows the clocks from the times at which packets were published; events.clock has the method.

    Only for packets that a sensor sends as it goes: lockstep and replays come at times that say nothing.
    """

    def __init__(self, live: bool) -> None:
        self._clock = SensorClock() if live else None

    def take(self, sensor_ns: int, published_ns: int) -> None:
        """A packet: the newest sensor time in it, and when its publisher sent it by the host's clock, ns."""
        if self._clock is not None and published_ns > 0:
            self._clock.update(sensor_ns, published_ns)

    def values(self) -> dict[str, object]:
        """Entries for /diagnostics, none before the first estimate. Sigmas are one standard deviation."""
        estimate = self._clock.estimate() if self._clock is not None else None
        if self._clock is None or estimate is None:
            return {}
        return {
            "clock_offset_ns": estimate.offset_ns,
            "clock_offset_sigma_us": round(estimate.offset_sigma_ns * 1e-3, 1),
            "clock_drift_ppm": round(estimate.drift * 1e6, 3),
            "clock_drift_sigma_ppm": round(estimate.drift_sigma * 1e6, 3),
            "clock_resets": self._clock.resets,
        }
