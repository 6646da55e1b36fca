"""The walking simulation: standing, sensing, outcomes, determinism, the guard, energy, and a second body."""

from __future__ import annotations

import dataclasses
import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from sim.worlds_by_hand import trunk, world_of

from neuro_robot.config import declarations, from_dict, load_node_parameters, to_dict
from neuro_robot.errors import SimulationError
from neuro_robot.robot import JointCommand
from neuro_robot.sim.imu import ImuConfig
from neuro_robot.sim.legged import LeggedVehicle
from neuro_robot.sim.quadruped import QuadrupedConfig, stance_of
from neuro_robot.sim.terrain import FrictionPatch, Push, Shift, Terrain
from neuro_robot.sim.walk_simulation import QuadrupedSimConfig, QuadrupedSimulation
from neuro_robot.sim.world import Bounds, Goal, Start, World

ROOT = Path(__file__).resolve().parents[2]
SMALL = from_dict(QuadrupedSimConfig, {"camera": {"width": 32, "height": 24}, "episode.timeout_s": 5.0})
LAIKAGO = from_dict(
    QuadrupedSimConfig, load_node_parameters(ROOT / "config" / "laikago.yaml", "leg_sim_node")["quadruped"]
)
STANCE = stance_of(QuadrupedConfig())
GROUND = Start(0.0, 0.0, 0.3)
GRAVITY = 9.81


def plain(**terrain) -> World:
    return dataclasses.replace(world_of(start=GROUND), terrain=Terrain(**terrain))


def trot(t_s: float, reach: float = 0.08, lift: float = 0.06, height: float = 0.25) -> np.ndarray:
    """Joint angles of a plain trot on legs of two 0.2 m bars, 2.5 steps a second."""
    angles = []
    for phase in (0.0, 0.5, 0.5, 0.0):
        turn = 2 * math.pi * (2.5 * t_s + phase)
        x, z = -reach * math.cos(turn), -height + max(0.0, lift * math.sin(turn))
        knee = -2.0 * math.acos(math.hypot(x, z) / 0.4)
        angles += [0.0, math.atan2(-x, -z) - 0.5 * knee, knee]
    return np.array(angles)


def walk(simulation, seconds, gait=trot):
    """Fresh commands for a while; returns the observations."""
    seen = []
    for _ in range(round(seconds * 200)):
        t_ns = simulation.t_ns
        seen.append(simulation.step(JointCommand(t_ns, tuple(gait(t_ns * 1e-9).tolist()))))
        if seen[-1].outcome:
            break
    return seen


def bits(seen):
    packet, legs = seen.packet, seen.legs
    return (seen.t_ns, packet.events.tobytes(), seen.imu, seen.odom, legs[:-1], legs.touches.tobytes(), seen.outcome)


@pytest.fixture
def bare():
    simulation = QuadrupedSimulation(world_of(start=GROUND), SMALL, seed=1)
    simulation.reset()
    yield simulation
    simulation.close()


@pytest.mark.parametrize("config", [SMALL, LAIKAGO], ids=["a1", "laikago"])
def test_a_body_stands_with_its_weight_on_four_feet_where_the_geometry_says_they_are(config):
    """The second body differs by configuration alone: names, signs, offsets, lengths."""
    simulation = QuadrupedSimulation(world_of(start=Start(1.0, 2.0, 0.3, yaw=0.5)), config, seed=1)
    seen = simulation.reset()
    physics = simulation.vehicle._physics
    forces = []
    for _ in range(100):
        seen = simulation.step(JointCommand(simulation.t_ns, tuple(stance_of(config.body).tolist())))
        forces.append(physics.forces.sum())
    assert np.mean(forces) == pytest.approx(simulation.score.mass_kg * GRAVITY, rel=0.01)
    assert simulation.contacts == (True,) * 4
    assert seen.outcome is None
    assert simulation.feet == pytest.approx(physics.feet(), abs=2e-3)  # a mean left and right hip of the Laikago
    assert simulation.feet[:, 2] == pytest.approx(config.body.foot_radius, abs=1.5e-3)
    assert np.array(seen.legs.position) == pytest.approx(stance_of(config.body), abs=0.15)  # sagging by torque / kp
    assert seen.imu.linear_acceleration[2] == pytest.approx(GRAVITY, abs=0.3)
    simulation.close()


