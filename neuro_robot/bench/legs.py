"""What a walk was like, from its recording: way, drift, cost of transport, steps, attitude, feet."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from neuro_robot.agents.gait import gait_at, gaits_of
from neuro_robot.bench.rundata import RunData
from neuro_robot.bench.statistics import heading_lost
from neuro_robot.config import from_dict
from neuro_robot.sim.quadrotor import GRAVITY
from neuro_robot.sim.quadruped import LEGS, QuadrupedConfig, foot_positions, leg_geometry

Floats = npt.NDArray[np.float64]
BOUNCE_S = 0.06  # a foot that is up for less bounces, or its switch does: most last under 0.03 s, swings over 0.1 s
SCORE = "sim_score_"  # before the simulation's own figures among the diagnostics


def leg_summary(run: RunData, diagnostics: Mapping[str, Any]) -> dict[str, Any] | None:
    """The legs' part of summary.json; None for a robot without legs.

    cost_of_transport: positive work of the joints over weight times way ahead. Work, weight and slip are the
    simulation's own (diagnostics `sim_score_...`); without them, None.
    """
    if not run.joints.shape[2]:
        return None
    seconds = max(run.duration_s, 1e-9)
    ahead = run.advance_m
    roll, pitch, yaw = attitude(run)
    steps = sum(down > 0.0 for foot in range(len(LEGS)) for down, _ in stances(run, foot))
    score = {name.removeprefix(SCORE): float(value) for name, value in diagnostics.items() if name.startswith(SCORE)}
    work, mass = score.get("positive_work_j"), score.get("mass_kg")
    priced = work is not None and mass is not None and ahead > 0
    return {
        "advance_m": ahead,
        "mean_speed": ahead / seconds,
        "heading_lost_deg": heading_lost(run.odom_t, yaw),
        "cost_of_transport": work / (mass * GRAVITY * ahead) if priced and work and mass else None,
        "positive_work_j": work,
        "slip_m": score.get("slip_m"),
        "steps": steps,
        "step_rate_hz": steps / len(LEGS) / seconds,
        "foot_clearance_m": dict(zip(LEGS, map(_median, foot_clearances(run)), strict=True)),
        "duty_factor": dict(zip(LEGS, duty_factors(run), strict=True)),
        "roll_rms_deg": math.degrees(float(np.sqrt(np.mean(roll**2)))) if len(roll) else None,
        "pitch_rms_deg": math.degrees(float(np.sqrt(np.mean(pitch**2)))) if len(pitch) else None,
    }


def attitude(run: RunData) -> tuple[Floats, Floats, Floats]:
    """Roll, pitch (nose down is positive) and yaw of each pose, rad (REP-103)."""
    x, y, z, w = run.orientation.T if len(run.orientation) else np.empty((4, 0))
    roll = np.arctan2(2.0 * (w * x + y * z), 1.0 - 2.0 * (x * x + y * y))
    pitch = np.arcsin(np.clip(2.0 * (w * y - z * x), -1.0, 1.0))
    yaw = np.arctan2(2.0 * (w * z + x * y), 1.0 - 2.0 * (y * y + z * z))
    return roll, pitch, yaw


def stances(run: RunData, foot: int) -> list[tuple[float, float]]:
    """When a foot stood: (touch-down, lift-off) in s. Feet stand before their first touch and after their last.

    What lies less than BOUNCE_S apart is one stance.
    """
    mine = run.touches[run.touches["x"] == foot]
    found: list[tuple[float, float]] = []
    down = 0.0 if not len(mine) or not mine["p"][0] else None
    for t_s, touched in zip(mine["t"] * 1e-9, mine["p"], strict=True):
        if touched and down is None:
            bounced = found and t_s - found[-1][1] < BOUNCE_S
            down = found.pop()[0] if bounced else float(t_s)
        elif not touched and down is not None:
            found.append((down, float(t_s)))
            down = None
    return found if down is None else [*found, (down, max(run.duration_s, down))]


def gaits_walked(run: RunData) -> list[tuple[float, str]]:
    """From when on, s, which gait: by the configuration, and by what came from outside later."""
    mind = run.summary.get("configuration", {}).get("mind", {})
    texts = [(0.0, str(mind.get("gait", "trot")))]
    texts += [(told.t_ns * 1e-9, told.steered.gait) for told in run.applied if told.steered]
    walked: list[tuple[float, str]] = []
    for (begin, text), (end, _) in pairwise([*texts, (math.inf, "")]):
        changes = gaits_of(text)
        now = gait_at(changes, round(begin * 1e9))
        later = [(change.at_ns * 1e-9, change.gait) for change in changes if begin < change.at_ns * 1e-9 < end]
        for item in ((begin, now), *later):
            if not walked or walked[-1][1] != item[1]:
                walked.append(item)
    return walked


def duty_factors(run: RunData) -> list[float]:
    """Share of the time that each foot stands."""
    seconds = max(run.duration_s, 1e-9)
    return [sum(up - down for down, up in stances(run, foot)) / seconds for foot in range(len(LEGS))]


def foot_heights(run: RunData) -> Floats:
    """Lowest points of the feet (J, 4) over z = 0 of odom, m, by joint encoders and odometry between whose poses lies
    a straight line.
    """
    body = from_dict(QuadrupedConfig, run.summary["configuration"]["sim"]["body"])
    if not len(run.odom_t):
        return np.full((len(run.joint_t), len(LEGS)), math.nan)
    x, y, z, w = run.orientation.T
    up = np.stack([2.0 * (x * z - w * y), 2.0 * (y * z + w * x), 1.0 - 2.0 * (x * x + y * y)])  # odom's z in base_link
    rows = [np.interp(run.joint_t, run.odom_t, row) for row in (*up, run.position[:, 2])]
    heights: Floats = np.einsum("kj,jlk->jl", rows[:3], feet_in_trunk(run)) + rows[3][:, None]
    return heights - body.foot_radius


def foot_clearances(run: RunData) -> list[Floats]:
    """By foot, of each swing between two stances, m: how far the foot rose over the line between where it stood."""
    heights, t = foot_heights(run), run.joint_t
    clearances = []
    for foot in range(len(LEGS)):
        rises = []
        for (_, lifted), (landed, _) in pairwise(stances(run, foot)):
            swing = (t >= lifted) & (t <= landed)
            if np.count_nonzero(swing) > 2:
                height, share = heights[swing, foot], (t[swing] - lifted) / (landed - lifted)
                rises.append(float(np.max(height - height[0] - share * (height[-1] - height[0]))))
        clearances.append(np.array(rises))
    return clearances


def _median(values: Floats) -> float | None:
    return float(np.median(values)) if len(values) else None


def feet_in_trunk(run: RunData) -> Floats:
    """Centres of the feet (J, 4, 3) in base_link, m, by the joint encoders."""
    body = from_dict(QuadrupedConfig, run.summary["configuration"]["sim"]["body"])
    return _feet(leg_geometry(body), run.joints[:, 0])


def leg_points(run: RunData) -> Floats:
    """Hip joints, knees and feet (3, J, 4, 3) in base_link, m, by the joint encoders.

    A leg ends in its hip joint, or in its knee, when the links below have no length.
    """
    body = from_dict(QuadrupedConfig, run.summary["configuration"]["sim"]["body"])
    geometry, angles = leg_geometry(body), run.joints[:, 0]
    to_knee, to_hip = geometry.copy(), geometry.copy()
    to_knee[:, 5] = 0.0
    to_hip[:, 4:] = 0.0
    return np.stack([_feet(links, angles) for links in (to_hip, to_knee, geometry)])


def _feet(geometry: Floats, angles: Floats) -> Floats:
    feet = np.empty((len(angles), len(LEGS), 3))
    for row, out in zip(angles, feet, strict=True):
        foot_positions(geometry, np.ascontiguousarray(row), out)
    return feet
