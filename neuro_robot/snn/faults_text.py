"""Faults as text, for parameters and command lines.

    KIND:WHERE[:WHICH][=VALUE][@START[-END]][#SEED]        several are separated by ;

    dead_neurons:column:20%@2s      from 2 s on, 20 % of the layer column, drawn by the seed
    dead_neurons:column:0-3,7@2s-4s  these, for two seconds
    dead_cores:0                    core 0 of the chip; dead_cores:column:0-31 the cores of those neurons
    stuck_synapses:steer:10%=0      a tenth of the connection steer holds 0; without = the weight they have
    stuck_synapses:steer:3>5,3>6    the synapses from 3 to 5 and from 3 to 6
    lost_spikes:column:30%          each spike of column with this probability

Times are in s or ms, from the beginning of the flight (of the run, of the last reset_state). Without a seed a fault
draws by that of the network, each fault by another.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, NamedTuple

from neuro_robot.errors import ConfigError
from neuro_robot.snn.faults import DeadCores, DeadNeurons, Fault, LostSpikes, StuckSynapses
from neuro_robot.snn.faults_running import FaultyModel

if TYPE_CHECKING:
    from neuro_robot.snn.backends.base import Model

KINDS = ("dead_neurons", "dead_cores", "stuck_synapses", "lost_spikes")
FORM = re.compile(
    r"(\w+):([^:=@#]+)(?::([^:=@#]+))?(?:=([^:=@#]+))?(?:@([\d.]+)(m?s)(?:-([\d.]+)(m?s))?)?(?:#(\d{1,18}))?"
)


def seeded(text: str, seed: int) -> str:
    """The text with a seed for every fault that has none."""
    items = [item.strip() for item in text.split(";") if item.strip()]
    return "; ".join(item if "#" in item else f"{item}#{seed + number}" for number, item in enumerate(items))


class TimedFault(NamedTuple):
    """A fault and when it acts, ms."""

    fault: Fault
    at_ms: float
    until_ms: float


def faults_of(text: str, seed: int = 0) -> list[TimedFault]:
    """The faults that a text names. seed: of what is drawn, with each fault's number. ConfigError shows the form."""
    items = [item.strip() for item in text.split(";") if item.strip()]
    return [_fault_of(item, (seed + number) % (1 << 63)) for number, item in enumerate(items)]


def checked_text(model: Model, text: str, seed: int = 0) -> list[TimedFault]:
    """The faults that a text names; nothing is injected. ConfigError names one that this model cannot have."""
    told, trial = faults_of(text, seed), FaultyModel(model)
    for one in told:
        trial.checked(*one)
    return told


def inject_text(model: Model, text: str, seed: int = 0) -> None:
    """Heal what was broken and inject every fault of a text; ConfigError, with nothing changed, names a wrong one."""
    told = checked_text(model, text, seed)
    model.heal()
    for fault, at_ms, until_ms in told:
        model.inject(fault, at_ms, until_ms)


def _fault_of(item: str, seed: int) -> TimedFault:
    found = FORM.fullmatch(item)
    if found is None or found[1] not in KINDS:
        raise ConfigError(
            f"fault {item!r}: expected KIND:WHERE[:WHICH][=VALUE][@START[-END]][#SEED], for example "
            f"dead_neurons:column:20%@2s; the kinds are {', '.join(KINDS)}"
        )
    kind, where, which, value, *when, own_seed = found.groups()
    seed = seed if own_seed is None else int(own_seed)
    at_ms = 0.0 if when[0] is None else _time(item, when[0], when[1])
    until_ms = math.inf if when[2] is None else _time(item, when[2], when[3])
    if value is not None and kind != "stuck_synapses":
        raise ConfigError(f"fault {item!r}: only stuck_synapses take a value")
    if kind == "dead_neurons":
        return TimedFault(DeadNeurons(where, which or "all", seed), at_ms, until_ms)
    if kind == "stuck_synapses":
        held = None if value is None else _number(item, value)
        return TimedFault(StuckSynapses(where, which or "all", held, seed), at_ms, until_ms)
    if kind == "dead_cores":
        numbered = re.fullmatch(r"[\d,]+", where) is not None
        cores = [int(number) for number in where.split(",") if number][:10_000] if numbered else where
        return TimedFault(DeadCores(cores, which or "all", seed), at_ms, until_ms)
    share = _number(item, (which or "100%").rstrip("%")) / (100.0 if (which or "%").endswith("%") else 1.0)
    return TimedFault(LostSpikes(where, share, (), seed), at_ms, until_ms)


def _time(item: str, number: str, unit: str) -> float:
    return _number(item, number) * (1.0 if unit == "ms" else 1000.0)


def _number(item: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ConfigError(f"fault {item!r}: expected a number, got {text!r}") from None