def test_a_second_body_obeys_joint_commands():
    simulation = QuadrupedSimulation(world_of(start=GROUND), LAIKAGO)
    simulation.reset()
    lower = stance_of(LAIKAGO.body) + np.tile([0.0, 0.2, -0.4], 4)
    before = simulation.state.position[2]
    last = walk(simulation, 1.0, lambda _: lower)[-1]
    assert last.outcome is None
    assert simulation.state.position[2] < before - 0.03
    assert np.array(last.legs.position) == pytest.approx(lower, abs=0.15)
    simulation.close()


def test_joints_hold_by_the_torque_of_the_spring(bare):
    """Static PD: what the actuator gives is kp times the sag."""
    angles, torques = np.zeros(12), np.zeros(12)
    for _ in range(100):
        legs = bare.step(JointCommand(bare.t_ns, tuple(STANCE.tolist()))).legs
        angles += np.array(legs.position) / 100
        torques += np.array(legs.effort) / 100
    assert torques == pytest.approx(QuadrupedConfig().kp * (STANCE - angles), abs=0.05)
    knees = torques[2::3]
    foot_forward = 0.2 * math.sin(0.9)  # of the knee: the load torque is a quarter of the weight at this arm
    assert knees.mean() == pytest.approx(12.46 * GRAVITY / 4 * foot_forward, rel=0.1)


def test_walking_comes_forward_and_its_energy_is_torque_times_speed(bare):
    vehicle = bare.vehicle
    work = absolute = 0.0
    for step in range(2000):
        before = vehicle._physics.joints[1].copy()
        assert vehicle.step(trot(step * 1e-3)) is None
        power = vehicle._torques * 0.5 * (before + vehicle._physics.joints[1])
        work += np.maximum(power, 0.0).sum() * 1e-3
        absolute += np.abs(power).sum() * 1e-3
    score = bare.score
    assert score.positive_work_j == pytest.approx(work, rel=0.05)
    assert score.absolute_work_j == pytest.approx(absolute, rel=0.05)
    assert score.distance_m > 0.8
    assert 0.0 < score.slip_m < 8.0
    assert 0.1 < score.cost_of_transport < 3.0
    assert score.falls == 0


def test_mirrored_commands_walk_a_mirrored_way():
    """Left and right of the body are alike but for 2 mm of its centre of mass."""
    ends = []
    config = dataclasses.replace(QuadrupedConfig(), encoder_noise=0.0, speed_noise=0.0)
    for side in (1.0, -1.0):
        vehicle = LeggedVehicle(world_of(start=GROUND), config, ImuConfig(), 0)
        vehicle.reset()
        for _ in range(400):
            vehicle.step(STANCE + np.tile([side * 0.3, 0.0, 0.0], 4))
        ends.append(vehicle.truth.copy())
        vehicle.close()
    assert abs(ends[0][1]) > 0.01  # hips roll the feet to one side, the trunk leans to the other
    assert ends[0][1] == pytest.approx(-ends[1][1], abs=5e-3)
    assert ends[0][3] == pytest.approx(-ends[1][3], abs=0.01)
    assert ends[0][2] == pytest.approx(ends[1][2], abs=2e-3)


def test_touches_alternate_and_carry_their_millisecond(bare):
    touches = np.concatenate([one.legs.touches for one in walk(bare, 1.5)])
    assert (np.diff(touches["t"]) >= 0).all()
    assert (touches["t"] % 1_000_000 == 0).all()
    assert set(touches["x"].tolist()) == {0, 1, 2, 3}
    for foot in range(4):
        edges = touches["p"][touches["x"] == foot]
        assert edges[0] == (0 if foot in (0, 3) else edges[0])
        assert (np.diff(edges.astype(int)) != 0).all()


