"""Faults written as text: what each form means, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuro_robot.agents.controller import Controller
from neuro_robot.agents.drone import DroneMindConfig
from neuro_robot.config import from_dict
from neuro_robot.errors import ConfigError
from neuro_robot.snn.faults import DeadCores, DeadNeurons, LostSpikes, StuckSynapses
from neuro_robot.snn.faults_text import faults_of, inject_text, seeded
from neuro_robot.snn.network import LIF, Network

FORMS = {
    "dead_neurons:column:20%@2s": (DeadNeurons("column", "20%", 5), 2000.0, math.inf),
    "dead_neurons:column:0-3,7@2.5s-4s": (DeadNeurons("column", "0-3,7", 5), 2500.0, 4000.0),
    "dead_neurons:column": (DeadNeurons("column", "all", 5), 0.0, math.inf),
    "dead_neurons:column:20%@2s#9": (DeadNeurons("column", "20%", 9), 2000.0, math.inf),
    "dead_cores:0,2": (DeadCores([0, 2], "all", 5), 0.0, math.inf),
    "dead_cores:column:0-31@500ms": (DeadCores("column", "0-31", 5), 500.0, math.inf),
    "stuck_synapses:steer:10%=0": (StuckSynapses("steer", "10%", 0.0, 5), 0.0, math.inf),
    "stuck_synapses:a->b:3>5,3>6": (StuckSynapses("a->b", "3>5,3>6", None, 5), 0.0, math.inf),
    "lost_spikes:column:30%@1s": (LostSpikes("column", 0.3, (), 5), 1000.0, math.inf),
    "lost_spikes:column:0.5": (LostSpikes("column", 0.5, (), 5), 0.0, math.inf),
}


@pytest.mark.parametrize(("text", "told"), FORMS.items())
def test_every_form(text, told):
    assert faults_of(text, 5) == [told]


def test_several_have_seeds_of_their_own():
    first, second = faults_of(" dead_neurons:a:10% ; dead_neurons:a:10%;", 3)
    assert (first.fault.seed, second.fault.seed) == (3, 4)
    assert faults_of("") == []
    text = seeded("dead_neurons:a:10%#8 ; dead_neurons:a:10%@1s;", 3)
    assert text == "dead_neurons:a:10%#8; dead_neurons:a:10%@1s#4"
    assert [told.fault.seed for told in faults_of(text)] == [8, 4]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("burned:column", "expected KIND:WHERE.* for example dead_neurons:column:20%@2s; the kinds are dead_neurons"),
        ("dead_neurons", "expected KIND:WHERE"),
        ("dead_neurons:column@2", "expected KIND:WHERE"),
        ("dead_neurons:column:3=1", "only stuck_synapses take a value"),
        ("dead_neurons:column@1.2.3s", "expected a number, got '1.2.3'"),
        ("stuck_synapses:steer=high", "expected a number, got 'high'"),
        ("lost_spikes:column:many", "expected a number, got 'many'"),
    ],
)
def test_what_is_no_fault(text, told):
    with pytest.raises(ConfigError, match=told):
        faults_of(text)


@given(st.text("dead_neurons:lost_spikes0123456789%@=;->,.sm#", max_size=60))
def test_any_text_is_faults_or_is_refused(text):
    net = Network()
    net.add_input("n", 3)
    net.add_lif("s", 2, LIF())
    net.connect("n", "s", np.ones((3, 2)))
    try:
        inject_text(net.compile(), text)
    except ConfigError:
        return


def test_all_or_none():
    net = Network()
    net.add_lif("n", 3, LIF())
    model = net.compile()
    with pytest.raises(ConfigError, match="no layer"):
        inject_text(model, "dead_neurons:n:0; dead_neurons:m:0")
    assert not model.faults
    inject_text(model, "dead_neurons:n:0; dead_neurons:n:1@1s")
    with pytest.raises(ConfigError, match="expected 0 to 2"):
        inject_text(model, "dead_neurons:n:3")
    assert (len(model.faults.active), len(model.faults.waiting)) == (1, 1)
    inject_text(model, "")
    assert not model.faults


@pytest.mark.parametrize("backend", ["cpu", "loihi2"])
def test_a_drone_with_faults_says_so(backend):
    config = from_dict(
        DroneMindConfig, {"backend": backend, "faults": "dead_neurons:column:20%@2s; lost_spikes:motor:5%"}
    )
    told = Controller(config, 3).diagnostics()
    assert (told["faults"], told["faults_waiting"], told["fault_dead_neurons"]) == (1.0, 1.0, 0.0)
    assert Controller(DroneMindConfig(), 3).diagnostics()["faults"] == 0.0
    with pytest.raises(ConfigError, match="no layer of this name; the layers are retina, column, motor"):
        Controller(from_dict(DroneMindConfig, {"faults": "dead_neurons:columns"}), 3)
