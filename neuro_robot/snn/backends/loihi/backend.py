"""Registers the back ends `loihi` and `loihi2`."""

from __future__ import annotations

from functools import partial
from typing import Any

from neuro_robot.snn.backends import register
from neuro_robot.snn.backends.base import Backend, Model
from neuro_robot.snn.backends.loihi.chips import CHIPS, Chip
from neuro_robot.snn.cells import IF, LIF, Poisson
from neuro_robot.snn.network import Network
from neuro_robot.snn.rules import STDP, Homeostasis, SumOfProducts, TripletSTDP

DESCRIPTIONS = {
    "loihi": "Intel's first chip in its own integers: neurons and synapses bit-exact, learning approximate",
    "loihi2": "Intel's second chip in its own integers: as loihi, with graded spikes and a reward for each neuron",
}


def _compile(network: Network, chip: Chip, **options: Any) -> Model:
    from neuro_robot.snn.backends.loihi.model import LoihiModel

    return LoihiModel(network, chip, **options)


def _limits(chip: Chip) -> dict[str, str]:
    limits = {
        "chip": f"{chip.cores} cores, {chip.neurons} neurons, {chip.synapses} synapses",
        "core": (
            f"{chip.neurons_per_core} neurons, {chip.bits // 8192} KiB for synapses, {chip.in_axons} input and "
            f"{chip.out_axons} output axons"
        ),
        "weights": "8 bits with or without sign, a shared exponent per connection",
        "decays": "12 bits; currents and voltages 24 bits",
        "delays": "1 to 63 steps",
        "refractory period": "0 to 62 steps",
        "inputs": "events with a payload" if chip.graded else "0 or 1 in each step",
        "Poisson": "drawn by the host and sent as inputs, the same spikes as on cpu",
        "reward": "for each neuron" if chip.reward_per_neuron else "one for a layer",
        "learning": "traces of 7 bits, tags of 9, stochastic rounding; approximate, as every public model of it",
        "nearest pairs": "a full trace of 127, which later spikes cannot raise",
        "triplets": "with the reward only those of pre spikes (a3_minus): the post traces hold the reward",
        "scaling": "every 2^k steps; beside STDP without reward, or alone",
    }
    if chip.profiles:
        limits["profiles"] = f"{chip.profiles} sets of decays and {chip.thresholds} thresholds in a core"
    return limits


for _chip in CHIPS.values():
    register(
        Backend(
            name=_chip.name,
            description=DESCRIPTIONS[_chip.name],
            cells=(IF, LIF, Poisson),
            rules=(STDP, TripletSTDP, Homeostasis, SumOfProducts),
            compile=partial(_compile, chip=_chip),
            limits=_limits(_chip),
            options={
                "seed": "of the stochastic rounding of learning (0)",
                "arithmetic": "integer (default), or cpu: the same quantised network in float64",
                "largest_input": "events that an input's payload can carry, more saturate (255)",
                "largest_reward": "reward that must be expressible, more saturates (1)",
            },
        )
    )
