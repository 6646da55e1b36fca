"""Every bad input that docs/bad_input_spiking.md names, given to the real interface: what it says.

Run by tests/test_bad_inputs_spiking.py, which compares the messages with the page, and by
scripts/bad_input_spiking.py, which prints its table.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import nir
import numpy as np

from neuro_robot import nhal as nh
from neuro_robot.errors import NeuroRobotError
from neuro_robot.snn.nir import from_nir
from neuro_robot.snn.weights_file import HEAD, MAGIC, VERSION, load_state, save_state


class Row(NamedTuple):
    """One line of a table: what was given, and what was said."""

    given: str
    message: str


def pair(size: int = 3, **cell: object) -> tuple[nh.NeuronGroup, nh.NeuronGroup]:
    """Two events lines `in` and a group `out` in a network of their own."""
    network = nh.Network()
    source = nh.NeuronGroup(2, "events", name="in", network=network)
    return source, nh.NeuronGroup(size, params=cell, name="out", network=network)


def model(backend: str = "cpu", rule: str = "R-STDP", **cell: object) -> nh.Model:
    """The pair all to all with a learning rule."""
    source, out = pair(**cell)
    nh.LearningRule(nh.Connection(source, out), rule)
    return nh.compile(out.network, backend)


def compiled(backend: str, size: int = 3, kind: str = "LIF", **options: object) -> nh.Model:
    """A group of one type on a back end."""
    network = nh.Network()
    nh.NeuronGroup(size, kind, name="out", network=network)
    return nh.compile(network, backend, **options)


def learning(
    rule: str, params: dict[str, Any], backend: str = "cpu", scaled: bool = False, **wired: object
) -> nh.Model:
    """The pair with one rule."""
    source, out = pair()
    connection = nh.Connection(source, out, params=wired)
    nh.LearningRule(connection, rule, params)
    if scaled:
        nh.LearningRule(connection, "homeostatic")
    return nh.compile(out.network, backend)


def dense(pre: int, post: int, backend: str) -> nh.Model:
    """All to all between groups of these sizes."""
    network = nh.Network()
    source, out = (nh.NeuronGroup(n, kind, name=name, network=network) for n, kind, name in (
        (pre, "events", "in"), (post, "LIF", "out"),
    ))  # fmt: skip
    nh.Connection(source, out)
    return nh.compile(network, backend)


def descriptions(_: Path) -> Iterator[tuple[str, Callable[[], object]]]:
    """Groups, connections and rules that make no sense."""
    yield "an unknown type of neuron", lambda: nh.NeuronGroup(3, "LFI", name="out", network=nh.Network())
    yield "an unknown parameter", lambda: pair(tau=20.0)
    yield "a time constant that is NaN", lambda: pair(tau_mem_ms=math.nan)
    yield "an infinite threshold", lambda: pair(v_th=math.inf)
    yield "a negative time constant", lambda: pair(tau_mem_ms=-5.0)
    yield "a text for a number", lambda: pair(bias="high")
    yield "a threshold for each neuron", lambda: pair(v_th=np.ones(3))
    yield "a reset above the threshold", lambda: pair(v_reset=2.0)
    yield "a group of no neurons", lambda: pair(size=0)
    yield "an unknown connection rule", lambda: nh.Connection(*pair(), rule="everything")
    yield "one to one between 2 and 3 neurons", lambda: nh.Connection(*pair(), rule="one_to_one")
    yield "weights of a wrong shape", lambda: nh.Connection(*pair(), params={"weight": np.ones((3, 2))})
    yield "weights that are NaN", lambda: nh.Connection(*pair(), params={"weight": np.full((2, 3), np.nan)})
    yield "a matrix of a wrong shape", lambda: nh.Connection(*pair(), "matrix", {"matrix": np.ones((4, 3))})
    yield "a probability of 2", lambda: nh.Connection(*pair(), "probabilistic", {"probability": 2.0})
    yield "a delay shorter than a step", lambda: nh.Connection(*pair(), params={"delay_ms": 0.2})
    yield "synapses onto an input", lambda: nh.Connection(*pair()[::-1])
    yield "an unknown learning rule", lambda: learning("STPD", {})
    yield "an infinite learning rate", lambda: learning("STDP", {"learning_rate": math.inf})
    yield "weights beyond the bounds of the rule", lambda: learning("STDP", {"w_max": 0.5}, weight=0.8)
    yield "a sum of products that cannot be read", lambda: learning("sum_of_products", {"dw": "2^-3*x1*q7"})


def runs(_: Path) -> Iterator[tuple[str, Callable[[], object]]]:
    """A good model that is given nonsense."""
    yield "an input of a wrong shape", lambda: model().step(np.ones(5))
    yield "an input that is NaN", lambda: model().step([0.0, math.nan])
    yield "a negative input", lambda: model().step([0.0, -1.0])
    yield "a run with inputs of a wrong shape", lambda: model().run(np.ones((10, 3)))
    yield "a run without inputs or duration", lambda: model().run()
    yield "an infinite duration", lambda: model().run(duration=math.inf)
    yield "a reward that is NaN", lambda: rewarded(math.nan)
    yield "rewards of a wrong shape", lambda: rewarded([1.0, 2.0])
    yield "new weights of a wrong shape", lambda: reweighted(np.ones((3, 2)))
    yield "new weights that are infinite", lambda: reweighted(np.full((2, 3), math.inf))


def rewarded(value: object) -> None:
    """Give a model this reward."""
    running = model()
    running.set_reward(running.network.groups["out"], value)  # type: ignore[arg-type]


def reweighted(weights: np.ndarray[Any, Any]) -> None:
    """Give a model these weights."""
    running = model()
    running.set_weights(running.network.connections["in->out"], weights)


def chips(_: Path) -> Iterator[tuple[str, Callable[[], object]]]:
    """Networks that a back end cannot hold."""
    yield "an unknown back end", lambda: nh.set_backend("loihi3")
    yield "an unknown option", lambda: compiled("loihi2", precision=8)
    yield "neurons that the chip lacks", lambda: compiled("loihi2", kind="AdEx")
    yield "a delay beyond the chip's", lambda: delayed(64.0)
    yield "a refractory period beyond the chip's", lambda: model("loihi2", t_ref_ms=63.0)
    yield "a bias beyond the chip's", lambda: model("loihi2", bias=1e7)
    yield "more neurons than the chip has", lambda: crowd("loihi", 3, 60_000)
    yield "more synapses onto a neuron than a core holds", lambda: dense(5000, 1, "loihi")
    yield "more cores than the chip has", lambda: crowd("loihi", 129, 1)
    yield (
        "a coefficient too small for the chip",
        lambda: learning("sum_of_products", {"dw": "2^-30*x1*y0", "w_max": 1.0}, "loihi2"),
    )
    yield "a rate too small for the chip", lambda: learning("R-STDP", {"learning_rate": 1e-12}, "loihi2")
    yield (
        "triplets beside a reward on the chip",
        lambda: learning("triplet_STDP", {"tau_eligibility_ms": 100.0}, "loihi2"),
    )
    yield "scaling beside a reward on the chip", lambda: learning("R-STDP", {}, "loihi2", scaled=True)
    yield "two events in a step on loihi", lambda: model("loihi").step([0.0, 2.0])
    yield "a reward for each neuron on loihi", lambda: graded_reward("loihi")


def delayed(delay_ms: float) -> nh.Model:
    """A connection with this delay on loihi2."""
    source, out = pair()
    nh.Connection(source, out, params={"delay_ms": delay_ms})
    return nh.compile(out.network, "loihi2")


def crowd(backend: str, groups: int, size: int) -> nh.Model:
    """Many groups."""
    network = nh.Network()
    for k in range(groups):
        nh.NeuronGroup(size, name=f"out{k}", network=network)
    return nh.compile(network, backend)


def graded_reward(backend: str) -> None:
    """Another reward for every neuron."""
    running = model(backend)
    running.set_reward(running.network.groups["out"], [1.0, 2.0, 3.0])


def states(folder: Path) -> Iterator[tuple[str, Callable[[], object]]]:
    """Saved states that are missing, torn, damaged, forged, or another network's."""
    good, bad = folder / "good.state", folder / "bad.state"
    model().save(good)
    data = good.read_bytes()

    def with_bytes(content: bytes) -> None:
        bad.write_bytes(content)
        model().restore(bad)

    def with_arrays(**changes: object) -> None:
        arrays, meta = load_state(good)
        save_state(bad, {**arrays, **changes}, meta)  # type: ignore[dict-item]
        model().restore(bad)

    yield "a state file that is not there", lambda: model().restore(folder / "none.state")
    yield "a torn state file", lambda: with_bytes(data[:-40])
    yield "a state file torn in its head", lambda: with_bytes(data[:20])
    yield "a state file with one wrong byte", lambda: with_bytes(data[:-9] + bytes([data[-9] ^ 1]) + data[-8:])
    yield "a file that is no state", lambda: with_bytes(b"PK\x03\x04" + bytes(100))
    huge = b'{"arrays": [{"name": "v", "dtype": "<f8", "shape": [9000000000000], "offset": 0}], "meta": {}}'
    yield "a forged size beyond the file", lambda: with_bytes(forged(huge))
    yield "a forged head of another format", lambda: with_bytes(MAGIC + b"\x63" + data[len(MAGIC) + 1 :])
    yield "a forged weight beyond its bounds", lambda: with_arrays(**{
        "weights/in->out": np.full(6, 99.0, np.float32)
    })  # fmt: skip
    yield "a forged array of another shape", lambda: with_arrays(threshold=np.zeros(7, np.float32))
    yield "the state of another network", lambda: bigger().restore(good)
    yield "the state of another back end", lambda: model("loihi2").restore(good)


