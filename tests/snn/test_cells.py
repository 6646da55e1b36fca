"""The neuron types against their equations in plain Python, and against what is known on paper."""

from __future__ import annotations

import math

import numpy as np
import pytest
from naive_cells import NaiveCell

from neuro_robot.errors import ConfigError
from neuro_robot.snn.backends import Raster
from neuro_robot.snn.cells import IF, LIF, AdaptiveLIF, AdEx, ConductanceLIF, Izhikevich, Poisson
from neuro_robot.snn.network import Network

CELLS = [
    (IF(tau_syn_ms=5.0, bias=0.02, t_ref_ms=3.0), 0.02),
    (IF(v_reset=-0.47), 0.3),
    (LIF(20.0, 5.0, t_ref_ms=2.0, bias=0.9), 0.6),
    (LIF(10.0, 0.0, v_rest=-0.2, v_reset=-0.4), 0.7),
    (ConductanceLIF(), 0.8),
    (AdaptiveLIF(20.0, 5.0, bias=1.1, beta=0.3, tau_adapt_ms=60.0, t_ref_ms=1.0), 0.4),
    (Izhikevich(bias=4.0, tau_syn_ms=5.0), 4.0),
    (Izhikevich(a=0.1, d=2.0, bias=5.0), 4.0),
    (AdEx(bias=600.0), 200.0),
    (AdEx(bias=700.0, tau_syn_ms=0.0, t_ref_ms=2.0, substeps=20), 3.0),
]


def driven(cell, scale, dt, dtype):
    """Two inputs, excitatory and inhibitory, onto one neuron."""
    net = Network(dt)
    net.add_input("in", 2)
    net.add_layer("n", 1, cell)
    net.connect("in", "n", [[scale], [-0.4 * scale]])
    return net.compile(dtype=dtype)


