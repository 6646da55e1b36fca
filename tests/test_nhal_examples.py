"""The examples of spiking networks print what theory says."""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def example(name):
    spec = importlib.util.spec_from_file_location(f"examples_{name}", EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_spiking_neuron(capsys):
    assert example("spiking_neuron").main() == pytest.approx(10 * math.log(5), abs=0.011)
    assert "16.09" in capsys.readouterr().out


def test_stdp_window():
    window = example("stdp_window").main()
    assert window[5] == pytest.approx(0.0779, abs=5e-5)
    for gap, change in window.items():
        assert change == pytest.approx((0.1 if gap > 0 else -0.12) * math.exp(-abs(gap) / 20), abs=1e-6)
    driven = example("stdp_window").weight_after([5, 5, -10])
    assert driven == pytest.approx(2 * window[5] + window[-10], abs=1e-5)


def test_recurrent_network():
    rate, variation = example("recurrent_network").main(400)
    assert 1.0 < rate < 60.0
    assert variation > 0.5


def test_spike_coding():
    by_rate, by_time = example("spike_coding").main()
    assert by_time.max() < 0.06
    assert by_rate.max() < 0.2


def test_cart_pole_learns_from_its_failures():
    found = example("cart_pole").main(["--episodes", "60"])
    late = {mode: sum(runs[0][-20:]) / 20 for mode, runs in found.items()}
    assert late["learned"] > 50.0 > 3.0 * sum(found["learned"][0][:5]) / 5
    assert late["learned"] > 3.0 * max(late["frozen"], late["shuffled"])


def test_cart_pole_learns_on_the_chip():
    steps = example("cart_pole").Brain(seed=0, backend="loihi2").learn(40)
    assert sum(steps[-10:]) > 2.0 * sum(steps[:10])
