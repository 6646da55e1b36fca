"""The pixel model written down plainly, one pixel and one crossing at a time, in the same float32 steps."""

from __future__ import annotations

import math

import numpy as np

F = np.float32


class NaivePixels:
    """Signal events only (no shot noise): ESIM's interpolation, refractory drop, low-pass, leak."""

    def __init__(self, pixels):
        """Take over thresholds, leak and adapted state of DvsPixels right after its reset."""
        self.config, self.shape, self.t = pixels.config, (pixels.height, pixels.width), pixels.t_ns
        self.on, self.off, self.drift = pixels.on.copy(), pixels.off.copy(), pixels._drift.copy()
        self.low, self.reference = pixels._low.copy(), pixels._reference.copy()
        self.newest = [None] * self.low.size

    def step(self, image, t_ns):
        """Sorted list of (t, x, y, p)."""
        t0, self.t = self.t, t_ns
        dt = (t_ns - t0) * 1e-9
        gain = F(1.0 - math.exp(-math.tau * self.config.cutoff_hz * dt)) if self.config.cutoff_hz else F(1)
        leak = F(self.config.leak_rate_hz * dt)
        events = []
        for i, value in enumerate(image.ravel()):
            before = self.low[i] - self.reference[i]
            if gain == F(1) and leak == F(0):
                self.low[i] = value
            else:
                self.low[i] = self.low[i] + gain * (value - self.low[i])
                self.reference[i] = self.reference[i] - leak * self.drift[i]
            after = self.low[i] - self.reference[i]
            events += self._crossings(i, float(before), float(after), t0, t_ns)
        return sorted(events, key=lambda e: (e[0], e[2], e[1]))

    def _crossings(self, i, before, after, t0, t1):
        events = []
        level = float(self.on[i]) if after > 0 else -float(self.off[i])
        count = int(F(after) / F(level))
        for k in range(1, count + 1):
            t = t0 + min(max(int((k * level - before) * ((t1 - t0) / (after - before)) + 0.5), 1), t1 - t0)
            if self.newest[i] is None or t - self.newest[i] >= self.config.refractory_us * 1000:
                self.newest[i] = t
                events.append((t, i % self.shape[1], i // self.shape[1], int(level > 0)))
        self.reference[i] = self.reference[i] + F(count * level)
        return events