def test_same_seed_and_commands_give_the_same_bits_whatever_runs_beside():
    world = dataclasses.replace(world_of(trunk(3.0, 1.5), start=GROUND), terrain=Terrain(shifts=(Shift(0.3, 0.3),)))
    first = QuadrupedSimulation(world, SMALL, seed=3)
    alone = [bits(first.reset())] + [bits(one) for one in walk(first, 0.6)]
    second, other = QuadrupedSimulation(world, SMALL, seed=3), QuadrupedSimulation(world, SMALL, seed=4)
    beside, others = [bits(second.reset())], [bits(other.reset())]
    for _ in range(120):
        others += [bits(one) for one in walk(other, 0.005)]
        beside += [bits(one) for one in walk(second, 0.005)]
    assert alone == beside
    assert alone != others
    assert alone == [bits(first.reset())] + [bits(one) for one in walk(first, 0.6)]
    for simulation in (first, second, other):
        simulation.close()


@pytest.mark.parametrize(
    ("position", "counter", "reason"),
    [
        ((math.nan,) * 12, "non_finite", "not finite"),
        ((0.9, *STANCE[1:]), "over_limit", "FR_hip"),
        ((*STANCE[:11], -0.5), "over_limit", "RL_knee"),
        (tuple(STANCE[:11]), "over_limit", "11 positions"),
        ((), "over_limit", "0 positions"),
    ],
)
def test_a_bad_command_makes_the_robot_hold_its_stance(bare, position, counter, reason):
    for _ in range(100):
        seen = bare.step(JointCommand(bare.t_ns, tuple(map(float, position))))
    assert reason in bare.fault
    assert "stance" in bare.fault
    assert getattr(bare.guard_counts, counter) == 100
    assert seen.outcome is None
    assert np.array(seen.legs.position) == pytest.approx(STANCE, abs=0.1)


def test_a_robot_that_hears_nothing_more_returns_to_its_stance_slowly(bare):
    walk(bare, 1.0)
    for _ in range(20):
        bare.step(None)
    assert bare.fault == ""
    positions = [np.array(bare.step().legs.position) for _ in range(200)]
    assert "ms old" in bare.fault
    assert bare.guard_counts.stale == 200
    assert positions[-1] == pytest.approx(STANCE, abs=0.1)
    assert max(np.abs(b - a).max() for a, b in pairwise(positions)) < 0.1
    assert bare.step(JointCommand(bare.t_ns + 1, tuple(STANCE))).outcome is None
    assert bare.guard_counts.future == 1


def test_a_heavy_push_tips_it_and_that_is_a_fall():
    simulation = QuadrupedSimulation(plain(pushes=(Push(0.2, (0.0, 60.0, 0.0), 0.1),)), SMALL)
    simulation.reset()
    last = walk(simulation, 4.0, lambda _: STANCE)[-1]
    assert last.outcome is not None
    assert last.outcome.kind == "fall"
    assert simulation.score.falls == 1
    with pytest.raises(SimulationError, match="ended"):
        simulation.step(None)
    simulation.close()


def test_an_obstacle_in_the_way_is_a_collision():
    config = dataclasses.replace(SMALL, episode=dataclasses.replace(SMALL.episode, timeout_s=20.0))
    simulation = QuadrupedSimulation(world_of(trunk(0.75, 0.0), start=GROUND), config)
    simulation.reset()
    assert simulation.clearance_m == pytest.approx(0.75 - 0.3 - 0.183 - 0.13, abs=0.03)
    last = walk(simulation, 5.0)[-1]
    assert last.outcome is not None
    assert (last.outcome.kind, "cylinder 0" in last.outcome.reason) == ("collision", True)
    assert simulation.min_clearance_m < 0.1
    simulation.close()


