"""From a network of real numbers to the integers of Loihi, with a report of what was lost.

A layer's voltage is counted in units of 1 / scale from its reset value, so that the threshold is a whole number of 64
units (the chip's threshold register) and a weight w of a connection is a whole number of 64 2^exponent units of
current. The scale is chosen per layer: as fine as the threshold register and the 24 bits of the current allow under
the largest drive that the weights make possible, and within the last octave so that the weights are met best.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuro_robot.errors import ConfigError
from neuro_robot.snn.backends.loihi import homeostasis, plasticity, scaling
from neuro_robot.snn.backends.loihi import registers as reg
from neuro_robot.snn.backends.loihi.description import ChipNetwork, Compartments
from neuro_robot.snn.backends.loihi.dynamics import Dynamics, bias_of, dynamics_of, tau_of
from neuro_robot.snn.backends.loihi.plasticity import Plasticity, Rate
from neuro_robot.snn.cells import IF, LIF
from neuro_robot.snn.network import Connection, Layer, Network
from neuro_robot.snn.rules import STDP, SumOfProducts

FRACTION_BITS = 6  # of a graded input, where the weight exponents leave room for them
LARGEST_STEPS = reg.LARGEST_DELAY + 1


@dataclass(frozen=True)
class Options:
    """What the description does not tell.

    graded: inputs carry payloads (Loihi 2) of at most largest_input events, less where less already drives every
    neuron far beyond its threshold; more events saturate.
    largest_reward: reward that the third factor must be able to express.
    """

    graded: bool = True
    largest_input: float = 255.0
    largest_reward: float = 1.0


class Loss(NamedTuple):
    """What a connection's weights became: the unit, root mean square and largest error, weights that became 0."""

    unit: float
    exponent: int
    bits_used: float
    rms_error: float
    largest_error: float
    lost: int


@dataclass
class Quantised:
    """The chip's network and the way back: v = v_reset + register / scale, weight = integer * unit."""

    chip: ChipNetwork
    scales: dict[str, float] = field(default_factory=dict)
    offsets: dict[str, float] = field(default_factory=dict)
    units: dict[str, float] = field(default_factory=dict)
    cells: dict[str, tuple[Rate, ...]] = field(default_factory=dict)
    losses: dict[str, Loss] = field(default_factory=dict)
    learning: dict[str, Plasticity] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def report(self) -> str:
        """What was lost, as text: every parameter that the chip holds differently, every connection's weights."""
        lines = []
        for name, rates in self.cells.items():
            lines.append(f"layer {name}: {self.scales[name]:g} units per unit of v")
            lines += [f"  {rate.name}: wanted {rate.wanted:g}, held {rate.held:g}" for rate in rates]
        for name, loss in self.losses.items():
            lines.append(
                f"connection {name}: unit {loss.unit:.4g}, exponent {loss.exponent}, {loss.bits_used:.1f} bits in use; "
                f"error rms {loss.rms_error:.3g}, largest {loss.largest_error:.3g}; {loss.lost} weights became 0"
            )
            if name in self.learning:
                rates = self.learning[name].rates
                lines += [f"  {rate.name}: wanted {rate.wanted:g}, held {rate.held:g}" for rate in rates]
        return "\n".join([*lines, *self.notes])


def quantise(network: Network, options: Options | None = None) -> Quantised:
    """The network in the chip's integers. ConfigError names layer or connection, parameter, and what the chip holds."""
    options = options or Options()
    made = Quantised(ChipNetwork())
    exponents: dict[str, int] = {}
    dynamics = {
        layer.name: dynamics_of(layer, network.dt_ms) for layer in network.layers.values() if not _is_sent(layer)
    }
    largest = _largest_counts(network, dynamics, options)
    for name, told in dynamics.items():
        incoming = [c for c in network.connections.values() if c.post.name == name]
        made.scales[name] = scaling.scale(name, told, incoming, largest, made.notes)
        for connection in incoming:
            gain = made.scales[name] * told.coupling / (1 << reg.ALIGN)
            exponents[connection.name] = scaling.exponent(
                gain * scaling.largest_weight(connection), scaling.is_mixed(connection)
            )
            made.units[connection.name] = 2.0 ** exponents[connection.name] / gain
    fractions = _fractions(network, exponents, options)
    for layer in network.layers.values():
        if _is_sent(layer):
            _add_input(made, layer, fractions[layer.name], largest[layer.name], options)
        else:
            _add_layer(made, layer, dynamics[layer.name], network.dt_ms)
    for connection in network.connections.values():
        fraction = fractions.get(connection.pre.name, 0)
        _connect(made, connection, exponents[connection.name], fraction, network.dt_ms, options)
    return made


