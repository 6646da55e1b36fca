"""An evaluation as pictures: success by pilot and speed with its interval, and how learning went."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from neuro_robot.bench.plot_style import BLUE, GREEN, INK, MUTED, ORANGE, RED, VIOLET, blank, legend_above

ROW_COLOURS = {"blind": MUTED, "potential_field": VIOLET, "frozen": ORANGE, "learned": GREEN, "shuffled": RED}


def write_plots(result: dict[str, Any], folder: Path) -> list[Path]:
    """Write success.png and, when something was trained, learning.png; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    figures = {"success.png": success_figure(result)}
    if any(result["training"].values()):
        figures["learning.png"] = learning_figure(result)
    for name, figure in figures.items():
        FigureCanvasAgg(figure)
        figure.savefig(folder / name, dpi=130, facecolor="white")
    return [folder / name for name in figures]


def success_figure(result: dict[str, Any]) -> Figure:
    """Bars of the success rate with Wilson 95 % intervals, grouped by speed."""
    names, speeds = list(result["rows"]), [f"{speed:g}" for speed in result["speeds"]]
    figure, (axis,) = blank(2.5 + 1.9 * len(speeds), 3.6)
    axis.grid(False, axis="x")
    width = 0.82 / len(names)
    for k, name in enumerate(names):
        cells = [result["rows"][name]["by_speed"][speed] for speed in speeds]
        at = [i - 0.41 + (k + 0.5) * width for i in range(len(speeds))]
        rates = [100 * (cell["success_rate"] or 0.0) for cell in cells]
        reach = [
            [rate - 100 * cell["interval"][0] for rate, cell in zip(rates, cells, strict=True)],
            [100 * cell["interval"][1] - rate for rate, cell in zip(rates, cells, strict=True)],
        ]
        axis.bar(at, rates, width * 0.9, color=ROW_COLOURS.get(name, BLUE), label=name.replace("_", " "))
        axis.errorbar(at, rates, reach, fmt="none", ecolor=INK, elinewidth=1.1, capsize=2.5)
    axis.set_xticks(range(len(speeds)), [f"{speed} m/s" for speed in speeds])
    axis.set(ylim=(0, 104), ylabel="flights that arrive, %")
    figure.suptitle(f"{result['world']}, {len(result['seeds'])} worlds", x=0.01, ha="left", fontsize=11, color=INK)
    legend_above(axis)
    return figure


def learning_figure(result: dict[str, Any]) -> Figure:
    """Success of the last ten training flights, and metres of each flight, over simulated minutes."""
    figure, axes = blank(8.0, 4.8, 2)
    for name, networks in result["training"].items():
        colour = ROW_COLOURS.get(name, BLUE)
        for number, one in enumerate(networks):
            minutes = [row["minutes"] for row in one["curve"]]
            label = name if number == 0 else None
            axes[0].plot(
                minutes,
                [100 * row["trailing_success"] for row in one["curve"]],
                color=colour,
                linewidth=1.6,
                label=label,
            )
            axes[1].plot(minutes, [row["distance_m"] for row in one["curve"]], ".", color=colour, markersize=5)
    axes[0].set(ylabel="last ten arrived, %", ylim=(-3, 103))
    axes[1].set(ylabel="metres flown", xlabel="simulated flight, min", ylim=(0, None), xlim=(0, None))
    legend_above(axes[0])
    return figure
