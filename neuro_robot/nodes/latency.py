"""Latency percentiles over a run of any length."""

from __future__ import annotations

import numpy as np


class LatencyHistogram:
    """Counts in logarithmic bins of about 2 %, from 1 us to 100 s: constant memory, percentiles to 2 %."""

    def __init__(self) -> None:
        self._edges_ns = np.geomspace(1e3, 1e11, 1000)
        self._counts = np.zeros(len(self._edges_ns) + 1, np.int64)

    def add(self, latency_ns: int) -> None:
        """One measurement; what is negative (clocks) counts as the smallest."""
        self._counts[np.searchsorted(self._edges_ns, latency_ns)] += 1

    def percentile_ms(self, percent: float) -> float:
        """The latency that so many percent do not exceed, ms; NaN without measurements."""
        total = int(self._counts.sum())
        if total == 0:
            return float("nan")
        index = int(np.searchsorted(np.cumsum(self._counts), percent / 100.0 * total))
        return float(self._edges_ns[min(index, len(self._edges_ns) - 1)] * 1e-6)

    def summary(self) -> dict[str, float]:
        """p50, p99 and the number of measurements."""
        return {
            "latency_p50_ms": self.percentile_ms(50.0),
            "latency_p99_ms": self.percentile_ms(99.0),
            "latency_max_ms": self.percentile_ms(100.0),
            "latency_count": float(self._counts.sum()),
        }

    def quantiles_ms(self) -> list[float]:
        """The 0th to the 100th percentile; empty without measurements."""
        return [self.percentile_ms(percent) for percent in range(101)] if self._counts.any() else []
