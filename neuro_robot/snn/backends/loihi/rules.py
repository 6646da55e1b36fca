"""A learning rule in the chip's own numbers: products of small integers, each with a 4 bit mantissa and an exponent.

The form and the widths are those of Loihi's learning engine (Davies et al., IEEE Micro 38, 2018) as Lava's
bit-approximate model has them: traces 7 bits, weight and tag 9 bits with sign, mantissa -8 .. 7, exponent -7 .. 8,
accumulator 15 bits and sign with 7 bits behind the point. No public model of the learning engine is bit-exact.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from neuro_robot.errors import ConfigError
from neuro_robot.snn.products import TRACES, Factor

X0, Y0, U = 0, 1, 2  # dependencies
VARIABLES = (*TRACES, "w", "t")
WIDTHS = (7, 7, 7, 7, 7, 9, 9)
MANTISSA = (-8, 7)
MANTISSA_BITS = 4
EXPONENT = (-7, 8)
ACCUMULATOR_BITS = 15
FRACTION_BITS = 7  # of the accumulator
LARGEST_TRACE = 127
LARGEST_TAG = 255
MOST_FACTORS = 3
MOST_PRODUCTS = 16
LARGEST_PERIOD_BITS = 9  # of the dependencies u0 .. u9

# how spikes of one step count: impulses before the terms (the chip), or as the options of STDP have it; x2 then rises
# after the terms, as in triplet STDP
BOTH, ARRIVAL_FIRST, APART = 0, 1, 2
# what the reward drives
NO_REWARD, SIGNED_REWARD, REWARD_Y3 = 0, 1, 2


@dataclass(frozen=True)
class ChipProduct:
    """Mantissa 2^exponent dependency factors, added to "w" or "t"; period: steps between two epochs of u_k."""

    target: str
    mantissa: int
    exponent: int
    dependency: int
    factors: tuple[Factor, ...]
    period: int = 1

    @property
    def shift(self) -> int:
        """Bits that the chip drops from the product so that it fits the accumulator."""
        return dropped_bits(self.factors)

    @property
    def coefficient(self) -> float:
        """The real number that this product multiplies its factors by."""
        return math.ldexp(self.mantissa, self.exponent - self.shift)


@dataclass(frozen=True)
class ChipRule:
    """One connection's rule. impulses and taus (steps): of x1, x2, y1, y2, y3; a trace without tau does not decay."""

    products: tuple[ChipProduct, ...]
    impulses: tuple[float, ...]
    taus: tuple[float, ...]
    w_min: int
    w_max: int
    order: int = BOTH
    reward: int = NO_REWARD
    reward_scale: float = 1.0  # the reward that y2 or y3 = 127 stands for
    reward_period: int = 1  # steps over which the reward is averaged
    tag_unit: float = 1.0  # tags per unit of eligibility


def dropped_bits(factors: tuple[Factor, ...]) -> int:
    """Sum of the factors' widths and the mantissa's, beyond the accumulator's 15 bits."""
    width = sum(WIDTHS[VARIABLES.index(factor.variable)] for factor in factors)
    return max(0, width + MANTISSA_BITS - ACCUMULATOR_BITS)


def product(
    where: str, target: str, coefficient: float, dependency: str, factors: tuple[Factor, ...], t_epoch: int = 1
) -> ChipProduct:
    """The product whose mantissa and exponent come nearest to a real coefficient; ConfigError when it has no form."""
    if len(factors) > MOST_FACTORS:
        raise ConfigError(f"{where}: a product of the chip has up to {MOST_FACTORS} factors, got {len(factors)}")
    kind = {"x": X0, "y": Y0, "u": U}[dependency[0]]
    period = t_epoch << int(dependency[1:]) if kind == U else 1
    mantissa, exponent = nearest(math.ldexp(coefficient, dropped_bits(factors)))
    if coefficient and not 0.5 < mantissa * math.ldexp(1.0, exponent - dropped_bits(factors)) / coefficient < 2.0:
        low, high = (math.ldexp(m, e - dropped_bits(factors)) for m, e in ((1, EXPONENT[0]), (7, EXPONENT[1])))
        raise ConfigError(
            f"{where}: the coefficient {coefficient:g} of {dependency} is beyond the chip's {low:g} to {high:g}; "
            "change the rate, or the units of traces and weights"
        )
    return ChipProduct(target, mantissa, exponent, kind, factors, period)


def nearest(value: float) -> tuple[int, int]:
    """Mantissa and exponent of the chip that come nearest to value; ties go to the larger mantissa."""
    forms = [
        (abs(math.ldexp(mantissa, exponent) - value), -abs(mantissa), mantissa, exponent)
        for exponent in range(EXPONENT[0], EXPONENT[1] + 1)
        for mantissa in range(MANTISSA[0], MANTISSA[1] + 1)
        if mantissa * value > 0
    ]
    return min(forms)[2:] if value and forms else (0, 0)
