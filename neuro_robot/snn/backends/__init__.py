"""The back ends by name: register one, ask what each supports, compile a network for one."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from neuro_robot.errors import ConfigError
from neuro_robot.snn.backends.base import Backend, Model, Raster
from neuro_robot.snn.network import Network

__all__ = ["Backend", "Model", "Raster", "backend", "compile_network", "describe", "names", "register"]

# Each of these modules registers its back ends when it is imported, which happens when one is first asked for.
MODULES = ("neuro_robot.snn.backends.cpu", "neuro_robot.snn.backends.loihi.backend")
_BACKENDS: dict[str, Backend] = {}


def register(new: Backend) -> None:
    """Make a back end known under its name; a module outside this package may call it, too."""
    if _BACKENDS.setdefault(new.name, new) is not new:
        raise ConfigError(f"register: there is already a back end {new.name!r}")


def names() -> tuple[str, ...]:
    """The back ends, in the order of registering."""
    for module in MODULES:
        import_module(module)
    return tuple(_BACKENDS)


def backend(name: str) -> Backend:
    """The back end of this name; ConfigError lists what there is."""
    if name not in names():
        raise ConfigError(f"backend: no back end {name!r}; there are {', '.join(names())}")
    return _BACKENDS[name]


def compile_network(network: Network, name: str = "cpu", **options: Any) -> Model:
    """A running model of the network with all dynamic state at rest.

    Raises ConfigError that names the primitive or option and what the back end allows.
    """
    chosen = backend(name)
    reason = chosen.available()
    if reason:
        raise ConfigError(f"back end {name}: {reason}")
    if not network.layers:
        raise ConfigError("compile: the network has no layers; add_input and add_layer first")
    for option in options:
        if option not in chosen.options:
            known = ", ".join(chosen.options) or "none"
            raise ConfigError(f"back end {name}: unknown option {option!r}; its options are {known}")
    _check(network, chosen)
    return chosen.compile(network, **options)


def _check(network: Network, chosen: Backend) -> None:
    for layer in network.layers.values():
        if layer.cell is not None and not isinstance(layer.cell, chosen.cells):
            raise ConfigError(
                f"layer {layer.name!r}: the back end {chosen.name} has no {type(layer.cell).__name__} neurons; "
                f"it has {_list(chosen.cells)}"
            )
    for connection in network.connections.values():
        for rule in (connection.rule, connection.scaling):
            if rule is not None and type(rule) not in chosen.rules:
                raise ConfigError(
                    f"connection {connection.name!r}: the back end {chosen.name} has no {type(rule).__name__} rule; "
                    f"it has {_list(chosen.rules) or 'none'}"
                )


def describe() -> str:
    """What each back end supports, its limits and its options, as text."""
    lines = []
    for name in names():
        chosen = _BACKENDS[name]
        reason = chosen.available()
        lines.append(f"{name}: {chosen.description}{f' (not available here: {reason})' if reason else ''}")
        lines.append(f"  neurons  input, {_list(chosen.cells)}")
        lines.append(f"  rules    {_list(chosen.rules) or 'none'}")
        for title, entries in (("limit", chosen.limits), ("option", chosen.options)):
            lines += [f"  {title:8} {key}: {meaning}" for key, meaning in entries.items()]
    return "\n".join(lines)


def _list(types: tuple[type, ...]) -> str:
    return ", ".join(item.__name__ for item in types)
