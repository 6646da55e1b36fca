from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest

from neuro_robot.agents.controller import Controller
from neuro_robot.agents.drone import DroneMindConfig
from neuro_robot.bench.activity import PREFIX, Activity, activity_of, from_diagnostics
from neuro_robot.bench.adaptation import adaptation
from neuro_robot.bench.energy import PJ, energy_model
from neuro_robot.bench.network_summary import network_summary
from neuro_robot.bench.plain import plain
from neuro_robot.bench.sparsity import operations, sparsity
from neuro_robot.snn.cells import Poisson
from neuro_robot.snn.counts import counts_of
from neuro_robot.snn.network import LIF, STDP, Network


def one_step(neurons=1000, active=50, fan_out=100, updates=0, **more):
    return Activity(
        {"retina": 64, "cells": neurons}, ("retina",), 1.0, 1, {"retina": 9, "cells": active}, neurons * fan_out, 0,
        active * fan_out, updates, **more,
    )  # fmt: skip


def test_energy_of_the_published_example():
    # 1000 neurons, 5 % active, fan-out 100: 118 nJ synapses, 4 nJ active and 49 nJ idle neurons
    energy = energy_model(one_step(), decisions=1)
    assert energy["parts_nj"]["synaptic_operations"] == pytest.approx(118.0)
    assert energy["parts_nj"]["active_neurons"] == pytest.approx(4.05)
    assert energy["parts_nj"]["idle_neurons"] == pytest.approx(49.4)
    assert energy["total_nj_per_decision"] == energy["total_nj_per_step"] == pytest.approx(171.45)
    assert energy["dynamic_nj_per_decision"] == pytest.approx(122.05)
    assert energy["idle_nj_per_decision"] == pytest.approx(49.4)
    assert energy["total_power_uw"] == pytest.approx(171.45)  # nJ per ms
    assert energy_model(one_step(updates=10), 2)["dynamic_nj_per_decision"] == pytest.approx((118 + 4.05 + 1.2) / 2)
    moved = energy_model(one_step(messages=100, hops_x=30, hops_y=7), 1)
    assert moved["dynamic_nj_per_decision"] - energy["dynamic_nj_per_decision"] == pytest.approx(
        (100 * 1.7 + 30 * 3.0 + 7 * 4.0) / 1000
    )
    assert "not a measurement" in energy["model"]
    assert set(energy["counts"]) == set(energy["parts_nj"]) == set(PJ)


def test_sparsity_by_hand():
    told = sparsity(one_step(dense_synapses=1000, nonzero_weights=250))
    assert told == {
        "mean_rate_hz": pytest.approx(50.0),
        "activation_sparsity": pytest.approx(0.95),
        "connection_sparsity": pytest.approx(0.75),
    }
    assert network_summary(one_step(), 0)["energy_model"]["total_nj_per_decision"] is None
    assert network_summary(one_step(), 0)["operations"]["effective_acs_per_decision"] is None


def tiny(rule=None):
    """2 lines -> 3 cells -> 2 cells; one weight of 0, two synapses missing."""
    network = Network(dt_ms=1.0)
    network.add_input("in", 2)
    network.add_lif("h", 3, LIF(tau_mem_ms=10.0, tau_syn_ms=0.0, v_th=1.0))
    network.add_lif("o", 2, LIF(tau_mem_ms=10.0, tau_syn_ms=0.0, v_th=1.0))
    network.connect("in", "h", [[2.0, 2.0, 0.0], [np.nan, 2.0, 2.0]], rule=rule, name="a")
    network.connect("h", "o", [[0.5, 0.5], [np.nan, 0.5], [0.5, 0.5]], name="b")
    return network


@pytest.mark.parametrize("backend", ["cpu", "loihi2"])
def test_a_tiny_network_counted_by_hand(backend):
    model = tiny().compile(backend)
    fired = [model.step(row).tolist() for row in ([1, 0], [0, 0], [0, 1], [0, 0])]
    # line 0 fires h0 and h1; both reach o at the next step, where o1 gets 1.0 and fires, o0 0.5; line 1 fires h1 and
    # h2, which give o0 0.5 and o1 1.0
    assert fired == [[2, 3], [6], [3, 4], [6]]
    told = counts_of(model)
    assert told["steps"] == 4
    assert (told["spikes/in"], told["spikes/h"], told["spikes/o"]) == (2, 4, 2)
    assert (told["inputs/in"], told["neurons/h"], told["neurons/o"]) == (2, 3, 2)
    assert told["synaptic_operations"] == (3 + 2) + (2 + 1) + (1 + 2)  # synapses reached, a weight of 0 as well
    assert told["input_operations"] == 2 + 2  # without it
    assert told["neuron_operations"] == (2 + 1) + (1 + 2)
    assert (told["synapses"], told["nonzero_weights"], told["dense_synapses"]) == (10, 9, 12)
    # cores 0 (h) and 1 (o) lie on one tile: no hops; a line sends to core 0, a cell of h to core 1
    assert (told["messages"], told["hops_x"], told["hops_y"]) == (2 + 4, 0, 0)
    activity = activity_of(type("Pilot", (), {"network": model})())
    assert sparsity(activity)["activation_sparsity"] == pytest.approx(1 - 6 / 20)
    assert sparsity(activity)["connection_sparsity"] == pytest.approx(3 / 12)
    assert operations(activity, 2) == {
        "dense_per_step": 12.0, "effective_macs_per_step": 1.0, "effective_acs_per_step": 1.5,
        "dense_per_decision": 24.0, "effective_macs_per_decision": 2.0, "effective_acs_per_decision": 3.0,
    }  # fmt: skip
    assert operations(activity, graded_inputs=False)["effective_acs_per_step"] == 2.5
    energy = energy_model(activity, 4)
    dynamic_pj = 11 * 23.6 + 6 * 81 + 6 * 1.7
    assert energy["dynamic_nj_per_decision"] == pytest.approx(dynamic_pj / 4000)
    assert energy["idle_nj_per_decision"] == pytest.approx((20 - 6) * 52 / 4000)


