"""Membranes, currents, traces and plasticity against their formulas on paper."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuro_robot.snn.network import LIF, STDP, Network

PAIR = STDP(0.1, 0.12, 20.0, 30.0, 0.0, 1.0, -5.0, 5.0)


def lone_neuron(cell, dt_ms=1.0):
    net = Network(dt_ms)
    net.add_lif("n", 1, cell)
    return net.compile()


def spike_steps(run, steps):
    return [k for k in range(steps) if run.step().size]


@settings(max_examples=60, deadline=None)
@given(
    tau=st.floats(2, 50),
    drive=st.floats(1.05, 5),
    reset=st.floats(-1, 0.5),
    t_ref_ms=st.integers(0, 5),
    dt=st.sampled_from([0.1, 0.5, 1.0]),
)
def test_interspike_interval_under_constant_current(tau, drive, reset, t_ref_ms, dt):
    """Between spikes v climbs from reset towards the drive: T = t_ref + tau ln((drive - reset) / (drive - 1))."""
    run = lone_neuron(LIF(tau, 5.0, 1.0, v_reset=reset, t_ref_ms=float(t_ref_ms), bias=drive), dt)
    exact = round(t_ref_ms / dt) * dt + tau * math.log((drive - reset) / (drive - 1))
    gaps = np.diff(spike_steps(run, int(4 * exact / dt) + 10)) * dt
    assert gaps.size >= 2
    assert np.all(gaps >= exact - 1e-3 * exact)
    assert np.all(gaps <= exact + dt + 1e-3 * exact)


def test_bias_below_threshold_never_fires_and_settles_at_it():
    run = lone_neuron(LIF(10, 5, 1.0, v_rest=0.2, bias=0.7))
    assert spike_steps(run, 500) == []
    assert run.v[0] == pytest.approx(0.9, rel=1e-6)


@pytest.mark.parametrize(("tau_mem", "tau_syn"), [(20.0, 5.0), (5.0, 20.0), (10.0, 10.0)])
@pytest.mark.parametrize("dt", [0.25, 1.0, 4.0])
def test_psp_is_exact_at_any_step(tau_mem, tau_syn, dt):
    """One spike of weight w: i = w exp(-t/ts), v = w ts / (tm - ts) (exp(-t/tm) - exp(-t/ts)), whatever the step."""
    net = Network(dt)
    net.add_input("in", 1)
    net.add_lif("n", 1, LIF(tau_mem, tau_syn, 100.0))
    net.connect("in", "n", [[3.0]])
    run = net.compile()
    for k in range(int(60 / dt)):
        run.step([2 if k == 0 else 0])  # graded: value 2 counts twice
        t, w = (k + 1) * dt, 6.0
        if tau_mem == tau_syn:
            v = w * t / tau_mem * math.exp(-t / tau_mem)
        else:
            v = w * tau_syn / (tau_mem - tau_syn) * (math.exp(-t / tau_mem) - math.exp(-t / tau_syn))
        assert run.current[1] == pytest.approx(w * math.exp(-t / tau_syn), rel=2e-5)
        assert run.v[1] == pytest.approx(v, rel=5e-5)


def test_delta_synapse_lifts_v_by_the_weight():
    net = Network()
    net.add_input("in", 1)
    net.add_lif("n", 1, LIF(20, 0, 100.0))
    net.connect("in", "n", [[3.0]])
    run = net.compile()
    run.step([1])
    assert run.v[1] == 3.0
    run.step()
    assert run.v[1] == pytest.approx(3 * math.exp(-1 / 20), rel=1e-6)


@pytest.mark.parametrize("delay", [1, 2, 7])
def test_delays_of_inputs_and_neurons(delay):
    """Input at step k acts in step k + d - 1; a neuron's spike of step k in step k + d."""
    net = Network()
    net.add_input("in", 1)
    net.add_lif("a", 1, LIF(20, 0, 1.0))
    net.add_lif("b", 1, LIF(20, 0, 1.0))
    net.connect("in", "a", [[2.0]], delay)
    net.connect("a", "b", [[2.0]], delay)
    run = net.compile()
    seen = {int(n): k for k in range(20) for n in run.step([1 if k == 0 else 0])}
    assert seen == {1: delay - 1, 2: 2 * delay - 1}


