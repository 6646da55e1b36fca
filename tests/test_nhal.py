"""The abstraction layer: it runs as the documents say, wires as told, records, saves, and explains what is wrong."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pytest

from neuro_robot import nhal as nh
from neuro_robot.errors import ConfigError, WeightsError
from neuro_robot.nhal.params import CELLS, RULES
from neuro_robot.nhal.wiring import WIRINGS
from neuro_robot.snn import backends as registry
from neuro_robot.snn.backends import Raster

DOCS = Path(__file__).resolve().parents[1] / "docs" / "spiking.md"


@pytest.fixture(autouse=True)
def _fresh():
    nh.reset()
    yield
    nh.set_backend("cpu")
    nh.reset()


@pytest.mark.parametrize("backend", [name for name in ("cpu", "loihi2") if name in registry.names()])
def test_the_sketch_runs_as_written(backend):
    text = next(
        block for block in re.findall(r"```python\n(.*?)```", DOCS.read_text(), re.DOTALL) if "nh.compile" in block
    )
    assert "params={...}" in text
    input_data = (np.random.default_rng(0).random((1000, 100)) < 0.05).astype(np.float32)
    names = {"input_data": input_data}
    exec(re.sub(r"set_backend\(.loihi2.\)", f"set_backend({backend!r})", text), names)
    model = names["model"]
    assert model.backend == backend
    assert model.core.steps == 1000
    assert model.core.spike_counts[model.core.layer_slices["group1"]].sum() > 100
    assert not np.array_equal(model.weights(names["conn"]), names["conn"].synapses.weight.reshape(100, 50))


def test_backends_prints_a_table(capsys):
    nh.backends()
    told = capsys.readouterr().out
    assert told.startswith("cpu: event-driven")
    for word in ("Izhikevich", "TripletSTDP", "potentiation", "delays"):
        assert word in told
    with pytest.raises(ConfigError, match="no back end 'tpu'; there are cpu"):
        nh.set_backend("tpu")


PARAMS = {"conductance_LIF": {"input_weight": 2.0}, "Izhikevich": {"bias": 10.0}, "AdEx": {"bias": 700.0}}


@pytest.mark.parametrize("kind", [name for name in CELLS if name != "events"])
def test_every_type_of_neuron_fires(kind):
    params = {"input_weight": 3.0} | PARAMS.get(kind, {}) if kind != "Poisson" else {"rate_hz": 100.0}
    group = nh.NeuronGroup(5, type=kind, params=params)
    spikes = None if kind == "Poisson" else nh.SpikeMonitor(group)  # a source's single spikes are not reported
    model = nh.compile()
    n = sum(place.stop - place.start for place in model.inputs.values())
    assert n == (0 if kind == "Poisson" else 5)
    model.run(np.ones((500, n)), duration=500)
    fired = model.core.spike_counts[model.core.layer_slices["group0"]]
    assert fired.min() > 0
    if spikes is not None:
        assert np.array_equal(spikes.count, fired)


@pytest.mark.parametrize("kind", RULES)
def test_every_rule_learns_and_can_be_switched_off(kind):
    source = nh.NeuronGroup(20, type="events")
    hidden = nh.NeuronGroup(4, type="LIF", params={"v_th": 0.5})
    conn = nh.Connection(source, hidden)
    nh.LearningRule(conn, type=kind)
    model = nh.compile()
    model.set_reward(hidden, 0.01)
    before = model.weights(conn)
    model.set_learning(conn, False)
    inputs = np.random.default_rng(0).random((400, 20)) < 0.1
    model.run(inputs)
    np.testing.assert_array_equal(model.weights(conn), before)
    model.set_learning(conn, True)
    model.run(inputs)
    assert not np.array_equal(model.weights(conn), before)


def joined(rule, n_pre, n_post, **params):
    nh.reset(seed=3)
    conn = nh.Connection(nh.NeuronGroup(n_pre, type="events"), nh.NeuronGroup(n_post), rule=rule, params=params)
    matrix = np.full((n_pre, n_post), np.nan)
    matrix[conn.synapses.pre, conn.synapses.post] = conn.synapses.weight
    assert np.count_nonzero(~np.isnan(matrix)) == len(conn)  # no pair twice
    np.testing.assert_allclose(nh.compile().weights(conn), matrix.astype(np.float32))
    return matrix


def test_all_to_all_and_one_to_one():
    assert not np.isnan(joined("all_to_all", 3, 4)).any()
    np.testing.assert_array_equal(~np.isnan(joined("one_to_one", 4, 4, weight=0.5)), np.eye(4, dtype=bool))
    with pytest.raises(ConfigError, match="one_to_one: expected groups of one size, got 3 and 4"):
        joined("one_to_one", 3, 4)


def test_probabilistic():
    for probability in (0.0, 0.03, 0.5, 1.0):
        share = np.mean(~np.isnan(joined("probabilistic", 200, 150, probability=probability)))
        assert share == pytest.approx(probability, abs=4 * math.sqrt(probability * (1 - probability) / 30_000) + 1e-12)
    assert np.array_equal(
        joined("probabilistic", 50, 50, probability=0.2),
        joined("probabilistic", 50, 50, probability=0.2),
        equal_nan=True,
    )


def test_fixed_fan_in():
    assert np.all((~np.isnan(joined("fixed_fan_in", 30, 12, fan_in=7))).sum(axis=0) == 7)


def test_distance():
    found = ~np.isnan(
        joined("distance", 400, 400, sigma=2.0, max_distance=6.0, pre_shape=(20, 20), post_shape=(20, 20))
    )
    row, column = np.divmod(np.arange(400), 20)
    d = np.hypot(row[:, None] - row, column[:, None] - column)
    assert found[d == 0].all()
    assert not found[d > 6].any()
    for low, high in ((0.9, 1.1), (1.9, 2.1), (2.9, 3.1)):
        ring = (d > low) & (d < high)
        expected = np.exp(-(d[ring] ** 2) / 8).mean()
        assert found[ring].mean() == pytest.approx(expected, abs=4 * math.sqrt(0.25 / ring.sum()))
    line = ~np.isnan(joined("distance", 8, 4, sigma=0.1, max_distance=0.3, probability=1.0))
    assert [tuple(pair) for pair in np.argwhere(line)][:2] == [(0, 0), (1, 0)] or not line.any()


@pytest.mark.parametrize(("stride", "padding"), [(1, 0), (2, 1), (1, 2)])
def test_convolution_is_a_convolution(stride, padding):
    rng = np.random.default_rng(0)
    kernel = rng.uniform(-1, 1, (3, 2, 3, 2))
    shape = (2, 6, 5)
    out = [(n + 2 * padding - k) // stride + 1 for n, k in zip(shape[1:], kernel.shape[2:], strict=True)]
    matrix = joined(
        "convolution", 60, 3 * out[0] * out[1], kernel=kernel, input_shape=shape, stride=stride, padding=padding
    )
    image = rng.uniform(0, 1, shape)
    padded = np.pad(image, ((0, 0), (padding, padding), (padding, padding)))
    expected = np.zeros((3, *out))
    for o, y, x in np.ndindex(*expected.shape):
        window = padded[:, y * stride : y * stride + 3, x * stride : x * stride + 2]
        expected[o, y, x] = (window * kernel[o]).sum()
    np.testing.assert_allclose(image.reshape(-1) @ np.nan_to_num(matrix), expected.reshape(-1), atol=1e-12)


def test_matrix_with_delays():
    nh.reset(dt_ms=0.5)
    weights = np.array([[1.0, np.nan], [2.0, 3.0]])
    a, b = nh.NeuronGroup(2, type="events"), nh.NeuronGroup(2, params={"tau_syn_ms": 0.0, "v_th": 0.9})
    nh.Connection(a, b, rule="matrix", params={"matrix": weights, "delay_ms": np.array([[0.5, 9], [1.0, 2.0]])})
    model = nh.compile()
    found = model.run(np.eye(2)[[1]], duration=3.0)
    at = {int(n) - 2: k for k, n in zip(found.step.tolist(), found.neuron.tolist(), strict=True)}
    assert at == {0: 1, 1: 3}
    first = nh.compile(model.network).run(np.eye(2)[[0]], duration=3.0)
    assert first.step.tolist() == [0]


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda g, e: nh.NeuronGroup(3, type="lif"), r"type: expected one of IF, .*, got 'lif'"),
        (
            lambda g, e: nh.NeuronGroup(3, params={"tau": 3}),
            r"\(LIF\): no parameter 'tau'; allowed are tau_mem_ms",
        ),
        (lambda g, e: nh.NeuronGroup(3, params={"v_th": math.nan}), r"LIF\.v_th: expected a finite number"),
        (lambda g, e: nh.NeuronGroup(3, params=[1]), "params: expected a dict"),
        (lambda g, e: nh.NeuronGroup(0), "size: expected a whole number from 1"),
        (lambda g, e: nh.NeuronGroup(3, name="group0"), "names are unique"),
        (lambda g, e: nh.NeuronGroup(3, type="events", params={"v_th": 1}), "'v_th'; allowed are none"),
        (lambda g, e: nh.Connection(e, e), "'group0' takes no synapses"),
        (lambda g, e: nh.Connection(e, 3), "expected two NeuronGroups"),
        (lambda g, e: nh.Connection(e, g, rule="random"), "rule: expected one of all_to_all, one_to_one"),
        (lambda g, e: nh.Connection(e, g, params={"fan_in": 1}), "no parameter 'fan_in'; allowed are weight"),
        (lambda g, e: nh.Connection(e, g, params={"weight": math.inf}), "weight: expected a finite number"),
        (lambda g, e: nh.Connection(e, g, params={"weight": np.full((4, 2), np.nan)}), "weight: expected finite"),
        (lambda g, e: nh.Connection(e, g, params={"weight": [1, 2, 3]}), r"or the shape \(4, 2\), got \(3,\)"),
        (lambda g, e: nh.Connection(e, g, params={"delay_ms": 0.2}), "delay_ms: expected 1 to 4096"),
        (lambda g, e: nh.Connection(e, g, "probabilistic", {"probability": 2}), "probability: expected 0 to 1"),
        (
            lambda g, e: nh.Connection(e, g, "fixed_fan_in", {"fan_in": 9}),
            "fan_in: expected a whole number",
        ),
        (lambda g, e: nh.Connection(e, g, "distance", {"pre_shape": (3, 3)}), r"\(rows, columns\) of 4 neurons"),
        (lambda g, e: nh.Connection(e, g, "convolution", {"input_shape": (5, 5)}), "kernel and input_shape"),
        (lambda g, e: nh.Connection(e, g, "matrix", {"matrix": np.ones((2, 4))}), r"expected the shape \(4, 2\)"),
        (lambda g, e: nh.LearningRule(nh.Connection(e, g), type="Hebb"), "type: expected one of STDP"),
        (
            lambda g, e: nh.LearningRule(nh.Connection(e, g), params={"tau": 1}),
            "no parameter 'tau'; allowed",
        ),
        (lambda g, e: nh.LearningRule(nh.Connection(e, g), params={"w_max": 0.01}), "bounds of the STDP"),
        (
            lambda g, e: nh.LearningRule(nh.Connection(e, g), "R-STDP", {"tau_eligibility_ms": 0.0}),
            "without it",
        ),
        (lambda g, e: nh.SpikeMonitor(e), "its spikes are the input"),
        (lambda g, e: nh.PotentialMonitor(g, neurons=[2]), "neurons: expected indices from 0 to 1"),
        (lambda g, e: nh.PotentialMonitor(e), "expected a NeuronGroup of neurons"),
        (lambda g, e: nh.Network(0.0), r"Network\.dt_ms"),
        (lambda g, e: nh.compile(nh.Network()), "the network has no layers"),
        (lambda g, e: nh.compile(dtype="int8"), r"cpu\.dtype: expected one of float32, float64"),
    ],
)
def test_mistakes_name_primitive_and_parameter(make, told):
    events, group = nh.NeuronGroup(4, type="events"), nh.NeuronGroup(2)
    with pytest.raises(ConfigError, match=told):
        make(group, events)


def test_two_rules_of_a_kind_and_two_networks():
    a, b = nh.NeuronGroup(2, type="events"), nh.NeuronGroup(2)
    conn = nh.Connection(a, b)
    nh.LearningRule(conn)
    nh.LearningRule(conn, type="homeostatic")
    with pytest.raises(ConfigError, match="already has a rule"):
        nh.LearningRule(conn, type="triplet_STDP")
    other = nh.Network()
    with pytest.raises(ConfigError, match="different networks"):
        nh.Connection(a, nh.NeuronGroup(2, network=other))
    model = nh.compile()
    with pytest.raises(ConfigError, match="belongs to another network"):
        model.v(other.groups["group0"])


def test_monitors_see_runs_and_steps_alike():
    def build(watch_potential):
        nh.reset()
        group = nh.NeuronGroup(3, params={"bias": 1.2, "input_weight": 0.5}, name="n")
        spikes = nh.SpikeMonitor(group)
        potential = nh.PotentialMonitor(group, neurons=[0, 2], every=2) if watch_potential else None
        return nh.compile(), spikes, potential, group

    inputs = np.random.default_rng(0).random((120, 3)) < 0.2
    model, fast, _, group = build(False)
    model.run(inputs[:100], duration=110)
    fired = model.step(inputs[100])
    assert model.of(group, fired).max(initial=0) < 3
    slow_model, slow, potential, group = build(True)
    slow_model.run(Raster(*np.nonzero(inputs[:100]), np.ones(inputs[:100].sum(), np.float32)), duration=110)
    slow_model.step(inputs[100])
    assert fast.t_ms.tolist() == slow.t_ms.tolist()
    assert fast.neuron.tolist() == slow.neuron.tolist()
    assert len(fast.t_ms) > 5
    assert fast.rate_hz.tolist() == (fast.count / 0.111).tolist()
    assert potential.v.shape == (56, 2)
    assert potential.t_ms[:3].tolist() == [1.0, 3.0, 5.0]
    assert potential.v[-1].tolist() == slow_model.v(group)[[0, 2]].tolist()


def test_save_and_restore(tmp_path):
    def build():
        nh.reset(seed=4)
        source, hidden = (
            nh.NeuronGroup(20, type="Poisson", params={"rate_hz": 50.0}),
            nh.NeuronGroup(5, type="adaptive_LIF"),
        )
        nh.LearningRule(nh.Connection(source, hidden), type="triplet_STDP", params={"w_max": 2.0})
        return nh.compile()

    first, second = build(), build()
    first.run(duration=333)
    second.run(duration=50)
    first.save(tmp_path / "state")
    second.restore(tmp_path / "state")
    one, other = first.run(duration=200), second.run(duration=200)
    assert one.neuron.tolist() == other.neuron.tolist() != []
    assert one.step.tolist() == other.step.tolist()
    data = (tmp_path / "state").read_bytes()
    for torn in (data[:-3], b"", data[:20], data[:100] + b"x" + data[101:]):
        (tmp_path / "torn").write_bytes(torn)
        with pytest.raises(WeightsError):
            second.restore(tmp_path / "torn")
    nh.reset(dt_ms=0.5)
    nh.NeuronGroup(2)
    with pytest.raises(WeightsError, match=r"with dt 1\.0 ms, this model runs on cpu with 0\.5 ms"):
        nh.compile().restore(tmp_path / "state")


def test_inputs_that_cannot_be_used():
    nh.NeuronGroup(3)
    model = nh.compile()
    for bad, told in (
        (np.ones((5, 2)), r"\(steps, 3\), got float64 \(5, 2\)"),
        ([["a", "b", "c"]], "expected numbers"),
        (np.full((2, 3), np.nan), "expected event counts"),
        (-np.ones((2, 3)), "expected event counts"),
        (Raster(np.array([0]), np.array([7]), np.ones(1)), "expected lines below 3, got 7 to 7"),
        (Raster(np.array([3, 1]), np.array([0, 0]), np.ones(2)), "in order"),
        (Raster(np.array([3, 3]), np.array([0, 0]), np.ones(2)), "each line once"),
        (Raster(np.array([-1]), np.array([0]), np.ones(1)), "expected steps from 0"),
        (Raster(np.array([3, 1]), np.array([0]), np.ones(2)), "three equal columns"),
    ):
        with pytest.raises(ConfigError, match=told):
            model.run(bad, duration=10)
    with pytest.raises(ConfigError, match="the input does not tell it"):
        model.run()
    with pytest.raises(ConfigError, match="duration"):
        model.run(duration=math.nan)
    assert model.run(np.ones(3), duration=10).step.size >= 0


def test_the_document_names_every_type_and_rule():
    text = DOCS.read_text()
    for name in (*CELLS, *RULES, *WIRINGS):
        assert f"`{name}`" in text, name
