"""`neuro_robot view`: a recording as a picture, a film or a window on the screen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from neuro_robot.errors import ConfigError, FileFormatError
from neuro_robot.events.array import Events, empty_events
from neuro_robot.events.files import FORMATS
from neuro_robot.events.frames import event_image, rate_image, surface_image
from neuro_robot.events.surfaces import TimeSurface
from neuro_robot.recordings.info import surveyed
from neuro_robot.recordings.movie import MOVIES, film_scale, require_output, write_movie, write_picture
from neuro_robot.recordings.sheet import Heading, Pixels, Sheet, Timeline, seconds
from neuro_robot.recordings.source import Progress, Recording, Selection, first_time, geometry_notes
from neuro_robot.recordings.survey import Survey

KINDS = ("events", "surface", "rate")
STEPS_MS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 50.0, 100.0)
COVER = 0.05  # events in a picture as a share of its pixels that a window is chosen for
LEAST_FILM_S = 4.0  # shorter recordings are slowed down
SLOWER = (1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001)
MAX_FRAMES = 200_000
MAX_RATIO = 1000.0  # of the largest to the smallest rate that has a colour of its own
SURVEY_SHARE = 0.4


@dataclass(frozen=True)
class View:
    """What is to be seen. Times in seconds since the recording's first event; 0 or None: chosen to suit it."""

    kind: str = "events"  # of KINDS
    at_s: float | None = None  # PNG: the end of the window
    window_ms: float = 0.0  # how long events stay in the picture; of a surface: its time constant
    speed: float = 0.0  # films: seconds of the recording per second
    fps: float = 25.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ConfigError(f"--as: expected one of {', '.join(KINDS)}, got {self.kind!r}")
        if not (0 <= self.window_ms <= 1e6 and 0 <= self.speed <= 1e6 and 0 < self.fps <= 240):
            raise ConfigError("expected --window up to 1000000 ms, --speed up to 1000000 and --fps up to 240, "
                              f"got {self.window_ms}, {self.speed}, {self.fps}")  # fmt: skip


class Scene:
    """One recording, surveyed once, from which pictures of any moment are made."""

    def __init__(
        self, recording: Recording, selection: Selection, view: View, progress: Progress | None = None
    ) -> None:
        self.recording, self.selection = recording, selection
        with recording.open() as reader:
            part = None if progress is None else lambda share, text: progress(SURVEY_SHARE * share, text)
            self.survey = surveyed(reader, selection, progress=part)
            self.notes = geometry_notes(reader.details)
            self._format = FORMATS[reader.format].description if reader.format in FORMATS else reader.format
        if not self.survey.events:
            raise FileFormatError(
                f"{recording.path}: no events in the part chosen; `neuro_robot info` says what there is"
            )
        self.offset_s = _offset_s(recording, selection, self.survey)
        self.view = _chosen(view, self.survey)
        timeline = Timeline(self.survey.rate, self.survey.duration_s, self.offset_s) if self.survey.duration_s else None
        self.sheet = Sheet(self._heading(), self.survey.width, self.survey.height, timeline)

    @property
    def window_s(self) -> float:
        """How long events stay in the picture."""
        return self.view.window_ms * 1e-3

    def _heading(self) -> Heading:
        s = self.survey
        share = 100.0 * s.on_events / s.events
        noise = ", mostly noise" if s.mostly_noise else ""
        form = self._format.split(";")[0].split(" with ")[0]
        subtitle = (
            f"{s.events:,} events in {seconds(s.duration_s)} ({share:.0f} % ON){noise}; {s.width}x{s.height} pixels, "
            f"{form}"
        )
        return Heading(self.recording.path.name, subtitle)

    def rate_picture(self) -> Pixels:
        """All events, per pixel and second."""
        s = self.survey
        counts = s.pixels.sum(axis=2)
        rates = counts / max(s.duration_s, 1e-9)
        largest = float(np.percentile(rates[rates > 0], 99.5))
        smallest = max(float(rates[rates > 0].min()), largest / MAX_RATIO)
        quiet = 100.0 * float(np.mean(counts == 0))
        caption = f"events per second of each pixel; black: none ({quiet:.0f} %)"
        return self.sheet.draw(rate_image(rates, smallest, largest), caption, f"rate {smallest:g} {largest:g}")

    def picture(self, t_s: float, events: Events, surface: TimeSurface | None) -> Pixels:
        """The picture at time t_s since the first selected event."""
        shown_s = t_s + self.offset_s
        span = (max(shown_s - self.window_s, self.offset_s), shown_s)
        if surface is not None:
            t_ns = self.survey.first_ns + round(t_s * 1e9)
            image = surface_image(surface.values(t_ns, self.view.window_ms))
            caption = f"at {seconds(shown_s)}: newest strongest, fading in {seconds(self.window_s)}"
        else:
            image = event_image(events, self.survey.width, self.survey.height)
            caption = f"{len(events):,} events in the {seconds(self.window_s)} up to {seconds(shown_s)}"
        return self.sheet.draw(image, caption, "polarity", span)

    def moments(self, times_s: Iterable[float]) -> Iterator[Pixels]:
        """Pictures at rising times, in one pass over the recording."""
        surface = TimeSurface(self.survey.width, self.survey.height) if self.view.kind == "surface" else None
        with self.recording.open() as reader:
            stream = _Stream(self.selection.chunks(reader), self.survey.first_ns, surface)
            for t_s in times_s:
                yield self.picture(t_s, stream.until(t_s, self.window_s), surface)


