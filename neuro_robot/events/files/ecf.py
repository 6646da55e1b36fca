"""ECF, the compression of Metavision's HDF5 files (HDF5 filter 0x8ECF): one block of events to bytes and back.

A block: u32 {bits 2-31 number of events, bit 1 y, x, p packed, bit 0 x, p packed}, then the times, then either the
packed triples, or y runs followed by packed pairs or by x masks and p runs. Little endian, us.
Times: u64 first time; bytes {high 4 bits: step, low 4 bits: count}, count 15: a u16 count follows; step 15: the low 4
bits are the next higher digit of a longer step, without events. y runs: u16 {y << 5 | count}, count 31: u16 follows.
x masks: u16 {x << 5 | mask}, an event at x and one at x + 1 + j for each bit 4 - j. p runs: u8 {p << 7 | count},
count 127: u16 follows. Four packed triples (y << 12 | x << 1 | p, 24 bits) share three u32, four pairs
(x << 1 | p, 12 bits) three u16: the first fills the upper bits of the first word, whose lower bits are the lowest of
the second, and so on. Source: prophesee-ai/hdf5_ecf.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from neuro_robot.events.array import EVENT_DTYPE, MAX_TIME_NS, Events, as_kernel_input

FILTER = 0x8ECF
MAX_SIDE = 1 << 11
_MAX_EVENTS = 65535
_MAX_US = MAX_TIME_NS // 1000
_IMPOSSIBLE_NS = -1

Bytes = npt.NDArray[np.uint8]


def decode(data: bytes) -> Events:
    """The events of a block; t is -1 where it is beyond MAX_TIME_NS. Raises ValueError for a damaged block."""
    raw = np.frombuffer(data, np.uint8)
    if len(raw) < 12:
        raise ValueError(f"a block of {len(raw)} bytes has no header")
    head = int.from_bytes(data[:4], "little")
    n = head >> 2
    if n > _MAX_EVENTS:
        raise ValueError(f"a block of {n} events is larger than the {_MAX_EVENTS} possible")
    events = np.zeros(n, EVENT_DTYPE)
    at = _times(raw, events, _MAX_US)
    if head & 2:
        at = _triples(raw, at, events)
    else:
        at = _rows(raw, at, events)
        if head & 1:
            at = _pairs(raw, at, events)
        else:
            at = _polarities(raw, _columns(raw, at, events), events)
    if at < 0:
        raise ValueError(f"a block of {len(raw)} bytes does not hold its {n} events")
    return events


def encode(events: Events) -> bytes | None:
    """A block of at most 65535 events with packed triples; None when time steps back, which ECF cannot say."""
    if np.any(events["t"][1:] // 1000 < events["t"][:-1] // 1000):
        return None
    raw = np.empty(12 + 20 * len(events) + 12, np.uint8)
    raw[:4] = np.frombuffer((len(events) << 2 | 2).to_bytes(4, "little"), np.uint8)
    return raw[: _encode(as_kernel_input(events), raw)].tobytes()


@njit(cache=True)
def _u16(raw: Bytes, at: int) -> int:
    return np.int64(raw[at]) | np.int64(raw[at + 1]) << 8  # type: ignore[return-value]


@njit(cache=True)
def _times(raw: Bytes, events: Events, max_us: int) -> int:
    """-> offset behind the times, -1 when they end too early."""
    now_us = np.int64(0)
    for j in range(8):
        now_us |= np.int64(raw[4 + j]) << 8 * j
    at = 12
    i = 0
    while i < len(events):
        if at >= len(raw):
            return -1
        step, count = np.int64(raw[at]) >> 4, np.int64(raw[at]) & 15
        at += 1
        if step == 15:
            shift = 0
            longer = count
            while at < len(raw) and raw[at] >> 4 == 15 and shift < 56:
                shift += 4
                longer |= (np.int64(raw[at]) & 15) << shift
                at += 1
            now_us += longer
            continue
        now_us += step
        if count == 15:
            if at + 2 > len(raw):
                return -1
            count = _u16(raw, at)
            at += 2
        if count > len(events) - i:
            return -1
        t_ns = now_us * 1000 if 0 <= now_us <= max_us else _IMPOSSIBLE_NS
        for _ in range(count):
            events[i].t = t_ns
            i += 1
    return at


@njit(cache=True)
def _rows(raw: Bytes, at: int, events: Events) -> int:
    i = 0
    while i < len(events) and at >= 0:
        if at + 2 > len(raw):
            return -1
        word = _u16(raw, at)
        at += 2
        count = word & 31
        if count == 31:
            if at + 2 > len(raw):
                return -1
            count = _u16(raw, at)
            at += 2
        if count > len(events) - i:
            return -1
        for _ in range(count):
            events[i].y = word >> 5
            i += 1
    return at


@njit(cache=True)
def _columns(raw: Bytes, at: int, events: Events) -> int:
    i = 0
    while i < len(events) and at >= 0:
        if at + 2 > len(raw):
            return -1
        word = _u16(raw, at)
        at += 2
        events[i].x = word >> 5
        i += 1
        for j in range(5):
            if word >> 4 - j & 1 and i < len(events):
                events[i].x = (word >> 5) + j + 1
                i += 1
    return at


@njit(cache=True)
def _polarities(raw: Bytes, at: int, events: Events) -> int:
    i = 0
    while i < len(events) and at >= 0:
        if at >= len(raw):
            return -1
        p, count = raw[at] >> 7, np.int64(raw[at]) & 127
        at += 1
        if count == 127:
            if at + 2 > len(raw):
                return -1
            count = _u16(raw, at)
            at += 2
        if count > len(events) - i:
            return -1
        for _ in range(count):
            events[i].p = p
            i += 1
    return at


@njit(cache=True)
def _quarter(raw: Bytes, at: int, k: int, size: int) -> int:
    """Value k of the four, of 6 * size bits each, in three words of `size` bytes."""
    shared = 2 * size * k  # its lowest bits, at the lower end of the word before
    low = _word(raw, at + (k - 1) * size, size) & (1 << shared) - 1 if k else 0
    high = _word(raw, at + k * size, size) >> 2 * size + shared << shared if k < 3 else 0
    return low | high


@njit(cache=True)
def _word(raw: Bytes, at: int, size: int) -> int:
    low: int = _u16(raw, at)
    return low | _u16(raw, at + 2) << 16 if size == 4 else low


@njit(cache=True)
def _pairs(raw: Bytes, at: int, events: Events) -> int:
    if at < 0 or at + (len(events) + 3) // 4 * 6 > len(raw):
        return -1
    for i in range(len(events)):
        pair = _quarter(raw, at + i // 4 * 6, i % 4, 2)
        events[i].x = pair >> 1
        events[i].p = pair & 1
    return at


@njit(cache=True)
def _triples(raw: Bytes, at: int, events: Events) -> int:
    if at < 0 or at + (len(events) + 3) // 4 * 12 > len(raw):
        return -1
    for i in range(len(events)):
        triple = _quarter(raw, at + i // 4 * 12, i % 4, 4)
        events[i].y = triple >> 12 & 0x7FF
        events[i].x = triple >> 1 & 0x7FF
        events[i].p = triple & 1
    return at


@njit(cache=True)
def _encode(events: Events, raw: Bytes) -> int:
    """-> number of bytes; raw has room for 20 bytes of each event and 24 more."""
    n = len(events)
    now_us = events[0].t // 1000 if n else np.int64(0)
    for j in range(8):
        raw[4 + j] = now_us >> 8 * j & 0xFF
    at = 12
    i = 0
    while i < n:
        step = events[i].t // 1000 - now_us
        now_us += step
        if step >= 15:
            while step > 0:
                raw[at] = 0xF0 | step & 15
                at += 1
                step >>= 4
        count = 1
        while i + count < n and events[i + count].t // 1000 == now_us:
            count += 1
        raw[at] = step << 4 | min(count, 15)
        at += 1
        if count >= 15:
            raw[at] = count & 0xFF
            raw[at + 1] = count >> 8
            at += 2
        i += count
    for i in range(0, n, 4):
        bits = np.zeros(4, np.int64)
        for j in range(min(4, n - i)):
            event = events[i + j]
            bits[j] = np.int64(event.y) << 12 | np.int64(event.x) << 1 | np.int64(event.p)
        for word in (
            bits[0] << 8 | bits[1] & 0xFF,
            (bits[1] >> 8) << 16 | bits[2] & 0xFFFF,
            (bits[2] >> 16) << 24 | bits[3],
        ):
            for j in range(4):
                raw[at] = word >> 8 * j & 0xFF
                at += 1
    return at
