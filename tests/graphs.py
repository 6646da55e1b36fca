"""Short runs of the real graph for the system tests."""

from __future__ import annotations

import time

import pytest

pytest.importorskip("rclpy", reason="ROS 2 is not installed: run `make setup`")
pytest.importorskip("event_camera_msgs.msg", reason="the message is not built: run `make setup`")

from neuro_robot.bench.flight import FlightRequest
from neuro_robot.graph import GraphNode
from neuro_robot.nodes.bringup import Bringup, Status

SHORT = FlightRequest(world="forest", seed=3, speed=5.0, time_limit_s=0.3)
SIM = {"world": "forest", "seed": 3, "mode": "realtime", "drone.episode.timeout_s": 20.0}


def sim_only(folder, **parameters) -> Bringup:
    """The simulator without a controller, free running."""
    return Bringup([GraphNode("sim_node", {**SIM, "listeners": 0, **parameters}, ends_graph=True)], folder)


PATIENCE_S = 120.0  # on a busy machine; nothing waits longer than it must


def until(graph: Bringup, node: str, wanted, seconds: float = PATIENCE_S) -> Status:
    """Spin until the node's diagnostics satisfy `wanted`; fails with the last ones."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        graph.spin(0.05)
        if wanted(graph.status[node]):
            return graph.status[node]
    raise AssertionError(f"{node} never reported what was waited for; last: {graph.status[node]}")
