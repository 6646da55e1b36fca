"""Single-precision log, exp and asin that a compiler can vectorise; the C library's cannot, and outweigh the pixel.

Polynomials after range reduction on the bits of the float; the errors stated are checked in the tests.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import intrinsic

F = np.float32
LN2 = F(0.6931471805599453)
INV_LN2 = F(1.4426950408889634)


@intrinsic
def bits_of(typing_context: Any, x: Any) -> Any:  # noqa: ARG001 - numba's protocol
    """The 32 bits of a float32 as int32."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:  # noqa: ARG001
        return builder.bitcast(args[0], context.get_value_type(types.int32))

    return types.int32(types.float32), codegen


@intrinsic
def float_of(typing_context: Any, x: Any) -> Any:  # noqa: ARG001 - numba's protocol
    """The float32 with the given 32 bits."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:  # noqa: ARG001
        return builder.bitcast(args[0], context.get_value_type(types.float32))

    return types.float32(types.int32), codegen


@njit(cache=True, error_model="numpy")
def log32(x: Any) -> Any:  # float32
    """Natural log of a positive float32; |error| < 3e-7 + 1e-7 |log x| (cephes logf polynomial)."""
    bits = bits_of(x)
    # mantissa in [sqrt(1/2), sqrt(2)): shift the split point before taking the exponent apart
    shifted = bits - np.int32(0x3F3504F3)
    exponent = F(shifted >> np.int32(23))
    m = float_of((shifted & np.int32(0x007FFFFF)) + np.int32(0x3F3504F3)) - F(1.0)
    p = F(7.0376836292e-2)
    p = p * m + F(-1.1514610310e-1)
    p = p * m + F(1.1676998740e-1)
    p = p * m + F(-1.2420140846e-1)
    p = p * m + F(1.4249322787e-1)
    p = p * m + F(-1.6668057665e-1)
    p = p * m + F(2.0000714765e-1)
    p = p * m + F(-2.4999993993e-1)
    p = p * m + F(3.3333331174e-1)
    z = m * m
    return m - F(0.5) * z + m * z * p + exponent * LN2


@njit(cache=True, error_model="numpy")
def exp_minus32(x: Any) -> Any:  # float32
    """exp(-x) for x >= 0, relative error < 3e-6; 0 beyond x = 80."""
    y = min(x, F(80.0)) * INV_LN2
    whole = np.int32(y)
    f = (F(whole) - y) * LN2  # -ln2 < f <= 0
    p = F(1.0 / 720.0)
    p = p * f + F(1.0 / 120.0)
    p = p * f + F(1.0 / 24.0)
    p = p * f + F(1.0 / 6.0)
    p = p * f + F(0.5)
    p = p * f + F(1.0)
    p = p * f + F(1.0)
    return p * float_of((np.int32(127) - whole) << np.int32(23))


@njit(cache=True, error_model="numpy")
def asin32(x: Any) -> Any:  # float32
    """Arc sine on -1..1, |error| < 7e-5 rad (Abramowitz & Stegun 4.4.45)."""
    a = abs(x)
    p = F(-0.0187293) * a + F(0.0742610)
    p = p * a + F(-0.2121144)
    p = p * a + F(1.5707288)
    value = F(1.5707963) - np.sqrt(max(F(1.0) - a, F(0.0))) * p
    return value if x >= F(0.0) else -value
