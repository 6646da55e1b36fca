"""Streams of 16-bit words with vectors (up to 12 pixels in a line, told by a mask): what their codecs share.

Events are written through SLOT_DTYPE, which takes three stores for each. A vector's candidates are written at the
positions that a table gives for its mask, so that no branch depends on the mask's bits.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from neuro_robot.events.array import Events

WORD = np.dtype("<u2")  # bits 12-15 are the code, bits 0-11 the payload
CODE_SHIFT = 12
PAYLOAD_MASK = 0xFFF
ADDRESS_MASK = 0x7FF
POLARITY_SHIFT = 11
LOW_BITS = 12  # of the microsecond clock, in TIME_LOW; one count of TIME_HIGH is 2^12 us
LOW_MASK = (1 << LOW_BITS) - 1

VECTOR_BITS = 12
ALONG_X, ALONG_Y = 1, 1 << 16  # what a vector's next pixel adds to a slot's xy
SLOT_DTYPE = np.dtype([("t", "<i8"), ("xy", "<u4"), ("p", "u1")])
"""EVENT_DTYPE with x in the low and y in the high half of one number."""

Slots = npt.NDArray[np.void]
Integers = npt.NDArray[Any]  # int64; Any keeps numba's arithmetic out of mypy's integer types

_COUNT_SHIFT = 48
_FIELDS = 4  # words in 64 bits
_ONE_IN_EACH = 0x0001_0001_0001_0001
_NOTHING = 0x9999  # a word of no codec's outputs


def as_slots(events: Events) -> Slots:
    """View contiguous events as slots, for a kernel to write."""
    return events.view(SLOT_DTYPE)


def _offset_table() -> npt.NDArray[np.uint64]:
    """For each mask the positions of its set bits, 4 bits each from the lowest up, and their number from bit 48 on."""
    table = np.zeros(1 << VECTOR_BITS, np.uint64)
    for mask in range(len(table)):
        set_bits = [bit for bit in range(VECTOR_BITS) if mask >> bit & 1]
        table[mask] = sum(bit << 4 * i for i, bit in enumerate(set_bits)) | len(set_bits) << _COUNT_SHIFT
    return table


_OFFSETS = _offset_table()


@njit(cache=True)
def ones(mask: int) -> int:
    """Number of set bits of a 12-bit mask."""
    return int(np.int64(_OFFSETS[np.uint64(mask)] >> np.uint64(_COUNT_SHIFT)))


@njit(cache=True, inline="always")
def put(slots: Slots, i: Any, t_ns: int, xy: int, p: int) -> None:
    """Write one event; i is unsigned, which spares the kernel numba's handling of negative indices."""
    slot = slots[i]
    slot.t = t_ns
    slot.xy = xy
    slot.p = p


@njit(cache=True, inline="always")
def put_vector(slots: Slots, i: Any, t_ns: int, xy: int, step: int, p: int, mask: int) -> Any:
    """Write the events of a mask's set bits from slot i on, bit k at xy + k * step; -> their number (unsigned).

    Four or all twelve slots are written: what comes after the last event is rubbish, to be overwritten.
    """
    offsets = _OFFSETS[np.uint64(mask)]
    count = offsets >> np.uint64(_COUNT_SHIFT)
    for k in range(4):
        put(slots, i + np.uint64(k), t_ns, xy + np.uint32(offsets >> np.uint64(4 * k) & np.uint64(15)) * step, p)
    if count > np.uint64(4):
        for k in range(4, VECTOR_BITS):
            put(slots, i + np.uint64(k), t_ns, xy + np.uint32(offsets >> np.uint64(4 * k) & np.uint64(15)) * step, p)
    return count


@njit(cache=True, inline="always")
def run(slots: Slots, i: int, base_xy: int, step: int, length: int, p: int, after_ns: int) -> tuple[int, int]:
    """(mask, next index) of the events from i on that one vector of length pixels from base_xy on can hold.

    They rise along the line, and have this polarity and times before after_ns.
    """
    mask = 0
    least_xy = base_xy
    while i < len(slots):
        slot = slots[i]
        xy: Any = np.int64(slot.xy)
        if xy < least_xy or xy >= base_xy + length * step or slot.p != p or slot.t >= after_ns:
            break
        if step == ALONG_Y and (xy ^ base_xy) & ALONG_Y - 1:
            break
        mask |= 1 << (xy - base_xy) // step
        least_xy = xy + 1
        i += 1
    return mask, i


@njit(cache=True)
def inside_mask(mask: int, base: int, limit: int) -> int:
    """The bits of a mask whose pixels, from base on, are below limit."""
    return mask if base + VECTOR_BITS <= limit else mask & ((1 << max(limit - base, 0)) - 1)


def count_outputs(words: npt.NDArray[np.uint16], single: int, vectors: tuple[int, int], other: int) -> tuple[int, int]:
    """(most events, words with the code other) in contiguous words: what outputs must hold follows from this alone.

    single: the code that makes one event. vectors: the codes that make one for each set bit of their payload.
    """
    whole = len(words) // _FIELDS * _FIELDS
    rest = np.full(_FIELDS, _NOTHING, np.uint16)
    rest[: len(words) - whole] = words[whole:]
    codes = np.array([single, *vectors, other], np.uint64) << np.uint64(CODE_SHIFT)
    counts = np.zeros(2, np.int64)
    for part in (words[:whole], rest):
        _count_fields(
            np.require(part.view(np.uint64), requirements=["A", "W"]), codes * np.uint64(_ONE_IN_EACH), counts
        )
    return int(counts[0]), int(counts[1])


@njit(cache=True)
def _count_fields(quads: npt.NDArray[np.uint64], codes: npt.NDArray[np.uint64], counts: Integers) -> None:
    """Count in four words at once (and in 32, as compiled for a processor with 512-bit registers)."""
    single, vector_a, vector_b, other = codes[0], codes[1], codes[2], codes[3]
    events, others = np.int64(0), np.int64(0)
    for quad in quads:
        is_vector = _has_code(quad, vector_a) | _has_code(quad, vector_b)
        payload = quad & (is_vector << np.uint64(CODE_SHIFT)) - is_vector  # 0x0FFF in the words that are vectors
        events += ones_of_64(payload | _has_code(quad, single) << np.uint64(15))
        others += ones_of_64(_has_code(quad, other))
    counts[0] += events
    counts[1] += others


@njit(cache=True, inline="always")
def _has_code(quad: Any, code: Any) -> Any:
    """1 in the lowest bit of each of the four words whose code is this one."""
    difference = (quad ^ code) >> np.uint64(CODE_SHIFT)
    difference |= difference >> np.uint64(2)
    return ~(difference | difference >> np.uint64(1)) & np.uint64(_ONE_IN_EACH)


@njit(cache=True, inline="always")
def ones_of_64(bits: Any) -> Any:
    """Number of set bits, by sums in halves, which compilers know as a processor's own instruction."""
    bits = bits - (bits >> np.uint64(1) & np.uint64(0x5555_5555_5555_5555))
    bits = (bits & np.uint64(0x3333_3333_3333_3333)) + (bits >> np.uint64(2) & np.uint64(0x3333_3333_3333_3333))
    bits = bits + (bits >> np.uint64(4)) & np.uint64(0x0F0F_0F0F_0F0F_0F0F)
    return np.int64(bits * np.uint64(0x0101_0101_0101_0101) >> np.uint64(56))
