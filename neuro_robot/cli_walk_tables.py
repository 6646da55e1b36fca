"""The tables that the walking robot's commands end with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table

from neuro_robot.cli_output import add_traffic, number


def walk_tables(summary: dict[str, Any], folder: Path) -> RenderableType:
    """What became of a run: every walk if there were several, then the last one."""
    last = _last_walk(summary, folder)
    return last if len(summary["episodes"]) == 1 else Group(_every_walk(summary), last)


def _every_walk(summary: dict[str, Any]) -> Table:
    """One line per walk and one for all."""
    walks = summary["episodes"]
    good = sum(walk["success"] for walk in walks)
    table = Table(
        title=f"{summary['world']}, {len(walks)} walks, {summary['mode']}",
        caption="success: the goal, or upright to the end and at least 80 % of the commanded way",
        show_footer=True,
    )
    seconds, metres = sum(walk["flight_s"] for walk in walks), sum(walk["advance_m"] for walk in walks)
    table.add_column("seed", "all", justify="right")
    table.add_column("success", f"{good} of {len(walks)}")
    table.add_column("m ahead", number(metres), justify="right")
    table.add_column("s", number(seconds, 1), justify="right")
    table.add_column("m/s", number(metres / seconds if seconds > 0 else None), justify="right")
    table.add_column("how it ended", overflow="fold")
    for walk in walks:
        mark = "[green]yes[/green]" if walk["success"] else "[red]no[/red]"
        speed = walk["advance_m"] / walk["flight_s"] if walk["flight_s"] > 0 else None
        figures = (number(walk["advance_m"]), number(walk["flight_s"], 1), number(speed))
        table.add_row(str(walk["seed"]), mark, *figures, f"{walk['outcome']}: {walk['reason']}")
    return table


def _last_walk(summary: dict[str, Any], folder: Path) -> Table:
    mark = "[green]upright[/green]" if summary["success"] else f"[red]{summary['outcome']}[/red]"
    which = f"{summary['world']}, seed {summary['seed']}, {summary['mode']}"
    title = which if len(summary["episodes"]) == 1 else f"the last of {len(summary['episodes'])} walks: {which}"
    table = Table(title=title, show_header=False)
    table.add_row("outcome", f"{mark}: {summary['reason']}")
    walk, legs = summary["episodes"][-1], summary.get("legs")
    speed = walk["advance_m"] / walk["flight_s"] if walk["flight_s"] > 0 else None
    table.add_row("walked", f"{number(walk['advance_m'])} m ahead in {number(walk['flight_s'], 1)} s")
    table.add_row("speed", f"{number(speed)} m/s of {number(summary['speed'])} commanded")
    if legs:
        table.add_row("heading", f"{number(legs['heading_lost_deg'], 1)} degrees lost in 10 s")
        table.add_row("cost of transport", f"{number(legs['cost_of_transport'])} (positive joint work)")
        table.add_row("steps", f"{legs['steps']}, {number(legs['step_rate_hz'])} per leg and second")
    add_traffic(table, summary, folder)
    return table


def evaluation_table(result: dict[str, Any]) -> Table:
    """One line per world and row."""
    seeds, asked = result["seeds"], result["request"]
    title = (
        f"{len(seeds)} walks of {asked['duration_s']:g} s at {asked['speed']:g} m/s, seeds {seeds[0]} to {seeds[-1]}"
    )
    caption = (
        "success: the goal, or upright to the end and at least 80 % of the commanded way, with its 95 % interval; "
        "hits: collisions; /100 m: falls; CoT: cost of transport, positive joint work; deg: turn in 10 s, mean"
    )
    table = Table(title=title, caption=caption, box=SIMPLE_HEAD, pad_edge=False)
    columns = ("success, %", "hits", "falls", "/100 m", "m/s", "CoT", "deg")
    table.add_column("ground", overflow="fold")
    table.add_column("row", no_wrap=True)
    for name in columns:
        table.add_column(name, justify="right", no_wrap=True)
    for world in result["worlds"]:
        for row, cells in result["rows"].items():
            table.add_row(world, row, *_cells(cells[world]))
        table.add_section()
    return table


def shift_table(result: dict[str, Any]) -> Table | None:
    """How the walks got over a lasting change; None where there was none."""
    caption = (
        "only walks that the change met count here; the others fell, or did not get there; "
        "held: upright to the end, with 90 % of the speed in the last 10 s"
    )
    table = Table(title="back at 90 % of the speed before the change", caption=caption)
    for name in ("ground", "row", "walks", "came back (95 %)", "median, longest s", "held", "m/s before", "slowest 2 s",
                 "last 10 s"):  # fmt: skip
        table.add_column(name)
    for world in result["worlds"]:
        for row, cells in result["rows"].items():
            cell = cells[world]
            if "shifted" in cell:
                low, high = cell["recovered_interval"]
                share = f"{100 * cell['recovered'] / cell['shifted']:.0f} %" if cell["shifted"] else "-"
                share = f"{share} ({100 * low:.0f} to {100 * high:.0f})"
                speeds = (number(cell[name]) for name in ("speed_before", "slowest_after", "speed_after"))
                times = f"{number(cell['median_recovery_s'], 1)}, {number(cell['longest_recovery_s'], 1)}"
                table.add_row(world, row, _met(cell), share, times, str(cell["held"]), *speeds)
    return table if table.row_count else None


def _met(cell: dict[str, Any]) -> str:
    """How many walks the change met, and what became of the others."""
    others = ((cell["fell_before_shift"], "fell before"), (cell["ended_before_shift"], "ended before"))
    return ", ".join([f"{cell['shifted']} of {cell['walks']}", *(f"{count} {how}" for count, how in others if count)])


def _cells(cell: dict[str, Any]) -> list[str]:
    low, high = cell["interval"]
    rate = "-" if cell["success_rate"] is None else f"{100 * cell['success_rate']:.0f}"
    return [
        f"{rate} ({100 * low:.0f} to {100 * high:.0f})", str(cell["collisions"]), str(cell["falls"]),
        number(cell["falls_per_100m"]), number(cell["mean_speed"]), number(cell["cost_of_transport"]),
        number(cell["heading_lost_deg"], 1),
    ]  # fmt: skip
