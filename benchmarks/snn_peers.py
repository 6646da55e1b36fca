"""The spiking workloads beside Brian2 and NEST in one run, with the rates of what is compared: one table.

    python benchmarks/snn_peers.py [w1 w2 w3 w4] [--engine NAME ...] [--seconds 10] [--runs 5] [--json]

Every engine and workload is a process of its own, one after the other. Engines: ours; brian2-cpp, the C++ standalone
program, timed inside around its run alone; brian2-cython; nest, on one thread. x is simulated over wall time, median
of the runs (fewer than asked when they have taken 10 s). W4: a step called from Python with fresh inputs and spikes
read back, in us. "given": input spikes known before the run, "drawn": random sources inside. A peer that is not
installed is named and left out.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from neuro_robot.bench import workloads as w

ENGINES = {"ours": "neuro_robot", "brian2-cpp": "brian2", "brian2-cython": "brian2", "nest": "nest"}
CASES = ("w1 given", "w1 drawn", "w2 given", "w2 drawn", "w3", "w4", "w4 stdp")
BUDGET_S, LIMIT_S = 10.0, 240.0  # of the runs of one case, of a process
Row = dict[str, Any]


def description(case: str) -> Any:  # noqa: ANN401
    """The network of a case."""
    if case == "w3":
        return w.recurrent()
    return w.feed_forward(w.RULE if "w2" in case or "stdp" in case else None, "drawn" in case)


def repeat(run: Callable[[], float], runs: int) -> list[float]:
    """Wall times that `run` returns, of as many calls as the budget allows, after one that does not count."""
    run()
    taken: list[float] = []
    while len(taken) < runs and (not taken or sum(taken) < BUDGET_S):
        taken.append(run())
    return taken


def timed(call: Callable[[], Any]) -> float:
    """Wall time of a call."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def percentiles(taken_ns: list[int]) -> Row:
    """Of single steps, settling left out."""
    p50, p99 = np.percentile(taken_ns[w.SETTLING :], [50, 99]) / 1e3
    return {"p50_us": float(p50), "p99_us": float(p99)}


def ours(case: str, steps: int, runs: int) -> Row:
    """The package itself."""
    name, _, variant = case.partition(" ")
    seconds = steps * (10 if case == "w3" else 1) * 1e-3
    rows = {row.name.lower(): row for row in w.measure([name], seconds=seconds, runs=runs)}
    row = rows["w4 with stdp" if variant == "stdp" else case]
    rates = {layer: rate for layer, rate in row.rates_hz.items() if layer != "in"}
    if row.x_realtime is None:
        return {"p50_us": row.p50_us, "p99_us": row.p99_us, "rates_hz": rates}
    return {"x": row.x_realtime, "runs": runs, "rates_hz": rates}


def brian2_cpp(case: str, steps: int, runs: int) -> Row:
    """Brian2's generated program; its own clock around the run, without start and preparation."""
    import brian2 as b
    import snn_brian2
    from brian2.devices import device

    b.set_device("cpp_standalone", build_on_run=False)
    peer = snn_brian2.build(description(case), given_of(case, steps), record=False)
    start_of(case, peer.groups)
    peer.run(steps)
    device.build(directory=None, compile=True, run=False, with_output=False)

    def run() -> float:
        device.run(with_output=False)
        return float(device._last_run_time)  # noqa: SLF001 - where Brian2 keeps it

    taken = repeat(run, runs)
    return row(taken, steps, peer.rates_hz(steps * 1e-3))


def brian2_cython(case: str, steps: int, runs: int) -> Row:
    """Brian2 in this process; W4 through network operations, the fastest way of its Python interface."""
    import brian2 as b
    import snn_brian2

    b.prefs.codegen.target = "cython"
    if case.startswith("w4"):
        return _brian2_steps(case, min(steps, 5000))
    peer = snn_brian2.build(description(case), given_of(case, steps), record=False)
    start_of(case, peer.groups)
    peer.net.store()

    def run() -> float:
        peer.net.restore()
        return timed(lambda: peer.run(steps))

    return row(repeat(run, runs), steps, peer.rates_hz(steps * 1e-3))


def _brian2_steps(case: str, steps: int) -> Row:
    import brian2 as b
    import snn_brian2

    peer = snn_brian2.build(description(case), record=False, by_hand=True)
    rows, ends, seen = w.rows_given(steps + w.SETTLING).astype(float), [], 0
    told = peer.groups["in"].variables["told"].get_value()
    spaces = [peer.groups[name].variables["_spikespace"] for name in peer.sizes]

    @b.network_operation(when="before_start")  # type: ignore[untyped-decorator]
    def give() -> None:
        told[:] = rows[len(ends)]

    @b.network_operation(when="end")  # type: ignore[untyped-decorator]
    def take() -> None:
        nonlocal seen
        for space in spaces:
            found = space.get_value()
            seen += found[: found[-1]].copy().size
        ends.append(time.perf_counter_ns())

    peer.net.add(give, take)
    peer.run(len(rows))
    return percentiles(np.diff(ends).tolist()) | {"rates_hz": peer.rates_hz(len(rows) * 1e-3)}


