"""Services, parameters and transitions of running nodes over DDS, in a namespace."""

from __future__ import annotations

import numpy as np
import pytest
from geometry_msgs.msg import TwistStamped
from graphs import SIM, until
from rcl_interfaces.srv import GetParameters
from std_srvs.srv import SetBool, Trigger

from neuro_robot.agents.controller import Controller
from neuro_robot.agents.drone import DroneMindConfig
from neuro_robot.bags.topics import COMMAND
from neuro_robot.errors import NeuroRobotError
from neuro_robot.graph import drone, with_parameters
from neuro_robot.nodes.bringup import Bringup
from neuro_robot.nodes.core import qos

pytestmark = [pytest.mark.ros, pytest.mark.slow]
LONG = {**SIM, "drone.episode.timeout_s": 600.0, "episodes": 1000, "listeners": 1}


@pytest.fixture(scope="module")
def graph(tmp_path_factory):
    """A drone that flies in the namespace /left until the tests are through."""
    nodes = with_parameters(drone({"mode": "realtime", "seed": "3"}), {"sim_node": LONG})
    with Bringup(nodes, tmp_path_factory.mktemp("services"), namespace="left") as running:
        running.configure()
        running.activate()
        until(running, "sim_node", lambda status: int(status.values.get("commands_passed", 0)) > 20)
        yield running


def learning(graph: Bringup) -> bool:
    request = GetParameters.Request(names=["mind.learning"])
    return graph.call("controller_node", "get_parameters", GetParameters, request).values[0].bool_value


def load(graph: Bringup) -> Trigger.Response:
    return graph.call("controller_node", "load_weights", Trigger, Trigger.Request())


def digest(graph: Bringup) -> str:
    """The weights' digest in a report that is made from now on."""
    before = graph.status["controller_node"]
    until(graph, "controller_node", lambda status: status is not before)
    before = graph.status["controller_node"]
    return until(graph, "controller_node", lambda status: status is not before).values["digest_weights"]


def test_learning_is_one_switch_by_service_or_parameter(graph):
    for wanted in (False, True, False):
        response = graph.call("controller_node", "learning", SetBool, SetBool.Request(data=wanted))
        assert response.success
        assert response.message == f"learning {'on' if wanted else 'off'}"
        assert learning(graph) is wanted
        until(graph, "controller_node", lambda status, wanted=wanted: status.values.get("learning") == str(wanted))
    kept = digest(graph)
    assert digest(graph) == kept  # synapses held fixed
    graph.set_parameter("controller_node", "mind.learning", True)
    until(graph, "controller_node", lambda status: status.values["learning"] == "True")


def test_weights_are_saved_and_loaded_and_bad_ones_change_nothing(graph, tmp_path):
    graph.call("controller_node", "learning", SetBool, SetBool.Request(data=False))
    kept = digest(graph)
    saved = tmp_path / "saved.npz"
    graph.set_parameter("controller_node", "weights_file", str(saved))
    assert graph.trigger("controller_node", "save_weights") == f"saved to {saved}"
    assert load(graph).message == f"loaded from {saved}"
    assert digest(graph) == kept
    bad = tmp_path / "bad.npz"
    for content in (saved.read_bytes()[:-1], b"", np.arange(99, dtype=np.uint8).tobytes()):
        bad.write_bytes(content)
        graph.set_parameter("controller_node", "weights_file", str(bad))
        response = load(graph)
        assert not response.success
        assert str(bad) in response.message
        assert digest(graph) == kept
    Controller(DroneMindConfig(), 5).save(bad)
    assert load(graph).success
    assert digest(graph) != kept
    graph.set_parameter("controller_node", "weights_file", "")
    assert "set it first" in load(graph).message


def test_what_cannot_change_in_flight_is_refused_and_the_flight_goes_on(graph):
    for node, name, value in (("sim_node", "drone.camera.width", 64), ("controller_node", "mind.speed", 3.0)):
        with pytest.raises(NeuroRobotError, match="takes effect at configure"):
            graph.set_parameter(node, name, value)
    with pytest.raises(NeuroRobotError, match="refused"):
        graph.set_parameter("controller_node", "no.such", 1)
    steps = int(graph.status["sim_node"].values["steps"])
    until(graph, "sim_node", lambda status: int(status.values["steps"]) > steps)


def test_faults_come_and_go_in_flight_and_diagnostics_say_so(graph):
    graph.set_parameter("controller_node", "mind.faults", "dead_neurons:column:25%; lost_spikes:motor:50%")
    broken = until(graph, "controller_node", lambda status: float(status.values["fault_spikes_lost"]) > 0)
    assert broken.level == "warn"
    assert "DeadNeurons(layer='column', which='25%'" in broken.text
    assert (float(broken.values["faults"]), float(broken.values["fault_dead_neurons"])) == (2.0, 16.0)
    with pytest.raises(NeuroRobotError, match="no layer of this name; the layers are retina, column, motor"):
        graph.set_parameter("controller_node", "mind.faults", "dead_neurons:cortex")
    graph.set_parameter("controller_node", "mind.faults", "")
    healed = until(graph, "controller_node", lambda status: float(status.values["faults"]) == 0.0)
    assert healed.level == "ok"


def test_latency_is_measured_in_realtime(graph):
    values = until(graph, "controller_node", lambda status: int(float(status.values["latency_count"])) > 100).values
    assert 0.0 < float(values["latency_p50_ms"]) <= float(values["latency_p99_ms"]) <= float(values["latency_max_ms"])


def test_nodes_can_be_configured_again_with_other_parameters(graph):
    speeds = []
    graph._node.create_subscription(TwistStamped, f"{graph.namespace}/{COMMAND.name}",
                                    lambda message: speeds.append(message.twist.linear.x), qos(COMMAND))  # fmt: skip
    for node, name, value in (("controller_node", "mind.speed", 3), ("sim_node", "drone.camera.width", 64)):
        for step in ("deactivate", "cleanup"):
            graph.change(node, step)
        graph.set_parameter(node, name, value)  # 3 is 3.0
    for step in ("configure", "activate"):
        for node in ("controller_node", "sim_node"):
            graph.change(node, step)
    passed = until(graph, "sim_node", lambda status: int(status.values["commands_passed"]) > 20)
    assert float(passed.values["t_s"]) < 600.0
    speeds.clear()
    while not speeds:
        graph.spin(0.05)
    assert speeds[-1] == 3.0


def test_two_robots_fly_side_by_side(graph, tmp_path):
    nodes = with_parameters(drone({"mode": "realtime", "seed": "4"}), {"sim_node": LONG})
    with Bringup(nodes, tmp_path, namespace="right") as other:
        other.configure()
        other.activate()
        until(other, "sim_node", lambda status: int(status.values.get("commands_passed", 0)) > 20)
        before = int(graph.status["sim_node"].values["commands_passed"])
        until(graph, "sim_node", lambda status: int(status.values["commands_passed"]) > before)
        names = set(other._node.get_node_names_and_namespaces())
        assert {(node, f"/{side}") for node in ("sim_node", "controller_node") for side in ("left", "right")} <= names
