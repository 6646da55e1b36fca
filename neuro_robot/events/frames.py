"""Events as a picture: for people to look at, never for the controller."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from neuro_robot.errors import PacketError
from neuro_robot.events.array import Events, as_kernel_input, require_event_array

_GROUND = np.array([246, 246, 248], np.float32)  # RGB, light
_ON = np.array([24, 90, 205], np.float32)
_OFF = np.array([214, 48, 38], np.float32)
_FADE = 0.45  # share of the ground that is left under one event; each further event leaves this share of the rest


def event_image(events: Events, width: int, height: int) -> npt.NDArray[np.uint8]:
    """(height, width, 3) uint8 RGB: ON blue, OFF red, mixed by their share, stronger with more events per pixel.

    Raises PacketError when an event lies outside width x height.
    """
    if width <= 0 or height <= 0:
        raise PacketError(f"expected a picture of at least 1x1 pixels, got {width}x{height}")
    require_event_array(events)
    counts = np.zeros((height, width, 2), np.int32)
    outside = _count_events(as_kernel_input(events), counts)
    if outside >= 0:
        pixel = f"({events['x'][outside]}, {events['y'][outside]})"
        raise PacketError(f"event {outside}: pixel {pixel} is outside the {width}x{height} picture; check the geometry")
    image = np.empty((height, width, 3), np.uint8)
    _draw(counts, _GROUND, _OFF, _ON, image)
    return image


@njit(cache=True)
def _count_events(events: Events, counts: npt.NDArray[np.int32]) -> int:
    """Count into counts[y, x, p]; the index of the first event outside, -1 when there is none."""
    height, width = counts.shape[0], counts.shape[1]
    for i in range(len(events)):
        event = events[i]
        if event.x >= width or event.y >= height:
            return i
        counts[event.y, event.x, 1 if event.p else 0] += 1
    return -1


@njit(cache=True)
def _draw(
    counts: npt.NDArray[np.int32],
    ground: npt.NDArray[np.float32],
    off: npt.NDArray[np.float32],
    on: npt.NDArray[np.float32],
    image: npt.NDArray[np.uint8],
) -> None:
    for y in range(counts.shape[0]):
        for x in range(counts.shape[1]):
            n_off, n_on = counts[y, x, 0], counts[y, x, 1]
            total = n_off + n_on
            cover = 1.0 - _FADE**total
            share = n_on / total if total else 0.0
            for channel in range(3):
                ink = off[channel] + share * (on[channel] - off[channel])
                image[y, x, channel] = np.uint8(ground[channel] + cover * (ink - ground[channel]) + 0.5)
