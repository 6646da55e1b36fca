"""The chip's learning kernel against the naive one on random rules: traces, weights and tags equal to the bit."""

from __future__ import annotations

import numpy as np
import pytest
from snn.loihi.naive_loihi_learning import NaiveRule

from neuro_robot.snn.backends.loihi.description import ChipNetwork, Compartments
from neuro_robot.snn.backends.loihi.machine import Machine
from neuro_robot.snn.backends.loihi.rules import ChipProduct, ChipRule
from neuro_robot.snn.products import Factor

N_PRE, N_POST, STEPS = 6, 4, 120
VARIABLES = ("x1", "x2", "y1", "y2", "y3", "w", "t")


def random_factor(rng):
    constant = float(rng.integers(-3, 4) * (rng.random() < 0.3))
    return Factor(VARIABLES[rng.integers(0, 7)], constant, bool(rng.random() < 0.2))


def random_rule(rng):
    products = []
    for _ in range(int(rng.integers(1, 6))):
        factors = tuple(random_factor(rng) for _ in range(int(rng.integers(0, 3))))
        mantissa, exponent = int(rng.integers(1, 8) * rng.choice((-1, 1))), int(rng.integers(-7, 1))
        dependency, period = int(rng.integers(0, 3)), 2 ** int(rng.integers(0, 4))
        target = "w" if rng.random() < 0.7 else "t"
        products.append(ChipProduct(target, mantissa, exponent, dependency, factors, period if dependency == 2 else 1))
    return ChipRule(
        tuple(products),
        impulses=tuple(float(value) for value in rng.integers(0, 40, 5) + rng.choice((0.0, 0.3), 5)),
        taus=tuple(float(value) for value in rng.choice((0.0, 3.0, 10.0, 40.0), 5)),
        w_min=-100, w_max=100, order=int(rng.integers(0, 3)), reward=int(rng.integers(0, 3)), reward_scale=2.0,
        reward_period=int(rng.integers(1, 5)),
    )  # fmt: skip


def compared(seed):
    """Run both and compare after every step; returns how many weights and tags are not what they were."""
    rng = np.random.default_rng(seed)
    rule, exists = random_rule(rng), rng.random((N_PRE, N_POST)) < 0.7
    weights, delays = rng.integers(-30, 31, exists.shape) * 2, rng.integers(0, 3, exists.shape)
    net = ChipNetwork()
    net.add_input("in", N_PRE)
    net.add_input("go", N_POST)
    net.add_layer("post", N_POST, Compartments(4095, 4095, 100))
    net.connect("in", "post", weights, delays, exists=exists, sign_mode="mixed", rule=rule)
    net.connect("go", "post", np.eye(N_POST, dtype=int) * 250, exists=np.eye(N_POST) > 0)
    machine, told = Machine(net, seed), net.synapses["in->post"]
    held = machine.learning
    columns = (told.pre_index, told.post_index, told.delays, told.weights)
    synapses = list(zip(*(column.tolist() for column in columns), strict=True))
    naive = NaiveRule(rule, synapses, N_PRE, N_POST, seed, True)
    place, given, changed = machine.layer_slices["post"], [], 0
    for k in range(STEPS):
        row = (rng.random(N_PRE + N_POST) < 0.15).astype(np.int32)
        held.reward[place] = rng.uniform(-3.0, 3.0, N_POST)
        given.append(set(np.flatnonzero(row[:N_PRE]).tolist()))
        fired = set((machine.step(row) - place.start).tolist())
        arrived = {(i, d) for d in naive.delays for i in (given[k - 1 - d] if k > d else ())}
        naive.step(arrived, fired, held.reward[place].tolist())
        assert held.x.tolist() == naive.x
        assert held.y.tolist() == naive.y
        assert held.synapse.tolist() == [naive.w, naive.tag]
        changed += fired != set()
    assert changed > 10
    place = machine.places["in->post"]
    assert machine.tables.weight[place].tolist() == [w // 2 * 2 for w in naive.w]
    return int(np.sum(held.synapse[0] != told.weights)), int(np.sum(held.synapse[1] != 0))


@pytest.mark.parametrize("seed", range(30))
def test_random_rules_learn_alike_to_the_bit(seed):
    compared(seed)


def test_the_random_rules_do_change_weights_and_tags():
    """The comparison would be empty if its rules moved nothing."""
    moved = np.array([compared(seed) for seed in range(30)])
    assert np.sum(moved[:, 0] > 3) >= 15
    assert np.sum(moved[:, 1] > 3) >= 8
