"""How the plots look: colours, quiet axes, figures built without pyplot (no global state, no window)."""

from __future__ import annotations

import base64
import io
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

INK, MUTED, GRID = "#1f2933", "#66727f", "#e4e8ec"
BLUE, ORANGE, GREEN, RED, VIOLET = "#2563eb", "#ea7317", "#2f9e58", "#d64545", "#7c4dcf"
LAYER_COLOURS = (BLUE, ORANGE, GREEN, VIOLET, RED)
OUTCOME_COLOURS = {"goal": GREEN, "collision": RED}


def png_uri(figure: Figure, dpi: int = 120) -> str:
    """The figure as a data URI, for an `img` that needs no other file."""
    buffer = io.BytesIO()
    FigureCanvasAgg(figure)
    figure.savefig(buffer, format="png", dpi=dpi, facecolor="white")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def blank(width: float, height: float, rows: int = 1, **options: Any) -> tuple[Figure, list[Axes]]:
    """A figure (inches) with `rows` plots above each other in the house style."""
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = [figure.add_subplot(rows, 1, 1)]
    axes += [figure.add_subplot(rows, 1, i + 1, **({"sharex": axes[0]} | options)) for i in range(1, rows)]
    for axis in axes:
        house_style(axis)
        if rows > 1:
            axis.label_outer()
    return figure, axes


def legend_above(axis: Axes) -> None:
    """The legend over the plot's upper right corner, clear of the curves."""
    axis.legend(frameon=False, fontsize=9, ncols=6, loc="lower right", bbox_to_anchor=(1.0, 0.97), borderaxespad=0.0)


def house_style(axis: Axes) -> None:
    """Quiet axes: light grid, no box."""
    axis.grid(True, color=GRID, linewidth=0.8)
    axis.set_axisbelow(True)
    axis.spines[["top", "right"]].set_visible(False)
    axis.spines[["left", "bottom"]].set_color("#b8c1ca")
    axis.tick_params(colors=MUTED, labelsize=9)
    for label in (axis.xaxis.label, axis.yaxis.label):
        label.set_color(MUTED)
        label.set_fontsize(9)
