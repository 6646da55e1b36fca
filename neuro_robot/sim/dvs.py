"""The DVS pixel: log intensity in, brightness-change events out, with the imperfections of real sensors.

References: ESIM (Rebecq, Gehrig, Scaramuzza, CoRL 2018) for the crossing times; v2e (Hu, Liu, Delbruck, CVPRW 2021)
for bandwidth, leak, shot noise and mismatch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from neuro_robot.config import parameter
from neuro_robot.errors import SimulationError
from neuro_robot.events.array import empty_events
from neuro_robot.sim import dvs_kernels as kernels

MIN_THRESHOLD = 0.01  # v2e's floor for mismatched thresholds


@dataclass(frozen=True)
class DvsConfig:
    """Pixel parameters; a zero switches an effect off. Defaults: a modern sensor in daylight."""

    threshold_on: float = parameter(0.2, "ON contrast threshold (natural log units; v2e pos_thres)", 0.01, 5.0)
    threshold_off: float = parameter(0.2, "OFF contrast threshold (natural log units; v2e neg_thres)", 0.01, 5.0)
    threshold_sigma: float = parameter(
        0.03, "fixed mismatch of each pixel's thresholds, standard deviation (log units; v2e sigma_thres)", 0.0, 1.0
    )
    refractory_us: float = parameter(
        500.0, "dead time after an event, crossings within it are lost (us; ESIM, v2e refractory_period)", 0.0, 1e6
    )
    cutoff_hz: float = parameter(
        300.0, "bandwidth of the photoreceptor, first-order low-pass; 0 = unlimited (Hz; v2e cutoff_hz)", 0.0, 1e5
    )
    leak_rate_hz: float = parameter(
        0.1, "ON events per pixel and second from junction leakage (Hz; v2e leak_rate_hz)", 0.0, 100.0
    )
    leak_spread_decades: float = parameter(
        0.1, "spread of the leak rate over pixels, log-normal (decades; v2e noise_rate_cov_decades)", 0.0, 1.0
    )
    shot_noise_rate_hz: float = parameter(
        0.5, "noise events per pixel in the dark, ON and OFF together (Hz; v2e shot_noise_rate_hz)", 0.0, 1000.0
    )
    shot_noise_bright_ratio: float = parameter(
        0.25, "shot noise at the horizon's brightness relative to the dark (v2e SHOT_NOISE_INTEN_FACTOR)", 0.0, 1.0
    )


def ideal() -> DvsConfig:
    """Pixels without any imperfection: equal thresholds, no dead time, no noise, unlimited bandwidth."""
    return DvsConfig(
        threshold_sigma=0.0, refractory_us=0.0, cutoff_hz=0.0, leak_rate_hz=0.0, leak_spread_decades=0.0,
        shot_noise_rate_hz=0.0,
    )  # fmt: skip


class DvsPixels:
    """An array of pixels with their state; same seed and input, same events, whatever the number of threads.

    `reset` with a first image, then `step` with one image per frame. Images: float32 (height, width) natural log
    intensity. Events: EVENT_DTYPE sorted by t, ties by pixel; t in int64 ns, t_before < t <= t_now.
    """

    def __init__(self, config: DvsConfig, width: int, height: int, seed: int, *, threads: int = 1) -> None:
        self.config, self.width, self.height, self.seed = config, width, height, seed
        self.threads = min(threads, numba.config.NUMBA_NUM_THREADS)
        n = width * height
        rng = np.random.default_rng([seed, 0x0D5])
        self.on = self._thresholds(rng, config.threshold_on)
        self.off = self._thresholds(rng, config.threshold_off)
        spread = 10.0 ** (config.leak_spread_decades * rng.standard_normal(n))
        self._drift: NDArray[np.float32] = (self.on * spread).astype(np.float32)
        self._phase = rng.uniform(size=n)
        self._low = np.zeros(n, np.float32)
        self._reference = np.zeros(n, np.float32)
        self._newest = np.full(n, kernels.NEVER, np.int64)
        self._index = np.zeros(n, np.int32)
        self._before, self._after = np.zeros(n, np.float32), np.zeros(n, np.float32)
        self._counts = np.zeros((n + kernels.BLOCK - 1) // kernels.BLOCK, np.int64)
        self._grow(1024)
        self.t_ns: int | None = None
        self.frames = 0

    def reset(self, log_image: NDArray[np.float32], t_ns: int) -> None:
        """Start at time t_ns with the sensor adapted to this image; no events.

        With leak the references start at random phases, as in a sensor that has been on for long; else all pixels
        would leak their first event at the same time.
        """
        flat = self._flat(log_image)
        self._low[:] = flat
        self._reference[:] = flat
        if self.config.leak_rate_hz > 0.0:
            self._reference -= (self._phase * self.on).astype(np.float32)
        self._newest[:] = kernels.NEVER
        self.t_ns, self.frames = t_ns, 0

    def step(self, log_image: NDArray[np.float32], t_ns: int) -> NDArray[np.void]:
        """Events after the last image's time up to t_ns; raises SimulationError before reset or without progress."""
        if self.t_ns is None or t_ns <= self.t_ns:
            raise SimulationError(f"DVS step: expected a time after {self.t_ns} ns, got {t_ns} ns; reset() first")
        flat = self._flat(log_image)
        t0, self.t_ns = self.t_ns, t_ns
        dt_s = (t_ns - t0) * 1e-9
        config = self.config
        gain = 1.0 - math.exp(-math.tau * config.cutoff_hz * dt_s) if config.cutoff_hz > 0.0 else 1.0
        scan = kernels.scan_serial
        if self.threads > 1:
            numba.set_num_threads(self.threads)
            scan = kernels.scan_parallel
        scan(
            flat, self._low, self._reference, self.on, self.off, self._drift, np.float32(gain),
            np.float32(config.leak_rate_hz * dt_s), self._index, self._before, self._after, self._counts,
        )  # fmt: skip
        return self._events(t0, t_ns, dt_s)

    def _events(self, t0: int, t1: int, dt_s: float) -> NDArray[np.void]:
        config = self.config
        most = kernels.count_events(self._index, self._after, self._counts, self.on, self.off)
        noise = min(config.shot_noise_rate_hz * dt_s, 0.5)
        room = most + (int(8.0 * noise * self.on.size) + 64 if noise > 0.0 else 0)
        if room > self._time.size:
            self._grow(2 * room)
        refractory_ns = round(config.refractory_us * 1000.0)
        n = kernels.emit(
            self._index, self._before, self._after, self._counts, self.on, self.off, self._reference, self._newest,
            refractory_ns, t0, t1, self._time, self._pixel, self._sign,
        )  # fmt: skip
        if noise > 0.0:
            n = kernels.shot_noise(
                n, self.seed, self.frames, noise, config.shot_noise_bright_ratio, self._low, self._reference,
                self._newest, refractory_ns, t0, t1, self._time, self._pixel, self._sign,
            )  # fmt: skip
        self.frames += 1
        events = empty_events(n)
        if n:
            kernels.sort_into(n, self._time, self._pixel, self._sign, self.width, self._place, events)
        return events

    @staticmethod
    def no_events() -> NDArray[np.void]:
        """An empty array of the event type."""
        return empty_events()

    def _thresholds(self, rng: np.random.Generator, mean: float) -> NDArray[np.float32]:
        drawn = mean + self.config.threshold_sigma * rng.standard_normal(self.width * self.height)
        return np.maximum(drawn, MIN_THRESHOLD).astype(np.float32)

    def _grow(self, size: int) -> None:
        self._time, self._pixel = np.zeros(size, np.int64), np.zeros(size, np.int32)
        self._sign, self._place = np.zeros(size, np.uint8), np.zeros(size, np.int64)

    def _flat(self, log_image: NDArray[np.float32]) -> NDArray[np.float32]:
        if log_image.shape != (self.height, self.width) or log_image.dtype != np.float32:
            raise SimulationError(
                f"DVS image: expected float32 ({self.height}, {self.width}), got {log_image.dtype} {log_image.shape}"
            )
        return np.ascontiguousarray(log_image).reshape(-1)
