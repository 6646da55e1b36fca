"""An evaluation on the terminal: a progress bar while it works, one table at the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from neuro_robot.bench.evaluate import EvaluationRequest, Report, evaluate

COLUMNS = ("success", "95 % interval", "flights", "m to contact", "mean m/s", "peak m/s", "min clearance m")


def evaluate_with_progress(request: EvaluationRequest, console: Console) -> dict[str, Any]:
    """Evaluate flights behind a progress bar."""
    return with_progress(lambda report: evaluate(request, report), console)


def with_progress(work: Callable[[Report], dict[str, Any]], console: Console) -> dict[str, Any]:
    """Work while a progress bar on `console` tells which job ended last."""
    columns = (TextColumn("{task.description:34}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("starting", total=None)
        return work(lambda label, done, known: progress.update(task, description=label, completed=done, total=known))


def evaluation_table(result: dict[str, Any]) -> Table:
    """One line per row and speed."""
    flights = len(result["seeds"])
    table = Table(title=f"{result['world']}: {flights} worlds, seeds {result['seeds'][0]} to {result['seeds'][-1]}")
    table.add_column("pilot")
    table.add_column("m/s", justify="right")
    for name in COLUMNS:
        table.add_column(name, justify="right")
    for name, row in result["rows"].items():
        for speed, cell in row["by_speed"].items():
            table.add_row(name, speed, *_cells(cell))
        table.add_section()
    return table


def training_table(result: dict[str, Any]) -> Table:
    """One line per trained network: budget used, and when the last ten training flights reached each rate."""
    table = Table(title="training: minutes until the last ten succeeded at")
    for name in ("network", "minutes", "runs", "50 %", "80 %", "90 %", "100 %"):
        table.add_column(name, justify="left" if name == "network" else "right")
    for row, networks in result["training"].items():
        for number, one in enumerate(networks):
            reached = [_number(one["minutes_to_reach"][key], 1) for key in ("0.5", "0.8", "0.9", "1")]
            table.add_row(f"{row} {number}", _number(one["simulated_minutes"], 1), str(len(one["curve"])), *reached)
    return table


def _cells(row: dict[str, Any]) -> list[str]:
    low, high = row["interval"]
    rate = "-" if row["success_rate"] is None else f"{100 * row['success_rate']:.0f} %"
    return [
        rate,
        f"{100 * low:.0f} to {100 * high:.0f} %",
        str(row["episodes"]),
        _number(row["metres_to_first_contact"], 1),
        _number(row["mean_speed"], 2),
        _number(row["peak_speed"], 2),
        _number(row["min_clearance"], 2),
    ]


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{round(value, digits) + 0.0:.{digits}f}"
