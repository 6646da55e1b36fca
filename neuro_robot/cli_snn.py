"""`neuro_robot bench ...` of the spiking engine: arguments in, one table or JSON out; the work is in bench/."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

app = typer.Typer(no_args_is_help=True, help="Checks and measurements of the spiking engine.")
GOLDEN = Path(__file__).resolve().parents[1] / "tests" / "golden"  # the project's own small traces


@app.callback()
def main() -> None:
    """Checks and measurements of the spiking engine."""


@app.command()
def golden(
    folder: Annotated[Path, typer.Argument(help="A folder of golden traces, *.npz.")] = GOLDEN,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout, nothing else.")] = False,
) -> None:
    """Run golden traces of Loihi's neuron through the `loihi` arithmetic and tell which are equal to the bit.

    Ends with status 1 when one differs.

    [bold]Example[/bold]

    neuro_robot bench golden ../shared/golden
    """
    from neuro_robot.bench.golden import compare, find_traces, golden_table

    rows = [compare(path) for path in find_traces(folder)]
    if as_json:
        typer.echo(json.dumps([{"trace": row.name, "equal": row.equal, **row.first_difference} for row in rows]))
    else:
        Console().print(golden_table(rows))
    raise typer.Exit(0 if all(row.equal for row in rows) else 1)
