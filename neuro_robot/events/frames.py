"""Events as a picture: for people to look at, never for the controller."""

from __future__ import annotations

from typing import NoReturn

import cv2
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
    counts = count_map(events, width, height)
    image = np.empty((height, width, 3), np.uint8)
    _draw(counts, _GROUND, _OFF, _ON, image)
    return image


def count_map(events: Events, width: int, height: int) -> npt.NDArray[np.int32]:
    """(height, width, 2) events per pixel: [..., 0] OFF, [..., 1] ON.

    Raises PacketError when an event lies outside width x height.
    """
    require_picture(width, height)
    counts = np.zeros((height, width, 2), np.int32)
    add_counts(events, counts)
    return counts


def add_counts(events: Events, counts: npt.NDArray[np.int32]) -> None:
    """Count further events into a count_map. Raises PacketError as count_map does."""
    require_event_array(events)
    outside = _count_events(as_kernel_input(events), counts)
    if outside >= 0:
        refuse_outside(events, outside, counts.shape[1], counts.shape[0])


def surface_image(surface: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """(height, width, 3) uint8 RGB of a (2, height, width) time surface: the newer, the stronger; ON blue, OFF red."""
    newest = surface.max(axis=0)[..., None]
    ink = np.where((surface[1] >= surface[0])[..., None], _ON, _OFF)
    image: npt.NDArray[np.uint8] = (_GROUND + newest * (ink - _GROUND) + 0.5).astype(np.uint8)
    return image


_DARKEST = 0.15  # level of the smallest value, told apart from none


def rate_image(rates: npt.NDArray[np.float64], smallest: float, largest: float) -> npt.NDArray[np.uint8]:
    """(height, width, 3) uint8 RGB of values per pixel on a logarithmic scale.

    Black: 0; from dark violet (`smallest` or less) to light yellow (`largest` or more). Both are above 0.
    """
    share = np.log(np.maximum(rates, smallest) / smallest) / max(np.log(largest / smallest), 1e-9)
    return _rgb_of(np.where(rates > 0, _DARKEST + (1.0 - _DARKEST) * np.clip(share, 0.0, 1.0), 0.0))


def rate_scale(steps: int) -> npt.NDArray[np.uint8]:
    """(steps, 3) uint8 RGB: the colours of rate_image from its smallest value to its largest, for a legend."""
    colours: npt.NDArray[np.uint8] = _rgb_of(np.linspace(_DARKEST, 1.0, steps)[None])[0]
    return colours


def _rgb_of(level: npt.NDArray[np.float64]) -> npt.NDArray[np.uint8]:
    grey = np.rint(255.0 * level).astype(np.uint8)
    image: npt.NDArray[np.uint8] = np.ascontiguousarray(cv2.applyColorMap(grey, cv2.COLORMAP_INFERNO)[..., ::-1])
    return image


def require_picture(width: int, height: int) -> None:
    """Raise PacketError for a picture without pixels."""
    if width <= 0 or height <= 0:
        raise PacketError(f"expected a picture of at least 1x1 pixels, got {width}x{height}")


def refuse_outside(events: Events, index: int, width: int, height: int) -> NoReturn:
    """Raise PacketError for the event at `index`, which lies outside width x height."""
    pixel = f"({events['x'][index]}, {events['y'][index]})"
    raise PacketError(f"event {index}: pixel {pixel} is outside the {width}x{height} picture; check the geometry")


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
