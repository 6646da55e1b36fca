"""Write the traces of this folder with the naive Loihi: `python tests/golden/make_traces.py`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
STEPS, NEURONS, INPUTS = 150, 6, 10

# name: differences from the plain case
CASES = {
    "mixed": {},
    "excitatory": {"low": 0, "vth": 1500},
    "inhibitory_bias": {"high": 0, "low": -40, "bias": (200, 900), "bias_exp": 7},
    "exponent_up": {"weight_exp": 3, "vth": 1500},
    "exponent_down": {"weight_exp": -3, "vth": 20},
    "five_bits": {"num_weight_bits": 5},
    "wrap": {"low": 0, "high": 255, "weight_exp": 6, "du": 60, "dv": 4000, "vth": 131071, "rate": 0.5},
    "decay_all": {"du": 4095, "dv": 4095, "vth": 100},
    "decay_none": {"du": 0, "dv": 0, "vth": 3000},
    "recurrent": {"recurrent": True, "bias": (20, 90), "bias_exp": 6},
    "delays": {"max_delay": 62},
    "graded": {"graded": True, "low": -20, "high": 20, "vth": 1500},
    "refractory": {"refract": 4, "bias": (0, 60), "bias_exp": 5},
}


def make(seed: int, options: dict) -> dict:
    """One trace as arrays."""
    from snn.loihi.naive_loihi import NaiveChip, NaiveSynapses

    told = {
        "du": 400, "dv": 200, "vth": 200, "weight_exp": 0, "num_weight_bits": 8, "graded": False, "refract": 1,
        "max_delay": None, "recurrent": False, "low": -254, "high": 254, "bias": (0, 0), "bias_exp": 0, "rate": 0.1,
        **options,
    }  # fmt: skip
    rng = np.random.default_rng(seed)
    s_in = (rng.random((INPUTS, STEPS)) < told["rate"]) * (
        rng.integers(1, 256, (INPUTS, STEPS)) if told["graded"] else 1
    )
    w = rng.integers(told["low"], told["high"] + 1, (NEURONS, INPUTS))
    delay = rng.integers(0, (told["max_delay"] or 0) + 1, w.shape)
    bias = rng.integers(told["bias"][0], told["bias"][1] + 1, NEURONS)
    form = (told["weight_exp"], told["num_weight_bits"], None)
    every = [(i, n, int(w[n, i]), int(delay[n, i])) for n in range(NEURONS) for i in range(INPUTS)]
    connections = [NaiveSynapses("in", "lif", every, *form, told["graded"])]
    arrays = {"s_in": s_in.astype(np.uint8), "w": w.astype(np.int16)}
    if told["max_delay"]:
        arrays["delay"] = delay.astype(np.uint8)
    if told["recurrent"]:
        w_rec = rng.integers(-120, 121, (NEURONS, NEURONS))
        back = [(i, n, int(w_rec[n, i]), 0) for n in range(NEURONS) for i in range(NEURONS)]
        connections.append(NaiveSynapses("lif", "lif", back, *form, False))
        arrays["w_rec"] = w_rec.astype(np.int16)
    cells = [
        {key: told[key] for key in ("du", "dv", "vth", "refract", "bias_exp")} | {"bias_mant": int(bias[n])}
        for n in range(NEURONS)
    ]
    chip = NaiveChip({"in": INPUTS, "lif": cells}, connections)
    u, v, s_out = (np.zeros((NEURONS, STEPS), np.int32) for _ in range(3))
    for t in range(STEPS):
        s_out[chip.step({"in": dict(enumerate(s_in[:, t].tolist()))})["lif"], t] = 1
        u[:, t], v[:, t] = chip.u["lif"], chip.v["lif"]
    exponents = np.full(NEURONS, told["bias_exp"], np.int32)
    arrays |= {"bias_mant": bias.astype(np.int32), "bias_exp": exponents, "u": u, "v": v}
    meta = {key: told[key] for key in ("du", "dv", "vth", "weight_exp", "num_weight_bits", "graded", "refract")}
    meta |= {
        "max_delay": told["max_delay"],
        "recurrent": told["recurrent"],
        "seed": seed,
        "generator": "naive_loihi.py",
    }
    return {**arrays, "s_out": s_out.astype(np.uint8), "meta": np.array(json.dumps(meta))}


if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parent))
    for number, (name, options) in enumerate(CASES.items()):
        np.savez_compressed(HERE / f"{name}.npz", **make(number, options))
