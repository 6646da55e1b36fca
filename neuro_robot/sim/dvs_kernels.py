"""The pixel model's loops: a dense pass that vectorises, a sparse pass over pixels that crossed, noise, and the sort.

The dense pass touches every pixel but only updates the filter and the reference and looks for crossings; everything
that costs (times, refractory period, events) happens for the few per cent of pixels that crossed. Noise is drawn
sparsely too: the gap to the next noisy pixel is geometric, so a frame costs as many draws as it has noise events.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, prange

F = np.float32
CHUNK = 32  # pixels tested together for a crossing
BLOCK = 4096  # pixels of one task, a multiple of CHUNK
GOLDEN = np.uint64(0x9E3779B97F4A7C15)
NEVER = np.int64(-(2**62))


@njit(cache=True, error_model="numpy")
def mix(x: Any) -> Any:  # uint64
    """splitmix64's output function: 64 well mixed bits of a counter."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@njit(cache=True, error_model="numpy")
def uniform(key: Any, counter: Any) -> Any:
    """Draw number `counter` of the stream `key`, in (0, 1)."""
    bits = mix(key + np.uint64(counter) * GOLDEN) >> np.uint64(11)
    return (np.float64(bits) + 0.5) * (1.0 / 9007199254740992.0)


@njit(cache=True, error_model="numpy")
def scan_block(
    first: int, last: int, image: Any, low: Any, reference: Any, on: Any, off: Any, drift: Any, gain: Any, leak: Any,
    index: Any, before: Any, after: Any,
) -> int:  # fmt: skip
    """Advance pixels first..last by one frame; list those beyond a threshold with their signal before and after.

    All arrays are flat float32 per pixel: image and low-passed log intensity, reference, thresholds, leak per frame.
    signal = low - reference. Lists start at `first`. Returns how many.
    """
    found = 0
    old = np.empty(CHUNK, np.float32)
    new = np.empty(CHUNK, np.float32)
    for start in range(first, last, CHUNK):
        size = min(CHUNK, last - start)
        crossed = np.int32(0)
        for k in range(size):
            i = start + k
            value = low[i] + gain * (image[i] - low[i])
            base = reference[i]
            old[k] = low[i] - base
            base -= leak * drift[i]
            low[i] = value
            reference[i] = base
            signal = value - base
            new[k] = signal
            crossed |= np.int32(signal >= on[i]) | np.int32(signal <= -off[i])
        if crossed:
            for k in range(size):
                i = start + k
                if new[k] >= on[i] or new[k] <= -off[i]:
                    index[first + found] = i
                    before[first + found] = old[k]
                    after[first + found] = new[k]
                    found += 1
    return found


@njit(cache=True, error_model="numpy")
def scan_block_ideal(
    first: int, last: int, image: Any, low: Any, reference: Any, on: Any, off: Any, index: Any, before: Any, after: Any
) -> int:
    """As scan_block without bandwidth limit and leak: the reference moves only with events."""
    found = 0
    old = np.empty(CHUNK, np.float32)
    for start in range(first, last, CHUNK):
        size = min(CHUNK, last - start)
        crossed = np.int32(0)
        for k in range(size):
            i = start + k
            value = image[i]
            old[k] = low[i]
            low[i] = value
            signal = value - reference[i]
            crossed |= np.int32(signal >= on[i]) | np.int32(signal <= -off[i])
        if crossed:
            for k in range(size):
                i = start + k
                signal = low[i] - reference[i]
                if signal >= on[i] or signal <= -off[i]:
                    index[first + found] = i
                    before[first + found] = old[k] - reference[i]
                    after[first + found] = signal
                    found += 1
    return found


@njit(cache=True, error_model="numpy")
def scan_serial(
    image: Any, low: Any, reference: Any, on: Any, off: Any, drift: Any, gain: Any, leak: Any, index: Any, before: Any,
    after: Any, counts: Any,
) -> None:  # fmt: skip
    """All blocks on the calling thread; counts (blocks,) receives how many pixels each listed."""
    for block in range(counts.size):
        first, last = block * BLOCK, min((block + 1) * BLOCK, image.size)
        if gain == F(1.0) and leak == F(0.0):
            counts[block] = scan_block_ideal(first, last, image, low, reference, on, off, index, before, after)
        else:
            counts[block] = scan_block(
                first, last, image, low, reference, on, off, drift, gain, leak, index, before, after
            )


@njit(cache=True, error_model="numpy", parallel=True)
def scan_parallel(
    image: Any, low: Any, reference: Any, on: Any, off: Any, drift: Any, gain: Any, leak: Any, index: Any, before: Any,
    after: Any, counts: Any,
) -> None:  # fmt: skip
    """All blocks on numba's threads; blocks share nothing, so the bits are the same."""
    for block in prange(counts.size):
        first, last = block * BLOCK, min((block + 1) * BLOCK, image.size)
        if gain == F(1.0) and leak == F(0.0):
            counts[block] = scan_block_ideal(first, last, image, low, reference, on, off, index, before, after)
        else:
            counts[block] = scan_block(
                first, last, image, low, reference, on, off, drift, gain, leak, index, before, after
            )


