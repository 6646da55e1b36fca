"""A slow, obvious spiking engine: one Python object per synapse, one float32 operation at a time.

It follows the documented order of a step and adds in the documented order, so it must equal the compiled engine bit
for bit: no tolerance anywhere. Built from the same description, but it shares no table and no code with the engine.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

F = np.float32
TINY = F(1e-30)
ZERO = F(0)


def flushed(value):
    return value if abs(value) >= TINY else F(0)


@dataclass
class Synapse:
    pre: int
    post: int
    delay: int
    w: np.float32
    x: np.float32 = ZERO  # the pre trace, kept per synapse
    e: np.float32 = ZERO


class NaiveNetwork:
    def __init__(self, description):
        self.dt = description.dt_ms
        self.layers = description.layers
        self.connections = description.connections
        self.synapses = {
            name: [Synapse(int(i), int(j), int(d), F(w)) for i, j, d, w in
                   zip(c.pre_index, c.post_index, c.delay_steps, c.weights, strict=True)]
            for name, c in self.connections.items()
        }  # fmt: skip
        cells = {name: layer for name, layer in self.layers.items() if layer.cell is not None}
        self.v = {name: [F(layer.cell.v_rest)] * layer.size for name, layer in cells.items()}
        self.i = {name: [F(0)] * layer.size for name, layer in cells.items()}
        self.left = {name: [0] * layer.size for name, layer in cells.items()}
        self.reward = {name: [F(0)] * layer.size for name, layer in cells.items()}
        self.y = {name: [F(0)] * c.post.size for name, c in self.connections.items()}
        self.sent = []  # per step: layer -> {index: value}
        self.learning = True
        self.operations = self.updates = 0

    def step(self, inputs):
        now = len(self.sent)
        sent, offset = {}, 0
        for name, layer in self.layers.items():
            if layer.cell is None:
                part = inputs[offset : offset + layer.size]
                sent[name] = {k: F(value) for k, value in enumerate(part) if value != 0}
                offset += layer.size
        self.sent.append(sent)
        plastic = [name for name, c in self.connections.items() if c.rule is not None]
        for name in plastic:
            self._reward_and_decay(name)
        for name in self.connections:
            self._arrivals(name, now)
        for name, layer in self.layers.items():
            if layer.cell is not None:
                sent[name] = self._membranes(name, layer.cell)
        for name in plastic:
            self._post_spikes(name, now)
        return {name: sorted(sent[name]) for name in self.v}

    def _arriving(self, name, now):
        """(delay, pre, value) in the order of integration."""
        connection = self.connections[name]
        shift = 1 if connection.pre.cell is None else 0
        for delay in sorted({s.delay for s in self.synapses[name]}):
            when = now - delay + shift
            if when >= 0:
                for pre, value in sorted(self.sent[when].get(connection.pre.name, {}).items()):
                    yield delay, pre, value

    def _reward_and_decay(self, name):
        c, rule = self.connections[name], self.connections[name].rule
        for s in self.synapses[name]:
            if self.learning and rule.tau_eligibility_ms > 0:
                gain = F(rule.learning_rate * self.dt) * self.reward[c.post.name][s.post]
                delta = gain * s.e
                self.updates += int(delta != 0)
                keep = F(math.exp(-rule.weight_decay_per_s * self.dt * 1e-3))
                s.w = min(max(s.w * keep + delta, F(rule.w_min)), F(rule.w_max))
                s.e = flushed(s.e * F(math.exp(-self.dt / rule.tau_eligibility_ms)))
            elif self.learning and rule.weight_decay_per_s > 0:
                s.w = s.w * F(math.exp(-rule.weight_decay_per_s * self.dt * 1e-3))
            s.x = flushed(s.x * F(math.exp(-self.dt / rule.tau_plus_ms)))
        keep = F(math.exp(-self.dt / rule.tau_minus_ms))
        self.y[name] = [flushed(y * keep) for y in self.y[name]]

    def _arrivals(self, name, now):
        c, rule = self.connections[name], self.connections[name].rule
        for delay, pre, value in self._arriving(name, now):
            row = [s for s in self.synapses[name] if s.pre == pre and s.delay == delay]
            for s in row:
                self.i[c.post.name][s.post] += s.w * value
                self.operations += 1
            for s in row if rule is not None else ():
                if self.learning:
                    factor = 1.0 if rule.tau_eligibility_ms > 0 else rule.learning_rate
                    self._change(rule, s, (-F(rule.a_minus * factor) * value) * self.y[name][s.post])
                if rule.same_step:
                    s.x += value

    def _membranes(self, name, cell):
        a = math.exp(-self.dt / cell.tau_mem_ms)
        b = math.exp(-self.dt / cell.tau_syn_ms) if cell.tau_syn_ms else 0.0
        if cell.tau_syn_ms == 0:
            coupling = 1.0
        elif cell.tau_syn_ms == cell.tau_mem_ms:
            coupling = self.dt / cell.tau_mem_ms * a
        else:
            coupling = cell.tau_syn_ms / (cell.tau_mem_ms - cell.tau_syn_ms) * (a - b)
        rest, spikes = F(cell.v_rest + cell.bias), {}
        for n in range(len(self.v[name])):
            v = rest + (self.v[name][n] - rest) * F(a) + F(coupling) * self.i[name][n]
            self.i[name][n] = flushed(self.i[name][n] * F(b))
            if self.left[name][n] > 0:
                self.left[name][n] -= 1
                v = F(cell.v_reset)
            elif v >= F(cell.v_th):
                v = F(cell.v_reset)
                self.left[name][n] = round(cell.t_ref_ms / self.dt)
                spikes[n] = F(1)
            self.v[name][n] = flushed(v)
        return spikes

    def _post_spikes(self, name, now):
        c, rule = self.connections[name], self.connections[name].rule
        factor = 1.0 if rule.tau_eligibility_ms > 0 else rule.learning_rate
        for post in sorted(self.sent[now][c.post.name]):
            for s in self.synapses[name]:
                if s.post == post and self.learning:
                    self._change(rule, s, F(rule.a_plus * factor) * s.x)
            self.y[name][post] += F(1)
        if not rule.same_step:
            for delay, pre, value in self._arriving(name, now):
                for s in self.synapses[name]:
                    if s.pre == pre and s.delay == delay:
                        s.x += value

    def _change(self, rule, synapse, change):
        if rule.tau_eligibility_ms > 0:
            synapse.e += change
        else:
            self.updates += int(change != 0)
            synapse.w = min(max(synapse.w + change, F(rule.w_min)), F(rule.w_max))