class _Stream:
    """Events up to a moment that moves on, those of the last window kept."""

    def __init__(self, chunks: Iterator[Any], first_ns: int, surface: TimeSurface | None) -> None:
        self._chunks, self._first_ns, self._surface = chunks, first_ns, surface
        self._held = empty_events()
        self._reach = np.empty(0, np.int64)  # newest time up to each held event: sorted even where time steps back
        self._shown = 0  # of the held ones, already in the surface

    def until(self, t_s: float, window_s: float) -> Events:
        """The events of the window that ends at t_s."""
        end_ns = self._first_ns + round(t_s * 1e9)
        start_ns = end_ns - max(round(window_s * 1e9), 1)
        while not len(self._reach) or self._reach[-1] <= end_ns:
            chunk = next(self._chunks, None)
            if chunk is None:
                break
            self._take(chunk.events, start_ns)
        first, last = np.searchsorted(self._reach, [start_ns, end_ns], side="right")
        if self._surface is not None:
            self._surface.add(self._held[self._shown : last])
            self._shown = max(self._shown, int(last))
        return self._held[first:last]

    def _take(self, events: Events, start_ns: int) -> None:
        if self._surface is not None:
            self._surface.add(self._held[self._shown :])
        keep = int(np.searchsorted(self._reach, start_ns, side="right"))
        newest = int(self._reach[-1]) if len(self._reach) else np.iinfo(np.int64).min
        self._held = np.concatenate([self._held[keep:], events])
        reach = np.maximum(np.maximum.accumulate(events["t"]), newest) if len(events) else self._reach[:0]
        self._reach = np.concatenate([self._reach[keep:], reach])
        self._shown = len(self._held) - len(events)


def render(
    recording: Recording, out: Path, view: View, selection: Selection | None = None, progress: Progress | None = None
) -> dict[str, Any]:
    """Write a picture or film of the selected part; what was made, in figures.

    Raises ConfigError for an output or moment that cannot be, FileFormatError, BagError or PacketError for a recording
    that cannot be read or has no events.
    """
    ending = require_output(out)
    if not out.parent.is_dir():
        raise ConfigError(f"{out}: there is no folder {out.parent}; make it first")
    scene = Scene(recording, selection or Selection(), view, progress)
    result: dict[str, Any] = {"file": str(out), "kind": view.kind, "events": scene.survey.events, "notes": scene.notes}
    scale = film_scale(out, scene.sheet.width)
    result |= {"width": scale * scene.sheet.width, "height": scale * scene.sheet.height}
    if view.kind == "rate":
        picture = scene.rate_picture()
        if ending in MOVIES:
            write_movie(out, [picture], (scene.sheet.width, scene.sheet.height), 1.0)
        else:
            write_picture(out, picture)
        return result | {"frames": 1}
    result |= {"window_ms": scene.view.window_ms}
    if ending not in MOVIES:
        at_s = _moment(scene)
        write_picture(out, next(scene.moments([at_s])))
        return result | {"frames": 1, "at_s": at_s + scene.offset_s}
    times = film_times(scene)
    frames = _told(scene.moments(times), len(times), progress)
    count = write_movie(out, frames, (scene.sheet.width, scene.sheet.height), scene.view.fps)
    return result | {"frames": count, "speed": scene.view.speed, "fps": scene.view.fps}


def film_times(scene: Scene) -> list[float]:
    """The moments of a film, seconds since the first selected event."""
    step_s = scene.view.speed / scene.view.fps
    count = max(1, int(scene.survey.duration_s / step_s) + 1)
    if count > MAX_FRAMES:
        raise ConfigError(f"a film of {count:,} pictures: choose a higher --speed, or a part by --from and --to")
    return [min((i + 1) * step_s, scene.survey.duration_s) for i in range(count)]


def _told(frames: Iterator[Pixels], count: int, progress: Progress | None) -> Iterator[Pixels]:
    for number, frame in enumerate(frames, 1):
        yield frame
        if progress is not None:
            progress(SURVEY_SHARE + (1 - SURVEY_SHARE) * number / count, f"drawing, {number} of {count}")


def _chosen(view: View, survey: Survey) -> View:
    """The view with what was left open filled in: a window with enough events in it, a speed to follow with the eye."""
    duration_s = max(survey.duration_s, 1e-6)
    window_ms, speed = view.window_ms, view.speed
    if window_ms == 0:
        wanted_ms = 1e3 * COVER * survey.width * survey.height / (survey.events / duration_s)
        window_ms = max((step for step in STEPS_MS if step <= wanted_ms), default=STEPS_MS[0])
    if speed == 0:
        speed = next((speed for speed in SLOWER if duration_s / speed >= LEAST_FILM_S), SLOWER[-1])
    return replace(view, window_ms=window_ms, speed=speed)


def _moment(scene: Scene) -> float:
    """Of a single picture: the one asked for, else one busier than nine of ten. Seconds since the first event shown."""
    if scene.view.at_s is not None:
        at_s, last_s = scene.view.at_s - scene.offset_s, scene.survey.duration_s
        if not 0 <= at_s <= last_s:
            span = f"{scene.offset_s:.6g} to {scene.offset_s + last_s:.6g} s"
            raise ConfigError(f"--at: expected a time from {span}, got {scene.view.at_s:g}")
        return at_s
    curve = scene.survey.rate.of_width(scene.window_s)
    order = np.argsort(curve.counts, kind="stable")
    chosen = int(order[int(0.9 * (len(order) - 1))])
    return min((chosen + 1) * curve.bin_s, scene.survey.duration_s)


def _offset_s(recording: Recording, selection: Selection, survey: Survey) -> float:
    """Time from the recording's first event to the first selected one."""
    if selection.start_s == 0:
        return 0.0
    with recording.open() as reader:
        origin_ns = next((t for chunk in reader.chunks(1024) if (t := first_time(chunk)) is not None), survey.first_ns)
    return (survey.first_ns - origin_ns) * 1e-9
