"""Filters against what a pixel says without a cause: background activity, echoes, hot pixels."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from neuro_robot.errors import ConfigError
from neuro_robot.events.array import Events
from neuro_robot.events.filters import EventFilter

_NEVER = -(2**61)  # a time so long ago that differences to it neither overflow nor count as near
_MS = 1_000_000
MAX_PERIOD_MS = 3_600_000.0

Times = npt.NDArray[np.int64]
Counts = npt.NDArray[np.int32]


class BackgroundActivity(EventFilter):
    """Keeps an event when one of its eight neighbours fired at most period_ms before: real edges come in company.

    T. Delbruck, "Frame-free dynamic digital vision", Intl. Symp. on Secure-Life Electronics 2008, section 4.
    """

    def __init__(self, width: int, height: int, period_ms: float = 5.0) -> None:
        super().__init__(width, height)
        self._period_ns = checked_ns("background", period_ms)
        self._last = np.full((height + 2, width + 2), _NEVER)  # a border of pixels that never fire

    def _run(self, events: Events, out: Events) -> int:
        return int(_background(events, self._period_ns, self._last, out))


class Refractory(EventFilter):
    """Drops what a pixel says less than period_ms after its last event that passed: one edge, one event.

    The dead time of the DVS pixel (P. Lichtsteiner, C. Posch, T. Delbruck, "A 128x128 120 dB 15 us latency asynchronous
    temporal contrast vision sensor", IEEE JSSC 43(2), 2008), prolonged behind the sensor.
    """

    def __init__(self, width: int, height: int, period_ms: float = 1.0) -> None:
        super().__init__(width, height)
        self._period_ns = checked_ns("refractory", period_ms)
        self._last = np.full((height, width), _NEVER)

    def _run(self, events: Events, out: Events) -> int:
        return int(_refractory(events, self._period_ns, self._last, out))


class HotPixels(EventFilter):
    """Drops pixels that fire far more than their surroundings, as learnt window by window of sensor time.

    A pixel that `hot_pixels` finds in one window is silent in the next; the first window passes whole unless `mask`
    (height, width) bool says which pixels are hot to begin with. window_s 0: the mask stays as it is.
    """

    def __init__(
        self, width: int, height: int, window_s: float = 0.5, factor: float = 10.0,
        mask: npt.NDArray[np.bool_] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(width, height)
        self._window_ns = int(round(window_s * 1e9))
        if not 0 <= self._window_ns <= 3600 * 10**9 or not factor >= 1.0:
            raise ConfigError(f"hot: expected a window of 0 to 3600 s and a factor >= 1, got {window_s}, {factor}")
        if mask is not None and mask.shape != (height, width):
            raise ConfigError(f"hot: expected a mask of {(height, width)} pixels (rows, columns), got {mask.shape}")
        self.mask = np.zeros((height, width), np.bool_) if mask is None else mask.astype(np.bool_)
        self._factor = float(factor)
        self._counts = np.zeros((height, width), np.int32)
        self._window = np.full(1, _NEVER)  # start of the running window

    def _run(self, events: Events, out: Events) -> int:
        return int(_hot(events, self._window_ns, self._factor, self._window, self._counts, self.mask, out))


MIN_HOT_EVENTS = 8  # fewer in a window say nothing


def hot_pixels(counts: Counts, factor: float = 10.0) -> npt.NDArray[np.bool_]:
    """(height, width) bool from events per pixel: more than `factor` times the mean of all pixels that fired
    and the second busiest of the eight neighbours, and no fewer than MIN_HOT_EVENTS. The second: on a thin edge two
    neighbours are as busy as the pixel, and of two hot pixels side by side both are found.
    """
    mask = np.zeros(counts.shape, np.bool_)
    _find_hot(np.require(counts, np.int32, ["C", "W"]), float(factor), mask)
    return mask


def checked_ns(name: str, period_ms: float) -> int:
    """A period in ns. Raises ConfigError unless it is above 0 and at most an hour."""
    if not 0.0 < period_ms <= MAX_PERIOD_MS:
        raise ConfigError(f"{name}: expected a period above 0 and up to {MAX_PERIOD_MS:g} ms, got {period_ms}")
    return max(1, int(round(period_ms * _MS)))


@njit(cache=True)
def _background(events: Events, period_ns: int, last: Times, out: Events) -> int:
    kept = 0
    height, width = last.shape[0] - 2, last.shape[1] - 2
    for i in range(len(events)):
        t, x, y = events[i].t, np.int64(events[i].x), np.int64(events[i].y)
        if x >= width or y >= height:
            return -1 - i
        near = False
        for row in range(y, y + 3):
            for column in range(x, x + 3):
                own = row == y + 1 and column == x + 1
                # Of the amount: after a restart of time, what is far ahead is no company.
                near = near or (not own and abs(t - last[row, column]) <= period_ns)
        last[y + 1, x + 1] = t
        if near:
            out[kept] = events[i]
            kept += 1
    return kept


@njit(cache=True)
def _refractory(events: Events, period_ns: int, last: Times, out: Events) -> int:
    kept = 0
    height, width = last.shape
    for i in range(len(events)):
        t, x, y = events[i].t, events[i].x, events[i].y
        if x >= width or y >= height:
            return -1 - i
        if abs(t - last[y, x]) >= period_ns:
            last[y, x] = t
            out[kept] = events[i]
            kept += 1
    return kept


@njit(cache=True)
def _hot(
    events: Events,
    window_ns: int,
    factor: float,
    window: Times,
    counts: Counts,
    mask: npt.NDArray[np.bool_],
    out: Events,
) -> int:
    kept = 0
    height, width = mask.shape
    for i in range(len(events)):
        t, x, y = events[i].t, events[i].x, events[i].y
        if x >= width or y >= height:
            return -1 - i
        if window_ns > 0 and not window[0] <= t < window[0] + window_ns:
            if window[0] <= t < window[0] + 2 * window_ns:
                _find_hot(counts, factor, mask)
                window[0] += window_ns
            else:  # the first event, a long silence or a new stream: what was learnt last stays
                window[0] = t
            counts[:] = 0
        counts[y, x] += 1
        if not mask[y, x]:
            out[kept] = events[i]
            kept += 1
    return kept


@njit(cache=True)
def _find_hot(counts: Counts, factor: float, mask: npt.NDArray[np.bool_]) -> None:
    height, width = counts.shape
    ring = np.empty(8, np.int32)
    active, total = 0, 0
    for y in range(height):
        for x in range(width):
            active += counts[y, x] > 0
            total += counts[y, x]
    mean = total / max(active, 1)
    for y in range(height):
        for x in range(width):
            mask[y, x] = False
            if counts[y, x] < MIN_HOT_EVENTS:
                continue
            n = 0
            for row in range(max(y - 1, 0), min(y + 2, height)):
                for column in range(max(x - 1, 0), min(x + 2, width)):
                    if row != y or column != x:
                        ring[n] = counts[row, column]
                        n += 1
            second = np.sort(ring[:n])[n - 2] if n > 1 else 0
            mask[y, x] = counts[y, x] > factor * max(second, mean)