@njit(cache=True, error_model="numpy")
def count_events(index: Any, after: Any, counts: Any, on: Any, off: Any) -> int:
    """How many events the listed pixels make before the refractory period takes some."""
    total = 0
    for block in range(counts.size):
        for j in range(block * BLOCK, block * BLOCK + counts[block]):
            i = index[j]
            total += int(after[j] / on[i] if after[j] > F(0.0) else -after[j] / off[i])
    return total


@njit(cache=True, error_model="numpy")
def emit(
    index: Any, before: Any, after: Any, counts: Any, on: Any, off: Any, reference: Any, newest: Any, refractory: int,
    t0: int, t1: int, time: Any, pixel: Any, sign: Any,
) -> int:  # fmt: skip
    """Events of the listed pixels in pixel order: int64 time, int32 pixel * 2 + polarity; returns how many.

    The signal is taken as linear in time within the frame, so crossing k of a threshold happens at
    (k * threshold - before) / (after - before) of it (ESIM, Rebecq et al. 2018). Within the refractory period after
    the pixel's newest event a crossing is lost, but the reference moves on.
    """
    n = 0
    span = np.float64(t1 - t0)
    for block in range(counts.size):
        for j in range(block * BLOCK, block * BLOCK + counts[block]):
            i = index[j]
            up = after[j] > F(0.0)
            level = np.float64(on[i]) if up else -np.float64(off[i])
            y0, y1 = np.float64(before[j]), np.float64(after[j])
            crossings = int(after[j] / on[i]) if up else int(-after[j] / off[i])
            slope = span / (y1 - y0) if y1 != y0 else 0.0
            for k in range(1, crossings + 1):
                part = (k * level - y0) * slope
                t = t0 + int(min(max(part + 0.5, 1.0), span))
                if t - newest[i] < refractory:
                    continue
                newest[i] = t
                time[n] = t
                pixel[n] = i
                sign[n] = up
                n += 1
            reference[i] += F(crossings * level)
    return n


@njit(cache=True, error_model="numpy")
def shot_noise(
    n: int, seed: int, frame: int, probability: float, bright_ratio: float, low: Any, reference: Any, newest: Any,
    refractory: int, t0: int, t1: int, time: Any, pixel: Any, sign: Any,
) -> int:  # fmt: skip
    """Append noise events after the n signal events, at most as many as fit; returns the new count.

    Each pixel fires with `probability` per frame where dark, times bright_ratio at intensity 1, ON or OFF alike, at a
    uniform time. The pixel resets: its reference becomes the present signal.
    """
    key = mix(np.uint64(seed) * GOLDEN + mix(np.uint64(frame)))
    draw = 0
    i = -1
    scale = 1.0 / np.log1p(-probability)
    while True:
        gap = np.log(uniform(key, draw)) * scale
        draw += 1
        if gap >= low.size - 1 - i:
            return n
        i += 1 + int(gap)
        keep, when, side = uniform(key, draw), uniform(key, draw + 1), uniform(key, draw + 2)
        draw += 3
        intensity = min(np.exp(np.float64(low[i])), 1.0)
        t = t0 + 1 + np.int64(when * (t1 - t0 - 1))
        if keep > 1.0 - (1.0 - bright_ratio) * intensity or abs(t - newest[i]) < refractory or n >= time.size:
            continue
        newest[i] = max(newest[i], t)
        reference[i] = low[i]
        time[n] = t
        pixel[n] = i
        sign[n] = side < 0.5
        n += 1


@njit(cache=True, error_model="numpy")
def sort_into(n: int, time: Any, pixel: Any, sign: Any, width: int, place: Any, out: Any) -> None:
    """Write n events into `out` (EVENT_DTYPE) by time, ties in the order they came: buckets, then insertion.

    `place` (>= n,) int64 is scratch.
    """
    low, high = time[0], time[0]
    for k in range(n):
        low, high = min(low, time[k]), max(high, time[k])
    buckets = 16
    while buckets < n:
        buckets *= 2
    scale = (buckets - 1) / np.float64(max(high - low, 1))
    start = np.zeros(buckets + 1, np.int64)
    for k in range(n):
        start[int((time[k] - low) * scale) + 1] += 1
    for b in range(buckets):
        start[b + 1] += start[b]
    for k in range(n):
        b = int((time[k] - low) * scale)
        place[start[b]] = k
        start[b] += 1
    for k in range(1, n):
        moved = place[k]
        t = time[moved]
        j = k
        while j > 0 and time[place[j - 1]] > t:
            place[j] = place[j - 1]
            j -= 1
        place[j] = moved
    for k in range(n):
        j = place[k]
        out[k].t = time[j]
        out[k].y = pixel[j] // width
        out[k].x = pixel[j] % width
        out[k].p = sign[j]
