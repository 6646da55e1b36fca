"""Speed of reading and writing event files on one core, beside the other libraries that are installed.

    python benchmarks/file_speed.py                    20 M events, five runs each: one table
    python benchmarks/file_speed.py --formats evt3 dat --events 2000000 --runs 3
    python benchmarks/file_speed.py --memory 2         stream a 2 GB file into another format, print the peak memory

The events: 1280x720, one second, 60 % of them in runs along rows (4 to 32 neighbours of one microsecond and polarity),
the others anywhere. `arrays` is the whole file into one array, `stream` chunk after chunk (1 M events), each from the
system's file cache; what is read is checked against the events once. Rates are in million events per second of wall
time, medians. A peer's row is a whole file into arrays of its own; `wrong n` says that their number is not the file's.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from file_peers import Reader, peers

from neuro_robot.events.array import EVENT_DTYPE, Events
from neuro_robot.events.files import FORMATS, open_reader, open_writer, read_all

WIDTH, HEIGHT, SPAN_US = 1280, 720, 1_000_000
IN_RUNS, SHORTEST, LONGEST = 0.6, 4, 32
SLOW_EVENTS = 2_000_000  # for formats of text
SLOW = ("csv",)
SLOW_PEER_S = 5.0  # a peer that needs longer is run once


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


def clock() -> float:
    """Seconds of wall time, or of this process's threads."""
    return time.process_time() if "--cpu" in sys.argv else time.perf_counter()


def rate(work: Callable[[], object], n: int, runs: int) -> float:
    """Median of `runs` runs after one that compiles and fills caches, in million events per second."""
    seconds = []
    for run in range(runs + 1):
        start = clock()
        work()
        if run:
            seconds.append(clock() - start)
    return n / statistics.median(seconds) / 1e6


def write(path: Path, name: str, events: Events) -> None:
    """Write events as one file."""
    with open_writer(path, WIDTH, HEIGHT, format=name) as writer:
        writer.write(events)


def stream(path: Path, name: str) -> int:
    """Read a file chunk after chunk; -> number of events."""
    with open_reader(path, format=name) as reader:
        return sum(len(chunk.events) for chunk in reader.chunks())


def row(name: str, reader: str, size: str, *rates: float | None) -> None:
    """Print a line of the table."""
    cells = "".join(f"{'-' if one is None else f'{one:.1f}':>10}" for one in rates)
    print(f"{name:16}{reader:16}{size:>12}{cells}", flush=True)


def measure(name: str, events: Events, folder: Path, runs: int) -> None:
    """Print the lines of one format: ours, then the peers'."""
    events = events[:SLOW_EVENTS] if name in SLOW else events
    n = len(events)
    path = folder / f"{name}{FORMATS[name].extensions[0]}"
    written = rate(lambda: write(path, name, events), n, runs)
    if not np.array_equal(read_all(path, format=name).events, events):
        raise SystemExit(f"{name}: what was read is not what was written")
    arrays = rate(lambda: read_all(path, format=name), n, runs)
    streamed = rate(lambda: stream(path, name), n, runs)
    row(name, "neuro_robot", f"{path.stat().st_size / n:.2f}", arrays, streamed, written)
    for peer, read in peers(name).items():
        measure_peer(peer, read, path, name, n, runs)
    path.unlink()


def measure_peer(peer: str, read: Reader, path: Path, name: str, n: int, runs: int) -> None:
    """Print a peer's line."""
    try:
        start = time.perf_counter()
        count = read(path, name)
        few = 1 if time.perf_counter() - start > SLOW_PEER_S else runs
        remark = "" if count == n else f"wrong {count}"
        row("", peer, remark, rate(lambda: read(path, name), n, few))
    except Exception as error:  # noqa: BLE001 - whatever another library raises is its result
        row("", peer, type(error).__name__, None)


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
    return [
        name
        for name, entry in FORMATS.items()
        if entry.writer is not None and entry.max_width >= WIDTH and entry.max_height >= HEIGHT
    ]


def main() -> None:
    """Print the table, or the peak memory."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=20_000_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--formats", nargs="+", default=writable(), choices=writable(), metavar="FORMAT")
    parser.add_argument("--cpu", action="store_true", help="time of the processor, all threads: for a busy machine")
    parser.add_argument("--folder", type=Path, help="where the files go while they are needed (default: a new one)")
    parser.add_argument("--memory", type=float, metavar="GB", help="measure memory instead, with a file of this size")
    parser.add_argument("--convert", nargs=2, default=("evt2", "evt3"), metavar=("FROM", "TO"), help="with --memory")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        if args.memory:
            flat_memory(args.memory, *args.convert, Path(folder))
            return
        events = make_events(args.events)
        print(
            f"{args.events / 1e6:g} M events, {args.runs} runs, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
        )
        print(f"{'format':16}{'reader':16}{'bytes/event':>12}{'arrays':>10}{'stream':>10}{'write':>10}")
        for name in args.formats:
            measure(name, events, Path(folder), args.runs)


if __name__ == "__main__":
    main()
