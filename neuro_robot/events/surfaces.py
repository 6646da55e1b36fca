"""Events as numbers on a grid of pixels, for learning and tracking: time surfaces and the voxel grid."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from neuro_robot.errors import ConfigError
from neuro_robot.events.array import Events, as_kernel_input, require_event_array
from neuro_robot.events.frames import refuse_outside, require_picture

_NEVER = -(2**61)

Grid = npt.NDArray[np.float32]


class TimeSurface:
    """The time of the newest event of each pixel and polarity, kept up to date event by event.

    X. Lagorce, G. Orchard, F. Galluppi, B. E. Shi, R. B. Benosman, "HOTS: a hierarchy of event-based time-surfaces for
    pattern recognition", IEEE TPAMI 39(7), 2017, equations 1 to 3.
    """

    def __init__(self, width: int, height: int) -> None:
        require_picture(width, height)
        self.newest_ns = np.full((2, height, width), _NEVER)
        """(2, height, width) ns of sensor time: [0] OFF, [1] ON; far below 0 where there was none."""

    def add(self, events: Events) -> None:
        """The next (n,) events of the stream. Raises PacketError for one outside the picture."""
        require_event_array(events)
        outside = _note_times(as_kernel_input(events), self.newest_ns)
        if outside >= 0:
            refuse_outside(events, outside, self.newest_ns.shape[2], self.newest_ns.shape[1])

    def values(self, t_ns: int, tau_ms: float) -> Grid:
        """(2, height, width) exp(-(t - newest) / tau), from 0 (never) to 1 (now, or newer than t_ns)."""
        if not tau_ms > 0:
            raise ConfigError(f"time surface: expected tau above 0 ms, got {tau_ms}")
        out = np.empty(self.newest_ns.shape, np.float32)
        _decay(self.newest_ns, t_ns, tau_ms * 1e6, out)
        return out


class SpeedInvariantSurface:
    """SITS: behind a moving edge the same slope, however fast it moved.

    Each event sets its pixel to (2 radius + 1)^2 and lowers by one the pixels around it that are at least as high as
    it was, never below 0. J. Manderscheid, A. Sironi, N. Bourdis, D. Migliore, V. Lepetit, "Speed invariant time
    surface for learning to detect corner points with event-based cameras", CVPR 2019, algorithm 1.
    """

    def __init__(self, width: int, height: int, radius: int = 6) -> None:
        require_picture(width, height)
        if not 1 <= radius <= 100:
            raise ConfigError(f"SITS: expected a radius from 1 to 100 pixels, got {radius}")
        self.values = np.zeros((2, height, width), np.int32)
        """(2, height, width) from 0 (never, or long behind) to (2 radius + 1)^2 (now): [0] OFF, [1] ON."""
        self._radius = radius

    def add(self, events: Events) -> None:
        """The next (n,) events of the stream. Raises PacketError for one outside the picture."""
        require_event_array(events)
        outside = _lower_around(as_kernel_input(events), self._radius, self.values)
        if outside >= 0:
            refuse_outside(events, outside, self.values.shape[2], self.values.shape[1])


def voxel_grid(
    events: Events, width: int, height: int, bins: int, t_start_ns: int | None = None, t_end_ns: int | None = None
) -> Grid:
    """(bins, height, width): each event's polarity (ON +1, OFF -1) shared between the two bins nearest in time.

    t* = (bins - 1) (t - t_start) / (t_end - t_start), weight max(0, 1 - |bin - t*|); start and end are those of the
    events unless given, and events outside them do not count. A. Z. Zhu, L. Yuan, K. Chaney, K. Daniilidis,
    "Unsupervised event-based learning of optical flow, depth, and egomotion", CVPR 2019, equations 1 and 2.
    """
    require_picture(width, height)
    require_event_array(events)
    if not 1 <= bins <= 10_000:
        raise ConfigError(f"voxel grid: expected 1 to 10000 bins, got {bins}")
    grid = np.zeros((bins, height, width), np.float32)
    if not len(events):
        return grid
    first = int(events["t"].min()) if t_start_ns is None else t_start_ns
    last = int(events["t"].max()) if t_end_ns is None else t_end_ns
    outside = _share_between_bins(as_kernel_input(events), first, last, grid)
    if outside >= 0:
        refuse_outside(events, outside, width, height)
    return grid


@njit(cache=True)
def _note_times(events: Events, newest: npt.NDArray[np.int64]) -> int:
    height, width = newest.shape[1], newest.shape[2]
    for i in range(len(events)):
        event = events[i]
        if event.x >= width or event.y >= height:
            return i
        newest[1 if event.p else 0, event.y, event.x] = event.t
    return -1


@njit(cache=True)
def _decay(newest: npt.NDArray[np.int64], t_ns: int, tau_ns: float, out: Grid) -> None:
    for p in range(newest.shape[0]):
        for y in range(newest.shape[1]):
            for x in range(newest.shape[2]):
                age = max(t_ns - newest[p, y, x], 0)
                out[p, y, x] = np.exp(-age / tau_ns) if newest[p, y, x] > _NEVER else 0.0


@njit(cache=True)
def _lower_around(events: Events, radius: int, surface: npt.NDArray[np.int32]) -> int:
    height, width = surface.shape[1], surface.shape[2]
    top = (2 * radius + 1) ** 2
    for i in range(len(events)):
        x, y, p = int(events[i].x), int(events[i].y), 1 if events[i].p else 0
        if x >= width or y >= height:
            return i
        before = surface[p, y, x]
        left, right = max(x - radius, 0), min(x + radius + 1, width)
        upper, lower = max(y - radius, 0), min(y + radius + 1, height)
        for row in range(upper, lower):
            for column in range(left, right):
                value = surface[p, row, column]
                if value >= before and value > 0:
                    surface[p, row, column] = value - 1
        surface[p, y, x] = top
    return -1


@njit(cache=True)
def _share_between_bins(events: Events, first_ns: int, last_ns: int, grid: Grid) -> int:
    bins, height, width = grid.shape
    span = np.float64(max(last_ns - first_ns, 1))
    for i in range(len(events)):
        event = events[i]
        if event.x >= width or event.y >= height:
            return i
        if event.t < first_ns or event.t > last_ns:
            continue
        place = (bins - 1) * ((event.t - first_ns) / span)
        low = min(int(place), bins - 1)
        sign = np.float32(1.0) if event.p else np.float32(-1.0)
        upper = np.float32(place - low)
        grid[low, event.y, event.x] += sign * (np.float32(1.0) - upper)
        if low + 1 < bins:
            grid[low + 1, event.y, event.x] += sign * upper
    return -1
