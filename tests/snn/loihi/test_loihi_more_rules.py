"""Triplet STDP and homeostatic scaling in the chip's form: on average they do what the processor's rules do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from neuro_robot.errors import ConfigError
from neuro_robot.snn.cells import IF, LIF
from neuro_robot.snn.network import Network
from neuro_robot.snn.rules import STDP, Homeostasis, SumOfProducts, TripletSTDP

N = 200
TRIPLET = TripletSTDP(0.02, 0.02, 20.0, 20.0, a3_plus=0.03, a3_minus=0.02, tau_x_ms=80.0, tau_y_ms=100.0)


def one_synapse(rule, backend, **options):
    """N lines, each with one synapse that learns; the line beside it makes the neuron fire."""
    net = Network()
    net.add_input("pre", N)
    net.add_input("go", N)
    net.add_layer("post", N, LIF(2.0, 0.0, v_th=3.0))
    net.connect("pre", "post", np.where(np.eye(N) > 0, 0.4, np.nan), rule=rule, name="learns")
    net.connect("go", "post", np.where(np.eye(N) > 0, 3.0, np.nan))
    return net.compile(backend, **options)


def change(model, pre, post, steps=200):
    """Mean change of the weights after spikes of all pre and post neurons in these steps."""
    before = np.nanmean(model.weights("learns"))
    for k in range(steps):
        model.step(np.repeat(np.array([k in pre, k in post], np.float32), N))
    return np.nanmean(model.weights("learns")) - before


@pytest.mark.parametrize(
    ("pre", "post"),
    [((5, 30, 55, 80), (10, 35, 60, 85)), ((10, 35, 60, 85), (5, 30, 55, 80)), ((5, 30), (5, 30)), ((5,), (9, 14, 19))],
)
def test_triplets_are_met_on_average(pre, post):
    wanted = change(one_synapse(TRIPLET, "cpu"), pre, post)
    assert abs(wanted) > 0.01
    assert change(one_synapse(TRIPLET, "loihi2"), pre, post) == pytest.approx(wanted, rel=0.12, abs=0.003)
    pairs_only = one_synapse(replace(TRIPLET, a3_plus=0.0, a3_minus=0.0), "loihi2")
    if len(post) > 1:
        assert abs(change(pairs_only, pre, post) - wanted) > 0.1 * abs(wanted)


def test_the_slow_pre_trace_counts_the_spikes_before_the_last():
    rule = replace(TRIPLET, a_plus=0.0, a_minus=0.0, a3_plus=0.0, a3_minus=0.05)
    assert change(one_synapse(rule, "loihi2"), (10,), (5,)) == pytest.approx(0.0, abs=0.002)
    wanted = change(one_synapse(rule, "cpu"), (2, 10), (5,))
    assert change(one_synapse(rule, "loihi2"), (2, 10), (5,)) == pytest.approx(wanted, rel=0.15)


def test_nearest_triplets_forget_what_was_before_the_last_spike():
    rule = replace(TRIPLET, pairing="nearest", a3_plus=0.2, a3_minus=0.1)
    pre, post = (5, 8, 11), (13, 16, 40)
    wanted = change(one_synapse(rule, "cpu"), pre, post)
    assert change(one_synapse(rule, "loihi2"), pre, post) == pytest.approx(wanted, rel=0.15)


def scaled(backend, told, rule=None, rate=0.05, seconds=30):
    """Weights and rates of IF neurons under random input that scaling brings to its target."""
    net, rng = Network(), np.random.default_rng(3)
    net.add_input("in", 40)
    net.add_layer("out", 20, IF(tau_syn_ms=2.0, v_th=1.0))
    net.connect("in", "out", rng.uniform(0.01, 0.05, (40, 20)), rule=rule, name="learns", scaling=told)
    model = net.compile(backend)
    raster = rng.random((1000 * seconds, 40)) < rate
    model.run(raster[:-10_000])
    late = model.run(raster[-10_000:])
    return model.weights("learns"), np.bincount(late.neuron, minlength=60)[40:] / 10.0


@pytest.mark.parametrize("target", [8.0, 20.0])
@pytest.mark.parametrize("rule", [None, STDP(1e-4, 1e-4, w_max=0.1)])
def test_scaling_brings_the_rate_to_its_target(target, rule):
    told = Homeostasis(target_rate_hz=target, tau_rate_ms=500.0, gain=0.02, period_ms=100.0)
    weights, rates = scaled("loihi2", told, rule)
    real, real_rates = scaled("cpu", told, rule)
    loose = 0.12 if rule is None else 0.4  # weights of few units walk at random, and cannot fall below 0
    assert np.mean(rates) == pytest.approx(target, rel=loose)
    assert np.mean(rates) == pytest.approx(np.mean(real_rates), rel=loose)
    assert np.nanmean(weights) == pytest.approx(np.nanmean(real), rel=0.2)


def test_scaling_keeps_bounds_rests_when_switched_off_and_tells_its_rates():
    told = Homeostasis(target_rate_hz=400.0, tau_rate_ms=300.0, gain=0.05, period_ms=50.0, w_min=0.0, w_max=0.06)
    weights, _ = scaled("loihi2", told, seconds=12)
    assert np.nanmax(weights) <= np.float32(0.06)
    assert np.nanmean(weights) > 0.055
    model = one_synapse(None, "loihi2")
    assert "gain" not in model.report()
    net = Network()
    net.add_input("in", 4)
    net.add_layer("out", 4, IF())
    net.connect("in", "out", np.full((4, 4), 0.03), name="learns", scaling=told)
    model = net.compile("loihi2")
    assert "gain: wanted 0.05, held 0.0488" in model.report()
    assert "scaling period, ms: wanted 50, held 64" in model.report()
    model.set_learning("learns", False)
    before = model.weights("learns")
    model.run(np.ones((500, 4)))
    np.testing.assert_array_equal(model.weights("learns"), before)
    model.set_weights("learns", before)


def test_a_target_of_zero_silences():
    _, rates = scaled("loihi2", Homeostasis(target_rate_hz=0.0, tau_rate_ms=500.0, gain=0.05), seconds=40)
    assert rates.mean() < 2.0


@pytest.mark.parametrize(
    ("rule", "told", "words"),
    [
        (replace(TRIPLET, tau_eligibility_ms=100.0), None, "TripletSTDP.a3_plus: .* expected 0 beside tau_eligib"),
        (STDP(tau_eligibility_ms=100.0), Homeostasis(), "Homeostasis: the chip scales by its trace y3"),
        (SumOfProducts("2^-7*x1*y0", w_max=1.0), Homeostasis(), "Homeostasis: the chip scales by its trace y3"),
        (None, Homeostasis(tau_rate_ms=1e6), "target_rate_hz times tau_rate_ms: expected up to 512 spikes, got 10000"),
        (None, Homeostasis(gain=1e-9), "Homeostasis: the coefficient .* is beyond the chip's"),
    ],
)
def test_what_the_chip_has_no_trace_for_is_refused_by_name(rule, told, words):
    net = Network()
    net.add_input("in", 2)
    net.add_layer("out", 2, LIF())
    net.connect("in", "out", np.full((2, 2), 0.5), rule=rule, scaling=told)
    with pytest.raises(ConfigError, match=f"connection 'in->out'.*{words}"):
        net.compile("loihi2")


def test_both_arithmetics_learn_alike():
    made = []
    for arithmetic in ("integer", "cpu"):
        model = one_synapse(TRIPLET, "loihi2", seed=4, arithmetic=arithmetic)
        change(model, (5, 30, 55), (10, 35, 60), 80)
        made.append(model.weights("learns"))
    np.testing.assert_array_equal(*made)