def test_goal_bounds_and_time():
    for changes, kind in (
        ({"goal": Goal(x=0.3)}, "goal"),
        ({"bounds": Bounds(-1, 0.3, -5, 5, 0, 5)}, "out_of_bounds"),
        ({}, "timeout"),
    ):
        simulation = QuadrupedSimulation(dataclasses.replace(world_of(start=GROUND), **changes), SMALL)
        simulation.reset()
        last = walk(simulation, 6.0)[-1]
        assert last.outcome is not None
        assert last.outcome.kind == kind
        simulation.close()


def test_what_cannot_be_loaded_is_refused():
    world = world_of(start=GROUND)
    for body, message in (
        ({"urdf": "no/such.urdf"}, "no such file"),
        ({"hip_joint": "{leg}_hop"}, "FR_hop"),
        ({"leg_names": "FR FL"}, "leg_names: expected four"),
        ({"stance_knee": -0.5}, "stance_knee.*limits"),
        ({"thigh_length": 0.26}, r"foot of .. where a1/a1.urdf has it, got 6\.0 cm beside it"),
        *(({"joint_signs": signs}, "foot of .. where") for signs in ("-1 1 1", "1 -1 1", "1 1 -1")),
        ({"hip_y": 0.097, "hip_length": 0.035}, "foot of .. where"),
        ({"joint_signs": "1 -1"}, "3 or 12 numbers"),
        ({"joint_offsets": "a b c"}, "joint_offsets"),
    ):
        with pytest.raises(SimulationError, match=message):
            QuadrupedSimulation(world, from_dict(QuadrupedSimConfig, {"body": body})).reset()
    for weak in ({"kp": 1.0}, {"knee_torque": 1.0}, {"fall_height": 0.5}):
        with pytest.raises(SimulationError, match="a robot that stands"):
            QuadrupedSimulation(world, from_dict(QuadrupedSimConfig, {"body": weak})).reset()
    with pytest.raises(SimulationError, match=r"one of the joints FR_hip.*got tail"):
        QuadrupedSimulation(plain(shifts=(Shift(1.0, actuator="tail", torque=0.5),)), SMALL).reset()
    with pytest.raises(SimulationError, match="call reset"):
        QuadrupedSimulation(world, SMALL).step(None)
    with pytest.raises(SimulationError, match="free start"):
        QuadrupedSimulation(world_of(trunk(0.3, 0.0), start=GROUND), SMALL).reset()


def test_a_payload_a_weak_joint_and_ice_are_felt():
    shifts = (Shift(0.1, payload_kg=3.0), Shift(0.1, actuator="FL_upper_joint", torque=0.0), Shift(0.1, friction=0.1))
    simulation = QuadrupedSimulation(plain(shifts=shifts, frictions=(FrictionPatch((-9, 0), (-9, 9), 0.05),)), SMALL)
    simulation.reset()
    mass = simulation.score.mass_kg
    legs = [walk(simulation, 0.005, lambda _: STANCE)[-1].legs for _ in range(60)]
    assert simulation.score.mass_kg == pytest.approx(mass + 3.0)
    physics = simulation.vehicle._physics
    friction = [physics._bullet.getDynamicsInfo(physics._body, foot, physics._client)[1] for foot in physics._feet]
    assert friction == [0.1, 0.1, 0.05, 0.05]
    assert abs(legs[-1].effort[4]) < 1e-6
    simulation.close()


def test_configuration_round_trips_and_the_camera_has_its_own_defaults():
    rows = {row.name: row for row in declarations(QuadrupedSimConfig)}
    assert rows["camera.packet_period_ms"].default == QuadrupedSimConfig().camera.packet_period_ms == 5
    assert rows["camera.frame_rate_hz"].default == 200
    assert all(row.description for row in rows.values())
    assert from_dict(QuadrupedSimConfig, to_dict(LAIKAGO)) == LAIKAGO
