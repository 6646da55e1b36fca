"""One description, two readers: the launch file makes of it what `neuro_robot fly` makes of it."""

from __future__ import annotations

import runpy
import sys
import types
from pathlib import Path
from typing import ClassVar

import pytest
import yaml

from neuro_robot.graph import ARGUMENTS, WALK_ARGUMENTS, drone, quadruped, replay

ROOT = Path(__file__).resolve().parents[2]


class Recorded:
    """Stands for any class of `launch`: remembers how it was made."""

    made: ClassVar[list[Recorded]] = []

    def __init__(self, *args, **kwargs):
        self.args, self.kwargs = args, kwargs
        Recorded.made.append(self)


@pytest.fixture(params=[("drone", ARGUMENTS, drone), ("quadruped", WALK_ARGUMENTS, quadruped)], ids=lambda p: p[0])
def launched(request, monkeypatch):
    """A robot's launch file against a recording stand-in for `launch`, which has no wheels; arguments and graph."""
    names = {
        "launch": ["LaunchDescription"],
        "launch.actions": ["DeclareLaunchArgument", "EmitEvent", "LogInfo", "OpaqueFunction", "RegisterEventHandler",
                           "Shutdown", "UnregisterEventHandler"],
        "launch.event_handlers": ["OnProcessExit"],
        "launch.events": ["matches_action"],
        "launch.substitutions": ["LaunchConfiguration"],
        "launch_ros": [],
        "launch_ros.actions": ["LifecycleNode"],
        "launch_ros.event_handlers": ["OnStateTransition"],
        "launch_ros.events": [],
        "launch_ros.events.lifecycle": ["ChangeState"],
    }  # fmt: skip
    pytest.importorskip("lifecycle_msgs.msg")
    for module, classes in names.items():
        fake = types.ModuleType(module)
        for name in classes:
            setattr(fake, name, type(name, (Recorded,), {}))
        monkeypatch.setitem(sys.modules, module, fake)
    Recorded.made.clear()
    monkeypatch.delitem(sys.modules, "neuro_robot.nodes.robot_launch", raising=False)
    name, arguments, graph = request.param
    made = runpy.run_path(str(ROOT / "launch" / f"{name}.launch.py"))
    yield made["generate_launch_description"](), arguments, graph
    sys.modules.pop("neuro_robot.nodes.robot_launch", None)


def test_every_argument_is_declared_with_default_and_description(launched):
    description, arguments, _ = launched
    declared = [item for item in description.args[0] if type(item).__name__ == "DeclareLaunchArgument"]
    assert [item.args[0] for item in declared] == [item.name for item in arguments]
    for item in declared:
        assert item.kwargs["description"]
        assert item.kwargs["default_value"] in item.kwargs.get("choices", [item.kwargs["default_value"]])


def test_the_launch_file_starts_the_graph(launched, monkeypatch):
    description, arguments, graph = launched
    given = {item.name: item.default for item in arguments} | {"record": "x", "seed": "7", "namespace": "left"}
    fake = sys.modules["launch.substitutions"].LaunchConfiguration
    monkeypatch.setattr(fake, "perform", lambda self, context: given[self.args[0]], raising=False)
    opaque = description.args[0][-1].kwargs
    actions = opaque["function"](None, *opaque["args"])
    nodes = [item for item in actions if type(item).__name__ == "LifecycleNode"]
    assert [item.kwargs["name"] for item in nodes] == [item.name for item in graph(given)]
    for made, node in zip(nodes, graph(given), strict=True):
        assert made.kwargs["executable"] == node.name
        assert made.kwargs["namespace"] == "left"
        assert made.kwargs["remappings"] == [("/clock", "/clock")]
        assert made.kwargs["parameters"][1] == dict(node.parameters)
        assert Path(made.kwargs["parameters"][0]).is_file()
    watched = [item.kwargs for item in Recorded.made if type(item).__name__ == "OnStateTransition"]
    assert all(item["handle_once"] for item in watched)
    chained = [item for item in watched if type(item["entities"][0]).__name__ != "OpaqueFunction"]
    assert [item["goal_state"] for item in chained] == ["inactive"] * 3 + ["active"] * 3
    assert [item["target_lifecycle_node"] for item in chained] == [*nodes, *nodes]
    refusals = [item for item in watched if item not in chained]
    assert {(item["target_lifecycle_node"], item["goal_state"]) for item in refusals} == {
        (node, goal) for node in nodes for goal in ("unconfigured", "inactive")
    }


