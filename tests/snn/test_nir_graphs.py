"""NIR graphs run as NIR's equations say: against an integrator of those equations that knows nothing of our cells."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from neuro_robot.snn.nir import from_nir

nir = pytest.importorskip("nir")
DT = 1e-3
RNG = np.random.default_rng


def neuron(kind, n, seed=0, **given):
    """A node whose neurons all differ, with every parameter away from its default."""
    rng = RNG(seed)
    told = {
        "r": rng.uniform(0.5, 3.0, n), "v_leak": rng.uniform(-0.2, 0.3, n), "v_threshold": rng.uniform(0.8, 1.3, n),
        "v_reset": rng.uniform(-0.3, 0.3, n), "tau": rng.uniform(5e-3, 3e-2, n), "tau_mem": rng.uniform(5e-3, 3e-2, n),
        "tau_syn": rng.uniform(2e-3, 9e-3, n), "w_in": rng.uniform(0.5, 2.0, n),
    }  # fmt: skip
    names = {
        "IF": ("r", "v_threshold", "v_reset"),
        "LIF": ("tau", "r", "v_leak", "v_threshold", "v_reset"),
        "CubaLIF": ("tau_mem", "tau_syn", "r", "v_leak", "v_threshold", "v_reset", "w_in"),
        "LI": ("tau", "r", "v_leak"),
    }[kind]
    return getattr(nir, kind)(**{name: (told | given)[name] for name in names})


class Naive:
    """The equations of one node, integrated by Runge and Kutta in small parts of a step."""

    def __init__(self, node, dt=DT, euler=False, parts=20):
        self.node, self.dt, self.euler, self.parts = node, dt, euler, parts
        self.kind = type(node).__name__
        self.v = np.zeros(node.r.shape) if self.kind == "IF" else node.v_leak.astype(float)
        self.i = np.zeros(node.r.shape)

    def slope(self, v, i, current):
        node = self.node
        if self.kind == "IF":
            return node.r * current, 0 * i
        if self.kind == "CubaLIF":
            return (node.v_leak - v + node.r * i) / node.tau_mem, -i / node.tau_syn
        return (node.v_leak - v + node.r * current) / node.tau, 0 * i

    def step(self, current):
        node = self.node
        if self.euler:
            self.forward(current)
        else:
            if self.kind == "CubaLIF":  # the equation of i, driven by a charge of current * dt at the beginning
                self.i = self.i + node.w_in * current * self.dt / node.tau_syn
            h = self.dt / self.parts
            for _ in range(self.parts):
                a = self.slope(self.v, self.i, current)
                b = self.slope(self.v + h / 2 * a[0], self.i + h / 2 * a[1], current)
                c = self.slope(self.v + h / 2 * b[0], self.i + h / 2 * b[1], current)
                d = self.slope(self.v + h * c[0], self.i + h * c[1], current)
                self.v = self.v + h / 6 * (a[0] + 2 * b[0] + 2 * c[0] + d[0])
                self.i = self.i + h / 6 * (a[1] + 2 * b[1] + 2 * c[1] + d[1])
        fired = self.v > node.v_threshold
        self.v = np.where(fired, node.v_reset, self.v)
        return fired.astype(float)

    def forward(self, current):
        node, dt = self.node, self.dt
        if self.kind == "CubaLIF":
            self.i = self.i + dt / node.tau_syn * (node.w_in * current - self.i)
            self.v = self.v + dt / node.tau_mem * (node.v_leak - self.v + node.r * self.i)
        elif self.kind == "LIF":
            self.v = self.v + dt / node.tau * (node.v_leak - self.v + node.r * current)
        else:
            self.v = self.v + dt * node.r * current


def chain(node, weight, bias, recurrent=None):
    n = len(node.r)
    nodes = {"in": nir.Input(np.array([weight.shape[1]])), "w": nir.Affine(weight, bias), "cells": node}
    edges = [("in", "w"), ("w", "cells"), ("cells", "out")]
    if recurrent is not None:
        nodes["again"] = nir.Linear(recurrent)
        edges += [("cells", "again"), ("again", "cells")]
    return nir.NIRGraph(nodes | {"out": nir.Output(np.array([n]))}, edges)


def spikes_of(network, inputs, name, **options):
    """(steps, n) spikes of a node, gathered from its layers."""
    model = network.compile(dtype="float64", **options)
    raster = model.run(inputs)
    every = np.zeros((len(inputs), sum(layer.size for layer in network.layers.values())))
    every[raster.step, raster.neuron] = 1
    population = network.populations[name]
    out = np.zeros((len(inputs), population.r.size))
    for layer, which in population.parts:
        out[:, which] = every[:, model.layer_slices[layer]]
    return out


@pytest.mark.parametrize("euler", [False, True])
@pytest.mark.parametrize("kind", ["IF", "LIF", "CubaLIF"])
def test_a_recurrent_layer_of_different_neurons_spikes_as_the_equations_do(kind, euler):
    rng = RNG(5)
    n, m = 9, 4
    size = 200.0 if kind == "IF" else 2.0
    node = neuron(kind, n, seed=3)
    weight, bias = rng.normal(0.4, 1.0, (n, m)) * size, rng.normal(0.2, 0.2, n) * size / 2
    recurrent = rng.normal(0.0, 0.6, (n, n)) * size
    inputs = rng.poisson(0.4, (400, m)).astype(float)
    graph = chain(node, weight, bias, recurrent)
    network = from_nir(graph, DT * 1e3, integration="euler" if euler else "exact")
    naive, last, expected = Naive(node, euler=euler), np.zeros(n), []
    for row in inputs:
        last = naive.step(weight @ row + bias + recurrent @ last)
        expected.append(last)
    found = spikes_of(network, inputs, "cells")
    assert 150 < np.sum(expected) < 3000
    np.testing.assert_array_equal(found, expected)


def test_the_interval_of_a_lif_under_constant_current_is_the_analytic_one():
    dt, tau, drive = 1e-5, 0.01, 2.0
    node = nir.LIF(tau=np.array([tau]), r=np.array([1.0]), v_leak=np.array([0.0]), v_threshold=np.array([1.0]))
    network = from_nir(chain(node, np.ones((1, 1)), np.array([drive])), dt * 1e3)
    times = np.flatnonzero(spikes_of(network, np.zeros((10_000, 1)), "cells")[:, 0]) * dt
    np.testing.assert_allclose(np.diff(times), tau * math.log(drive / (drive - 1)), atol=1.01 * dt)


def test_a_neuron_at_its_threshold_does_not_fire_and_above_it_does():
    node = nir.IF(r=np.ones(1), v_threshold=np.array([1.0]))
    network = from_nir(chain(node, np.array([[0.5]]), np.zeros(1)), 1.0, "step")
    assert np.flatnonzero(spikes_of(network, np.ones((8, 1)), "cells")).tolist() == [2, 5]


def test_v_starts_at_the_leak_or_at_zero():
    node = nir.LIF(tau=np.array([0.01]), r=np.ones(1), v_leak=np.array([1.2]), v_threshold=np.array([1.0]))
    graph = chain(node, np.ones((1, 1)), np.zeros(1))
    assert from_nir(graph, 1.0).compile().v[-1] == pytest.approx(1.2)
    network = from_nir(graph, 1.0, start="zero")
    assert network.compile().v[-1] == 0
    # it climbs to its own leak: the first spike when 1.2 (1 - exp(-t/tau)) > 1, t = tau ln 6 = 17.9 ms
    assert np.flatnonzero(spikes_of(network, np.zeros((30, 1)), "cells"))[0] + 1 == 18


def test_a_delay_of_its_own_for_each_channel():
    nodes = {
        "in": nir.Input(np.array([2])),
        "late": nir.Delay(np.array([0.003, 0.0])),
        "half": nir.Scale(np.array([2.0, 3.0])),
        "cells": nir.IF(r=np.full(2, 1e3), v_threshold=np.ones(2)),
        "out": nir.Output(np.array([2])),
    }
    graph = nir.NIRGraph(nodes, [("in", "late"), ("late", "half"), ("half", "cells"), ("cells", "out")])
    found = spikes_of(from_nir(graph, 1.0), np.eye(6)[:, :1] @ np.ones((1, 2)), "cells")
    assert found[:, 0].tolist() == [0, 0, 0, 1, 0, 0]
    assert found[:, 1].tolist() == [1, 0, 0, 0, 0, 0]


def naive_convolution(x, node):
    kernel, (sy, sx), (py, px), (dy, dx) = node.weight, node.stride, node.padding, node.dilation
    x = np.pad(x, ((0, 0), (py, py), (px, px)))
    rows = (x.shape[1] - dy * (kernel.shape[2] - 1) - 1) // sy + 1
    columns = (x.shape[2] - dx * (kernel.shape[3] - 1) - 1) // sx + 1
    out = np.zeros((kernel.shape[0], rows, columns))
    per, mine = kernel.shape[1], kernel.shape[0] // node.groups
    for o, y, c in np.ndindex(out.shape):
        group = o // mine
        for i, ky, kx in np.ndindex(kernel.shape[1:]):
            out[o, y, c] += kernel[o, i, ky, kx] * x[group * per + i, y * sy + ky * dy, c * sx + kx * dx]
    return out + node.bias[:, None, None]


@pytest.mark.parametrize("groups", [1, 2])
def test_convolution_pooling_and_flatten_and_a_linear_readout(groups):
    rng = RNG(1)
    conv = nir.Conv2d(None, rng.normal(size=(4, 2 // groups, 3, 2)), (2, 1), (1, 2), (1, 2), groups, rng.normal(size=4))
    nodes = {
        "in": nir.Input(np.array([2, 7, 8])),
        "conv": conv,
        "pool": nir.SumPool2d(np.array([2, 2]), np.array([2, 2]), np.array([0, 0])),
        "flat": nir.Flatten(None, 0, -1),
        "out": nir.Output(None),
    }
    edges = [("in", "conv"), ("conv", "pool"), ("pool", "flat"), ("flat", "out")]
    network = from_nir(nir.NIRGraph(nodes, edges), 1.0)
    x = rng.poisson(0.5, (2, 7, 8)).astype(float)
    model = network.compile(dtype="float64")
    model.step(x.reshape(-1))
    after = naive_convolution(x, conv)
    rows, columns = after.shape[1] // 2, after.shape[2] // 2
    after = after[:, : 2 * rows, : 2 * columns].reshape(4, rows, 2, columns, 2).sum((2, 4))
    np.testing.assert_allclose(model.v[model.layer_slices["out"]], after.reshape(-1), atol=1e-5)
    model.step(0 * x.reshape(-1))  # a readout holds what arrived in this step only
    still = naive_convolution(0 * x, conv)[:, : 2 * rows, : 2 * columns].reshape(4, rows, 2, columns, 2).sum((2, 4))
    np.testing.assert_allclose(model.v[model.layer_slices["out"]], still.reshape(-1), atol=1e-5)


def test_a_convolution_of_one_dimension_keeps_its_size_with_padding_same():
    rng = RNG(2)
    kernel = rng.normal(size=(2, 3, 3))
    nodes = {
        "in": nir.Input(np.array([3, 9])),
        "conv": nir.Conv1d(9, kernel, 1, "same", 1, 1, np.zeros(2)),
        "out": nir.Output(np.array([2, 9])),
    }
    model = from_nir(nir.NIRGraph(nodes, [("in", "conv"), ("conv", "out")]), 1.0).compile(dtype="float64")
    x = rng.poisson(1.0, (3, 9)).astype(float)
    model.step(x.reshape(-1))
    expected = [sum(np.correlate(np.pad(x[i], 1), kernel[o, i]) for i in range(3)) for o in range(2)]
    np.testing.assert_allclose(model.v[-18:], np.ravel(expected), atol=1e-5)


def test_a_leaky_integrator_shows_its_potential_and_never_spikes():
    node = neuron("LI", 3)
    graph = chain(node, np.eye(3) * 5, np.zeros(3))
    model = from_nir(graph, 1.0).compile(dtype="float64")
    v = node.v_leak.copy()
    for _ in range(20):
        model.step(np.ones(3))
        goal = node.v_leak + node.r * 5
        v = goal + (v - goal) * np.exp(-DT / node.tau)
    assert model.spike_counts[3:].sum() == 0
    np.testing.assert_allclose(np.sort(model.v[3:]), np.sort(v), rtol=1e-6)


def test_sub_graphs_with_branches_that_merge():
    def inner(seed):
        node = neuron("LIF", 3, seed)
        return nir.NIRGraph.from_list(nir.Linear(RNG(seed).normal(3, 1, (3, 2))), node), node

    (left, _), (right, _) = inner(1), inner(2)
    junction = nir.IF(r=np.full(3, 1e3), v_threshold=np.full(3, 1.5))
    nodes = {"in": nir.Input(np.array([2])), "left": left, "right": right, "junction": junction}
    nodes["out"] = nir.Output(np.array([3]))
    edges = [("in", "left"), ("in", "right"), ("left", "junction"), ("right", "junction"), ("junction", "out")]
    network = from_nir(nir.NIRGraph(nodes, edges), 1.0)
    assert set(network.populations) == {"in", "left.lif", "right.lif", "junction"}
    inputs = RNG(4).poisson(0.7, (300, 2)).astype(float)
    both = spikes_of(network, inputs, "left.lif") + spikes_of(network, inputs, "right.lif")
    v, expected = np.zeros(3), np.zeros((300, 3))
    for k in range(1, 300):  # one step from spike to arrival
        v = v + both[k - 1]
        expected[k] = v > 1.5
        v[v > 1.5] = 0
    assert expected.sum() > 20
    np.testing.assert_array_equal(spikes_of(network, inputs, "junction"), expected)


# What the exporters write, after their sources (snnTorch export_nir, Norse export_nir, sinabs nir): shapes and units.


def test_a_graph_as_snntorch_writes_it_steps_as_snntorch_does():
    """Leaky: tau = 1e-4 / (1 - beta), r = tau / 1e-4, 0-d numbers; mem = beta mem + x, reset to zero, two layers."""
    rng, beta = RNG(8), np.float32(0.9)
    tau = np.asarray(1e-4 / (1 - beta), np.float32)
    first, second = rng.normal(0.2, 0.5, (6, 4)).astype(np.float32), rng.normal(0.3, 0.5, (3, 6)).astype(np.float32)
    bias = rng.normal(0, 0.1, 6).astype(np.float32)

    def leaky():
        return nir.LIF(tau=tau, r=tau / np.float32(1e-4), v_leak=np.zeros_like(tau), v_threshold=np.asarray(1.0))

    nodes = {
        "input": nir.Input(np.array([4])), "0": nir.Affine(first, bias), "1": leaky(), "2": nir.Linear(second),
        "3": leaky(), "output": nir.Output(np.array([3])),
    }  # fmt: skip
    names = list(nodes)
    graph = nir.NIRGraph(nodes, list(itertools.pairwise(names)), type_check=False)
    network = from_nir(graph, dt_ms=1.0, time_unit=1e4, integration="euler")  # 1e-4 of a unit is a step
    inputs = rng.poisson(0.5, (300, 4)).astype(float)
    one, two, expected = np.zeros(6), np.zeros(3), []
    for row in inputs:
        one = beta * one + first @ row + bias
        spikes, one = one > 1, np.where(one > 1, 0, one)
        two = beta * two + second @ spikes
        expected.append(two > 1)
        two = np.where(two > 1, 0, two)
    found = spikes_of(network, inputs, "3")
    assert np.sum(expected) > 30
    np.testing.assert_array_equal(found[1:], np.array(expected, float)[:-1])  # a step from layer to layer


def test_a_recurrent_sub_graph_as_snntorch_writes_it():
    """RSynaptic, CubaLIF and Linear: syn = alpha syn + x + V s, mem = beta mem + syn (w_in = tau_syn/dt)."""
    rng, n, dt = RNG(9), 5, 1e-4
    alpha, beta = np.full(n, 0.8), np.full(n, 0.9)
    tau_syn, tau_mem = dt / (1 - alpha), dt / (1 - beta)
    cells = nir.CubaLIF(
        tau_syn=tau_syn, tau_mem=tau_mem, r=tau_mem / dt, v_leak=np.zeros(n), v_threshold=np.ones(n), w_in=tau_syn / dt
    )
    v = rng.normal(-0.1, 0.2, (n, n))
    nodes = {"input": nir.Input(np.array([n])), "lif": cells, "w_rec": nir.Linear(v)}
    nodes["output"] = nir.Output(np.array([n]))
    edges = [("input", "lif"), ("lif", "w_rec"), ("w_rec", "lif"), ("lif", "output")]
    inner = nir.NIRGraph(nodes, edges)
    weight = rng.normal(0.1, 0.3, (n, 3))
    outer = nir.NIRGraph.from_list(nir.Linear(weight), inner, type_check=False)
    network = from_nir(outer, 1.0, 1e4, integration="euler")
    inputs = rng.poisson(0.6, (300, 3)).astype(float)
    syn, mem, last, expected = np.zeros(n), np.zeros(n), np.zeros(n), []
    for row in inputs:
        syn = alpha * syn + weight @ row + v @ last
        mem = beta * mem + syn
        last = (mem > 1).astype(float)
        mem = np.where(mem > 1, 0, mem)
        expected.append(last)
    assert np.sum(expected) > 50
    np.testing.assert_array_equal(spikes_of(network, inputs, "nirgraph.lif"), expected)


def test_times_as_sinabs_and_norse_write_them_and_a_warning_when_the_unit_is_wrong():
    """sinabs: tau in steps, 0-d; v = alpha v + (1 - alpha) x. Norse: seconds."""
    node = nir.LIF(tau=np.asarray(20.0), r=np.asarray(1.0), v_leak=np.asarray(0.0), v_threshold=np.asarray(1.0))
    nodes = {"input": nir.Input(np.array([2])), "0": nir.Affine(4 * np.eye(2), np.zeros(2)), "1": node}
    nodes["output"] = nir.Output(np.array([2]))
    graph = nir.NIRGraph(nodes, [("input", "0"), ("0", "1"), ("1", "output")], type_check=False)
    network = from_nir(graph, 5.0, "step")
    assert network.layers["1"].cell.tau_mem_ms == 100.0
    assert network.layers["1"].size == 2
    v, expected, alpha = 0.0, [], math.exp(-1 / 20)
    for _ in range(40):
        v = alpha * v + (1 - alpha) * 4
        expected.append(float(v > 1))
        v = 0.0 if v > 1 else v
    np.testing.assert_array_equal(spikes_of(network, np.ones((40, 2)), "1")[:, 1], expected)
    with pytest.warns(UserWarning, match=r"node '1'.tau: 20000 to 20000 time steps.*time_unit"):
        from_nir(graph, 1.0, "s")


def test_a_skip_connection_and_biases_keep_step_with_the_longer_way():
    """In one step of a simulator that runs layer after layer; here each layer of neurons takes a step of its own."""
    rng = RNG(11)
    first, second, third = neuron("LIF", 5, 1), neuron("LIF", 4, 2), neuron("LIF", 3, 3)
    weights = {
        "a": (rng.normal(2, 2, (5, 3)), rng.normal(0, 0.2, 5)), "b": (rng.normal(2, 2, (4, 5)), rng.normal(0, 0.2, 4)),
        "c": (rng.normal(2, 2, (3, 4)), rng.normal(0.5, 0.2, 3)), "skip": (rng.normal(0, 2, (3, 3)), np.zeros(3)),
    }  # fmt: skip
    nodes = {name: nir.Affine(*told) for name, told in weights.items()}
    nodes |= {"first": first, "second": second, "third": third}
    nodes |= {"in": nir.Input(np.array([3])), "out": nir.Output(np.array([3]))}
    edges = [("in", "a"), ("a", "first"), ("first", "b"), ("b", "second"), ("second", "c"), ("c", "third")]
    edges += [("in", "skip"), ("skip", "third"), ("third", "out")]
    network = from_nir(nir.NIRGraph(nodes, edges), 1.0)
    inputs = rng.poisson(0.5, (300, 3)).astype(float)
    one, two, three, expected = Naive(first), Naive(second), Naive(third), []
    for row in inputs:
        spikes = one.step(weights["a"][0] @ row + weights["a"][1])
        spikes = two.step(weights["b"][0] @ spikes + weights["b"][1])
        expected.append(three.step(weights["c"][0] @ spikes + weights["c"][1] + weights["skip"][0] @ row))
    assert np.sum(expected) > 30
    np.testing.assert_array_equal(spikes_of(network, inputs, "third")[2:], expected[:-2])
