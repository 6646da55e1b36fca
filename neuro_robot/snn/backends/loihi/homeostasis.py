"""Homeostatic scaling in the chip's form: two terms of the post trace y3, which holds the neuron's rate."""

from __future__ import annotations

import math
from dataclasses import replace

from neuro_robot.errors import ConfigError
from neuro_robot.snn.backends.loihi import rules
from neuro_robot.snn.backends.loihi.plasticity import Plasticity, Rate
from neuro_robot.snn.backends.loihi.rules import ChipRule
from neuro_robot.snn.products import Factor
from neuro_robot.snn.rules import Homeostasis

LEVEL = 32.0  # y3 at the target rate: it saturates at four times that
LARGEST_IMPULSE, SMALLEST_IMPULSE = 100.0, 1 / 16
FINE = 6  # times the chip's smallest coefficient: enough to meet an amount within a tenth
W, Y3 = (Factor(name, 0.0, False) for name in ("w", "y3"))


def with_scaling(
    where: str, beside: Plasticity | None, told: Homeostasis, w: tuple[int, int], dt_ms: float
) -> Plasticity:
    """The rule beside it, or none, with scaling added, for bounds w in units.

        every 2^k steps: w += c w - (c / level) w y3        y3 is `level` on average at the target rate

    2^k steps are the nearest to the period, or more where one period moves a weight by less than the chip can express;
    the gain is per time, so only the graininess changes. Raises ConfigError when the rule needs y3 itself.
    """
    rule = beside.rule if beside else ChipRule((), (0.0,) * 5, (0.0,) * 5, *w, rules.ARRIVAL_FIRST)
    if rule.reward != rules.NO_REWARD or rule.order == rules.BOTH:
        raise ConfigError(
            f"{where}: Homeostasis: the chip scales by its trace y3, which the other rule of this connection uses; "
            "expected no other rule, or STDP without eligibility; drop one of the two"
        )
    if told.gain == 0:
        return beside or Plasticity(rule, ())
    terms, impulse, period = _terms(where, told, dt_ms)
    made = replace(
        rule,
        products=(*rule.products, *terms),
        impulses=(*rule.impulses[:4], impulse),
        taus=(*rule.taus[:4], told.tau_rate_ms / dt_ms),
        w_min=max(rule.w_min, w[0]),
        w_max=min(rule.w_max, w[1]),
    )
    seconds = period * dt_ms * 1e-3
    held = -terms[-1].coefficient * impulse * told.tau_rate_ms * 1e-3 / seconds
    rates = (Rate("gain", told.gain, held), Rate("scaling period, ms", told.period_ms, period * dt_ms))
    return Plasticity(made, (*(beside.rates if beside else ()), *rates))


def _terms(where: str, told: Homeostasis, dt_ms: float) -> tuple[tuple[rules.ChipProduct, ...], float, int]:
    """The terms, the impulse of y3 that makes their ratio exact, and the steps between two uses."""
    name, tau_s = f"{where}: Homeostasis", told.tau_rate_ms * 1e-3
    spikes = told.target_rate_hz * tau_s  # y3 at the target, for an impulse of 1
    least = FINE * math.ldexp(1.0, rules.EXPONENT[0])
    bits = min(max(round(math.log2(told.period_ms / dt_ms)), 0), rules.LARGEST_PERIOD_BITS)

    def step(k: int) -> float:
        return told.gain * (dt_ms * 1e-3) * (1 << k)

    while spikes and bits < rules.LARGEST_PERIOD_BITS and step(bits) * told.target_rate_hz < least:
        bits += 1
    if not spikes:
        down = rules.product(name, "w", -step(bits) / (LEVEL * tau_s), f"u{bits}", (W, Y3))
        return (down,), LEVEL, 1 << bits
    up = rules.product(name, "w", step(bits) * told.target_rate_hz, f"u{bits}", (W,))
    level = min(LEVEL, LARGEST_IMPULSE * spikes)
    down = rules.product(name, "w", -up.coefficient / level, f"u{bits}", (W, Y3))
    impulse = -up.coefficient / down.coefficient / spikes
    if not SMALLEST_IMPULSE <= impulse <= rules.LARGEST_TRACE:
        raise ConfigError(
            f"{name}: target_rate_hz times tau_rate_ms: expected up to {LEVEL / SMALLEST_IMPULSE:g} spikes, got "
            f"{spikes:g}; shorten tau_rate_ms"
        )
    return (up, down), impulse, 1 << bits
