"""The back ends loihi and loihi2 from a float description: timing, arithmetic, learning, state, refusals."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from neuro_robot.errors import ConfigError, WeightsError
from neuro_robot.snn.backends import backend, names
from neuro_robot.snn.cells import IF, LIF, AdEx, Poisson
from neuro_robot.snn.network import Network
from neuro_robot.snn.rules import STDP, SumOfProducts
from neuro_robot.snn.weights_file import load_state, save_state

STEER = STDP(1.0, 0.2, 20.0, 20.0, 500.0, 1e-5, 0.0, 0.4)


def random_network(seed):
    """Two input layers, two recurrent layers of neurons, delays, sparse connections, two rules."""
    rng = np.random.default_rng(seed)
    net = Network(dt_ms=float(rng.choice([0.5, 1.0])))
    size = {name: int(rng.integers(1, 9)) for name in ("a", "h", "b", "o")}
    for name, n in size.items():
        if name in "ab":
            net.add_input(name, n)
            continue
        common = {"v_th": float(rng.uniform(0.4, 30.0)), "t_ref_ms": float(rng.choice([0.0, 2.0])), "v_reset": -0.3}
        tau_syn = float(rng.choice([0.0, 5.0]))
        if rng.random() < 0.3:
            net.add_layer(name, n, IF(tau_syn_ms=tau_syn, bias=float(rng.uniform(0, 0.02)), **common))
        else:
            net.add_layer(name, n, LIF(float(rng.uniform(5, 30)), tau_syn, bias=float(rng.uniform(0, 1)), **common))
    pairs = [("a", "h"), ("b", "h"), ("h", "h"), ("h", "o"), ("o", "h"), ("a", "o")]
    for number, (pre, post) in enumerate(pairs):
        shape = (size[pre], size[post])
        threshold = net.layers[post].cell.v_th
        weights = rng.uniform(-0.5, 1.5, shape) * threshold
        if rng.random() < 0.6:
            weights[rng.random(shape) < 0.3] = np.nan
        delays = int(rng.integers(1, 64)) if rng.random() < 0.5 else rng.integers(1, 64, shape)
        rule = [
            None,
            STDP(0.1, 0.1, 20.0, 15.0, 0.0, 0.2 * threshold, -threshold, 2 * threshold),
            STDP(1.0, 0.4, 20.0, 15.0, 100.0, 1e-3 * threshold, -threshold, 2 * threshold, 1.0, same_step=False),
        ][rng.integers(3)]
        net.connect(pre, post, weights, delays, rule, name=f"c{number}")
    return net, rng


def test_both_are_registered_and_tell_what_they_hold():
    assert {"loihi", "loihi2"} <= set(names())
    assert backend("loihi2").cells == (IF, LIF, Poisson)
    assert "24 bits" in backend("loihi").limits["decays"]


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=10, deadline=None, phases=(Phase.explicit, Phase.generate))
def test_integers_and_float64_spike_alike_and_learn_alike(seed):
    net, rng = random_network(seed)
    made, checked = (net.compile("loihi2", arithmetic=kind, seed=seed) for kind in ("integer", "cpu"))
    for step in range(80):
        counts = (rng.random(sum(made._input_shape)) < 0.3) * rng.uniform(0, 4, made._input_shape)
        if step % 20 == 0:
            for model in (made, checked):
                model.set_reward("h", np.sin(step + np.arange(net.layers["h"].size)))
        np.testing.assert_array_equal(made.step(counts), checked.step(counts))
    first, second = made.state(), checked.state()
    assert first.keys() == second.keys()
    for name, values in first.items():
        np.testing.assert_array_equal(values, second[name], name)
    assert made.synaptic_operations == checked.synaptic_operations


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=10, deadline=None, phases=(Phase.explicit, Phase.generate))
def test_relays_with_any_delays_spike_when_the_cpu_says(seed):
    """Weights of exactly the threshold: rounding plays no part, so timing must be the same to the step."""
    rng = np.random.default_rng(seed)
    net = Network()
    net.add_input("in", 5)
    for name in ("h", "o"):
        net.add_layer(name, 7, LIF(10.0, 0.0, v_th=1.0, t_ref_ms=float(rng.integers(0, 5))))
    for number, (pre, post) in enumerate([("in", "h"), ("h", "o"), ("o", "h"), ("in", "o")]):
        shape = (net.layers[pre].size, 7)
        weights = np.where(rng.random(shape) < 0.4, 1.0, np.nan)
        net.connect(pre, post, weights, rng.integers(1, 64, shape), name=str(number))
    models = [net.compile("cpu"), net.compile("loihi"), net.compile("loihi2")]
    for _ in range(200):
        counts = (rng.random(5) < 0.1).astype(np.float32)
        spikes = [model.step(counts).tolist() for model in models]
        assert spikes[0] == spikes[1] == spikes[2]
    assert np.array_equal(models[0].spike_counts, models[2].spike_counts)
    assert models[0].synaptic_operations == models[2].synaptic_operations


@pytest.mark.parametrize("threshold", [0.7, 1.0, 3.3])
@pytest.mark.parametrize("other", [-0.13, 0.29, 0.05])
def test_a_weight_of_the_threshold_still_fires_beside_others(threshold, other):
    net = Network()
    net.add_input("in", 1)
    net.add_lif("n", 2, LIF(20.0, 0.0, v_th=threshold))
    net.connect("in", "n", [[threshold, other]])
    net.connect("n", "n", [[0.111, other], [-0.3, 0.2]])
    model = net.compile("loihi")
    assert model.step([1]).tolist() == [1]


def test_a_quantised_neuron_fires_as_often_and_its_voltage_follows():
    net = Network()
    net.add_input("in", 40)
    net.add_layer("n", 30, LIF(20.0, 5.0, v_th=-50.0, v_reset=-65.0, v_rest=-70.0, t_ref_ms=2.0, bias=12.0))
    rng = np.random.default_rng(1)
    net.connect("in", "n", rng.normal(2.0, 3.0, (40, 30)), rng.integers(1, 20, (40, 30)))
    real, chip = net.compile("cpu"), net.compile("loihi2")
    np.testing.assert_allclose(chip.v[40:], -70.0, atol=1e-3)
    for step in range(3000):
        counts = (rng.random(40) < 0.05).astype(np.float32)
        real.step(counts)
        chip.step(counts)
        if step == 3:
            np.testing.assert_allclose(chip.v, real.v, atol=0.1)
    assert real.spike_counts[40:].sum() > 1000
    np.testing.assert_allclose(chip.spike_counts[40:], real.spike_counts[40:], rtol=0.05, atol=6)


def one_synapse(rule, n=200, start=0.2, backend_name="loihi2", v_th=1.0, **options):
    """n pre lines, each with one synapse of its own onto n neurons; lines 'go' make the neurons fire."""
    net = Network()
    net.add_input("pre", n)
    net.add_input("go", n)
    net.add_layer("post", n, LIF(2.0, 0.0, v_th=v_th))
    net.connect("pre", "post", np.where(np.eye(n) > 0, start, np.nan), rule=rule, name="learns")
    net.connect("go", "post", np.where(np.eye(n) > 0, v_th, np.nan))
    return net.compile(backend_name, **options)


def pair(model, lag, n=200, quiet=120):
    """One pair: pre at lag steps before post (negative: after)."""
    pre, post = max(-lag, 0), max(lag, 0)
    for k in range(quiet):
        counts = np.zeros(2 * n, np.float32)
        counts[:n] = k == pre
        counts[n:] = k == post
        model.step(counts)


@pytest.mark.parametrize("lag", [1, 5, 20, -1, -5, -20])
def test_the_stdp_window_is_met_on_average(lag):
    rule = STDP(0.1, 0.08, 20.0, 15.0, 0.0, 1.0, 0.0, 1.0)
    model = one_synapse(rule, start=0.3, v_th=2.0)
    before = np.nanmean(model.weights("learns"))
    pair(model, lag)
    wanted = 0.1 * np.exp(-lag / 20.0) if lag > 0 else -0.08 * np.exp(lag / 15.0)
    change = np.nanmean(model.weights("learns")) - before
    assert change == pytest.approx(wanted, rel=0.1, abs=0.002)


@pytest.mark.parametrize(("same_step", "wanted"), [(True, 0.1), (False, 0.0)])
def test_spikes_of_one_step_count_as_the_rule_says(same_step, wanted):
    model = one_synapse(STDP(0.1, 0.08, 20.0, 15.0, 0.0, 1.0, 0.0, 1.0, same_step=same_step), start=0.3, v_th=2.0)
    before = np.nanmean(model.weights("learns"))
    pair(model, 0)
    assert np.nanmean(model.weights("learns")) - before == pytest.approx(wanted, rel=0.03, abs=0.001)


def test_nearest_pairing_forgets_the_spikes_before_the_last():
    made = {}
    for pairing in ("all", "nearest"):
        model = one_synapse(STDP(0.05, 0.0, 20.0, 20.0, 0.0, 1.0, 0.0, 1.0, pairing=pairing), start=0.2, v_th=3.0)
        before = np.nanmean(model.weights("learns"))
        for k in range(12):
            counts = np.zeros(400, np.float32)
            counts[:200] = k in (0, 2, 4)
            counts[200:] = k == 6
            model.step(counts)
        made[pairing] = np.nanmean(model.weights("learns")) - before
    assert made["nearest"] == pytest.approx(0.05 * np.exp(-2 / 20), rel=0.1)
    assert made["all"] == pytest.approx(0.05 * sum(np.exp(-k / 20) for k in (2, 4, 6)), rel=0.1)


@pytest.mark.parametrize("reward", [0.8, -0.8, 0.05])
def test_reward_moves_the_weight_by_rate_reward_and_eligibility(reward):
    rule = STDP(1.0, 0.0, 20.0, 20.0, 500.0, 1e-4, 0.0, 0.4)
    chip, real = (one_synapse(rule, backend_name=name, v_th=2.0) for name in ("loihi2", "cpu"))
    changes = []
    for model in (chip, real):
        before = np.nanmean(model.weights("learns"))
        for _ in range(8):
            pair(model, 3, quiet=60)
        eligibility = np.nanmean(model.eligibility("learns"))
        model.set_reward("post", reward)
        for _ in range(320):
            model.step()
        changes.append((np.nanmean(model.weights("learns")) - before, eligibility))
    assert changes[0][1] == pytest.approx(changes[1][1], rel=0.06)
    assert changes[0][0] == pytest.approx(changes[1][0], rel=0.15)


def test_each_neuron_of_loihi2_has_its_own_reward_and_loihi_has_one():
    model = one_synapse(STEER)
    reward = np.where(np.arange(200) < 100, -1.0, 1.0)
    for _ in range(6):
        pair(model, 3, quiet=50)
        model.set_reward("post", reward)
    change = np.diagonal(model.weights("learns")) - 0.2
    assert change[:100].mean() < -0.001
    assert change[100:].mean() > 0.001
    old = one_synapse(STEER, backend_name="loihi")
    old.set_reward("post", np.full(200, 0.5))
    with pytest.raises(ConfigError, match="one reward for a whole layer; use loihi2"):
        old.set_reward("post", reward)


def test_the_tag_decays_with_its_time_constant():
    model = one_synapse(STDP(1.0, 0.0, 20.0, 20.0, 200.0, 0.0, 0.0, 0.4), n=400)
    pair(model, 2, n=400, quiet=60)
    first = np.nanmean(model.eligibility("learns"))
    for _ in range(200):
        model.step()
    assert np.nanmean(model.eligibility("learns")) == pytest.approx(first * np.exp(-1.0), rel=0.15)


def test_weights_stay_in_their_bounds_and_learning_can_be_switched_off():
    rule = STDP(0.5, 0.4, 20.0, 20.0, 0.0, 1.0, 0.1, 0.3)
    model = one_synapse(rule)
    for _ in range(4):
        pair(model, 2, quiet=20)
    assert np.nanmax(model.weights("learns")) == pytest.approx(0.3, abs=0.002)
    model.set_learning("learns", False)
    before, updates = model.weights("learns"), model.weight_updates
    pair(model, -2, quiet=20)
    np.testing.assert_array_equal(model.weights("learns"), before)
    assert model.weight_updates == updates > 0
    model.set_learning("learns", True)
    for _ in range(4):
        pair(model, -2, quiet=20)
    weights = model.weights("learns")
    assert np.nanmin(weights) == pytest.approx(0.1, abs=0.002)
    model.set_weights("learns", weights)
    np.testing.assert_array_equal(model.weights("learns"), weights)


def test_weight_decay_relaxes_to_zero():
    model = one_synapse(STDP(0.0, 0.0, 20.0, 20.0, 0.0, 1.0, 0.0, 0.4, weight_decay_per_s=2.0))
    for _ in range(500):
        model.step()
    assert np.nanmean(model.weights("learns")) == pytest.approx(0.2 * np.exp(-1.0), rel=0.1)


def test_sums_of_products_follow_the_cpu_on_average():
    rule = SumOfProducts("2^-3*x1*y0 - 2^-3*y1*x0 + 2^-6*u3*t", "2^-1*y0*x1 - 2^-3*u2*t", w_min=0.0, w_max=255.0)
    made = []
    for name in ("loihi2", "cpu"):
        model = one_synapse(rule, n=300, start=100.0, backend_name=name, v_th=1000.0)
        pair(model, 4, n=300, quiet=60)
        made.append((np.nanmean(model.weights("learns")) - 100.0, np.nanmean(model.eligibility("learns"))))
    assert made[0][0] == pytest.approx(made[1][0], rel=0.15)


def test_the_third_factor_of_a_sum_of_products_is_the_reward():
    rule = SumOfProducts("2^-4*u4*t*y3", "2^-2*y0*x1", y3_is_reward=True, w_min=0.0, w_max=255.0)
    model = one_synapse(rule, start=100.0, v_th=1000.0)
    pair(model, 2, quiet=17)
    assert np.nanmean(model.weights("learns")) == pytest.approx(100.0, abs=1.0)
    model.set_reward("post", 20.0)
    pair(model, 2, quiet=40)
    assert np.nanmean(model.weights("learns")) > 102.0


def test_the_same_seed_gives_the_same_bits_and_another_seed_others():
    made = []
    for seed in (3, 3, 4):
        model = one_synapse(STEER, seed=seed)
        model.set_reward("post", 0.5)
        for _ in range(3):
            pair(model, 3, quiet=40)
        made.append(model.state())
    assert all(np.array_equal(made[0][name], made[1][name]) for name in made[0])
    assert not np.array_equal(made[0]["tags/learns"], made[2]["tags/learns"])


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=6, deadline=None, phases=(Phase.explicit, Phase.generate))
def test_a_saved_state_continues_bit_for_bit(seed, tmp_path_factory):
    net, rng = random_network(seed)
    first = net.compile("loihi2", seed=5)
    inputs = (rng.random((150, *first._input_shape)) < 0.3) * rng.uniform(0, 3, (150, *first._input_shape))
    for row in inputs[:67]:
        first.step(row)
    path = tmp_path_factory.mktemp("state") / "state.nrw"
    save_state(path, first.state(), {})
    second = net.compile("loihi2", seed=77)
    for row in inputs[:9]:
        second.step(row)
    second.load_state_dict(load_state(path)[0])
    for row in inputs[67:]:
        np.testing.assert_array_equal(first.step(row), second.step(row))
    one, other = first.state(), second.state()
    for name, values in one.items():
        np.testing.assert_array_equal(values, other[name], name)


@pytest.mark.parametrize("arithmetic", ["integer", "cpu"])
def test_a_copy_and_a_pickle_go_on_alike_and_apart(arithmetic):
    net, rng = random_network(5)
    model = net.compile("loihi2", arithmetic=arithmetic)
    inputs = (rng.random((60, *model._input_shape)) < 0.4) * 2.0
    for row in inputs[:30]:
        model.step(row)
    others = [copy.deepcopy(model), pickle.loads(pickle.dumps(model))]
    for row in inputs[30:]:
        spikes = model.step(row).tolist()
        assert [other.step(row).tolist() for other in others] == [spikes, spikes]
    others[0].step(inputs[0])
    assert others[0].steps == model.steps + 1


def test_reset_brings_back_the_start_but_keeps_weights():
    net, rng = random_network(11)
    model = net.compile("loihi2")
    before = model.state()
    for _ in range(100):
        model.step((rng.random(model._input_shape) < 0.4) * 1.0)
    weights = {name: model.weights(name) for name in model.connections}
    model.reset_state()
    after = model.state()
    for name in before:
        if not name.startswith(("weights/", "clock")):
            np.testing.assert_array_equal(before[name], after[name], name)
    for name, values in weights.items():
        np.testing.assert_array_equal(model.weights(name), values)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda a: a.pop("u"), "u missing"),
        (lambda a: a.update(more=np.zeros(1)), "more unknown"),
        (lambda a: a.update(v=a["v"].astype(np.int64)), "v: saved as int64"),
        (lambda a: a["v"].__setitem__(-1, 2**23), "v: the chip holds"),
        (lambda a: a["wait"].__setitem__(0, -1), "wait: the chip holds"),
        (lambda a: a["weights/learns"].__setitem__(0, 256), "weights/learns: the chip holds 0 to"),
        (lambda a: a["tags/learns"].__setitem__(0, 300), "tags/learns"),
        (lambda a: a["pre_trace/learns"].__setitem__((0, 0), 128), "pre_trace/learns"),
        (lambda a: a["reward"].__setitem__(0, np.nan), "reward: the chip holds"),
        (lambda a: a["sent"].__setitem__((0, 0), -5), "sent: the chip holds"),
        (lambda a: a["synapses/learns"].__setitem__((0, 2), 9), "other synapses or delays"),
        (lambda a: a.update({"shape/learns": np.array([9, 9])}), "saved for 9x9"),
    ],
)
def test_a_forged_state_is_refused_and_changes_nothing(change, words):
    model = one_synapse(STEER, n=6)
    pair(model, 2, n=6, quiet=9)
    before = model.state()
    arrays = model.state()
    change(arrays)
    with pytest.raises(WeightsError, match=words):
        model.load_state_dict(arrays)
    after = model.state()
    for name, values in before.items():
        np.testing.assert_array_equal(values, after[name])


def small(**cell):
    net = Network()
    net.add_input("in", 2)
    net.add_layer("n", 3, LIF(**cell))
    net.connect("in", "n", np.ones((2, 3)))
    return net


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda n: n.add_layer("x", 1, AdEx()), "layer 'x': the back end loihi2 has no AdEx neurons; it has IF, LIF"),
        (
            lambda n: n.connect("in", "n", np.ones((2, 3)), 64, name="d"),
            "connection 'd': delay_steps: .* 63 steps, got 64",
        ),
        (
            lambda n: n.add_layer("x", 1, LIF(t_ref_ms=63.0)),
            "layer 'x': t_ref_ms: the chip holds up to 62 steps, got 63",
        ),
        (lambda n: n.add_layer("x", 1, LIF(bias=1e7)), "layer 'x': bias or weights are too far above the threshold"),
        (
            lambda n: n.connect("in", "n", np.ones((2, 3)), rule=SumOfProducts(dw="2^-30*x1*y0"), name="s"),
            "connection 's': dw: the coefficient .* is beyond the chip's",
        ),
        (
            lambda n: n.connect("in", "n", np.ones((2, 3)), rule=STDP(1, 1, 20, 20, 100, 1e-12), name="s"),
            "learning_rate 1e-12: .* cannot express",
        ),
        (
            lambda n: n.connect("in", "n", np.ones((2, 3)), rule=SumOfProducts(x1_impulse=200.0), name="s"),
            "impulses: a trace holds up to 127, got 200",
        ),
    ],
)
def test_what_the_chip_cannot_hold_is_refused_by_name(build, words):
    net = small()
    build(net)
    with pytest.raises(ConfigError, match=words):
        net.compile("loihi2")


@pytest.mark.parametrize(
    ("name", "inputs", "words"),
    [
        ("loihi", [0, 2], "layer 'in', line 1: expected 0 or 1, .*loihi2 has graded"),
        ("loihi", [0.5, 0], "line 0: expected 0 or 1"),
        ("loihi2", [0, -1], "line 1: expected 0 to .*, got a negative"),
        ("loihi2", [np.nan, 0], "line 0"),
        ("loihi2", [0, np.inf], "line 1"),
        ("loihi2", [0, 1e9], "line 1"),
        ("loihi2", [0], "shape"),
        ("loihi2", ["a", "b"], "numbers"),
    ],
)
@pytest.mark.parametrize("arithmetic", ["integer", "cpu"])
def test_bad_inputs_are_refused_and_nothing_moves(name, inputs, words, arithmetic):
    model = small().compile(name, arithmetic=arithmetic)
    with pytest.raises(ConfigError, match=words):
        model.step(inputs)
    assert model.steps == 0
    assert not model.spike_counts.any()


def test_large_counts_saturate_and_fractions_are_kept():
    made = []
    for counts in ([254.98, 0.0], [1000.0, 0.0], [0.5, 0.25]):
        model = small(tau_syn_ms=0.0, v_th=600.0).compile("loihi2")
        model.step(counts)
        made.append(model.v[-1])
    assert made[0] == pytest.approx(made[1], rel=0.01) == pytest.approx(255.0, rel=0.01)
    assert made[2] == pytest.approx(0.75, abs=0.05)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"arithmetic": "analog"}, "arithmetic"),
        ({"seed": -1}, "seed: expected a whole number from 0"),
        ({"seed": 1.5}, "seed"),
        ({"largest_input": 0.0}, "largest_input"),
        ({"largest_reward": float("nan")}, "largest_reward"),
        ({"colour": 1}, "unknown option 'colour'"),
    ],
)
def test_bad_options_are_refused(options, words):
    with pytest.raises(ConfigError, match=words):
        small().compile("loihi2", **options)


def test_bad_weights_and_rewards_are_refused():
    model = one_synapse(STEER, n=4)
    good = model.weights("learns")
    for values, words in (
        (good[:2], "shape"), (np.zeros((4, 4)), "NaN exactly"), (good * 3, "bounds"), (good * np.inf, "NaN|finite")
    ):  # fmt: skip
        with pytest.raises(ConfigError, match=words):
            model.set_weights("learns", values)
    for layer, value, words in (("pre", 1.0, "no layer of neurons"), ("post", [1.0], "expected one number"),
                                ("post", np.nan, "finite"), ("post", "a", "numbers")):  # fmt: skip
        with pytest.raises(ConfigError, match=words):
            model.set_reward(layer, value)
    with pytest.raises(ConfigError, match=r"the chip holds .* exponent"):
        model.set_weights("go->post", model.weights("go->post") * 100)
    with pytest.raises(ConfigError, match="no connection"):
        model.weights("other")
    with pytest.raises(ConfigError, match="has no rule"):
        model.eligibility("go->post")


def test_the_report_tells_what_was_lost():
    model = one_synapse(STEER, n=4)
    text = model.report()
    assert "tau_mem_ms: wanted 2, held" in text
    assert "connection learns: unit" in text
    assert "a_minus: wanted 0.2, held" in text
    assert "1 of 128 cores" in text
