"""The third factor on the chip: reward times tag, and how a tag decays."""

from __future__ import annotations

import math

from neuro_robot.errors import ConfigError
from neuro_robot.snn.backends.loihi import rules
from neuro_robot.snn.backends.loihi.rules import LARGEST_PERIOD_BITS, ChipProduct
from neuro_robot.snn.products import Factor
from neuro_robot.snn.rules import STDP

LARGEST_ELIGIBILITY = 64.0  # pairs that a tag should hold before it saturates
STEADY = 4  # eligibility is to outlast this many reward periods
TAG, Y2, Y3 = (Factor(name, 0.0, False) for name in ("t", "y2", "y3"))
REWARD_SHIFT = rules.dropped_bits((TAG, Y2))


def reward(
    where: str, told: STDP, unit: float, dt_ms: float, largest_reward: float
) -> tuple[tuple[ChipProduct, ...], float, float, int]:
    """The terms u tag y2 and -u tag y3, the reward of a full trace, tags per unit of eligibility, and the period.

    The coefficient is rounded up to one that the chip has, and the reward's scale makes up for it exactly.
    """
    largest_amount = max(abs(told.a_plus), abs(told.a_minus)) or 1.0
    tag_unit = (rules.LARGEST_TAG + 1) / LARGEST_ELIGIBILITY / largest_amount
    if told.learning_rate == 0:
        return (), largest_reward, tag_unit, 1
    while True:
        period, wanted = _reward_period(told, unit, tag_unit, dt_ms, largest_reward)
        value = math.ldexp(wanted, REWARD_SHIFT)
        form = _at_least(value)
        if form is not None and math.ldexp(*form) / value < 2.5:
            break
        tag_unit /= 2
        if tag_unit * largest_amount < 1 / 16:
            raise ConfigError(
                f"{where}: learning_rate {told.learning_rate:g}: a reward of {largest_reward:g} moves a weight by "
                f"{wanted:.2g} of its smallest step per tag, which the chip cannot express; change the rate or "
                "largest_reward, or lengthen tau_eligibility_ms"
            )
    mantissa, exponent = form
    terms = tuple(
        ChipProduct("w", sign * mantissa, exponent, rules.U, (TAG, y), period) for sign, y in ((1, Y2), (-1, Y3))
    )
    return terms, largest_reward * math.ldexp(*form) / value, tag_unit, period


def _reward_period(told: STDP, unit: float, tag_unit: float, dt_ms: float, largest_reward: float) -> tuple[int, float]:
    """Steps between two uses of the reward, and the change of a weight per tag and unit of y2 that they call for."""
    step = told.learning_rate * dt_ms * largest_reward / (rules.LARGEST_TRACE * tag_unit * unit)
    period = 1
    floor = math.ldexp(4.0, rules.EXPONENT[0] - REWARD_SHIFT)
    for _ in range(LARGEST_PERIOD_BITS):
        if abs(step) * period >= floor or 2 * period * dt_ms * STEADY > told.tau_eligibility_ms:
            break
        period *= 2
    return period, step * period


def _at_least(value: float) -> tuple[int, int] | None:
    """The smallest mantissa and exponent not below value in size; None when value is 0 or beyond the chip."""
    forms = [
        (math.ldexp(mantissa, exponent), mantissa, exponent)
        for exponent in range(rules.EXPONENT[0], rules.EXPONENT[1] + 1)
        for mantissa in range(1, rules.MANTISSA[1] + 1)
        if math.ldexp(mantissa, exponent) >= abs(value) > 0
    ]
    if not forms:
        return None
    _, mantissa, exponent = min(forms)
    return (mantissa if value > 0 else -mantissa), exponent


def tag_decay(tau: float) -> ChipProduct:
    """The term that lets the tag decay with tau steps: the mantissa, exponent and period that come nearest to it."""
    best: tuple[float, ChipProduct] | None = None
    for bits in range(LARGEST_PERIOD_BITS + 1):
        period = 1 << bits
        if bits and period * 8 > tau:
            break
        mantissa, exponent = rules.nearest(math.expm1(-period / tau))
        term = ChipProduct("t", mantissa, exponent, rules.U, (TAG,), period)
        if not -1.0 < term.coefficient < 0.0:
            continue
        error = abs(-period / math.log1p(term.coefficient) / tau - 1.0)
        if best is None or error < 0.9 * best[0]:
            best = error, term
    if best is None:
        return ChipProduct("t", -4, -2, rules.U, (TAG,), 1)  # shorter than a step: gone at once
    return best[1]