def forged(header: bytes) -> bytes:
    """A file whose head and checksum are right, whatever it says."""
    return HEAD.pack(MAGIC, VERSION, len(header), 0, hashlib.sha256(header).digest()) + header


def bigger() -> nh.Model:
    """Another network."""
    source, out = pair(size=4)
    nh.LearningRule(nh.Connection(source, out), "R-STDP")
    return nh.compile(out.network, "cpu")


def lif(n: int = 2, **changes: object) -> nir.LIF:
    """A LIF node, whatever nir itself thinks of the changes."""
    told = {"tau": 0.02, "r": 1.0, "v_leak": 0.0, "v_threshold": 1.0}
    node = nir.LIF(**{name: np.full(n, value) for name, value in told.items()})
    for name, value in changes.items():
        setattr(node, name, value)
    return node


def graph(**nodes: object) -> nir.NIRGraph:
    """Input, these nodes one after the other, Output."""
    every = {"input": nir.Input(np.array([2])), **nodes, "output": nir.Output(np.array([2]))}
    return nir.NIRGraph(every, list(zip(list(every)[:-1], list(every)[1:], strict=True)), type_check=False)


def graphs(folder: Path) -> Iterator[tuple[str, Callable[[], object]]]:
    """NIR graphs and files."""
    torn = folder / "torn.nir"

    def file() -> None:
        nir.write(torn, graph(hidden=lif()))
        torn.write_bytes(torn.read_bytes()[:700])
        from_nir(torn, dt_ms=1.0)

    loop = graph(one=nir.Linear(np.eye(2)), two=nir.Linear(np.eye(2)))
    loop.edges.append(("two", "one"))
    yield "a node that is not supported", lambda: from_nir(graph(hidden=nir.Threshold(np.ones(2))), dt_ms=1.0)
    yield "a time constant that is NaN", lambda: from_nir(graph(hidden=lif(tau=np.array([0.02, np.nan]))), dt_ms=1.0)
    yield "a time constant of 0", lambda: from_nir(graph(hidden=lif(tau=np.zeros(2))), dt_ms=1.0)
    yield "parameters of different shapes", lambda: from_nir(graph(hidden=lif(r=np.ones(3))), dt_ms=1.0)
    yield "weights that do not fit", lambda: from_nir(graph(w=nir.Linear(np.ones((2, 3))), hidden=lif()), dt_ms=1.0)
    yield "a cycle without neurons", lambda: from_nir(loop, dt_ms=1.0)
    yield "an unknown unit of time", lambda: from_nir(graph(hidden=lif()), dt_ms=1.0, time_unit="minutes")
    yield (
        "a step longer than the time constant, euler",
        lambda: from_nir(graph(hidden=lif()), dt_ms=50.0, integration="euler"),
    )
    yield "a torn NIR file", file
    yield "a NIR file that is not there", lambda: from_nir(folder / "none.nir", dt_ms=1.0)


TABLES: dict[str, Callable[[Path], Iterator[tuple[str, Callable[[], object]]]]] = {
    "Descriptions": descriptions,
    "Running": runs,
    "Chips and other back ends": chips,
    "State files": states,
    "NIR graphs": graphs,
}


def rows_of(table: str, folder: Path) -> Iterator[Row]:
    """What is said to every bad input of a table."""
    for given, attempt in TABLES[table](folder):
        yield Row(given, said(given, attempt).replace(f"{folder}/", ""))


def said(given: str, attempt: Callable[[], object]) -> str:
    """The error of an attempt, of one of the project's own kinds."""
    try:
        attempt()
    except NeuroRobotError as error:
        return str(error)
    raise AssertionError(f"{given} was taken")


def line(row: Row) -> str:
    """A row as Markdown."""
    message = row.message.replace("|", "\\|")
    return f"| {row.given} | `{message}` |"
