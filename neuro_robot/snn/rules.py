"""The learning rules of a connection. Times are in ms; a pair is timed by the arrival of the pre spike."""

from __future__ import annotations

from dataclasses import dataclass

from neuro_robot.errors import ConfigError
from neuro_robot.snn.primitives import Rule, check_choice, check_numbers
from neuro_robot.snn.products import TRACES, Product, parse_products

__all__ = ["STDP", "Homeostasis", "SumOfProducts", "TripletSTDP"]

PAIRINGS = ("all", "nearest")


@dataclass(frozen=True)
class STDP(Rule):
    """Pair STDP, with an eligibility trace gated by a reward per postsynaptic neuron (three factors) if wanted.

    The pre trace x grows by the spike's value when it arrives (after its delay), the post trace y by 1 at each spike;
    they decay with tau_plus and tau_minus. An arrival of value s adds -a_minus s y, a post spike adds +a_plus x:

        de/dt = -e / tau_eligibility + STDP(pair)           dw = learning_rate * reward_post * e   per millisecond

    With tau_eligibility_ms = 0 the rule is plain pair STDP: dw = learning_rate * STDP(pair), reward plays no part.
    Weights also relax to 0 by weight_decay_per_s and are clipped to w_min .. w_max at every change.

    pairing "all" pairs every arrival with every post spike; "nearest" sets a trace to the value instead of adding it,
    so each spike pairs with the last one of the other side only (symmetric scheme, Morrison et al. 2008, fig. 7A).

    same_step decides about an arrival and a post spike in one step (dt = 0). The arrival is integrated before the
    threshold is tested, so it may have caused the spike: by default (True) the pair potentiates with the full a_plus;
    False leaves such pairs out. It never counts as depression. The choice is worth several per cent of mean weight.
    Sources: Song, Miller and Abbott 2000 (pairs); Izhikevich 2007, Florian 2007 (eligibility and reward).
    Raises ConfigError on a non-finite or impossible value.
    """

    a_plus: float = 0.01
    a_minus: float = 0.0105
    tau_plus_ms: float = 20.0
    tau_minus_ms: float = 20.0
    tau_eligibility_ms: float = 0.0
    learning_rate: float = 1.0
    w_min: float = 0.0
    w_max: float = 1.0
    weight_decay_per_s: float = 0.0
    same_step: bool = True
    pairing: str = "all"

    def __post_init__(self) -> None:
        check_numbers(
            self,
            positive=("tau_plus_ms", "tau_minus_ms"),
            not_negative=("tau_eligibility_ms", "weight_decay_per_s"),
        )
        check_choice(f"{type(self).__name__}.pairing", self.pairing, PAIRINGS)
        check_bounds(self, self.w_min, self.w_max)
        if self.weight_decay_per_s > 0 and not self.w_min <= 0 <= self.w_max:
            raise ConfigError(
                f"{type(self).__name__}.weight_decay_per_s: weights relax to 0, which lies outside "
                f"{self.w_min} .. {self.w_max}; widen the bounds or set it to 0"
            )


@dataclass(frozen=True)
class TripletSTDP(STDP):
    """Triplet STDP: pair STDP (see STDP) whose amounts grow with slow traces of the same side.

    Beside x and y there are x2 (tau_x, pre) and y2 (tau_y, post), read before the spike at hand raises them:

        arrival of value s: -s y (a_minus + a3_minus x2)        post spike: +x (a_plus + a3_plus y2)

    All other fields mean what they mean for STDP; with pairing "nearest" x2 and y2 are set to the value, too.
    Source: Pfister and Gerstner, J. Neuroscience 26, 2006, equations 3 and 4 (r1, r2, o1, o2 = x, x2, y, y2).
    Raises ConfigError on a non-finite or impossible value.
    """

    a3_plus: float = 0.006
    a3_minus: float = 0.0
    tau_x_ms: float = 101.0
    tau_y_ms: float = 125.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_numbers(self, positive=("tau_x_ms", "tau_y_ms"))


@dataclass(frozen=True)
class Homeostasis(Rule):
    """Homeostatic scaling: all weights onto a neuron grow or shrink by one factor until its rate is the target.

        tau_rate dr/dt = -r + spikes        every period: w *= 1 + gain period (target_rate - r),  then clipped

    r is in Hz, gain per (Hz second). It works beside another rule of the connection and is switched with it.
    Source: van Rossum, Bi and Turrigiano, J. Neuroscience 20, 2000, the proportional term.
    Raises ConfigError on a non-finite or impossible value.
    """

    target_rate_hz: float = 10.0
    tau_rate_ms: float = 1000.0
    gain: float = 0.01
    period_ms: float = 100.0
    w_min: float = 0.0
    w_max: float = 1.0

    def __post_init__(self) -> None:
        check_numbers(self, positive=("tau_rate_ms", "period_ms"), not_negative=("target_rate_hz", "gain"))
        check_bounds(self, self.w_min, self.w_max)


def check_bounds(rule: Rule, w_min: float, w_max: float) -> None:
    """ConfigError when the lower bound of the weights lies above the upper."""
    if w_min > w_max:
        raise ConfigError(f"{type(rule).__name__}.w_min: expected at most w_max = {w_max}, got {w_min}")


@dataclass(frozen=True)
class SumOfProducts(Rule):
    """A local rule as sums of products of spikes, traces and synaptic variables, in the form of Loihi's engine.

        dw += sum_i c_i * dependency_i * prod_j factor_ij        dt += ... (the tag t, a second number per synapse)

    Text as in Lava: "2^-2*x1*y0 - 2^-4*y1*x0 - 2^-6*u3*t". Each term has exactly one dependency: x0 (an arrival), y0 (a
    post spike) or u0 .. u9 (every 2^k epochs), and any number of factors: x1, x2, y1, y2, y3, w, t, a bracket with a
    constant such as (x1 + 3), a sign sgn(w), and numbers and powers 2^k as its coefficient.
    x1 and x2 (of each pre neuron) and y1, y2, y3 (of each post neuron) decay with their tau and grow by their impulse
    at each spike; x0 is the value of the spike. Traces are raised before the terms of the step are evaluated ("at equal
    times both impulses are included"), and all terms read the variables as they were before any of them changed. y3 is
    the reward of the post neuron when y3_is_reward (the third factor), which then does not decay.
    Source: Davies et al., IEEE Micro 38, 2018, and Lava's LoihiLearningRule.
    Raises ConfigError on a term that cannot be read, and on a non-finite or impossible value.
    """

    dw: str = "2^-7*x1*y0 - 2^-7*y1*x0"
    dt: str = ""
    x1_impulse: float = 16.0
    x1_tau_ms: float = 20.0
    x2_impulse: float = 16.0
    x2_tau_ms: float = 100.0
    y1_impulse: float = 16.0
    y1_tau_ms: float = 20.0
    y2_impulse: float = 16.0
    y2_tau_ms: float = 100.0
    y3_impulse: float = 16.0
    y3_tau_ms: float = 500.0
    y3_is_reward: bool = False
    w_min: float = -256.0
    w_max: float = 254.0

    def __post_init__(self) -> None:
        positive = tuple(f"{trace}_tau_ms" for trace in TRACES)
        check_numbers(self, positive=positive, not_negative=tuple(f"{trace}_impulse" for trace in TRACES))
        check_bounds(self, self.w_min, self.w_max)
        self.products("w")
        self.products("t")

    def products(self, variable: str) -> tuple[Product, ...]:
        """The terms that change the weight ("w") or the tag ("t")."""
        return parse_products(f"{type(self).__name__}.d{variable}", self.dw if variable == "w" else self.dt)
