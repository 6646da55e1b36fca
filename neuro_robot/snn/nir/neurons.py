"""NIR's neurons as cells: parameters, time constants, and what one unit of a NIR input is as a weight.

Both ways use the same relations. With a = exp(-dt/tau_mem) and b = exp(-dt/tau_syn) of the cell, an input s deposits

    LIF, LI          (1 - a) r s             a current held for the step: the exact solution of the equation
    IF, I            dt r s                  the same, dt in the graph's unit of time
    CubaLIF, CubaLI  dt / tau_syn r w_in s   a charge s dt at the beginning of the step, exact from there

With integration "euler" the cell has the time constant -dt / ln(1 - dt/tau), so that a = 1 - dt/tau: exactly the
forward Euler step that networks are trained with. For CubaLIF current first, then membrane: i' = b i + (1 - b) w_in s,
v' = v_leak + a (v - v_leak) + (1 - a) r i'.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuro_robot.errors import ConfigError
from neuro_robot.snn.cells import IF, LIF
from neuro_robot.snn.constants import of_cell
from neuro_robot.snn.kernels.tables import COUPLING
from neuro_robot.snn.network import Network
from neuro_robot.snn.primitives import LARGEST, Cell, check_choice, check_number

Floats = NDArray[np.float64]
UNITS_MS = {"s": 1000.0, "ms": 1.0, "us": 1e-3}
SILENT = LARGEST  # the threshold of what never spikes
MOMENTARY = 1e-3  # in steps: a membrane that forgets within one
MOST_KINDS = 4096  # different parameter sets in one node
FIELDS = {
    "IF": ("r", "v_threshold", "v_reset"),
    "I": ("r",),
    "LIF": ("tau", "r", "v_leak", "v_threshold", "v_reset"),
    "LI": ("tau", "r", "v_leak"),
    "CubaLIF": ("tau_mem", "tau_syn", "r", "v_leak", "v_threshold", "v_reset", "w_in"),
    "CubaLI": ("tau_mem", "tau_syn", "r", "v_leak", "w_in"),
}


@dataclass(frozen=True)
class Clock:
    """dt_ms: the time step. unit_ms: the graph's unit of time. integration: exact or euler."""

    dt_ms: float
    unit_ms: float
    integration: str

    @classmethod
    def of(cls, dt_ms: float, time_unit: str | float, integration: str) -> Clock:
        """Checked; time_unit: s, ms, us, step (one unit is one step), or the unit's length in ms."""
        check_choice("NIR: integration", integration, ("exact", "euler"))
        if isinstance(time_unit, str):
            check_choice("NIR: time_unit", time_unit, (*UNITS_MS, "step"))
        dt_ms = Network(dt_ms).dt_ms
        unit = (UNITS_MS | {"step": dt_ms})[time_unit] if isinstance(time_unit, str) else time_unit
        if check_number("NIR: time_unit", unit) <= 0:
            raise ConfigError(f"NIR: time_unit: expected a length in ms above 0, got {time_unit!r}")
        return cls(dt_ms, float(unit), integration)

    @property
    def step(self) -> float:
        """The time step in the graph's unit."""
        return self.dt_ms / self.unit_ms

    def tau_of_cell(self, where: str, tau: float) -> float:
        """A time constant of the graph as the cell's, in ms."""
        if not tau > 0:
            raise ConfigError(f"{where}: expected a value above 0, got {tau}")
        if self.integration == "exact":
            return tau * self.unit_ms
        if tau <= self.step:
            raise ConfigError(
                f"{where}: integration euler needs more than the step of {self.step:g}, got {tau:g}; check dt_ms and "
                "time_unit, or use integration='exact'"
            )
        return -self.dt_ms / math.log1p(-self.step / tau)

    def tau_of_graph(self, tau_ms: float) -> float:
        """A time constant of a cell as the graph's."""
        return tau_ms / self.unit_ms if self.integration == "exact" else self.step / -math.expm1(-self.dt_ms / tau_ms)


