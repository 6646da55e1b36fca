"""`neuro_robot bench ...` of the spiking engine: arguments in, one table or JSON out; the work is in bench/."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from neuro_robot.cli_output import Json, Weights, bar
from neuro_robot.graph import LEARNED

app = typer.Typer(no_args_is_help=True, help="Checks and measurements of the spiking engine.")
GOLDEN = Path(__file__).resolve().parents[1] / "tests" / "golden"  # the project's own small traces


@app.callback()
def main() -> None:
    """Checks and measurements of the spiking engine."""


@app.command()
def snn(
    names: Annotated[list[str] | None, typer.Argument(help="w1 w2 w3 w4 loihi; default: all.")] = None,
    backend: Annotated[str, typer.Option(help="What the networks run on: cpu, loihi, loihi2.")] = "cpu",
    seconds: Annotated[float, typer.Option(help="Simulated time of a run, s (w3: a tenth of it).")] = 10.0,
    runs: Annotated[int, typer.Option(min=1, help="Runs, of which the median counts.")] = 5,
    as_json: Json = False,
) -> None:
    """Measure the engine's standard workloads: speed; and sparsity, operations, latency and modelled energy.

    w1: 1024 inputs at 20 Hz, 256 and 16 LIF neurons, all to all. w2: the same, learning by pair STDP. w3: 10,000 LIF
    neurons, 1 % recurrent. w4: w1 and w2 stepped from Python, as a robot does. loihi: 1024 inputs, 256 neurons in the
    chip's integers. "given": the input spikes are there before the run; "drawn": the network draws them.

    Energy is a model (operation counts times published constants of Loihi), dynamic and idle apart; docs/metrics.md
    has every equation. Speed needs a quiet machine; all of it takes about a minute.

    [bold]Examples[/bold]

    neuro_robot bench snn

    neuro_robot bench snn w1 w2 --seconds 2 --runs 3

    neuro_robot bench snn w1 --backend loihi2 --json
    """
    from neuro_robot.bench.engine import NETWORKS, as_plain, metrics, metrics_table, speed_table
    from neuro_robot.bench.workloads import NAMES, iterate
    from neuro_robot.snn.backends import backend as known_backend

    known_backend(backend)  # raises for an unknown one
    chosen = names or list(NAMES)
    rows = []
    with bar(as_json) as progress:
        for row in iterate(chosen, seconds=seconds, backend=backend, runs=runs):
            rows.append(row)
            progress(len(rows) / (2 * len(chosen)), row.name)
        told = [metrics(name, backend) for name in chosen if name in NETWORKS]
    if as_json:
        from neuro_robot.bench.plain import plain

        typer.echo(json.dumps(plain(as_plain(rows, told, backend)), indent=2, allow_nan=False))
        return
    console = Console()
    console.print(speed_table(rows, backend))
    if any("refused" not in item for item in told):
        console.print(metrics_table(told))


@app.command()
def golden(
    folder: Annotated[Path, typer.Argument(help="A folder of golden traces, *.npz.")] = GOLDEN,
    as_json: Json = False,
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


@app.command()
def chip(
    world: Annotated[str, typer.Option(help="A name in sim_worlds or a YAML file.")] = "forest",
    seeds: Annotated[int, typer.Option(min=1, help="Worlds to fly in, one seed each.")] = 5,
    first_seed: Annotated[int, typer.Option(min=0, help="Seed of the first world.")] = 0,
    speed: Annotated[float, typer.Option(min=0.1, max=25.0, help="Commanded forward speed, m/s.")] = 5.0,
    learning: Annotated[bool, typer.Option("--learning/--no-learning", help="Synapses change while flying.")] = True,
    weights: Weights = LEARNED,
    processes: Annotated[int, typer.Option(min=1, help="Parallel processes.")] = 2,
    as_json: Json = False,
) -> None:
    """Fly the drone's quantised network on the chip's integers and on float64, and compare spike by spike.

    Ends with status 1 when a spike, a command or a final weight differs.

    [bold]Example[/bold]

    neuro_robot bench chip --seeds 5 --speed 5
    """
    from neuro_robot.bench.chip_match import match_flights, match_table, result_of
    from neuro_robot.bench.flight import FlightRequest
    from neuro_robot.flights import start_weights

    flight = FlightRequest(
        world=world, speed=speed, learning=learning, weights=start_weights(weights), mind={"backend": "loihi2"}
    )
    matches = match_flights(flight, tuple(range(first_seed, first_seed + seeds)), processes)
    result = result_of(matches)
    if as_json:
        typer.echo(json.dumps(result))
    else:
        title = f"{world} at {speed:g} m/s, learning {'on' if learning else 'off'}: loihi2 against float64"
        Console().print(match_table(matches, title))
    raise typer.Exit(0 if result["flights_equal"] == len(matches) else 1)
