"""The text of a sum-of-products learning rule, read into its terms; the syntax is Lava's."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from neuro_robot.errors import ConfigError

TRACES = ("x1", "x2", "y1", "y2", "y3")
VARIABLES = (*TRACES, "w", "t")
DEPENDENCIES = ("x0", "y0", *(f"u{k}" for k in range(10)))
LONGEST = 1000  # characters
TOKEN = re.compile(r"\s*(\d+(?:\.\d+)?|[a-z]+\d?|\*\*|[-+*^()])")


class Factor(NamedTuple):
    """variable + constant, or the sign of the variable (constant then 0)."""

    variable: str
    constant: float
    sign: bool


@dataclass(frozen=True)
class Product:
    """coefficient * dependency * factors; the coefficient is the number as written, not rounded to any hardware."""

    coefficient: float
    dependency: str
    factors: tuple[Factor, ...]


def parse_products(where: str, text: str) -> tuple[Product, ...]:
    """The terms of "2^-2*x1*y0 - y1*x0"; an empty text has none. ConfigError says which part is not understood."""
    if not isinstance(text, str) or len(text) > LONGEST:
        raise ConfigError(f"{where}: expected a text of up to {LONGEST} characters, got {text!r:.80}")
    words, at = [], 0
    while text[at:].strip():
        found = TOKEN.match(text, at)
        if found is None:
            raise ConfigError(f"{where}: {text!r}: cannot read {text[at:].strip()[:20]!r}")
        words.append("^" if found[1] == "**" else found[1])
        at = found.end()
    return _Parser(where, text, words).terms()


class _Parser:
    def __init__(self, where: str, text: str, words: list[str]) -> None:
        self.where, self.text, self.words = where, text, words

    def terms(self) -> tuple[Product, ...]:
        found = []
        while self.words:
            sign = 1.0
            while self.words and self.words[0] in "+-":
                sign = -sign if self.words.pop(0) == "-" else sign
            found.append(self.term(sign))
            if self.words and self.words[0] not in "+-":
                raise self.error(f"expected + or - before {self.words[0]!r}")
        return tuple(found)

    def term(self, coefficient: float) -> Product:
        dependencies: list[str] = []
        factors: list[Factor] = []
        while True:
            word = self.take()
            if word[0].isdigit():
                coefficient *= self.number(word)
            elif word in DEPENDENCIES:
                dependencies.append(word)
            elif word in VARIABLES:
                factors.append(Factor(word, 0.0, False))
            elif word == "sgn":
                self.expect("(")
                factors.append(Factor(self.variable(), 0.0, True))
                self.expect(")")
            elif word == "(":
                factors.append(self.bracket())
            else:
                known = ", ".join(("x0", "y0", "u0 .. u9", *VARIABLES))
                raise self.error(f"expected a number or one of {known}, got {word!r}")
            if not self.words or self.words[0] != "*":
                break
            self.words.pop(0)
        if len(dependencies) != 1:
            raise self.error(f"each term needs exactly one of x0, y0, u0 .. u9, found {len(dependencies)}")
        return Product(coefficient, dependencies[0], tuple(factors))

    def number(self, word: str) -> float:
        if not self.words or self.words[0] != "^":
            return float(word)
        self.words.pop(0)
        sign = -1 if self.words and self.words[0] == "-" else 1
        if self.words and self.words[0] in "+-":
            self.words.pop(0)
        power = self.take()
        if not power.isdigit() or int(power) > 60 or float(word) == 0:
            raise self.error(f"expected a whole power up to 60 of a number above 0, got {word}^{power}")
        return float(word) ** (sign * int(power))

    def bracket(self) -> Factor:
        variable = self.variable()
        sign = self.take()
        if sign not in ("+", "-"):
            raise self.error(f"expected (variable + number), got {sign!r}")
        number = self.take()
        if not number[0].isdigit():
            raise self.error(f"expected (variable + number), got {number!r}")
        self.expect(")")
        return Factor(variable, float(number) if sign == "+" else -float(number), False)

    def variable(self) -> str:
        word = self.take()
        if word not in VARIABLES:
            raise self.error(f"expected one of {', '.join(VARIABLES)}, got {word!r}")
        return word

    def expect(self, wanted: str) -> None:
        word = self.take()
        if word != wanted:
            raise self.error(f"expected {wanted!r}, got {word!r}")

    def take(self) -> str:
        if not self.words:
            raise self.error("it ends too soon")
        return self.words.pop(0)

    def error(self, told: str) -> ConfigError:
        return ConfigError(f"{self.where}: {self.text!r}: {told}")
