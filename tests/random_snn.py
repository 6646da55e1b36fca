"""Random small networks that use every feature of the description."""

from __future__ import annotations

import numpy as np

from neuro_robot.snn.network import LIF, STDP, Network


def random_network(seed):
    """Two input layers around two recurrent LIF layers; delays, sparse weights, several rules."""
    rng = np.random.default_rng(seed)
    net = Network(dt_ms=float(rng.choice([0.5, 1.0, 2.0])))
    size = {name: int(rng.integers(1, 9)) for name in ("a", "h", "b", "o")}
    for name, n in size.items():
        if name in "ab":
            net.add_input(name, n)
        else:
            tau = float(rng.uniform(2, 30))
            net.add_lif(name, n, LIF(
                tau, float(rng.choice([0.0, 5.0, tau])), v_th=float(rng.uniform(0.4, 1.0)),
                v_reset=float(rng.choice([0.0, -0.3])), v_rest=float(rng.choice([0.0, 0.1])),
                t_ref_ms=float(rng.choice([0.0, 2.0, 5.0])), bias=float(rng.uniform(0, 0.6)),
            ))  # fmt: skip
    pairs = [("a", "h"), ("b", "h"), ("h", "h"), ("h", "o"), ("o", "h"), ("a", "o"), ("h", "o")]
    for number, (pre, post) in enumerate(pairs):
        shape = (size[pre], size[post])
        weights = rng.uniform(-0.5, 1.5, shape)
        if rng.random() < 0.6:  # otherwise full rows, which the engine treats apart
            weights[rng.random(shape) < 0.3] = np.nan
            weights[rng.random(shape[0]) < 0.1] = np.nan
        delays = int(rng.integers(1, 6)) if rng.random() < 0.5 else rng.integers(1, 6, shape)
        rule = None
        if rng.random() < 0.7:
            rule = STDP(
                *rng.uniform(0.0, 0.2, 2), *rng.uniform(5, 30, 2), tau_eligibility_ms=float(rng.choice([0.0, 80.0])),
                learning_rate=float(rng.uniform(0, 0.3)), w_min=-0.6, w_max=1.6,
                weight_decay_per_s=float(rng.choice([0.0, 2.0])), same_step=bool(rng.random() < 0.5),
            )  # fmt: skip
        net.connect(pre, post, weights, delays, rule, name=f"c{number}")
    return net, rng
