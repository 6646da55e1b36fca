"""A network in the chip's own integers: layers of compartments and the synapses between them, checked when added."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuro_robot.errors import ConfigError
from neuro_robot.snn.backends.loihi import registers as reg
from neuro_robot.snn.backends.loihi.rules import ChipRule

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Compartments:
    """Parameters of a layer of LIF compartments, one number or one per neuron.

        dec(x, k) = sign(x) floor(|x| (4096 - k) / 4096)
        u <- dec(u, du + 1) + (a << 6), wrapped once into 24 bits
        v <- dec(v, dv) + u + (bias_mant << bias_exp), clipped to +-(2^23 - 1)
        v > vth << 6: spike, v <- 0, and v stays 0 for the refract - 1 steps after it

    a is the sum of the weights that arrive in the step. Widths: du, dv 12 bits, vth 17, bias_mant 12 and sign,
    bias_exp 3, refract 1 .. 63. v starts at v_start.
    Source: Lava's PyLifModelBitAcc; refractory period as nengo-loihi's emulator has it.
    """

    du: ArrayLike
    dv: ArrayLike
    vth: ArrayLike
    bias_mant: ArrayLike = 0
    bias_exp: ArrayLike = 0
    refract: ArrayLike = 1
    v_start: ArrayLike = 0


@dataclass(frozen=True)
class ChipLayer:
    """A named population; an input layer has no parameters, its lines carry payloads up to `largest_input`.

    parameters: int64 (7, size) in the order of Compartments' fields. latency: steps from a given input to its arrival
    over a synapse of delay 0 (1 on the chip; 0 where the host sends a step ahead). fraction_bits: bits of a payload
    that stand for less than one event.
    """

    name: str
    size: int
    parameters: Ints | None = None
    latency: int = 1
    largest_input: int = 1
    fraction_bits: int = 0


@dataclass(frozen=True)
class Synapses:
    """Synapses from one layer to another, in the order delay, pre, post. Arrays are int64 (n,).

    weights: as held by the chip. A layer's sum is shifted left by weight_exp, an arithmetic shift right if negative,
    separately for every delay. message_bits 0: a spike counts once whatever it carries; otherwise payload x weight.
    """

    name: str
    pre: ChipLayer
    post: ChipLayer
    pre_index: Ints
    post_index: Ints
    delays: Ints
    weights: Ints
    weight_exp: int
    weight_bits: int
    sign_mode: str
    message_bits: int
    rule: ChipRule | None = None


class ChipNetwork:
    """Layers and synapses of one chip; every number that no register can hold raises ConfigError."""

    def __init__(self) -> None:
        self.layers: dict[str, ChipLayer] = {}
        self.synapses: dict[str, Synapses] = {}

    def add_input(
        self,
        name: str,
        size: int,
        *,
        message_bits: int = 0,
        latency: int = 1,
        fraction_bits: int = 0,
        largest: int | None = None,
    ) -> None:
        """Input lines whose spikes are 1, or carry payloads of message_bits (Loihi 2), up to `largest` where given."""
        where = f"input {name!r}"
        reg.check_range(f"{where}: latency", latency, 0, 1)
        reg.check_range(f"{where}: fraction_bits", fraction_bits, 0, message_bits)
        ceiling = _largest(where, message_bits)
        if largest is not None:
            reg.check_range(f"{where}: largest", largest, 1, ceiling)
            ceiling = largest
        self._add(ChipLayer(name, int(size), None, latency, ceiling, fraction_bits))

    def add_layer(self, name: str, size: int, cell: Compartments) -> None:
        """A layer of compartments."""
        where = f"layer {name!r}"
        bounds = {
            "du": (0, reg.LARGEST_DECAY),
            "dv": (0, reg.LARGEST_DECAY),
            "vth": (0, reg.LARGEST_VTH),
            "bias_mant": reg.BIAS_RANGE,
            "bias_exp": (0, reg.LARGEST_BIAS_EXP),
            "refract": (1, reg.LARGEST_REFRACT),
            "v_start": (1 - reg.STATE_LIMIT, reg.STATE_LIMIT - 1),
        }
        rows = [_row(f"{where}: {key}", getattr(cell, key), bound, size) for key, bound in bounds.items()]
        self._add(ChipLayer(name, int(size), np.stack(rows)))

    def connect(
        self,
        pre: str,
        post: str,
        weights: ArrayLike,
        delays: ArrayLike = 0,
        *,
        exists: NDArray[np.bool_] | None = None,
        pairs: tuple[Ints, Ints] | None = None,
        weight_exp: int = 0,
        weight_bits: int = reg.WEIGHT_BITS,
        sign_mode: str | None = None,
        message_bits: int = 0,
        rule: ChipRule | None = None,
        name: str | None = None,
    ) -> str:
        """Connect two layers by (n_pre, n_post) whole weights and delays 0 .. 62; returns the name.

        exists: where there is a synapse (default: everywhere). pairs: instead, pre and post index of each synapse;
        weights and delays are then (n,). sign_mode: default is what the weights call for.
        """
        name = f"{pre}->{post}" if name is None else name
        where = f"synapses {name!r}"
        if name in self.synapses:
            raise ConfigError(f"{where}: there are already synapses of this name; give name=... another")
        source, target = self._layer(where, pre), self._layer(where, post)
        if target.parameters is None:
            raise ConfigError(f"{where}: expected a layer of compartments to connect to, {post!r} is an input")
        shape = (source.size, target.size) if pairs is None else pairs[0].shape
        given = _array(f"{where}: weights", reg.check_range(f"{where}: weights", weights, -(1 << 31), 1 << 31), shape)
        lags = _array(f"{where}: delays", reg.check_range(f"{where}: delays", delays, 0, reg.LARGEST_DELAY), shape)
        reg.check_range(f"{where}: weight_exp", weight_exp, *reg.WEIGHT_EXP_RANGE)
        reg.check_range(f"{where}: weight_bits", weight_bits, 1, reg.WEIGHT_BITS)
        _largest(where, message_bits)
        if sign_mode not in (None, *reg.SIGN_MODES):
            raise ConfigError(f"{where}: sign_mode: expected one of {', '.join(reg.SIGN_MODES)}, got {sign_mode!r}")
        if pairs is None:
            i, j = np.nonzero(np.ones(shape, np.bool_) if exists is None else np.broadcast_to(exists, shape))
            given, lags = given[i, j], lags[i, j]
        else:
            i, j = pairs
        mode = sign_mode or reg.sign_mode(given)
        order = np.lexsort((j, i, lags))
        held = reg.held_weights(given, mode, weight_bits)[order]
        self.synapses[name] = Synapses(
            name, source, target, i[order], j[order], lags[order], held, weight_exp, weight_bits, mode, message_bits,
            rule,
        )  # fmt: skip
        return name

    def _add(self, layer: ChipLayer) -> None:
        if not isinstance(layer.name, str) or not layer.name or layer.name in self.layers:
            raise ConfigError(f"layer {layer.name!r}: expected a name that no other layer has")
        if layer.size < 1:
            raise ConfigError(f"layer {layer.name!r}: expected a size of 1 or more, got {layer.size}")
        self.layers[layer.name] = layer

    def _layer(self, where: str, name: str) -> ChipLayer:
        if name not in self.layers:
            raise ConfigError(f"{where}: no layer {name!r}; the layers are {', '.join(self.layers) or 'none yet'}")
        return self.layers[name]


def _largest(where: str, message_bits: int) -> int:
    reg.check_range(f"{where}: message_bits", message_bits, 0, reg.LARGEST_MESSAGE_BITS)
    return max((1 << message_bits) - 1, 1)


def _row(where: str, values: ArrayLike, bound: tuple[int, int], size: int) -> Ints:
    checked = reg.check_range(where, values, *bound)
    if checked.shape not in ((), (size,)):
        raise ConfigError(f"{where}: expected one number or {size}, got the shape {checked.shape}")
    return np.broadcast_to(checked, (size,))


def _array(where: str, values: Ints, shape: tuple[int, ...]) -> Any:
    if values.shape not in ((), shape):
        raise ConfigError(f"{where}: expected one number or the shape (n_pre, n_post) = {shape}, got {values.shape}")
    return np.broadcast_to(values, shape)