@pytest.mark.parametrize(("cell", "scale"), CELLS, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("dt", [0.25, 1.0])
def test_cells_follow_their_equations(cell, scale, dt):
    rng = np.random.default_rng(3)
    exact, single, naive = driven(cell, scale, dt, "float64"), driven(cell, scale, dt, "float32"), NaiveCell(cell, dt)
    weights = [float(w) for w in exact.weights("in->n")[:, 0]]
    tolerance = 1e-2 if isinstance(cell, Izhikevich | AdEx) else 1e-9  # an upswing magnifies the last bit
    fired = singles = 0
    for _ in range(int(300 / dt)):
        inputs = (rng.random(2) < 0.1 * dt).astype(np.float32)
        found = exact.step(inputs).size
        singles += single.step(inputs).size
        assert found == naive.step([w for w, i in zip(weights, inputs, strict=True) if i])
        assert exact.v[2] == pytest.approx(naive.v, abs=tolerance)
        fired += found
    assert fired >= 3
    assert abs(singles - fired) <= 1 + 0.05 * fired


def lone(cell, dt=1.0):
    net = Network(dt)
    net.add_layer("n", 1, cell)
    return net.compile(dtype="float64")


def test_interspike_interval_of_the_textbook_neuron():
    """R 10 MOhm, tau 10 ms, rest -70 mV, threshold -50 mV, 2.5 nA: tau ln(25 / 5) = 16.09 ms, not 10."""
    cell = LIF(10.0, 0.0, v_th=-50.0, v_reset=-70.0, v_rest=-70.0, bias=25.0)
    spikes = lone(cell, 0.01).run(steps=10_000).step * 0.01
    assert np.diff(spikes).mean() == pytest.approx(10 * math.log(5), abs=0.01)


def test_integrate_and_fire_counts():
    """Without leak the interval is threshold over drive."""
    gaps = np.diff(lone(IF(bias=0.04)).run(steps=1000).step)
    assert set(gaps.tolist()) == {25}


def test_adaptation_slows_down_to_the_rate_that_balances_it():
    steps = lone(AdaptiveLIF(20.0, 5.0, bias=3.0, beta=0.5, tau_adapt_ms=200.0)).run(steps=3000).step
    gaps = np.diff(steps)
    assert gaps[-1] > 2 * gaps[0]
    times = np.arange(10.0, 100.0, 0.01)
    lift = 1 / (np.exp(times / 200) - 1)  # adaptation just before a spike, in equilibrium
    interval = times[np.argmax(3.0 * (1 - np.exp(-times / 20)) >= 1.0 + 0.5 * lift)]
    assert gaps[-1] == pytest.approx(interval, abs=1.1)


def test_conductances_drive_towards_their_reversal():
    """A huge held conductance pulls v to the reversal potential, whatever the threshold allows."""
    for weight, goal in ((1e6, -55.0), (-1e6, -80.0)):
        net = Network()
        net.add_input("in", 1)
        net.add_layer("n", 1, ConductanceLIF(e_exc=-55.0, tau_exc_ms=1e6, tau_inh_ms=1e6))
        net.connect("in", "n", [[weight]])
        run = net.compile()
        run.step([1])
        assert run.v[1] == pytest.approx(goal, abs=1e-3)


def test_izhikevich_types_differ_as_in_the_paper():
    """Regular spiking adapts, fast spiking does not, chattering bursts (2003, figure 2), under current 10."""
    regular = np.diff(lone(Izhikevich(bias=10.0), 0.1).run(steps=5000).step) * 0.1
    fast = np.diff(lone(Izhikevich(a=0.1, d=2.0, bias=10.0), 0.1).run(steps=5000).step) * 0.1
    chatter = np.diff(lone(Izhikevich(c=-50.0, d=2.0, bias=10.0), 0.1).run(steps=5000).step) * 0.1
    assert regular[-1] > 1.7 * regular[0]
    assert fast[-1] < 1.8 * fast[0]
    assert fast.mean() < 0.5 * regular.mean()
    assert chatter.max() > 5 * chatter.min()


def test_adex_rheobase():
    """Without adaptation the smallest current that fires is g_l (v_t - delta_t - e_l), Touboul and Brette 2008."""
    cell = {"a": 0.0, "b": 0.0}
    rheobase = 30.0 * (-50.4 - 2.0 + 70.6)
    assert lone(AdEx(**cell, bias=rheobase * 0.99)).run(steps=3000).step.size == 0
    assert lone(AdEx(**cell, bias=rheobase * 1.02)).run(steps=3000).step.size > 3


@pytest.mark.parametrize("rate_hz", [0.0, 20.0, 500.0, 1000.0])
def test_poisson_sources_are_bernoulli(rate_hz):
    """Counts of independent draws: mean and variance per neuron, and no trace of the step before."""
    net = Network()
    net.add_layer("p", 400, Poisson(rate_hz, seed=5))
    run = net.compile()
    counts = np.zeros((1000, 400), np.int64)
    before = run.spike_counts.copy()
    for k in range(1000):
        assert run.step().size == 0  # a source's spikes are not the network's
        counts[k] = run.spike_counts - before
        before = run.spike_counts.copy()
    p = rate_hz / 1000
    assert set(np.unique(counts)) <= {0, 1}
    assert counts.mean() == pytest.approx(p, abs=5 * math.sqrt(p * (1 - p) / counts.size) + 1e-12)
    if 0 < p < 1:
        assert counts.sum(axis=0).var() == pytest.approx(1000 * p * (1 - p), rel=0.4)
        centred = counts - p
        assert abs((centred[1:] * centred[:-1]).mean()) < 5 * p * (1 - p) / math.sqrt(counts.size)
        assert abs((centred[:, 1:] * centred[:, :-1]).mean()) < 5 * p * (1 - p) / math.sqrt(counts.size)


def test_poisson_spikes_reach_synapses_in_their_own_step_and_follow_the_seed():
    runs = []
    for seed in (1, 1, 2):
        net = Network()
        net.add_layer("p", 50, Poisson(40.0, seed))
        net.add_layer("n", 50, LIF(20.0, 0.0, 0.5))
        net.connect("p", "n", np.where(np.eye(50) > 0, 1.0, np.nan))
        run = net.compile()
        found = run.run(steps=100)
        assert found.neuron.size == run.spike_counts[:50].sum() == run.spike_counts[50:].sum()
        runs.append(list(zip(found.step.tolist(), found.neuron.tolist(), strict=True)))
    assert runs[0] == runs[1] != runs[2]


def test_run_is_the_same_as_steps():
    net = Network()
    net.add_input("a", 3)
    net.add_layer("n", 2, LIF(20.0, 5.0, 0.2))
    net.add_input("b", 2)
    net.connect("a", "n", np.ones((3, 2)))
    net.connect("b", "n", -np.ones((2, 2)), delay_steps=3)
    rng = np.random.default_rng(1)
    inputs = rng.integers(0, 3, (200, 5)) * (rng.random((200, 5)) < 0.3)
    one, other, third = net.compile(), net.compile(), net.compile()
    expected = [(k, int(n)) for k, row in enumerate(inputs) for n in one.step(row)]
    at = np.nonzero(inputs)
    raster = Raster(at[0], at[1], inputs[at].astype(np.float32))
    for run, given in ((other, inputs), (third, raster)):
        found = run.run(given, 200)
        assert list(zip(found.step.tolist(), found.neuron.tolist(), strict=True)) == expected
        assert run.synaptic_operations == one.synaptic_operations
        assert np.array_equal(run.spike_counts, one.spike_counts)
        assert run.state()["state"].tobytes() == one.state()["state"].tobytes()
    assert len(expected) > 20


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        (IF, {"tau_syn_ms": -1.0}),
        (IF, {"v_reset": 1.0}),
        (ConductanceLIF, {"tau_inh_ms": 0.0}),
        (AdaptiveLIF, {"tau_adapt_ms": 0.0}),
        (AdaptiveLIF, {"beta": math.nan}),
        (Izhikevich, {"c": 40.0}),
        (Izhikevich, {"substeps": 0}),
        (AdEx, {"delta_t": 0.0}),
        (AdEx, {"v_peak": 1000.0}),
        (AdEx, {"v_reset": 30.0}),
        (Poisson, {"rate_hz": -1.0}),
        (Poisson, {"seed": 1.5}),
    ],
)
def test_impossible_cells_name_their_parameter(kind, change):
    with pytest.raises(ConfigError, match=rf"{kind.__name__}\.{next(iter(change))}"):
        kind(**change)


def test_a_source_that_would_fire_more_than_once_a_step():
    with pytest.raises(ConfigError, match="rate_hz: expected at most one spike a step, 500 Hz"):
        Network(2.0).add_layer("p", 1, Poisson(600.0))