def test_hops_by_hand():
    network = Network()
    network.add_input("in", 1)
    network.add_lif("a", 3 * 1024, LIF())  # cores 0 .. 2, tile 0
    network.add_lif("b", 4 * 1024, LIF())  # cores 3 .. 6: 3 on tile 0, 4 .. 6 on tile 1
    network.add_lif("c", 29 * 1024, LIF())  # cores 7 .. 35: up to tile 8, below tile 0
    network.add_layer("p", 1, Poisson(10.0))  # core 36, tile 9: one east and one south of tile 0

    def one(pre, post, i, j):
        matrix = np.full((network.layers[pre].size, network.layers[post].size), np.nan, np.float32)
        matrix[i, j] = 1.0
        network.connect(pre, post, matrix)

    one("in", "b", 0, [0, 1, 1024, 3000])  # cores 3, 4 and 5: three messages, one hop east each to 4 and 5
    one("a", "a", 2000, [0, 5])  # core 1 to core 0: one message, no hop
    one("in", "c", 0, 28 * 1024 + 5)  # core 35, tile 8: one hop south
    one("p", "a", 0, [0, 1024, 2048])  # from tile 9 to tile 0 thrice
    model = network.compile()
    model.spike_counts[:] = 0
    routes = {}
    for name, neuron in (("in", 0), ("a", 2000), ("p", 0)):
        model.spike_counts[:] = 0
        model.spike_counts[model.layer_slices[name].start + neuron] = 1
        told = counts_of(model)
        routes[name] = (told["messages"], told["hops_x"], told["hops_y"])
    assert routes == {"in": (4, 2, 1), "a": (1, 0, 0), "p": (3, 3, 3)}


def test_counts_of_a_real_network_and_their_difference():
    class Pilot:
        pass

    pilot = Pilot()
    pilot.network = tiny(STDP(w_max=4.0)).compile()
    pilot.network.step(np.array([1.0, 0.0]))
    before = activity_of(pilot)
    spikes = sum(len(pilot.network.step(np.array([2.0, 1.0]))) for _ in range(5))
    during = activity_of(pilot).since(before)
    assert during.steps == 5
    assert during.neuron_spikes == spikes
    assert during.spikes["in"] == 10
    assert during.neurons == 5
    assert (during.synapses, during.plastic_synapses) == (10, 5)
    assert during.weight_updates > 0
    assert activity_of(object()) is None
    told = plain(network_summary(during, 1))
    assert told | plain(asdict(during)) == told  # the counts stand in the summary as they are


def test_what_the_controller_reports_is_enough():
    controller = Controller(DroneMindConfig(), 1)
    for k in range(20):
        controller.mind.network.step(np.full(64, float(k % 3 == 0), np.float32))
    told = {name: repr(value) for name, value in controller.diagnostics().items()}  # as text, as over DDS
    assert from_diagnostics(told) == activity_of(controller)
    assert from_diagnostics({"spikes": "3"}) is None
    assert f"{PREFIX}spikes/motor" in told


def test_adaptation_by_hand():
    t = np.arange(0.0, 10.0, 0.1)
    value = np.where((t >= 4.0) & (t < 6.0), 0.2, 1.0)
    found = adaptation(t, value, 4.0, window_s=1.0)
    assert found.before == 1.0
    assert found.lowest == pytest.approx(0.2)
    # ten values in the window; 0.9 of 1.0 is met when nine of them are back: (0.2 + 9) / 10
    assert found.time_s == pytest.approx(6.0 + 0.8 - 4.0)
    assert adaptation(t, np.ones(100), 4.0).time_s == 0.0
    assert adaptation(t, np.where(t < 4.0, 1.0, 0.2), 4.0).time_s is None
    assert adaptation(t, value, 0.0) is None
    assert adaptation(t, value, 20.0) is None
    assert adaptation(t[:0], value[:0], 1.0) is None
