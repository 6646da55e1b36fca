"""Speed of the spiking engine: four networks, what one second of them costs, and at what rates they spike.

W1 1024 inputs at 20 Hz, 256 and 16 LIF neurons, all to all, exponential currents, 1 ms steps. W2 the same with pair
STDP on the first connection. W3 10,000 LIF neurons (80 % excitatory), 1 % recurrent, at 8 Hz. W4 is W1 and W2 stepped
from Python with fresh inputs, spikes read back. `loihi` steps 1024 inputs and 256 neurons in the chip's integers.
"given": the input spikes are there before the run, as in a robot; "drawn": a Poisson layer draws them inside.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuro_robot.errors import ConfigError
from neuro_robot.snn.backends import Model, Raster
from neuro_robot.snn.cells import LIF, Poisson
from neuro_robot.snn.network import Network
from neuro_robot.snn.rules import STDP
from neuro_robot.snn.sparse import Sparse

NAMES = ("w1", "w2", "w3", "w4", "loihi")
INPUTS, HIDDEN, OUT, RATE_HZ, DT_MS = 1024, 256, 16, 20.0, 1.0
CELL = LIF(tau_mem_ms=20.0, tau_syn_ms=5.0, v_th=1.0, t_ref_ms=2.0)
RULE = STDP(0.0001, 0.000105, 20.0, 20.0, w_min=0.0, w_max=0.1)  # slow enough to leave the rates as they are
RECURRENT, EXCITATORY = 10_000, 8_000
SETTLING = 500  # steps before single ones are timed


@dataclass(frozen=True)
class WorkloadRow:
    """One line of the table of speeds: either `x_realtime` or the times of a step are there, or why neither is."""

    name: str
    x_realtime: float | None = None  # simulated time over wall time, median of the runs
    p50_us: float | None = None  # wall time of one step called from Python
    p99_us: float | None = None
    rates_hz: dict[str, float] = field(default_factory=dict)  # of every layer
    refused: str = ""  # by the back end


def feed_forward(rule: STDP | None = None, drawn: bool = False) -> Network:
    """W1, or with a rule W2: layers in, hidden, out."""
    rng = np.random.default_rng(1)
    net = Network(DT_MS)
    if drawn:
        net.add_layer("in", INPUTS, Poisson(RATE_HZ))
    else:
        net.add_input("in", INPUTS)
    net.add_lif("hidden", HIDDEN, CELL)
    net.add_lif("out", OUT, CELL)
    net.connect("in", "hidden", rng.uniform(0.0, 22.0 / INPUTS, (INPUTS, HIDDEN)), rule=rule)
    net.connect("hidden", "out", rng.uniform(0.0, 22.0 / HIDDEN, (HIDDEN, OUT)))
    return net


def recurrent() -> Network:
    """W3: a layer n, held above threshold by its bias and apart by inhibition."""
    rng = np.random.default_rng(2)
    net = Network(DT_MS)
    net.add_lif("n", RECURRENT, LIF(20.0, 5.0, 1.0, t_ref_ms=2.0, bias=1.06))
    pre, post = np.divmod(np.unique(rng.integers(0, RECURRENT**2, RECURRENT**2 // 100)), RECURRENT)
    net.connect("n", "n", Sparse(pre, post, np.where(pre < EXCITATORY, 0.02, -0.2)))
    return net


def first_potentials(size: int = RECURRENT) -> NDArray[np.float64]:
    """(size,) potentials that W3 starts from: neurons that start alike would fire together."""
    return np.random.default_rng(3).uniform(0.0, 1.0, size)


def spikes_given(steps: int, seed: int = 5) -> Raster:
    """Bernoulli spikes of all inputs."""
    rng, lines, when = np.random.default_rng(seed), [], []
    for first in range(0, steps, 1000):
        step, line = np.nonzero(rng.random((min(1000, steps - first), INPUTS)) < RATE_HZ * DT_MS * 1e-3)
        when.append(first + step)
        lines.append(line)
    neuron = np.concatenate([np.zeros(0, np.int64), *lines])
    return Raster(np.concatenate([np.zeros(0, np.int64), *when]), neuron, np.ones(neuron.size, np.float32))


def rows_given(steps: int, seed: int = 5) -> NDArray[np.float32]:
    """(steps, inputs) the same spikes as counts, one row for each step."""
    raster = spikes_given(steps, seed)
    rows = np.zeros((steps, INPUTS), np.float32)
    rows[raster.step, raster.neuron] = raster.value
    return rows


def measure(
    names: Sequence[str] = NAMES,
    *,
    seconds: float = 10.0,
    backend: str = "cpu",
    runs: int = 5,
    **options: Any,  # noqa: ANN401 - of the back end
) -> list[WorkloadRow]:
    """Measure workloads on a back end and give the rows of the table; see `iterate`."""
    return list(iterate(names, seconds=seconds, backend=backend, runs=runs, **options))


def iterate(
    names: Sequence[str] = NAMES,
    *,
    seconds: float = 10.0,
    backend: str = "cpu",
    runs: int = 5,
    **options: Any,  # noqa: ANN401
) -> Iterator[WorkloadRow]:
    """As `measure`, a row as soon as it is there.

    seconds: simulated in every run (W3: a tenth of it; W4, loihi: 1000 steps each). runs: of which the median counts.
    loihi is measured on the chip's back ends whatever `backend` says; what a back end lacks becomes a refused row.
    Raises ConfigError on an unknown name and on absurd numbers.
    """
    for name in names:
        if name not in NAMES:
            raise ConfigError(f"workloads: no workload {name!r}; there are {', '.join(NAMES)}")
    if not 0.01 <= seconds <= 10_000 or not 1 <= runs <= 1000:
        raise ConfigError(f"workloads: expected 0.01 to 10000 seconds and 1 to 1000 runs, got {seconds} and {runs}")
    steps = round(seconds * 1000 / DT_MS)
    for name in NAMES:
        for title, job in _JOBS[name].items() if name in names else ():
            yield _row_of(job, title, steps, runs, backend, options)


def _row_of(job: Job, title: str, steps: int, runs: int, backend: str, options: dict[str, Any]) -> WorkloadRow:
    try:
        return job(title, steps, runs, backend, options)
    except ConfigError as error:
        return WorkloadRow(title, refused=str(error))


Job = Callable[[str, int, int, str, dict[str, Any]], WorkloadRow]


def _whole(rule: STDP | None, drawn: bool) -> Job:
    def job(title: str, steps: int, runs: int, backend: str, options: dict[str, Any]) -> WorkloadRow:
        model = feed_forward(rule, drawn).compile(backend, **options)
        return _run(title, model, None if drawn else spikes_given(steps), steps, runs)

    return job


def _recurrent(title: str, steps: int, runs: int, backend: str, options: dict[str, Any]) -> WorkloadRow:
    model = recurrent().compile(backend, **options)
    if backend == "cpu":
        model.v[:] = first_potentials()
    return _run(title, model, None, max(1, steps // 10), runs)


def _stepped(rule: STDP | None) -> Job:
    def job(title: str, steps: int, _runs: int, backend: str, options: dict[str, Any]) -> WorkloadRow:
        model = feed_forward(rule).compile(backend, **options)
        return _step(title, model.step, model.spike_counts, model.layer_slices, rows_given(steps + SETTLING))

    return job


def _chip(title: str, steps: int, _runs: int, _backend: str, _options: dict[str, Any]) -> WorkloadRow:
    """The back end, from a float description."""
    net = Network(DT_MS)
    net.add_input("in", INPUTS)
    net.add_lif("lif", HIDDEN, CELL)
    net.connect("in", "lif", np.random.default_rng(1).uniform(0.0, 22.0 / INPUTS, (INPUTS, HIDDEN)))
    model = net.compile("loihi2")
    return _step(title, model.step, model.spike_counts, model.layer_slices, rows_given(steps + SETTLING))


def _machine(title: str, steps: int, _runs: int, _backend: str, _options: dict[str, Any]) -> WorkloadRow:
    """The integer machine itself: the golden trace ff1024_256_controller's network, with a higher threshold."""
    from neuro_robot.snn.backends.loihi import kernel
    from neuro_robot.snn.backends.loihi.description import ChipNetwork, Compartments
    from neuro_robot.snn.backends.loihi.machine import Machine

    network = ChipNetwork()
    network.add_input("in", INPUTS)
    network.add_layer("lif", HIDDEN, Compartments(742, 199, 42000))
    network.connect("in", "lif", np.random.default_rng(1).integers(0, 41, (INPUTS, HIDDEN)))
    machine = Machine(network)
    counts = machine.tables.counters[kernel.COUNTS :]
    return _step(title, machine.step, counts, machine.layer_slices, rows_given(steps + SETTLING).astype(np.int32))


