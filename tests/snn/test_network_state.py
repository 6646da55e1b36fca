"""Saving and continuing: to the bit, also through a file; another network's state is refused with what differs."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from random_snn import random_network

from neuro_robot.errors import WeightsError
from neuro_robot.snn.network import LIF, STDP, Network
from neuro_robot.snn.weights_file import load_state, save_state

RULE = STDP(0.1, 0.1, 20, 20, 100, 0.1, -1, 2)


def drive(run, rng, steps):
    n = sum(piece.stop - piece.start for piece in run.input_slices.values())
    return [run.step(rng.integers(0, 4, n) * (rng.random(n) < 0.2)).tolist() for _ in range(steps)]


def plain(n_in=3, n_out=2, delay=2, rule=RULE, seed=0):
    net = Network()
    net.add_input("in", n_in)
    net.add_lif("out", n_out, LIF(20, 5, 0.5))
    net.connect("in", "out", np.random.default_rng(seed).uniform(0, 1, (n_in, n_out)), delay, rule)
    return net.compile()


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("steps_before", [0, 1, 37])
def test_a_restored_network_continues_to_the_bit(seed, steps_before, tmp_path):
    first = random_network(seed)[0].compile()
    first.set_reward("h", 0.3)
    drive(first, np.random.default_rng(1), steps_before)
    first.thresholds[first.layer_slices["h"]] *= np.float32(0.9)
    save_state(tmp_path / "w", first.state(), {})
    second = random_network(seed)[0].compile()
    drive(second, np.random.default_rng(5), 11)  # it has a past of its own, at another place in its history
    second.load_state_dict(load_state(tmp_path / "w")[0])
    rng_a, rng_b = np.random.default_rng(2), np.random.default_rng(2)
    assert drive(first, rng_a, 40) == drive(second, rng_b, 40)
    for name, array in first.state().items():
        np.testing.assert_array_equal(array, second.state()[name], err_msg=name)


@pytest.mark.parametrize("seed", range(4))
def test_reset_forgets_all_but_weights(seed):
    run, fresh = random_network(seed)[0].compile(), random_network(seed)[0].compile()
    run.set_reward("h", 1.0)
    drive(run, np.random.default_rng(1), 33)
    run.reset_state()
    for name in run.connections:
        fresh.set_weights(name, run.weights(name))
    assert drive(run, np.random.default_rng(2), 40) == drive(fresh, np.random.default_rng(2), 40)
    for name in run.connections:
        np.testing.assert_array_equal(run.weights(name), fresh.weights(name))


def test_same_input_same_bits():
    runs = [random_network(8)[0].compile() for _ in range(2)]
    assert drive(runs[0], np.random.default_rng(1), 100) == drive(runs[1], np.random.default_rng(1), 100)
    for name, array in runs[0].state().items():
        assert array.tobytes() == runs[1].state()[name].tobytes()


def test_state_is_a_copy():
    run = plain()
    run.state()["weights/in->out"][:] = 9
    assert run.weights("in->out").max() <= 1


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (plain(64, 16), "in->out: saved for 64x16 synapses, this network has 3x2"),
        (plain(delay=3), "sent: saved as float32"),
        (plain(rule=None), "missing"),
    ],
)
def test_state_of_another_network(other, told):
    run = plain(seed=1)
    before = run.state()
    with pytest.raises(WeightsError, match=told):
        run.load_state_dict(other.state())
    for name, array in run.state().items():
        np.testing.assert_array_equal(array, before[name])


@pytest.mark.parametrize(
    ("name", "forge", "told"),
    [
        ("weights/in->out", lambda a: a * np.nan, "holds NaN"),
        ("weights/in->out", lambda a: a + 100, "bounds of the STDP rule"),
        ("weights/in->out", lambda a: a.astype(np.float64), "saved as float64"),
        ("weights/in->out", lambda a: a[:-1], r"saved as float32 \(5,\), this network has float32 \(6,\)"),
        ("synapses/in->out", lambda a: a[::-1], "other synapses or delays"),
        ("sent", lambda a: a - 1, "no negative"),
        ("refractory", lambda a: a - 1, "no negative"),
        ("state", lambda a: a * np.inf, "holds NaN or infinity"),
        ("shape/in->out", lambda a: a[:1], "saved as int64"),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value")
def test_forged_state(name, forge, told):
    run = plain()
    arrays = run.state()
    arrays[name] = forge(arrays[name])
    with pytest.raises(WeightsError, match=told):
        run.load_state_dict(arrays)


def test_missing_and_unknown_arrays_are_named():
    run = plain()
    arrays = run.state()
    del arrays["threshold"]
    arrays["extra"] = np.zeros(1)
    with pytest.raises(WeightsError, match="threshold missing; extra unknown"):
        run.load_state_dict(arrays)


def test_a_deep_copy_is_independent():
    run = plain()
    twin = copy.deepcopy(run)
    twin.set_reward("out", 1.0)
    run.set_reward("out", 1.0)
    assert drive(run, np.random.default_rng(1), 50) == drive(twin, np.random.default_rng(1), 50)
    np.testing.assert_array_equal(run.weights("in->out"), twin.weights("in->out"))
    before = run.weights("in->out")
    assert drive(twin, np.random.default_rng(2), 50)
    np.testing.assert_array_equal(run.weights("in->out"), before)
    assert not np.array_equal(twin.weights("in->out"), before)
