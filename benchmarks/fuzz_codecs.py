"""Mutated packets through every decoder: `python benchmarks/fuzz_codecs.py --packets 10000000 --seed 1`.

Good packets of each encoding, and noise, get bytes flipped, overwritten, moved and cut off, and their headers changed.
Each must come out as events inside the sensor and in plausible time, or as PacketError; anything else ends the run with
exit status 1 and the packet's number. The kernel that fills a caller's arrays runs beside, into arrays with a fence
behind them. With NUMBA_BOUNDSCHECK=1 (and a NUMBA_CACHE_DIR of its own) every index is checked as well.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from neuro_robot.errors import PacketError
from neuro_robot.events import CODECS, EventPacket, StreamDecoder, empty_events, empty_triggers, pack
from neuro_robot.events.array import Events
from neuro_robot.events.evt3_decoder import decode_words, new_counts, new_state

WIDTH, HEIGHT = 346, 260
LENGTH = 192  # most bytes of a packet
BATCH = 4096  # packets mutated at once
STREAM = 64  # packets that one decoder sees
FENCE = 16
LATEST_NS = 2**62 + 2**55  # a time_base, and all that roll-overs inside packets this small can add

Bytes = npt.NDArray[np.uint8]


def good_payloads(rng: np.random.Generator) -> dict[str, list[Bytes]]:
    """For each encoding payloads that are right, and some that are noise."""
    result: dict[str, list[Bytes]] = {}
    for encoding, codec in CODECS.items():
        payloads = [rng.integers(0, 256, LENGTH, dtype=np.uint8) for _ in range(4)]
        for _ in range(28):
            events, triggers = some_events(rng, bool(codec.max_width)), empty_triggers(0)
            if codec.max_trigger_id is not None:
                triggers = empty_triggers(3)
                triggers["t"], triggers["id"] = np.sort(rng.integers(0, 10**7, 3)), rng.integers(0, 16, 3)
            packet = pack(
                events, encoding, width=WIDTH, height=HEIGHT, seq=0, stamp_ns=0, t_end_ns=10**7, triggers=triggers
            )
            payloads.append(np.resize(packet.events, LENGTH))
        result[encoding] = payloads
    return result


def some_events(rng: np.random.Generator, wanted: bool) -> Events:
    """Runs along rows and columns, and noise."""
    lines = []
    for _ in range(6 if wanted else 0):
        events = empty_events(int(rng.integers(1, 20)))
        along = np.arange(len(events))
        steps = [(1, 0), (0, 1), (0, 0)][rng.integers(3)]
        events["x"] = rng.integers(0, WIDTH - 20) + steps[0] * along
        events["y"] = rng.integers(0, HEIGHT - 20) + steps[1] * along
        events["t"], events["p"] = rng.integers(0, 10**7), rng.integers(0, 2)
        lines.append(events)
    events = np.concatenate([empty_events(0), *lines])
    return events[np.argsort(events["t"], kind="stable")]


def mutated(base: Bytes, rng: np.random.Generator) -> Bytes:
    """BATCH rows drawn from base, each with up to a dozen changes."""
    rows = base[rng.integers(0, len(base), BATCH)]
    block = np.arange(8)
    for kind in rng.permutation(np.repeat(np.arange(4), 3)):
        some = np.flatnonzero(rng.random(BATCH) < rng.choice([0.1, 0.5]))
        at, source = rng.integers(0, LENGTH, len(some)), rng.integers(0, LENGTH - 8, len(some))
        if kind == 0:  # one bit
            rows[some, at] ^= np.uint8(1) << rng.integers(0, 8, len(some), dtype=np.uint8)
        elif kind == 1:  # one byte
            rows[some, at] = rng.integers(0, 256, len(some))
        elif kind == 2:  # the code of a word
            rows[some, at | 1] = rows[some, at | 1] & 15 | rng.integers(0, 16, len(some)) << 4
        else:  # eight bytes from elsewhere
            target = rng.integers(0, LENGTH - 8, len(some))
            rows[some[:, None], target[:, None] + block] = rows[some[:, None], source[:, None] + block]
    return rows


def packets(base: dict[str, Bytes], rng: np.random.Generator) -> Iterator[tuple[EventPacket, bool]]:
    """Without end: (mutated packet, whether it starts a new stream)."""
    encodings = list(base)
    time_bases = np.array([0, 1, 10**9, 10**18, 2**62, 2**62 + 1, -1], dtype=np.int64)
    sizes = [(WIDTH, HEIGHT), (WIDTH, HEIGHT), (2048, 2048), (1, 1), (31, 7), (0, 0), (2**31, 5)]
    for batch in range(sys.maxsize):
        encoding = encodings[batch % len(encodings)]
        rows = mutated(base[encoding], rng)
        lengths = np.where(rng.random(BATCH) < 0.5, LENGTH, rng.integers(0, LENGTH + 1, BATCH)).tolist()
        bases = rng.choice(time_bases, BATCH).tolist()
        swapped = (rng.random(BATCH) < 0.1).tolist()
        seqs = np.cumsum(rng.choice([1, 1, 1, 1, 1, 1, 0, 2, -3, 2**40], BATCH)).tolist()
        for i, row in enumerate(rows):
            if i % STREAM == 0:
                width, height = sizes[rng.integers(len(sizes))]
                steady = bases[i] if rng.random() < 0.5 else None
            time_base = bases[i] if steady is None else steady
            payload = row[: lengths[i]]
            yield EventPacket(0, "", height, width, seqs[i], time_base, encoding, swapped[i], payload), i % STREAM == 0


@njit(cache=True)
def all_good(events: Events, width: int, height: int, latest_ns: int) -> bool:
    """Whether every event is inside the sensor and in plausible time."""
    for event in events:
        if event.x >= width or event.y >= height or event.p > 1 or event.t < 0 or event.t > latest_ns:
            return False
    return True


class FencedKernel:
    """evt3_decoder.decode_words into small arrays that are part of larger ones."""

    def __init__(self) -> None:
        self._events = empty_events(40 + FENCE)
        self._triggers = empty_triggers(1 + FENCE)
        self._state, self._counts = new_state(), new_counts()

    def decode(self, payload: Bytes, salt: int) -> bool:
        """Decode to the last word; whether the fences stand and everything was consumed."""
        words = np.frombuffer(payload.tobytes()[: len(payload) // 2 * 2], np.uint16).copy()
        room = 12 + salt % 28
        self._events[room : room + FENCE] = (-7, 7, 7, 7)
        self._triggers[1:] = (-7, 7, 7)
        while len(words):
            events, triggers = self._events[:room], self._triggers[:1]
            used, kept, _ = decode_words(words, -1, WIDTH, HEIGHT, self._state, self._counts, events, triggers)
            if used < 1 or not all_good(events[:kept], WIDTH, HEIGHT, LATEST_NS):
                return False
            words = words[used:]
        fences = self._events[room : room + FENCE].tolist() + self._triggers[1:].tolist()
        return set(fences) == {(-7, 7, 7, 7), (-7, 7, 7)}


def plausible(packet: EventPacket, decoded: Any) -> bool:
    """Whether what came out of one packet can have been in it."""
    most = 6 * len(packet.events)  # a vector word has twelve pixels
    if len(decoded.events) > most or len(decoded.triggers) > len(packet.events):
        return False
    times_ns = decoded.triggers["t"]
    if len(times_ns) and not 0 <= times_ns.min() <= times_ns.max() <= LATEST_NS:
        return False
    return bool(all_good(decoded.events, packet.width, packet.height, LATEST_NS)) and decoded.t_end_ns >= 0


def run(n: int, seed: int) -> int:
    """Feed n packets; -> exit status."""
    rng = np.random.default_rng(seed)
    base = {encoding: np.array(payloads) for encoding, payloads in good_payloads(rng).items()}
    counts: Counter[str] = Counter()
    decoder, kernel = StreamDecoder(), FencedKernel()
    start = time.perf_counter()
    for i, (packet, first) in enumerate(packets(base, rng)):
        if i == n:
            break
        if first:
            counts.update({f"stats.{name}": getattr(decoder.stats, name) for name in decoder.stats.__slots__})
            decoder = StreamDecoder()
        counts[packet.encoding] += 1
        try:
            good = plausible(packet, decoder.decode(packet))
        except PacketError:
            good = True
        if packet.encoding == "evt3":
            good = good and kernel.decode(packet.events, i)
        if not good:
            sys.stdout.write(f"seed {seed}, packet {i}: impossible output from {packet}\n")
            return 1
    seconds = time.perf_counter() - start
    sys.stdout.write(f"{n} packets in {seconds:.0f} s, seed {seed}: no crash, no event out of range\n")
    for name, count in counts.items():
        sys.stdout.write(f"{name:32}{count:14}\n")
    return 0


def main() -> int:
    """Parse the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packets", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    return run(arguments.packets, arguments.seed)


if __name__ == "__main__":
    sys.exit(main())
