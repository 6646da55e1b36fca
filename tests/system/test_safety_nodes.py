"""Whatever breaks, the drone stops, says why, and everything ends cleanly with a readable bag."""

from __future__ import annotations

import os
import signal
import time

import numpy as np
import pytest
from graphs import SIM, sim_only, until

from neuro_robot.bags.reader import BagReader
from neuro_robot.bags.topics import COMMAND, EVENTS
from neuro_robot.errors import NeuroRobotError
from neuro_robot.events.array import empty_events
from neuro_robot.events.packet import pack
from neuro_robot.graph import GraphNode, drone, with_parameters
from neuro_robot.nodes.bringup import Bringup
from neuro_robot.nodes.conversions import command_message, packet_message
from neuro_robot.nodes.core import qos
from neuro_robot.robot import BodyCommand

pytestmark = [pytest.mark.ros, pytest.mark.slow]


def test_a_killed_controller_stops_the_drone_and_the_bag_is_readable(tmp_path):
    values = {"mode": "realtime", "seed": "3", "record": str(tmp_path / "bag")}
    with Bringup(with_parameters(drone(values), {"sim_node": SIM}), tmp_path) as graph:
        graph.configure()
        graph.activate()
        until(graph, "sim_node", lambda status: int(status.values.get("commands_passed", 0)) > 50)
        os.kill(graph.processes["controller_node"].pid, signal.SIGKILL)
        stopped = until(graph, "sim_node", lambda status: "ms old" in status.text)
        assert stopped.level == "error"
        with pytest.raises(NeuroRobotError, match="controller_node ended"):
            graph.wait()
    assert all(process.returncode is not None for process in graph.processes.values())
    assert graph.processes["sim_node"].returncode == 0  # told to stop, stopped cleanly
    with BagReader(tmp_path / "bag") as reader:
        assert reader.counts["cmd_vel"] > 50


def test_a_silent_controller_ends_lockstep_with_the_reason(tmp_path):
    parameters = {"mode": "lockstep", "answer_timeout_s": 0.1, "answer_retries": 2, "listeners": 0}
    controller = GraphNode("controller_node", {"mode": "lockstep", "use_imu": True})
    sim = GraphNode("sim_node", {**SIM, **parameters}, ends_graph=True)
    with Bringup([controller, sim], tmp_path) as graph:
        graph.configure()
        graph.activate()
        until(graph, "sim_node", lambda status: int(status.values.get("steps", 0)) > 5)
        graph.deactivate("controller_node")
        graph.wait()
        assert graph.status["sim_node"].values["outcome"] == "stopped"
        assert "no command" in graph.status["sim_node"].text


def test_a_killed_simulator_ends_everything(tmp_path):
    with Bringup(with_parameters(drone({"record": str(tmp_path / "bag")}), {"sim_node": SIM}), tmp_path) as graph:
        graph.configure()
        graph.activate()
        until(graph, "sim_node", lambda status: int(status.values.get("steps", 0)) > 5)
        os.kill(graph.processes["sim_node"].pid, signal.SIGKILL)
        with pytest.raises(NeuroRobotError, match="sim_node ended with status -9"):
            graph.wait()
    assert graph.processes["controller_node"].returncode == 0
    assert graph.processes["recorder_node"].returncode == 0
    with BagReader(tmp_path / "bag") as reader:
        assert reader.counts["events"] > 5


@pytest.mark.parametrize(("vx", "says"), [(float("nan"), "not finite"), (1e6, "exceeds the limit")])
def test_absurd_commands_stop_the_drone(tmp_path, vx, says):
    with sim_only(tmp_path, **{"drone.limits.command_timeout_ms": 5000.0}) as graph:
        publisher = graph._node.create_publisher(type(command_message(BodyCommand(0, 0, 0, 0, 0))), COMMAND.name,
                                                 qos(COMMAND))  # fmt: skip
        graph.configure()
        graph.activate()
        end = time.monotonic() + 15.0
        while says not in graph.status["sim_node"].text and time.monotonic() < end:
            t_ns = int(float(graph.status["sim_node"].values.get("t_s", 0.0)) * 1e9)
            publisher.publish(command_message(BodyCommand(t_ns, vx, 0.0, 0.0, 0.0)))
            graph.spin(0.02)
        assert says in graph.status["sim_node"].text
        assert graph.status["sim_node"].level == "error"


def test_bad_packets_are_refused_counted_and_survived(tmp_path):
    def packet(seq, **change):
        good = pack(empty_events(), "evt3", width=64, height=48, seq=seq, stamp_ns=0, t_end_ns=seq * 2_000_000)
        message = packet_message(good)
        for name, value in change.items():
            setattr(message, name, value)
        return message

    node = GraphNode("controller_node", {"mode": "realtime", "use_imu": False}, ends_graph=True)
    with Bringup([node], tmp_path) as graph:
        publisher = graph._node.create_publisher(type(packet(0)), EVENTS.name, qos(EVENTS))
        graph.configure()
        graph.activate()
        while publisher.get_subscription_count() == 0:
            graph.spin(0.05)
        graph.spin(0.3)
        bad = [{"encoding": "evt9"}, {"width": 0}, {"width": 2**31}, {"width": 32}, {"encoding": "mono"}]
        publisher.publish(packet(0))
        graph.spin(0.1)
        for seq, change in enumerate(bad, start=1):
            publisher.publish(packet(seq, **change))
            graph.spin(0.05)
        torn = packet(6)
        torn.events = torn.events[:-1]
        publisher.publish(torn)
        publisher.publish(packet(9))
        status = until(graph, "controller_node", lambda status: status.values.get("packets") == "3")
        assert int(status.values["refused"]) == len(bad)
        assert int(status.values["stream_lost_packets"]) >= 2
        assert int(status.values["stream_torn_bytes"]) == 1


@pytest.mark.parametrize(("parameters", "says"), [
    ({"world": "nowhere"}, "nowhere"),
    ({"no.such": 1}, "no such parameter"),
    ({"mode": "fast"}, "expected one of lockstep, realtime"),
    ({"episodes": 0}, "episodes"),
    ({"drone.camera.width": "wide"}, "drone.camera.width"),
])  # fmt: skip
def test_wrong_parameters_are_refused_with_the_reason(tmp_path, parameters, says):
    with sim_only(tmp_path, **parameters) as graph, pytest.raises(NeuroRobotError, match=says):
        graph.configure()


def test_a_broken_weights_file_is_refused_with_the_reason(tmp_path):
    broken = tmp_path / "weights.npz"
    broken.write_bytes(np.arange(50, dtype=np.uint8).tobytes())
    node = GraphNode("controller_node", {"weights_file": str(broken)}, ends_graph=True)
    with Bringup([node], tmp_path) as graph, pytest.raises(NeuroRobotError, match="refused to configure"):
        graph.configure()
