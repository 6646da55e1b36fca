"""What the walker feels: heading by gyro, leg odometry over slipping, turning and missing feet."""

from __future__ import annotations

import math

import numpy as np
import pytest

from neuro_robot.agents.kinematics import KinematicsConfig, foot_positions, joint_angles
from neuro_robot.agents.walk_feel import Feel, FeelConfig
from neuro_robot.events.array import EVENT_DTYPE
from neuro_robot.robot import Imu, LegSense

PACKET_NS = 5_000_000
A1 = KinematicsConfig()


def feel_of():
    return Feel(FeelConfig(), A1)


def legs_of(t_ns, position, touches=(), effort=(0.0,) * 12):
    return LegSense(t_ns, tuple(position), (0.0,) * 12, effort, np.array(list(touches), EVENT_DTYPE))


def imu_of(rates=(0.0, 0.0, 0.0)):
    return Imu(0, (0.0, 0.0, 0.0, 1.0), rates, (0.0, 0.0, 9.81))


def rotation(rates, t_s):
    """Body to world after t_s of these constant body rates (Rodrigues)."""
    angle = float(np.linalg.norm(rates)) * t_s
    x, y, z = np.array(rates) / max(float(np.linalg.norm(rates)), 1e-12)
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return np.eye(3) + math.sin(angle) * cross + (1.0 - math.cos(angle)) * cross @ cross


@pytest.mark.parametrize("rates", [(1.5, 0.0, 0.0), (0.0, -1.2, 0.0), (0.0, 0.0, 2.0), (0.7, -0.5, 1.0), (0, 0, 0)])
@pytest.mark.parametrize("velocity", [(0.0, 0.0), (0.4, -0.2)])
def test_a_body_that_turns_over_fixed_feet_feels_its_own_velocity_alone(rates, velocity):
    """The body turns and glides for 0.2 s on three feet, which stay where they are in the world."""
    feel, deaf = feel_of(), feel_of()
    hips = np.column_stack([A1.hips(), np.zeros(4)])
    stance = foot_positions(np.tile([0.0, 0.9, -1.8], (4, 1)), A1.links()) + hips
    for k in range(41):
        turn, way = rotation(rates, (k - 20) * 5e-3), np.array([*velocity, 0.0]) * (k - 20) * 5e-3
        feet = (stance - way) @ turn - hips  # turned back into the body's frame
        legs = legs_of(k * PACKET_NS, joint_angles(feet, A1.links()).ravel(), [(0, 0, 0, 0)])
        feel.take(imu_of(rates), legs, 0.0, 5e-3)
        deaf.take(imu_of(), legs, 0.0, 5e-3)
    share = 1.0 - (1.0 - 5.0 / FeelConfig().odometry_ms) ** 40  # of the low-pass, from 0
    assert feel.speed == pytest.approx(np.array(velocity) * share, abs=0.03)
    assert np.abs(deaf.speed - feel.speed).max() > 0.06 or not any(rates)


def test_heading_by_the_gyro_where_no_attitude_is_told():
    feel = feel_of()
    for k in range(1, 101):
        feel.take(Imu(k * PACKET_NS, (0.0, 0.0, 0.0, 0.0), (0.0, 0.0, 0.4), (0.0, 0.0, 9.81)), None, 0.0, 5e-3)
    assert feel.heading == pytest.approx(0.2)


def sliding(effort, speeds):
    """Speed felt when the two front feet go back at these speeds, m/s, with knees of this torque, N m."""
    feel = feel_of()
    position = np.tile([0.0, 0.9, -1.8], (4, 1))
    down = [(1, foot, 0, foot < 2) for foot in range(4)]
    for k in range(400):
        feel.take(imu_of(), legs_of(k * PACKET_NS, position.ravel(), down, effort), 0.0, 5e-3)
        feel.feet[:2, 0] = foot_positions(position, A1.links())[:2, 0] + np.array(speeds) * 5e-3
    return feel.speed[0]


def test_a_foot_that_bears_more_is_believed_more():
    knees = lambda right, left: (0.0, 0.0, right, 0.0, 0.0, left, *(0.0,) * 6)  # noqa: E731
    assert sliding(knees(20.0, 20.0), (0.2, 0.8)) == pytest.approx(0.5, abs=0.01)
    assert sliding(knees(20.0, 10.0), (0.2, 0.8)) == pytest.approx((0.2 + 0.25 * 0.8) / 1.25, abs=0.01)
    assert sliding(knees(0.0, 0.0), (0.2, 0.8)) == pytest.approx(0.5, abs=0.01)  # no torque sensors
    assert sliding((), (0.2, 0.8)) == pytest.approx(0.5, abs=0.01)
    assert math.isfinite(sliding((math.nan,) * 12, (0.2, 0.8)))


def test_a_missing_sample_of_the_legs_changes_no_speed():
    feel = feel_of()

    def take(told):
        feel.take(imu_of(), told, 0.0, 5e-3)
        return feel.speed[0]

    def swept(k, t_ns):  # all thighs turn alike: the feet go back evenly, nearly
        return legs_of(t_ns, (0.0, 0.9 + 0.002 * k, -1.8) * 4)

    for k in range(100):
        before = take(swept(k, k * PACKET_NS))
    take(None)
    assert before > 0.05
    assert take(swept(101, 101 * PACKET_NS)) == pytest.approx(before, rel=0.02)
    before = feel.speed[0]
    for t_ns in (101 * PACKET_NS, 50 * PACKET_NS, 10**15, 0):  # repeated, stepped back, a gap: no speed to be felt
        assert take(swept(200, t_ns)) == before
