"""Graphs back out of networks, files, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from neuro_robot.errors import ConfigError, FileFormatError
from neuro_robot.snn.cells import IF, LIF, Izhikevich
from neuro_robot.snn.network import Network
from neuro_robot.snn.nir import from_nir, to_nir

nir = pytest.importorskip("nir")


def cuba(n, rng):
    names = ("tau_mem", "tau_syn", "r", "v_leak", "v_threshold", "v_reset", "w_in")
    told = {name: rng.uniform(0.5, 0.9, n) for name in names} | {"v_threshold": rng.uniform(1, 2, n)}
    return nir.CubaLIF(**told | {"tau_mem": rng.uniform(0.01, 0.03, n), "tau_syn": rng.uniform(0.003, 0.009, n)})


def graph_of(cells, n, rng, delay=None):
    nodes = {"in": nir.Input(np.array([3])), "w": nir.Affine(rng.normal(size=(n, 3)), rng.normal(size=n))}
    nodes |= {"cells": cells, "again": nir.Linear(rng.normal(size=(n, n))), "out": nir.Output(np.array([n]))}
    edges = [("in", "w"), ("w", "cells"), ("cells", "again"), ("again", "cells"), ("cells", "out")]
    if delay is not None:
        nodes["late"] = nir.Delay(np.full(n, delay))
        edges = [e for e in edges if e != ("cells", "again")] + [("cells", "late"), ("late", "again")]
    return nir.NIRGraph(nodes, edges)


@pytest.mark.parametrize("integration", ["exact", "euler"])
@pytest.mark.parametrize("delay", [None, 0.004])
def test_what_went_in_comes_out_through_a_file(tmp_path, integration, delay):
    rng, n = np.random.default_rng(1), 6
    graph = graph_of(cuba(n, rng), n, rng, delay)
    nir.write(tmp_path / "a.nir", to_nir(from_nir(graph, 1.0, integration=integration)))
    back = nir.read(tmp_path / "a.nir")
    for name in ("tau_mem", "tau_syn", "r", "v_leak", "v_threshold", "v_reset", "w_in"):
        np.testing.assert_allclose(
            getattr(back.nodes["cells"], name), getattr(graph.nodes["cells"], name), rtol=3e-7, err_msg=name
        )
    np.testing.assert_allclose(back.nodes["in_cells"].weight, graph.nodes["w"].weight, rtol=1e-6)
    np.testing.assert_allclose(back.nodes["in_cells"].bias, graph.nodes["w"].bias, rtol=1e-6)
    np.testing.assert_allclose(back.nodes["cells_cells"].weight, graph.nodes["again"].weight, rtol=1e-6)
    assert ("cells_cells", "cells") in back.edges
    if delay:
        np.testing.assert_allclose(back.nodes["cells_cells_delay"].delay, delay, rtol=1e-6)


def test_a_network_of_ours_spikes_alike_after_the_way_out_and_in(tmp_path):
    rng, network = np.random.default_rng(2), Network(1.0)
    network.add_input("in", 4)
    network.add_lif("hidden", 6, LIF(tau_syn_ms=5.0, v_rest=0.1))
    network.add_layer("last", 3, IF())
    network.connect("in", "hidden", rng.uniform(0, 1, (4, 6)))
    network.connect("hidden", "last", rng.uniform(0, 0.7, (6, 3)), 3)
    nir.write(tmp_path / "b.nir", to_nir(network))
    again = from_nir(tmp_path / "b.nir", 1.0)
    inputs = rng.poisson(0.5, (200, 4))
    one, two = (told.compile(dtype="float64").run(inputs) for told in (network, again))
    assert len(one.step) > 40
    ours = sorted(zip(one.step.tolist(), one.neuron.tolist(), strict=True))
    assert ours == sorted(zip(two.step.tolist(), two.neuron.tolist(), strict=True))


def test_cells_without_a_node_are_refused():
    network = Network(1.0)
    network.add_layer("a", 1, Izhikevich())
    with pytest.raises(ConfigError, match="layer 'a': NIR has no Izhikevich"):
        to_nir(network)


def lone(node, **more):
    return nir.NIRGraph({"in": nir.Input(np.array([2])), "x": node} | more, [("in", "x")], type_check=False)


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (lone(nir.Threshold(np.ones(2))), "node 'x': Threshold is not supported; supported are IF, I, LIF"),
        (nir.NIRGraph({}, [("a", "b")], type_check=False), "edge names the node 'a', which is not in the graph"),
        (lone(nir.IF(r=np.ones(3), v_threshold=np.ones(3))), "node 'x': fed by .* 3 where it has neurons"),
        (lone(nir.IF(r=np.ones(2), v_threshold=np.array([1, np.nan]))), "node 'x'.v_threshold: expected finite"),
        (lone(nir.IF(r=np.ones(2), v_threshold=np.zeros(2), v_reset=np.ones(2))), "node 'x': IF.v_reset"),
        (lone(nir.Linear(np.ones((2, 5)))), "node 'x'.weight: expected the shape .out, 2."),
        (lone(nir.Delay(np.array([0.0005, 0.1]))), "node 'x'.delay: expected whole steps"),
        ("no such.nir", "found no file"),
        (3, "expected a NIRGraph or the path"),
    ],
)
def test_what_cannot_be_is_refused_by_name(graph, message):
    with pytest.raises((ConfigError, FileFormatError), match=message):
        from_nir(graph, 1.0)


def test_a_cycle_without_neurons_and_a_potential_as_a_signal():
    w = nir.Linear(np.eye(2))
    nodes = {"in": nir.Input(np.array([2])), "a": w, "b": w}
    with pytest.raises(ConfigError, match="a cycle without neurons"):
        from_nir(nir.NIRGraph(nodes, [("in", "a"), ("a", "b"), ("b", "a")], type_check=False), 1.0)
    nodes["a"] = nir.LI(tau=np.full(2, 0.01), r=np.ones(2), v_leak=np.zeros(2))
    nodes["out"] = nir.Output(np.array([2]))
    with pytest.raises(ConfigError, match="node 'a': its potential goes to 'b'"):
        from_nir(nir.NIRGraph(nodes, [("in", "a"), ("a", "b"), ("b", "out")], type_check=False), 1.0)


def test_torn_and_foreign_files(tmp_path):
    rng = np.random.default_rng(3)
    path = tmp_path / "whole.nir"
    nir.write(path, graph_of(cuba(4, rng), 4, rng))
    whole = path.read_bytes()
    for data in (b"", b"no graph", whole[: len(whole) // 2], whole[:600] + bytes(300) + whole[900:]):
        path.write_bytes(data)
        with pytest.raises(FileFormatError, match=r"whole\.nir"):
            from_nir(path, 1.0)


def test_a_node_that_nir_itself_does_not_know_is_refused_by_name(tmp_path):
    import h5py

    rng = np.random.default_rng(4)
    path = tmp_path / "new.nir"
    nir.write(path, graph_of(cuba(4, rng), 4, rng))
    with h5py.File(path, "a") as file:
        del file["node/nodes/cells/type"]
        file["node/nodes/cells/type"] = "Resonator"
    with pytest.raises(ConfigError, match="node 'cells': Resonator is not supported; supported are IF"):
        from_nir(path, 1.0)
