"""Spikes of `cpu` equal Brian2's and NEST's to the step, weights to 1e-6; left out where these are not installed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "benchmarks"))
import snn_exactness

STEPS = 600


@pytest.mark.parametrize("case", snn_exactness.cases(), ids=lambda case: case.name)
def test_beside_brian2(case):
    pytest.importorskip("brian2")
    result = snn_exactness.with_brian2(case, STEPS)
    assert result.spikes >= 30
    assert result.equal == result.spikes
    assert result.difference <= 1e-6


def test_beside_nest():
    pytest.importorskip("nest")
    result = snn_exactness.with_nest(STEPS)
    assert result.spikes >= 100
    assert result.exact, result
