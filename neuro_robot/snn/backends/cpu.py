"""The processor as a back end: event-driven compiled kernels, float arithmetic."""

from __future__ import annotations

from typing import Any

from neuro_robot.snn.backends import register
from neuro_robot.snn.backends.base import Backend, Model
from neuro_robot.snn.cells import LIF
from neuro_robot.snn.network import LARGEST_DELAY, LARGEST_LAYER, Network
from neuro_robot.snn.rules import STDP


def _compile(network: Network, **options: Any) -> Model:
    from neuro_robot.snn.compiled import CompiledNetwork

    return CompiledNetwork(network, **options)


register(
    Backend(
        name="cpu",
        description="event-driven compiled kernels, work only where spikes are",
        cells=(LIF,),
        rules=(STDP,),
        compile=_compile,
        limits={"neurons": f"{LARGEST_LAYER} in a layer", "delays": f"1 to {LARGEST_DELAY} steps"},
    )
)
