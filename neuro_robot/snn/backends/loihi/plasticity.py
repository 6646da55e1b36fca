"""From a float learning rule to the chip's: which trace stands for what, and how far its rates can be met."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from neuro_robot.errors import ConfigError
from neuro_robot.snn.backends.loihi import rules
from neuro_robot.snn.backends.loihi.rules import ChipProduct, ChipRule
from neuro_robot.snn.products import Factor, Product
from neuro_robot.snn.rules import STDP, SumOfProducts

IMPULSES = tuple(12.0 + k / 4 for k in range(49))  # of x1 and y1, halved as often as small amounts need it
HALVINGS = 4
CLOSE = 0.1  # relative error of an amount that is good enough
NEAREST_IMPULSE = 127.0  # a full one: a trace that saturates forgets the spikes before the last
LARGEST_ELIGIBILITY = 64.0  # pairs that a tag should hold before it saturates
STEADY = 4  # eligibility is to outlast this many reward periods
LARGEST_PERIOD_BITS = 9
TAG, X1, Y1, Y2, Y3 = (Factor(name, 0.0, False) for name in ("t", "x1", "y1", "y2", "y3"))


class Rate(NamedTuple):
    """One number of a rule: as wanted, as held by the chip."""

    name: str
    wanted: float
    held: float


@dataclass(frozen=True)
class Plasticity:
    """A chip rule and what became of the rates."""

    rule: ChipRule
    rates: tuple[Rate, ...]


def stdp(where: str, told: STDP, unit: float, w: tuple[int, int], dt_ms: float, largest_reward: float) -> Plasticity:
    """Pair STDP, with or without reward, for weights of `unit` each and bounds w. ConfigError when it has no form."""
    order = rules.ARRIVAL_FIRST if told.same_step else rules.APART
    taus = (told.tau_plus_ms / dt_ms, 0.0, told.tau_minus_ms / dt_ms, 0.0, 0.0)
    if told.tau_eligibility_ms == 0:
        impulse, pairs = _pairs(where, told, "w", told.learning_rate / unit)
        terms = (*pairs, *_weight_decay(where, told, dt_ms))
        rule = ChipRule(terms, (impulse, 0.0, impulse, 0.0, 0.0), taus, *w, order)
        return Plasticity(rule, _rates(told, told.learning_rate / unit, impulse, terms))
    gain, scale, tag_unit, period = _reward(where, told, unit, dt_ms, largest_reward)
    impulse, pairs = _pairs(where, told, "t", tag_unit)
    decay = _tag_decay(told.tau_eligibility_ms / dt_ms)
    forget = _weight_decay(where, told, dt_ms)
    chip = ChipRule(
        (*gain, decay, *pairs, *forget), (impulse, 0.0, impulse, 0.0, 0.0), taus, *w, order, rules.SIGNED_REWARD,
        scale, period, tag_unit,
    )  # fmt: skip
    held = (
        *_rates(told, tag_unit, impulse, (*pairs, *forget)),
        Rate("tau_eligibility_ms", told.tau_eligibility_ms, -decay.period * dt_ms / math.log1p(decay.coefficient)),
        Rate("reward period, ms", dt_ms, period * dt_ms),
        Rate("largest reward", largest_reward, scale),
    )
    return Plasticity(chip, held)


_REWARD_SHIFT = rules.dropped_bits((TAG, Y2))


def sum_of_products(where: str, told: SumOfProducts, unit: float, w: tuple[int, int], dt_ms: float) -> Plasticity:
    """A rule that is written in the chip's form, for weights of `unit` each; tags keep their unit."""
    made: list[ChipProduct] = []
    rates = []
    for target in ("w", "t"):
        for term in told.products(target):
            coefficient = term.coefficient / (unit if target == "w" else 1.0)
            factors, coefficient = _in_units(term, coefficient, unit)
            made.append(rules.product(f"{where}: d{target}", target, coefficient, term.dependency, factors))
            held = term.coefficient * made[-1].coefficient / coefficient if coefficient else 0.0
            rates.append(Rate(f"d{target} {term.dependency}", term.coefficient, held))
    if len(made) > rules.MOST_PRODUCTS:
        raise ConfigError(f"{where}: the chip has {rules.MOST_PRODUCTS} products, got {len(made)}")
    names = ("x1", "x2", "y1", "y2", "y3")
    impulses = tuple(float(getattr(told, f"{name}_impulse")) for name in names)
    if max(impulses) > rules.LARGEST_TRACE:
        raise ConfigError(f"{where}: impulses: a trace holds up to {rules.LARGEST_TRACE}, got {max(impulses):g}")
    taus = tuple(getattr(told, f"{name}_tau_ms") / dt_ms for name in names)
    if told.y3_is_reward:
        impulses, taus = (*impulses[:4], 0.0), (*taus[:4], 0.0)
    reward = rules.REWARD_Y3 if told.y3_is_reward else rules.NO_REWARD
    return Plasticity(ChipRule(tuple(made), impulses, taus, *w, rules.BOTH, reward), tuple(rates))