@dataclass(frozen=True)
class Population:
    """The neurons of one NIR node in a network.

    kind: the node's, "Input", or "readout" of an Output that a linear node feeds. parts: layers of equal neurons and
    which neurons of the node they are. r, w_in: (n,) as in the graph; they multiply the weights.
    """

    kind: str
    shape: tuple[int, ...]
    parts: tuple[tuple[str, NDArray[np.int64]], ...]
    r: Floats
    w_in: Floats
    level: int = 0  # how many populations a signal passes before it, the longest way; loops count once

    def latency(self, post: Population) -> int:
        """The delay of a path without Delay nodes: a step from neurons to neurons; shorter ways wait for longer."""
        if self.kind in ("Input", "bias"):
            return 1 + post.level  # an input is integrated in its own step through a delay of one
        return max(1, post.level - self.level)


@dataclass(frozen=True)
class Origin:
    """How a network came from a graph."""

    clock: Clock
    populations: dict[str, Population] = field(default_factory=dict)


class NirNetwork(Network):
    """A network that came from a graph; `populations` says which layers the neurons of each node are in."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock.dt_ms)
        self.origin = Origin(clock)

    @property
    def populations(self) -> dict[str, Population]:
        """By node name; of a flattened sub-graph "outer.inner"."""
        return self.origin.populations


def numbers(where: str, value: Any) -> Floats:  # noqa: ANN401 - what a graph holds
    """A parameter as finite doubles; ConfigError otherwise."""
    try:
        found = np.asarray(value, np.float64)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{where}: expected an array of numbers: {error}") from error
    good = np.abs(found) <= LARGEST
    if not np.all(good):
        raise ConfigError(
            f"{where}: expected finite numbers of magnitude up to {LARGEST:g}, got {found[~good].flat[0]}"
        )
    return found


def parameters(where: str, node: Any) -> dict[str, Floats]:  # noqa: ANN401
    """The parameters of a neuron node by name; a reset that was left out is 0."""
    told = {name: getattr(node, name, None) for name in FIELDS[type(node).__name__]}
    if "v_reset" in told and told["v_reset"] is None:
        told["v_reset"] = np.zeros(())
    return {name: numbers(f"{where}.{name}", value) for name, value in told.items()}


def own_shape(where: str, told: dict[str, Floats]) -> tuple[int, ...] | None:
    """The shape of a node's neurons, None when all parameters are single numbers."""
    shapes = {value.shape for value in told.values() if value.size != 1}
    if len({math.prod(shape) for shape in shapes}) > 1 or () in {s for s in shapes if math.prod(s) == 0}:
        came = ", ".join(f"{name} {value.shape}" for name, value in told.items())
        raise ConfigError(f"{where}: expected parameters of one shape, or single numbers, got {came}")
    return max(shapes, key=len) if shapes else None


def cells_of(
    where: str, kind: str, told: dict[str, Floats], n: int, clock: Clock, start: str
) -> list[tuple[Cell, NDArray[np.int64]]]:
    """The cells of a node's n neurons, each with the neurons that have it."""
    rows = {name: np.broadcast_to(value.reshape(-1), n) for name, value in told.items() if name not in ("r", "w_in")}
    if not rows:
        return [(_cell(where, kind, {}, clock, start), np.arange(n))]
    table, which = np.unique(np.stack(list(rows.values()), 1), axis=0, return_inverse=True)
    if len(table) > MOST_KINDS:
        raise ConfigError(
            f"{where}: {len(table)} different neurons in one node: a layer holds equal neurons, and a node becomes at "
            f"most {MOST_KINDS} layers; round its parameters"
        )
    _warn_if_implausible(where, rows, clock)
    which = which.reshape(-1)
    return [
        (_cell(where, kind, dict(zip(rows, row, strict=True)), clock, start), np.flatnonzero(which == k))
        for k, row in enumerate(table.tolist())
    ]


