"""Broken files through every reader: `python benchmarks/fuzz_files.py --files 100000 --seed 1`.

Small recordings of every format that can be written, and files of random bytes, are mutated (bits, bytes, runs,
numbers set to extremes, cuts, insertions, repeats, header text) and read to the end, by the format they were, by
another, or by whatever the content looks like. Each file must end in events inside the sensor, or in a
FileFormatError of one short line that names the defect and its place: the byte, or where bytes make no sense the event
or message. Fails on any other exception, on a file that
takes longer than --seconds, and on memory growing by more than --memory-mb. Files that failed are kept in --keep.
With NUMBA_BOUNDSCHECK=1 (and an empty NUMBA_CACHE_DIR) kernels check every index.
"""

from __future__ import annotations

import argparse
import re
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path
from types import FrameType

import numpy as np

from neuro_robot.errors import FileFormatError
from neuro_robot.events.array import EVENT_DTYPE, MAX_TIME_NS, TRIGGER_DTYPE
from neuro_robot.events.files import FORMATS, open_reader, open_writer

EXTREMES = (0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 2**63 - 1, 2**64 - 1)
WORDS = (b"% ", b"% end\n", b"\n", b"geometry 9999999x1\n", b"width=0", b"endianness legacy\n", b"-1", b"1e309", b"nan")
PLACE = re.compile(r": (byte|event|message|entry|line) \d+: \S")
UNKNOWN = "is of no format known here"  # the whole file is the defect
LONGEST_MESSAGE = 400
MOST_EVENTS = 3_000_000  # of one mutated file: a vector makes at most 32 events of 8 bytes


class TooSlowError(BaseException):
    """A file kept its reader busy for too long; nothing on the way catches it."""


def _alarm(_signal: int, _frame: FrameType | None) -> None:
    raise TooSlowError


