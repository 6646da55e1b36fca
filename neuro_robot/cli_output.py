"""How the commands speak: a progress bar on stderr, a table or JSON on stdout; the tables of runs and replays."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

screen = Console(stderr=True)

Backend = Annotated[str, typer.Option(help="What the network runs on: cpu, or loihi2 (the chip's arithmetic).")]
Weights = Annotated[
    str, typer.Option(help="Weights file to start from, or `learned`: the package's own, or `initial`: random.")
]
Fault = Annotated[
    list[str] | None,
    typer.Option(
        help="What breaks in the network and when, as dead_neurons:column:20%@2s (docs/faults.md); repeatable."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout, nothing else.")]


def fault_text(given: list[str] | None) -> str:
    """All faults as one text; what is none is told before anything starts."""
    from neuro_robot.snn.faults_text import faults_of

    text = "; ".join(given or ())
    faults_of(text)
    return text


@contextmanager
def bar(quiet: bool) -> Iterator[Callable[[float, str], None]]:
    """A progress bar; call what it gives with the share done and what is going on."""
    columns = (
        TextColumn("{task.percentage:3.0f} %"),
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=screen, transient=True, disable=quiet) as progress:
        task = progress.add_task("starting", total=1.0)
        yield lambda share, text: progress.update(task, completed=share, description=text)


def show(result: dict[str, Any], as_json: bool, table: Callable[[], RenderableType]) -> None:
    """The result of a command."""
    if as_json:
        from neuro_robot.bench.plain import plain

        typer.echo(json.dumps(plain(result), indent=2, allow_nan=False))
    else:
        Console().print(table())


def number(value: float | None, digits: int = 2) -> str:
    """A figure with thousands separated, `-` where there is none."""
    return "-" if value is None else f"{value:,.{digits}f}"


def _broken(figures: Mapping[str, Any]) -> str:
    """What was broken at the end of a run, from the controller's diagnostics."""
    names = (("fault_dead_neurons", "dead neurons"), ("fault_stuck_synapses", "stuck synapses"),
             ("fault_spikes_lost", "spikes lost"), ("faults_waiting", "faults still waiting"))  # fmt: skip
    return ", ".join(f"{int(figures[key]):,} {name}" for key, name in names if figures.get(key)) or "healed"


def fly_table(summary: dict[str, Any], folder: Path) -> Table:
    """What became of a run."""
    good = summary["success"]
    mark = "[green]goal reached[/green]" if good else f"[red]{summary['outcome']}[/red]"
    table = Table(title=f"{summary['world']}, seed {summary['seed']}, {summary['mode']}", show_header=False)
    table.add_row("outcome", f"{mark}: {summary['reason']}")
    if len(summary["episodes"]) > 1:
        reached = sum(item["outcome"] == "goal" for item in summary["episodes"])
        table.add_row("flights", f"{reached} of {len(summary['episodes'])} reached the goal; the last is shown")
    path = summary.get("path")
    if path:
        table.add_row("flown", f"{number(path['distance_m'])} m in {number(summary['flight_s'])} s")
        table.add_row("speed", f"mean {number(path['mean_speed'])}, peak {number(path['peak_speed'])} m/s")
        table.add_row("smallest clearance", f"{number(path['min_clearance_m'])} m")
    add_traffic(table, summary, folder)
    return table


def add_traffic(table: Table, summary: dict[str, Any], folder: Path) -> None:
    """The rows that every robot's run ends with: events, spikes, speed, faults, digests, where it is."""
    counts = summary.get("counts")
    if counts:
        table.add_row("events", f"{counts['events']:,} ({number(counts['event_rate_hz'], 0)} /s)")
        table.add_row("spikes", f"{counts['spikes']:,} ({number(counts['spike_rate_hz'], 0)} /s)")
        reply = summary["reply_ms"]
        table.add_row("packet to command", f"p50 {number(reply['p50'])}, p99 {number(reply['p99'])} ms")
        table.add_row("simulated / real time", number(summary["real_time_factor"]))
        if summary["diagnostics"].get("faults") or summary["diagnostics"].get("faults_waiting"):
            table.add_row("faults", f"{summary['configuration']['mind']['faults']}: {_broken(summary['diagnostics'])}")
        if not summary["recording_complete"]:
            table.add_row("recording", "[red]incomplete: messages were lost on the way to the bag[/red]")
    for name, digest in summary["digest"].items():
        table.add_row(f"digest of {name}", digest[:16])
    table.add_row("left in", str(folder))


def replay_table(result: dict[str, Any]) -> Table:
    """What came of a replay."""
    table = Table(title=f"replay of {result['bag']}", show_header=False)
    table.add_row("packets", f"{result['packets']:,}, lost {result['lost_packets']}")
    table.add_row("events", f"{result['events']:,} (ON {result['on_events']:,}, OFF {result['off_events']:,})")
    if result.get("triggers"):
        table.add_row("triggers", f"{result['triggers']:,}")
    table.add_row("spikes", f"{result['spikes']:,}")
    table.add_row("commands", f"{result['commands']:,}")
    if "latency_p50_ms" in result:
        table.add_row("packet to command", f"p50 {result['latency_p50_ms']:.2f}, p99 {result['latency_p99_ms']:.2f} ms")
        table.add_row("played in", f"{result['played_s']:.2f} s")
    for name, same in result.get("equal_to_run", {}).items():
        verdict = "[green]equal[/green]" if same else "[red]DIFFERENT[/red]"
        table.add_row(name, f"{verdict}  {result['digest'][name][:16]}")
    return table
