"""summary.json: one run in numbers, with everything needed to fly it again."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from neuro_robot.bench.activity import PREFIX, Activity
from neuro_robot.bench.adaptation import LEVEL, WINDOW_S, adaptation
from neuro_robot.bench.bodies import body_of
from neuro_robot.bench.flight import FlightLog, FlightRequest
from neuro_robot.bench.legs import SCORE, leg_summary
from neuro_robot.bench.network_summary import network_summary
from neuro_robot.bench.pilots import mind_config
from neuro_robot.bench.plain import plain, versions
from neuro_robot.bench.rundata import RunData
from neuro_robot.bench.shifts import shift_s
from neuro_robot.config import from_dict, to_dict

SCHEMA = "neuro_robot.run/1"
Floats = npt.NDArray[np.float64]


def _nothing() -> Floats:
    return np.empty(0, np.float64)


@dataclass(frozen=True)
class RunFacts:
    """What a run knows and its bag does not tell."""

    request: FlightRequest
    mode: str  # lockstep | realtime | inprocess
    outcome: str
    reason: str
    wall_s: float
    digest: dict[str, str] = field(default_factory=dict)  # spikes, weights, commands
    reply_ms: Floats = field(default_factory=_nothing)  # packet to command, wall time
    reward_t: Floats = field(default_factory=_nothing)  # s
    reward: Floats = field(default_factory=_nothing)
    weights_before: dict[str, np.ndarray] = field(default_factory=dict)
    weights_after: dict[str, np.ndarray] = field(default_factory=dict)
    activity: Activity | None = None
    decisions: int | None = None  # commands while the activity was counted; None: those of the flight
    diagnostics: dict[str, Any] = field(default_factory=dict)
    gait: dict[str, Floats] = field(default_factory=dict)  # how a walker stepped, by reward_t; empty: not recorded
    success: bool = False  # as the body defines it


def facts_of(log: FlightLog) -> RunFacts:
    """The facts of a flight in process."""
    rewarded = np.isfinite(log.reward)
    return RunFacts(
        request=log.request,
        mode="inprocess",
        outcome=log.outcome,
        reason=log.reason,
        wall_s=log.wall_s,
        success=log.success,
        digest=log.digest,
        reply_ms=log.reply_ms[np.isfinite(log.reply_ms)],
        reward_t=log.t[rewarded],
        reward=log.reward[rewarded],
        weights_before=log.weights_before,
        weights_after=log.weights_after,
        activity=log.activity,
        diagnostics=dict(log.diagnostics) | {SCORE + name: value for name, value in log.score.items()},
        gait=log.gait,
    )


def summarise_run(facts: RunFacts, run: RunData) -> dict[str, Any]:
    """summary.json as plain values; `run` gives what the bag holds."""
    request = facts.request
    body = body_of(request.robot)
    sim: Any = from_dict(body.sim_config, request.sim)
    configuration = {"sim": to_dict(sim), "mind": to_dict(mind_config(request))}
    run = replace(run, summary={"configuration": configuration})  # whose legs it has
    radius_m = body.radius_m(sim)
    decisions = len(run.command_t) if facts.decisions is None else facts.decisions
    summary: dict[str, Any] = {
        "schema": SCHEMA,
        "mode": facts.mode,
        "world": run.world.name,
        "seed": request.seed,
        "speed": request.speed,
        "pilot": request.pilot,
        "outcome": facts.outcome,
        "success": body.success(facts.outcome, run.advance_m, request.speed, run.duration_s),
        "reason": facts.reason,
        "flight_s": run.duration_s,
        "wall_s": facts.wall_s,
        "real_time_factor": run.duration_s / facts.wall_s if facts.wall_s > 0 else None,
        "body_radius_m": radius_m,
        "path": path_figures(run, radius_m),
        "legs": leg_summary(run, facts.diagnostics),
        "counts": counts(run),
        "reply_ms": percentiles(facts.reply_ms),
        "first_spike_ms": first_spike_ms(run),
        "adaptation": adaptation_figures(facts),
        "learning": learning_state(facts),
        "changes": changes(run),
        "disturbances": disturbances(run),
        "network": None if facts.activity is None else network_summary(facts.activity, decisions),
        "diagnostics": {name: value for name, value in facts.diagnostics.items() if not name.startswith(PREFIX)},
        "digest": facts.digest,
        "request": asdict(request),
        "configuration": configuration,
        "versions": versions(),
    }
    return dict(plain(summary))


def changes(run: RunData) -> list[dict[str, Any]]:
    """What was changed from outside under way, in order, with the end of the first packet that it counted for, s."""
    return [{"t_s": told.t_ns * 1e-9, "kind": kind, "what": what} for told in run.applied for kind, what in told.deeds]


def disturbances(run: RunData) -> list[dict[str, Any]]:
    """The pushes and shifts of the world that came before the end, in order; a seed may have drawn them."""
    terrain = run.world.terrain
    told: list[dict[str, Any]] = [{"t_s": push.at_s, "push_ns": list(push.impulse)} for push in terrain.pushes]
    for shift in terrain.shifts:
        values = {"friction": shift.friction, "payload_kg": shift.payload_kg, "actuator": shift.actuator}
        told.append({"t_s": shift.at_s} | {name: value for name, value in values.items() if value is not None})
        if shift.actuator is not None:
            told[-1]["torque"] = shift.torque
    return sorted((one for one in told if one["t_s"] < run.duration_s), key=lambda one: one["t_s"])


def path_figures(run: RunData, radius_m: float) -> dict[str, Any]:
    """How far, how fast, how close to a solid."""
    clearance = run.clearance(radius_m)[1]
    near = clearance[np.isfinite(clearance)]
    metres = float(np.linalg.norm(np.diff(run.position, axis=0), axis=1).sum())
    speeds = np.linalg.norm(run.velocity, axis=1)
    return {
        "distance_m": metres,
        "mean_speed": metres / run.duration_s if run.duration_s > 0 else None,
        "peak_speed": float(speeds.max()) if len(speeds) else None,
        "min_clearance_m": float(near.min()) if len(near) else None,
    }


def counts(run: RunData) -> dict[str, Any]:
    """Events and spikes, and their mean rates."""
    seconds = run.duration_s
    layers = np.bincount(run.spikes["y"]).tolist() if len(run.spikes) else []
    return {
        "events": len(run.events),
        "on_events": int(np.count_nonzero(run.events["p"])),
        "event_rate_hz": len(run.events) / seconds if seconds > 0 else None,
        "spikes": len(run.spikes),
        "spikes_by_layer": layers,
        "spike_rate_hz": len(run.spikes) / seconds if seconds > 0 else None,
        "commands": len(run.command_t),
    }


def percentiles(values_ms: Floats) -> dict[str, float | None]:
    """p50, p90, p99 and the largest; None without values."""
    if not len(values_ms):
        return {"p50": None, "p90": None, "p99": None, "max": None}
    p50, p90, p99 = np.percentile(values_ms, [50, 90, 99])
    return {"p50": float(p50), "p90": float(p90), "p99": float(p99), "max": float(np.max(values_ms))}


def first_spike_ms(run: RunData) -> float | None:
    """Sensor time from the first event to the first spike of the last layer that spiked; None without either."""
    if not len(run.events) or not len(run.spikes):
        return None
    last = run.spikes["t"][run.spikes["y"] == run.spikes["y"].max()]
    return float(last.min() - run.events["t"][0]) * 1e-6


def adaptation_figures(facts: RunFacts) -> dict[str, Any]:
    """How long the mind took to recover from the first fault of the flight; `why` where that is not known.

    Performance is 1 - |reward|: the drone is rewarded for turning from what looms, and nothing looms while it is well.
    """
    told: dict[str, Any] = {"time_s": None, "level": LEVEL, "window_s": WINDOW_S}
    shift = shift_s(facts.request)
    if shift is None:
        return {**told, "why": "no fault was set for a time after 0 s"}
    told |= {"shift": "first fault", "shift_s": shift}
    if not len(facts.reward_t):
        return {**told, "why": "the reward is not known: fly with a recording"}
    found = adaptation(facts.reward_t, 1.0 - np.abs(facts.reward), shift)
    return {**told, "why": "the flight ended before the fault"} if found is None else {**told, **asdict(found)}


def learning_state(facts: RunFacts) -> dict[str, Any]:
    """Whether it learned, from what, and what became of the weights (synapses only; NaN is none)."""
    request = facts.request
    weights = {}
    for name, after in facts.weights_after.items():
        real = np.isfinite(after)
        if not real.any():
            continue
        before = facts.weights_before.get(name, after)
        change = np.abs(after - before)[real]
        weights[name] = {
            "synapses": int(real.sum()),
            "mean_before": float(np.mean(before[real])),
            "mean_after": float(np.mean(after[real])),
            "mean_change": float(change.mean()),
            "share_changed": float(np.mean(change > 0)),
        }
    return {
        "on": request.learning and request.pilot == "snn",
        "reward_mode": request.reward_mode,
        "started_from": request.weights or "initial weights",
        "weights": weights,
    }


def write_summary(summary: dict[str, Any], path: Path) -> None:
    """Strict JSON (no NaN), indented."""
    path.write_text(json.dumps(summary, indent=2, allow_nan=False) + "\n")
