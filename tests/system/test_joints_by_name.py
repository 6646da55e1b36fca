"""Joints of a live walker in whatever order: the same answers, each to its own joint; what is unclear is counted."""

from __future__ import annotations

import math

import pytest
from felt_body import Body
from geometry_msgs.msg import TwistStamped
from graphs import until

from neuro_robot.bags.topics import COMMAND
from neuro_robot.graph import quadruped
from neuro_robot.nodes.bringup import Bringup
from neuro_robot.nodes.core import qos
from neuro_robot.sim.quadruped import JOINT_NAMES

pytestmark = [pytest.mark.ros, pytest.mark.slow]
NODE, PACKETS = "leg_controller_node", 60
ALPHABETICAL = ("arm", *sorted(JOINT_NAMES))
URDF = tuple(f"{leg}_{part}_joint" for leg in ("FR", "FL", "RR", "RL") for part in ("hip", "upper", "lower"))


def felt(k, names):
    """Positions, velocities and torques of the k-th packet, each joint with a course of its own."""
    order = [JOINT_NAMES.index(name) if name in JOINT_NAMES else place for place, name in enumerate(names)]
    stance, swing = (0.0, 0.9, -1.8) * 4, [0.2 * math.sin(0.3 * k + joint) for joint in order]
    return tuple(tuple(gain * more + at * stance[joint] for joint, more in zip(order, swing, strict=True))
                 for gain, at in ((1.0, 1.0), (60.0, 0.0), (-50.0, 0.0)))  # fmt: skip


def walked(graph, body, names):
    """What the robot was told, in our order, for a walk with the joints of these names, and by which names."""
    body.names = names
    body.begin()
    for k in range(PACKETS):
        body.say(*felt(k, names or JOINT_NAMES))
        until(graph, NODE, lambda _status, k=k: len(body.told) > k)
    by_name = [dict(zip(body.told_names, told, strict=True)) for told in body.told]
    told = [tuple(one[name] for name in (URDF if names == URDF else JOINT_NAMES)) for one in by_name]
    return told, body.told_names, until(graph, NODE, lambda status: status.values.get("packets") == str(PACKETS)).values


def test_each_value_reaches_its_own_joint_and_so_does_the_answer(tmp_path):
    nodes = [node for node in quadruped({"seed": "3", "mode": "lockstep"}) if node.role == "controller_node"]
    with Bringup(nodes, tmp_path) as graph:
        graph.configure()
        graph.activate()
        body = Body(graph)
        graph.spin(1.0)
        walks = []
        for names in (JOINT_NAMES, ALPHABETICAL, URDF, ()):
            walks.append(walked(graph, body, names))
            for step in ("deactivate", "cleanup", "configure", "activate"):
                graph.change(NODE, step)
        answers, told_names, values = zip(*walks, strict=True)
        assert answers[0] == answers[1] == answers[2] == answers[3]
        assert told_names == (JOINT_NAMES, JOINT_NAMES, URDF, JOINT_NAMES)
        assert [one["joints_unnamed"] for one in values] == ["0", "0", str(PACKETS), str(PACKETS)]
        assert {one["refused"] for one in values} == {"0"}
        assert len({one["digest_commands"] for one in values}) == 1
        body.names = (*JOINT_NAMES[:-1], JOINT_NAMES[0])
        body.begin()
        body.say(*felt(0, JOINT_NAMES))
        refused = until(graph, NODE, lambda status: status.values.get("samples_refused") == "1")
        assert refused.level == "error"
        assert refused.values["refused"] == "0"  # no packet was
        assert "joint_states: expected every name once" in refused.text
        assert body.told == []
        body.names = JOINT_NAMES
        body.begin()
        body.say(*felt(0, JOINT_NAMES))
        walks_on = until(graph, NODE, lambda status: status.values.get("packets") == "1")
        assert walks_on.level == "warn"  # it walks, and what was left out is not forgotten
        publisher = graph._node.create_publisher(TwistStamped, COMMAND.name, qos(COMMAND))
        while not publisher.get_subscription_count():
            graph.spin(0.05)
        broken = TwistStamped()
        broken.twist.linear.x = math.nan
        publisher.publish(broken)
        until(graph, NODE, lambda status: status.values.get("velocities_refused") == "1")
