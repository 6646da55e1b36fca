"""A walker in realtime whose senses fall silent one by one: it stands, says which, and walks again."""

from __future__ import annotations

import time

import numpy as np
import pytest
from felt_body import Body
from graphs import until

from neuro_robot.bags.topics import FOOT_CONTACTS, IMU, JOINT_STATES
from neuro_robot.graph import quadruped
from neuro_robot.nodes.bringup import Bringup

pytestmark = [pytest.mark.ros, pytest.mark.slow]


def test_a_silent_sense_stops_the_walk_with_a_word(tmp_path):
    nodes = [node for node in quadruped({"seed": "3", "mode": "realtime"}) if node.role == "controller_node"]
    with Bringup(nodes, tmp_path) as graph:
        graph.configure()
        graph.activate()
        body = Body(graph)
        graph.spin(1.0)
        for topic in (JOINT_STATES, FOOT_CONTACTS, IMU):
            body.silent = ""
            said = reached(graph, body, lambda status, moving: status.level == "ok" and moving > 0.2)
            assert said.text.startswith("running")
            body.silent = topic.name
            said = reached(graph, body, lambda status, moving: status.level == "error" and moving < 0.02)
            assert topic.name in said.text
            assert "stands until" in said.text
            assert np.isfinite(body.told[-1]).all()
        until(graph, "leg_controller_node", lambda status: status.text.startswith("events: no packet"))


def reached(graph, body, wanted, seconds=60.0):
    """The node's status, once status and motion are as wanted."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        body.feel(100)
        status = graph.status["leg_controller_node"]
        if len(body.told) > 60 and wanted(status, body.moving()):
            return status
    raise AssertionError(f"last: {graph.status['leg_controller_node']}, joints move by {body.moving():.3f} rad")