def test_refractory_neuron_is_held_at_reset():
    net = Network()
    net.add_input("in", 1)
    net.add_lif("n", 1, LIF(20, 0, 1.0, t_ref_ms=3.0))
    net.connect("in", "n", [[2.0]])
    run = net.compile()
    assert [k for k in range(9) if run.step([1]).size] == [0, 4, 8]


def pair(rule, gap_steps):
    """Weight change by one pre arrival and one post spike gap_steps later (negative: earlier)."""
    net = Network()
    net.add_input("pre", 1)
    net.add_input("force", 1)
    net.add_lif("post", 1, LIF(20, 0, 1.0))
    net.connect("pre", "post", [[0.0]], rule=rule)
    net.connect("force", "post", [[2.0]])
    run = net.compile()
    start = 20
    for k in range(60):
        run.step([k == start, k == start + gap_steps])
        if rule.tau_eligibility_ms and k == max(start, start + gap_steps):
            return run
    return run


@pytest.mark.parametrize("gap", [1, 5, 17])
def test_stdp_window(gap):
    assert pair(PAIR, gap).weights("pre->post")[0, 0] == pytest.approx(0.1 * math.exp(-gap / 20), rel=1e-5)
    assert pair(PAIR, -gap).weights("pre->post")[0, 0] == pytest.approx(-0.12 * math.exp(-gap / 30), rel=1e-5)


def test_pairs_of_one_step_follow_the_option():
    without = STDP(0.1, 0.12, 20.0, 30.0, 0.0, 1.0, -5.0, 5.0, same_step=False)
    assert pair(PAIR, 0).weights("pre->post")[0, 0] == np.float32(0.1)
    assert pair(without, 0).weights("pre->post")[0, 0] == 0.0
    assert pair(without, 5).weights("pre->post")[0, 0] == pytest.approx(0.1 * math.exp(-5 / 20), rel=1e-5)


def test_arrival_not_emission_times_the_pair():
    """With a delay of 4 a post spike before the arrival depresses, though it follows the emission."""
    net = Network()
    net.add_input("pre", 1)
    net.add_input("force", 1)
    net.add_lif("post", 1, LIF(20, 0, 1.0))
    net.connect("pre", "post", [[0.0]], 4, rule=PAIR)
    net.connect("force", "post", [[2.0]])
    run = net.compile()
    for k in range(10):
        run.step([k == 0, k == 1])  # arrives in step 3, two after the post spike
    assert run.weights("pre->post")[0, 0] == pytest.approx(-0.12 * math.exp(-2 / 30), rel=1e-5)


def test_eligibility_decays_and_gates_the_weight():
    """Without reward nothing moves; with reward r the weight gains lr r e (1 + k + k^2 ...) with k = exp(-dt/tau)."""
    rule = STDP(0.1, 0.12, 20.0, 30.0, 50.0, 0.02, -5.0, 5.0)
    run = pair(rule, 5)
    e = 0.1 * math.exp(-5 / 20)
    assert run.eligibility("pre->post")[0, 0] == pytest.approx(e, rel=1e-5)
    for _ in range(30):
        run.step([0, 0])
    e *= math.exp(-30 / 50)
    assert run.eligibility("pre->post")[0, 0] == pytest.approx(e, rel=1e-4)
    assert run.weights("pre->post")[0, 0] == 0.0
    run.set_reward("post", -0.5)
    for _ in range(40):
        run.step([0, 0])
    keep = math.exp(-1 / 50)
    gained = 0.02 * -0.5 * e * (1 - keep**40) / (1 - keep)
    assert run.weights("pre->post")[0, 0] == pytest.approx(gained, rel=1e-4)


