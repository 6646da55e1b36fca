"""The picture that `view` shows: what is in it in words, the events, what the colours mean, and the rate over time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from neuro_robot.events.array import EVENT_DTYPE
from neuro_robot.events.frames import event_image, rate_scale
from neuro_robot.recordings.survey import RateCurve

Pixels = npt.NDArray[np.uint8]

INK, MUTED, PAPER, GRID, ACCENT, FILL = "#1f2933", "#66727f", "#ffffff", "#d5dbe1", "#ea7317", "#9db2c9"
MARGIN, HEAD, LEGEND, RATE, LEAST_WIDTH = 16, 62, 34, 112, 640
_SMALLEST_SHOWN = 512  # pictures narrower than this are enlarged by a whole number


@dataclass(frozen=True)
class Heading:
    """What stays the same from picture to picture."""

    title: str
    subtitle: str


@dataclass(frozen=True)
class Timeline:
    """The rate over the time that is shown, which begins offset_s after the recording's first event."""

    rate: RateCurve
    duration_s: float
    offset_s: float = 0.0


class Sheet:
    """Draws pictures of one recording in one layout; all the same size, even in width and height."""

    def __init__(self, heading: Heading, width: int, height: int, timeline: Timeline | None) -> None:
        self.scale = max(1, -(-_SMALLEST_SHOWN // width)) if width < _SMALLEST_SHOWN else 1
        self._picture = (width * self.scale, height * self.scale)
        self.width = _even(max(self._picture[0] + 2 * MARGIN, LEAST_WIDTH + 2 * MARGIN))
        self._top = HEAD
        self._legend_y = self._top + self._picture[1] + 4
        self._rate_y = self._legend_y + LEGEND
        self.height = _even(self._rate_y + (RATE if timeline is not None else 8))
        self._timeline = timeline
        self._ground = self._drawn_once(heading)

    def draw(self, picture: Pixels, caption: str, legend: str, span_s: tuple[float, float] | None = None) -> Pixels:
        """The sheet as (height, width, 3) uint8 RGB.

        `legend`: `polarity`, or `rate` with its smallest and largest value (`rate 0.5 1200`); span_s is marked below.
        """
        sheet = self._ground.copy()
        x = (self.width - self._picture[0]) // 2
        enlarged = np.repeat(np.repeat(picture, self.scale, axis=0), self.scale, axis=1)
        sheet.paste(Image.fromarray(enlarged), (x, self._top))
        pen = ImageDraw.Draw(sheet)
        pen.rectangle((x - 1, self._top - 1, x + self._picture[0], self._top + self._picture[1]), outline=GRID)
        pen.text((MARGIN, self._legend_y + 16), caption, INK, _font(13), anchor="lm")
        if legend.startswith("rate"):
            self._rate_legend(sheet, pen, *map(float, legend.split()[1:]))
        else:
            self._polarity_legend(pen)
        if span_s is not None and self._timeline is not None:
            self._mark(sheet, self._timeline, span_s)
        return np.asarray(sheet, np.uint8)

    def _drawn_once(self, heading: Heading) -> Image.Image:
        sheet = Image.new("RGB", (self.width, self.height), PAPER)
        pen = ImageDraw.Draw(sheet)
        room = self.width - 2 * MARGIN
        pen.text(
            (MARGIN, 20), _fitting(heading.title, _font(18, bold=True), room), INK, _font(18, bold=True), anchor="lm"
        )
        pen.text((MARGIN, 45), _fitting(heading.subtitle, _font(13), room), MUTED, _font(13), anchor="lm")
        if self._timeline is not None:
            self._rate_plot(pen, self._timeline)
        return sheet

    def _rate_box(self) -> tuple[int, int, int, int]:
        return MARGIN + 52, self._rate_y + 32, self.width - MARGIN, self._rate_y + RATE - 22

    def _rate_plot(self, pen: ImageDraw.ImageDraw, timeline: Timeline) -> None:
        left, top, right, bottom = self._rate_box()
        curve = timeline.rate.rebinned(right - left)
        values = curve.rates_hz
        highest = float(values.max())
        pen.text((MARGIN, self._rate_y + 12), "events per second over the recording", MUTED, _font(12), anchor="lm")
        for x in range(left, right):
            at_s = (x - left) / (right - left) * timeline.duration_s
            value = values[min(int(at_s / curve.bin_s), len(values) - 1)]
            pen.line((x, bottom, x, round(bottom - value / highest * (bottom - top))), FILL)
        pen.line((left, bottom, right, bottom), MUTED)
        for share, y in ((1.0, top), (0.0, bottom)):
            pen.text((left - 6, y), _si(share * highest), MUTED, _font(11), anchor="rm")
        for share, anchor in ((0.0, "lt"), (0.5, "mt"), (1.0, "rt")):
            text = seconds(timeline.offset_s + share * timeline.duration_s, timeline.offset_s + timeline.duration_s)
            pen.text((left + share * (right - left), bottom + 5), text, MUTED, _font(11), anchor=anchor)

    def _mark(self, sheet: Image.Image, timeline: Timeline, span_s: tuple[float, float]) -> None:
        """The stretch of time that the picture shows."""
        left, top, right, bottom = self._rate_box()
        shares = [min(max((t - timeline.offset_s) / timeline.duration_s, 0.0), 1.0) for t in span_s]
        begin = min(round(left + shares[0] * (right - left)), right - 2)
        end = max(round(left + shares[1] * (right - left)), begin + 2)
        shade = Image.new("RGB", (end - begin, bottom - top), ACCENT)
        sheet.paste(Image.blend(sheet.crop((begin, top, end, bottom)), shade, 0.55), (begin, top))
        pen = ImageDraw.Draw(sheet)
        pen.polygon([((begin + end) / 2 + dx, top - dy) for dx, dy in ((-5, 8), (5, 8), (0, 0))], fill=ACCENT)

    def _polarity_legend(self, pen: ImageDraw.ImageDraw) -> None:
        at = self.width - MARGIN
        for p, text in ((0, "OFF: got darker"), (1, "ON: got brighter")):
            at -= round(_font(13).getlength(text))
            pen.text((at, self._legend_y + 16), text, INK, _font(13), anchor="lm")
            at -= 18
            pen.rectangle((at, self._legend_y + 10, at + 12, self._legend_y + 22), fill=polarity_colour(p))
            at -= 16

    def _rate_legend(self, sheet: Image.Image, pen: ImageDraw.ImageDraw, smallest: float, largest: float) -> None:
        bar, y = 140, self._legend_y + 9
        right = self.width - MARGIN - 84
        colours = np.repeat(rate_scale(bar)[None], 14, axis=0)
        sheet.paste(Image.fromarray(colours), (right - bar, y))
        pen.text((right - bar - 6, y + 7), _si(smallest), MUTED, _font(12), anchor="rm")
        pen.text((right + 6, y + 7), f"{_si(largest)} /s", MUTED, _font(12), anchor="lm")


@cache
def polarity_colour(p: int) -> tuple[int, int, int]:
    """The colour of a pixel with many events of this polarity."""
    many = np.zeros(8, EVENT_DTYPE)
    many["p"] = p
    red, green, blue = event_image(many, 1, 1)[0, 0].tolist()
    return red, green, blue


def seconds(t_s: float, like_s: float | None = None) -> str:
    """A time in the unit that suits it, or the time like_s."""
    scale = abs(t_s if like_s is None else like_s)
    if scale >= 0.9995 or t_s == 0:
        return f"{t_s:.2f} s" if t_s else "0 s"
    return f"{t_s * 1e3:.4g} ms" if scale >= 1e-3 else f"{t_s * 1e6:.4g} us"


def _si(value: float) -> str:
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= limit:
            return f"{value / limit:.3g} {unit}"
    return f"{value:.3g}"


def _fitting(text: str, font: ImageFont.FreeTypeFont, room: float) -> str:
    if font.getlength(text) <= room:
        return text
    while text and font.getlength(text + "…") > room:
        text = text[:-1]
    return text + "…"


@cache
def _font(size: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    """The font that comes with matplotlib."""
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(mpl.get_data_path()) / "fonts" / "ttf" / name), size)


def _even(value: int) -> int:
    return value + value % 2
