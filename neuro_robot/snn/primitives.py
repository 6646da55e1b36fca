"""The primitives of a network description: the LIF neuron and the STDP rule, with their checks."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

from neuro_robot.errors import ConfigError

LARGEST = 1e9  # bounds every parameter, weight and reward, so that float32 state can never overflow


@dataclass(frozen=True)
class LIF:
    """A leaky integrate-and-fire neuron with an exponential synaptic current.

        tau_mem dv/dt = -(v - v_rest) + i + bias        tau_syn di/dt = -i        (a spike of weight w: i += w)

    i and bias are in the units of v (unit resistance). A step of dt is integrated exactly (Rotter and Diesmann 1999):
    v' = v_inf + (v - v_inf) a + i tau_syn (a - b) / (tau_mem - tau_syn), i' = i b, with v_inf = v_rest + bias,
    a = exp(-dt/tau_mem), b = exp(-dt/tau_syn); for equal constants the factor of i is dt a / tau_mem. With
    tau_syn_ms = 0 the synapse is a delta: a spike of weight w lifts v by w. v' >= v_th emits a spike and sets v to
    v_reset, where it stays for round(t_ref / dt) further steps while i keeps decaying.
    Raises ConfigError on a non-finite or impossible value.
    """

    tau_mem_ms: float
    tau_syn_ms: float
    v_th: float
    v_reset: float = 0.0
    v_rest: float = 0.0
    t_ref_ms: float = 0.0
    bias: float = 0.0

    def __post_init__(self) -> None:
        check_numbers(self, positive=("tau_mem_ms",), not_negative=("tau_syn_ms", "t_ref_ms"))
        if self.v_reset >= self.v_th:
            raise ConfigError(
                f"LIF.v_reset: expected a value below v_th = {self.v_th}, got {self.v_reset}; "
                "the neuron would fire again at once"
            )


@dataclass(frozen=True)
class STDP:
    """Pair STDP, all to all, with an eligibility trace gated by a reward per postsynaptic neuron (three factors).

    The pre trace x grows by the spike's value when it arrives (after its delay), the post trace y by 1 at each spike;
    they decay with tau_plus and tau_minus. An arrival of value s adds -a_minus s y, a post spike adds +a_plus x:

        de/dt = -e / tau_eligibility + STDP(pair)           dw = learning_rate * reward_post * e   per millisecond

    With tau_eligibility_ms = 0 the rule is plain pair STDP: dw = learning_rate * STDP(pair), reward plays no part.
    Weights also relax to 0 by weight_decay_per_s and are clipped to w_min .. w_max at every change.

    same_step decides about an arrival and a post spike in one step (dt = 0). The arrival is integrated before the
    threshold is tested, so it may have caused the spike: by default (True) the pair potentiates with the full a_plus;
    False leaves such pairs out. It never counts as depression. The choice is worth several per cent of mean weight.
    Raises ConfigError on a non-finite or impossible value.
    """

    a_plus: float
    a_minus: float
    tau_plus_ms: float
    tau_minus_ms: float
    tau_eligibility_ms: float
    learning_rate: float
    w_min: float
    w_max: float
    weight_decay_per_s: float = 0.0
    same_step: bool = True

    def __post_init__(self) -> None:
        check_numbers(
            self,
            positive=("tau_plus_ms", "tau_minus_ms"),
            not_negative=("tau_eligibility_ms", "weight_decay_per_s"),
        )
        if self.w_min > self.w_max:
            raise ConfigError(f"STDP.w_min: expected at most w_max = {self.w_max}, got {self.w_min}")
        if self.weight_decay_per_s > 0 and not self.w_min <= 0 <= self.w_max:
            raise ConfigError(
                f"STDP.weight_decay_per_s: weights relax to 0, which lies outside {self.w_min} .. {self.w_max}; "
                "widen the bounds or set it to 0"
            )


def check_numbers(primitive: object, positive: tuple[str, ...] = (), not_negative: tuple[str, ...] = ()) -> None:
    """Check every number of a primitive; ConfigError names the primitive and the parameter."""
    kind = type(primitive).__name__
    for item in dataclasses.fields(primitive):  # type: ignore[arg-type]
        value = getattr(primitive, item.name)
        if item.type == "bool":
            if not isinstance(value, bool):
                raise ConfigError(f"{kind}.{item.name}: expected True or False, got {value!r}")
            continue
        check_number(f"{kind}.{item.name}", value)
        if item.name in positive and value <= 0:
            raise ConfigError(f"{kind}.{item.name}: expected a value above 0, got {value!r}")
        if item.name in not_negative and value < 0:
            raise ConfigError(f"{kind}.{item.name}: expected 0 or more, got {value!r}")


def check_number(name: str, value: object) -> float:
    """The value as float when it is a finite number of sensible size; ConfigError otherwise."""
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        number = math.nan
    if isinstance(value, (bool, str)) or not abs(number) <= LARGEST:
        raise ConfigError(f"{name}: expected a finite number of magnitude up to {LARGEST:g}, got {value!r}")
    return number
