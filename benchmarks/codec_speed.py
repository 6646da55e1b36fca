"""Codec speed on one core: `python benchmarks/codec_speed.py` prints million events per second, median of 5 runs.

Two kinds of events on a 640x480 sensor, both 1 M events in 100 ms: `rows`, whole rows brightening at once (evt3 packs
them into vectors), and `scattered`, random pixels at random times (evt3 needs an address word for each).
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

import numpy as np

from neuro_robot.events import CODECS, StreamDecoder, empty_events, pack
from neuro_robot.events.array import Events

WIDTH, HEIGHT, COUNT, SPAN_NS = 640, 480, 1_000_000, 100_000_000
RUNS = 5


def rows() -> Events:
    """Row after row, 640 events each in one microsecond, ON and OFF by turns."""
    events = empty_events(COUNT)
    index = np.arange(COUNT)
    row = index // WIDTH
    events["t"], events["x"], events["y"], events["p"] = row * 50_000, index % WIDTH, row % HEIGHT, row % 2
    return events


def scattered(seed: int = 1) -> Events:
    """Random pixels and polarities at random times."""
    rng = np.random.default_rng(seed)
    events = empty_events(COUNT)
    events["t"] = np.sort(rng.integers(0, SPAN_NS, COUNT))
    events["x"], events["y"] = rng.integers(0, WIDTH, COUNT), rng.integers(0, HEIGHT, COUNT)
    events["p"] = rng.integers(0, 2, COUNT)
    return events


def million_per_second(work: Callable[[], object]) -> float:
    """Median rate over RUNS runs, after one that compiles."""
    seconds = []
    for run in range(RUNS + 1):
        start = time.perf_counter()
        work()
        if run:
            seconds.append(time.perf_counter() - start)
    return COUNT / statistics.median(seconds) / 1e6


def main() -> None:
    """Print the table."""
    sys.stdout.write(f"{'encoding':10}{'events':12}{'bytes/event':>12}{'encode M/s':>12}{'decode M/s':>12}\n")
    for encoding in CODECS:
        for name, events in (("rows", rows()), ("scattered", scattered())):

            def encode(events: Events = events, encoding: str = encoding) -> object:
                return pack(events, encoding, width=WIDTH, height=HEIGHT, seq=0, stamp_ns=0, t_end_ns=SPAN_NS)

            packet = pack(events, encoding, width=WIDTH, height=HEIGHT, seq=0, stamp_ns=0, t_end_ns=SPAN_NS)
            encoded, decoded = (
                million_per_second(encode),
                million_per_second(lambda p=packet: StreamDecoder().decode(p)),
            )
            size = packet.events.size / COUNT
            sys.stdout.write(f"{encoding:10}{name:12}{size:12.2f}{encoded:12.0f}{decoded:12.0f}\n")


if __name__ == "__main__":
    main()
