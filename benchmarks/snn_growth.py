"""How the time of a simulated second grows with neurons, synapses and activity: a table and a plot.

    python benchmarks/snn_growth.py [--plot docs/images/snn_growth.png] [--seconds 1] [--runs 5] [--threads 2]

A layer of LIF neurons, each fired by a random source of its own and with weak synapses to random others: the rate is
what is asked for, and the work can be counted. One quantity changes at a time; the others stay at 10,000 neurons, 100
synapses each, 10 Hz. `--threads` adds large networks with that many threads beside one.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

import numpy as np

from neuro_robot.bench.plot_style import BLUE, MUTED, blank
from neuro_robot.snn.backends import Model
from neuro_robot.snn.cells import LIF, Poisson
from neuro_robot.snn.network import Network
from neuro_robot.snn.sparse import Sparse

NEURONS, FAN_OUT, RATE_HZ = 10_000, 100, 10.0
SWEEPS: dict[str, tuple[str, tuple[float, ...]]] = {
    "neurons": ("neurons", (1000, 2000, 5000, 10_000, 20_000, 50_000)),
    "fan_out": ("synapses of a neuron", (0, 10, 30, 100, 300, 1000)),
    "rate_hz": ("rate, Hz", (0, 1, 3, 10, 30, 100)),
}
LARGE = ((10_000, 100), (60_000, 100))


def network(neurons: int = NEURONS, fan_out: int = FAN_OUT, rate_hz: float = RATE_HZ, dt_ms: float = 1.0) -> Network:
    """A Poisson layer fires every neuron of a layer, one to one; that layer has fan_out weak synapses a neuron."""
    rng, net = np.random.default_rng(7), Network(dt_ms)
    net.add_layer("drive", neurons, Poisson(rate_hz))
    net.add_lif("n", neurons, LIF(20.0, 5.0))
    one = np.arange(neurons)
    net.connect("drive", "n", Sparse(one, one, np.full(neurons, 100.0)))
    pre = np.repeat(one, fan_out)
    pairs = np.unique(pre * neurons + rng.integers(0, neurons, pre.size))
    net.connect("n", "n", Sparse(*np.divmod(pairs, neurons), np.full(pairs.size, 1e-6)))
    return net


def measure(model: Model, steps: int, runs: int) -> tuple[float, float, float]:
    """Wall seconds of a simulated second (median), synaptic operations of it, rate of the neurons in Hz."""
    model.run(None, 100)
    operations, taken = model.synaptic_operations, []
    for _ in range(runs):
        start = time.perf_counter()
        raster = model.run(None, steps)
        taken.append(time.perf_counter() - start)
    seconds = steps * model.dt_ms * 1e-3
    neurons = sum(layer.size for layer in model.layers if layer.cell is not None and not layer.cell.generates)
    done = (model.synaptic_operations - operations) / runs
    return float(np.median(taken)) / seconds, done / seconds, raster.neuron.size / neurons / seconds


def plot(found: dict[str, list[tuple[float, float, float, float]]], path: str) -> None:
    """Time against each quantity, beside a straight line: fixed work, and work for each synapse a spike reaches."""
    figure, axes = blank(5.2, 8.4, len(SWEEPS), sharex=None)
    for axis, (name, rows) in zip(axes, found.items(), strict=True):
        x, milliseconds = [row[0] for row in rows], [row[1] * 1e3 for row in rows]
        slope, base = np.polyfit(x, milliseconds, 1)
        axis.plot(x, [base + slope * value for value in x], color=MUTED, linewidth=1, linestyle="--")
        axis.plot(x, milliseconds, color=BLUE, marker="o", markersize=4)
        axis.set_xlabel(SWEEPS[name][0])
        axis.set_ylabel("ms a second")
        axis.set_ylim(bottom=0.0)
        axis.xaxis.set_tick_params(labelbottom=True)
    figure.savefig(path, dpi=90, facecolor="white")


def rows_of(name: str, steps: int, runs: int) -> list[tuple[float, float, float, float]]:
    """Value, time, operations and rate of one sweep, printed as they come."""
    title, values = SWEEPS[name]
    sys.stdout.write(f"\n| {title} | wall ms of a simulated second | ns a synaptic operation | synaptic operations |\n")
    sys.stdout.write("|---:|---:|---:|---:|\n")
    found = []
    for value in values:
        options: dict[str, Any] = {name: value if name == "rate_hz" else int(value)}
        wall, operations, rate = measure(network(**options).compile(), steps, runs)
        each = f"{wall * 1e9 / operations:.1f}" if operations else "-"
        sys.stdout.write(f"| {value:,.0f} | {wall * 1e3:.2f} | {each} | {operations:,.0f} |\n")
        sys.stdout.flush()
        found.append((float(value), wall, operations, rate))
    return found


def divided(threads: int, steps: int, runs: int) -> None:
    """Large networks with one thread and with several, in turn."""
    sys.stdout.write(
        f"\n| neurons | synapses of a neuron | 1 thread, ms | {threads} threads, ms |\n|---:|---:|---:|---:|\n"
    )
    for neurons, fan_out in LARGE:
        net = network(neurons, fan_out)
        one, more = (measure(net.compile(threads=k), steps, runs)[0] * 1e3 for k in (1, threads))
        sys.stdout.write(f"| {neurons:,} | {fan_out} | {one:.1f} | {more:.1f} |\n")


def main() -> None:
    """Measure, print, plot."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plot", help="where the PNG goes")
    parser.add_argument("--seconds", type=float, default=1.0, help="simulated in a run")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=0, help="measure large networks with so many threads, too")
    options = parser.parse_args()
    steps = max(10, round(options.seconds * 1000))
    found = {name: rows_of(name, steps, options.runs) for name in SWEEPS}
    if options.threads:
        divided(options.threads, steps, options.runs)
    if options.plot:
        plot(found, options.plot)


if __name__ == "__main__":
    main()
