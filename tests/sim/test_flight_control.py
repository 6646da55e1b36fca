"""The flight controller: what it tracks, what it holds and what it refuses to exceed."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sim.worlds_by_hand import world_of

from neuro_robot.sim.attitude_control import desired_attitude, desired_rates, heading_of, mix
from neuro_robot.sim.flight_control import ControlConfig, FlightController
from neuro_robot.sim.imu import ImuConfig
from neuro_robot.sim.quadrotor import QuadrotorConfig, rotate_to_body, rotor_torque
from neuro_robot.sim.records import record
from neuro_robot.sim.vehicle import Vehicle
from neuro_robot.sim.world import Start

PERFECT = ImuConfig(0.0, 0.0, 0.0, 0.0, attitude_error_deg=0.0, velocity_error=0.0, position_error=0.0)
AIRFRAME = QuadrotorConfig()


class Flight:
    """A vehicle in a bare world and the record of its states, one row per millisecond."""

    def __init__(self, imu=PERFECT, start=None, **control):
        world = world_of(start=start, size=1e6)
        self.vehicle = Vehicle(world, AIRFRAME, ControlConfig(**control), imu, 0)
        self.vehicle.reset()

    def fly(self, seconds, vx=0.0, vy=0.0, vz=0.0, yaw_rate=0.0):
        command, rows = np.array([vx, vy, vz, yaw_rate]), []
        for _ in range(round(seconds * 1000)):
            self.vehicle.step(command)
            rows.append(self.vehicle.truth.copy())
        return np.array(rows)


def tilt_deg(rows):
    return np.degrees(np.arccos(1 - 2 * (rows[:, 3] ** 2 + rows[:, 4] ** 2)))


def test_hover_holds_the_place_from_the_first_millisecond():
    rows = Flight().fly(5.0)
    assert np.abs(rows[:, :3] - [0, 0, 2]).max() < 0.01
    assert tilt_deg(rows).max() < 0.1


def test_hover_with_sensor_errors_stays_level_and_at_altitude():
    rows = Flight(ImuConfig()).fly(10.0)
    assert np.abs(rows[:, 2] - 2).max() < 0.1
    assert np.abs(rows[:, 7:10]).max() < 0.25
    assert tilt_deg(rows).max() < 4.0


@pytest.mark.parametrize("speed", [3.0, 5.0, 8.0, 12.0, 17.9])
def test_forward_speed_is_reached_without_overshoot_and_with_little_altitude_change(speed):
    rows = Flight().fly(speed / 6.0 + 3.0, vx=speed)
    assert rows[-1, 7] == pytest.approx(speed, rel=0.01)
    assert rows[:, 7].max() < 1.02 * speed
    assert np.abs(rows[:, 2] - 2).max() < 0.05
    assert tilt_deg(rows).max() < 51


@pytest.mark.parametrize(("speed", "limit_ms"), [(0.0, 450), (5.0, 450), (8.0, 460), (17.9, 500)])
def test_a_sidestep_is_fast_and_does_not_overshoot(speed, limit_ms):
    flight = Flight()
    if speed:
        flight.fly(speed / 6.0 + 2.0, vx=speed)
    rows = flight.fly(1.5, vx=speed, vy=4.0)
    sideways = rows[:, 8]
    assert np.argmax(sideways > 3.6) < limit_ms
    assert sideways.max() < 4.2
    assert rows[-1, 8] == pytest.approx(4.0, rel=0.05)
    assert np.abs(rows[:, 2] - 2).max() < 0.1
    assert tilt_deg(rows).max() < 60  # 50 for the set-point, the rest is overshoot


def test_braking_from_full_speed_ends_in_a_hover_at_the_same_altitude():
    flight = Flight()
    flight.fly(5.0, vx=17.9)
    rows = flight.fly(4.5)
    assert np.abs(rows[-1, 7:10]).max() < 0.1
    assert rows[:, 7].min() > -0.1
    assert np.abs(rows[:, 2] - 2).max() < 0.3


def test_forward_acceleration_follows_the_ramp():
    rows = Flight(max_acceleration=3.0).fly(3.0, vx=6.0)
    assert np.diff(rows[:, 7]).max() * 1000 < 3.0 * 1.3
    assert np.argmax(rows[:, 7] > 5.4) == pytest.approx(1800 + 130, abs=200)


def test_climb_tracks_and_then_holds_the_new_altitude():
    flight = Flight()
    rows = flight.fly(2.0, vz=1.0)
    assert rows[-1, 9] == pytest.approx(1.0, abs=0.02)
    hold = flight.fly(3.0)
    assert hold[-1, 2] == pytest.approx(4.0, abs=0.05)
    assert abs(hold[-1, 9]) < 0.01


def test_yaw_rate_tracks_and_then_holds_the_heading():
    flight = Flight()
    rows = flight.fly(1.0, yaw_rate=1.0)
    assert rows[-1, 12] == pytest.approx(1.0, abs=0.03)
    hold = flight.fly(2.0)
    assert heading_of(hold[-1, 3:7]) == pytest.approx(1.0, abs=0.03)


def test_velocity_is_along_the_heading_and_a_turn_keeps_the_speed():
    flight = Flight(start=Start(0.0, 0.0, 2.0, yaw=math.pi / 2))
    rows = flight.fly(3.0, vx=5.0)
    assert rows[-1, 7:9] == pytest.approx([0.0, 5.0], abs=0.05)
    turned = flight.fly(4.0, vx=5.0, yaw_rate=1.0)
    speed = np.hypot(turned[:, 7], turned[:, 8])
    assert speed == pytest.approx(np.full(len(speed), 5.0), abs=0.4)
    nose = heading_of(turned[-1, 3:7])
    lateral = -math.sin(nose) * turned[-1, 7] + math.cos(nose) * turned[-1, 8]
    assert abs(lateral) < 0.3


def test_a_command_takes_effect_after_its_latency():
    late = Flight(command_latency_ms=100).fly(0.3, vy=2.0)
    assert np.abs(late[:100, 8]).max() < 1e-9
    prompt = Flight(command_latency_ms=0).fly(0.3, vy=2.0)
    assert late[100:, 8] == pytest.approx(prompt[:200, 8], abs=1e-6)


def test_mixer_gives_exactly_what_is_asked_when_no_rotor_saturates():
    out, torque = np.empty(4), np.array([0.05, -0.04, 0.01])
    mix(record(AIRFRAME), 8.0, torque, out)
    back = np.empty(3)
    rotor_torque(record(AIRFRAME), out, back)
    assert out.sum() == pytest.approx(8.0)
    assert back == pytest.approx(torque)


@settings(max_examples=300)
@given(st.floats(-50, 100), st.floats(-5, 5), st.floats(-5, 5), st.floats(-3, 3))
def test_mixer_never_leaves_the_limits_and_keeps_the_direction_of_roll_and_pitch(thrust, roll, pitch, yaw):
    out, back = np.empty(4), np.empty(3)
    mix(record(AIRFRAME), thrust, np.array([roll, pitch, yaw]), out)
    rotor_torque(record(AIRFRAME), out, back)
    assert out.min() >= AIRFRAME.rotor_thrust_min - 1e-9
    assert out.max() <= AIRFRAME.rotor_thrust_max + 1e-9
    share = max(abs(back[0] / roll) if abs(roll) > 1e-3 else 0, abs(back[1] / pitch) if abs(pitch) > 1e-3 else 0)
    assert back[0] == pytest.approx(min(share, 1.0) * roll, abs=1e-2)
    assert back[1] == pytest.approx(min(share, 1.0) * pitch, abs=1e-2)
    assert abs(back[2]) <= abs(yaw) + 1e-9


def test_mixer_gives_up_yaw_before_roll():
    out, back = np.empty(4), np.empty(3)
    mix(record(AIRFRAME), 7.4, np.array([0.7, 0.0, 1.0]), out)
    rotor_torque(record(AIRFRAME), out, back)
    assert back[0] == pytest.approx(0.7)
    assert 0.0 <= back[2] < 0.2


@given(st.floats(-1, 1), st.floats(-1, 1), st.floats(0.1, 2), st.floats(-3.1, 3.1))
def test_desired_attitude_points_the_thrust_and_keeps_the_nose(fx, fy, fz, heading):
    direction, quaternion = np.array([fx, fy, fz]), np.empty(4)
    desired_attitude(direction, heading, quaternion)
    assert np.linalg.norm(quaternion) == pytest.approx(1.0)
    in_body = np.empty(3)
    rotate_to_body(quaternion, direction / np.linalg.norm(direction), in_body)
    assert in_body == pytest.approx([0, 0, 1], abs=1e-9)
    assert math.remainder(heading_of(quaternion) - heading, math.tau) == pytest.approx(0.0, abs=1e-9)


def test_rates_turn_the_short_way_and_are_limited():
    gains, out = record(ControlConfig()), np.empty(3)
    level = np.array([0.0, 0.0, 0.0, 1.0])
    target = -np.array([math.sin(0.05), 0.0, 0.0, math.cos(0.05)])  # the other sign of a roll by 0.1 rad
    desired_rates(gains, level, target, 0.0, out)
    assert out == pytest.approx([12.0 * 2 * math.sin(0.05), 0, 0])
    far = np.array([math.sin(1.4), 0.0, 0.0, math.cos(1.4)])
    desired_rates(gains, level, far, 0.0, out)
    assert out[0] == ControlConfig().max_rate


def test_sensible_thrusts_come_out_even_upside_down():
    controller = FlightController(ControlConfig(), AIRFRAME)
    estimate = np.array([0, 0, 2, 1, 0, 0, 0, 3, -4, -20, 9, 9, 9], float)
    controller.reset(estimate)
    for _ in range(50):
        thrusts = controller.step(estimate, np.array([5.0, -3.0, 0.0, 1.0]))
        assert np.isfinite(thrusts).all()
        assert thrusts.min() >= AIRFRAME.rotor_thrust_min - 1e-9
        assert thrusts.max() <= AIRFRAME.rotor_thrust_max + 1e-9


def test_a_heavier_vehicle_is_flown_by_its_own_figures():
    heavy = dataclasses.replace(AIRFRAME, mass=1.2)
    vehicle = Vehicle(world_of(), heavy, ControlConfig(), PERFECT, 0)
    vehicle.reset()
    for _ in range(2000):
        vehicle.step(np.zeros(4))
    assert vehicle.truth[2] == pytest.approx(2.0, abs=0.01)
    vehicle.close()


@pytest.mark.parametrize("speed", [5.0, 17.9])
def test_restless_commands_never_tip_it_over_or_cost_altitude(speed):
    random, flight = np.random.default_rng(2), Flight(ImuConfig(), start=Start(0.0, 0.0, 20.0))
    for _ in range(30):
        vy, yaw_rate = random.uniform(-6, 6), random.uniform(-2, 2)
        rows = flight.fly(random.uniform(0.03, 0.3), vx=speed, vy=vy, yaw_rate=yaw_rate)
        assert tilt_deg(rows).max() < 65
        assert np.abs(rows[:, 2] - 20).max() < 0.3
