"""The processor as a back end: event-driven compiled kernels, float arithmetic."""

from __future__ import annotations

from typing import Any

from neuro_robot.snn.backends import register
from neuro_robot.snn.backends.base import Backend, Model
from neuro_robot.snn.cells import IF, LIF, AdaptiveLIF, AdEx, ConductanceLIF, Izhikevich, Poisson
from neuro_robot.snn.network import LARGEST_DELAY, LARGEST_LAYER, Network
from neuro_robot.snn.rules import STDP, Homeostasis, SumOfProducts, TripletSTDP


def _compile(network: Network, **options: Any) -> Model:
    from neuro_robot.snn.compiled import CompiledNetwork

    return CompiledNetwork(network, **options)


register(
    Backend(
        name="cpu",
        description="event-driven compiled kernels, work only where spikes are",
        cells=(IF, LIF, ConductanceLIF, AdaptiveLIF, Izhikevich, AdEx, Poisson),
        rules=(STDP, TripletSTDP, Homeostasis, SumOfProducts),
        compile=_compile,
        limits={
            "neurons": f"{LARGEST_LAYER} in a layer",
            "delays": f"1 to {LARGEST_DELAY} steps",
            "epoch": "sums of products are evaluated in every step",
        },
        options={
            "dtype": "float32 (default) or float64",
            "potentiation": "deferred (default) or eager: when plain pair and triplet rules change weights",
            "threads": "1 (default) to 64, for static synapses and leaky neurons of large networks; the same bits",
        },
    )
)
