"""The stepping simulation: outcomes, determinism, the robot that stops itself, and what is refused."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from sim.worlds_by_hand import trunk, world_of

from neuro_robot.config import declarations, from_dict, to_dict
from neuro_robot.errors import ConfigError, SimulationError
from neuro_robot.robot import BodyCommand
from neuro_robot.sim.simulation import DroneConfig, DroneSimulation
from neuro_robot.sim.world import Bounds, Goal, Start

SMALL = from_dict(DroneConfig, {"camera": {"width": 32, "height": 24}, "episode.timeout_s": 5.0})


def fly(simulation, seconds, vx=0.0, vy=0.0, vz=0.0, yaw_rate=0.0):
    """Fresh commands for a while; returns the observations."""
    seen = []
    for _ in range(round(seconds * 500)):
        seen.append(simulation.step(BodyCommand(simulation.t_ns, vx, vy, vz, yaw_rate)))
        if seen[-1].outcome:
            break
    return seen


@pytest.fixture
def bare():
    simulation = DroneSimulation(world_of(trunk(30.0, 30.0)), SMALL, seed=1)
    simulation.reset()
    yield simulation
    simulation.close()


def bits(seen):
    """Everything an observation says, in a form that compares to the bit."""
    packet = seen.packet
    return (seen.t_ns, packet.seq, packet.time_base, packet.events.tobytes(), seen.imu, seen.odom, seen.outcome)


def test_the_first_observation_is_a_hover_at_the_start_with_an_empty_packet():
    simulation = DroneSimulation(world_of(start=Start(1.0, 2.0, 3.0, yaw=0.5)), SMALL)
    seen = simulation.reset()
    assert (seen.t_ns, seen.outcome) == (0, None)
    assert simulation.state.position == (1.0, 2.0, 3.0)
    assert simulation.state.quaternion == pytest.approx((0, 0, math.sin(0.25), math.cos(0.25)))
    assert simulation.state.velocity == (0.0, 0.0, 0.0)
    assert simulation.clearance_m == math.inf
    simulation.close()


def test_time_advances_by_the_packet_period(bare):
    seen = [bare.step(BodyCommand(bare.t_ns, 1.0, 0.0, 0.0, 0.0)) for _ in range(5)]
    assert [one.t_ns for one in seen] == [2_000_000 * n for n in range(1, 6)]
    assert [one.packet.seq for one in seen] == [1, 2, 3, 4, 5]
    assert all(one.imu.t_ns == one.odom.t_ns == one.t_ns for one in seen)


def test_crossing_the_goal_plane_ends_the_episode():
    simulation = DroneSimulation(world_of(goal=Goal(x=2.0)), SMALL)
    simulation.reset()
    last = fly(simulation, 4.0, vx=3.0)[-1]
    assert last.outcome is not None
    assert last.outcome.kind == "goal"
    assert last.outcome.t_ns == last.t_ns
    assert simulation.state.position[0] >= 2.0
    simulation.close()


def test_a_trunk_ends_the_flight_at_the_contact():
    simulation = DroneSimulation(world_of(trunk(3.0, 0.0), trunk(3.0, 5.0)), SMALL)
    simulation.reset()
    last = fly(simulation, 4.0, vx=4.0)[-1]
    assert last.outcome is not None
    assert last.outcome.kind == "collision"
    assert "cylinder 0" in last.outcome.reason
    assert simulation.state.position[0] == pytest.approx(2.5, abs=0.01)
    assert simulation.min_clearance_m == pytest.approx(0.0, abs=0.01)
    with pytest.raises(SimulationError, match="ended"):
        simulation.step(None)
    simulation.close()


def test_descending_ends_on_the_ground(bare):
    last = fly(bare, 4.0, vz=-2.0)[-1]
    assert last.outcome is not None
    assert (last.outcome.kind, last.outcome.reason[:10]) == ("collision", "hit ground")


def test_leaving_the_bounds_ends_the_flight():
    world = dataclasses.replace(world_of(), bounds=Bounds(-1, 50, -1.0, 1.0, 0, 5))
    simulation = DroneSimulation(world, SMALL)
    simulation.reset()
    last = fly(simulation, 4.0, vy=2.0)[-1]
    assert last.outcome is not None
    assert last.outcome.kind == "out_of_bounds"
    simulation.close()


def test_time_runs_out():
    simulation = DroneSimulation(world_of(), from_dict(DroneConfig, {"episode.timeout_s": 0.1}))
    simulation.reset()
    last = fly(simulation, 1.0)[-1]
    assert last.outcome is not None
    assert (last.outcome.kind, last.t_ns) == ("timeout", 100_000_000)
    simulation.close()


def test_same_seed_and_commands_give_the_same_bits_whatever_runs_beside():
    world = world_of(*(trunk(4.0 + 2 * i, (-1) ** i * 1.5) for i in range(6)))
    first = DroneSimulation(world, SMALL, seed=3)
    alone = [bits(first.reset())] + [bits(one) for one in fly(first, 0.6, vx=3.0, vy=0.5)]

    threaded = dataclasses.replace(SMALL, camera=dataclasses.replace(SMALL.camera, threads=2))
    second, other = DroneSimulation(world, threaded, seed=3), DroneSimulation(world, SMALL, seed=4)
    beside = [bits(second.reset())]
    others = [bits(other.reset())]
    for _ in range(300):
        others.append(bits(other.step(BodyCommand(other.t_ns, 2.0, 0.0, 0.0, 0.3))))
        beside.append(bits(second.step(BodyCommand(second.t_ns, 3.0, 0.5, 0.0, 0.0))))
    assert alone == beside
    assert alone != others

    again = [bits(first.reset())] + [bits(one) for one in fly(first, 0.6, vx=3.0, vy=0.5)]
    assert alone == again
    for simulation in (first, second, other):
        simulation.close()


@pytest.mark.parametrize(
    ("bad", "counter"),
    [
        ((math.nan, 0.0, 0.0, 0.0), "non_finite"),
        ((0.0, math.inf, 0.0, 0.0), "non_finite"),
        ((100.0, 0.0, 0.0, 0.0), "over_limit"),
    ],
)
def test_a_bad_command_stops_the_robot(bare, bad, counter):
    fly(bare, 1.0, vx=4.0)
    assert bare.fault == ""
    for _ in range(750):
        bare.step(BodyCommand(bare.t_ns, *bad))
    assert bare.fault
    assert getattr(bare.guard_counts, counter) == 750
    assert np.abs(bare.state.velocity).max() < 0.2


def test_a_robot_that_hears_nothing_more_stops_after_the_timeout(bare):
    fly(bare, 1.0, vx=4.0)
    for _ in range(50):
        bare.step(None)
    assert bare.fault == ""
    assert bare.state.velocity[0] > 3.0
    for _ in range(750):
        bare.step()
    assert "ms old" in bare.fault
    assert np.abs(bare.state.velocity).max() < 0.2


def test_events_come_while_it_moves_past_something():
    simulation = DroneSimulation(world_of(trunk(3.0, 1.0), trunk(4.0, -1.5)), SMALL, seed=2)
    simulation.reset()
    sizes = [len(one.packet.events) for one in fly(simulation, 0.5, vx=3.0)]
    assert sum(sizes) > 2 * 250 * 10
    simulation.close()


def test_a_start_inside_something_is_refused():
    with pytest.raises(SimulationError, match=r"free start.*cylinder 0"):
        DroneSimulation(world_of(trunk(0.1, 0.0)), SMALL).reset()
    with pytest.raises(SimulationError, match="the ground"):
        DroneSimulation(world_of(start=Start(0.0, 0.0, 0.1)), SMALL).reset()


def test_stepping_without_reset_is_refused():
    simulation = DroneSimulation(world_of(), SMALL)
    with pytest.raises(SimulationError, match="reset"):
        simulation.step(None)


def test_frame_rates_that_do_not_fit_the_physics_step_are_refused():
    for rate in (2000, 300):
        with pytest.raises(SimulationError, match="frame_rate_hz"):
            DroneSimulation(world_of(), from_dict(DroneConfig, {"camera.frame_rate_hz": rate}))


def test_a_slower_camera_sees_fewer_frames():
    simulation = DroneSimulation(world_of(trunk(3.0, 0.5)), from_dict(DroneConfig, {"camera.frame_rate_hz": 250}))
    simulation.reset()
    sizes = [len(one.packet.events) > 60 for one in fly(simulation, 0.4, vx=3.0)]
    assert 0 < sum(sizes[100:]) <= 51  # every second packet of 2 ms holds a frame of 4 ms
    simulation.close()


def test_configuration_round_trips_and_every_parameter_is_described():
    config = from_dict(DroneConfig, {"body.mass": 0.8, "control.max_tilt_deg": 40, "limits.forward_speed": 10.0})
    assert from_dict(DroneConfig, to_dict(config)) == config
    assert (config.body.mass, config.control.max_tilt_deg) == (0.8, 40.0)
    rows = declarations(DroneConfig)
    assert all(row.description for row in rows)
    assert len({row.name for row in rows}) == len(rows)
    with pytest.raises(ConfigError, match=r"control\.max_tilt_deg"):
        from_dict(DroneConfig, {"control.max_tilt_deg": 89.0})
