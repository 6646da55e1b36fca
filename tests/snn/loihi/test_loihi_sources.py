"""Poisson layers on the chip: the processor's own spikes, sent as inputs."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from neuro_robot import nhal as nh
from neuro_robot.errors import ConfigError, WeightsError
from neuro_robot.snn.cells import LIF, Poisson
from neuro_robot.snn.network import Network
from neuro_robot.snn.rules import STDP
from neuro_robot.snn.weights_file import load_state, save_state


def network(inputs=True, rule=None):
    net = Network()
    net.add_layer("noise", 30, Poisson(rate_hz=80.0, seed=3))
    net.add_layer("out", 20, LIF(10.0, 0.0, v_th=1.0))
    if inputs:
        net.add_input("in", 5)
        net.connect("in", "out", np.full((5, 20), 0.15))
    net.add_layer("other", 4, Poisson(rate_hz=200.0, seed=9))
    net.connect("noise", "out", np.random.default_rng(1).uniform(0.1, 0.4, (30, 20)), rule=rule, name="learns")
    net.connect("other", "out", np.full((4, 20), 0.2), np.random.default_rng(2).integers(1, 9, (4, 20)))
    return net


@pytest.mark.parametrize("name", ["loihi", "loihi2"])
def test_sources_draw_the_processors_spikes(name):
    real, chip = network().compile("cpu"), network().compile(name)
    raster = np.random.default_rng(5).random((400, 5)) < 0.1
    for row in raster:
        real.step(row)
        chip.step(row)
        for layer in ("noise", "other"):
            place = chip.layer_slices[layer]
            np.testing.assert_array_equal(real.spike_counts[place], chip.spike_counts[place])
    assert chip.spike_counts[chip.layer_slices["noise"]].sum() > 600
    out = chip.layer_slices["out"]
    assert chip.spike_counts[out].sum() == pytest.approx(real.spike_counts[out].sum(), rel=0.1)


def test_both_arithmetics_spike_alike_and_need_no_inputs():
    models = [network(inputs=False, rule=STDP()).compile("loihi2", arithmetic=name) for name in ("integer", "cpu")]
    rasters = [model.run(steps=500) for model in models]
    np.testing.assert_array_equal(rasters[0].neuron, rasters[1].neuron)
    np.testing.assert_array_equal(*(model.weights("learns") for model in models))
    assert models[0].weight_updates > 100


def test_saved_copied_and_pickled_models_go_on_alike(tmp_path):
    model = network().compile("loihi2")
    model.run(steps=100)
    save_state(tmp_path / "state", model.state(), {})
    others = [network().compile("loihi2"), copy.deepcopy(model), pickle.loads(pickle.dumps(model))]
    others[0].load_state_dict(load_state(tmp_path / "state")[0])
    wanted = model.run(steps=200)
    for other in others:
        found = other.run(steps=200)
        np.testing.assert_array_equal(found.neuron, wanted.neuron)
        np.testing.assert_array_equal(found.step, wanted.step)


def test_a_refused_step_draws_nothing():
    model, other = network().compile("loihi2"), network().compile("loihi2")
    model.step()
    other.step()
    for bad in ([0, 0, np.nan, 0, 0], [-1, 0, 0, 0, 0]):
        with pytest.raises(ConfigError, match="step: inputs: layer 'in', line"):
            model.step(np.array(bad, np.float32))
    with pytest.raises(ConfigError, match="expected the shape"):
        model.step(np.ones(6))
    np.testing.assert_array_equal(model.run(steps=50).neuron, other.run(steps=50).neuron)


def test_a_state_without_sources_is_refused():
    model = network().compile("loihi2")
    arrays = {name: array for name, array in model.state().items() if name != "sources"}
    with pytest.raises(WeightsError, match="sources missing"):
        model.load_state_dict(arrays)


def test_the_interface_describes_a_source_on_the_chip(capsys):
    net = nh.Network()
    noise = nh.NeuronGroup(10, "Poisson", {"rate_hz": 100.0}, network=net)
    group = nh.NeuronGroup(3, network=net)
    nh.Connection(noise, group)
    spikes = nh.SpikeMonitor(group)
    model = nh.compile(net, "loihi2")
    model.run(duration=1000)
    assert spikes.count.min() > 20
    assert model.core.spike_counts[model.core.layer_slices[noise.name]].mean() == pytest.approx(100.0, rel=0.15)
    nh.backends()
    assert "drawn by the host" in capsys.readouterr().out
    with pytest.raises(ConfigError, match=r"SpikeMonitor: .* random source"):
        nh.SpikeMonitor(noise)
