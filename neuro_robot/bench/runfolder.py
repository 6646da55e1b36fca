"""The folder a run leaves: bag/, summary.json, report.html, flight.mp4 and the weights before and after."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from neuro_robot.bench.rundata import RunData, load_run
from neuro_robot.bench.summary import RunFacts, summarise_run, write_summary
from neuro_robot.errors import BagError
from neuro_robot.sim.world import load_world

BAG, SUMMARY, REPORT, VIDEO = "bag", "summary.json", "report.html", "flight.mp4"
WEIGHTS_BEFORE, WEIGHTS_AFTER = "weights_before.npz", "weights_after.npz"


def make_folder(folder: Path) -> None:
    """Make a folder for results. Raises BagError when it cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BagError(f"{folder}: expected a folder, or a place for one: {error.strerror}; choose another") from error


def finish_run(folder: Path, facts: RunFacts, *, flight: int = -1, video: bool = True) -> dict[str, Any]:
    """Write summary.json, report.html and flight.mp4 beside a finished bag; return the summary.

    The same for every mode. `flight` is the one of the bag that is told about (-1: the last).
    """
    from neuro_robot.bench.report import write_report  # matplotlib takes a while to load, and not every run draws
    from neuro_robot.bench.video import write_video

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
        gait=facts.gait,
    )
    return replace(run, summary=summarise_run(facts, run))
