"""From a float learning rule to the chip's: which trace stands for what, and how far its rates can be met."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from neuro_robot.errors import ConfigError
from neuro_robot.snn.backends.loihi import rules, third_factor
from neuro_robot.snn.backends.loihi.rules import LARGEST_PERIOD_BITS, ChipProduct, ChipRule
from neuro_robot.snn.products import Factor, Product
from neuro_robot.snn.rules import STDP, SumOfProducts, TripletSTDP

IMPULSES = tuple(12.0 + k / 4 for k in range(49))  # of x1 and y1, halved as often as small amounts need it
SLOW_IMPULSES = tuple(6.0 + k / 8 for k in range(49))  # of x2 and y2, which gather the spikes of a longer time
HALVINGS = 4
CLOSE = 0.1  # relative error of an amount that is good enough
NEAREST_IMPULSE = 127.0  # a full one: a trace that saturates forgets the spikes before the last
X1, X2, Y1, Y2 = (Factor(name, 0.0, False) for name in ("x1", "x2", "y1", "y2"))


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
    """Pair or triplet STDP, with or without reward, for weights of `unit` each and bounds w.

    ConfigError when it has no form.
    """
    order = rules.ARRIVAL_FIRST if told.same_step else rules.APART
    slow = (told.tau_x_ms / dt_ms, told.tau_y_ms / dt_ms) if isinstance(told, TripletSTDP) else (0.0, 0.0)
    taus = (told.tau_plus_ms / dt_ms, slow[0], told.tau_minus_ms / dt_ms, slow[1], 0.0)
    if told.tau_eligibility_ms == 0:
        amount = told.learning_rate / unit
        impulses, pairs = _pairs(where, told, "w", amount)
        terms = (*pairs, *_weight_decay(where, told, dt_ms))
        return Plasticity(ChipRule(terms, impulses, taus, *w, order), _rates(told, amount, impulses, terms))
    if isinstance(told, TripletSTDP) and told.a3_plus:
        raise ConfigError(
            f"{where}: TripletSTDP.a3_plus: the chip keeps the reward where the slow post trace would be; expected 0 "
            f"beside tau_eligibility_ms > 0, got {told.a3_plus:g}; set one of them to 0"
        )
    gain, scale, tag_unit, period = third_factor.reward(where, told, unit, dt_ms, largest_reward)
    impulses, pairs = _pairs(where, told, "t", tag_unit)
    decay = third_factor.tag_decay(told.tau_eligibility_ms / dt_ms)
    forget = _weight_decay(where, told, dt_ms)
    chip = ChipRule(
        (*gain, decay, *pairs, *forget), impulses, (*taus[:3], 0.0, 0.0), *w, order, rules.SIGNED_REWARD, scale,
        period, tag_unit,
    )  # fmt: skip
    held = (
        *_rates(told, tag_unit, impulses, (*pairs, *forget)),
        Rate("tau_eligibility_ms", told.tau_eligibility_ms, -decay.period * dt_ms / math.log1p(decay.coefficient)),
        Rate("reward period, ms", dt_ms, period * dt_ms),
        Rate("largest reward", largest_reward, scale),
    )
    return Plasticity(chip, held)


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


def _pairs(where: str, told: STDP, target: str, unit: float) -> tuple[tuple[float, ...], tuple[ChipProduct, ...]]:
    """The pair and triplet terms, with the impulses for which the chip's coefficients meet them best."""
    pairs = [(told.a_plus * unit, "y0", (X1,)), (-told.a_minus * unit, "x0", (Y1,))]
    fast = _impulse(told, [amount for amount, _, _ in pairs if amount], IMPULSES, 0)
    impulses = [fast, 0.0, fast, 0.0, 0.0]
    terms: list[tuple[float, str, tuple[Factor, ...]]] = [(pair[0] / fast, pair[1], pair[2]) for pair in pairs]
    if isinstance(told, TripletSTDP):
        for amount, dependency, factors, trace in (
            (told.a3_plus * unit / fast, "y0", (X1, Y2), 3),
            (-told.a3_minus * unit / fast, "x0", (Y1, X2), 1),
        ):
            if amount:
                impulses[trace] = _impulse(told, [amount], SLOW_IMPULSES, rules.dropped_bits(factors))
                terms.append((amount / impulses[trace], dependency, factors))
    made = [
        rules.product(f"{where}: {dependency}", target, amount, dependency, factors)
        for amount, dependency, factors in terms
        if amount
    ]
    return tuple(impulses), tuple(made)


def _impulse(told: STDP, amounts: list[float], choices: tuple[float, ...], shift: int) -> float:
    """The impulse of a trace for which the chip's coefficients, less `shift` bits, meet the amounts best."""
    if told.pairing == "nearest":
        return NEAREST_IMPULSE
    for halving in range(HALVINGS + 1):
        best = min((one / (1 << halving) for one in choices), key=lambda one: _misfit(amounts, one, shift))
        if _misfit(amounts, best, shift) < CLOSE:
            break
    return best


def _misfit(amounts: list[float], impulse: float, shift: int) -> float:
    """The largest relative error of the amounts per unit of a trace that the chip can express."""
    forms = [rules.nearest(math.ldexp(amount / impulse, shift)) for amount in amounts]
    held = [math.ldexp(mantissa, exponent - shift) * impulse for mantissa, exponent in forms]
    return max((abs(one / amount - 1.0) for one, amount in zip(held, amounts, strict=True)), default=0.0)


def _weight_decay(where: str, told: STDP, dt_ms: float) -> tuple[ChipProduct, ...]:
    """The term that lets the weight relax to 0, over as many steps as the chip's smallest coefficient asks for."""
    rate = told.weight_decay_per_s * dt_ms * 1e-3
    if rate == 0:
        return ()
    factors = (Factor("w", 0.0, False),)
    floor = math.ldexp(4.0, rules.EXPONENT[0])
    bits = next(
        (k for k in range(LARGEST_PERIOD_BITS) if -math.expm1(-rate * (1 << k)) >= floor),
        LARGEST_PERIOD_BITS,
    )
    amount = math.expm1(-rate * (1 << bits))
    return (rules.product(f"{where}: weight_decay_per_s", "w", amount, f"u{bits}", factors),)


def _rates(told: STDP, unit: float, impulses: tuple[float, ...], made: tuple[ChipProduct, ...]) -> tuple[Rate, ...]:
    names = {
        (rules.Y0, 1): ("a_plus", impulses[0]), (rules.X0, 1): ("a_minus", -impulses[2]),
        (rules.Y0, 2): ("a3_plus", impulses[0] * impulses[3]), (rules.X0, 2): ("a3_minus", -impulses[2] * impulses[1]),
    }  # fmt: skip
    found = []
    for product in made:
        key = product.dependency, len(product.factors)
        if key in names:
            name, size = names[key]
            found.append(Rate(name, getattr(told, name), product.coefficient * size / unit))
        elif told.weight_decay_per_s:
            found.append(Rate("weight decay per period", -told.weight_decay_per_s, product.coefficient))
    return tuple(found)
