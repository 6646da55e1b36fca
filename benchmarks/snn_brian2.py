"""Network descriptions as objects of Brian2, equation by equation, in the order of our step: for comparisons.

Brian2 runs groups, thresholds, synapses, resets. Our arrivals are integrated in the very step, so inputs fire at its
start and synapses deliver before the groups (after them where a delta synapse must not decay). A Brian2 neuron that
spikes in step k with `refractory` r is held until k + r - 1, one step less than ours: r is a step longer here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import brian2 as b
import numpy as np
from numpy.typing import NDArray

from neuro_robot.snn.backends import Raster
from neuro_robot.snn.cells import IF, AdaptiveLIF, AdEx, ConductanceLIF, Izhikevich, Poisson
from neuro_robot.snn.network import Connection, Layer, Network
from neuro_robot.snn.rules import STDP, TripletSTDP

CURRENT = "dcur/dt = -cur / (tau_syn_ms*ms) : 1"
LEAKY = "dv/dt = (v_rest - v + cur + bias) / (tau_mem_ms*ms) : 1 (unless refractory)"
CONDUCTANCE = """
dv/dt = (v_rest - v + cur*(e_exc - v) + g*(e_inh - v) + bias) / (tau_mem_ms*ms) : 1 (unless refractory)
dcur/dt = -cur / (tau_exc_ms*ms) : 1
dg/dt = -g / (tau_inh_ms*ms) : 1
"""
IZHIKEVICH = """
dv/dt = (0.04*v**2 + 5*v + 140 - u + cur + bias) / ms : 1
du/dt = a*(b*v - u) / ms : 1
cur : 1
"""
ADEX = """
dv/dt = (g_l*delta_t*exp((v - v_t)/delta_t) - g_l*(v - e_l) - u + cur + bias) / (c_m*ms) : 1 (unless refractory)
du/dt = (a*(v - e_l) - u) / (tau_w_ms*ms) : 1
cur : 1
"""


@dataclass
class Peer:
    """A Brian2 network; `run` advances it."""

    net: b.Network
    dt_ms: float
    groups: dict[str, Any] = field(default_factory=dict)
    synapses: dict[str, Any] = field(default_factory=dict)
    monitors: dict[str, Any] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)

    def run(self, steps: int) -> None:
        """Advance."""
        self.net.run(steps * self.dt_ms * b.ms)

    def spikes(self) -> list[tuple[int, str, int]]:
        """(step, layer, neuron) of all recorded spikes, sorted; parts of a step count as the step."""
        found = []
        for name, monitor in self.monitors.items():
            step = np.floor(np.asarray(monitor.t / b.ms) / self.dt_ms + 1e-6).astype(int)
            found += [(int(k), name, int(n)) for k, n in zip(step, np.asarray(monitor.i), strict=True)]
        return sorted(found)

    def rates_hz(self, seconds: float) -> dict[str, float]:
        """Mean rate of every layer of neurons."""
        return {name: monitor.num_spikes / self.sizes[name] / seconds for name, monitor in self.monitors.items()}

    def weights(self, connection: Connection) -> NDArray[np.float64]:
        """In the order of the description."""
        return np.asarray(self.synapses[connection.name].w[:])


def build(
    description: Network,
    given: Raster | None = None,
    reward: NDArray[Any] | None = None,
    record: bool = True,
    by_hand: bool = False,
) -> Peer:
    """given: spikes of all input layers (values are taken as 1). reward: (steps,) of every neuron, for R-STDP.

    record: keep every spike, or only count them. by_hand: an input fires while its variable `told` is above 0.
    """
    b.BrianLogger.suppress_name("synapses_dt_mismatch")
    b.defaultclock.dt = description.dt_ms * b.ms
    peer, first = Peer(b.Network(), description.dt_ms), 0
    for name, layer in description.layers.items():
        if layer.cell is None:
            peer.groups[name] = _by_hand(layer) if by_hand else _generator(layer, given, first, description.dt_ms)
            first += layer.size
        else:
            peer.groups[name] = _group(layer, description.dt_ms)
            if not layer.cell.generates:
                peer.monitors[name] = b.SpikeMonitor(peer.groups[name], record=record)
                peer.sizes[name] = layer.size
    for name, connection in description.connections.items():
        peer.synapses[name] = _synapses(connection, peer.groups, description.dt_ms, reward)
    peer.net.add(*peer.groups.values(), *peer.monitors.values(), *peer.synapses.values())
    return peer


def _by_hand(layer: Layer) -> Any:  # noqa: ANN401
    group = b.NeuronGroup(layer.size, "told : 1", threshold="told > 0")
    group.thresholder["spike"].when = "start"
    return group


def _generator(layer: Layer, given: Raster | None, first: int, dt_ms: float) -> Any:  # noqa: ANN401
    empty = np.zeros(0, int)
    step, line = (empty, empty) if given is None else (given.step, given.neuron)
    mine = (line >= first) & (line < first + layer.size)
    return b.SpikeGeneratorGroup(layer.size, line[mine] - first, step[mine] * dt_ms * b.ms, when="start")


def _group(layer: Layer, dt_ms: float) -> Any:  # noqa: ANN401
    cell = layer.cell
    if isinstance(cell, Poisson):
        return b.PoissonGroup(layer.size, cell.rate_hz * b.Hz, when="start")
    names = vars(cell) | {"dt_ms": dt_ms, "keep": _keep(dt_ms, getattr(cell, "tau_syn_ms", 0.0))}
    held = round(getattr(cell, "t_ref_ms", 0.0) / dt_ms)
    part = dt_ms / getattr(cell, "substeps", 1)
    options: dict[str, Any] = {"refractory": (held * dt_ms + part) * b.ms, "dt": part * b.ms}
    syn = getattr(cell, "tau_syn_ms", 1.0) > 0
    threshold, reset, method = "v >= v_th", "v = v_reset", "exact"
    if isinstance(cell, ConductanceLIF):
        model, method = CONDUCTANCE, "exponential_euler"
    elif isinstance(cell, Izhikevich):
        model, threshold, reset, method = IZHIKEVICH, "v >= v_peak", "v = c; u += d", "euler"
    elif isinstance(cell, AdEx):
        model, threshold, reset, method = ADEX, "v >= v_peak", "v = v_reset; u += b", "euler"
    else:
        model = "v : 1\ncur : 1" if isinstance(cell, IF) else f"{LEAKY}\n{CURRENT}" if syn else f"{LEAKY}\ncur : 1"
        if isinstance(cell, AdaptiveLIF):
            model += "\nda/dt = -a / (tau_adapt_ms*ms) : 1"
            threshold, reset = "v >= v_th + beta*a", "v = v_reset; a += 1"
    model += "\nr : 1"  # mean rate, of homeostatic scaling
    group = b.NeuronGroup(
        layer.size, model, threshold=threshold, reset=reset, method=method, namespace=names, **options
    )
    group.v = getattr(cell, "v_rest", getattr(cell, "e_l", getattr(cell, "c", 0.0)))
    if isinstance(cell, IF):  # its exact solution by hand, as Brian2 finds none with a refractory period
        code = "v += int(not_refractory)*(cur*tau_syn_ms*(1 - keep) + bias*dt_ms); cur = cur*keep"
        group.run_regularly(code, when="groups", order=1)
    if isinstance(cell, Izhikevich):
        group.u = cell.b * cell.c
    if isinstance(cell, (Izhikevich, AdEx)) and syn:  # held over the step, decays at its end
        group.run_regularly("cur = cur*keep", dt=dt_ms * b.ms, when="before_start")
    return group


def _synapses(c: Connection, groups: dict[str, Any], dt_ms: float, reward: NDArray[Any] | None) -> Any:  # noqa: ANN401
    model, pre, post, names = "w : 1", _deposit(c.post), "", {}
    if isinstance(c.rule, STDP):
        model, before, raised, post, names = _rule(c.rule, dt_ms, reward)
        pre += before
    late = isinstance(c.rule, STDP) and not c.rule.same_step
    on_pre = {"pre": pre, "late": raised} if late else pre + (raised if isinstance(c.rule, STDP) else "")
    made = b.Synapses(groups[c.pre.name], groups[c.post.name], model, on_pre=on_pre, on_post=post, namespace=names)
    made.connect(i=c.pre_index, j=c.post_index)
    made.w = c.weights.astype(np.float64)
    delay = c.delay_steps - 1
    made.pre.delay = (delay if np.unique(delay).size > 1 else delay[0]) * dt_ms * b.ms
    delta = getattr(c.post.cell, "tau_syn_ms", 1.0) == 0 and not isinstance(c.post.cell, (Izhikevich, AdEx))
    made.pre.when = "after_groups" if delta else "before_groups"
    if late:
        direct = c.pre.cell is None or c.pre.cell.generates
        made.late.when, made.late.delay = "after_synapses", (delay + (0 if direct else 1)) * dt_ms * b.ms
    if isinstance(c.rule, STDP) and c.rule.tau_eligibility_ms > 0:
        made.run_regularly(
            "w = clip(w*keep_w + gain*reward_now(t)*tag, w_min, w_max); tag = tag*keep_e", when="before_start"
        )
    if c.scaling is not None:
        _scale(made, groups[c.post.name], c, dt_ms)
    return made


def _deposit(post: Layer) -> str:
    """What an arrival does to its neuron; a delta synapse does nothing to one that is held."""
    if isinstance(post.cell, ConductanceLIF):
        return "cur_post += clip(w, 0, inf); g_post += clip(-w, 0, inf)\n"
    if getattr(post.cell, "tau_syn_ms", 1.0) > 0:
        return "cur_post += w\n"
    return "v_post += w\n" if isinstance(post.cell, (Izhikevich, AdEx)) else "v_post += w*int(not_refractory_post)\n"


def _rule(rule: STDP, dt_ms: float, reward: NDArray[Any] | None) -> tuple[str, str, str, str, dict[str, Any]]:
    """Model, code of an arrival before and at the raising of its trace, code of a post spike, numbers."""
    names: dict[str, Any] = {name: value for name, value in vars(rule).items() if isinstance(value, float)}
    model = "w : 1\ndx/dt = -x/(tau_plus_ms*ms) : 1 (event-driven)\ndy/dt = -y/(tau_minus_ms*ms) : 1 (event-driven)\n"
    less, more, up = "a_minus", "a_plus", "= 1" if rule.pairing == "nearest" else "+= 1"
    raised, post_raised = f"x {up}\n", f"y {up}\n"
    if isinstance(rule, TripletSTDP):
        model += "dp/dt = -p/(tau_x_ms*ms) : 1 (event-driven)\ndq/dt = -q/(tau_y_ms*ms) : 1 (event-driven)\n"
        less, more = "(a_minus + a3_minus*p)", "(a_plus + a3_plus*q)"
        raised, post_raised = f"{raised}p {up}\n", f"{post_raised}q {up}\n"
    if rule.tau_eligibility_ms > 0:
        model += "tag : 1\n"
        names |= {
            "keep_e": _keep(dt_ms, rule.tau_eligibility_ms), "gain": rule.learning_rate * dt_ms,
            "keep_w": float(np.exp(-rule.weight_decay_per_s * dt_ms * 1e-3)),
            "reward_now": b.TimedArray(np.zeros(1) if reward is None else reward, dt=dt_ms * b.ms),
        }  # fmt: skip
        return model, f"tag -= {less}*y\n", raised, f"tag += {more}*x\n{post_raised}", names
    before = f"w = clip(w - learning_rate*{less}*y, w_min, w_max)\n"
    return model, before, raised, f"w = clip(w + learning_rate*{more}*x, w_min, w_max)\n{post_raised}", names


def _scale(made: Any, group: Any, c: Connection, dt_ms: float) -> None:  # noqa: ANN401
    scaling = c.scaling
    assert scaling is not None
    period = max(1, round(scaling.period_ms / dt_ms))
    keep, jump = _keep(dt_ms, scaling.tau_rate_ms), 1000.0 / scaling.tau_rate_ms
    group.run_regularly(f"r = r*{keep!r} + {jump!r}*int(timestep(t - lastspike, dt) == 0)", when="end", order=0)
    factor = f"1 + {scaling.gain * period * dt_ms * 1e-3!r}*({scaling.target_rate_hz!r} - r_post)"
    made.run_regularly(
        f"w = clip(w*(1 + int((t_in_timesteps + 1) % {period} == 0)*({factor} - 1)), {scaling.w_min}, {scaling.w_max})",
        when="end",
        order=1,
    )


def _keep(dt_ms: float, tau_ms: float) -> float:
    return float(np.exp(-dt_ms / tau_ms)) if tau_ms > 0 else 0.0
