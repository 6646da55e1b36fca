"""The neuron types. Times are in ms; every equation is integrated once per step of dt.

A spike of weight w that arrives does i += w where there is a synaptic current (tau_syn_ms > 0), and v += w where
tau_syn_ms is 0 (delta synapse). A neuron that reaches its threshold emits a spike, is reset, and is held at its reset
value for round(t_ref_ms / dt) further steps, while its currents keep decaying.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from neuro_robot.errors import ConfigError
from neuro_robot.snn.primitives import Cell, check_numbers, check_reset

__all__ = ["IF", "LIF", "AdEx", "AdaptiveLIF", "ConductanceLIF", "Izhikevich", "Poisson"]


@dataclass(frozen=True)
class IF(Cell):
    """An integrate-and-fire neuron without leak.

        dv/dt = i + bias        tau_syn di/dt = -i

    i and bias are in units of v per ms (unit capacitance). Integrated exactly: v' = v + i tau_syn (1 - b) + bias dt,
    i' = i b, b = exp(-dt/tau_syn); a delta synapse (tau_syn_ms = 0) does v += w. v starts at v_rest.
    Source: Lapicque 1907, as in Gerstner et al., Neuronal Dynamics, 2014, section 1.3, without the leak.
    Raises ConfigError on a non-finite or impossible value.
    """

    tau_syn_ms: float = 0.0
    v_th: float = 1.0
    v_reset: float = 0.0
    v_rest: float = 0.0
    t_ref_ms: float = 0.0
    bias: float = 0.0

    def __post_init__(self) -> None:
        check_numbers(self, not_negative=("tau_syn_ms", "t_ref_ms"))
        check_reset(self, self.v_reset, self.v_th)


@dataclass(frozen=True)
class LIF(Cell):
    """A leaky integrate-and-fire neuron with an exponential synaptic current.

        tau_mem dv/dt = -(v - v_rest) + i + bias        tau_syn di/dt = -i        (a spike of weight w: i += w)

    i and bias are in the units of v (unit resistance). A step of dt is integrated exactly (Rotter and Diesmann 1999):
    v' = v_inf + (v - v_inf) a + i tau_syn (a - b) / (tau_mem - tau_syn), i' = i b, with v_inf = v_rest + bias,
    a = exp(-dt/tau_mem), b = exp(-dt/tau_syn); for equal constants the factor of i is dt a / tau_mem. With
    tau_syn_ms = 0 the synapse is a delta: a spike of weight w lifts v by w. v' >= v_th emits a spike and sets v to
    v_reset, where it stays for round(t_ref / dt) further steps while i keeps decaying.
    Raises ConfigError on a non-finite or impossible value.
    """

    tau_mem_ms: float = 20.0
    tau_syn_ms: float = 5.0
    v_th: float = 1.0
    v_reset: float = 0.0
    v_rest: float = 0.0
    t_ref_ms: float = 0.0
    bias: float = 0.0

    def __post_init__(self) -> None:
        check_numbers(self, positive=("tau_mem_ms",), not_negative=("tau_syn_ms", "t_ref_ms"))
        check_reset(self, self.v_reset, self.v_th)


@dataclass(frozen=True)
class ConductanceLIF(Cell):
    """A leaky integrate-and-fire neuron with exponential conductances, excitatory and inhibitory.

        tau_mem dv/dt = v_rest - v + g_e (e_exc - v) + g_i (e_inh - v) + bias
        tau_exc dg_e/dt = -g_e        tau_inh dg_i/dt = -g_i

    g_e and g_i are relative to the leak conductance; a spike of weight w does g_e += w when w > 0, else g_i += -w.
    A step holds the conductances at their values after the arrivals (exponential Euler, first order in dt):
    v' = v_inf + (v - v_inf) exp(-dt g / tau_mem), g = 1 + g_e + g_i, v_inf = (v_rest + bias + g_e e_exc + g_i e_inh)/g.
    Source: Gerstner et al., Neuronal Dynamics, 2014, section 3.1; defaults of Vogels and Abbott 2005 (mV).
    Raises ConfigError on a non-finite or impossible value.
    """

    tau_mem_ms: float = 20.0
    tau_exc_ms: float = 5.0
    tau_inh_ms: float = 10.0
    e_exc: float = 0.0
    e_inh: float = -80.0
    v_th: float = -50.0
    v_reset: float = -60.0
    v_rest: float = -60.0
    t_ref_ms: float = 5.0
    bias: float = 0.0

    def __post_init__(self) -> None:
        check_numbers(self, positive=("tau_mem_ms", "tau_exc_ms", "tau_inh_ms"), not_negative=("t_ref_ms",))
        check_reset(self, self.v_reset, self.v_th)


@dataclass(frozen=True)
class AdaptiveLIF(Cell):
    """A LIF neuron (see LIF) whose threshold rises with its own spikes.

        threshold = v_th + beta a        tau_adapt da/dt = -a        (each own spike: a += 1)

    a decays before the test of a step, and grows after it. beta is in units of v.
    Source: Bellec et al., NeurIPS 2018 (LSNN), whose beta is ours times tau_adapt / dt for small dt.
    Raises ConfigError on a non-finite or impossible value.
    """

    tau_mem_ms: float = 20.0
    tau_syn_ms: float = 5.0
    v_th: float = 1.0
    v_reset: float = 0.0
    v_rest: float = 0.0
    t_ref_ms: float = 0.0
    bias: float = 0.0
    beta: float = 0.1
    tau_adapt_ms: float = 200.0

    def __post_init__(self) -> None:
        positive, not_negative = ("tau_mem_ms", "tau_adapt_ms"), ("tau_syn_ms", "t_ref_ms", "beta")
        check_numbers(self, positive=positive, not_negative=not_negative)
        check_reset(self, self.v_reset, self.v_th)


@dataclass(frozen=True)
class Izhikevich(Cell):
    """Izhikevich's quadratic neuron; v in mV, t in ms.

        dv/dt = 0.04 v^2 + 5 v + 140 - u + i + bias        du/dt = a (b v - u)
        v >= v_peak: spike, v = c, u += d

    Forward Euler, both equations at once, in `substeps` equal parts of dt, with the test after each part (at most one
    spike a step); i is held over the step and decays at its end. Starts at v = c, u = b c.
    Source: Izhikevich, IEEE Transactions on Neural Networks 14, 2003 (which takes two half steps for v alone).
    Raises ConfigError on a non-finite or impossible value.
    """

    a: float = 0.02
    b: float = 0.2
    c: float = -65.0
    d: float = 8.0
    v_peak: float = 30.0
    tau_syn_ms: float = 0.0
    bias: float = 0.0
    substeps: int = 2

    def __post_init__(self) -> None:
        check_numbers(self, not_negative=("tau_syn_ms",))
        if self.c >= self.v_peak:
            raise ConfigError(f"Izhikevich.c: expected a value below v_peak = {self.v_peak}, got {self.c}")


@dataclass(frozen=True)
class AdEx(Cell):
    """The adaptive exponential integrate-and-fire neuron; mV, ms, pF, nS, pA.

        c_m dv/dt = -g_l (v - e_l) + g_l delta_t exp((v - v_t) / delta_t) - w + i + bias
        tau_w dw/dt = a (v - e_l) - w        v >= v_peak: spike, v = v_reset, w += b

    Forward Euler in `substeps` equal parts of dt, with the test after each part (at most one spike a step; while
    refractory v is held and w runs on); i is held over the step and decays at its end. With a delta synapse (tau_syn_ms
    = 0) a weight is in mV, else in pA. Starts at v = e_l, w = 0.
    Source: Brette and Gerstner, J. Neurophysiology 94, 2005, whose parameters are the defaults.
    Raises ConfigError on a non-finite or impossible value.
    """

    c_m: float = 281.0
    g_l: float = 30.0
    e_l: float = -70.6
    v_t: float = -50.4
    delta_t: float = 2.0
    a: float = 4.0
    b: float = 80.5
    tau_w_ms: float = 144.0
    v_reset: float = -70.6
    v_peak: float = 20.0
    tau_syn_ms: float = 5.0
    t_ref_ms: float = 0.0
    bias: float = 0.0
    substeps: int = 10

    def __post_init__(self) -> None:
        positive, not_negative = ("c_m", "g_l", "delta_t", "tau_w_ms"), ("tau_syn_ms", "t_ref_ms")
        check_numbers(self, positive=positive, not_negative=not_negative)
        check_reset(self, self.v_reset, self.v_peak, "v_peak")
        if not self.v_peak - self.v_t <= 40 * self.delta_t:
            raise ConfigError(
                f"AdEx.v_peak: expected at most v_t + 40 delta_t = {self.v_t + 40 * self.delta_t}, got {self.v_peak}; "
                "the exponential would overflow"
            )


@dataclass(frozen=True)
class Poisson(Cell):
    """A source of independent random spikes: in each step each neuron fires with probability rate dt (Bernoulli).

    rate_hz dt may be at most 1. The sequence is decided by seed and step alone. It takes no synapses; like an input,
    its spike of a step reaches synapses of delay 1 in that very step.
    Raises ConfigError on a non-finite or impossible value.
    """

    generates: ClassVar[bool] = True

    rate_hz: float = 10.0
    seed: int = 1

    def __post_init__(self) -> None:
        check_numbers(self, not_negative=("rate_hz",))