def seeds(folder: Path, rng: np.random.Generator) -> list[tuple[str, str, bytes]]:
    """(format, extension, content) of small good files: with events and triggers, and without."""
    made = []
    for name, entry in FORMATS.items():
        if entry.writer is None:
            continue
        width, height = min(entry.max_width, 64), min(entry.max_height, 48)
        for n in (0, 40, 400):
            events = np.zeros(n, EVENT_DTYPE)
            events["t"] = np.sort(rng.integers(0, 10**9, n)) // entry.time_resolution_ns * entry.time_resolution_ns
            events["x"], events["y"] = np.arange(n) % width, rng.integers(0, height, n) if n else 0
            events["p"] = rng.integers(0, 2, n)
            triggers = np.zeros(n // 40 if entry.keeps_triggers else 0, TRIGGER_DTYPE)
            triggers["t"] = events["t"][: len(triggers)]
            path = folder / f"seed{entry.extensions[0]}"
            with open_writer(path, width, height, format=name) as writer:
                writer.write(events, triggers)
            if path.is_file():  # a bag may be a folder
                made.append((name, entry.extensions[0], path.read_bytes()))
    return made


def mutated(content: bytes, rng: np.random.Generator) -> bytes:
    """The content with one to eight mutations, half of them near its start, where headers are."""
    data = bytearray(content)
    for _ in range(int(rng.integers(1, 9))):
        at = int(rng.integers(0, len(data) + 1))
        if rng.random() < 0.5:
            at = min(at, int(rng.integers(0, 512)))
        size = int(rng.choice([1, 2, 4, 8]))
        kind = rng.integers(0, 9)
        if kind == 0 and at < len(data):
            data[at] ^= 1 << int(rng.integers(0, 8))
        elif kind == 1:
            data[at : at + size] = rng.bytes(size)
        elif kind == 2:
            extreme = int(rng.choice(np.array(EXTREMES, np.uint64))) % (1 << 8 * size)
            data[at : at + size] = extreme.to_bytes(size, "little" if rng.random() < 0.5 else "big")
        elif kind == 3:
            del data[at:]
        elif kind == 4:
            del data[at : at + int(rng.integers(1, 64))]
        elif kind == 5:
            data[at:at] = rng.bytes(int(rng.integers(1, 64)))
        elif kind == 6:
            data[at:at] = WORDS[int(rng.integers(0, len(WORDS)))]
        elif kind == 7:
            data[at:at] = data[at : at + int(rng.integers(1, 2000))]
        else:
            data[at : at + 64] = bytes([int(rng.integers(0, 256))]) * 64
    return bytes(data)


def try_file(path: Path, name: str | None, geometry: tuple[int, int] | None, outcomes: Counter[str]) -> str | None:
    """Read one file; -> what is wrong with how that went, None when nothing is."""
    try:
        with open_reader(path, format=name, geometry=geometry) as reader:
            label = reader.format
            n = 0
            for chunk in reader.chunks(50_000):
                n += len(chunk.events)
                fault = wrong(chunk.events, reader.width, reader.height)
                if fault or n > MOST_EVENTS:
                    return fault or f"{n} events from {path.stat().st_size} bytes"
        outcomes[f"{label}: read"] += 1
    except FileFormatError as error:
        outcomes[f"{name or 'by content'}: refused"] += 1
        return ill_said(str(error).removeprefix(str(path)))
    except TooSlowError:
        return "took too long"
    except Exception:  # noqa: BLE001 - the point of the exercise
        return traceback.format_exc(limit=-4)
    return None


def ill_said(message: str) -> str | None:
    """What a refusal, without the file's name, lacks."""
    if len(message) > LONGEST_MESSAGE or "\n" in message:
        return f"a message of {len(message)} characters: {message[:200]!r}"
    if not PLACE.match(message) and UNKNOWN not in message:
        return f"a message without a place: {message}"
    return None


def wrong(events: np.ndarray, width: int, height: int) -> str | None:
    """What no reader may give."""
    if not len(events):
        return None
    if int(events["x"].max()) >= width or int(events["y"].max()) >= height or int(events["p"].max()) > 1:
        return f"events outside {width}x{height}, or of no polarity"
    if int(events["t"].min()) < -MAX_TIME_NS or int(events["t"].max()) > 2 * MAX_TIME_NS:
        return f"times from {events['t'].min()} to {events['t'].max()}"
    return None


def peak_mb() -> float:
    """The most memory this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> int:
    """Fuzz; 1 when anything failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=int, default=20, help="longest time for one file")
    parser.add_argument("--memory-mb", type=float, default=600, help="most growth of memory")
    parser.add_argument("--formats", nargs="+", choices=list(FORMATS), metavar="FORMAT", help="default: all")
    parser.add_argument("--keep", type=Path, help="where files that failed are kept")
    args = parser.parse_args()
    rng = np.random.default_rng(args.seed)
    outcomes: Counter[str] = Counter()
    faults: Counter[str] = Counter()
    signal.signal(signal.SIGALRM, _alarm)
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        good = [seed for seed in seeds(folder, rng) if args.formats is None or seed[0] in args.formats]
        for file_name, extension, content in good:  # compiles everything, and shows that the seeds are good
            path = folder / f"fuzz{extension}"
            path.write_bytes(content)
            if try_file(path, file_name, None, Counter()) is not None:
                raise SystemExit(f"{file_name}: the file before mutation is not read")
        before = peak_mb()
        for number in range(args.files):
            file_name, extension, content = good[int(rng.integers(0, len(good)))]
            data = mutated(content, rng) if rng.random() < 0.97 else rng.bytes(int(rng.integers(0, 3000)))
            path = folder / f"fuzz{extension}"
            path.write_bytes(data)
            choice = rng.random()
            reader = file_name if choice < 0.6 else str(rng.choice(list(FORMATS))) if choice < 0.7 else None
            signal.alarm(args.seconds)
            fault = try_file(path, reader, (64, 48) if rng.random() < 0.3 else None, outcomes)
            signal.alarm(0)
            if fault is None and peak_mb() - before > args.memory_mb:
                fault, before = f"memory grew to {peak_mb():.0f} MB", peak_mb()
            if fault is not None:
                faults[f"{reader or 'by content'}: {fault}"] += 1
                if args.keep:
                    (args.keep / f"{args.seed}_{number}_{reader}{extension}").write_bytes(data)
    for outcome, count in sorted(outcomes.items()):
        print(f"{outcome:32}{count:9}")
    for fault, count in faults.most_common(20):
        print(f"--- {count} times: {fault}", file=sys.stderr)
    minutes = (time.monotonic() - start) / 60
    print(
        f"{args.files} files, seed {args.seed}, {minutes:.1f} min, memory grew by {peak_mb() - before:.0f} MB, ", end=""
    )
    print(f"{faults.total()} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
