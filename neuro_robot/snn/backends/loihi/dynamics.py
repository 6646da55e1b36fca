"""What a neuron does in one step, whatever its parameters are called, and the registers that come nearest."""

from __future__ import annotations

import math
from typing import NamedTuple

from neuro_robot.errors import ConfigError
from neuro_robot.snn.backends.loihi import registers as reg
from neuro_robot.snn.cells import IF, LIF
from neuro_robot.snn.network import Layer


class Dynamics(NamedTuple):
    """A cell per step: v' = keep_v v + coupling u + drift, u' = keep_u u (float, from the reset value)."""

    keep_v: float
    keep_u: float
    coupling: float
    drift: float
    threshold: float
    start: float
    refract: int


def dynamics_of(layer: Layer, dt_ms: float) -> Dynamics:
    """The layer's cell per step; ConfigError for other neurons than IF and LIF and for a too long refractory period."""
    cell = layer.cell
    if not isinstance(cell, (IF, LIF)):
        raise ConfigError(f"layer {layer.name!r}: the chip has IF and LIF neurons, got {type(cell).__name__}")
    keep_u = math.exp(-dt_ms / cell.tau_syn_ms) if cell.tau_syn_ms > 0 else 0.0
    if isinstance(cell, IF):
        keep_v, drift = 1.0, cell.bias * dt_ms
        coupling = cell.tau_syn_ms * (1.0 - keep_u) if cell.tau_syn_ms > 0 else 1.0
    else:
        keep_v = math.exp(-dt_ms / cell.tau_mem_ms)
        drift = (1.0 - keep_v) * (cell.v_rest + cell.bias - cell.v_reset)
        coupling = _lif_coupling(cell, keep_v, keep_u, dt_ms)
    refract = round(cell.t_ref_ms / dt_ms) + 1
    if refract > reg.LARGEST_REFRACT:
        raise ConfigError(
            f"layer {layer.name!r}: t_ref_ms: the chip holds up to {reg.LARGEST_REFRACT - 1} steps, got {refract - 1}"
        )
    return Dynamics(keep_v, keep_u, coupling, drift, cell.v_th - cell.v_reset, cell.v_rest - cell.v_reset, refract)


def _lif_coupling(cell: LIF, keep_v: float, keep_u: float, dt_ms: float) -> float:
    """What a current adds to the voltage in one step; see LIF."""
    if cell.tau_syn_ms == 0:
        return 1.0
    if abs(cell.tau_mem_ms - cell.tau_syn_ms) < 1e-9 * cell.tau_mem_ms:
        return dt_ms / cell.tau_mem_ms * keep_v
    return cell.tau_syn_ms / (cell.tau_mem_ms - cell.tau_syn_ms) * (keep_v - keep_u)


def tau_of(decay: int, dt_ms: float) -> float:
    """The time constant, ms, of a decay of so many 4096ths a step."""
    if decay == 0:
        return math.inf
    return -dt_ms / math.log1p(-decay / reg.DECAY_ONE) if decay < reg.DECAY_ONE else 0.0


def bias_of(value: float) -> tuple[int, int]:
    """Mantissa and exponent nearest to value units."""
    exponent = max(0, math.ceil(math.log2(max(abs(value), 1.0) / (reg.BIAS_RANGE[1] + 0.49))))
    return min(max(round(value / 2.0**exponent), reg.BIAS_RANGE[0]), reg.BIAS_RANGE[1]), exponent
