"""Speed of reading and writing event files on one core, beside the other libraries that are installed.

    python benchmarks/file_speed.py                    20 M events, five runs each: one table
    python benchmarks/file_speed.py --formats evt3 dat --events 2000000 --runs 3 --json speed.json
    python benchmarks/file_speed.py --memory 2         stream a 2 GB file into another format, print the peak memory

The events: 1280x720, one second, 60 % of them in runs along rows (4 to 32 neighbours of one microsecond and polarity),
the others anywhere. Rates are in million events per second, medians; everything runs on one core, from the system's
file cache. `arrays`: a whole file into new arrays, in wall time and in time of the processor (`cpu`, which counts less
of what else the machine does). `stream`: chunk after chunk (1 M events). `memory`: the file's words, in memory, into
one array that is used again. `write`: events to a file. Everything that is read is compared with the events first, one
by one, the peers' too: `t wrong 17 %` is the share of events whose time is not the truth's. A peer gives arrays of its
own: records or columns, so many bytes for an event (ours are records of 13).
"""

# ruff: noqa: SLF001 - `memory` calls the kernel inside a reader

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from file_peers import Columns, Peer, peers

from neuro_robot.events.array import EVENT_DTYPE, Events
from neuro_robot.events.files import FORMATS, open_reader, open_writer, read_all
from neuro_robot.events.files.aedat4_writer import Aedat4Writer
from neuro_robot.events.files.base import EventWriter
from neuro_robot.events.files.words import WordReader
from neuro_robot.events.vectors import as_slots

WIDTH, HEIGHT, SPAN_US = 1280, 720, 1_000_000
IN_RUNS, SHORTEST, LONGEST = 0.6, 4, 32
SLOW_EVENTS = 2_000_000  # for formats of text
SLOW = ("csv",)
SLOW_S = 4.0  # what needs longer is run once
PACKING = {"aedat4_zstd": "ZSTD", "aedat4_raw": "NONE"}  # AEDAT4 is written with LZ4 unless told otherwise
BLOCK_BYTES = 1 << 17  # of words, for `memory`
DEFAULT = ("evt3", "evt2", "dat", "evt21", "evt21_legacy", "evt4", "aedat4", *PACKING, "hdf5")
Rate = tuple[float, float]  # M events/s of wall time and of processor time


