"""The folder a run leaves: bag/, summary.json, report.html, flight.mp4 and the weights before and after."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from neuro_robot.bags.record import FlightRecorder, network_shape
from neuro_robot.bench.flight import FlightLog, FlightRequest, Pilot, Progress, fly
from neuro_robot.bench.pilots import make_pilot
from neuro_robot.bench.report import write_report
from neuro_robot.bench.rundata import RunData, load_run
from neuro_robot.bench.summary import RunFacts, facts_of, summarise_run, write_summary
from neuro_robot.bench.video import write_video
from neuro_robot.errors import BagError
from neuro_robot.sim.world import load_world

BAG, SUMMARY, REPORT, VIDEO = "bag", "summary.json", "report.html", "flight.mp4"
WEIGHTS_BEFORE, WEIGHTS_AFTER = "weights_before.npz", "weights_after.npz"


def fly_into(
    folder: Path,
    request: FlightRequest,
    controller: Pilot | None = None,
    progress: Progress | None = None,
    video: bool = True,
) -> tuple[FlightLog, dict[str, Any]]:
    """Fly one episode in process and leave its run folder; return the log and the summary.

    Raises BagError when the folder already holds a run.
    """
    pilot = make_pilot(request) if controller is None else controller
    if (folder / BAG).exists():
        raise BagError(f"{folder}: already holds a run; choose a new folder")
    folder.mkdir(parents=True, exist_ok=True)
    with _kept_weights(pilot, folder), FlightRecorder(folder / BAG, network_shape(pilot)) as recorder:
        log = fly(request, pilot, progress, recorder)
    return log, finish_run(folder, facts_of(log), video=video)


@contextmanager
def _kept_weights(pilot: Pilot, folder: Path) -> Iterator[None]:
    """Save the weights as the flight finds and leaves them; a pilot without any saves none."""
    save = getattr(pilot, "save", None)
    if save is not None:
        save(folder / WEIGHTS_BEFORE)
    try:
        yield
    finally:
        if save is not None:
            save(folder / WEIGHTS_AFTER)


def finish_run(folder: Path, facts: RunFacts, *, flight: int = -1, video: bool = True) -> dict[str, Any]:
    """Write summary.json, report.html and flight.mp4 beside a finished bag; return the summary.

    The same for every mode. `flight` is the one of the bag that is told about (-1: the last).
    """
    run = told_run(folder / BAG, facts, flight)
    write_summary(run.summary, folder / SUMMARY)
    write_report(run, folder / REPORT)
    if video:
        write_video(run, folder / VIDEO)
    return run.summary


def told_run(bag: Path, facts: RunFacts, flight: int = -1) -> RunData:
    """The bag's flight together with the facts and its summary."""
    world = load_world(facts.request.world, facts.request.seed)
    bare = load_run(bag, world, flight)
    run = replace(
        bare,
        reward_t=facts.reward_t,
        reward=facts.reward,
        weights_before=facts.weights_before,
        weights_after=facts.weights_after,
    )
    return replace(run, summary=summarise_run(facts, run))
