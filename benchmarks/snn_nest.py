"""Network descriptions as NEST's: LIF neurons with exponential currents, Poisson and given inputs, pair STDP.

NEST's `iaf_psc_exp` with C_m = tau_m holds our equation; its step integrates what arrived in the step before, so its
delays from neurons are a step shorter than ours (those of one step cannot be). Devices cannot learn, so inputs go
through parrots where a rule is. Its `stdp_synapse` times pairs by the dendrite's delay and leaves pairs of one step
out: rates agree, weights not.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import nest
import numpy as np
from numpy.typing import NDArray

from neuro_robot.snn.backends import Raster
from neuro_robot.snn.cells import LIF, Poisson
from neuro_robot.snn.network import Connection, Layer, Network
from neuro_robot.snn.rules import STDP


@dataclass
class Peer:
    """A NEST network; nest.Simulate advances it. lines: what fires the inputs, to be given spike_times."""

    dt_ms: float
    layers: dict[str, Any] = field(default_factory=dict)
    lines: dict[str, Any] = field(default_factory=dict)
    recorders: dict[str, Any] = field(default_factory=dict)

    def rates_hz(self, seconds: float) -> dict[str, float]:
        """Mean rate of every layer of neurons."""
        return {name: it.n_events / len(self.layers[name]) / seconds for name, it in self.recorders.items()}

    def spikes(self) -> list[tuple[int, str, int]]:
        """(step, layer, neuron) of all recorded spikes, sorted, in our steps."""
        found = []
        for name, recorder in self.recorders.items():
            told, first = recorder.events, self.layers[name][0].global_id
            steps = np.round(told["times"] / self.dt_ms).astype(int) - 3
            found += [(int(k), name, int(n) - first) for k, n in zip(steps, told["senders"], strict=True)]
        return sorted(found)


def build(description: Network, given: Raster | None = None, potentials: NDArray[Any] | None = None) -> Peer:
    """potentials: of all layers at the start. record: keep every spike, or count them."""
    nest.ResetKernel()
    nest.SetKernelStatus({"resolution": description.dt_ms, "local_num_threads": 1})
    peer, first = Peer(description.dt_ms), 0
    plastic = {c.pre.name for c in description.connections.values() if c.rule is not None}
    for name, layer in description.layers.items():
        if layer.cell is None or layer.cell.generates:
            _source(peer, layer, given, first, name in plastic)
            first += layer.size if layer.cell is None else 0
            continue
        peer.layers[name] = _neurons(layer, potentials)
        peer.recorders[name] = nest.Create("spike_recorder")
        nest.Connect(peer.layers[name], peer.recorders[name])
    for connection in description.connections.values():
        _connect(connection, peer, description.dt_ms)
    return peer


def times_of(given: Raster, size: int, first: int, dt_ms: float, offset: int = 0) -> list[dict[str, NDArray[Any]]]:
    """spike_times of every line; NEST's first moment is one step after 0."""
    order = np.argsort(given.neuron, kind="stable")
    line, when = given.neuron[order], (given.step[order] + 1 + offset) * dt_ms
    cut = np.searchsorted(line, np.arange(first, first + size + 1))
    return [{"spike_times": when[cut[k] : cut[k + 1]]} for k in range(size)]


def _source(peer: Peer, layer: Layer, given: Raster | None, first: int, learns: bool) -> None:
    if isinstance(layer.cell, Poisson):
        device = nest.Create("poisson_generator", {"rate": layer.cell.rate_hz})
        peer.layers[layer.name] = nest.Create("parrot_neuron", layer.size)
        nest.Connect(device, peer.layers[layer.name], syn_spec={"delay": peer.dt_ms})
        return
    lines = nest.Create("spike_generator", layer.size)
    if given is not None:
        lines.set(times_of(given, layer.size, first, peer.dt_ms))
    peer.lines[layer.name] = peer.layers[layer.name] = lines
    if learns:
        peer.layers[layer.name] = nest.Create("parrot_neuron", layer.size)
        nest.Connect(lines, peer.layers[layer.name], "one_to_one", {"delay": peer.dt_ms})


def _neurons(layer: Layer, potentials: NDArray[Any] | None) -> Any:  # noqa: ANN401
    cell = layer.cell
    if not isinstance(cell, LIF) or cell.tau_syn_ms <= 0:
        raise ValueError(f"layer {layer.name!r}: only LIF neurons with a synaptic current are translated to NEST")
    made = nest.Create(
        "iaf_psc_exp",
        layer.size,
        {
            "C_m": cell.tau_mem_ms, "tau_m": cell.tau_mem_ms, "tau_syn_ex": cell.tau_syn_ms, "E_L": cell.v_rest,
            "tau_syn_in": cell.tau_syn_ms, "V_th": cell.v_th, "V_reset": cell.v_reset, "t_ref": cell.t_ref_ms,
            "I_e": cell.bias, "V_m": cell.v_rest,
        },
    )  # fmt: skip
    if potentials is not None:
        made.V_m = potentials.tolist()
    return made


def _connect(c: Connection, peer: Peer, dt_ms: float) -> None:
    pre, post = np.array(peer.layers[c.pre.name].tolist()), np.array(peer.layers[c.post.name].tolist())
    # a step less on the way from neurons, as what arrives is integrated a step later; one step is the least
    steps = c.delay_steps if c.pre.cell is None or c.pre.cell.generates else np.maximum(c.delay_steps - 1, 1)
    spec: dict[str, Any] = {"weight": c.weights.astype(float), "delay": steps * dt_ms}
    if isinstance(c.rule, STDP):
        rule, ones = c.rule, np.ones(c.weights.size)
        peer.layers[c.post.name].tau_minus = rule.tau_minus_ms
        spec |= {
            "synapse_model": "stdp_synapse", "tau_plus": rule.tau_plus_ms * ones, "Wmax": rule.w_max * ones,
            "lambda": rule.a_plus / rule.w_max * ones, "alpha": rule.a_minus / rule.a_plus * ones,
            "mu_plus": 0.0 * ones, "mu_minus": 0.0 * ones,
        }  # fmt: skip
    nest.Connect(pre[c.pre_index], post[c.post_index], "one_to_one", spec)