def _largest_counts(network: Network, dynamics: dict[str, Dynamics], options: Options) -> dict[str, float]:
    """Events in a step that a line of each input layer can send: as asked for, and not more than do something."""
    found = {}
    for layer in network.layers.values():
        if _is_sent(layer):
            outgoing = [c for c in network.connections.values() if c.pre.name == layer.name]
            counts = [scaling.largest_count(dynamics[c.post.name], c) for c in outgoing]
            most = min(options.largest_input, max(counts, default=1.0))
            found[layer.name] = most if _is_graded(layer, options) else 1.0
    return found


def _add_input(made: Quantised, layer: Layer, fraction: int, largest: float, options: Options) -> None:
    if not _is_graded(layer, options):
        made.chip.add_input(layer.name, layer.size, latency=0)
        return
    payload = max(round(largest * 2.0**fraction), 2)
    made.chip.add_input(
        layer.name, layer.size, message_bits=payload.bit_length(), latency=0, fraction_bits=fraction, largest=payload
    )
    made.notes.append(f"input {layer.name}: counts in steps of 1/{1 << fraction}, up to {payload / (1 << fraction):g}")


def _fractions(network: Network, exponents: dict[str, int], options: Options) -> dict[str, int]:
    """Bits behind the point of each input layer's payloads: they take the place of bits of the weight exponents."""
    found = {}
    for layer in network.layers.values():
        if _is_sent(layer):
            room = [exponents[c.name] for c in network.connections.values() if c.pre.name == layer.name]
            bits = min([FRACTION_BITS, *(exponent - reg.WEIGHT_EXP_RANGE[0] for exponent in room)])
            found[layer.name] = bits if _is_graded(layer, options) else 0
    return found


def _is_sent(layer: Layer) -> bool:
    """Whether the host sends the layer's spikes: those of inputs and of random sources."""
    return layer.cell is None or layer.cell.generates


def _is_graded(layer: Layer, options: Options) -> bool:
    """Whether its spikes carry payloads."""
    return layer.cell is None and options.graded


def _add_layer(made: Quantised, layer: Layer, told: Dynamics, dt_ms: float) -> None:
    scale, name = made.scales[layer.name], layer.name
    threshold = round(scale * told.threshold / (1 << reg.ALIGN))
    dv = min(max(round(reg.DECAY_ONE * (1.0 - told.keep_v)), 0), reg.LARGEST_DECAY)
    du = min(max(round(reg.DECAY_ONE * (1.0 - told.keep_u)) - reg.DECAY_OFFSET_U, 0), reg.LARGEST_DECAY)
    # the resting level is drift / (1 - keep_v): keep it, rather than the drift, when the decay is rounded
    drift = told.drift * (dv / reg.DECAY_ONE / (1.0 - told.keep_v) if dv else 1.0)
    mantissa, exponent = bias_of(drift * scale)
    # the chip wants more than the threshold, the description at least the threshold: one less
    made.chip.add_layer(
        name,
        layer.size,
        Compartments(du, dv, threshold - 1, mantissa, exponent, told.refract, round(told.start * scale)),
    )
    made.offsets[name] = layer.cell.v_reset if isinstance(layer.cell, (IF, LIF)) else 0.0
    rates = [Rate("threshold over reset", told.threshold, (threshold - 1) * (1 << reg.ALIGN) / scale)]
    if isinstance(layer.cell, LIF):
        rates.append(Rate("tau_mem_ms", layer.cell.tau_mem_ms, tau_of(dv, dt_ms)))
    if told.keep_u:
        rates.append(Rate("tau_syn_ms", getattr(layer.cell, "tau_syn_ms", 0.0), tau_of(du + reg.DECAY_OFFSET_U, dt_ms)))
    if told.drift:
        rates.append(Rate("drift per step", told.drift, mantissa * 2.0**exponent / scale))
    made.cells[name] = tuple(rates)


