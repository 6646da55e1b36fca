"""Learning rules as plain Python on doubles: spikes given as matrices, weights out. No table, no deferral."""

from __future__ import annotations

import math

import numpy as np


def pairs(rule, pre, post, weights, dt):
    """Pair and triplet rules without eligibility. pre (steps, n) values on arrival, post (steps, m) 0 or 1."""
    w = np.array(weights, np.float64)
    x, x2 = np.zeros(w.shape[0]), np.zeros(w.shape[0])
    y, y2 = np.zeros(w.shape[1]), np.zeros(w.shape[1])
    a3_plus, a3_minus = getattr(rule, "a3_plus", 0.0), getattr(rule, "a3_minus", 0.0)
    rate = rule.learning_rate

    def arrive(i, s):
        x[i] = s if rule.pairing == "nearest" else x[i] + s
        x2[i] = s if rule.pairing == "nearest" else x2[i] + s

    for arrivals, spikes in zip(pre, post, strict=True):
        x *= math.exp(-dt / rule.tau_plus_ms)
        y *= math.exp(-dt / rule.tau_minus_ms)
        x2 *= math.exp(-dt / getattr(rule, "tau_x_ms", 1.0))
        y2 *= math.exp(-dt / getattr(rule, "tau_y_ms", 1.0))
        for i in np.flatnonzero(arrivals):
            loss = rate * arrivals[i] * (rule.a_minus + a3_minus * x2[i])
            w[i] = np.clip(w[i] - loss * y, rule.w_min, rule.w_max)
            if rule.same_step:
                arrive(i, arrivals[i])
        for j in np.flatnonzero(spikes):
            w[:, j] = np.clip(w[:, j] + rate * (rule.a_plus + a3_plus * y2[j]) * x, rule.w_min, rule.w_max)
            y[j] = 1.0 if rule.pairing == "nearest" else y[j] + 1.0
            y2[j] = 1.0 if rule.pairing == "nearest" else y2[j] + 1.0
        for i in () if rule.same_step else np.flatnonzero(arrivals):
            arrive(i, arrivals[i])
    return w


def sums(rule, pre, post, weights, dt, reward=0.0):
    """A sum-of-products rule; returns weights and tags. Terms are evaluated by Python itself."""
    w = np.array(weights, np.float64)
    tag = np.zeros(w.shape)
    traces = {name: np.zeros(w.shape[0] if name[0] == "x" else w.shape[1]) for name in ("x1", "x2", "y1", "y2", "y3")}
    text = {"w": rule.dw, "t": rule.dt}
    for k, (arrivals, spikes) in enumerate(zip(pre, post, strict=True)):
        for name, trace in traces.items():
            trace *= math.exp(-dt / getattr(rule, f"{name}_tau_ms"))
            trace += getattr(rule, f"{name}_impulse") * (arrivals if name[0] == "x" else spikes)
        if rule.y3_is_reward:
            traces["y3"][:] = reward
        known = {name: (v[:, None] if name[0] == "x" else v[None, :]) for name, v in traces.items()}
        known |= {"x0": arrivals[:, None], "y0": spikes[None, :], "w": w, "t": tag, "sgn": np.sign}
        known |= {f"u{e}": float((k + 1) % 2**e == 0) for e in range(10)}
        change = {
            variable: np.broadcast_to(eval(told.replace("^", "**"), {}, known) if told else 0.0, w.shape)
            for variable, told in text.items()
        }
        w = np.clip(w + change["w"], rule.w_min, rule.w_max)
        tag = tag + change["t"]
    return w, tag


def scaled(scaling, post, weights, dt):
    """Homeostatic scaling alone."""
    w = np.array(weights, np.float64)
    rate = np.zeros(w.shape[1])
    period = round(scaling.period_ms / dt)
    for k, spikes in enumerate(post):
        rate = rate * math.exp(-dt / scaling.tau_rate_ms) + spikes * 1000.0 / scaling.tau_rate_ms
        if (k + 1) % period == 0:
            factor = 1 + scaling.gain * period * dt * 1e-3 * (scaling.target_rate_hz - rate)
            w = np.clip(w * factor, scaling.w_min, scaling.w_max)
    return w
