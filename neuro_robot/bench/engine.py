"""What `neuro_robot bench snn` tells: speed of the standard workloads, and their sparsity, latency and energy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from rich.table import Table

from neuro_robot.bench import workloads
from neuro_robot.bench.activity import from_counts
from neuro_robot.bench.energy import MODEL
from neuro_robot.bench.network_summary import network_summary
from neuro_robot.bench.plain import versions
from neuro_robot.bench.workloads import WorkloadRow
from neuro_robot.errors import ConfigError
from neuro_robot.snn.backends import Raster
from neuro_robot.snn.counts import counts_of
from neuro_robot.snn.network import Network

NETWORKS: dict[str, Callable[[], Network]] = {
    "w1": workloads.feed_forward,
    "w2": lambda: workloads.feed_forward(workloads.RULE),
    "w3": workloads.recurrent,
}
METRIC_STEPS = 1000


def metrics(name: str, backend: str = "cpu", steps: int = METRIC_STEPS) -> dict[str, Any]:
    """One workload's network summary over so many steps, its inputs' spikes of value 1; a refusal under `refused`.

    first_spike_ms: from the first spike of the inputs to the first of the last layer, None without either.
    """
    network = NETWORKS[name]()
    try:
        model = network.compile(backend)
    except ConfigError as error:
        return {"name": name.upper(), "refused": str(error)}
    if name == "w3" and backend == "cpu":
        model.v[:] = workloads.first_potentials()
    inputs = workloads.spikes_given(steps) if model.input_slices else None
    found = model.run(inputs, steps)
    told = network_summary(from_counts(counts_of(model)), steps, graded_inputs=False)
    return {"name": name.upper(), "backend": backend, "first_spike_ms": _latency_ms(model, inputs, found), **told}


def _latency_ms(model: Any, inputs: Raster | None, found: Raster) -> float | None:  # noqa: ANN401 - a Model
    last = model.layer_slices[model.layers[-1].name]
    spiked = found.step[(found.neuron >= last.start) & (found.neuron < last.stop)]
    if inputs is None or not inputs.step.size or not spiked.size:
        return None
    return float(spiked[0] - inputs.step[0]) * float(model.dt_ms)


def speed_table(rows: list[WorkloadRow], backend: str) -> Table:
    """Simulated over real time, or the time of one step called from Python."""
    table = Table(title=f"speed on {backend}, medians")
    table.add_column("workload")
    for title in ("x real time", "step p50, us", "step p99, us"):
        table.add_column(title, justify="right")
    table.add_column("rates, Hz")
    for row in rows:
        if row.refused:
            table.add_row(row.name, "-", "-", "-", row.refused)
            continue
        rates = ", ".join(f"{name} {rate:.1f}" for name, rate in row.rates_hz.items())
        table.add_row(row.name, number(row.x_realtime, 0), number(row.p50_us), number(row.p99_us), rates)
    return table


def metrics_table(told: list[dict[str, Any]]) -> Table:
    """One column for each workload that the back end takes; refusals stand in the table of speeds."""
    usable = [item for item in told if "refused" not in item]
    table = Table(title="what the networks do, per 1 ms step", caption=f"Energy: {MODEL}. See docs/metrics.md.")
    table.add_column("")
    for item in usable:
        table.add_column(item["name"], justify="right")
    rows: dict[str, Callable[[dict[str, Any]], str]] = {
        "activation sparsity, %": lambda item: number(100 * item["sparsity"]["activation_sparsity"]),
        "connection sparsity, %": lambda item: number(100 * item["sparsity"]["connection_sparsity"]),
        "mean rate of neurons, Hz": lambda item: number(item["sparsity"]["mean_rate_hz"]),
        "input to last layer's first spike, ms": lambda item: number(item["first_spike_ms"], 0),
        "dense operations": lambda item: number(item["operations"]["dense_per_step"], 0),
        "effective MACs": lambda item: number(item["operations"]["effective_macs_per_step"], 0),
        "effective ACs": lambda item: number(item["operations"]["effective_acs_per_step"], 0),
        "synaptic operations": lambda item: number(item["synaptic_operations"] / item["steps"], 0),
        "weight updates": lambda item: number(item["weight_updates"] / item["steps"], 0),
        "spike messages": lambda item: number(item["messages"] / item["steps"], 1),
        "hops": lambda item: number((item["hops_x"] + item["hops_y"]) / item["steps"], 1),
        "dynamic energy, nJ": lambda item: number(item["energy_model"]["dynamic_nj_per_step"], 1),
        "idle energy, nJ": lambda item: number(item["energy_model"]["idle_nj_per_step"], 1),
    }
    for name, figure in rows.items():
        table.add_row(name, *(figure(item) for item in usable))
    return table


def as_plain(rows: list[WorkloadRow], told: list[dict[str, Any]], backend: str) -> dict[str, Any]:
    """Both tables as values for JSON."""
    return {"backend": backend, "speed": [asdict(row) for row in rows], "metrics": told, "versions": versions()}


def number(value: float | None, digits: int = 2) -> str:
    """A figure with thousands separated, `-` where there is none."""
    return "-" if value is None else f"{value:,.{digits}f}"
