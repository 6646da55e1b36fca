"""The numbers that the kernels need of each neuron type: columns of `cells`, thresholds, states at rest."""

from __future__ import annotations

import math

from neuro_robot.snn.cells import IF, LIF, AdaptiveLIF, AdEx, ConductanceLIF, Izhikevich, Poisson
from neuro_robot.snn.kernels import tables as k
from neuro_robot.snn.primitives import Cell

KINDS = {
    IF: k.LEAKY,
    LIF: k.LEAKY,
    AdaptiveLIF: k.ADAPTIVE,
    ConductanceLIF: k.CONDUCTANCE,
    Izhikevich: k.IZHIKEVICH,
    AdEx: k.ADEX,
    Poisson: k.POISSON,
}


def kind(cell: Cell | None, dt_ms: float) -> tuple[int, int, int]:
    """Kind, refractory steps, parts of a step."""
    if cell is None:
        return k.INPUT, 0, 0
    return KINDS[type(cell)], round(getattr(cell, "t_ref_ms", 0.0) / dt_ms), getattr(cell, "substeps", 1)


def threshold(cell: Cell | None) -> float:
    """The threshold of a neuron; infinite where there is none."""
    return float(getattr(cell, "v_th", getattr(cell, "v_peak", math.inf)))


def rest(cell: Cell | None) -> tuple[float, float]:
    """Potential and adaptation at the beginning."""
    if isinstance(cell, Izhikevich):
        return cell.c, cell.b * cell.c
    if isinstance(cell, AdEx):
        return cell.e_l, 0.0
    return getattr(cell, "v_rest", 0.0), 0.0


def of_cell(cell: Cell | None, dt_ms: float) -> tuple[float, ...]:
    """The row of `cells`; the docstrings of `snn.cells` have the formulas."""
    row = [0.0] * k.CELL_COLUMNS
    for column, value in _constants(cell, dt_ms).items():
        row[column] = value
    return tuple(row)


def _constants(cell: Cell | None, dt_ms: float) -> dict[int, float]:
    if isinstance(cell, LIF | AdaptiveLIF):
        return _leaky(cell, dt_ms)
    if isinstance(cell, IF):
        b = _keep(dt_ms, cell.tau_syn_ms)
        area = cell.tau_syn_ms * (1.0 - b) if cell.tau_syn_ms > 0 else 1.0
        return {
            k.DECAY_MEM: 1.0, k.DECAY_SYN: b, k.COUPLING: area, k.DRIFT: cell.bias * dt_ms, k.V_RESET: cell.v_reset
        }  # fmt: skip
    if isinstance(cell, ConductanceLIF):
        return {
            k.DECAY_MEM: dt_ms / cell.tau_mem_ms, k.DECAY_SYN: _keep(dt_ms, cell.tau_exc_ms),
            k.DECAY_INH: _keep(dt_ms, cell.tau_inh_ms), k.V_INF: cell.v_rest + cell.bias, k.V_RESET: cell.v_reset,
            k.E_EXC: cell.e_exc, k.E_INH: cell.e_inh,
        }  # fmt: skip
    if isinstance(cell, Izhikevich):
        return {
            k.C_A: cell.a, k.C_B: cell.b, k.C_D: cell.d, k.V_RESET: cell.c, k.PART: dt_ms / cell.substeps,
            k.V_INF: cell.bias, k.DECAY_SYN: _keep(dt_ms, cell.tau_syn_ms), k.KICK: float(cell.tau_syn_ms == 0),
            k.DECAY_MEM: 0.04, k.V_T: 5.0, k.DELTA_T: 140.0,
        }  # fmt: skip
    if isinstance(cell, AdEx):
        part = dt_ms / cell.substeps
        return {
            k.DECAY_MEM: part / cell.c_m, k.PART: part / cell.tau_w_ms, k.LEAK: cell.g_l, k.COUPLING: cell.e_l,
            k.V_INF: cell.bias, k.V_RESET: cell.v_reset, k.C_A: cell.a, k.C_B: cell.b, k.V_T: cell.v_t,
            k.DELTA_T: cell.delta_t, k.DECAY_SYN: _keep(dt_ms, cell.tau_syn_ms), k.KICK: float(cell.tau_syn_ms == 0),
        }  # fmt: skip
    if isinstance(cell, Poisson):
        chance = cell.rate_hz * dt_ms * 1e-3
        return {k.LOG_SILENT: math.log1p(-chance) if chance < 1 else -math.inf}
    return {}


def _leaky(cell: LIF | AdaptiveLIF, dt_ms: float) -> dict[int, float]:
    mem, syn = cell.tau_mem_ms, cell.tau_syn_ms
    a, b = math.exp(-dt_ms / mem), _keep(dt_ms, syn)
    if syn == 0:
        coupling = 1.0
    elif abs(mem - syn) < 1e-9 * mem:
        coupling = dt_ms / mem * a
    else:
        coupling = syn / (mem - syn) * (a - b)
    told = {k.DECAY_MEM: a, k.DECAY_SYN: b, k.COUPLING: coupling, k.V_INF: cell.v_rest + cell.bias}
    told[k.V_RESET] = cell.v_reset
    if isinstance(cell, AdaptiveLIF):
        told |= {k.BETA: cell.beta, k.DECAY_ADAPT: _keep(dt_ms, cell.tau_adapt_ms)}
    return told


def _keep(dt_ms: float, tau_ms: float) -> float:
    """What one step leaves of an exponential; nothing of one without duration."""
    return math.exp(-dt_ms / tau_ms) if tau_ms > 0 else 0.0
