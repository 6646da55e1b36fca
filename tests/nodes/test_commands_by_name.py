"""joint_trajectory as the simulated robot takes it: by name, whatever the order."""

from __future__ import annotations

import pytest

pytest.importorskip("trajectory_msgs.msg", reason="ROS 2 is not installed: run `make setup`")
pytest.importorskip("event_camera_msgs.msg", reason="the message is not built: run `make setup`")

from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from neuro_robot.nodes.leg_sim_node import command_by_name
from neuro_robot.sim.quadruped import JOINT_NAMES

ANGLES = tuple(0.1 * k for k in range(12))


def trajectory(names, positions):
    message = JointTrajectory(joint_names=list(names), points=[JointTrajectoryPoint(positions=list(positions))])
    message.header.stamp.sec = 3
    return message


def test_joints_are_found_by_their_names():
    command = command_by_name(trajectory(JOINT_NAMES, ANGLES))
    assert (command.t_ns, command.position) == (3_000_000_000, pytest.approx(ANGLES))
    backwards = command_by_name(trajectory(JOINT_NAMES[::-1], ANGLES[::-1]))
    assert backwards == command
    with_an_arm = command_by_name(trajectory(("arm", *JOINT_NAMES), (9.0, *ANGLES)))
    assert with_an_arm == command


@pytest.mark.parametrize(
    ("names", "positions", "left"),
    [
        (("left_hip", *JOINT_NAMES[1:]), ANGLES, 11),
        ((), ANGLES, 0),
        (JOINT_NAMES[:11], ANGLES, 0),
        (JOINT_NAMES, ANGLES[:3], 3),
        ((JOINT_NAMES[0],) * 12, ANGLES, 1),
    ],
)
def test_what_does_not_name_every_joint_has_too_few_positions_for_the_guard(names, positions, left):
    assert len(command_by_name(trajectory(names, positions)).position) == left


def test_no_point_is_nothing_to_obey():
    assert not command_by_name(JointTrajectory(joint_names=list(JOINT_NAMES))).is_finite()
