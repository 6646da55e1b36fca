"""Filters by name, as the commands and the renderer node take them: `background=5`, `hot`, `antiflicker=90-130`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from neuro_robot.errors import ConfigError
from neuro_robot.events.filters import Chain, Crop, EventFilter, Polarity, Subsample
from neuro_robot.events.filters_flicker import AntiFlicker
from neuro_robot.events.filters_lens import Undistort
from neuro_robot.events.filters_noise import BackgroundActivity, HotPixels, Refractory


@dataclass(frozen=True)
class FilterName:
    """One filter as text."""

    usage: str
    meaning: str
    make: Callable[[str, int, int], EventFilter]  # text behind the `=` (may be empty), width, height


def _pair(text: str, mark: str) -> tuple[int, int]:
    first, second = text.split(mark)
    return int(first), int(second)


def _crop(text: str, width: int, height: int) -> EventFilter:
    size, left, top = text.split("+")
    return Crop(width, height, int(left), int(top), *_pair(size, "x"))


def _flicker(text: str, width: int, height: int) -> EventFilter:
    if not text:
        return AntiFlicker(width, height)
    low, high = text.split("-")
    return AntiFlicker(width, height, float(low), float(high))


def _background(text: str, width: int, height: int) -> EventFilter:
    return BackgroundActivity(width, height, float(text or 5.0))


def _refractory(text: str, width: int, height: int) -> EventFilter:
    return Refractory(width, height, float(text or 1.0))


def _hot(text: str, width: int, height: int) -> EventFilter:
    return HotPixels(width, height, factor=float(text or 10.0))


FILTERS = {
    "background": FilterName("background=MS", "keep events with a neighbour's within MS (5) before", _background),
    "refractory": FilterName("refractory=MS", "drop what a pixel repeats within MS (1)", _refractory),
    "hot": FilterName("hot=FACTOR", "drop pixels that fire FACTOR (10) times as much as their neighbours", _hot),
    "antiflicker": FilterName("antiflicker=LOW-HIGH", "drop pixels that flicker at LOW-HIGH Hz (90-130)", _flicker),
    "on": FilterName("on", "keep ON events", lambda _, w, h: Polarity(w, h, on=True)),
    "off": FilterName("off", "keep OFF events", lambda _, w, h: Polarity(w, h, on=False)),
    "crop": FilterName("crop=WxH+X+Y", "keep a window of WxH pixels whose corner is (X, Y)", _crop),
    "every": FilterName("every=N", "keep one event of N", lambda text, w, h: Subsample(w, h, every=int(text))),
    "block": FilterName("block=N", "join NxN pixels to one", lambda text, w, h: Subsample(w, h, block=int(text))),
    "undistort": FilterName(
        "undistort=FILE", "by a ROS camera calibration", lambda text, w, h: Undistort.from_file(Path(text), w, h)
    ),
}


def parse_filters(texts: Iterable[str], width: int, height: int) -> Chain:
    """The chain of these filters, in their order. Raises ConfigError naming the text that is none."""
    made: list[EventFilter] = []
    w, h = width, height
    for text in texts:
        name, _, value = text.strip().partition("=")
        known = FILTERS.get(name)
        if known is None:
            listed = ", ".join(item.usage for item in FILTERS.values())
            raise ConfigError(f"filter {text!r}: expected one of {listed}")
        try:
            made.append(known.make(value, w, h))
        except ValueError as error:
            raise ConfigError(f"filter {text!r}: expected {known.usage} ({known.meaning})") from error
        w, h = made[-1].width, made[-1].height
    return Chain(width, height, made)