def _connect(made: Quantised, told: Connection, exponent: int, fraction: int, dt_ms: float, options: Options) -> None:
    where, unit, mixed = f"connection {told.name!r}", made.units[told.name], scaling.is_mixed(told)
    if told.delay_steps.size and told.delay_steps.max() > LARGEST_STEPS:
        raise ConfigError(
            f"{where}: delay_steps: the chip delays a spike by up to {LARGEST_STEPS} steps, "
            f"got {told.delay_steps.max()}"
        )
    whole = scaling.rounded(told.weights, unit, mixed)
    if scaling.bounds(told) is None:
        whole = _reaching(made, told, whole, exponent, mixed)
    rule = _rule(where, told, unit, dt_ms, options)
    if rule is not None:
        made.learning[told.name] = rule
        whole = np.clip(whole, rule.rule.w_min, rule.rule.w_max)
    graded = _is_graded(told.pre, options)
    message_bits = made.chip.layers[told.pre.name].largest_input.bit_length() if graded else 0
    made.chip.connect(
        told.pre.name, told.post.name, whole.astype(np.int64), told.delay_steps - 1,
        pairs=(told.pre_index, told.post_index), weight_exp=exponent - fraction,
        sign_mode=_sign_mode(told, mixed), message_bits=message_bits,
        rule=None if rule is None else rule.rule, name=told.name,
    )  # fmt: skip
    error = np.abs(whole * unit - told.weights)
    used = math.log2(np.abs(whole).max() + 1) if whole.size else 0.0
    made.losses[told.name] = Loss(
        unit, exponent, used, float(np.sqrt(np.mean(error**2))) if error.size else 0.0,
        float(error.max(initial=0.0)), int(np.count_nonzero((whole == 0) & (told.weights != 0))),
    )  # fmt: skip


def _reaching(
    made: Quantised, told: Connection, whole: NDArray[np.float64], exponent: int, mixed: bool
) -> NDArray[np.float64]:
    """The weights, rounded up where one spike alone reaches the threshold: it still is to do so."""
    parameters = made.chip.layers[told.post.name].parameters
    assert parameters is not None
    threshold = int(parameters[2, 0]) + 1  # in the register's units; see _add_layer
    step = 2 if mixed else 1
    needed = math.ceil(threshold / 2.0**exponent / step - 1e-9) * step
    reaches = told.weights >= (1.0 - 1e-6) * threshold / 2.0**exponent * made.units[told.name]
    return np.where(reaches, np.maximum(whole, needed), whole)


def _sign_mode(told: Connection, mixed: bool) -> str:
    if mixed:
        return reg.MIXED
    learned = scaling.bounds(told)
    low = float(told.weights.min(initial=0.0)) if learned is None else learned[0]
    return reg.INHIBITORY if low < 0 else reg.EXCITATORY


def _rule(where: str, told: Connection, unit: float, dt_ms: float, options: Options) -> Plasticity | None:
    """What the chip makes of the connection's rule and scaling; None where it has neither."""
    learned = scaling.bounds(told)
    if learned is None:
        return None
    step = 2 if scaling.is_mixed(told) else 1
    whole = math.ceil(learned[0] / unit / step - 1e-6) * step, math.floor(learned[1] / unit / step + 1e-6) * step
    made = None
    if isinstance(told.rule, STDP):
        made = plasticity.stdp(where, told.rule, unit, whole, dt_ms, options.largest_reward)
    elif isinstance(told.rule, SumOfProducts):
        made = plasticity.sum_of_products(where, told.rule, unit, whole, dt_ms)
    return made if told.scaling is None else homeostasis.with_scaling(where, made, told.scaling, whole, dt_ms)
