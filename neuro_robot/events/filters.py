"""Filters of an event stream: the common shape, and those that need no memory of single pixels.

A filter is fed a stream in pieces and gives the events that remain. How the stream is cut makes no difference: state is
kept between calls. `width` and `height` are the geometry of what comes out.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from numba import njit

from neuro_robot.errors import ConfigError, PacketError
from neuro_robot.events.array import Events, as_kernel_input, require_event_array


class EventFilter(ABC):
    """One filter; takes events of a width x height sensor."""

    def __init__(self, width: int, height: int) -> None:
        if width <= 0 or height <= 0:
            raise ConfigError(f"expected a sensor of at least 1x1 pixels, got {width}x{height}")
        self.width, self.height = width, height

    def apply(self, events: Events) -> Events:
        """The events that remain, a new array in the same order.

        Raises PacketError when an event lies outside the sensor or the array is not one of EVENT_DTYPE.
        """
        require_event_array(events)
        out = np.empty_like(events)
        kept = self._run(as_kernel_input(events), out)
        if kept < 0:
            bad = events[-kept - 1]
            where = f"event {-kept - 1}: pixel ({bad['x']}, {bad['y']}) is outside what the filter was made for"
            raise PacketError(f"{where} ({type(self).__name__}); check the geometry")
        return out[:kept]

    @abstractmethod
    def _run(self, events: Events, out: Events) -> int:
        """Fill `out` from its start; the number of events kept, or -1 - i when event i is outside the sensor."""


class Chain(EventFilter):
    """Several filters, one after the other; without any, everything passes."""

    def __init__(self, width: int, height: int, filters: Sequence[EventFilter] = ()) -> None:
        last = filters[-1] if filters else None
        super().__init__(last.width if last else width, last.height if last else height)
        self.filters = list(filters)

    def apply(self, events: Events) -> Events:
        """What remains behind the last one."""
        for item in self.filters:
            events = item.apply(events)
        return events

    def _run(self, events: Events, out: Events) -> int:
        raise NotImplementedError  # apply does it all


class Polarity(EventFilter):
    """Keeps ON events only, or OFF events only."""

    def __init__(self, width: int, height: int, *, on: bool) -> None:
        super().__init__(width, height)
        self._p = int(on)

    def _run(self, events: Events, out: Events) -> int:
        return int(_polarity(events, self._p, out))


class Crop(EventFilter):
    """Keeps a window of crop_width x crop_height pixels; its upper left corner (left, top) becomes pixel (0, 0)."""

    def __init__(self, width: int, height: int, left: int, top: int, crop_width: int, crop_height: int) -> None:
        super().__init__(width, height)
        fits = 0 <= left < left + crop_width <= width and 0 <= top < top + crop_height <= height
        if not fits:
            window = f"{crop_width}x{crop_height} at ({left}, {top})"
            raise ConfigError(f"crop: expected a window inside the {width}x{height} sensor, got {window}")
        self.width, self.height = crop_width, crop_height
        self._corner = (left, top)

    def _run(self, events: Events, out: Events) -> int:
        return int(_crop(events, *self._corner, self.width, self.height, out))


class Subsample(EventFilter):
    """Keeps every n-th event of the stream, and joins blocks of `block` x `block` pixels to one.

    Pixels that do not fill a block at the right and lower border fall away.
    """

    def __init__(self, width: int, height: int, every: int = 1, block: int = 1) -> None:
        super().__init__(width, height)
        if every < 1 or not 1 <= block <= min(width, height):
            raise ConfigError(f"subsample: expected every >= 1 and block from 1 to {min(width, height)}, "
                              f"got every {every}, block {block}")  # fmt: skip
        self.width, self.height = width // block, height // block
        self._every, self._block, self._count = every, block, np.zeros(1, np.int64)

    def _run(self, events: Events, out: Events) -> int:
        return int(_subsample(events, self._every, self._block, self.width, self.height, self._count, out))


@njit(cache=True)
def _polarity(events: Events, p: int, out: Events) -> int:
    kept = 0
    for i in range(len(events)):
        if events[i].p == p:
            out[kept] = events[i]
            kept += 1
    return kept


@njit(cache=True)
def _crop(events: Events, left: int, top: int, width: int, height: int, out: Events) -> int:
    kept = 0
    for i in range(len(events)):
        x, y = np.int64(events[i].x) - left, np.int64(events[i].y) - top
        if 0 <= x < width and 0 <= y < height:
            out[kept] = events[i]
            out[kept].x = x
            out[kept].y = y
            kept += 1
    return kept


@njit(cache=True)
def _subsample(
    events: Events, every: int, block: int, width: int, height: int, count: npt.NDArray[np.int64], out: Events
) -> int:
    kept = 0
    for i in range(len(events)):
        x, y = events[i].x // block, events[i].y // block
        if x >= width or y >= height:
            continue
        if count[0] == 0:
            out[kept] = events[i]
            out[kept].x = x
            out[kept].y = y
            kept += 1
        count[0] = (count[0] + 1) % every
    return kept
