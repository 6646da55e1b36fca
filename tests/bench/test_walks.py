"""Walks in numbers: figures of the legs against hand counts, the table's cells, what counts as success."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bench.fakes import episode, fake_run, log_of
from rich.console import Console
from scipy.stats import poisson

from neuro_robot.bench import evaluate_walk, leg_figures, walk_figures
from neuro_robot.bench.bodies import body_of, walked
from neuro_robot.bench.evaluate_walk import WalkEvaluation, _first_jobs
from neuro_robot.bench.flight import FlightRequest
from neuro_robot.bench.legs import (
    BOUNCE_S,
    attitude,
    duty_factors,
    feet_in_trunk,
    foot_clearances,
    foot_heights,
    leg_points,
    leg_summary,
    stances,
)
from neuro_robot.bench.pilots import mind_config
from neuro_robot.bench.statistics import heading_lost
from neuro_robot.bench.summary import disturbances
from neuro_robot.bench.walk_figures import summarise_walks
from neuro_robot.cli_walk_tables import evaluation_tables
from neuro_robot.config import to_dict
from neuro_robot.errors import ConfigError, NeuroRobotError
from neuro_robot.events.array import EVENT_DTYPE
from neuro_robot.sim.quadruped import QuadrupedConfig, stance_of
from neuro_robot.sim.terrain import Push, Shift, Terrain
from neuro_robot.sim.world import Start, load_world

SECONDS = 4.0


def walked_run():
    """Two metres ahead in 4 s, turning 0.2 rad left; FR steps twice, the others stand."""
    _, run = fake_run()
    t = np.arange(0.0, SECONDS + 1e-9, 0.005)
    yaw = 0.2 * t / SECONDS
    half = yaw / 2
    touches = np.array([(1e9, 0, 0, 0), (1.5e9, 0, 0, 1), (3e9, 0, 0, 0), (3.25e9, 0, 0, 1)], EVENT_DTYPE)
    joints = np.zeros((len(t), 3, 12))
    joints[:, 0] = stance_of(QuadrupedConfig())
    return replace(
        run,
        summary={"configuration": {"sim": {"body": to_dict(QuadrupedConfig())}}},
        odom_t=t,
        position=np.stack([run.world.start.x + 0.5 * t, 0 * t, 0 * t + 0.3], axis=1),
        orientation=np.stack([0 * t, 0 * t, np.sin(half), np.cos(half)], axis=1),
        velocity=np.zeros((len(t), 3)),
        touches=touches,
        joint_t=t,
        joints=joints,
        reward_t=t,
        gait={"stride": np.ones(len(t))},
    )


def test_the_legs_part_of_the_summary():
    score = {"sim_score_positive_work_j": 60.0, "sim_score_mass_kg": 12.0, "sim_score_slip_m": 0.3}
    legs = leg_summary(walked_run(), score)
    assert legs["advance_m"] == pytest.approx(2.0)
    assert legs["mean_speed"] == pytest.approx(0.5)
    assert legs["heading_lost_deg"] is None
    assert legs["cost_of_transport"] == pytest.approx(60.0 / (12.0 * 9.80665 * 2.0), rel=1e-3)
    assert legs["steps"] == 2
    assert legs["step_rate_hz"] == pytest.approx(2 / 4 / SECONDS)
    assert legs["duty_factor"]["FR"] == pytest.approx(1 - 0.75 / SECONDS)
    assert legs["duty_factor"]["RL"] == 1.0
    assert leg_summary(walked_run(), {})["cost_of_transport"] is None
    assert leg_summary(fake_run()[1], score) is None


def test_stances_and_attitude():
    run = walked_run()
    assert stances(run, 0) == [(0.0, 1.0), (1.5, 3.0), (3.25, pytest.approx(SECONDS))]
    assert duty_factors(run)[1:] == [1.0, 1.0, 1.0]
    roll, pitch, yaw = attitude(run)
    assert np.allclose(roll, 0) and np.allclose(pitch, 0)  # noqa: PT018
    assert yaw[-1] == pytest.approx(0.2)


def test_a_foot_that_bounces_takes_no_step():
    run = walked_run()
    up, short, long = 1_600_000_000, int(0.9e9 * BOUNCE_S), int(1.1e9 * BOUNCE_S)
    for gap_ns, steps in ((short, 2), (long, 3)):
        bounce = np.array([(up, 0, 0, 0), (up + gap_ns, 0, 0, 1)], EVENT_DTYPE)
        touches = np.concatenate([run.touches[:2], bounce, run.touches[2:]])
        felt = replace(run, touches=touches)
        assert leg_summary(felt, {})["steps"] == steps
        assert len(stances(felt, 0)) == steps + 1
        assert [len(swings) for swings in foot_clearances(felt)] == [steps, 0, 0, 0]


def test_pushes_and_shifts_until_the_end_are_told_in_order():
    terrain = Terrain(
        pushes=(Push(3.0, (0.0, 9.0, 0.0), 0.1), Push(5.0, (1.0, 0.0, 0.0), 0.1)),
        shifts=(Shift(2.0, payload_kg=3.0), Shift(1.0, actuator="FL_thigh", torque=0.6), Shift(4.5, friction=0.3)),
    )
    run = walked_run()
    told = disturbances(replace(run, world=replace(run.world, terrain=terrain)))
    assert told == [
        {"t_s": 1.0, "actuator": "FL_thigh", "torque": 0.6},
        {"t_s": 2.0, "payload_kg": 3.0},
        {"t_s": 3.0, "push_ns": [0.0, 9.0, 0.0]},
    ]


def test_clearance_is_how_far_a_foot_rises_over_where_it_stood():
    run, body = walked_run(), QuadrupedConfig()
    t = run.joint_t
    lifted, landed = (t - 1.0) / 0.5, (t - 3.0) / 0.25
    rise = 0.05 * np.sin(np.pi * lifted) * ((lifted > 0) & (lifted < 1))  # of the trunk, which the foot follows
    rise += 0.03 * np.sin(np.pi * landed) * ((landed > 0) & (landed < 1))
    climb = 0.02 * np.clip(lifted, 0, 1)  # onto a step: the line from foothold to foothold counts as none
    pitch = 0.1
    moved = replace(run, position=np.stack([0 * t, 0 * t, 0.3 + rise + climb], axis=1),
                    orientation=np.tile([0.0, math.sin(pitch / 2), 0.0, math.cos(pitch / 2)], (len(t), 1)))  # fmt: skip
    heights = foot_heights(moved)
    feet = feet_in_trunk(moved)[0]
    nose_down = -math.sin(pitch) * feet[:, 0] + math.cos(pitch) * feet[:, 2]
    assert np.allclose(heights[0], 0.3 + nose_down - body.foot_radius)
    assert foot_clearances(moved)[0] == pytest.approx([0.05, 0.03], abs=2e-4)
    assert [len(swings) for swings in foot_clearances(moved)] == [2, 0, 0, 0]
    clearance = leg_summary(moved, {})["foot_clearance_m"]
    assert clearance["FR"] == pytest.approx(0.04, abs=2e-4)
    assert clearance["RL"] is None


def test_feet_stand_under_their_hips():
    run = walked_run()
    feet = feet_in_trunk(run)[0]
    body = QuadrupedConfig()
    drop = body.thigh_length * math.cos(0.9) + body.shank_length * math.cos(0.9 - 1.8)
    assert np.allclose(feet[:, 2], -drop)
    assert np.allclose(np.abs(feet[:, 1]), body.hip_y + body.hip_length)
    hips, knees, ends = leg_points(run)[:, 0]
    assert np.allclose(np.linalg.norm(knees - hips, axis=1), body.thigh_length)
    assert np.allclose(np.linalg.norm(ends - knees, axis=1), body.shank_length)


def test_figures_are_drawn():
    run = walked_run()
    assert len(leg_figures.gait_figure(run).axes) == 1
    assert len(leg_figures.posture_figure(run).axes) == 3
    assert len(leg_figures.tuning_figure(run).axes) == 1
    assert leg_figures.tuning_figure(replace(run, gait={})) is None


def test_success_is_upright_and_far_enough_or_the_goal():
    assert walked("timeout", 9.6, 0.6, 20.0)
    assert not walked("timeout", 9.5, 0.6, 20.0)
    assert not walked("fall", 30.0, 0.6, 20.0)
    assert walked("goal", 1.0, 0.6, 20.0)
    assert body_of("drone").success("goal", 0.0, 5.0, 1.0)
    with pytest.raises(ConfigError, match="drone, quadruped"):
        body_of("boat")


def walk_of(outcome, advance, work, lost, success):
    made = episode(outcome, seconds=20.0)
    score = {"positive_work_j": work, "mass_kg": 12.0}
    return replace(made, advance_m=advance, heading_lost_deg=lost, score=score, success=success)


def test_a_cell_of_the_table():
    walks = [walk_of("timeout", 12.0, 500.0, 4.0, True), walk_of("fall", 3.0, 100.0, None, False),
             walk_of("timeout", -1.0, 400.0, 0.0, False)]  # fmt: skip
    cell = summarise_walks(walks)
    assert (cell["walks"], cell["successes"], cell["falls"]) == (3, 1, 1)
    assert cell["falls_per_100m"] == pytest.approx(100 / 15)
    assert cell["mean_speed"] == pytest.approx(14.0 / 60.0)
    assert cell["cost_of_transport"] == pytest.approx(1000.0 / (12.0 * 9.80665 * 15.0), rel=1e-3)
    assert cell["heading_lost_deg"] == pytest.approx(2.0)  # a walk too short to tell is left out
    low, high = cell["falls_interval"]
    assert poisson.sf(0, low * 0.15) == pytest.approx(0.025)  # one fall or more, were the rate the lowest
    assert poisson.cdf(1, high * 0.15) == pytest.approx(0.025)
    assert cell["speed_interval"][0] < cell["mean_speed"] < cell["speed_interval"][1]
    assert summarise_walks([])["success_rate"] is None
    collided = summarise_walks([walk_of("collision", 3.0, 100.0, None, False)])
    assert (collided["falls"], collided["collisions"], collided["falls_per_100m"]) == (0, 1, 0.0)


def test_the_interval_of_the_cost_of_transport_is_that_of_many_walks():
    rng = np.random.default_rng(4)
    costs = rng.normal(0.6, 0.1, 200)
    walks = [walk_of("timeout", 10.0, cost * 12.0 * 9.80665 * 10.0, 0.0, True) for cost in costs]
    low, high = summarise_walks(walks)["cost_interval"]
    expected = 1.96 * costs.std(ddof=1) / math.sqrt(200)
    assert (low, high) == pytest.approx((costs.mean() - expected, costs.mean() + expected), abs=0.1 * expected)


def test_heading_lost_is_the_turn_in_ten_seconds_without_the_sway_of_the_steps():
    t = np.arange(0.0, 60.0, 0.005)
    turning = np.radians(-0.3) * t + np.radians(5.0) * np.sin(2 * np.pi * 2.0 * t)
    assert heading_lost(t, turning) == pytest.approx(3.0, rel=1e-2)
    spinning = np.angle(np.exp(1j * np.radians(30.0) * t))  # wraps, and is not the less for it
    assert heading_lost(t, spinning) == pytest.approx(300.0, rel=1e-3)
    assert heading_lost(t[:2000], turning[:2000]) is None


def test_ways_count_along_the_heading_of_the_start():
    log = log_of(FlightRequest(robot="quadruped", world="walk_flat", speed=0.6), "timeout", 12.0)
    aside = replace(log, position=log.position[:, [1, 0, 2]], start=Start(0.0, 0.0, 0.3, math.pi / 2))
    assert aside.advance_m == pytest.approx(log.advance_m) == pytest.approx(12.0)


def test_a_slope_under_foot_from_the_start_is_no_change():
    slope, ground = load_world("walk_slope", 0), load_world("walk_shift_ground", 0)
    assert not walk_figures.changes(slope)
    assert walk_figures.changes(ground)


def test_kept_and_fixed_do_not_learn_and_a_row_given_twice_is_one(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(
        evaluate_walk, "run_jobs", lambda jobs, *_: [(job, walked_job(job, asked)) for job in reversed(jobs)]
    )
    (tmp_path / "learned_0.npz").write_bytes(b"")
    request = WalkEvaluation(seeds=(0, 1), rows=("kept", "fixed", "kept"), weights=str(tmp_path))
    result = evaluate_walk.evaluate_walk(request)
    assert {row: cells["walk_flat"]["networks"] for row, cells in result["rows"].items()} == {
        "kept": [[2, 2]],
        "fixed": [[2, 2]],
    }
    seeds = [walk["seed"] for walk in result["walks"]]
    assert seeds == [0, 1, 0, 1]  # though the jobs ended the other way round
    kept, fixed = asked[-1], asked[0]
    assert not kept.learning and kept.weights == str(tmp_path / "learned_0.npz")  # noqa: PT018
    assert not fixed.learning and fixed.weights is None and fixed.mind == evaluate_walk.FIXED  # noqa: PT018
    mind_config(fixed)  # every constant is a parameter of the mind


def walked_job(job, asked):
    request, row, world = job.arguments
    asked.append(request)
    return (row, world), replace(walk_of("timeout", 12.0, 500.0, 0.0, True), row=row, seed=request.seed)


@pytest.mark.parametrize("world", ["walk_shift_ground", "walk_shift_friction"])
def test_walks_that_end_before_the_shift_are_counted_apart(monkeypatch, world):
    ended = {0: ("fall", 5.0), 1: ("timeout", 6.0), 2: ("timeout", 15.0), 3: ("collision", 4.0), 4: ("fall", 15.0)}
    monkeypatch.setattr(walk_figures, "fly", lambda request: log_of(request, *ended[request.seed]))
    asked = FlightRequest(robot="quadruped", world=world, speed=0.6)
    walks = [walk_figures.walk(replace(asked, seed=seed), "frozen", world)[1] for seed in ended]
    cell = summarise_walks(walks)
    assert (cell["walks"], cell["shifted"], cell["fell_before_shift"], cell["ended_before_shift"]) == (5, 2, 1, 2)
    assert cell["recovered"] == 1  # the one that fell after it did not come back
    assert cell["speed_before"] == pytest.approx(0.6)
    none = summarise_walks(walks[:2])
    assert (none["shifted"], none["median_recovery_s"], none["speed_before"]) == (0, None, None)
    told = printed(world, {"frozen": cell, "hopf": none})
    assert told.count(world) == 1
    assert "held: upright" in told
    assert "2 of 5, 1 fell before, 2 ended before" in told
    assert "0 of 2, 1 fell before, 1 ended before" in told


def printed(world, cells):
    asked = {"duration_s": 20.0, "speed": 0.6}
    rows = {row: {world: cell} for row, cell in cells.items()}
    result = {"worlds": [world], "rows": rows, "seeds": [0], "request": asked}
    console = Console(width=200)
    with console.capture() as told:
        console.print(evaluation_tables(result))
    return told.get()


def test_no_shift_no_table(monkeypatch):
    monkeypatch.setattr(walk_figures, "fly", lambda request: log_of(request, "fall", 5.0))
    _, made = walk_figures.walk(FlightRequest(robot="quadruped", world="walk_flat", speed=0.6), "hopf", "walk_flat")
    cell = summarise_walks([made])
    assert "shifted" not in cell
    assert "back" not in printed("walk_flat", {"hopf": cell})


def test_rows_share_the_worlds_and_training_grounds_are_others():
    request = WalkEvaluation(worlds=("walk_flat", "walk_rough"), seeds=(0, 1, 2), networks=2)
    jobs = _first_jobs(request, folder=Path("x"))
    assert [job.label for job in jobs[:4]] == [
        "train learned 0",
        "train learned 1",
        "train shuffled 0",
        "train shuffled 1",
    ]
    assert {job.arguments[0].first_seed for job in jobs[:4]} == {1000, 2000}
    assert {job.arguments[0].flight.sim["episode.timeout_s"] for job in jobs[:4]} == {55.0}
    assert {job.arguments[0].sim["episode.timeout_s"] for job in jobs[4:]} == {20.0}
    assert sum(job.row == "hopf" for job in jobs) == sum(job.row == "frozen" for job in jobs) == 6
    assert not any(job.row == "learned" for job in jobs[4:])


def test_each_walk_draws_anew_what_breaks_and_nothing_breaks_in_training():
    request = WalkEvaluation(seeds=(4, 5), rows=("hopf", "frozen", "learned"), mind={"faults": "dead_neurons:cpg:10%"})
    minds = [
        (job.row, getattr(job.arguments[0], "flight", job.arguments[0]).mind) for job in _first_jobs(request, Path())
    ]
    assert [(row, mind.get("faults")) for row, mind in minds] == [
        ("learned", None), ("hopf", None), ("hopf", None),
        ("frozen", "dead_neurons:cpg:10%#4"), ("frozen", "dead_neurons:cpg:10%#5"),
    ]  # fmt: skip


def test_the_weights_of_an_earlier_evaluation_are_walked_with_instead_of_training(tmp_path):
    for name in ("learned_0", "learned_1", "shuffled_0"):
        (tmp_path / f"{name}.npz").write_bytes(b"")
    rows = ("blind", "learned", "shuffled")
    request = WalkEvaluation(seeds=(0, 1), rows=rows, networks=2, weights=str(tmp_path))
    with pytest.raises(ConfigError, match=r"shuffled_1.npz for shuffled, network 1: no such file"):
        request.check()
    (tmp_path / "shuffled_1.npz").write_bytes(b"")
    request.check()
    jobs = _first_jobs(request, folder=tmp_path)
    assert {(job.row, Path(job.arguments[0].weights).stem) for job in jobs} == {
        (row, f"{'learned' if row == 'blind' else row}_{network}") for row in rows for network in (0, 1)
    }


@pytest.mark.parametrize(("change", "said"), [
    ({"rows": ("flying",)}, "rows: expected some of"),
    ({"worlds": ()}, "worlds: expected at least one"),
    ({"seeds": (1000,)}, "seeds: expected seeds from 0 to 999"),
    ({"processes": 0}, "processes, networks"),
    ({"seeds": (0, 1), "networks": 3}, "networks at most 2"),
    ({"train_worlds": ("walk_on_water",)}, "walk_on_water"),
    ({"rows": ("blind",)}, "walk with what learned has learned"),
    ({"rows": ("hopf",), "sim": {"body.urdf": "x.urdf"}}, "hopf has the legs of the A1"),
    ({"duration_s": 0.0}, "expected numbers above 0"),
])  # fmt: skip
def test_what_cannot_be_evaluated_is_refused(change, said):
    with pytest.raises(NeuroRobotError, match=said):
        WalkEvaluation(**change).check()
