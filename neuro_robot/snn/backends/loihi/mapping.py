"""Where a network lies on a chip: layers over cores, their memory and axons; refused when it does not fit.

Each core holds neurons of one layer with all synapses onto them (a compiler may pack small layers closer). A core needs
one input axon for every connection and pre neuron that reaches it, one output axon for every neuron and core that its
spikes go to. Synapses lie in 64 bit words, each list with a head of 10 bits, as nengo-loihi counts them.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from neuro_robot.errors import ConfigError
from neuro_robot.snn.backends.loihi import registers as reg
from neuro_robot.snn.backends.loihi.chips import Chip
from neuro_robot.snn.backends.loihi.description import ChipLayer, ChipNetwork, Synapses

WORD, HEAD = 64, 10
DELAY_BITS, TAG_BITS = 6, 9
PROFILE_ROWS = ((0, 1, 5), "profiles"), ((2,), "thresholds")  # rows of ChipLayer.parameters that a core shares


class Core(NamedTuple):
    """Neurons first .. last - 1 of a layer, with what they take."""

    layer: str
    first: int
    last: int
    synapses: int
    bits: int
    in_axons: int
    out_axons: int


@dataclass(frozen=True)
class Mapping:
    """A network on a chip."""

    chip: Chip
    cores: tuple[Core, ...]

    def report(self) -> str:
        """Cores, memory and axons as text, one line per layer and one for the whole."""
        lines = []
        for layer in dict.fromkeys(core.layer for core in self.cores):
            own = [core for core in self.cores if core.layer == layer]
            lines.append(
                f"layer {layer}: {sum(core.last - core.first for core in own)} neurons on {len(own)} cores, "
                f"{sum(core.synapses for core in own)} synapses; fullest core: "
                f"{max(core.bits for core in own) / 8192:.1f} of {self.chip.bits / 8192:.0f} KiB, "
                f"{max(core.in_axons for core in own)} of {self.chip.in_axons} input axons, "
                f"{max(core.out_axons for core in own)} of {self.chip.out_axons} output axons"
            )
        total = sum(core.bits for core in self.cores) / 8192
        lines.append(f"{self.chip.name}: {len(self.cores)} of {self.chip.cores} cores, {total:.1f} KiB")
        return "\n".join(lines)


def place(network: ChipNetwork, chip: Chip) -> Mapping:
    """Spread the layers over cores. ConfigError names the layer, what it needs and what the chip allows."""
    _check_features(network, chip)
    layers = [layer for layer in network.layers.values() if layer.parameters is not None]
    for what, needed, allowed in (
        ("neurons", sum(layer.size for layer in layers), chip.neurons),
        ("synapses", sum(told.weights.size for told in network.synapses.values()), chip.synapses),
    ):
        if needed > allowed:
            raise ConfigError(f"{chip.name}: the network has {needed} {what}, the chip {allowed}; make it smaller")
    parts = {layer.name: _least_parts(network, layer, chip) for layer in layers}
    parts = {layer.name: _with_axons(network, layer, chip, parts) for layer in layers}
    cores = tuple(core for layer in layers for core in _cores(network, layer, chip, parts))
    if len(cores) > chip.cores:
        most = sorted(parts.items(), key=lambda item: -item[1])[:8]
        needs = ", ".join(f"{name} {count}" for name, count in most) + (", ..." if len(parts) > len(most) else "")
        raise ConfigError(
            f"{chip.name}: the network needs {len(cores)} cores ({needs}), the chip has {chip.cores}; use fewer "
            "layers, neurons or synapses"
        )
    return Mapping(chip, cores)


def _check_features(network: ChipNetwork, chip: Chip) -> None:
    for told in network.synapses.values():
        if told.message_bits and not chip.graded:
            raise ConfigError(f"connection {told.name!r}: {chip.name} has no graded spikes; use loihi2")


class _Needs(NamedTuple):
    """What the neurons of one share take."""

    synapses: int
    bits: int
    in_axons: int


def _least_parts(network: ChipNetwork, layer: ChipLayer, chip: Chip) -> int:
    """The smallest number of equal shares of a layer of which each fits a core."""
    total = _needs(network, layer, 1, chip)[0]
    parts = max(-(-layer.size // chip.neurons_per_core), min(-(-total.bits // chip.bits), layer.size))
    while True:
        shares, needs = _shares(layer, parts), _needs(network, layer, parts, chip)
        reasons = {
            word for share, need in zip(shares, needs, strict=True) for word in _misfit(layer, share, need, chip)
        }
        if not reasons:
            return parts
        if parts == layer.size:
            raise ConfigError(
                f"layer {layer.name!r}: one neuron does not fit a core of {chip.name}: {min(reasons)}; give it fewer"
            )
        parts = min(layer.size, max(parts + 1, parts * 9 // 8))


def _misfit(layer: ChipLayer, share: tuple[int, int], need: _Needs, chip: Chip) -> list[str]:
    """Why the neurons of a share do not fit one core."""
    found = []
    if need.bits > chip.bits:
        found.append(f"its synapses take {need.bits} bits of the core's {chip.bits}")
    if need.in_axons > chip.in_axons:
        found.append(f"its fan-in needs {need.in_axons} input axons of the core's {chip.in_axons}")
    for rows, name in PROFILE_ROWS:
        allowed = getattr(chip, name)
        if allowed and layer.parameters is not None:
            different = np.unique(layer.parameters[list(rows), share[0] : share[1]], axis=1).shape[1]
            if different > allowed:
                found.append(f"its neurons have {different} {name} of the core's {allowed}")
    return found


def _needs(network: ChipNetwork, layer: ChipLayer, parts: int, chip: Chip) -> list[_Needs]:
    """What each of so many equal shares of a layer takes."""
    shares = _shares(layer, parts)
    sizes = np.array([last - first for first, last in shares])
    share_of = np.repeat(np.arange(parts), sizes)
    synapses, axons = np.zeros(parts, np.int64), np.zeros(parts, np.int64)
    bits = sizes * chip.neuron_bits
    for told in network.synapses.values():
        if told.post is layer:
            place = told.pre_index * parts + share_of[told.post_index]
            lists = np.bincount(place, minlength=told.pre.size * parts).reshape(-1, parts)
            words = -(-(lists * _synapse_bits(told, int(sizes.max())) + HEAD) // WORD)
            synapses += lists.sum(axis=0)
            axons += np.count_nonzero(lists, axis=0)
            bits += np.where(lists > 0, words, 0).sum(axis=0) * WORD
    rows = zip(synapses.tolist(), bits.tolist(), axons.tolist(), strict=True)
    return [_Needs(*row) for row in rows]


def _synapse_bits(told: Synapses, width: int) -> int:
    dense = told.weights.size == told.pre.size * told.post.size
    index = 0 if dense else int(width - 1).bit_length()
    delay = DELAY_BITS if told.delays.size and told.delays.max() > 0 else 0
    tag = TAG_BITS if told.rule is not None and any(term.target == "t" for term in told.rule.products) else 0
    weight = told.weight_bits if told.weight_bits != 7 else reg.WEIGHT_BITS  # there is no format of 7 bits
    return weight + index + delay + tag


def _with_axons(network: ChipNetwork, layer: ChipLayer, chip: Chip, parts: dict[str, int]) -> int:
    """The number of shares with which the output axons of each fit, too."""
    targets = _target_cores(network, layer, parts)
    if targets > chip.out_axons:
        raise ConfigError(
            f"layer {layer.name!r}: its spikes go to {targets} cores, a core of {chip.name} has {chip.out_axons} "
            "output axons"
        )
    return max(parts[layer.name], -(-layer.size * targets // chip.out_axons))


def _target_cores(network: ChipNetwork, layer: ChipLayer, parts: dict[str, int]) -> int:
    return sum(parts[told.post.name] for told in network.synapses.values() if told.pre is layer)


def _cores(network: ChipNetwork, layer: ChipLayer, chip: Chip, parts: dict[str, int]) -> list[Core]:
    targets = _target_cores(network, layer, parts)
    needs = _needs(network, layer, parts[layer.name], chip)
    return [
        Core(layer.name, first, last, *need, (last - first) * targets)
        for (first, last), need in zip(_shares(layer, parts[layer.name]), needs, strict=True)
    ]


def _shares(layer: ChipLayer, parts: int) -> list[tuple[int, int]]:
    edges = np.linspace(0, layer.size, parts + 1).astype(int).tolist()
    return list(pairwise(edges))