_JOBS: dict[str, dict[str, Job]] = {
    "w1": {"W1 given": _whole(None, False), "W1 drawn": _whole(None, True)},
    "w2": {"W2 given": _whole(RULE, False), "W2 drawn": _whole(RULE, True)},
    "w3": {"W3": _recurrent},
    "w4": {"W4": _stepped(None), "W4 with STDP": _stepped(RULE)},
    "loihi": {"loihi2 1024-256": _chip, "loihi integers 1024-256": _machine},
}


def _run(title: str, model: Model, inputs: Raster | None, steps: int, runs: int) -> WorkloadRow:
    """Every run begins in the same state, so that learning and rates are those of one run."""
    start_state = model.state()
    model.run(None, min(200, steps))  # the first call compiles or loads
    taken, before = np.zeros(runs), np.array(model.spike_counts)
    for k in range(runs):
        model.load_state_dict(start_state)
        start = time.perf_counter()
        model.run(inputs, steps)
        taken[k] = time.perf_counter() - start
    seconds = steps * DT_MS * 1e-3
    rates = _rates(model.spike_counts - before, model.layer_slices, runs * seconds)
    return WorkloadRow(title, seconds / float(np.median(taken)), rates_hz=rates)


def _step(
    title: str,
    step: Callable[[Any], Any],
    counts: NDArray[np.int64],
    layers: dict[str, slice],
    rows: NDArray[Any],
) -> WorkloadRow:
    """counts: a view of the spikes of every neuron so far."""
    for row in rows[:SETTLING]:
        step(row)
    before, taken = counts.copy(), np.zeros(len(rows) - SETTLING)
    for k, row in enumerate(rows[SETTLING:]):
        start = time.perf_counter_ns()
        step(row)
        taken[k] = time.perf_counter_ns() - start
    p50, p99 = np.percentile(taken, [50, 99]) / 1e3
    rates = _rates(counts - before, layers, taken.size * DT_MS * 1e-3)
    return WorkloadRow(title, p50_us=float(p50), p99_us=float(p99), rates_hz=rates)


def _rates(counts: NDArray[np.int64], layers: dict[str, slice], seconds: float) -> dict[str, float]:
    return {name: float(np.mean(counts[place])) / seconds for name, place in layers.items()}
