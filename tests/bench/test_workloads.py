"""The workloads of the speed table: their shapes and rates, and what a measured row says."""

from __future__ import annotations

import numpy as np
import pytest

from neuro_robot.bench import workloads
from neuro_robot.errors import ConfigError


def test_every_workload_gives_its_rows():
    rows = workloads.measure(seconds=1.0, runs=1)
    names = [row.name for row in rows]
    assert names == [
        "W1 given", "W1 drawn", "W2 given", "W2 drawn", "W3", "W4", "W4 with STDP", "loihi2 1024-256",
        "loihi integers 1024-256",
    ]  # fmt: skip
    for row in rows:
        assert not row.refused
        assert (row.x_realtime is None) == (row.p50_us is not None)
        assert all(2.0 < rate < 100.0 for rate in row.rates_hz.values()), row
        if "in" in row.rates_hz:
            assert row.rates_hz["in"] == pytest.approx(20.0, rel=0.05)


def test_the_recurrent_network_fires_at_5_to_10_hz():
    row = workloads.measure(["w3"], seconds=10.0, runs=1)[0]
    assert 5.0 <= row.rates_hz["n"] <= 10.0
    net = workloads.recurrent()
    assert net.connections["n->n"].weights.size == pytest.approx(1e6, rel=0.01)


def test_given_spikes_are_the_same_as_raster_and_as_rows():
    raster, rows = workloads.spikes_given(1500), workloads.rows_given(1500)
    assert rows.sum() == raster.value.sum()
    assert np.array_equal(np.argwhere(rows), np.stack([raster.step, raster.neuron], axis=1))
    assert rows.mean() == pytest.approx(0.02, rel=0.02)


def test_what_a_back_end_lacks_is_a_refused_row():
    given, drawn = workloads.measure(["w1"], seconds=0.1, runs=1, backend="nowhere")
    assert given.x_realtime is None
    assert drawn.x_realtime is None
    assert "no back end" in given.refused
    assert "no back end" in drawn.refused


@pytest.mark.parametrize("options", [{"names": ["w9"]}, {"seconds": 0.0}, {"seconds": float("nan")}, {"runs": 0}])
def test_absurd_requests_are_refused(options):
    with pytest.raises(ConfigError, match="workloads"):
        workloads.measure(**options)
