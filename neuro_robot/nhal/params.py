"""Named parameters: from the user's dict to a primitive, with errors that say what is allowed."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar

from neuro_robot.errors import ConfigError
from neuro_robot.snn.cells import IF, LIF, AdaptiveLIF, AdEx, ConductanceLIF, Izhikevich, Poisson
from neuro_robot.snn.primitives import Cell, Rule
from neuro_robot.snn.rules import STDP, Homeostasis, SumOfProducts, TripletSTDP

CELLS: dict[str, type[Cell] | None] = {
    "IF": IF,
    "LIF": LIF,
    "conductance_LIF": ConductanceLIF,
    "adaptive_LIF": AdaptiveLIF,
    "Izhikevich": Izhikevich,
    "AdEx": AdEx,
    "Poisson": Poisson,
    "events": None,
}
# what each rule sets of its primitive before the user's parameters
RULES: dict[str, tuple[type[Rule], dict[str, Any]]] = {
    "STDP": (STDP, {}),
    "nearest_STDP": (STDP, {"pairing": "nearest"}),
    "triplet_STDP": (TripletSTDP, {}),
    "R-STDP": (STDP, {"tau_eligibility_ms": 200.0}),
    "homeostatic": (Homeostasis, {}),
    "sum_of_products": (SumOfProducts, {}),
}
Primitive = TypeVar("Primitive", bound="Cell | Rule")


def given(where: str, params: object) -> dict[str, Any]:
    """The parameters as a dict; None and the literal {...} of a sketch mean the defaults."""
    if params is None or params == {...}:
        return {}
    if not isinstance(params, Mapping) or not all(isinstance(name, str) for name in params):
        raise ConfigError(f"{where}: params: expected a dict of named parameters, got {params!r}")
    return dict(params)


def chosen(where: str, what: str, name: object, table: Mapping[str, Any]) -> Any:
    """The entry of a table; ConfigError lists the names there are."""
    if not isinstance(name, str) or name not in table:
        raise ConfigError(f"{where}: {what}: expected one of {', '.join(table)}, got {name!r}")
    return table[name]


def make(where: str, kind: type[Primitive], params: dict[str, Any]) -> Primitive:
    """A primitive from named parameters; ConfigError names the primitive, the parameter and what is allowed."""
    only(where, params, [item.name for item in dataclasses.fields(kind)])  # type: ignore[arg-type]
    try:
        return kind(**params)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from error


def only(where: str, params: Mapping[str, Any], allowed: list[str]) -> None:
    """ConfigError when a parameter is not allowed here."""
    for name in params:
        if name not in allowed:
            raise ConfigError(f"{where}: no parameter {name!r}; allowed are {', '.join(allowed) or 'none'}")
