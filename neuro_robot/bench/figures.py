"""The plots of a flight."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Polygon, Rectangle

from neuro_robot.bench.plot_style import (
    BLUE,
    GREEN,
    INK,
    LAYER_COLOURS,
    MUTED,
    ORANGE,
    OUTCOME_COLOURS,
    RED,
    VIOLET,
    blank,
    house_style,
    legend_above,
)
from neuro_robot.bench.rundata import Floats, RunData, rate
from neuro_robot.sim.world import World
from neuro_robot.snn.faults_text import faults_of

FOOTING = "#d9cdb4"  # what a robot walks on

MAX_RASTER = 60_000  # spikes drawn; more are thinned evenly and the plot says so


def path_figure(run: RunData) -> Figure:
    """The path from above among the objects, coloured by speed, with start, goal and outcome."""
    bounds, goal = run.world.bounds, run.world.goal
    length, breadth = bounds.xmax - bounds.xmin, bounds.ymax - bounds.ymin
    figure, (axis,) = blank(11.0, float(np.clip(11.0 * breadth / length + 0.5, 2.6, 7.0)))
    axis.grid(False)
    _draw_objects(axis, run.world, run.duration_s)
    speed = np.linalg.norm(run.velocity, axis=1)
    lines = coloured_line(axis, run.position[:, 0], run.position[:, 1], speed)
    bar = figure.colorbar(lines, ax=axis, pad=0.01, fraction=0.02, shrink=0.8)
    bar.set_label("speed, m/s", color=MUTED, fontsize=9)
    bar.ax.tick_params(colors=MUTED, labelsize=8)
    bar.outline.set_visible(False)
    if goal.radius is None:
        axis.axvline(goal.x, color=GREEN, linewidth=2, linestyle=(0, (4, 3)))
        axis.annotate(
            "goal",
            (goal.x, bounds.ymax),
            (-4, -4),
            textcoords="offset points",
            color=GREEN,
            fontsize=9,
            ha="right",
            va="top",
        )
    else:
        axis.add_patch(Circle((goal.x, goal.y), goal.radius, fill=False, edgecolor=GREEN, linewidth=2))
    axis.plot(run.world.start.x, run.world.start.y, "o", color=INK, markersize=6)
    outcome = str(run.summary.get("outcome", ""))
    marker = "X" if outcome == "collision" else "o"
    if len(run.position):
        axis.plot(
            *run.position[-1, :2],
            marker,
            color=OUTCOME_COLOURS.get(outcome, ORANGE),
            markersize=10,
            markeredgecolor="white",
            zorder=5,
        )
    axis.set(xlim=(bounds.xmin, bounds.xmax), ylim=(bounds.ymin, bounds.ymax), xlabel="x, m", ylabel="y, m")
    axis.set_aspect("equal")
    return figure


def coloured_line(axis: Axes, x: Floats, y: Floats, value: Floats) -> LineCollection:
    """A line whose colour follows `value`; at most about 2000 pieces."""
    step = max(1, len(x) // 2000)
    points = np.stack([x[::step], y[::step]], axis=1)
    pieces = np.stack([points[:-1], points[1:]], axis=1) if len(points) > 1 else np.empty((0, 2, 2))
    lines = LineCollection(list(pieces), cmap="plasma", linewidth=2.4, capstyle="round", zorder=4)
    lines.set_array(np.asarray(value[::step][: len(pieces)]))
    lines.set_clim(0.0, float(max(np.max(value, initial=0.0), 1.0)))
    axis.add_collection(lines)
    return lines


def _draw_objects(axis: Axes, world: World, t_end_s: float) -> None:
    """Solids seen from above; moving ones where the flight ended, with the way they came. What is walked on is pale."""
    for field in world.terrain.fields:
        length, width = ((count - 1) * field.cell_m for count in field.shape)
        axis.add_patch(Rectangle((field.x, field.y), length, width, facecolor=FOOTING, alpha=0.4, zorder=0.5))
    for patch in world.terrain.frictions:
        (x0, x1), (y0, y1) = patch.x, patch.y
        axis.add_patch(Rectangle((x0, y0), x1 - x0, y1 - y0, facecolor=BLUE, alpha=0.12, zorder=0.6))
    moving = set(world.moving)
    times = np.linspace(0.0, t_end_s, 60)
    ways = np.array([world.positions_at(float(t)) for t in times]) if moving else None
    centres = world.positions_at(t_end_s)
    for index, item in enumerate(world.objects):
        x, y = float(centres[index, 0]), float(centres[index, 1])
        colour = ORANGE if index in moving else FOOTING if item.walkable else "#5d7a55"
        if index in moving and ways is not None:
            axis.plot(ways[:, index, 0], ways[:, index, 1], color=ORANGE, linewidth=0.8, alpha=0.5)
        if item.kind == "box":
            c, s = np.cos(item.yaw), np.sin(item.yaw)
            corners = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]]) * item.size[:2]
            axis.add_patch(Polygon(corners @ np.array([[c, s], [-s, c]]) + (x, y), color=colour))
        else:
            axis.add_patch(Circle((x, y), item.size[0], color=colour))


def motion_figure(run: RunData) -> Figure:
    """Forward and sideways speed against their commands; clearance below."""
    figure, axes = blank(11.0, 5.6, 3)
    names = (("forward, m/s", 0), ("sideways, m/s", 1))
    for axis, (name, k) in zip(axes, names, strict=False):
        axis.plot(run.command_t, run.command[:, k], color=ORANGE, linewidth=1.0, label="commanded")
        axis.plot(run.odom_t, run.velocity[:, k], color=BLUE, linewidth=1.6, label="flown")
        axis.set_ylabel(name)
    legend_above(axes[0])
    every = max(1, len(run.odom_t) // 1500)
    t, clearance = run.clearance(float(run.summary.get("body_radius_m", 0.0)), every)
    axes[2].fill_between(t, 0.0, clearance, color=GREEN, alpha=0.18, linewidth=0)
    axes[2].plot(t, clearance, color=GREEN, linewidth=1.6)
    axes[2].set(ylabel="clearance, m", xlabel="time, s", ylim=(0, None), xlim=(0.0, max(run.duration_s, 0.1)))
    return figure


def rates_figure(run: RunData) -> Figure:
    """Event rate, spike rate per layer and reward over time."""
    spiking, rewarded = len(run.spikes) > 0, len(run.reward_t) > 0
    rows = 1 + spiking + rewarded
    figure, axes = blank(11.0, 0.8 + 1.6 * rows, rows)
    on = run.events["p"] > 0
    for mask, name, colour in ((on, "ON", BLUE), (~on, "OFF", RED)):
        t, rates = rate(run.events["t"][mask], run.duration_s, 0.02)
        axes[0].plot(t, rates * 1e-3, color=colour, linewidth=1.2, label=name)
    axes[0].set(ylabel="events, 1000/s", ylim=(0, None))
    legend_above(axes[0])
    for layer, name in layer_names(run).items():
        t, rates = rate(run.spikes["t"][run.spikes["y"] == layer], run.duration_s, 0.05)
        axes[1].plot(t, rates, color=layer_colour(layer), linewidth=1.2, label=name)
    if spiking:
        axes[1].set(ylabel="spikes, 1/s", ylim=(0, None))
        mark_faults(axes[1], run)
        legend_above(axes[1])
    if rewarded:
        axes[-1].axhline(0.0, color="#b8c1ca", linewidth=0.8)
        axes[-1].plot(run.reward_t, run.reward, color=VIOLET, linewidth=1.2)
        axes[-1].set_ylabel("reward")
    axes[-1].set(xlabel="time, s", xlim=(0.0, max(run.duration_s, 0.1)))
    return figure


def mark_faults(axis: Axes, run: RunData) -> None:
    """Dashed lines where a fault began or was healed."""
    text = str(run.summary.get("configuration", {}).get("mind", {}).get("faults", ""))
    told = faults_of(text)
    times = {(one.at_ms, "fault") for one in told} | {(one.until_ms, "healed") for one in told}
    for t_ms, word in sorted(times):
        if 0 < t_ms * 1e-3 < run.duration_s:
            axis.axvline(t_ms * 1e-3, color=RED, linewidth=1.2, linestyle=(0, (4, 3)))
            place: dict[str, Any] = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points"}
            axis.annotate(word, (t_ms * 1e-3, 1.0), (3, 2), color=RED, fontsize=8, **place)


def layer_names(run: RunData) -> dict[int, str]:
    """Names of the spike layers by number, as the summary has them."""
    known = (run.summary.get("network") or {}).get("layers", {})
    by_number = dict(enumerate(known))
    return {int(k): by_number.get(int(k), f"layer {k}") for k in np.unique(run.spikes["y"])}


def layer_colour(layer: int) -> str:
    """One colour per layer in every plot and in the video."""
    return LAYER_COLOURS[layer % len(LAYER_COLOURS)]


def raster_rows(run: RunData) -> tuple[dict[int, int], int]:
    """First row of each layer in a raster, and the number of rows: layers above each other with a gap between."""
    sizes = list((run.summary.get("network") or {}).get("layers", {}).values())
    first: dict[int, int] = {}
    row = 0
    for layer in sorted({int(k) for k in np.unique(run.spikes["y"])}):
        seen = int(run.spikes["x"][run.spikes["y"] == layer].max()) + 1
        first[layer] = row
        row += max(seen, int(sizes[layer]) if layer < len(sizes) else 0) + 2
    return first, max(row - 2, 1)


def raster_figure(run: RunData) -> Figure | None:
    """Every spike: time across, neurons up, layers in colours; None without spikes."""
    if not len(run.spikes):
        return None
    figure, (axis,) = blank(11.0, 4.2)
    thin = max(1, -(-len(run.spikes) // MAX_RASTER))
    spikes = run.spikes[::thin]
    first, rows = raster_rows(run)
    names = layer_names(run)
    ticks = []
    for layer, row in first.items():
        mine = spikes[spikes["y"] == layer]
        axis.plot(
            mine["t"] * 1e-9, mine["x"] + row, "|", color=layer_colour(layer), markersize=3.2, markeredgewidth=0.7
        )
        last = int(mine["x"].max()) if len(mine) else 0
        ticks.append((row + 0.5 * last, names[layer]))
    axis.set_yticks([row for row, _ in ticks], [name for _, name in ticks])
    axis.set(xlabel="time, s", xlim=(0.0, max(run.duration_s, 0.1)), ylim=(-1, rows + 1))
    mark_faults(axis, run)
    if thin > 1:
        axis.set_title(f"one spike in {thin} drawn", fontsize=8, color=MUTED, loc="right")
    return figure


def weights_figure(run: RunData) -> Figure | None:
    """Each plastic weight matrix before, after, and what changed; None without weights."""
    names = [name for name, w in run.weights_after.items() if np.size(w) > 1]
    if not names:
        return None
    figure = Figure(figsize=(11.0, 3.0 * len(names)), layout="constrained")
    for row, name in enumerate(names):
        after = np.atleast_2d(np.asarray(run.weights_after[name], dtype=np.float64))
        before = np.atleast_2d(np.asarray(run.weights_before.get(name, after), dtype=np.float64))
        span = float(max(np.nanmax(np.abs(before)), np.nanmax(np.abs(after)), 1e-9))
        change = after - before
        reach = float(max(np.nanmax(np.abs(change)), 1e-9))
        low = 0.0 if min(np.nanmin(before), np.nanmin(after)) >= 0 else -span
        panels = ((before, "before", low, span), (after, "after", low, span), (change, "change", -reach, reach))
        for column, (values, title, lowest, highest) in enumerate(panels):
            axis = figure.add_subplot(len(names), 3, 3 * row + column + 1)
            colours = "viridis" if lowest == 0.0 else "RdBu_r"
            image = axis.imshow(
                values.T,
                aspect="auto",
                cmap=colours,
                vmin=lowest,
                vmax=highest,
                origin="lower",
                interpolation="nearest",
            )
            axis.set_title(f"{name}: {title}", fontsize=10, color=INK, loc="left")
            house_style(axis)
            axis.grid(False)
            axis.set(xlabel="from neuron", ylabel="to neuron" if column == 0 else "")
            bar = figure.colorbar(image, ax=axis, fraction=0.05, pad=0.02)
            bar.ax.tick_params(colors=MUTED, labelsize=8)
            bar.outline.set_visible(False)
    return figure
