"""The compiled engine equals the naive one bit for bit: spikes, membranes, weights, eligibility."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_snn import NaiveNetwork
from random_snn import random_network

from neuro_robot.snn.network import LIF, STDP, Network


def assert_same(fast, slow, net):
    assert (fast.synaptic_operations, fast.weight_updates) == (slow.operations, slow.updates)
    for name in slow.v:
        piece = fast.layer_slices[name]
        np.testing.assert_array_equal(fast.v[piece], np.array(slow.v[name], np.float32))
        np.testing.assert_array_equal(fast.current[piece], np.array(slow.i[name], np.float32))
    for name, told in net.connections.items():
        at = (told.pre_index, told.post_index)
        np.testing.assert_array_equal(fast.weights(name)[at], np.array([s.w for s in slow.synapses[name]], np.float32))
        if told.rule is not None:
            np.testing.assert_array_equal(
                fast.eligibility(name)[at], np.array([s.e for s in slow.synapses[name]], np.float32)
            )


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_random_networks_match_to_the_bit(seed):
    net, rng = random_network(seed)
    fast, slow = net.compile(potentiation="eager"), NaiveNetwork(net)
    n_inputs = net.layers["a"].size + net.layers["b"].size
    spikes_seen = 0
    for k in range(60):
        if k % 7 == 0:
            for layer in ("h", "o"):
                reward = rng.uniform(-1, 1, net.layers[layer].size).astype(np.float32)
                fast.set_reward(layer, reward)
                slow.reward[layer] = list(reward)
        fast.learning = slow.learning = k % 20 < 15
        inputs = rng.integers(0, 4, n_inputs) * (rng.random(n_inputs) < 0.2)
        told = slow.step(inputs)
        found = fast.step(inputs)
        expected = [fast.layer_slices[name].start + i for name in ("h", "o") for i in told[name]]
        assert found.tolist() == expected
        spikes_seen += len(expected)
    assert_same(fast, slow, net)
    assert (
        fast.spike_counts[fast.layer_slices["h"]].sum() + fast.spike_counts[fast.layer_slices["o"]].sum() == spikes_seen
    )


def test_the_random_networks_do_spike_and_learn():
    """The comparison above would be empty if its networks were silent."""
    active = learnt = 0
    for seed in range(10):
        net, rng = random_network(seed)
        fast = net.compile(potentiation="eager")
        before = {name: fast.weights(name) for name in net.connections}
        fast.set_reward("h", 1.0)
        for _ in range(60):
            n = net.layers["a"].size + net.layers["b"].size
            active += len(fast.step(rng.integers(0, 4, n) * (rng.random(n) < 0.2)))
        learnt += any(not np.array_equal(before[name], fast.weights(name), equal_nan=True) for name in before)
    assert active > 1000
    assert learnt >= 8


def test_operations_count_every_synapse_reached():
    net = Network()
    net.add_input("in", 3)
    net.add_lif("out", 2, LIF(20, 5, 100.0))
    net.connect("in", "out", [[1, np.nan], [1, 1], [np.nan, np.nan]])
    run = net.compile()
    run.step([5, 1, 1])
    run.step([0, 1, 0])
    assert run.synaptic_operations == 3 + 2
    assert run.steps == 2
    assert run.spike_counts.tolist() == [1, 2, 1, 0, 0]


@pytest.mark.parametrize("tau_eligibility_ms", [0.0, 100.0])
def test_weight_updates_count_real_changes_only(tau_eligibility_ms):
    net = Network()
    net.add_input("in", 2)
    net.add_lif("out", 1, LIF(20, 0, 1.0))
    net.connect("in", "out", [[2.0], [0.0]], rule=STDP(0.1, 0.1, 20, 20, tau_eligibility_ms, 0.1, 0, 3))
    run = net.compile(potentiation="eager")
    run.set_reward("out", 1.0)
    run.step([1, 0])
    run.step()
    assert run.weight_updates == 1  # the silent line's synapse has no trace to learn from
