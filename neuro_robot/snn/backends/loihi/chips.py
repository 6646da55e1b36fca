"""What one chip of each generation offers, with where each figure comes from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Chip:
    """Limits of a chip and of one of its cores. bits: synaptic memory of a core.

    neuron_bits: what a neuron takes of that memory (0 where it has a memory of its own); profiles: different sets of
    decays and refractory periods in a core; thresholds: different ones in a core; 0 means no such limit.
    """

    name: str
    cores: int
    neurons: int
    synapses: int
    neurons_per_core: int
    bits: int
    neuron_bits: int
    in_axons: int
    out_axons: int
    profiles: int
    thresholds: int
    graded: bool
    reward_per_neuron: bool


# Cores, neurons, synapses: Davies et al., IEEE Micro 38 (2018). Compartments, axons, synaptic memory (16384 words of 64
# bits), profiles: nengo-loihi 1.1, block.py and hardware/validate.py.
LOIHI = Chip(
    name="loihi", cores=128, neurons=131_072, synapses=130_000_000, neurons_per_core=1024, bits=16384 * 64,
    neuron_bits=0, in_axons=4096, out_axons=4096, profiles=32, thresholds=16, graded=False, reward_per_neuron=False,
)  # fmt: skip
# Neurons, synapses and the 192 KB of a core, divided as needed: Intel Labs, Loihi 2 technology brief (2021). Neurons of
# a core: Lava's documentation. 24 bytes of state for an LIF neuron, as Loihi had them, and the axons of Loihi are
# assumptions: no public document gives them.
LOIHI2 = Chip(
    name="loihi2", cores=128, neurons=1_000_000, synapses=120_000_000, neurons_per_core=8192, bits=192 * 1024 * 8,
    neuron_bits=24 * 8, in_axons=4096, out_axons=4096, profiles=0, thresholds=0, graded=True, reward_per_neuron=True,
)  # fmt: skip
CHIPS = {chip.name: chip for chip in (LOIHI, LOIHI2)}
