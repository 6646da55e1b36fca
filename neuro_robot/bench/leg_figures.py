"""The plots of a walk that a flight does not have: gait, feet, attitude, learned parameters."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from neuro_robot.bench.legs import attitude, foot_heights, gaits_walked, stances
from neuro_robot.bench.plot_style import BLUE, GREEN, INK, ORANGE, VIOLET, blank, legend_above
from neuro_robot.bench.rundata import RunData
from neuro_robot.sim.quadruped import LEGS

FOOT_COLOURS = (BLUE, ORANGE, GREEN, VIOLET)
GAIT_S = 4.0  # shown of the beginning, of the end and around a change
CHANGES = 4  # of gait that are shown


def gait_figure(run: RunData) -> Figure:
    """When each foot stands: the first seconds above, the last below, the first changes of gait in between."""
    end = max(run.duration_s, 0.1)
    changes = [(t_s, gait) for t_s, gait in gaits_walked(run) if t_s < end]
    spans = [(0.0, min(GAIT_S, end))] + ([(end - GAIT_S, end)] if end > 1.5 * GAIT_S else [])
    spans[1:1] = [(max(t_s - 0.25 * GAIT_S, 0.0), t_s + 0.75 * GAIT_S) for t_s, _ in changes[1 : 1 + CHANGES]]
    figure, axes = blank(11.0, 0.6 + 1.5 * len(spans), len(spans), sharex=None)
    for axis, (start, stop) in zip(axes, spans, strict=True):
        for t_s, gait in changes:
            if start <= t_s < stop:
                axis.axvline(t_s, color=INK, linewidth=1.0, linestyle="--")
                axis.annotate(gait, (t_s, 1.0), (4, 3), xycoords=("data", "axes fraction"), textcoords="offset points")
        for foot, (name, colour) in enumerate(zip(LEGS, FOOT_COLOURS, strict=True)):
            bars = [(down, up - down) for down, up in stances(run, foot)]
            axis.broken_barh(bars, (foot - 0.35, 0.7), color=colour, label=name)
        axis.set_yticks(range(len(LEGS)), LEGS)
        axis.invert_yaxis()
        axis.set(xlim=(start, stop))
        axis.tick_params(labelbottom=True)
    axes[-1].set_xlabel("time, s")
    return figure


def posture_figure(run: RunData) -> Figure:
    """Height of the feet in the last seconds; roll, pitch and heading of the whole walk."""
    figure, axes = blank(11.0, 5.4, 3, sharex=None)
    recent = run.joint_t >= run.duration_s - GAIT_S
    heights = 100.0 * foot_heights(run)
    for foot, (name, colour) in enumerate(zip(LEGS, FOOT_COLOURS, strict=True)):
        axes[0].plot(run.joint_t[recent], heights[recent, foot], color=colour, linewidth=1.2, label=name)
    axes[0].set(ylabel="foot over z = 0, cm")
    legend_above(axes[0])
    roll, pitch, yaw = (np.degrees(angle) for angle in attitude(run))
    axes[1].plot(run.odom_t, roll, color=BLUE, linewidth=1.0, label="roll")
    axes[1].plot(run.odom_t, pitch, color=ORANGE, linewidth=1.0, label="pitch")
    axes[1].set(ylabel="degrees")
    legend_above(axes[1])
    axes[2].plot(run.odom_t, np.degrees(np.unwrap(np.radians(yaw))), color=GREEN, linewidth=1.4)
    axes[2].set(ylabel="heading, degrees left", xlabel="time, s")
    for axis in axes:
        axis.tick_params(labelbottom=True)
    return figure


def tuning_figure(run: RunData) -> Figure | None:
    """What was learned about the gait, over time; None where it was not recorded."""
    if not run.gait:
        return None
    figure, axes = blank(11.0, 0.6 + 1.2 * len(run.gait), len(run.gait))
    for axis, (name, values) in zip(axes, run.gait.items(), strict=True):
        axis.plot(run.reward_t[: len(values)], values, color=VIOLET, linewidth=1.4)
        axis.set_ylabel(name.replace("_", " "), rotation=0, ha="right")
    axes[-1].set_xlabel("time, s")
    return figure