def test_a_parameter_file_that_is_not_there_is_refused(launched, tmp_path):
    from neuro_robot.nodes.robot_launch import parameter_file

    mine = tmp_path / "mine.yaml"
    with pytest.raises(ValueError, match=r"params_file: expected a ROS 2 parameter file, got .*: no such file"):
        parameter_file(str(mine), "drone.yaml")
    mine.write_text("")
    assert parameter_file(str(mine), "drone.yaml") == str(mine)
    assert Path(parameter_file("", "drone.yaml")) == ROOT / "config" / "drone.yaml"


def test_the_end_of_a_node_ends_the_launch_in_order_or_as_a_failure(launched):
    from neuro_robot.nodes.robot_launch import when_ended

    graph = launched[2]

    def end(name, status, shutting_down=False):
        node = next(item for item in graph({}) if item.role == name)
        on_exit = when_ended(node)
        return on_exit(types.SimpleNamespace(returncode=status), types.SimpleNamespace(is_shutdown=shutting_down))

    assert [type(item).__name__ for item in end("sim_node", 0)] == ["Shutdown"]
    for name, status in (("sim_node", -9), ("controller_node", 0), ("controller_node", 1)):
        with pytest.raises(RuntimeError, match=f"{name} ended with status {status}"):
            end(name, status)
        assert end(name, status, shutting_down=True) is None


def test_weights_may_be_the_packages_own_none_or_a_file():
    def weights(**values):
        return next(node for node in drone(values) if node.name == "controller_node").parameters["weights_file"]

    assert Path(weights()).name == "drone_weights.npz"
    assert Path(weights(weights="learned")).is_file()
    assert weights(weights="initial") == weights(weights="") == ""
    assert weights(weights="my.npz") == "my.npz"


def test_the_simulator_begins_last_and_ends_everything():
    nodes = drone({"record": "x"})
    assert [node.name for node in nodes] == ["recorder_node", "controller_node", "sim_node"]
    assert [node.ends_graph for node in nodes] == [False, False, True]
    assert [node.name for node in drone({})] == ["controller_node", "sim_node"]
    player = replay("bag", rate=2.0, lockstep=False, values={})[-1]
    assert player.name == "player_node"
    assert player.ends_graph


def test_graph_parameters_exist_and_the_file_is_up_to_date():
    pytest.importorskip("event_camera_msgs.msg")
    from neuro_robot.config import declarations
    from neuro_robot.nodes.controller_parameters import ControllerParameters
    from neuro_robot.nodes.player_node import PlayerParameters
    from neuro_robot.nodes.recorder_node import RecorderParameters
    from neuro_robot.nodes.sim_parameters import SimParameters
    from neuro_robot.reference import parameter_file

    kinds = {"sim_node": SimParameters, "controller_node": ControllerParameters, "recorder_node": RecorderParameters,
             "player_node": PlayerParameters}  # fmt: skip
    for node in [*drone({"record": "x"}), *replay("bag", rate=1.0, lockstep=True, values={})]:
        known = {row.name for row in declarations(kinds[node.name])} | {"use_sim_time"}
        assert set(node.parameters) <= known
    for robot in ("drone", "quadruped"):
        text = (ROOT / "config" / f"{robot}.yaml").read_text()
        assert text == parameter_file(robot), f"run `neuro_robot parameters --robot {robot} > config/{robot}.yaml`"
    text = (ROOT / "config" / "drone.yaml").read_text()
    sections = yaml.safe_load(text)
    for name in ("sim_node", "controller_node"):
        values = sections[f"/**/{name}"]["ros__parameters"]
        for row in declarations(kinds[name]):
            here = values
            for part in row.name.split("."):
                here = here[part]
            assert here == row.default
            assert type(here) is type(row.default), row.name
