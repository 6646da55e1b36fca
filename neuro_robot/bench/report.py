"""report.html: one run on one page, readable anywhere: every picture and style is inside the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from neuro_robot.bench import figures, leg_figures
from neuro_robot.bench.plot_style import png_uri
from neuro_robot.bench.report_tables import compact, escaped, flat_rows, number, table, tables
from neuro_robot.bench.rundata import RunData

STYLE = """
:root { color-scheme: light; --ink: #1f2933; --muted: #66727f; --line: #e4e8ec; --good: #2f9e58; --bad: #d64545;
        --other: #ea7317; }
* { box-sizing: border-box; }
body { margin: 0; background: #f4f6f8; color: var(--ink); font: 15px/1.5 system-ui, "Segoe UI", Roboto, sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 28px 20px 60px; }
header { display: flex; flex-wrap: wrap; gap: 10px 16px; align-items: baseline; margin-bottom: 18px; }
h1 { font-size: 25px; margin: 0; letter-spacing: -0.01em; }
h2 { font-size: 16px; margin: 0 0 10px; }
.badge { color: white; border-radius: 999px; padding: 3px 13px; font-weight: 600; font-size: 14px;
         background: var(--other); }
.badge.goal { background: var(--good); } .badge.collision { background: var(--bad); }
.reason { color: var(--muted); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin-bottom: 18px; }
.tile, section { background: white; border: 1px solid var(--line); border-radius: 10px; }
.tile { padding: 12px 16px; } .tile b { display: block; font-size: 21px; font-variant-numeric: tabular-nums; }
.tile span { color: var(--muted); font-size: 13px; }
section { padding: 16px 18px; margin-bottom: 18px; }
section p { color: var(--muted); margin: 8px 0 0; font-size: 13.5px; }
img { width: 100%; height: auto; display: block; }
.tables { display: grid; grid-template-columns: repeat(auto-fit, minmax(330px, 1fr)); gap: 18px; }
table { border-collapse: collapse; width: 100%; font-size: 13.5px; }
td { padding: 4px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td:last-child { text-align: right; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; padding-left: 14px; }
td:first-child { color: var(--muted); }
.tables td:last-child { min-width: 6.6em; }
details { margin-top: 6px; } summary { cursor: pointer; font-weight: 600; }
footer { color: var(--muted); font-size: 13px; }
"""

PATH_NOTE = "Solids where they were at the end; x forward. Pale: rough or raised ground; blue: another friction."


BADGES = {"goal": "goal", "upright": "goal", "collision": "collision", "fall": "collision"}


def write_report(run: RunData, path: Path) -> None:
    """Write the page of a run; its `summary` must be complete."""
    path.write_text(report_html(run), encoding="utf-8")


def report_html(run: RunData) -> str:
    """The page as text."""
    summary = run.summary
    title = f"{summary['world']}, seed {summary['seed']}, {summary['speed']:g} m/s"
    parts = [_header(title, summary), _tiles(summary), *_plots(run), _tables(summary), _configuration(summary)]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escaped(title)}</title><style>{STYLE}</style></head><body><main>\n"
        + "\n".join(parts)
        + "\n</main></body></html>\n"
    )


def _header(title: str, summary: dict[str, Any]) -> str:
    outcome = str(summary["outcome"])
    if summary["legs"] is not None and summary["success"] and outcome == "timeout":
        outcome = "upright"
    kind = BADGES.get(outcome, "other")
    return (
        f'<header><h1>{escaped(title)}</h1><span class="badge {kind}">{escaped(outcome.replace("_", " "))}</span>'
        f'<span class="reason">{escaped(summary["reason"])}</span></header>'
    )


def _tiles(summary: dict[str, Any]) -> str:
    path, counts = summary["path"], summary["counts"]
    legs = summary["legs"]
    tiles = [
        ("flight time" if legs is None else "walking time", number(summary["flight_s"], "s", 1)),
        ("distance", number(path["distance_m"], "m", 1))
        if legs is None
        else ("way ahead", number(legs["advance_m"], "m", 1)),
        ("mean speed", number((legs or path)["mean_speed"], "m/s", 2)),
        ("smallest clearance", number(path["min_clearance_m"], "m", 2))
        if legs is None
        else ("cost of transport", number(legs["cost_of_transport"], "", 2)),
        ("events", compact(counts["events"])),
        ("spikes", compact(counts["spikes"])),
    ]
    cells = "".join(f'<div class="tile"><b>{value}</b><span>{name}</span></div>' for name, value in tiles)
    return f'<div class="tiles">{cells}</div>'


def _plots(run: RunData) -> list[str]:
    notes = [
        ("Path from above", figures.path_figure(run), PATH_NOTE),
        ("Speed and clearance", figures.motion_figure(run), "Clearance: body sphere to the nearest solid."),
        (_rates_title(run), figures.rates_figure(run), ""),
        ("Spikes", figures.raster_figure(run), "One mark per spike, neurons above each other, layers by colour."),
        ("Weights before and after", figures.weights_figure(run), _weights_note(run.summary)),
    ]
    if run.summary["legs"] is not None:
        notes[1:2] = _leg_plots(run)
    return [_plot(title, figure, note) for title, figure, note in notes if figure is not None]


def _feet_note(clearance_m: dict[str, float | None]) -> str:
    told = ", ".join(f"{foot} {100.0 * value:.1f}" for foot, value in clearance_m.items() if value is not None)
    return "Feet by joint encoders and odometry, in the last seconds." + (
        f" Clearance over where the foot stood before and after, median of all swings, cm: {told}." if told else ""
    )


def _leg_plots(run: RunData) -> list[tuple[str, Figure | None, str]]:
    return [
        ("Gait", leg_figures.gait_figure(run), "Bars: the foot is on the ground; FR is front right."),
        ("Feet and attitude", leg_figures.posture_figure(run), _feet_note(run.summary["legs"]["foot_clearance_m"])),
        ("Gait as learned", leg_figures.tuning_figure(run), "What the plastic synapses made of the gait."),
    ]


def _rates_title(run: RunData) -> str:
    spikes = ", spikes" if len(run.spikes) else ""
    return f"Events{spikes} and reward" if len(run.reward_t) else f"Events{spikes.replace(',', ' and')}"


def _plot(title: str, figure: Figure, note: str) -> str:
    below = f"<p>{note}</p>" if note else ""
    return f'<section><h2>{title}</h2><img alt="{title}" src="{png_uri(figure)}">{below}</section>'


def _weights_note(summary: dict[str, Any]) -> str:
    learning = summary["learning"]
    state = "on" if learning["on"] else "off"
    changed = [
        f"{escaped(name)}: {100 * row['share_changed']:.0f} % of {row['synapses']} synapses changed, mean "
        f"{row['mean_before']:.4f} to {row['mean_after']:.4f}"
        for name, row in learning["weights"].items()
    ]
    return f"Learning {state}, reward {escaped(learning['reward_mode'])}. " + "; ".join(changed)


def _tables(summary: dict[str, Any]) -> str:
    blocks = "".join(
        f"<section><h2>{escaped(title)}</h2>{table(rows)}{f'<p>{escaped(note)}</p>' if note else ''}</section>"
        for title, rows, note in tables(summary)
    )
    return f'<div class="tables">{blocks}</div>'


def _configuration(summary: dict[str, Any]) -> str:
    blocks = "".join(
        f"<details><summary>{escaped(name)}</summary>{table(flat_rows(values))}</details>"
        for name, values in summary["configuration"].items()
    )
    return f"<section><h2>Configuration</h2>{blocks}</section>"
