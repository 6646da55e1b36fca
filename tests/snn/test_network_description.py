"""Bad descriptions and bad calls: the error names the primitive and the parameter, and nothing has changed."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import scipy.sparse

from neuro_robot.errors import ConfigError
from neuro_robot.events.array import EVENT_DTYPE
from neuro_robot.snn.network import LIF, STDP, Network

CELL = LIF(20, 5, 1.0)
RULE = STDP(0.1, 0.1, 20, 20, 100, 0.1, 0, 1)


def small():
    net = Network()
    net.add_input("in", 3)
    net.add_lif("out", 2, CELL)
    return net


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 1e30, "3", None, True])
@pytest.mark.parametrize("name", [f.name for f in dataclasses.fields(LIF)])
def test_lif_numbers_must_be_finite(name, bad):
    with pytest.raises(ConfigError, match=rf"LIF\.{name}"):
        dataclasses.replace(CELL, **{name: bad})


@pytest.mark.parametrize("bad", [math.nan, math.inf, "x"])
@pytest.mark.parametrize("name", [f.name for f in dataclasses.fields(STDP) if f.name != "same_step"])
def test_stdp_numbers_must_be_finite(name, bad):
    with pytest.raises(ConfigError, match=rf"STDP\.{name}"):
        dataclasses.replace(RULE, **{name: bad})


@pytest.mark.parametrize(
    ("base", "change"),
    [
        (CELL, {"tau_mem_ms": 0}),
        (CELL, {"tau_mem_ms": -1}),
        (CELL, {"tau_syn_ms": -1}),
        (CELL, {"t_ref_ms": -1}),
        (CELL, {"v_reset": 1.0}),
        (RULE, {"tau_plus_ms": 0}),
        (RULE, {"tau_minus_ms": -2}),
        (RULE, {"tau_eligibility_ms": -1}),
        (RULE, {"weight_decay_per_s": -1}),
        (RULE, {"w_min": 2}),
        (RULE, {"same_step": 1}),
    ],
)
def test_impossible_values_name_their_parameter(base, change):
    with pytest.raises(ConfigError, match=rf"{type(base).__name__}\.{next(iter(change))}"):
        dataclasses.replace(base, **change)


def test_decay_towards_zero_needs_zero_inside_the_bounds():
    with pytest.raises(ConfigError, match=r"STDP\.weight_decay_per_s"):
        dataclasses.replace(RULE, w_min=0.5, weight_decay_per_s=1.0)


@pytest.mark.parametrize("bad", [0, -1, math.nan, "1"])
def test_step_length(bad):
    with pytest.raises(ConfigError, match=r"Network\.dt_ms"):
        Network(bad)


@pytest.mark.parametrize("bad", [0, -3, 2.0, True, "4", 70000])
def test_layer_sizes(bad):
    with pytest.raises(ConfigError, match=r"add_input\('x'\): n"):
        Network().add_input("x", bad)
    with pytest.raises(ConfigError, match=r"add_lif\('x'\): n"):
        Network().add_lif("x", bad, CELL)


def test_layer_names_are_unique_and_cells_are_cells():
    net = small()
    with pytest.raises(ConfigError, match=r"add_lif\('in'\): name.*unique"):
        net.add_lif("in", 1, CELL)
    with pytest.raises(ConfigError, match="name: expected a non-empty text"):
        net.add_input("", 1)
    with pytest.raises(ConfigError, match="cell: expected an LIF"):
        net.add_lif("x", 1, None)
    with pytest.raises(ConfigError, match="no layers"):
        Network().compile()


GOOD = np.ones((3, 2))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("nowhere", "out", GOOD), "pre: no layer 'nowhere'; the layers are in, out"),
        (("in", "nowhere", GOOD), "post: no layer"),
        (("out", "in", GOOD.T), "post: expected a layer of neurons"),
        (("in", "out", GOOD.T), r"weights: expected the shape .* \(3, 2\), got \(2, 3\)"),
        (("in", "out", scipy.sparse.eye_array(3)), r"weights: expected the shape"),
        (("in", "out", scipy.sparse.csr_array(np.full((3, 2), np.nan))), "explicit entry is NaN"),
        (("in", "out", "words"), "weights: expected an array of numbers"),
        (("in", "out", GOOD * np.inf), "weights: expected finite"),
        (("in", "out", GOOD * 1e300), "weights: expected finite"),
        (("in", "out", GOOD, 0), "delay_steps: expected 1 to"),
        (("in", "out", GOOD, 5000), "delay_steps: expected 1 to"),
        (("in", "out", GOOD, 1.5), "delay_steps: expected whole steps"),
        (("in", "out", GOOD, np.ones((2, 3), int)), "delay_steps: expected the shape"),
        (("in", "out", GOOD, np.zeros((3, 2), int)), "delay_steps: expected 1 to"),
        (("in", "out", GOOD, 1, "hebb"), "rule: expected a learning rule"),
        (("in", "out", GOOD * 3, 1, RULE), "weights: expected 0.0 to 1.0, the bounds"),
        (("in", "out", GOOD, 1, None, ""), "name: expected a non-empty text"),
    ],
)
def test_bad_connections(arguments, told):
    net = small()
    with pytest.raises(ConfigError, match=told):
        net.connect(*arguments)
    assert net.connections == {}


def test_connection_names_are_unique():
    net = small()
    assert net.connect("in", "out", GOOD) == "in->out"
    with pytest.raises(ConfigError, match="already a connection"):
        net.connect("in", "out", GOOD)
    assert net.connect("in", "out", GOOD, name="second") == "second"


def test_sparse_and_dense_descriptions_are_one_network():
    dense = np.array([[0.5, np.nan], [np.nan, 0.0], [0.25, 1.0]])
    sparse = scipy.sparse.coo_array(([0.5, 0.0, 0.25, 1.0], ([0, 1, 2, 2], [0, 1, 0, 1])), shape=(3, 2))
    runs = []
    for weights in (dense, sparse):
        net = small()
        net.connect("in", "out", weights, rule=RULE)
        runs.append(net.compile())
    np.testing.assert_array_equal(runs[0].weights("in->out"), dense.astype(np.float32))
    np.testing.assert_array_equal(runs[1].weights("in->out"), dense.astype(np.float32))


@pytest.mark.parametrize("bad", [[1, 2], [[1, 2, 3]], [1, -1, 0], [1, math.nan, 0], [1, 2.0**25, 0], ["a", "b", "c"]])
def test_bad_inputs_change_nothing(bad):
    net = small()
    net.connect("in", "out", GOOD)
    run = net.compile()
    before = run.state()
    with pytest.raises(ConfigError, match="inputs: expected"):
        run.step(bad)
    for name, array in run.state().items():
        np.testing.assert_array_equal(array, before[name])
    assert run.steps == 0


@pytest.mark.parametrize("kind", [np.int64, np.uint8, np.float32, np.float64, bool])
def test_inputs_of_any_number_type(kind):
    net = small()
    net.connect("in", "out", GOOD)
    run = net.compile()
    values = np.array([1, 0, 1, 7], kind)[:3]
    values.setflags(write=False)
    run.step(values)
    assert run.synaptic_operations == 4
    assert run.current[3] == pytest.approx(2 * math.exp(-1 / 5), rel=1e-6)


def test_bad_rewards_and_weights():
    net = small()
    net.connect("in", "out", [[0.5, np.nan], [0.5, 0.5], [0.5, 0.5]], rule=RULE)
    run = net.compile()
    with pytest.raises(ConfigError, match="no layer of neurons 'in'; there are out"):
        run.set_reward("in", 1.0)
    with pytest.raises(ConfigError, match=r"expected one number or \(2,\), got \(3,\)"):
        run.set_reward("out", [1, 2, 3])
    with pytest.raises(ConfigError, match="expected finite"):
        run.set_reward("out", math.nan)
    with pytest.raises(ConfigError, match="no connection 'x'; the connections are in->out"):
        run.weights("x")
    with pytest.raises(ConfigError, match="expected the shape"):
        run.set_weights("in->out", np.zeros((2, 3)))
    with pytest.raises(ConfigError, match="NaN exactly where"):
        run.set_weights("in->out", np.zeros((3, 2)))
    with pytest.raises(ConfigError, match="the bounds of the STDP rule"):
        run.set_weights("in->out", [[7, np.nan], [0, 0], [0, 0]])
    new = np.array([[0.125, np.nan], [0, 1], [0.25, 0]], np.float32)
    run.set_weights("in->out", new)
    np.testing.assert_array_equal(run.weights("in->out"), new)


def test_spikes_are_address_events():
    net = Network()
    net.add_lif("first", 2, LIF(10, 5, 1.0, bias=0.5))
    net.add_input("in", 3)
    net.add_lif("last", 3, LIF(10, 0, 1.0))
    net.connect("in", "last", np.eye(3) * 2)
    run = net.compile()
    spikes = run.step([0, 1, 1])
    assert spikes.dtype == np.int32
    assert spikes.tolist() == [6, 7]
    events = run.spike_events(spikes, 123_000_000)
    assert events.dtype == EVENT_DTYPE
    assert events.tolist() == [(123_000_000, 1, 2, 1), (123_000_000, 2, 2, 1)]
    assert run.spike_events(run.step([0, 0, 0]), 0).size == 0
    assert run.layer_slices == {"first": slice(0, 2), "in": slice(2, 5), "last": slice(5, 8)}
    assert run.input_slices == {"in": slice(0, 3)}


@pytest.mark.parametrize("rule", [None, RULE])
def test_connections_without_synapses_and_networks_without_inputs(rule):
    net = Network()
    net.add_lif("a", 2, LIF(10, 5, 1.0, bias=3.0))
    net.add_lif("b", 3, CELL)
    net.connect("a", "b", np.full((2, 3), np.nan), rule=rule)
    run = net.compile()
    run.set_reward("b", 1.0)
    assert sum(run.step().size for _ in range(30)) > 0
    assert run.synaptic_operations == 0
    assert np.isnan(run.weights("a->b")).all()
    run.load_state_dict(run.state())
    only_inputs = Network()
    only_inputs.add_input("in", 2)
    assert only_inputs.compile().step([1, 2]).size == 0
