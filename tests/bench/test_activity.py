from __future__ import annotations

import numpy as np
import pytest

from neuro_robot.bench.activity import Activity, activity_from, activity_of, energy_model, network_summary, sparsity
from neuro_robot.bench.plain import plain
from neuro_robot.snn.network import LIF, Network


def one_step(neurons=1000, active=50, fan_out=100, updates=0):
    return Activity(
        {"retina": 64, "cells": neurons}, ("retina",), 1.0, 1, {"retina": 9, "cells": active}, neurons * fan_out, 0,
        active * fan_out, updates,
    )  # fmt: skip


def test_energy_of_the_published_example():
    # 1000 neurons, 5 % active, fan-out 100: 118 nJ synapses, 4 nJ active and 49 nJ idle neurons
    energy = energy_model(one_step(), decisions=1)
    assert energy["parts_nj"]["synaptic_operations"] == pytest.approx(118.0)
    assert energy["parts_nj"]["active_neurons"] == pytest.approx(4.05)
    assert energy["parts_nj"]["idle_neurons"] == pytest.approx(49.4)
    assert energy["total_nj_per_decision"] == pytest.approx(171.45)
    assert energy["dynamic_nj_per_decision"] + energy["idle_nj_per_decision"] == pytest.approx(171.45)
    assert energy["mean_power_uw"] == pytest.approx(171.45)  # nJ per ms
    assert energy_model(one_step(updates=10), 2)["dynamic_nj_per_decision"] == pytest.approx((118 + 4.05 + 1.2) / 2)


def test_sparsity_by_hand():
    assert sparsity(one_step()) == {"mean_rate_hz": pytest.approx(50.0), "silent_share": pytest.approx(0.95)}
    assert network_summary(one_step(), 0)["energy_model"]["total_nj_per_decision"] is None


def test_counts_of_a_real_network_and_their_difference():
    network = Network(dt_ms=1.0)
    network.add_input("retina", 2)
    network.add_lif("cells", 3, LIF(tau_mem_ms=10.0, tau_syn_ms=2.0, v_th=0.1))
    network.connect("retina", "cells", np.full((2, 3), 5.0))

    class Pilot:
        pass

    pilot = Pilot()
    pilot.network = network.compile()
    pilot.network.step(np.array([1.0, 0.0]))
    before = activity_of(pilot)
    spikes = sum(len([i for i in pilot.network.step(np.array([2.0, 1.0])) if i >= 2]) for _ in range(5))
    during = activity_of(pilot).since(before)
    assert during.steps == 5
    assert during.spikes["cells"] == spikes
    assert during.synaptic_operations == 5 * 2 * 3
    assert during.neurons == 3
    assert during.synapses == 6
    assert activity_from(plain(network_part(during))) == during
    assert activity_of(object()) is None


def network_part(activity):
    known = network_summary(activity, 1)
    return {name: known[name] for name in Activity.__dataclass_fields__}
