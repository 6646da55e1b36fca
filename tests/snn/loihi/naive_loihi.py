"""A slow, obvious Loihi: Python integers, one synapse at a time, written from the rules in words.

Registers are of 24 bits; what the simulators do beyond them, wrapping sums at 32 bits, is spelled out too.
"""

from __future__ import annotations

from collections import defaultdict


def toward_zero(x, keep):
    size = abs(x) * keep // 4096
    return size if x >= 0 else -size


def wrapped(x):
    return (x + 2**31) % 2**32 - 2**31


def held(w, bits, mode):
    if mode == "inhibitory":
        return -held(-w, bits, "excitatory")
    low = -256 if mode == "mixed" else 0
    step = 2 ** (8 - bits + (mode == "mixed"))
    return min(max(w, low), 255) // step * step


def signs(weights):
    if all(w >= 0 for w in weights):
        return "excitatory"
    return "inhibitory" if all(w <= 0 for w in weights) else "mixed"


class NaiveSynapses:
    """synapses: (pre, post, weight, delay) with weights as given."""

    def __init__(self, pre, post, synapses, exp, bits, mode, graded, latency=1):
        mode = mode or signs([w for _, _, w, _ in synapses])
        self.pre, self.post, self.exp, self.graded, self.latency = pre, post, exp, graded, latency
        self.synapses = [(i, j, held(w, bits, mode), d) for i, j, w, d in synapses]

    def arrivals(self, now, history):
        """post neuron -> sum of this step. Each delay's sum is shifted by itself."""
        parts = defaultdict(int)
        for i, j, w, d in self.synapses:
            when = now - self.latency - d
            payload = history[when][self.pre].get(i, 0) if when >= 0 else 0
            if payload:
                parts[j, d] += w * (payload if self.graded else 1)
        sums = defaultdict(int)
        for (j, _), part in parts.items():
            sums[j] += part * 2**self.exp if self.exp >= 0 else part // 2**-self.exp
        return sums


class NaiveChip:
    """layers: name -> size (inputs) or list of dicts of one neuron's parameters."""

    def __init__(self, layers, connections):
        self.layers, self.connections = layers, connections
        neurons = {name: cells for name, cells in layers.items() if not isinstance(cells, int)}
        self.u = {name: [0] * len(cells) for name, cells in neurons.items()}
        self.v = {name: [0] * len(cells) for name, cells in neurons.items()}
        self.wait = {name: [0] * len(cells) for name, cells in neurons.items()}
        self.history = []

    def step(self, inputs):
        """inputs: name -> {line: payload}; returns name -> list of neurons that spiked."""
        now = len(self.history)
        self.history.append({name: dict(inputs.get(name, {})) for name in self.layers})
        sums = {name: defaultdict(int) for name in self.u}
        for connection in self.connections:
            for j, a in connection.arrivals(now, self.history).items():
                sums[connection.post][j] += a
        spiked = {}
        for name in self.u:
            spiked[name] = [n for n in range(len(self.u[name])) if self._neuron(name, n, sums[name][n])]
        for name, found in spiked.items():
            self.history[now][name] = dict.fromkeys(found, 1)
        return spiked

    def _neuron(self, name, n, a):
        cell = self.layers[name][n]
        u = wrapped(toward_zero(self.u[name][n], 4096 - (cell["du"] + 1)) + a * 64)
        if u > 2**23:
            u -= 2**24
        elif u <= -(2**23):
            u += 2**24
        self.u[name][n] = u
        v = wrapped(toward_zero(self.v[name][n], 4096 - cell["dv"]) + u + cell["bias_mant"] * 2 ** cell["bias_exp"])
        v = min(max(v, -(2**23) + 1), 2**23 - 1)
        if self.wait[name][n] > 0:
            self.wait[name][n] -= 1
            v = 0
        fires = v > cell["vth"] * 64
        if fires:
            v, self.wait[name][n] = 0, cell["refract"] - 1
        self.v[name][n] = v
        return fires
