"""`neuro_robot convert`: any recording into any format, in one pass, then read back and compared."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from neuro_robot.errors import ConfigError, NeuroRobotError
from neuro_robot.events.array import empty_events, empty_triggers
from neuro_robot.events.files import FORMATS, Chunk, EventReader, EventWriter, Format, open_writer
from neuro_robot.recordings.info import GLITCHES, size_of
from neuro_robot.recordings.prints import Print
from neuro_robot.recordings.source import NS, Progress, Recording, Selection

WRITING, CHECKING = 0.7, 0.3  # shares of the progress bar
MAX_PARTS = 10_000


class ConversionError(NeuroRobotError):
    """What was written does not read back as what was meant."""


@dataclass(frozen=True)
class Target:
    """Where a conversion goes. `split_s` > 0: a new file for each so many seconds, numbered behind the name."""

    path: Path
    format: str | None = None
    split_s: float = 0.0
    zero_time: bool = False  # the first event becomes time 0
    overwrite: bool = False
    verify: bool = True

    def entry(self) -> Format:
        """The format to be written. Raises ConfigError when it cannot be known or not be written."""
        writable = {name: item for name, item in FORMATS.items() if item.writer is not None}
        if self.format is not None and self.format in writable:
            return writable[self.format]
        if self.format is None:
            for item in writable.values():
                if self.path.name.lower().endswith(item.extensions):
                    return item
        said = f"--format {self.format}" if self.format else f"the name {self.path.name!r}"
        listed = "; ".join(f"{name} ({' '.join(item.extensions)})" for name, item in writable.items())
        raise ConfigError(f"{said} is no format that can be written; choose one by --format or extension: {listed}")

    def part(self, number: int, entry: Format) -> Path:
        """Path of one part, `name_000.raw` and so on; the path itself when nothing is split."""
        if self.split_s <= 0:
            return self.path
        name = self.path.name
        ending = next((item for item in entry.extensions if item and name.lower().endswith(item)), "")
        stem = name[: len(name) - len(ending)]
        return self.path.with_name(f"{stem}_{number:03d}{name[len(stem) :]}")


@dataclass
class Part:
    """One file that was written, and what should be in it."""

    path: Path
    expected: Print
    found: Print | None = None

    def as_dict(self) -> dict[str, Any]:
        """For people and JSON."""
        return {
            "file": str(self.path),
            "bytes": size_of(self.path),
            **self.expected.as_dict(),
            "verified": self.found is not None and self.found.as_dict() == self.expected.as_dict(),
        }


def convert(
    source: Recording, target: Target, selection: Selection | None = None, progress: Progress | None = None
) -> dict[str, Any]:
    """Write the selected part of a recording; what was written is read back and must be the same.

    The same: as many events and triggers, and the same SHA-256 over them, times floored to the format's resolution.
    Raises ConversionError when it is not, FileFormatError, BagError, PacketError or ConfigError for what cannot be
    read, written or selected.
    """
    selection = selection or Selection()
    entry = target.entry()
    _check_paths(source, target, entry)
    began = time.perf_counter()
    with source.open() as reader:
        parts = _Parts(target, entry)
        try:
            chain = selection.chain(reader)
            parts.geometry = (chain.width, chain.height)
            _write(reader, selection.chunks(reader, chain), parts, target, progress)
        finally:
            parts.close()
        result = _summary(source, reader, entry)
        result |= {"width": chain.width, "height": chain.height, "written_in_s": time.perf_counter() - began}
    if target.verify:
        began = time.perf_counter()
        for number, part in enumerate(parts.done):
            _verify(part, entry, parts.geometry, _share(progress, number, len(parts.done)))
        result["verified_in_s"] = time.perf_counter() - began
    result["parts"] = [part.as_dict() for part in parts.done]
    result["events"] = sum(part.expected.events for part in parts.done)
    result["triggers"] = sum(part.expected.triggers for part in parts.done)
    result["triggers_left_out"] = parts.triggers_left_out
    return result


@dataclass
class _Parts:
    """The files being written, one after the other."""

    target: Target
    entry: Format
    geometry: tuple[int, int] = (0, 0)
    done: list[Part] = field(default_factory=list)
    triggers_left_out: int = 0
    _writer: EventWriter | None = None

    def write(self, number: int, chunk: Chunk) -> None:
        while len(self.done) <= number:
            self._begin()
        events, triggers = chunk
        if len(triggers) and not self.entry.keeps_triggers:
            self.triggers_left_out += len(triggers)
            triggers = triggers[:0]
        if self._writer is not None:
            with _writing(self.done[-1].path):
                self._writer.write(events, triggers)
        self.done[-1].expected.add(events, triggers)

    def _begin(self) -> None:
        if len(self.done) >= MAX_PARTS:
            raise ConfigError(f"--split: more than {MAX_PARTS} parts; choose longer ones")
        self.close()
        path = self.target.part(len(self.done), self.entry)
        with _writing(path):
            if path.exists():
                _remove(path)
            path.parent.mkdir(parents=True, exist_ok=True)
        self._writer = open_writer(path, *self.geometry, format=self.entry.name)
        self.done.append(Part(path, Print(self.entry.time_resolution_ns)))

    def close(self) -> None:
        if self._writer is not None:
            writer, self._writer = self._writer, None
            with _writing(self.done[-1].path):
                writer.close()


def _write(
    reader: EventReader, chunks: Iterator[Chunk], parts: _Parts, target: Target, progress: Progress | None
) -> None:
    origin_ns: int | None = None
    written = 0
    for chunk in chunks:
        if origin_ns is None:
            origin_ns = min(int(items["t"].min()) for items in chunk if len(items))
        pieces = _cut(chunk, origin_ns, round(target.split_s * NS), len(parts.done) - 1)
        for number, piece in pieces:
            parts.write(number, _shifted(piece, origin_ns) if target.zero_time else piece)
        written += len(chunk.events)
        if progress is not None:
            progress(WRITING * reader.position(), f"writing, {written:,} events")
    if not parts.done:
        parts.write(0, Chunk(empty_events(), empty_triggers()))


def _cut(chunk: Chunk, origin_ns: int, split_ns: int, running: int) -> Iterator[tuple[int, Chunk]]:
    """Pieces of a chunk with the number of their part; what steps back in time stays in the running part."""
    if split_ns <= 0:
        yield 0, chunk
        return
    numbers = [
        np.maximum.accumulate(np.maximum((items["t"] - origin_ns) // split_ns, max(running, 0))) for items in chunk
    ]
    for number in np.unique(np.concatenate(numbers)):
        yield int(number), Chunk(chunk.events[numbers[0] == number], chunk.triggers[numbers[1] == number])


def _shifted(chunk: Chunk, origin_ns: int) -> Chunk:
    moved = Chunk(chunk.events.copy(), chunk.triggers.copy())
    for items in moved:
        items["t"] = np.maximum(items["t"] - origin_ns, 0)
    return moved


def _verify(part: Part, entry: Format, geometry: tuple[int, int], progress: Progress | None) -> None:
    """Read a part back. Raises ConversionError when it is not what was meant."""
    part.found = Print(entry.time_resolution_ns)
    with Recording(part.path, entry.name).open() as reader:
        if (reader.width, reader.height) != geometry:
            came = f"{reader.width}x{reader.height}"
            raise ConversionError(f"{part.path}: written for {geometry[0]}x{geometry[1]} pixels, reads as {came}")
        for chunk in reader.chunks():
            part.found.add(*chunk)
            if progress is not None:
                progress(reader.position(), f"checking, {part.found.events:,} events")
    difference = part.expected.difference(part.found)
    if difference:
        advice = "" if part.expected.span_ns is None else _advice(part, entry)
        raise ConversionError(f"{part.path}: read back, it is not what was written: {difference}{advice}")


def _advice(part: Part, entry: Format) -> str:
    expected, found = part.expected, part.found
    if found is not None and found.events == expected.events and found.span_ns != expected.span_ns:
        return f"; if {entry.name} cannot hold such times, convert with --zero-time"
    return f"; {entry.name} may not be able to hold such a stream, choose another format"


def _check_paths(source: Recording, target: Target, entry: Format) -> None:
    if target.split_s < 0:
        raise ConfigError(f"--split: expected seconds above 0, got {target.split_s}")
    for path in {target.path, target.part(0, entry)}:
        if not path.exists():
            continue
        if path.resolve() == source.path.resolve():
            raise ConfigError(f"{path}: would be read and written at once; choose another name for the output")
        if not target.overwrite:
            raise ConfigError(f"{path}: exists already; choose another name or add --overwrite")


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """What the system refuses (a full disk, no permission) as a ConfigError."""
    try:
        yield
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written ({error.strerror or error}); choose another place") from error


def _remove(path: Path) -> None:
    """What is to be overwritten; of folders only what is a bag."""
    if not path.is_dir():
        path.unlink()
    elif (path / "metadata.yaml").is_file():
        shutil.rmtree(path)
    else:
        raise ConfigError(f"{path}: is a folder but no bag; remove it yourself")


def _summary(source: Recording, reader: EventReader, entry: Format) -> dict[str, Any]:
    glitches = {name: count for name, count in reader.stats.as_dict().items() if name in GLITCHES and count}
    return {
        "input": str(source.path),
        "input_format": reader.format,
        "format": entry.name,
        "time_resolution_ns": entry.time_resolution_ns,
        "glitches": glitches,
    }


def _share(progress: Progress | None, number: int, count: int) -> Progress | None:
    """The progress of checking one part of several."""
    if progress is None:
        return None
    return lambda share, text: progress(WRITING + CHECKING * (number + share) / count, text)
