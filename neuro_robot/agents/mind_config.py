"""What every body's mind is told alike: how fast, what learns, what the network runs on, what breaks in it."""

from __future__ import annotations

from dataclasses import dataclass

from neuro_robot.config import parameter


@dataclass(frozen=True)
class MindConfig:
    """The first parameters of a mind; each body has its own speed."""

    speed: float
    learning: bool = parameter(True, "the plastic synapses change under way")
    reward_mode: str = parameter(
        "normal",
        "normal, or shuffled: the same values at random times and with random signs",
        choices=("normal", "shuffled"),
    )
    shuffle_seed: int = parameter(
        0, "what draws those times and signs, beside the network's seed: another for every run", 0, 2**31 - 1
    )
    backend: str = parameter("cpu", "what the network runs on: cpu, loihi2 (or any registered back end with its rules)")
    arithmetic: str = parameter(
        "integer",
        "a chip's numbers: integer, or cpu, the same quantised network in float64",
        choices=("integer", "cpu"),
    )
    faults: str = parameter("", "what breaks in the network, and when: dead_neurons:column:20%@2s; see docs/faults.md")
