"""One time step of the chip in integers, event driven: work is done for spikes and for compartments, not for silence.

Order: inputs are recorded; spikes arrive with the lag of their synapses; u, v and spikes of every compartment follow.
Sums are kept in 32 bits that wrap. The arrays come as one frame of addresses, which reaches compiled code sooner, and
expressions are cut back to 32 bits at once, so that eight or sixteen neurons fit a vector register.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import carray, njit
from numpy.typing import NDArray

from neuro_robot.snn.backends.loihi.loops import add, add_scaled, integrate_u, integrate_v, move, test, wait
from neuro_robot.snn.kernels.tables import pointer

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]
Shorts = NDArray[np.int16]
Longs = NDArray[np.int64]

# rows of `cells`, one column per neuron of all layers
U, V, SUM, LEFT, KEEP_U, KEEP_V, VTH, BIAS, HOLD = 0, 1, 2, 3, 4, 5, 6, 7, 8
PART = 9  # scratch: the sum of one group before its shift to the right
FIRED = 10  # 1 where a neuron spiked in this step
SPIKES = 11  # the spikes of this step, packed, ascending
CELL_ROWS = 12
# columns of `layers`; L_INPUT: first element of the inputs, -1 for compartments; L_FRACTION: payloads of one count
L_START, L_SIZE, L_INPUT, L_LARGEST, L_FRACTION = 0, 1, 2, 3, 4
LAYER_COLUMNS = 5
# columns of `groups`: the synapses of one connection with one delay; G_SHIFT: bits to the right; G_FRACTION: bits
# behind the point of the payloads
G_LAYER, G_START, G_LAG, G_ROW, G_SHIFT, G_POST, G_SIZE, G_GRADED, G_PRE_SIZE, G_FRACTION = range(10)
GROUP_COLUMNS = 10
# elements of `counters`; from COUNTS on the spikes of every neuron so far
STEP, OPERATIONS, COUNTS = 0, 1, 2
# rows of `sent`
INDEX, VALUE = 0, 1

BLOCK = 16  # elements looked at together for being all zero
ZERO, ONE = np.int32(0), np.int32(1)
NONE, SINGLE, MOST = np.float32(0), np.float32(1), np.float32(1 << 24)  # events


FRAME = 4  # numbers for each array in a frame: address, up to three sizes


@njit(cache=True)
def step_framed(payloads: Ints, frame: Longs) -> int:
    """`step` with the fields of Tables in a frame (see tables.frame_of)."""
    found: int = step(payloads, *_open(frame))
    return found


@njit(cache=True)
def step_counts_framed(counts: Floats, payloads: Ints, frame: Longs) -> int:
    """`step_counts` with the fields of Tables in a frame."""
    found: int = step_counts(counts, payloads, *_open(frame))
    return found


@njit(cache=True)
def _open(frame: Longs) -> Any:
    """The arrays of a frame, in the order of Tables."""
    return (
        _array(frame, 0, np.int64), _array(frame, 1, np.int64), _array(frame, 2, np.int32), _list(frame, 3, np.int16),
        _list(frame, 4, np.int32), _list(frame, 5, np.int64), _cube(frame, 6, np.int32), _array(frame, 7, np.int64),
        _list(frame, 8, np.int64),
    )  # fmt: skip


@njit(cache=True)
def _list(frame: Longs, k: int, kind: Any) -> Any:
    return carray(pointer(frame[FRAME * k]), (frame[FRAME * k + 1],), kind)


@njit(cache=True)
def _array(frame: Longs, k: int, kind: Any) -> Any:
    return carray(pointer(frame[FRAME * k]), (frame[FRAME * k + 1], frame[FRAME * k + 2]), kind)


@njit(cache=True)
def _cube(frame: Longs, k: int, kind: Any) -> Any:
    shape = (frame[FRAME * k + 1], frame[FRAME * k + 2], frame[FRAME * k + 3])
    return carray(pointer(frame[FRAME * k]), shape, kind)


@njit(cache=True)
def step(
    inputs: Ints, layers: Longs, groups: Longs, cells: Ints, weight: Shorts, post: Ints, row: Longs, sent: Ints,
    sent_count: Longs, counters: Longs,
) -> int:  # fmt: skip
    """Advance by one step; returns the number of spikes in cells[SPIKES], -1 - k when input k cannot be sent."""
    depth = sent_count.shape[0]
    slot = counters[STEP] % depth
    for layer in range(layers.shape[0]):
        if layers[layer, L_INPUT] >= 0:
            bad: int = _receive(layer, slot, inputs, layers, sent, sent_count, counters)
            if bad >= 0:
                return -1 - bad
    for g in range(groups.shape[0]):
        at = (slot - groups[g, G_LAG] + depth) % depth
        if sent_count[at, groups[g, G_LAYER]] > 0:
            counters[OPERATIONS] += _arrive(groups[g], at, cells, weight, post, row, sent, sent_count)
    found: int = 0
    for layer in range(layers.shape[0]):
        if layers[layer, L_INPUT] < 0:
            first, last = layers[layer, L_START], layers[layer, L_START] + layers[layer, L_SIZE]
            count = 0
            if _update(first, last, cells):
                count = _pack(cells[FIRED, first:last], sent[INDEX, slot, first:last])
                for m in range(count):
                    n = first + sent[INDEX, slot, first + m]
                    cells[SPIKES, found + m] = n
                    counters[COUNTS + n] += 1
            sent_count[slot, layer] = count
            found += count
    counters[STEP] += 1
    return found


@njit(cache=True)
def step_counts(
    counts: Floats, payloads: Ints, layers: Longs, groups: Longs, cells: Ints, weight: Shorts, post: Ints, row: Longs,
    sent: Ints, sent_count: Longs, counters: Longs,
) -> int:  # fmt: skip
    """As `step`, from counts as an agent gives them: rounded to the payload's fraction, too large ones saturate.

    Lines that carry no payload (largest 1) take 0 and 1 alone; -1 - k tells of the first bad count.
    """
    for layer in range(layers.shape[0]):
        if layers[layer, L_INPUT] >= 0:
            first, last = layers[layer, L_INPUT], layers[layer, L_INPUT] + layers[layer, L_SIZE]
            largest, fraction = layers[layer, L_LARGEST], layers[layer, L_FRACTION]
            if not _encode(counts[first:last], payloads[first:last], largest, fraction):
                bad: int = first + _first_bad(counts[first:last], largest == 1)
                return -1 - bad
    found: int = step(payloads, layers, groups, cells, weight, post, row, sent, sent_count, counters)
    return found


@njit(cache=True)
def _encode(counts: Floats, payloads: Ints, largest: int, fraction: int) -> bool:
    """Payloads of the counts; False when one is negative, NaN or absurd, or neither 0 nor 1 where only those go."""
    factor, ceiling, bad = np.float32(fraction), np.float32(largest), ZERO
    for k in range(counts.shape[0]):
        payloads[k] = np.int32(min(max(np.rint(counts[k] * factor), NONE), ceiling))
        bad |= ZERO if counts[k] >= NONE and counts[k] <= MOST else ONE
    if largest == 1:
        for k in range(counts.shape[0]):
            bad |= ZERO if counts[k] == NONE or counts[k] == SINGLE else ONE
    good: bool = bad == ZERO
    return good


@njit(cache=True)
def _first_bad(counts: Floats, binary: bool) -> int:
    for k in range(counts.shape[0]):
        good = counts[k] == NONE or counts[k] == SINGLE if binary else counts[k] >= NONE and counts[k] <= MOST
        if not good:
            return k
    return 0


@njit(cache=True)
def _receive(layer: int, slot: int, inputs: Ints, layers: Longs, sent: Ints, sent_count: Longs, counters: Longs) -> int:
    """Record the spikes of one input layer; returns the index of an input that cannot be sent, or -1."""
    start, offset, largest = layers[layer, L_START], layers[layer, L_INPUT], layers[layer, L_LARGEST]
    size = layers[layer, L_SIZE]
    index, value = sent[INDEX, slot, start : start + size], sent[VALUE, slot, start : start + size]
    count = _pack(inputs[offset : offset + size], index)
    for m in range(count):
        payload = inputs[offset + index[m]]
        if payload < 0 or payload > largest:
            bad: int = offset + index[m]
            return bad
        value[m] = payload
    for m in range(count):
        counters[COUNTS + start + index[m]] += 1
    sent_count[slot, layer] = count
    return -1


@njit(cache=True)
def _pack(values: Ints, index: Ints) -> int:
    """Write the indices of the elements that are not 0 to `index`; returns their number."""
    size, found, block = values.shape[0], 0, 0
    while block + BLOCK <= size:
        some = ZERO
        for k in range(BLOCK):
            some |= values[block + k]
        if some != 0:
            for k in range(block, block + BLOCK):  # without a branch: spikes cannot be predicted
                index[found] = k
                found += 1 if values[k] != 0 else 0
        block += BLOCK
    for k in range(block, size):
        if values[k] != 0:
            index[found] = k
            found += 1
    return found


@njit(cache=True)
def _arrive(
    group: Longs, at: int, cells: Ints, weight: Shorts, post: Ints, row: Longs, sent: Ints, sent_count: Longs
) -> int:
    """Add what arrives through one group to the sums of its post neurons; returns the synapses it went through."""
    start, size, shift = group[G_POST], group[G_SIZE], group[G_SHIFT]
    target = cells[PART if shift > 0 else SUM]
    operations = 0
    for m in range(sent_count[at, group[G_LAYER]]):
        i = sent[INDEX, at, group[G_START] + m]
        value = sent[VALUE, at, group[G_START] + m] if group[G_GRADED] == 1 else ONE
        first, last = row[group[G_ROW] + i], row[group[G_ROW] + i + 1]
        operations += last - first
        if last - first < size:
            for k in range(first, last):
                target[post[k]] += weight[k] * value
        elif value == ONE:
            add(target[start : start + size], weight[first:last])
        else:
            add_scaled(target[start : start + size], weight[first:last], value)
    if shift > 0:
        move(cells[SUM, start : start + size], target[start : start + size], shift)
    return operations


@njit(cache=True)
def _update(a: int, b: int, cells: Ints) -> bool:
    """Current, voltage and spikes of the neurons a .. b; tells whether any of them spiked.

    Four short loops, because with more arrays in one loop the compiler gives up telling them apart, and vector code.
    """
    u, v, left, fired = cells[U, a:b], cells[V, a:b], cells[LEFT, a:b], cells[FIRED, a:b]
    integrate_u(u, cells[SUM, a:b], cells[KEEP_U, a:b])
    integrate_v(v, u, cells[KEEP_V, a:b], cells[BIAS, a:b], left)
    some: bool = test(v, cells[VTH, a:b], fired)
    wait(left, cells[HOLD, a:b], fired)
    return some
