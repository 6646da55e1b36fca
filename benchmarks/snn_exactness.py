"""Our spikes and weights beside Brian2's and NEST's on small networks, for every neuron type and rule: a table.

    python benchmarks/snn_exactness.py [--steps 1000] [--json]

`cpu` in float64, random inputs, synapses with delays, recurrent where the peer's clock allows it. Brian2 gets the
equations and solves or integrates them itself (see snn_brian2). Ends with status 1 when a spike or, by more than 1e-6
relative, a weight differs. A peer that is not installed is named and left out.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuro_robot.snn.backends import Raster
from neuro_robot.snn.cells import IF, LIF, AdaptiveLIF, AdEx, ConductanceLIF, Izhikevich
from neuro_robot.snn.network import Network
from neuro_robot.snn.primitives import Cell
from neuro_robot.snn.rules import STDP, Homeostasis, TripletSTDP

LINES, NEURONS, TOLERANCE = 20, 10, 1e-6
PAIR = STDP(0.02, 0.015, 20.0, 25.0, 0.0, 1.0, -0.5, 1.0)
TRIPLET = TripletSTDP(0.01, 0.015, 17.0, 34.0, 0.0, 1.0, -0.5, 1.0, a3_plus=0.02, a3_minus=0.005)
REWARDED = STDP(0.05, 0.04, 20.0, 25.0, 200.0, 0.02, -0.5, 1.0)
SCALING = Homeostasis(20.0, 200.0, 0.5, 50.0, -0.5, 1.0)
Spike = tuple[int, str, int]  # step, layer, neuron
Found = tuple[list[Spike], dict[str, NDArray[Any]]]  # spikes, and the final weights of connections


@dataclass(frozen=True)
class Case:
    """A network to compare; recurrent synapses and a reward where there are any."""

    name: str
    network: Network
    rewarded: bool = False
    steps: int = 1  # of it in one of the table's: short steps need more of them


@dataclass(frozen=True)
class Result:
    """A row of the table."""

    name: str
    peer: str
    steps: int
    spikes: int  # of ours and of the peer's, the larger number
    equal: int  # of them in the same step in both
    weights: int  # compared
    difference: float  # largest between weights, relative to the largest weight

    @property
    def exact(self) -> bool:
        """Whether all spikes are equal, and all weights to the tolerance."""
        return self.spikes == self.equal and self.difference <= TOLERANCE


def of_cell(cell: Cell, weight: float, recurrent: float = 0.0, dt_ms: float = 1.0, first_delay: int = 1) -> Network:
    """Excitatory and inhibitory inputs onto ten neurons."""
    rng, net = np.random.default_rng(4), Network(dt_ms)
    net.add_input("in", LINES)
    net.add_layer("n", NEURONS, cell)
    weights = rng.uniform(0.0, weight, (LINES, NEURONS))
    weights[15:] *= -1
    net.connect("in", "n", weights, rng.integers(1, 4, weights.shape))
    if recurrent:
        weights = rng.uniform(-recurrent, recurrent, (NEURONS, NEURONS))
        net.connect("n", "n", weights, rng.integers(first_delay, 5, weights.shape))
    return net


def of_rule(rule: STDP | None, scaling: Homeostasis | None = None) -> Network:
    """Inputs and neurons that learn; recurrent synapses too, unless they are scaled."""
    rng, net = np.random.default_rng(1), Network(1.0)
    net.add_input("in", LINES)
    net.add_lif("n", NEURONS, LIF(20.0, 5.0, t_ref_ms=2.0))
    shape = (LINES, NEURONS)
    net.connect("in", "n", rng.uniform(0.0, 0.5, shape), rng.integers(1, 4, shape), rule=rule, scaling=scaling)
    if scaling is None:
        shape = (NEURONS, NEURONS)
        net.connect("n", "n", rng.uniform(-0.3, 0.3, shape), rng.integers(1, 5, shape), rule=rule)
    return net


def cases() -> list[Case]:
    """What is compared with Brian2."""
    found = [
        Case("IF", of_cell(IF(tau_syn_ms=5.0, bias=0.02, t_ref_ms=3.0), 0.1, 0.1)),
        Case("IF, delta synapses", of_cell(IF(t_ref_ms=3.0), 0.5, 0.2)),
        Case("LIF", of_cell(LIF(20.0, 5.0, t_ref_ms=2.0, bias=0.9), 0.6, 0.3)),
        Case("LIF, delta synapses", of_cell(LIF(20.0, 0.0, t_ref_ms=2.0, bias=0.9), 0.3, 0.2)),
        Case("conductance LIF", of_cell(ConductanceLIF(), 0.8, 0.3)),
        Case("adaptive LIF", of_cell(AdaptiveLIF(20.0, 5.0, t_ref_ms=1.0, bias=1.1, beta=0.3), 0.5, 0.3)),
        Case("Izhikevich", of_cell(Izhikevich(bias=4.0, tau_syn_ms=5.0, substeps=1), 6.0, 3.0, 0.5), steps=2),
        Case("Izhikevich, two parts", of_cell(Izhikevich(bias=4.0, tau_syn_ms=5.0, substeps=2), 6.0)),
        Case("Izhikevich, delta synapses", of_cell(Izhikevich(bias=4.0, substeps=1), 6.0, 3.0, 0.5), steps=2),
        Case("AdEx", of_cell(AdEx(bias=600.0, substeps=1, t_ref_ms=2.0), 300.0, 100.0, 0.1), steps=5),
        Case("AdEx, ten parts", of_cell(AdEx(bias=600.0, substeps=10), 300.0)),
    ]  # fmt: skip
    for name, rule in (("pair STDP", PAIR), ("triplet STDP", TRIPLET)):
        for same_step in (True, False):
            for pairing in ("all", "nearest"):
                title = f"{name}, {pairing}, same step {'counts' if same_step else 'left out'}"
                found.append(Case(title, of_rule(replace(rule, same_step=same_step, pairing=pairing))))
    found += [
        Case("R-STDP", of_rule(REWARDED), rewarded=True),
        Case("R-STDP, weights decay", of_rule(replace(REWARDED, weight_decay_per_s=0.5)), rewarded=True),
        Case("homeostatic scaling", of_rule(None, SCALING)),
        Case("pair STDP and scaling", of_rule(PAIR, SCALING)),
    ]
    return found


def inputs(network: Network, steps: int) -> Raster:
    """Random spikes of all inputs, 50 Hz at steps of 1 ms."""
    size = sum(layer.size for layer in network.layers.values() if layer.cell is None)
    step, line = np.nonzero(np.random.default_rng(0).random((steps, size)) < 0.05)
    return Raster(step, line, np.ones(step.size, np.float32))


def ours(
    network: Network, given: Raster, steps: int, reward: NDArray[Any] | None = None, **options: Any  # noqa: ANN401
) -> Found:  # fmt: skip
    """Spikes and final weights of `cpu`; the reward is set before its step."""
    model = network.compile(dtype="float64", **options)
    if reward is None:
        raster = model.run(given, steps)
        found = list(zip(raster.step.tolist(), raster.neuron.tolist(), strict=True))
    else:
        lines = sum(layer.size for layer in network.layers.values() if layer.cell is None)
        rows, found = np.zeros((steps, lines), np.float32), []
        rows[given.step, given.neuron] = 1.0
        for k in range(steps):
            model.set_reward("n", reward[k])
            found += [(k, int(n)) for n in model.step(rows[k])]
    names = [(name, n) for name, place in model.layer_slices.items() for n in range(place.stop - place.start)]
    weights = {name: model.weights(name)[c.pre_index, c.post_index] for name, c in network.connections.items()}
    return sorted((k, *names[n]) for k, n in found), weights


def compare(name: str, peer: str, steps: int, mine: Found, others: Found) -> Result:
    """A row of the table from both results; weights the peer does not tell are not compared."""
    a, b = set(mine[0]), set(others[0])
    difference = largest = 0.0
    for connection, weights in others[1].items():
        difference = max(difference, float(np.abs(mine[1][connection] - weights).max()))
        largest = max(largest, float(np.abs(weights).max()))
    learnt = sum(weights.size for weights in others[1].values())
    return Result(name, peer, steps, max(len(a), len(b)), len(a & b), learnt, difference / largest if largest else 0.0)


def with_brian2(case: Case, steps: int = 1000) -> Result:
    """One case beside Brian2."""
    import brian2 as b
    import snn_brian2

    b.prefs.codegen.target = "numpy"
    steps *= case.steps
    given = inputs(case.network, steps)
    reward = np.random.default_rng(8).uniform(-1.0, 1.0, steps) if case.rewarded else None
    peer = snn_brian2.build(case.network, given, reward)
    peer.run(steps)
    learning = [c for c in case.network.connections.values() if c.rule is not None or c.scaling is not None]
    weights = {c.name: peer.weights(c) for c in learning}
    return compare(case.name, "Brian2", steps, ours(case.network, given, steps, reward), (peer.spikes(), weights))


def with_nest(steps: int = 1000) -> Result:
    """LIF beside NEST, whose plastic synapses time pairs otherwise (see snn_nest); its time begins before ours."""
    import nest
    import snn_nest

    nest.verbosity = nest.VerbosityLevel.ERROR
    network = of_cell(LIF(20.0, 5.0, t_ref_ms=2.0), 1.5, 0.3, first_delay=2)
    given = inputs(network, steps)
    peer = snn_nest.build(network, given)
    nest.Simulate((steps + 2) * network.dt_ms)
    spikes = [spike for spike in peer.spikes() if spike[0] < steps]
    return compare("LIF", "NEST", steps, ours(network, given, steps), (spikes, {}))


def rows(steps: int) -> list[Callable[[], Result]]:
    """All rows of the table that can be made here."""
    made: list[Callable[[], Result]] = []
    if find_spec("brian2"):
        made += [lambda case=case: with_brian2(case, steps) for case in cases()]  # type: ignore[misc]
    return [*made, lambda: with_nest(steps)] if find_spec("nest") else made


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    for name in ("brian2", "nest"):
        if not find_spec(name):
            print(f"{name} is not installed: its rows are left out", file=sys.stderr)
    found = []
    for row in rows(options.steps):
        result = row()
        found.append(result)
        if not options.json:
            weights = f"{result.weights} weights to {result.difference:.0e}" if result.weights else ""
            told = f"{result.equal}/{result.spikes} spikes in the same step of {result.steps}"
            print(f"{result.name:44} {result.peer:7} {told:46} {weights}", flush=True)
    if options.json:
        print(json.dumps([asdict(result) for result in found]))
    sys.exit(0 if found and all(result.exact for result in found) else 1)


if __name__ == "__main__":
    main()
