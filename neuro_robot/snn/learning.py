"""The numbers that the kernels need of each learning rule: columns of `rules`, `rates`, terms and scalings."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from neuro_robot.snn.kernels.tables import DEFERRED, EAGER, PRODUCTS
from neuro_robot.snn.kernels.terms import U0, X0, Y0
from neuro_robot.snn.primitives import Rule
from neuro_robot.snn.products import VARIABLES
from neuro_robot.snn.rules import STDP, Homeostasis, SumOfProducts, TripletSTDP

LONGEST_WINDOW = 128  # steps over which a deferred rule's sums run; `past` holds as many rows
SMALLEST_POWER = math.exp(-14.0)  # of the trace's decay inside a window


def kind(rule: Rule, dt_ms: float, deferred: bool) -> tuple[int, int]:
    """How the kernels work a rule, and the window of a deferred one in steps (0 of others).

    A rule can be deferred when the weight itself changes, by pairs alone, and potentiation has one sign.
    """
    if isinstance(rule, SumOfProducts):
        return PRODUCTS, 0
    assert isinstance(rule, STDP)
    window = int(min(LONGEST_WINDOW, -math.log(SMALLEST_POWER) * rule.tau_plus_ms / dt_ms))
    one_sign = not isinstance(rule, TripletSTDP) or rule.a_plus * rule.a3_plus >= 0
    if deferred and one_sign and window >= 8 and rule.tau_eligibility_ms == 0 and rule.weight_decay_per_s == 0:
        return DEFERRED, window
    return EAGER, 0


def flags(rule: Rule) -> tuple[int, int, int, int]:
    """Three factors, pairs of the same step, weights decay, reward not spread yet."""
    if not isinstance(rule, STDP):
        return 0, 1, 0, 0
    return int(rule.tau_eligibility_ms > 0), int(rule.same_step), int(rule.weight_decay_per_s > 0), 1


def variants(rule: Rule) -> tuple[int, int]:
    """Nearest spikes only, triplets."""
    return int(isinstance(rule, STDP) and rule.pairing == "nearest"), int(isinstance(rule, TripletSTDP))


def rates(rule: Rule, dt_ms: float) -> tuple[float, ...]:
    """The row of `rates`."""
    if isinstance(rule, SumOfProducts):
        keep = [math.exp(-dt_ms / getattr(rule, f"{trace}_tau_ms")) for trace in ("x1", "y1", "x2", "y2", "y3")]
        third = -1.0 if rule.y3_is_reward else keep[4]
        return (
            rule.x1_impulse, rule.x2_impulse, keep[0], keep[1], 0.0, 0.0, rule.w_min, rule.w_max, 1.0,
            rule.y1_impulse, rule.y2_impulse, keep[2], keep[3], third, rule.y3_impulse,
        )  # fmt: skip
    assert isinstance(rule, STDP)
    three = rule.tau_eligibility_ms > 0
    factor = 1.0 if three else rule.learning_rate  # the plain rule changes weights by these amounts directly
    triplet = rule if isinstance(rule, TripletSTDP) else None
    return (
        rule.a_plus * factor,
        rule.a_minus * factor,
        math.exp(-dt_ms / rule.tau_plus_ms),
        math.exp(-dt_ms / rule.tau_minus_ms),
        math.exp(-dt_ms / rule.tau_eligibility_ms) if three else 0.0,
        rule.learning_rate * dt_ms,
        rule.w_min,
        rule.w_max,
        math.exp(-rule.weight_decay_per_s * dt_ms * 1e-3),
        triplet.a3_plus * factor if triplet else 0.0,
        triplet.a3_minus * factor if triplet else 0.0,
        math.exp(-dt_ms / triplet.tau_x_ms) if triplet else 0.0,
        math.exp(-dt_ms / triplet.tau_y_ms) if triplet else 0.0,
        0.0,
        0.0,
    )


def past(rule: Rule, dt_ms: float, window: int, size: int) -> NDArray[np.float64]:
    """A deferred rule's part of `past`: window + 1 rows of sums, and the powers of both pre decays."""
    keep = rates(rule, dt_ms)
    steps = np.arange(window + 2)
    return np.concatenate([np.zeros((window + 1) * size), keep[2] ** steps, keep[11] ** steps])


class Terms:
    """The tables of all sums of products, growing rule by rule."""

    def __init__(self) -> None:
        self.terms: list[tuple[int, int, int]] = []
        self.factors: list[tuple[int, int]] = []
        self.coefficients: list[float] = []
        self.constants: list[float] = []

    def add(self, rule: Rule) -> tuple[int, int]:
        """First term and number of terms of a rule, none unless it is a sum of products."""
        first = len(self.terms)
        for number, variable in enumerate(("w", "t") if isinstance(rule, SumOfProducts) else ()):
            assert isinstance(rule, SumOfProducts)
            for product in rule.products(variable):
                self.factors += [(VARIABLES.index(f.variable), int(f.sign)) for f in product.factors]
                self.constants += [f.constant for f in product.factors]
                self.coefficients.append(product.coefficient)
                dependency = {"x0": X0, "y0": Y0}.get(product.dependency)
                dependency = U0 + int(product.dependency[1:]) if dependency is None else dependency
                self.terms.append((number, dependency, len(self.factors)))
        return first, len(self.terms) - first


def scaling_rates(scaling: Homeostasis, dt_ms: float, period: int) -> tuple[float, ...]:
    """The row of `scaling_rates`: decay of the mean rate, jump at a spike in Hz, gain of a period, target, bounds."""
    return (
        math.exp(-dt_ms / scaling.tau_rate_ms),
        1000.0 / scaling.tau_rate_ms,
        scaling.gain * period * dt_ms * 1e-3,
        scaling.target_rate_hz,
        scaling.w_min,
        scaling.w_max,
    )
