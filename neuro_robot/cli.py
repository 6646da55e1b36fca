"""The `neuro_robot` command: arguments in, one clear table or JSON out; the work is done elsewhere."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from neuro_robot import cli_recordings, cli_snn, cli_walk
from neuro_robot.cli_output import Backend, Fault, Json, Weights, bar, fault_text, fly_table, replay_table, screen, show
from neuro_robot.errors import NeuroRobotError
from neuro_robot.graph import LEARNED

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="rich",
    help="Event-camera robots that think in spikes: fly, evaluate, replay; and recordings of any event camera: "
    "info, view, convert, play.\n\n"
    "neuro_robot fly                            one flight through the forest over ROS 2\n\n"
    "neuro_robot fly --world pillars --seed 3   another world\n\n"
    "neuro_robot walk --world walk_rough        a quadruped on rough ground\n\n"
    "neuro_robot replay runs/NAME               the same flight again, checked bit for bit\n\n"
    "neuro_robot info recording.raw             what is in a recording\n\n"
    "neuro_robot view recording.raw             a picture of it",
)  # fmt: skip
MODES = ("lockstep", "realtime", "inprocess")
INTERRUPTED = 130  # typer's own status of Ctrl-C, as shells have it

World = Annotated[str, typer.Option(help="A name in sim_worlds (see `neuro_robot worlds`) or a YAML file.")]


@app.command()
def fly(
    world: World = "forest",
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Seed of world, sensors and network.")] = 0,
    episodes: Annotated[int, typer.Option(min=1, help="Flights, each in the next seed's world; learning goes on.")] = 1,
    speed: Annotated[float, typer.Option(min=0.1, max=25.0, help="Commanded forward speed, m/s.")] = 5.0,
    mode: Annotated[
        str, typer.Option(help="lockstep: ROS 2, deterministic; realtime: ROS 2, against the clock; inprocess: no ROS.")
    ] = "lockstep",
    learning: Annotated[bool, typer.Option("--learning/--no-learning", help="Synapses change while flying.")] = True,
    weights: Weights = LEARNED,
    backend: Backend = "cpu",
    fault: Fault = None,
    out: Annotated[Path | None, typer.Option(help="Run folder; default: a new one under runs/.")] = None,
    video: Annotated[bool, typer.Option("--video/--no-video", help="Make flight.mp4.")] = True,
    record: Annotated[bool, typer.Option("--record/--no-record", help="Write bag, report and video.")] = True,
    as_json: Json = False,
) -> None:
    """Fly a simulated drone by its event camera and leave bag, summary, report and video.

    [bold]Examples[/bold]

    neuro_robot fly --speed 8 --seed 7

    neuro_robot fly --mode inprocess --episodes 5 --weights initial    (learns from scratch, no ROS)

    neuro_robot fly --mode realtime --no-video --json

    neuro_robot fly --mode inprocess --fault dead_neurons:column:20%@2s    (a fifth of the neurons dies in flight)
    """
    from neuro_robot.bench.flight import FlightRequest
    from neuro_robot.flights import RunRequest, fly_run, run_folder, start_weights
    from neuro_robot.sim.world import load_world

    if mode not in MODES:
        raise typer.BadParameter(f"expected one of {', '.join(MODES)}, got {mode!r}", param_hint="--mode")
    load_world(world, seed)  # a broken world is told before anything starts
    folder = out or run_folder(world, seed, mode)
    request = FlightRequest(world=world, seed=seed, speed=speed, learning=learning, weights=start_weights(weights),
                            mind={"backend": backend, "faults": fault_text(fault)})  # fmt: skip
    run = RunRequest(request, folder.resolve(), mode, episodes, record, video)
    with bar(as_json) as progress:
        summary = fly_run(run, progress)
    show(summary, as_json, lambda: fly_table(summary, folder))


evaluation = typer.Typer(invoke_without_command=True, rich_markup_mode="rich")
evaluation.command("walk")(cli_walk.evaluate_walk)


@evaluation.callback()
def evaluate(
    context: typer.Context,
    world: World = "forest",
    speed: Annotated[list[float] | None, typer.Option(help="Commanded speed, m/s; may be given several times.")] = None,
    flights: Annotated[int, typer.Option(min=1, help="Worlds to fly in, one seed each.")] = 50,
    first_seed: Annotated[int, typer.Option(min=0, help="Seed of the first world.")] = 0,
    row: Annotated[list[str] | None, typer.Option(help="Only these rows; may be given several times.")] = None,
    processes: Annotated[int, typer.Option(min=1, help="Parallel processes.")] = 2,
    train_minutes: Annotated[float, typer.Option(help="Simulated flight to learn in, minutes.")] = 10.0,
    networks: Annotated[int, typer.Option(min=1, help="Networks trained per row; the worlds are shared out.")] = 1,
    train_world: Annotated[str, typer.Option(help="World to learn in; default: the one flown.")] = "",
    train_speed: Annotated[list[float] | None, typer.Option(help="Speeds to learn at; default: those flown.")] = None,
    weights: Annotated[str, typer.Option(help="Fly `learned` with these weights instead of training.")] = "",
    backend: Backend = "cpu",
    fault: Fault = None,
    out: Annotated[Path | None, typer.Option(help="Folder for result.json, plots and the trained weights.")] = None,
    as_json: Json = False,
) -> None:
    """Fly many worlds and print success rates beside the baselines; `evaluate walk` does so for the walking robot.

    [bold]Examples[/bold]

    neuro_robot evaluate --speed 3 --speed 5 --speed 8

    neuro_robot evaluate --flights 8 --row blind --row potential_field

    neuro_robot evaluate --row learned --weights config/drone_weights.npz --fault dead_neurons:column:20%@2s
    """
    if context.invoked_subcommand is not None:
        return
    from neuro_robot.bench.console import evaluate_with_progress, evaluation_table, training_table
    from neuro_robot.bench.evaluate import ROWS, EvaluationRequest
    from neuro_robot.bench.runfolder import make_folder

    request = EvaluationRequest(
        world=world,
        speeds=tuple(speed or [5.0]),
        seeds=tuple(range(first_seed, first_seed + flights)),
        rows=tuple(row or ROWS),
        processes=processes,
        train_minutes=train_minutes,
        train_world=train_world or None,
        train_speeds=tuple(train_speed or ()),
        networks=networks,
        weights=weights or None,
        mind={"backend": backend, "faults": fault_text(fault)},
        keep_weights_in=None if out is None else str(out),
    )
    if out is not None:
        make_folder(out)
    result = evaluate_with_progress(request, Console(stderr=True, quiet=as_json))
    if out is not None:
        from neuro_robot.bench.evaluation_plots import write_plots

        write_plots(result, out)
        (out / "result.json").write_text(json.dumps(result, indent=2, allow_nan=False))
    if as_json:
        print(json.dumps(result, indent=2, allow_nan=False))
        return
    console = Console()
    console.print(evaluation_table(result))
    if any(result["training"].values()):
        console.print(training_table(result))


@app.command()
def replay(
    bag: Annotated[Path, typer.Argument(help="Run folder, bag folder, or a camera's recording.")],
    rate: Annotated[float, typer.Option(min=0.001, max=1000.0, help="Recordings: sensor seconds per second.")] = 1.0,
    ros: Annotated[bool, typer.Option("--ros", help="Runs: through the nodes over DDS instead of in process.")] = False,
    weights: Annotated[
        str, typer.Option(help="Recordings: weights file, or `learned`: the package's own, or `initial`: random.")
    ] = LEARNED,
    as_json: Json = False,
) -> None:
    """Play a bag's events through the controller.

    A run must give the same spikes, weights and commands bit for bit (exit status 1 if not). A camera's recording is
    streamed over DDS through the controller node.

    [bold]Examples[/bold]

    neuro_robot replay runs/20261120_forest_0_lockstep

    neuro_robot replay my_camera_bag --rate 0.5
    """
    from neuro_robot.flights import start_weights
    from neuro_robot.replays import replay_bag

    with bar(as_json) as progress:
        result = replay_bag(bag, rate=rate, ros=ros, weights=start_weights(weights), progress=progress)
    show(result, as_json, lambda: replay_table(result))
    if result["kind"] == "run" and not result["equal"]:
        raise typer.Exit(1)


@app.command()
def worlds() -> None:
    """List the worlds that come with the package."""
    from neuro_robot.share import share_folder
    from neuro_robot.sim.world import load_world

    table = Table("world", "size, m", "objects", "goal")
    for path in sorted((share_folder() / "sim_worlds").glob("*.yaml")):
        world = load_world(path, 0)
        b, goal = world.bounds, world.goal
        size = f"{b.xmax - b.xmin:g} x {b.ymax - b.ymin:g} x {b.zmax - b.zmin:g}"
        table.add_row(path.stem, size, str(len(world.objects)), f"x = {goal.x:g} m")
    Console().print(table)


@app.command()
def parameters(
    robot: Annotated[str, typer.Option(help="drone or quadruped.")] = "drone",
) -> None:
    """Print config/drone.yaml (or quadruped.yaml): every parameter of the nodes with default, range and description."""
    from neuro_robot.reference import parameter_file

    print(parameter_file(robot), end="")


@app.command()
def doctor() -> None:
    """Say what is there and what is missing, one line each with the remedy; status 1 if flying cannot work."""
    from neuro_robot.doctor import run

    raise typer.Exit(run(Console()))


app.command()(cli_walk.walk)
app.add_typer(evaluation, name="evaluate")
cli_recordings.register(app)
app.add_typer(cli_snn.app, name="bench")


def main() -> int:
    """Run the command; errors are one line on stderr and status 1, Ctrl-C is 130."""
    try:
        status = app(standalone_mode=False)
    except NeuroRobotError as error:
        screen.print("[red]error:[/red]", Text(str(error)), soft_wrap=True, highlight=False)
        return 1
    except (KeyboardInterrupt, typer.Abort):
        status = INTERRUPTED
    except typer.Exit as end:
        return end.exit_code
    except Exception as error:
        show = getattr(error, "show", None)  # a usage error of the command line
        if show is None:
            raise
        show()
        return 2
    if status == INTERRUPTED:
        screen.print("stopped; what was recorded is readable")
    return status if isinstance(status, int) else 0


if __name__ == "__main__":
    sys.exit(main())