def make_events(n: int, seed: int = 1) -> Events:
    """Make n events as the table's heading says."""
    rng = np.random.default_rng(seed)
    runs = rng.integers(SHORTEST, LONGEST + 1, int(n * IN_RUNS) // SHORTEST + 1)
    runs = runs[: np.searchsorted(np.cumsum(runs), int(n * IN_RUNS))]
    length = np.concatenate([runs, np.ones(n - runs.sum(), np.int64)])
    rng.shuffle(length)
    first = np.cumsum(length) - length
    events = np.empty(n, EVENT_DTYPE)
    events["t"] = np.repeat(np.sort(rng.integers(0, SPAN_US, len(length))), length) * 1000
    events["x"] = np.repeat(rng.integers(0, WIDTH - length + 1), length) + np.arange(n) - np.repeat(first, length)
    events["y"] = np.repeat(rng.integers(0, HEIGHT, len(length)), length)
    events["p"] = np.repeat(rng.integers(0, 2, len(length)), length)
    return events


def rate(work: Callable[[], object], n: int, runs: int) -> Rate:
    """Medians of `runs` runs after one that compiles and fills caches; of one that is slow there is one run."""
    seconds = []
    while len(seconds) <= runs:
        wall, processor = time.perf_counter(), time.process_time()
        work()
        seconds.append((time.perf_counter() - wall, time.process_time() - processor))
        if seconds[0][0] > SLOW_S and len(seconds) > 1:
            break
    wall, processor = (statistics.median(column) for column in zip(*seconds[1:], strict=True))
    return n / wall / 1e6, n / processor / 1e6


def writer(path: Path, name: str) -> EventWriter:
    """A writer of one of the table's formats."""
    if name in PACKING:
        return Aedat4Writer(path, WIDTH, HEIGHT, compression_name=PACKING[name])
    return open_writer(path, WIDTH, HEIGHT, format=name)


def write(path: Path, name: str, events: Events) -> None:
    """Write events as one file."""
    with writer(path, name) as out:
        out.write(events)


def stream(path: Path, form: str) -> int:
    """Read a file chunk after chunk; -> number of events."""
    with open_reader(path, format=form) as reader:
        return sum(len(chunk.events) for chunk in reader.chunks())


def in_memory(path: Path, form: str, n: int, runs: int) -> Rate | None:
    """Decoding alone, for formats of words."""
    with open_reader(path, format=form) as reader:
        if not isinstance(reader, WordReader):
            return None
        start, word = reader._file.tell(), reader._word
    words = np.frombuffer(path.read_bytes()[start:], word).copy()
    each = BLOCK_BYTES // word.itemsize
    slots = as_slots(np.empty(1 << 20, EVENT_DTYPE))

    def decode() -> None:
        with open_reader(path, format=form) as reader:
            assert isinstance(reader, WordReader)
            kept = 0
            for first in range(0, len(words), each):
                part, edges = words[first : first + each], reader._triggers
                kept += reader._decode(part, WIDTH, HEIGHT, reader._state, reader._counts, slots, edges)[1]
            if kept != n:
                raise SystemExit(f"{form}: {kept} events decoded in memory, not {n}")

    return rate(decode, n, runs)


def fault(found: Columns, events: Events) -> str:
    """What of what was read is not the truth; empty when all of it is."""
    t_us, x, y, p = (np.asarray(column) for column in found)
    if len(t_us) != len(events):
        return f"{len(t_us)} events of {len(events)}"
    truth = {"t": events["t"] // 1000, "x": events["x"], "y": events["y"], "p": events["p"]}
    said = []
    for (name, right), column in zip(truth.items(), (t_us, x, y, p), strict=True):
        share = np.count_nonzero(column.astype(np.int64, copy=False) != right) / len(right)
        if share:
            said.append(f"{name} wrong {100 * share:.3g} %")
    return ", ".join(said)


class Table:
    """Prints rows and keeps them."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        print(f"{'format':13}{'reader':15}{'bytes/ev':>9}{'arrays':>8}{'cpu':>7}{'stream':>8}{'memory':>8}{'write':>7}")

    def row(self, name: str, reader: str, remark: str = "", size: float | None = None, **rates: Rate | None) -> None:
        """One line; rates: arrays, stream, memory, write."""
        arrays = rates.get("arrays")
        cells = [arrays and arrays[0], arrays and arrays[1]]
        cells += [one and one[0] for one in (rates.get("stream"), rates.get("memory"), rates.get("write"))]
        text = "".join(
            f"{'' if cell is None else f'{cell:.0f}':>{w}}" for cell, w in zip(cells, (8, 7, 8, 8, 7), strict=True)
        )
        print(f"{name:13}{reader:15}{'' if size is None else f'{size:.2f}':>9}{text}  {remark}".rstrip(), flush=True)
        self.rows.append({"format": name, "reader": reader, "bytes_per_event": size, "remark": remark, **rates})


def measure(name: str, events: Events, folder: Path, runs: int, table: Table) -> None:
    """The lines of one format: ours, then the peers'."""
    events = events[:SLOW_EVENTS] if name in SLOW else events
    n = len(events)
    form = "aedat4" if name in PACKING else name
    path = folder / f"{name}{FORMATS[form].extensions[0]}"
    written = rate(partial(write, path, name, events), n, runs)
    read = partial(read_all, path, format=form)
    if not np.array_equal(read().events, events):
        raise SystemExit(f"{name}: what was read is not what was written")
    table.row(
        name, "neuro_robot", size=path.stat().st_size / n, arrays=rate(read, n, runs),
        stream=rate(partial(stream, path, form), n, runs), memory=in_memory(path, form, n, runs), write=written,
    )  # fmt: skip
    for key, peer in peers(name).items():
        measure_peer(key, peer, path, name, events, runs, table)
    path.unlink()


def measure_peer(key: str, peer: Peer, path: Path, name: str, events: Events, runs: int, table: Table) -> None:
    """A peer's line."""
    try:
        wrong = fault(peer.columns(peer.read(path, name)), events)
        table.row(name, key, wrong or peer.gives, arrays=rate(partial(peer.read, path, name), len(events), runs))
    except Exception as error:  # noqa: BLE001 - whatever another library raises is its result
        table.row(name, key, f"{type(error).__name__}: {str(error)[:60]}")


def flat_memory(gigabytes: float, source: str, target: str, folder: Path) -> None:
    """Write a file of this size, stream it into another format, print the peak memory of doing so."""
    path, out = folder / f"big{FORMATS[source].extensions[0]}", folder / f"out{FORMATS[target].extensions[0]}"
    events = make_events(2_000_000)
    with open_writer(path, WIDTH, HEIGHT, format=source) as writer:
        while path.stat().st_size < gigabytes * 1e9:
            writer.write(events)
            events["t"] += SPAN_US * 1000
    before = peak_mb()
    start = time.perf_counter()
    with open_reader(path, format=source) as reader, open_writer(out, WIDTH, HEIGHT, format=target) as writer:
        for number, chunk in enumerate(reader.chunks()):
            writer.write(chunk.events, chunk.triggers)
            if number % 100 == 0:
                print(f"  {100 * reader.position():5.1f} %  peak {peak_mb():6.0f} MB", flush=True)
        n = reader.stats.events
    seconds = time.perf_counter() - start
    print(f"{source}, {path.stat().st_size / 1e9:.2f} GB, {n / 1e6:.0f} M events -> {target}: {seconds:.0f} s")
    print(f"peak memory before {before:.0f} MB, after {peak_mb():.0f} MB")


def peak_mb() -> float:
    """The most memory this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def writable() -> list[str]:
    """The formats that hold such events."""
    fits = (
        name
        for name, entry in FORMATS.items()
        if entry.writer is not None and entry.max_width >= WIDTH and entry.max_height >= HEIGHT
    )
    return [*fits, *PACKING]


def main() -> None:
    """Print the table, or the peak memory."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=20_000_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--formats", nargs="+", default=DEFAULT, choices=writable(), metavar="FORMAT")
    parser.add_argument("--json", type=Path, help="write the table's rows here, too")
    parser.add_argument("--folder", type=Path, help="where the files go while they are needed (default: a new one)")
    parser.add_argument("--memory", type=float, metavar="GB", help="measure memory instead, with a file of this size")
    parser.add_argument("--convert", nargs=2, default=("evt2", "evt3"), metavar=("FROM", "TO"), help="with --memory")
    args = parser.parse_args()
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # one core, whatever threads a library likes to have
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        if args.memory:
            flat_memory(args.memory, *args.convert, Path(folder))
            return
        events = make_events(args.events)
        print(f"{args.events / 1e6:g} M events, median of {args.runs} runs, M events/s, one core; "
              f"load before {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")  # fmt: skip
        table = Table()
        for name in args.formats:
            measure(name, events, Path(folder), args.runs, table)
    if args.json:
        args.json.write_text(json.dumps(table.rows, indent=1))


if __name__ == "__main__":
    main()
