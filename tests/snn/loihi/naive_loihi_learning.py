"""On-chip learning in plain Python, synapse by synapse, from the rule as it is told: no table of the engine is used."""

from __future__ import annotations

import math

NAMES = ("x1", "x2", "y1", "y2", "y3")
MASK = 2**64 - 1


def random_bits(seed, now, stream, place):
    """32 bits of a step, a stream and a place: the finaliser of splitmix64."""
    h = (seed * 0x9E3779B97F4A7C15 + now) & MASK
    for shift, factor, more in ((30, 0xBF58476D1CE4E5B9, place), (27, 0x94D049BB133111EB, stream)):
        h = ((h ^ (h >> shift)) * factor + more) & MASK
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        h = ((h ^ (h >> shift)) * factor) & MASK
    return h >> 32


class NaiveRule:
    """One plastic connection, the first of its network. synapses: list of (pre, post, delay, weight) in their order."""

    def __init__(self, rule, synapses, n_pre, n_post, seed, mixed):
        self.rule, self.seed, self.now, self.mixed = rule, seed, 0, mixed
        self.synapses = synapses
        self.delays = sorted({delay for _, _, delay, _ in synapses})
        self.w, self.tag = [w for *_, w in synapses], [0] * len(synapses)
        self.x = [[0] * (n_pre * len(self.delays)) for _ in range(2)]
        self.y = [[0] * n_post for _ in range(3)]
        self.n_pre, self.summed = n_pre, [0.0] * n_post

    def trace_of(self, pre, delay):
        return self.delays.index(delay) * self.n_pre + pre

    def bits(self, stream, place):
        return random_bits(self.seed, self.now, stream, place)

    def step(self, arrived, fired, reward):
        """arrived: set of (pre, delay); fired: set of post neurons; reward: one number for each of them."""
        self._fade()
        self._reward(reward)
        early = {0: (0, 1), 1: (0,), 2: ()}[self.rule.order]
        self._raise(self.x, 0, early, [self.trace_of(*spike) for spike in arrived])
        if self.rule.order == 0:
            self._raise(self.y, 2, (0, 1, 2), fired)
        for k, (pre, _, delay, _) in enumerate(self.synapses):
            if (pre, delay) in arrived:
                self._change(k, 0)
        for k, (_, post, _, _) in enumerate(self.synapses):
            if post in fired:
                self._change(k, 1)
        for k in range(len(self.synapses)):
            self._change(k, 2)
        self._raise(self.x, 0, [kind for kind in (0, 1) if kind not in early], [self.trace_of(*s) for s in arrived])
        if self.rule.order != 0:
            self._raise(self.y, 2, (0, 1, 2), fired)
        self.now += 1

    def _fade(self):
        for kind, trace in enumerate(self.x + self.y):
            tau = self.rule.taus[kind]
            for n, value in enumerate(trace if tau > 0 else ()):
                keep = round(65536 * math.exp(-1.0 / tau))
                trace[n] = (value * keep + (self.bits(100 + kind + (kind > 1), n) & 65535)) >> 16 if value else 0

    def _reward(self, reward):
        if self.rule.reward == 2:
            self.y[2] = [min(max(round(r), 0), 127) for r in reward]
        if self.rule.reward == 1:
            for n, r in enumerate(reward):
                self.summed[n] += r
                if (self.now + 1) % self.rule.reward_period == 0:
                    mean = self.summed[n] / (self.rule.reward_scale * self.rule.reward_period) * 127
                    size = min(int(abs(mean) + self.bits(7, n) / 2**32), 127)
                    self.y[1][n], self.y[2][n], self.summed[n] = size * (mean > 0), size * (mean <= 0), 0.0

    def _raise(self, traces, first, kinds, places):
        for kind in kinds:
            impulse = round(256 * self.rule.impulses[first + kind])
            for n in places if impulse > 0 else ():
                rounding = self.bits((1 if first == 0 else 3) + kind, n) & 255
                traces[kind][n] = min(traces[kind][n] + ((impulse + rounding) >> 8), 127)

    def _change(self, k, dependency):
        sums, told = {"w": 0, "t": 0}, False
        for p, term in enumerate(self.rule.products):
            if term.dependency == dependency and (dependency < 2 or (self.now + 1) % term.period == 0):
                amount = self._amount(term, k, self.bits(30 + p, k) if term.shift else 0)
                sums[term.target] = min(max(sums[term.target] + amount, -(2**15)), 2**15 - 1)
                told = True
        if not told:
            return
        if sums["t"]:
            new = (self.tag[k] * 128 + sums["t"] + (self.bits(10 + dependency, k) & 127)) // 128
            tag = min(max(new, -256), 255)
        else:
            tag = self.tag[k]
        if sums["w"]:
            new = (self.w[k] * 128 + sums["w"] + (self.bits(20 + dependency, k) & 127)) // 128
            self.w[k] = min(max(new, self.rule.w_min), self.rule.w_max)
        self.tag[k] = tag

    def _amount(self, term, k, bits):
        pre, post, delay, _ = self.synapses[k]
        value = term.mantissa
        for factor in term.factors:
            if factor.variable[0] == "x":
                number = self.x[int(factor.variable[1]) - 1][self.trace_of(pre, delay)]
            elif factor.variable[0] == "y":
                number = self.y[int(factor.variable[1]) - 1][post]
            else:
                number = self.w[k] if factor.variable == "w" else self.tag[k]
            number += round(factor.constant)
            if factor.sign:
                number = (number > 0) - (number < 0)
            limit = 512 if factor.variable in ("w", "t") else 128
            value *= min(max(number, -limit), limit - 1)
        size = (abs(value) + bits % 2**term.shift) // 2**term.shift
        size = min(size * 2 ** (term.exponent + 7), 2**15 - 1)
        return size if value > 0 else -size
