"""How the commands speak: a progress bar on stderr, a table or JSON on stdout."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

screen = Console(stderr=True)

Backend = Annotated[str, typer.Option(help="What the network runs on: cpu, or loihi2 (the chip's arithmetic).")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout, nothing else.")]


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


def broken(figures: Mapping[str, Any]) -> str:
    """What was broken at the end of a run, from the controller's diagnostics."""
    names = (("fault_dead_neurons", "dead neurons"), ("fault_stuck_synapses", "stuck synapses"),
             ("fault_spikes_lost", "spikes lost"), ("faults_waiting", "faults still waiting"))  # fmt: skip
    return ", ".join(f"{int(figures[key]):,} {name}" for key, name in names if figures.get(key)) or "healed"
