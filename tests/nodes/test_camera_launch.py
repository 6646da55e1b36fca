"""The camera launch files against a stand-in for `launch`, which has no wheels: what they start, and with what."""

from __future__ import annotations

import runpy
import sys
import types
from pathlib import Path

import pytest

pytest.importorskip("lifecycle_msgs.msg", reason="ROS 2 is not installed: run `make setup`")
pytest.importorskip("event_camera_msgs.msg", reason="the message is not built: run `make setup`")

from neuro_robot.config import declarations
from neuro_robot.nodes.aer_udp_node import AerUdpParameters
from neuro_robot.nodes.controller_parameters import ControllerParameters
from neuro_robot.nodes.dv_camera_node import DvCameraParameters

ROOT = Path(__file__).resolve().parents[2]
SHARED = "neuro_robot.nodes.launching"
KINDS = {"controller_node": ControllerParameters, "dv_camera_node": DvCameraParameters,
         "aer_udp_node": AerUdpParameters}  # fmt: skip
FILES = {
    "metavision_camera": ["driver_node", "controller_node"],
    "libcaer_camera": ["driver_node", "controller_node"],
    "dv_camera": ["controller_node", "dv_camera_node"],
    "aer_udp": ["controller_node", "aer_udp_node"],
}
MODULES = {
    "launch": ["LaunchDescription"],
    "launch.actions": ["DeclareLaunchArgument", "EmitEvent", "RegisterEventHandler"],
    "launch.conditions": ["IfCondition"],
    "launch.events": ["matches_action"],
    "launch.substitutions": ["LaunchConfiguration"],
    "launch_ros": [],
    "launch_ros.actions": ["LifecycleNode", "Node"],
    "launch_ros.event_handlers": ["OnStateTransition"],
    "launch_ros.events": [],
    "launch_ros.events.lifecycle": ["ChangeState"],
    "launch_ros.parameter_descriptions": ["ParameterValue"],
}


class Recorded:
    """Stands for any class of `launch`: remembers how it was made."""

    def __init__(self, *args, **kwargs):
        self.args, self.kwargs = args, kwargs


@pytest.fixture
def described(monkeypatch):
    """Launch file name -> the items of its description."""
    for module, classes in MODULES.items():
        fake = types.ModuleType(module)
        for name in classes:
            setattr(fake, name, type(name, (Recorded,), {}))
        monkeypatch.setitem(sys.modules, module, fake)

    def describe(name):
        sys.modules.pop(SHARED, None)
        made = runpy.run_path(str(ROOT / "launch" / f"{name}.launch.py"))["generate_launch_description"]()
        return made.args[0]

    yield describe
    sys.modules.pop(SHARED, None)  # it was made of stand-ins: not for others


def of_kind(items, *kinds):
    return [item for item in items if type(item).__name__ in kinds]


@pytest.mark.parametrize("name", FILES)
def test_the_nodes_and_their_parameters_exist(described, name):
    items = described(name)
    nodes = of_kind(items, "Node", "LifecycleNode")
    assert [node.kwargs["executable"] for node in nodes] == FILES[name]
    for node in nodes:
        if node.kwargs["package"] == "neuro_robot":
            known = {row.name for row in declarations(KINDS[node.kwargs["executable"]])}
            assert set(node.kwargs["parameters"][0]) <= known
            changes = [item for item in of_kind(items, "EmitEvent")
                       if item.kwargs["event"].kwargs["lifecycle_node_matcher"].args == (node,)]  # fmt: skip
            assert len(changes) == 1, "each of our nodes is configured once"
            assert changes[0].kwargs["condition"] is node.kwargs["condition"]


@pytest.mark.parametrize("name", FILES)
def test_every_argument_is_declared_described_and_used(described, name):
    items = described(name)
    declared = {item.args[0]: item for item in of_kind(items, "DeclareLaunchArgument")}
    assert all(item.kwargs["description"] for item in declared.values())
    used, pending = set(), [item for item in items if item not in declared.values()]
    while pending:
        item = pending.pop()
        if isinstance(item, Recorded):
            if type(item).__name__ == "LaunchConfiguration":
                used.add(item.args[0])
            if type(item).__name__ != "matches_action":
                pending += [*item.args, *item.kwargs.values()]
        elif isinstance(item, dict):
            pending += list(item.values())
        elif isinstance(item, list | tuple):
            pending += list(item)
    assert used == set(declared)


@pytest.mark.parametrize("name", ["metavision_camera", "libcaer_camera"])
def test_the_controller_listens_to_the_driver(described, name):
    driver, controller = of_kind(described(name), "Node", "LifecycleNode")
    ((topic, where),) = controller.kwargs["remappings"]
    assert topic == "events"
    assert where == [driver.kwargs["name"], "/events"]
    assert driver.kwargs["parameters"][0]["event_message_size_threshold"] < 500_000


@pytest.mark.parametrize(("name", "executable"), [("dv_camera", "dv_camera_node"), ("aer_udp", "aer_udp_node")])
def test_defaults_are_those_of_the_node(described, name, executable):
    items = described(name)
    defaults = {row.name: row.default for row in declarations(KINDS[executable])}
    for item in of_kind(items, "DeclareLaunchArgument"):
        argument = item.args[0]
        if argument in defaults:
            assert item.kwargs["default_value"] == str(defaults[argument]), argument


def test_the_documentation_names_every_argument(described):
    page = (ROOT / "docs" / "cameras.md").read_text()
    for name in FILES:
        assert f"{name}.launch.py" in page
        for item in of_kind(described(name), "DeclareLaunchArgument"):
            assert f"`{item.args[0]}`" in page, f"{name}: {item.args[0]}"
