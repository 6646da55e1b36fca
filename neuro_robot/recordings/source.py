"""Opening a recording, and the part of it that was asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import neuro_robot.bags.event_bags  # noqa: F401 - makes bags a format among the others
from neuro_robot.errors import ConfigError, FileFormatError
from neuro_robot.events.array import Events, Triggers
from neuro_robot.events.files import FORMATS, Chunk, EventReader, Geometry, open_reader
from neuro_robot.events.files.base import GeometryUnknownError
from neuro_robot.events.filters import Chain
from neuro_robot.events.filters_text import parse_filters

Progress = Callable[[float, str], None]  # share of the whole work, what is going on

NS = 1_000_000_000
SUPPOSED = "supposed_geometry"  # in a reader's details: WIDTHxHEIGHT that no one told
MAX_SECONDS = 1e9  # of --from and --to; a billion seconds are 31 years


@dataclass(frozen=True)
class Recording:
    """Where events come from: a file or bag, its format and geometry where they have to be told."""

    path: Path
    format: str | None = None
    geometry: Geometry | None = None
    suppose_geometry: bool = False  # when nobody tells it: take what the camera named in the file usually has

    def open(self) -> EventReader:
        """A reader at the beginning. Raises FileFormatError or BagError for what cannot be read."""
        try:
            return open_reader(self.path, format=self.format, geometry=self.geometry)
        except GeometryUnknownError as error:
            if not self.suppose_geometry or error.suggested is None:
                raise
            reader = open_reader(self.path, format=self.format, geometry=error.suggested)
            reader.details[SUPPOSED] = f"{reader.width}x{reader.height}"
            return reader


@dataclass(frozen=True)
class Selection:
    """A part of a recording: times in seconds since its first event, then filters in their order."""

    start_s: float = 0.0
    end_s: float | None = None
    filters: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        end_s = MAX_SECONDS if self.end_s is None else self.end_s
        if not 0.0 <= self.start_s < end_s <= MAX_SECONDS:
            raise ConfigError(
                f"--from, --to, --duration: expected 0 <= from < to seconds, got {self.start_s} to {self.end_s}"
            )

    def chain(self, reader: EventReader) -> Chain:
        """The filters for this reader's sensor. Raises ConfigError naming the one that does not fit."""
        return parse_filters(self.filters, reader.width, reader.height)

    def chunks(self, reader: EventReader, chain: Chain | None = None) -> Iterator[Chunk]:
        """What the reader gives, cut to the selection; reading ends where the selection does."""
        chain = chain or self.chain(reader)
        origin_ns: int | None = None
        for chunk in reader.chunks():
            if origin_ns is None:
                origin_ns = first_time(chunk)
                if origin_ns is None:
                    continue
            start_ns, end_ns = self._limits(origin_ns)
            if end_ns is not None and _all_behind(chunk, end_ns):
                return
            events = chain.apply(_between(chunk.events, start_ns, end_ns))
            triggers = _between(chunk.triggers, start_ns, end_ns)
            if len(events) or len(triggers):
                yield Chunk(events, triggers)

    def _limits(self, origin_ns: int) -> tuple[int | None, int | None]:
        start = origin_ns + round(self.start_s * NS) if self.start_s > 0 else None
        return start, None if self.end_s is None else origin_ns + round(self.end_s * NS)


def first_time(chunk: Chunk) -> int | None:
    """Time of the first event, of a chunk without events that of the first trigger."""
    for items in chunk:
        if len(items):
            return int(items["t"][0])
    return None


def _all_behind(chunk: Chunk, end_ns: int) -> bool:
    starts = [int(items["t"].min()) for items in chunk if len(items)]
    return bool(starts) and min(starts) >= end_ns


def _between(items: Events | Triggers, start_ns: int | None, end_ns: int | None) -> Events | Triggers:
    """Those from start_ns up to but not including end_ns."""
    if not len(items) or (start_ns is None and end_ns is None):
        return items
    t = items["t"]
    keep = np.ones(len(items), np.bool_)
    if start_ns is not None:
        keep &= t >= start_ns
    if end_ns is not None:
        keep &= t < end_ns
    return items if keep.all() else items[keep]


def parse_geometry(text: str | None) -> Geometry | None:
    """`640x480` as (640, 480). Raises ConfigError for anything else."""
    if text is None:
        return None
    found = re.fullmatch(r"\s*(\d{1,5})\s*[xX,*]\s*(\d{1,5})\s*", text)
    if found is None:
        raise ConfigError(f"geometry: expected WIDTHxHEIGHT in pixels, such as 640x480, got {text!r}")
    return int(found[1]), int(found[2])


def format_names() -> str:
    """Every format that can be read, for help and errors."""
    return ", ".join(FORMATS)


def geometry_notes(details: dict[str, str]) -> list[str]:
    """What somebody should know about a geometry that was supposed."""
    if SUPPOSED not in details:
        return []
    size = details[SUPPOSED]
    return [f"the file does not tell the sensor's size; its camera usually has {size}, else give another by --geometry"]


def recording(path: Path, input_format: str = "", geometry: str = "", *, suppose: bool = False) -> Recording:
    """From what the command line says; a run folder stands for the bag in it."""
    bag = path / "bag"
    inner = bag if not (path / "metadata.yaml").is_file() and (bag / "metadata.yaml").is_file() else path
    if not inner.exists():
        raise FileFormatError(f"{path}: there is no such file or folder")
    return Recording(inner, input_format or None, parse_geometry(geometry or None), suppose)
