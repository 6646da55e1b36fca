"""From the integer description to the flat arrays that the kernel runs on."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuro_robot.snn.backends.loihi import kernel
from neuro_robot.snn.backends.loihi import registers as reg
from neuro_robot.snn.backends.loihi.description import ChipLayer, ChipNetwork


class Tables(NamedTuple):
    """The kernel's arguments after the inputs, in its order. n = neurons of all layers, s = synapses."""

    layers: NDArray[np.int64]  # (layers, LAYER_COLUMNS)
    groups: NDArray[np.int64]  # (groups, GROUP_COLUMNS)
    cells: NDArray[np.int32]  # (CELL_ROWS, n)
    weight: NDArray[np.int16]  # (s,) << max(weight_exp, 0)
    post: NDArray[np.int32]  # (s,) neuron
    row: NDArray[np.int64]  # first synapse of each pre neuron, size + 1 entries per group
    sent: NDArray[
        np.int32
    ]  # (2, depth, n) index in the layer, payload; each layer's packed from its start; a compartment's payload is 1
    sent_count: NDArray[np.int64]  # (depth, layers)
    counters: NDArray[np.int64]  # (2 + n,)


def build(network: ChipNetwork) -> tuple[Tables, dict[str, slice]]:
    """The tables at rest, and the range of each connection in `weight`."""
    layers = tuple(network.layers.values())
    n = sum(layer.size for layer in layers)
    starts = layer_slices(layers)
    number = {layer.name: k for k, layer in enumerate(layers)}
    groups: list[tuple[int, ...]] = []
    rows: list[NDArray[np.int64]] = []
    weights, posts = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    places: dict[str, slice] = {}
    filled = row_at = 0
    for told in network.synapses.values():
        places[told.name] = slice(filled, filled + told.weights.size)
        weights.append(told.weights << max(told.weight_exp, 0))
        post = starts[told.post.name].start
        posts.append(told.post_index + post)
        for delay in np.unique(told.delays):
            chosen = told.delays == delay
            lag = int(delay) + (told.pre.latency if told.pre.parameters is None else 1)
            groups.append((
                number[told.pre.name], starts[told.pre.name].start, lag, row_at, max(-told.weight_exp, 0), post,
                told.post.size, int(told.message_bits > 0), told.pre.size, told.pre.fraction_bits,
            ))  # fmt: skip
            first = filled + int(np.argmax(chosen))
            counts = np.bincount(told.pre_index[chosen], minlength=told.pre.size)
            rows.append(first + np.concatenate([[0], np.cumsum(counts)]))
            row_at += told.pre.size + 1
        filled += told.weights.size
    depth = 1 + max((group[kernel.G_LAG] for group in groups), default=1)
    tables = Tables(
        layers=_layer_table(layers),
        groups=np.array(groups, np.int64).reshape(-1, kernel.GROUP_COLUMNS),
        cells=_cells(layers, n),
        weight=np.concatenate(weights).astype(np.int16),
        post=np.concatenate(posts).astype(np.int32),
        row=np.concatenate([np.zeros(0, np.int64), *rows]),
        sent=np.ones((2, depth, n), np.int32),
        sent_count=np.zeros((depth, len(layers)), np.int64),
        counters=np.zeros(kernel.COUNTS + n, np.int64),
    )
    return tables, places


def frame_of(tables: Tables) -> NDArray[np.int64]:
    """Address and shape of every table for the kernel; the tables must be kept as long as the frame is used."""
    arrays: tuple[NDArray[Any], ...] = tuple(tables)
    frame = np.zeros((len(arrays), kernel.FRAME), np.int64)
    for entry, array in zip(frame, arrays, strict=True):
        entry[0] = array.ctypes.data
        entry[1 : 1 + array.ndim] = array.shape
    return frame.reshape(-1)


def layer_slices(layers: tuple[ChipLayer, ...]) -> dict[str, slice]:
    """Each layer's range in the numbering of all neurons, input layers included, in the order of adding."""
    slices, start = {}, 0
    for layer in layers:
        slices[layer.name] = slice(start, start + layer.size)
        start += layer.size
    return slices


def _layer_table(layers: tuple[ChipLayer, ...]) -> NDArray[np.int64]:
    rows, start, inputs = [], 0, 0
    for layer in layers:
        is_input = layer.parameters is None
        rows.append((start, layer.size, inputs if is_input else -1, layer.largest_input, 1 << layer.fraction_bits))
        start += layer.size
        inputs += layer.size if is_input else 0
    return np.array(rows, np.int64).reshape(-1, kernel.LAYER_COLUMNS)


def _cells(layers: tuple[ChipLayer, ...], n: int) -> NDArray[np.int32]:
    cells = np.zeros((kernel.CELL_ROWS, n), np.int32)
    for layer, place in zip(layers, layer_slices(layers).values(), strict=True):
        if layer.parameters is not None:
            du, dv, vth, mantissa, exponent, refract, v_start = layer.parameters
            cells[kernel.KEEP_U, place] = reg.DECAY_ONE - reg.DECAY_OFFSET_U - du
            cells[kernel.KEEP_V, place] = reg.DECAY_ONE - dv
            cells[kernel.VTH, place] = vth << reg.ALIGN
            cells[kernel.BIAS, place] = mantissa << exponent
            cells[kernel.HOLD, place] = refract - 1
            cells[kernel.V, place] = v_start
    return cells