def _in_units(term: Product, coefficient: float, unit: float) -> tuple[tuple[Factor, ...], float]:
    """The factors with weights counted in units, and the coefficient that makes up for it."""
    factors = []
    for factor in term.factors:
        scale = unit if factor.variable == "w" else 1.0
        factors.append(factor._replace(constant=float(round(factor.constant / scale))))
        coefficient *= 1.0 if factor.sign else scale
    return tuple(factors), coefficient


def _pairs(where: str, told: STDP, target: str, unit: float) -> tuple[float, tuple[ChipProduct, ...]]:
    """The two pair terms, with the impulse for which the chip's coefficients meet them best."""
    amounts = [(told.a_plus * unit, "y0", X1), (-told.a_minus * unit, "x0", Y1)]
    amounts = [amount for amount in amounts if amount[0]]
    values = [amount for amount, _, _ in amounts]
    if told.pairing == "nearest":
        impulse = NEAREST_IMPULSE
    else:
        for halving in range(HALVINGS + 1):
            impulse = min((one / (1 << halving) for one in IMPULSES), key=lambda one: _misfit(values, one))
            if _misfit(values, impulse) < CLOSE:
                break
    made = [
        rules.product(f"{where}: {dependency}", target, amount / impulse, dependency, (factor,))
        for amount, dependency, factor in amounts
    ]
    return impulse, tuple(made)


def _misfit(amounts: list[float], impulse: float) -> float:
    """The largest relative error of the amounts per unit of a trace that the chip can express."""
    held = [math.ldexp(*rules.nearest(amount / impulse)) * impulse for amount in amounts]
    return max((abs(one / amount - 1.0) for one, amount in zip(held, amounts, strict=True)), default=0.0)


def _reward(
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
        value = math.ldexp(wanted, _REWARD_SHIFT)
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
    floor = math.ldexp(4.0, rules.EXPONENT[0] - _REWARD_SHIFT)
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


def _tag_decay(tau: float) -> ChipProduct:
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


def _weight_decay(where: str, told: STDP, dt_ms: float) -> tuple[ChipProduct, ...]:
    """The term that lets the weight relax to 0, over as many steps as the chip's smallest coefficient asks for."""
    rate = told.weight_decay_per_s * dt_ms * 1e-3
    if rate == 0:
        return ()
    factors = (Factor("w", 0.0, False),)
    floor = math.ldexp(4.0, rules.EXPONENT[0])
    bits = next((k for k in range(LARGEST_PERIOD_BITS) if -math.expm1(-rate * (1 << k)) >= floor), LARGEST_PERIOD_BITS)
    amount = math.expm1(-rate * (1 << bits))
    return (rules.product(f"{where}: weight_decay_per_s", "w", amount, f"u{bits}", factors),)


def _rates(told: STDP, unit: float, impulse: float, made: tuple[ChipProduct, ...]) -> tuple[Rate, ...]:
    names = {rules.Y0: ("a_plus", told.a_plus, 1), rules.X0: ("a_minus", told.a_minus, -1)}
    found = []
    for product in made:
        if product.dependency in names:
            name, wanted, sign = names[product.dependency]
            found.append(Rate(name, wanted, sign * product.coefficient * impulse / unit))
        elif told.weight_decay_per_s:
            found.append(Rate("weight decay per period", -told.weight_decay_per_s, product.coefficient))
    return tuple(found)
