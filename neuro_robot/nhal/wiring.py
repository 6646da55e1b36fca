"""The connection rules: which neurons are joined, as columns of pre and post index."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuro_robot.errors import ConfigError
from neuro_robot.snn.primitives import check_number, check_whole

Index = NDArray[np.int64]
LARGEST_PRODUCT = 200_000_000  # pairs of neurons looked at by one connection


class Pairs(NamedTuple):
    """Joined neurons; weight only where the rule itself brings it (matrix, convolution)."""

    pre: Index
    post: Index
    weight: NDArray[np.float64] | None = None


class Wiring(NamedTuple):
    """A rule: its own parameters, and (where, n_pre, n_post, parameters, rng) -> Pairs."""

    params: tuple[str, ...]
    pairs: Callable[[str, int, int, Mapping[str, Any], np.random.Generator], Pairs]


def all_to_all(where: str, n_pre: int, n_post: int, _: Mapping[str, Any], __: np.random.Generator) -> Pairs:
    """Every pre neuron with every post neuron."""
    _check_size(where, n_pre, n_post)
    return Pairs(np.repeat(np.arange(n_pre), n_post), np.tile(np.arange(n_post), n_pre))


def one_to_one(where: str, n_pre: int, n_post: int, _: Mapping[str, Any], __: np.random.Generator) -> Pairs:
    """Neuron k with neuron k; the groups are of one size."""
    if n_pre != n_post:
        raise ConfigError(f"{where}: rule one_to_one: expected groups of one size, got {n_pre} and {n_post}")
    return Pairs(np.arange(n_pre), np.arange(n_post))


def probabilistic(where: str, n_pre: int, n_post: int, params: Mapping[str, Any], rng: np.random.Generator) -> Pairs:
    """Each pair with the same probability, independently: the gaps between joined pairs are geometric."""
    chance = _share(where, params.get("probability", 0.1))
    total = n_pre * n_post
    if chance == 0.0:
        return Pairs(np.zeros(0, np.int64), np.zeros(0, np.int64))
    _check_size(where, n_pre, math.ceil(n_post * chance))
    found = [np.zeros(0, np.int64)]
    last = -1
    while last < total:
        steps = rng.geometric(chance, max(16, int((total - last) * chance * 1.05)))
        found.append(last + np.cumsum(steps))
        last = int(found[-1][-1])
    flat = np.concatenate(found)
    flat = flat[flat < total]
    return Pairs(flat // n_post, flat % n_post)


def fixed_fan_in(where: str, n_pre: int, n_post: int, params: Mapping[str, Any], rng: np.random.Generator) -> Pairs:
    """Every post neuron with fan_in different pre neurons, drawn at random."""
    fan_in = check_whole(f"{where}: fan_in", params.get("fan_in", min(10, n_pre)), 1, n_pre)
    _check_size(where, n_post, fan_in)
    pre = np.concatenate([rng.choice(n_pre, fan_in, replace=False) for _ in range(n_post)])
    return Pairs(pre.astype(np.int64), np.repeat(np.arange(n_post), fan_in))


def distance(where: str, n_pre: int, n_post: int, params: Mapping[str, Any], rng: np.random.Generator) -> Pairs:
    """Each pair with probability * exp(-d^2 / (2 sigma^2)), never beyond max_distance.

    The groups lie on grids (rows, columns), pre_shape and post_shape, a single row unless told; the pre grid is
    stretched over the post grid, and d, sigma and max_distance are in spacings of the post grid.
    """
    sigma = check_number(f"{where}: sigma", params.get("sigma", 1.0))
    chance = _share(where, params.get("probability", 1.0))
    reach = check_number(f"{where}: max_distance", params.get("max_distance", 3.0 * sigma))
    if sigma <= 0 or reach < 0:
        raise ConfigError(f"{where}: expected sigma above 0 and max_distance from 0, got {sigma} and {reach}")
    post_shape = grid(where, "post_shape", params.get("post_shape", (1, n_post)), n_post)
    pre_shape = grid(where, "pre_shape", params.get("pre_shape", (1, n_pre)), n_pre)
    _check_size(where, n_pre, n_post)
    ratio = np.array(post_shape) / np.array(pre_shape)
    at_pre = (np.stack(np.unravel_index(np.arange(n_pre), pre_shape), 1) + 0.5) * ratio
    at_post = np.stack(np.unravel_index(np.arange(n_post), post_shape), 1) + 0.5
    pre, post = [], []
    for k, place in enumerate(at_pre):
        squared = ((at_post - place) ** 2).sum(axis=1)
        joined = (squared <= reach**2) & (rng.random(n_post) < chance * np.exp(-squared / (2 * sigma**2)))
        post.append(np.flatnonzero(joined))
        pre.append(np.full(post[-1].size, k))
    return Pairs(np.concatenate(pre).astype(np.int64), np.concatenate(post).astype(np.int64))


def convolution(where: str, n_pre: int, n_post: int, params: Mapping[str, Any], _: np.random.Generator) -> Pairs:
    """A convolution without flip (as in deep learning): kernel (out, in, h, w) or (h, w), input_shape (in, h, w).

    Neurons are numbered channel by channel, row by row; stride and padding are the same both ways.
    """
    kernel = np.asarray(params.get("kernel", [[1.0]]), np.float64)
    kernel = kernel[None, None] if kernel.ndim == 2 else kernel
    shape = tuple(params.get("input_shape", ()))
    shape = (1, *shape) if len(shape) == 2 else shape
    if kernel.ndim != 4 or len(shape) != 3 or math.prod(shape) != n_pre or kernel.shape[1] != shape[0]:
        raise ConfigError(
            f"{where}: kernel and input_shape: expected (out, in, h, w) and (in, h, w) with in*h*w = {n_pre} neurons, "
            f"got {kernel.shape} and {shape}"
        )
    stride = check_whole(f"{where}: stride", params.get("stride", 1))
    padding = check_whole(f"{where}: padding", params.get("padding", 0), 0)
    out = [(size + 2 * padding - k) // stride + 1 for size, k in zip(shape[1:], kernel.shape[2:], strict=True)]
    if min(out) < 1 or kernel.shape[0] * out[0] * out[1] != n_post:
        raise ConfigError(
            f"{where}: convolution gives {kernel.shape[0]} x {out[0]} x {out[1]} neurons, the post group has {n_post}"
        )
    _check_size(where, n_post, kernel[0].size)
    o, i, ky, kx, y, x = np.ix_(*(np.arange(n) for n in (*kernel.shape, *out)))
    row, column = y * stride + ky - padding, x * stride + kx - padding
    inside = (row >= 0) & (row < shape[1]) & (column >= 0) & (column < shape[2]) & (o >= 0) & (i >= 0)
    pre = (i * shape[1] + row) * shape[2] + column + 0 * o
    post = (o * out[0] + y) * out[1] + x + 0 * (i + ky + kx)
    weight = np.broadcast_to(kernel[:, :, :, :, None, None], inside.shape)
    return Pairs(pre[inside].astype(np.int64), post[inside].astype(np.int64), weight[inside])


def matrix(where: str, n_pre: int, n_post: int, params: Mapping[str, Any], _: np.random.Generator) -> Pairs:
    """An explicit matrix (n_pre, n_post) of weights; NaN = no synapse."""
    try:
        values = np.asarray(params.get("matrix"), np.float64)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{where}: matrix: expected an array of numbers: {error}") from error
    if values.shape != (n_pre, n_post):
        raise ConfigError(f"{where}: matrix: expected the shape {(n_pre, n_post)}, got {values.shape}")
    pre, post = np.nonzero(~np.isnan(values))
    return Pairs(pre, post, values[pre, post])


WIRINGS = {
    "all_to_all": Wiring((), all_to_all),
    "one_to_one": Wiring((), one_to_one),
    "probabilistic": Wiring(("probability",), probabilistic),
    "fixed_fan_in": Wiring(("fan_in",), fixed_fan_in),
    "distance": Wiring(("sigma", "probability", "max_distance", "pre_shape", "post_shape"), distance),
    "convolution": Wiring(("kernel", "input_shape", "stride", "padding"), convolution),
    "matrix": Wiring(("matrix",), matrix),
}


def grid(where: str, name: str, shape: Any, n: int) -> tuple[int, int]:
    """A shape (rows, columns) of n neurons."""
    found = tuple(shape) if isinstance(shape, (tuple, list)) else ()
    if len(found) != 2 or not all(type(side) is int and side > 0 for side in found) or math.prod(found) != n:
        raise ConfigError(f"{where}: {name}: expected (rows, columns) of {n} neurons, got {shape!r}")
    return found[0], found[1]


def _share(where: str, value: object) -> float:
    number = check_number(f"{where}: probability", value)
    if not 0.0 <= number <= 1.0:
        raise ConfigError(f"{where}: probability: expected 0 to 1, got {value!r}")
    return number


def _check_size(where: str, one: int, other: int) -> None:
    if one * other > LARGEST_PRODUCT:
        raise ConfigError(f"{where}: {one} x {other} pairs are more than the {LARGEST_PRODUCT} a connection may have")
