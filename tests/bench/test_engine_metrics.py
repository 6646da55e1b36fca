"""The tables of `neuro_robot bench snn`: figures checked against a run by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from neuro_robot.bench import workloads
from neuro_robot.bench.engine import metrics
from neuro_robot.cli import app
from neuro_robot.errors import ConfigError


@pytest.mark.parametrize("backend", ["cpu", "loihi2"])
def test_metrics_are_those_of_the_run(backend):
    told = metrics("w1", backend, steps=200)
    model = workloads.feed_forward().compile(backend)
    spikes = [model.step(row).size for row in workloads.rows_given(200)]
    given = workloads.spikes_given(200).step.size
    assert told["sparsity"]["activation_sparsity"] == pytest.approx(1 - sum(spikes) / (200 * 272))
    assert told["operations"]["dense_per_step"] == 1024 * 256 + 256 * 16
    used = np.count_nonzero(model.synapse_weights("in->hidden"))
    assert told["operations"]["effective_acs_per_step"] * 200 == pytest.approx(given * used / 1024, rel=0.02)
    assert told["energy_model"]["dynamic_nj_per_step"] > told["energy_model"]["idle_nj_per_step"] > 13
    assert 5 < told["first_spike_ms"] < 100


def test_what_the_back_end_refuses_is_told():
    assert "the network needs" in metrics("w3", "loihi2", steps=1)["refused"]


def test_the_command_prints_json():
    found = CliRunner().invoke(app, ["bench", "snn", "w1", "--seconds", "0.1", "--runs", "1", "--json"])
    assert found.exit_code == 0
    told = json.loads(found.stdout)
    assert [row["name"] for row in told["speed"]] == ["W1 given", "W1 drawn"]
    assert told["metrics"][0]["energy_model"]["constants_pj"]["synaptic_operations"] == 23.6
    text = CliRunner().invoke(app, ["bench", "snn", "w1", "--seconds", "0.1", "--runs", "1"]).stdout
    assert "activation sparsity" in text
    assert "not a measurement" in " ".join(text.split())


def test_unknown_names_are_refused():
    assert isinstance(CliRunner().invoke(app, ["bench", "snn", "w9"]).exception, ConfigError)
    assert isinstance(CliRunner().invoke(app, ["bench", "snn", "w1", "--backend", "tpu"]).exception, ConfigError)
