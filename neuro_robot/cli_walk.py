"""`neuro_robot walk` and `neuro_robot evaluate walk`: the walking robot's commands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console, Group

from neuro_robot.cli_output import Backend, Fault, Json, Weights, bar, fault_text, show
from neuro_robot.cli_walk_tables import evaluation_tables, walk_tables
from neuro_robot.graph import LEARNED

if TYPE_CHECKING:
    from neuro_robot.bench.parameter_file import Overrides

SPEED_HELP = "Commanded forward speed, m/s; the mind walks no faster than its step.max_speed, 1.0."
MODES = ("lockstep", "realtime", "inprocess")

World = Annotated[str, typer.Option(help="A name in sim_worlds (walk_flat, walk_rough, ...) or a YAML file.")]
Params = Annotated[
    Path | None,
    typer.Option(help="ROS 2 parameter file of body and mind, as config/laikago.yaml; options come on top of it."),
]


def walk(
    world: World = "walk_flat",
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Seed of ground, sensors and network.")] = 0,
    episodes: Annotated[int, typer.Option(min=1, help="Walks, each on the next seed's ground; learning goes on.")] = 1,
    speed: Annotated[float, typer.Option(min=0.05, max=2.0, help=SPEED_HELP)] = 0.6,
    seconds: Annotated[float, typer.Option(min=0.1, max=3600.0, help="How long to walk, simulated seconds.")] = 20.0,
    gait: Annotated[
        str,
        typer.Option(
            help="trot (unless --params says another), walk, pace or bound; or one after the other: "
            "`trot bound@8s walk@15s`."
        ),
    ] = "",
    mode: Annotated[
        str, typer.Option(help="lockstep: ROS 2, deterministic; realtime: ROS 2, against the clock; inprocess: no ROS.")
    ] = "lockstep",
    learning: Annotated[bool, typer.Option("--learning/--no-learning", help="Synapses change while walking.")] = True,
    weights: Weights = LEARNED,
    backend: Backend = "cpu",
    fault: Fault = None,
    params: Params = None,
    out: Annotated[Path | None, typer.Option(help="Run folder; default: a new one under runs/.")] = None,
    video: Annotated[bool, typer.Option("--video/--no-video", help="Make the video.")] = True,
    record: Annotated[bool, typer.Option("--record/--no-record", help="Write bag, report and video.")] = True,
    as_json: Json = False,
) -> None:
    """Walk a simulated quadruped by spikes and leave bag, summary, report and video.

    [bold]Examples[/bold]

    neuro_robot walk --world walk_rough --seed 3

    neuro_robot walk --mode inprocess --gait "trot walk@5s bound@10s trot@15s" --no-video

    neuro_robot walk --mode inprocess --fault dead_neurons:cpg:10%@5s    (a tenth of the rhythm dies under way)

    neuro_robot walk --params config/laikago.yaml    (another body)
    """
    from neuro_robot.agents.gait import gaits_of
    from neuro_robot.bench.flight import FlightRequest
    from neuro_robot.flights import RunRequest, fly_run, run_folder, start_weights
    from neuro_robot.sim.world import load_world

    if mode not in MODES:
        raise typer.BadParameter(f"expected one of {', '.join(MODES)}, got {mode!r}", param_hint="--mode")
    told = {name: text for name, text in (("gait", gait), ("faults", fault_text(fault))) if text}
    gaits_of(told.get("gait", "trot"))
    load_world(world, seed)  # what is wrong is told before anything starts
    said = _said(params)
    request = FlightRequest(
        robot="quadruped",
        world=world,
        seed=seed,
        speed=speed,
        learning=learning,
        weights=start_weights(weights, "quadruped"),
        sim={**said.sim, "episode.timeout_s": seconds},
        mind={**said.mind, "backend": backend, **told},
    )
    folder = out or run_folder(world, seed, mode)
    run = RunRequest(request, folder.resolve(), mode, episodes, record, video)
    with bar(as_json) as progress:
        summary = fly_run(run, progress)
    show(summary, as_json, lambda: walk_tables(summary, folder))


def evaluate_walk(
    world: Annotated[list[str] | None, typer.Option(help="Ground to walk on; default: walk_flat; repeatable.")] = None,
    walks: Annotated[int, typer.Option(min=1, help="Walks per row and world, one seed each.")] = 30,
    first_seed: Annotated[int, typer.Option(min=0, help="Seed of the first ground.")] = 0,
    speed: Annotated[float, typer.Option(min=0.05, max=2.0, help=SPEED_HELP)] = 0.6,
    seconds: Annotated[float, typer.Option(min=0.1, max=3600.0, help="Length of a walk, simulated seconds.")] = 20.0,
    row: Annotated[
        list[str] | None,
        typer.Option(
            help="hopf (no spikes), frozen (not learning), learned, shuffled (rewards at random times): "
            "these four by default; blind (learned, eyes shut), kept (learned, learning off), fresh (learns during the "
            "walk only), fixed (constants chosen by hand)."
        ),
    ] = None,
    processes: Annotated[int, typer.Option(min=1, help="Parallel processes.")] = 2,
    train_world: Annotated[
        list[str] | None,
        typer.Option(help="Ground to learn on, taken in turn; default: pillars, rough ground, boxes."),
    ] = None,
    train_minutes: Annotated[float, typer.Option(help="Simulated walking to learn in, minutes.")] = 12.0,
    train_seconds: Annotated[
        float, typer.Option(min=0.1, max=3600.0, help="Length of a training walk, simulated seconds.")
    ] = 55.0,
    networks: Annotated[int, typer.Option(min=1, help="Networks trained per row; the walks are shared out.")] = 1,
    weights: Annotated[
        str, typer.Option(help="Walk with these instead of training: a file for `learned`, or the --out of a training.")
    ] = "",
    backend: Backend = "cpu",
    fault: Fault = None,
    params: Params = None,
    out: Annotated[Path | None, typer.Option(help="Folder for result.json and the trained weights.")] = None,
    as_json: Json = False,
) -> None:
    """Walk many grounds and print success, falls, speed and cost of transport beside the baselines.

    [bold]Examples[/bold]

    neuro_robot evaluate walk --world walk_flat --walks 20 --seconds 60 --row hopf --row frozen

    neuro_robot evaluate walk --world walk_obstacles --seconds 55 --networks 3 --out trained    (trains, then walks)

    neuro_robot evaluate walk --world walk_rough --world walk_boxes --networks 3 --weights trained

    neuro_robot evaluate walk --row learned --row kept --weights config/quadruped_weights.npz
    --fault dead_neurons:cpg:10%@5s
    """
    from neuro_robot.bench.console import training_table, with_progress
    from neuro_robot.bench.evaluate_walk import ROWS, TRAINING_GROUNDS, WalkEvaluation
    from neuro_robot.bench.evaluate_walk import evaluate_walk as evaluated
    from neuro_robot.bench.runfolder import make_folder

    said = _said(params)
    request = WalkEvaluation(
        worlds=tuple(world or ["walk_flat"]),
        seeds=tuple(range(first_seed, first_seed + walks)),
        rows=tuple(row or ROWS),
        speed=speed,
        duration_s=seconds,
        processes=processes,
        train_worlds=tuple(train_world or TRAINING_GROUNDS),
        train_minutes=train_minutes,
        train_seconds=train_seconds,
        networks=networks,
        weights=weights or None,
        sim=said.sim,
        mind={**said.mind, "backend": backend, **({"faults": fault_text(fault)} if fault else {})},
        keep_weights_in=None if out is None else str(out),
    )
    if out is not None:
        make_folder(out)
    result = with_progress(lambda report: evaluated(request, report), Console(stderr=True, quiet=as_json))
    if out is not None:
        (out / "result.json").write_text(json.dumps(result, indent=2, allow_nan=False))
    trained = any(result["training"].values())
    trainings = [training_table(result)] if trained else []
    show(result, as_json, lambda: Group(evaluation_tables(result), *trainings))
    if trained and not as_json:
        kept = f"weights and result.json in {out}" if out else "not kept: --out FOLDER keeps what was learned"
        Console(stderr=True).print(kept, soft_wrap=True)


def _said(params: Path | None) -> Overrides:
    """What the parameter file says; nothing without one."""
    from neuro_robot.bench.parameter_file import Overrides, overrides_from

    return Overrides({}, {}) if params is None else overrides_from(params, "quadruped")