def _cell(where: str, kind: str, row: dict[str, float], clock: Clock, start: str) -> Cell:
    # NIR fires above the threshold, a cell from it on: the next number of single precision
    v_th = float(np.nextafter(np.float32(row["v_threshold"]), np.float32(np.inf))) if "v_threshold" in row else SILENT
    v_reset = row.get("v_reset", 0.0)
    try:
        if kind in ("IF", "I"):
            return IF(v_th=v_th, v_reset=v_reset)
        taus = {name: clock.tau_of_cell(f"{where}.{name}", tau) for name, tau in row.items() if name.startswith("tau")}
        leak = row["v_leak"]
        rest = {"v_rest": leak} if start == "leak" else {"bias": leak}
        tau_mem = taus.get("tau_mem", taus.get("tau", 0.0))
        return LIF(tau_mem_ms=tau_mem, tau_syn_ms=taus.get("tau_syn", 0.0), v_th=v_th, v_reset=v_reset, **rest)
    except ConfigError as error:
        raise ConfigError(str(error) if str(error).startswith(where) else f"{where}: {error}") from error


def readout_cell(clock: Clock) -> LIF:
    """What holds a linear output: its potential after a step is what arrived in it."""
    return LIF(tau_mem_ms=MOMENTARY * clock.dt_ms, tau_syn_ms=0.0, v_th=SILENT)


def kind_of(where: str, cell: Cell | None, clock: Clock) -> str:
    """The node that a layer becomes; ConfigError for what NIR has no node for."""
    if cell is None:
        return "Input"
    if not isinstance(cell, IF | LIF):
        raise ConfigError(f"{where}: NIR has no {type(cell).__name__} neurons; it has IF and LIF, and Inputs")
    if round(cell.t_ref_ms / clock.dt_ms):
        raise ConfigError(f"{where}: t_ref_ms: NIR has no refractory period; set it to 0")
    silent = cell.v_th >= SILENT
    if isinstance(cell, IF):
        if cell.tau_syn_ms > 0 or cell.v_rest != 0:
            raise ConfigError(f"{where}: NIR's IF has neither synaptic current nor v_rest; set both to 0")
        return "I" if silent else "IF"
    if silent and cell.tau_syn_ms == 0 and cell.tau_mem_ms <= MOMENTARY * clock.dt_ms:
        return "readout"
    return ("Cuba" if cell.tau_syn_ms > 0 else "") + ("LI" if silent else "LIF")


def row_of(kind: str, cell: Cell | None, clock: Clock) -> dict[str, float]:
    """The parameters of NIR's node for a cell, r and w_in left out."""
    assert isinstance(cell, IF | LIF)
    row = {
        "v_threshold": float(np.nextafter(np.float32(cell.v_th), np.float32(-np.inf))),
        "v_reset": cell.v_reset,
        "v_leak": cell.v_rest + (cell.bias if isinstance(cell, LIF) else 0.0),
    }
    if isinstance(cell, LIF):
        row["tau"] = row["tau_mem"] = clock.tau_of_graph(cell.tau_mem_ms)
        if cell.tau_syn_ms > 0:
            row["tau_syn"] = clock.tau_of_graph(cell.tau_syn_ms)
    return {name: row[name] for name in FIELDS[kind] if name not in ("r", "w_in")}


def gain(kind: str, cell: Cell | None, clock: Clock) -> float:
    """The weight that one unit of NIR input is, where r and w_in are 1."""
    if kind == "readout":
        return 1.0
    if not isinstance(cell, LIF):
        return clock.step
    a_gone = -math.expm1(-clock.dt_ms / cell.tau_mem_ms)
    if cell.tau_syn_ms == 0:
        return a_gone
    if clock.integration == "exact":
        return clock.dt_ms / cell.tau_syn_ms
    b_gone = -math.expm1(-clock.dt_ms / cell.tau_syn_ms)
    return a_gone * b_gone / of_cell(cell, clock.dt_ms)[COUPLING]


def _warn_if_implausible(where: str, rows: dict[str, Floats], clock: Clock) -> None:
    for name, values in rows.items():
        steps = values / clock.step
        if name.startswith("tau") and values.size and (steps.min() < 0.5 or steps.max() > 1e4):
            warnings.warn(
                f"{where}.{name}: {steps.min():g} to {steps.max():g} time steps; exporters disagree about the unit of "
                "time: check dt_ms and time_unit",
                stacklevel=4,
            )