def nest(case: str, steps: int, runs: int) -> Row:
    """NEST, simulated on from where the run before ended."""
    import nest as n
    import snn_nest

    n.verbosity = n.VerbosityLevel.ERROR
    if case.startswith("w4"):
        return _nest_steps(case, min(steps, 1500))
    potentials = w.first_potentials() if case == "w3" else None
    given, done = given_of(case, steps), 0
    peer = snn_nest.build(description(case), given, potentials)

    rates: dict[str, float] = {}

    def run() -> float:
        nonlocal done
        if done == 1:  # rates of one run from the start, as the others'
            rates.update(peer.rates_hz(steps * 1e-3))
        for name, lines in peer.lines.items() if given is not None else ():
            lines.set(snn_nest.times_of(given, len(peer.layers[name]), 0, w.DT_MS, done * steps))
        done += 1
        return timed(lambda: n.Simulate(steps * w.DT_MS))

    return row(repeat(run, runs), steps, rates)


def _nest_steps(case: str, steps: int) -> Row:
    import nest as n
    import snn_nest

    peer, ends = snn_nest.build(description(case)), []
    rows = w.rows_given(steps + w.SETTLING)
    n.Prepare()
    for k, row in enumerate(rows):
        for line in np.flatnonzero(row):
            peer.lines["in"][int(line)].spike_times = [(k + 1) * w.DT_MS]
        n.Run(w.DT_MS)
        for recorder in peer.recorders.values():
            _ = recorder.get("events", "senders")
        ends.append(time.perf_counter_ns())
    n.Cleanup()
    return percentiles(np.diff(ends).tolist()) | {"rates_hz": peer.rates_hz(len(rows) * 1e-3)}


def given_of(case: str, steps: int) -> Any:  # noqa: ANN401
    """Input spikes of a case."""
    return w.spikes_given(steps) if "given" in case else None


def start_of(case: str, groups: dict[str, Any]) -> None:
    """W3 starts from potentials apart."""
    if case == "w3":
        groups["n"].v = w.first_potentials()


def row(taken: list[float], steps: int, rates: dict[str, float]) -> Row:
    """A row of a run."""
    return {"x": steps * 1e-3 / float(np.median(taken)), "runs": len(taken), "rates_hz": rates}


WORKERS = {"ours": ours, "brian2-cpp": brian2_cpp, "brian2-cython": brian2_cython, "nest": nest}
ABSENT = {("brian2-cpp", "w4"), ("brian2-cpp", "w4 stdp")}  # no Python in its loop


def measured(engine: str, case: str, options: argparse.Namespace) -> Row:
    """A row from a process of its own."""
    steps = max(100, round(options.seconds * (100 if case == "w3" else 1000)))
    command = [sys.executable, __file__, "--worker", engine, case, str(steps), str(options.runs)]
    environment = {**os.environ, "NUMBA_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, env=environment, check=False)
    except subprocess.TimeoutExpired:
        return {"failed": f"no result within {LIMIT_S:g} s"}
    lines = done.stdout.strip().splitlines()
    if done.returncode or not lines:
        return {"failed": (done.stderr.strip().splitlines() or ["no output"])[-1][:100]}
    found: Row = json.loads(lines[-1])
    return found


def line(case: str, engine: str, found: Row) -> str:
    """A row as text."""
    if "failed" in found:
        return f"{case:9} {engine:14} failed: {found['failed']}"
    rates = "  ".join(f"{layer} {rate:.2f}" for layer, rate in found["rates_hz"].items())
    if "x" in found:
        return f"{case:9} {engine:14} {found['x']:9.1f} x ({found['runs']} runs)      {rates} Hz"
    return f"{case:9} {engine:14} p50 {found['p50_us']:8.2f} p99 {found['p99_us']:8.2f} us  {rates} Hz"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workload", nargs="*", help="w1 w2 w3 w4, or 'w1 drawn' and so on; all if none")
    parser.add_argument("--engine", action="append", choices=list(ENGINES), help="only this one (may be repeated)")
    parser.add_argument("--seconds", type=float, default=10.0, help="simulated in a run (W3: a tenth)")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--worker", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        engine, case, steps, runs = options.worker
        sys.path.insert(0, str(Path(__file__).parent))
        print("\n" + json.dumps(WORKERS[engine](case, int(steps), int(runs))))
        return
    start, table = time.perf_counter(), []
    engines = [name for name in options.engine or ENGINES if find_spec(ENGINES[name])]
    for name in sorted({ENGINES[name] for name in options.engine or ENGINES}):
        if not find_spec(name):
            print(f"{name} is not installed: its rows are left out", file=sys.stderr)
    for case in CASES:
        for engine in engines:
            if (options.workload and not {case, case[:2]} & set(options.workload)) or (engine, case) in ABSENT:
                continue
            found = measured(engine, case, options)
            table.append({"case": case, "engine": engine, **found})
            if not options.json:
                print(line(case, engine, found), flush=True)
    load = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors"
    print(json.dumps(table) if options.json else f"{time.perf_counter() - start:.0f} s, {load}")


if __name__ == "__main__":
    main()