def test_reward_has_its_own_sign_for_every_post_neuron():
    net = Network()
    net.add_input("in", 1)
    net.add_lif("out", 3, LIF(20, 0, 1.0))
    net.connect("in", "out", [[2.0, 2.0, 2.0]], rule=STDP(0.1, 0.1, 20, 20, 100, 0.1, 0, 4))
    run = net.compile()
    run.set_reward("out", [1.0, -1.0, 0.0])
    run.step([1])
    run.step()
    change = run.weights("in->out")[0] - 2.0
    assert change[0] > 0
    assert change[0] == pytest.approx(-change[1], rel=1e-5)
    assert change[2] == 0


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**31), tau_eligibility_ms=st.sampled_from([0.0, 50.0]))
def test_weights_never_leave_their_bounds(seed, tau_eligibility_ms):
    rng = np.random.default_rng(seed)
    net = Network()
    net.add_input("in", 6)
    net.add_lif("out", 4, LIF(10, 2, 0.5))
    rule = STDP(5.0, 5.0, 20, 20, tau_eligibility_ms, 3.0, 0.25, 0.75)
    net.connect("in", "out", rng.uniform(0.25, 0.75, (6, 4)), rule=rule)
    run = net.compile()
    for _ in range(50):
        run.set_reward("out", rng.uniform(-10, 10, 4))
        run.step(rng.integers(0, 5, 6))
        weights = run.weights("in->out")
        assert weights.min() >= 0.25
        assert weights.max() <= 0.75
    assert np.any((weights == 0.25) | (weights == 0.75))


@pytest.mark.parametrize("tau_eligibility_ms", [0.0, 50.0])
def test_weight_decay(tau_eligibility_ms):
    net = Network(2.0)
    net.add_input("in", 1)
    net.add_lif("out", 1, LIF(10, 2, 0.5))
    net.connect("in", "out", [[0.8]], rule=STDP(1, 1, 20, 20, tau_eligibility_ms, 1, 0, 1, weight_decay_per_s=1.5))
    run = net.compile()
    for _ in range(500):
        run.step()
    assert run.weights("in->out")[0, 0] == pytest.approx(0.8 * math.exp(-1.5), rel=1e-4)


@pytest.mark.parametrize("tau_eligibility_ms", [0.0, 50.0])
def test_learning_off_freezes_weights_and_eligibility(tau_eligibility_ms):
    rng = np.random.default_rng(3)
    net = Network()
    net.add_input("in", 4)
    net.add_lif("out", 3, LIF(10, 2, 0.5))
    rule = STDP(0.1, 0.1, 20, 20, tau_eligibility_ms, 0.1, 0, 1, weight_decay_per_s=1.0)
    net.connect("in", "out", rng.uniform(0.2, 0.8, (4, 3)), rule=rule)
    run = net.compile()
    run.set_reward("out", 1.0)
    for _ in range(20):
        run.step(rng.integers(0, 3, 4))
    weights, eligibility = run.weights("in->out"), run.eligibility("in->out")
    updates = run.weight_updates
    run.learning = False
    for _ in range(20):
        run.step(rng.integers(0, 3, 4))
    np.testing.assert_array_equal(run.weights("in->out"), weights)
    np.testing.assert_array_equal(run.eligibility("in->out"), eligibility)
    assert run.weight_updates == updates


def test_silence_leaves_no_denormal_numbers():
    """State that fades below 1e-30 becomes 0: denormal arithmetic would slow a quiet network a hundredfold."""
    net = Network()
    net.add_input("in", 1)
    net.add_lif("out", 1, LIF(3, 2, 0.5))
    net.connect("in", "out", [[0.4]], rule=STDP(1, 1, 3, 3, 3, 1, 0, 1))
    run = net.compile()
    run.step([9])
    for _ in range(400):
        run.step()
    state = run.state()
    for name in ("state", "pre_trace", "post_trace", "eligibility/in->out"):
        assert np.all(state[name] == 0), name
