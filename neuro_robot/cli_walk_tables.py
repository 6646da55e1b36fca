"""The tables that the walking robot's commands end with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table

from neuro_robot.cli_output import add_traffic, number

NOTE = (
    "success: the goal, or upright to the end and at least 80 % of the commanded way, with its 95 % interval; "
    "hits: collisions; /100 m: falls; CoT: cost of transport, positive joint work; deg: turn in 10 s, mean"
)
SHIFT_NOTE = (
    "back: at 90 % of the speed before the change, of the walks that the change met; the others fell, or did not get "
    "there; held: upright to the end, with 90 % of that speed in the last 10 s"
)
WIDTHS = {"success, %": 15, "hits": 4, "falls": 5, "/100 m": 6, "m/s": 5, "CoT": 5, "deg": 4}


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


def evaluation_tables(result: dict[str, Any]) -> RenderableType:
    """A table per ground, one line per row; where something changed for good under way, a second one below."""
    seeds, asked = result["seeds"], result["request"]
    title = (
        f"{len(seeds)} walks of {asked['duration_s']:g} s at {asked['speed']:g} m/s, seeds {seeds[0]} to {seeds[-1]}"
    )
    tables: list[RenderableType] = [title]
    for world in result["worlds"]:
        cells = {row: by_world[world] for row, by_world in result["rows"].items()}
        changed = {row: cell for row, cell in cells.items() if "shifted" in cell}
        tables += [_ground_table(world, cells), *([_shift_table(changed)] if changed else [])]
    shifts = any("shifted" in cell for by_world in result["rows"].values() for cell in by_world.values())
    return Group(*tables, *(Padding(note, (0, 0, 1, 0), style="dim") for note in (NOTE, SHIFT_NOTE)[: 1 + shifts]))


def _ground_table(world: str, cells: dict[str, dict[str, Any]]) -> Table:
    table = _table(world)
    for name, width in WIDTHS.items():
        table.add_column(name, justify="right", no_wrap=True, min_width=width)
    for row, cell in cells.items():
        table.add_row(row, *_cells(cell))
    return table


def _shift_table(cells: dict[str, dict[str, Any]]) -> Table:
    """How the walks got over a lasting change."""
    table = _table("")
    table.add_column("walks")
    for name in ("back, %", "median,\nlongest s", "held", "m/s\nbefore", "slowest\n2 s", "last\n10 s"):
        table.add_column(name, justify="right", no_wrap=True)
    for row, cell in cells.items():
        low, high = cell["recovered_interval"]
        share = f"{100 * cell['recovered'] / cell['shifted']:.0f}" if cell["shifted"] else "-"
        share = f"{share} ({100 * low:.0f} to {100 * high:.0f})"
        speeds = (number(cell[name]) for name in ("speed_before", "slowest_after", "speed_after"))
        times = f"{number(cell['median_recovery_s'], 1)}, {number(cell['longest_recovery_s'], 1)}"
        table.add_row(row, _met(cell), share, times, str(cell["held"]), *speeds)
    return table


def _table(title: str) -> Table:
    table = Table(title=title or None, title_justify="left", title_style="bold", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("row", no_wrap=True, min_width=8)
    return table


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
