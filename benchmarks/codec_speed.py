"""Codec speed on one core: `python benchmarks/codec_speed.py` prints million events per second, median of 5 runs.

20 million events of a 1280x720 sensor in 2 s: 60 % in runs of 8 pixels along a row, the rest alone, everything at
random. They travel in packets of 1 ms, as camera drivers send them. `into` is evt3 words decoded as a file's are, into
one array that is used again. What comes out is compared with what went in. Times are the thread's own, so that a busy
machine counts less; --events makes it shorter.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np

from neuro_robot.events import CODECS, EventPacket, StreamDecoder, empty_events, empty_triggers, pack
from neuro_robot.events.array import Events
from neuro_robot.events.evt3_decoder import decode_words, new_counts, new_state

WIDTH, HEIGHT, PER_US = 1280, 720, 10
RUN, SHARE_IN_RUNS = 8, 0.6
PACKET_NS = 1_000_000
RUNS = 5


def camera_like(count: int, seed: int = 1) -> Events:
    """Runs along rows and single events, PER_US of them in each microsecond."""
    rng = np.random.default_rng(seed)
    runs = int(count * SHARE_IN_RUNS) // RUN
    length = rng.permutation(np.repeat([RUN, 1], [runs, count - runs * RUN]))
    t_us = np.sort(rng.integers(0, count // PER_US, len(length)))
    x = rng.integers(0, WIDTH - RUN, len(length))
    within = np.arange(count) - np.repeat(np.cumsum(length) - length, length)
    events = empty_events(count)
    events["t"], events["x"] = np.repeat(t_us * 1000, length), np.repeat(x, length) + within
    events["y"] = np.repeat(rng.integers(0, HEIGHT, len(length)), length)
    events["p"] = np.repeat(rng.integers(0, 2, len(length)), length)
    return events


def packed(parts: list[Events], encoding: str) -> list[EventPacket]:
    """One packet for each part."""
    return [
        pack(part, encoding, width=WIDTH, height=HEIGHT, seq=i, stamp_ns=0, t_end_ns=(i + 1) * PACKET_NS)
        for i, part in enumerate(parts)
    ]


def decoded(packets: list[EventPacket], check: list[Events] | None = None) -> None:
    """Decode a stream; with check, raise SystemExit where it is not what went in."""
    decoder = StreamDecoder()
    for i, packet in enumerate(packets):
        events = decoder.decode(packet).events
        if check is not None and not np.array_equal(events, check[i]):
            raise SystemExit(f"packet {i}: decoded events are not those that were encoded")


def decoded_into(packets: list[EventPacket]) -> None:
    """Decode evt3 words into one array."""
    events, triggers = empty_events(1 << 16), empty_triggers(1)
    state, counts = new_state(), new_counts()
    for packet in packets:
        decode_words(packet.events.view(np.uint16), -1, WIDTH, HEIGHT, state, counts, events, triggers)


def million_per_second(count: int, work: Callable[[], object]) -> float:
    """Median rate over RUNS runs, after one that compiles."""
    seconds = []
    for run in range(RUNS + 1):
        start = time.thread_time()
        work()
        if run:
            seconds.append(time.thread_time() - start)
    return count / statistics.median(seconds) / 1e6


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=20_000_000)
    count = parser.parse_args().events
    events = camera_like(count)
    edges = np.searchsorted(events["t"], np.arange(PACKET_NS, int(events["t"][-1]) + 1, PACKET_NS))
    parts = np.split(events, edges)
    sys.stdout.write(f"{'encoding':12}{'bytes/event':>12}{'encode M/s':>12}{'decode M/s':>12}\n")
    for encoding in (name for name, codec in CODECS.items() if codec.max_width):
        packets = packed(parts, encoding)
        decoded(packets, check=parts)
        rates = [
            million_per_second(count, lambda name=encoding: packed(parts, name)),
            million_per_second(count, lambda sent=packets: decoded(sent)),
        ]
        size = sum(packet.events.size for packet in packets) / count
        sys.stdout.write(f"{encoding:12}{size:12.2f}{rates[0]:12.0f}{rates[1]:12.0f}\n")
        if encoding == "evt3":
            into = million_per_second(count, lambda sent=packets: decoded_into(sent))
            sys.stdout.write(f"{'evt3 into':12}{'':12}{'':12}{into:12.0f}\n")


if __name__ == "__main__":
    main()
