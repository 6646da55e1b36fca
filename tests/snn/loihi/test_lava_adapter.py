"""The Lava adapter: what it says without Lava, what it refuses, and the same bits where Lava is installed."""

import numpy as np
import pytest

from neuro_robot.errors import ConfigError
from neuro_robot.snn import lava
from neuro_robot.snn.backends.loihi.description import ChipNetwork, Compartments
from neuro_robot.snn.backends.loihi.machine import Machine
from neuro_robot.snn.backends.loihi.rules import ChipRule


def network(latency=1, **cell):
    net = ChipNetwork()
    net.add_input("in", 6, message_bits=4, latency=latency)
    net.add_layer("h", 5, Compartments(**{"du": 300, "dv": 150, "vth": 60, "bias_mant": 9, "bias_exp": 3, **cell}))
    net.add_layer("o", 3, Compartments(500, 100, 40))
    rng = np.random.default_rng(2)
    net.connect("in", "h", rng.integers(-90, 120, (6, 5)), message_bits=4, exists=rng.random((6, 5)) < 0.7)
    net.connect("h", "h", rng.integers(-60, 60, (5, 5)), rng.integers(0, 6, (5, 5)), weight_exp=-1)
    net.connect("h", "o", rng.integers(0, 120, (5, 3)), rng.integers(0, 63, (5, 3)), weight_bits=6)
    return net


def spikes(steps=120):
    rng = np.random.default_rng(3)
    return (rng.random((steps, 6)) < 0.2) * rng.integers(1, 16, (steps, 6))


def test_without_lava_it_says_so(monkeypatch):
    monkeypatch.setattr(lava, "find_spec", lambda name: None)
    assert "Lava needs 3.10" in lava.available()
    with pytest.raises(ConfigError, match=r"Lava is not installed .* use the back end loihi2"):
        lava.run(network(), spikes())


@pytest.mark.parametrize(
    ("net", "payloads", "words"),
    [
        (network(refract=2), spikes(), "layer 'h': refract: Lava's fixed-point LIF knows only 1"),
        (network(v_start=5), spikes(), "v_start"),
        (network(vth=[1, 2, 3, 4, 5]), spikes(), "vth: Lava has one for a whole layer"),
        (network(), spikes()[:, :5], "payloads: expected whole numbers of the shape"),
        (network(), spikes() * 0.5, "payloads"),
        (network(), spikes(0), "payloads"),
    ],
)
def test_what_lava_lacks_is_refused_by_name(monkeypatch, net, payloads, words):
    monkeypatch.setattr(lava, "available", lambda: "")
    with pytest.raises(ConfigError, match=words):
        lava.run(net, payloads)


def test_learning_is_not_carried_over(monkeypatch):
    monkeypatch.setattr(lava, "available", lambda: "")
    net = network()
    rule = ChipRule((), (16.0, 0.0, 16.0, 0.0, 0.0), (20.0, 0.0, 20.0, 0.0, 0.0), 0, 255)
    net.connect("in", "o", np.ones((6, 3), int), rule=rule, name="learns")
    with pytest.raises(ConfigError, match="connection 'learns': learning is not carried over"):
        lava.run(net, spikes())


@pytest.mark.skipif(bool(lava.available()), reason=lava.available() or "Lava is installed")
@pytest.mark.parametrize("latency", [0, 1])
def test_lava_and_our_machine_agree_in_every_bit(latency):
    net = network(latency)
    rows = spikes()
    made = lava.run(net, rows)
    machine = Machine(net)
    for step, row in enumerate(rows):
        found = machine.step(row)
        assert np.flatnonzero(made.spikes[step]).tolist() == found.tolist()
        np.testing.assert_array_equal(made.u[step], machine.u)
        np.testing.assert_array_equal(made.v[step], machine.v)
    assert made.spikes.sum() > 20
