"""Every neuron type as plain Python arithmetic on doubles, one neuron at a time, straight from its equations."""

from __future__ import annotations

import math

from neuro_robot.snn.cells import IF, LIF, AdaptiveLIF, AdEx, ConductanceLIF, Izhikevich


class NaiveCell:
    """One neuron; step(w) takes the list of weights that arrive and says whether it fires."""

    def __init__(self, cell, dt):
        self.cell, self.dt = cell, dt
        self.v = getattr(cell, "v_rest", getattr(cell, "e_l", getattr(cell, "c", 0.0)))
        self.i = self.inhibition = self.adaptation = 0.0
        if isinstance(cell, Izhikevich):
            self.adaptation = cell.b * cell.c
        self.held = 0

    def step(self, arriving):
        cell = self.cell
        if isinstance(cell, ConductanceLIF):
            self.i += sum(w for w in arriving if w > 0)
            self.inhibition -= sum(w for w in arriving if w < 0)
            return self._fire(self._conductance(), cell.v_th)
        self.i += sum(arriving)
        if isinstance(cell, Izhikevich):
            return self._izhikevich()
        if isinstance(cell, AdEx):
            return self._adex()
        if isinstance(cell, IF):
            return self._fire(self._if(), cell.v_th)
        assert isinstance(cell, LIF | AdaptiveLIF)
        v = self._lif()
        if isinstance(cell, LIF):
            return self._fire(v, cell.v_th)
        self.adaptation *= math.exp(-self.dt / cell.tau_adapt_ms)
        fired = self._fire(v, cell.v_th + cell.beta * self.adaptation)
        self.adaptation += fired
        return fired

    def _fire(self, v, threshold):
        if self.held:
            self.held -= 1
            self.v = self.cell.v_reset
            return False
        fired = v >= threshold
        self.v = self.cell.v_reset if fired else v
        if fired:
            self.held = round(self.cell.t_ref_ms / self.dt)
        return fired

    def _fade(self, tau):
        keep = math.exp(-self.dt / tau) if tau else 0.0
        i, self.i = self.i, self.i * keep
        return i, keep

    def _if(self):
        tau = self.cell.tau_syn_ms
        i, keep = self._fade(tau)
        return self.v + (i * tau * (1 - keep) if tau else i) + self.cell.bias * self.dt

    def _lif(self):
        """The exact solution, with the current's part integrated numerically: Simpson's rule on the convolution."""
        cell, dt = self.cell, self.dt
        i, _ = self._fade(cell.tau_syn_ms)
        goal = cell.v_rest + cell.bias
        v = goal + (self.v - goal) * math.exp(-dt / cell.tau_mem_ms)
        if cell.tau_syn_ms == 0:
            return v + i
        parts = 200
        total = 0.0
        for k in range(parts + 1):
            s = dt * k / parts
            value = i * math.exp(-s / cell.tau_syn_ms) * math.exp(-(dt - s) / cell.tau_mem_ms) / cell.tau_mem_ms
            total += value * (1 if k in (0, parts) else 4 if k % 2 else 2)
        return v + total * dt / parts / 3

    def _conductance(self):
        cell = self.cell
        g = 1 + self.i + self.inhibition
        goal = (cell.v_rest + cell.bias + self.i * cell.e_exc + self.inhibition * cell.e_inh) / g
        self.i *= math.exp(-self.dt / cell.tau_exc_ms)
        self.inhibition *= math.exp(-self.dt / cell.tau_inh_ms)
        return goal + (self.v - goal) * math.exp(-self.dt * g / cell.tau_mem_ms)

    def _kick(self):
        i, _ = self._fade(self.cell.tau_syn_ms)
        if self.cell.tau_syn_ms == 0:
            self.v += i
            return 0.0
        return i

    def _izhikevich(self):
        cell, h, fired = self.cell, self.dt / self.cell.substeps, False
        i = self._kick() + cell.bias
        for _ in range(cell.substeps):
            v, u = self.v, self.adaptation
            self.v = v + h * (0.04 * v**2 + 5 * v + 140 - u + i)
            self.adaptation = u + h * cell.a * (cell.b * v - u)
            if self.v >= cell.v_peak:
                self.v, self.adaptation, fired = cell.c, self.adaptation + cell.d, True
        return fired

    def _adex(self):
        cell, h, fired = self.cell, self.dt / self.cell.substeps, False
        i = self._kick() + cell.bias
        held = self.held > 0
        self.held -= held
        self.v = cell.v_reset if held else min(self.v, cell.v_peak)
        for _ in range(cell.substeps):
            v, w = self.v, self.adaptation
            self.adaptation = w + h / cell.tau_w_ms * (cell.a * (v - cell.e_l) - w)
            if held or (fired and round(cell.t_ref_ms / self.dt)):
                continue
            rise = cell.g_l * cell.delta_t * math.exp((v - cell.v_t) / cell.delta_t)
            self.v = v + h / cell.c_m * (rise - cell.g_l * (v - cell.e_l) - w + i)
            if self.v >= cell.v_peak:
                self.v, self.adaptation, fired = cell.v_reset, self.adaptation + cell.b, True
                self.held = round(cell.t_ref_ms / self.dt)
        return fired
