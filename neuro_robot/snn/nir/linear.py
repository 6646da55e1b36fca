"""NIR's nodes without neurons as matrices; signals are numbered in C order of their shape."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from neuro_robot.errors import ConfigError
from neuro_robot.snn.network import LARGEST_DELAY
from neuro_robot.snn.nir.neurons import Clock, Floats, numbers

Shape = tuple[int, ...]
MOST_ENTRIES = 50_000_000  # of one matrix
LINEAR = (
    "Affine", "Linear", "Scale", "Conv1d", "Conv2d", "SumPool2d", "AvgPool2d", "Flatten", "Delay", "Input", "Output",
)  # fmt: skip


class Step(NamedTuple):
    """out = in @ matrix + bias, delayed by whole steps (n_in,); None: unchanged, nothing, none."""

    shape: Shape
    matrix: Any = None
    bias: Floats | None = None
    delay: NDArray[np.int64] | None = None


def step_of(where: str, node: Any, shape: Shape, clock: Clock) -> Step:  # noqa: ANN401 - a node of nir
    """What a node does to a signal of a shape; ConfigError when the two do not fit."""
    kind, n = type(node).__name__, math.prod(shape)
    if kind in ("Affine", "Linear"):
        return _affine(where, node, n)
    if kind == "Scale":
        return Step(shape, sparse.diags_array(_each(where, "scale", node.scale, n)).tocsr())
    if kind == "Delay":
        return Step(shape, delay=_delay(where, _each(where, "delay", node.delay, n), clock))
    if kind == "Flatten":
        return Step((n,))
    if kind in ("Conv1d", "Conv2d"):
        return _convolution(where, node, shape, 1 if kind == "Conv1d" else 2)
    if kind in ("SumPool2d", "AvgPool2d"):
        return _pool(where, node, shape)
    return Step(shape)


def _affine(where: str, node: Any, n: int) -> Step:  # noqa: ANN401
    weight = numbers(f"{where}.weight", node.weight)
    if weight.ndim != 2 or weight.shape[1] != n or not weight.size:
        raise ConfigError(f"{where}.weight: expected the shape (out, {n}), {n} being its inputs, got {weight.shape}")
    bias = _each(where, "bias", node.bias, weight.shape[0]) if hasattr(node, "bias") else None
    return Step((weight.shape[0],), sparse.csr_array(weight.T), bias)


def _each(where: str, name: str, value: Any, n: int) -> Floats:  # noqa: ANN401
    found = numbers(f"{where}.{name}", value)
    if found.size not in (1, n):
        raise ConfigError(f"{where}.{name}: expected 1 or {n} numbers, got the shape {found.shape}")
    return np.broadcast_to(found.reshape(-1), n)


def _delay(where: str, delay: Floats, clock: Clock) -> NDArray[np.int64]:
    steps = delay / clock.step
    if steps.min() < 0 or steps.max() >= LARGEST_DELAY or np.any(np.abs(steps - np.round(steps)) > 1e-3):
        raise ConfigError(
            f"{where}.delay: expected whole steps of {clock.step:g} up to {LARGEST_DELAY - 1}, got "
            f"{steps.min():g} to {steps.max():g} steps; check dt_ms and time_unit"
        )
    return np.round(steps).astype(np.int64)


def _convolution(where: str, node: Any, shape: Shape, dimensions: int) -> Step:  # noqa: ANN401
    kernel = numbers(f"{where}.weight", node.weight)
    if kernel.ndim != dimensions + 2 or not kernel.size:
        raise ConfigError(f"{where}.weight: expected {dimensions + 2} dimensions, got the shape {kernel.shape}")
    told = [_pair(f"{where}.{name}", getattr(node, name), dimensions) for name in ("stride", "dilation")]
    reach = [d * (k - 1) for d, k in zip(told[1], kernel.shape[2:], strict=True)]
    padding = node.padding.decode() if isinstance(node.padding, bytes) else node.padding
    if isinstance(padding, str) and padding == "same":
        before, after = [r // 2 for r in reach], [r - r // 2 for r in reach]
    else:
        none = isinstance(padding, str) and padding == "valid"
        before = after = [0] * dimensions if none else _pair(f"{where}.padding", padding, dimensions, least=0)
    if dimensions == 1:  # a convolution of one row
        kernel, shape = kernel[:, :, None], (*shape[:-1], 1, shape[-1])
        told, before, after = [[1, *pair] for pair in told], [0, *before], [0, *after]
    groups = int(numbers(f"{where}.groups", node.groups))
    matrix, out = _matrix(where, kernel, shape, told[0], told[1], (before, after), groups)
    bias = np.repeat(_each(where, "bias", node.bias, out[0]), out[1] * out[2])
    return Step((out[0], out[2]) if dimensions == 1 else out, matrix, bias)


def _pool(where: str, node: Any, shape: Shape) -> Step:  # noqa: ANN401
    size = _pair(f"{where}.kernel_size", node.kernel_size, 2)
    stride, padding = _pair(f"{where}.stride", node.stride, 2), _pair(f"{where}.padding", node.padding, 2, least=0)
    channels = shape[-3] if len(shape) >= 3 else 0
    value = 1.0 if type(node).__name__ == "SumPool2d" else 1.0 / math.prod(size)
    if math.prod(size) > MOST_ENTRIES:
        raise ConfigError(f"{where}.kernel_size: {size} is too large")
    kernel = np.broadcast_to(np.float64(value), (channels, 1, *size))
    matrix, out = _matrix(where, kernel, shape, stride, [1, 1], (padding, padding), channels)
    return Step(out, matrix)


def _matrix(
    where: str, kernel: Floats, shape: Shape, stride: list[int], dilation: list[int],
    padding: tuple[list[int], list[int]], groups: int,
) -> tuple[Any, tuple[int, int, int]]:  # fmt: skip
    """(in, out) of a convolution without flip: kernel (out, in / groups, h, w), shape (in, h, w)."""
    shape = shape[-3:] if math.prod(shape[:-3]) == 1 else shape
    if len(shape) != 3 or groups < 1 or shape[0] != kernel.shape[1] * groups or kernel.shape[0] % groups:
        raise ConfigError(
            f"{where}: expected an input (channels, height, width) with {kernel.shape[1] * groups} channels, got "
            f"{shape}"
        )
    before, after = padding
    rows, columns = (
        (shape[i + 1] + before[i] + after[i] - dilation[i] * (kernel.shape[i + 2] - 1) - 1) // stride[i] + 1
        for i in range(2)
    )
    if min(rows, columns) < 1 or kernel.size * rows * columns > MOST_ENTRIES:
        raise ConfigError(
            f"{where}: kernel {kernel.shape} on an input {shape} gives {rows} x {columns} places; expected at least "
            f"one and at most {MOST_ENTRIES} synapses"
        )
    o, i, ky, kx, y, x = np.ix_(*(np.arange(n) for n in (*kernel.shape, rows, columns)))
    row, column = y * stride[0] + ky * dilation[0] - before[0], x * stride[1] + kx * dilation[1] - before[1]
    inside = (row >= 0) & (row < shape[1]) & (column >= 0) & (column < shape[2]) & (o >= 0) & (i >= 0)
    channel = o // (kernel.shape[0] // groups) * kernel.shape[1] + i
    pre = (channel * shape[1] + row) * shape[2] + column
    post = (o * rows + y) * columns + x + 0 * (i + ky + kx)
    weight = np.broadcast_to(kernel[..., None, None], inside.shape)
    out = (kernel.shape[0], rows, columns)
    entries = (weight[inside], (pre[inside], post[inside]))
    return sparse.csr_array(entries, shape=(math.prod(shape), math.prod(out))), out


def _pair(where: str, value: Any, dimensions: int, least: int = 1) -> list[int]:  # noqa: ANN401
    found = numbers(where, value).reshape(-1)
    if found.size not in (1, dimensions) or np.any(found != np.round(found)) or np.any((found < least) | (found > 1e6)):
        raise ConfigError(f"{where}: expected {dimensions} whole numbers from {least}, got {value!r}")
    return [int(number) for number in np.broadcast_to(found, dimensions)]
