"""One description of a spiking network for every processor: the neuromorphic hardware abstraction layer.

    from neuro_robot import nhal as nh
    nh.set_backend("loihi2")
    source = nh.NeuronGroup(100, type="events")
    hidden = nh.NeuronGroup(50, type="LIF", params={"tau_mem_ms": 20.0})
    synapses = nh.Connection(source, hidden, rule="all_to_all")
    nh.LearningRule(synapses, type="STDP")
    model = nh.compile()
    model.run(input_data, duration=1000)

Groups, connections, rules and monitors go to the module's own network unless told another (network=...). `compile`
without a network takes what was described since the last such call, and begins anew.
"""

from __future__ import annotations

import sys
from typing import Any

from neuro_robot.nhal.description import Connection, LearningRule, Network, NeuronGroup, default_network
from neuro_robot.nhal.model import Model
from neuro_robot.nhal.monitors import PotentialMonitor, SpikeMonitor
from neuro_robot.snn import backends as registry
from neuro_robot.snn.faults import DeadCores, DeadNeurons, LostSpikes, StuckSynapses

__all__ = [
    "Connection",
    "DeadCores",
    "DeadNeurons",
    "LearningRule",
    "LostSpikes",
    "Model",
    "Network",
    "NeuronGroup",
    "PotentialMonitor",
    "SpikeMonitor",
    "StuckSynapses",
    "backends",
    "compile",
    "reset",
    "set_backend",
]

_backend = "cpu"


def set_backend(name: str) -> None:
    """Where `compile` puts networks from now on; ConfigError lists the back ends when there is none of this name."""
    global _backend  # noqa: PLW0603 - the interface is a module, and this is its one setting
    registry.backend(name)
    _backend = name


def backends() -> None:
    """Print what each back end supports, its limits and its options."""
    sys.stdout.write(registry.describe() + "\n")


def reset(dt_ms: float = 1.0, seed: int = 0) -> None:
    """Forget what was described in the module's own network, and begin one of this time step and seed."""
    default_network(Network(dt_ms, seed))


def compile(network: Network | None = None, backend: str | None = None, **options: Any) -> Model:  # noqa: A001 - as named
    """A running model, at rest, of a network (or the module's own) on a back end (or the one set).

    Raises ConfigError that says which primitive and parameter the back end cannot take, and what it allows.
    """
    told = network or default_network()
    model = Model(told, backend or _backend, options)
    if network is None:
        reset(told.dt_ms, told.seed)
    return model
