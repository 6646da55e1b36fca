"""Imports point down the layers only; ROS stays in nodes/ and pybullet in one module."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "neuro_robot"
# What each part may import of the package; the root modules are open to all.
BELOW = {
    "events": set[str](),
    "snn": {"events.array"},
    "sim": {"events.array", "events.codec", "events.packet"},
    "agents": {"events", "snn", "sim"},
    "bags": {"events", "snn", "sim"},
    "bench": {"events", "snn", "sim", "agents", "bags"},
    "recordings": {"events", "bags"},
    "nodes": {"events", "snn", "sim", "agents", "bags"},
}
NOT_OPEN = {"cli", "cli_output", "cli_recordings", "doctor"}
ROOT_MODULES = {path.stem for path in PACKAGE.glob("*.py")} - NOT_OPEN | {"__version__"}
MODULES = sorted(path for part in BELOW for path in (PACKAGE / part).rglob("*.py"))
ROS_SUFFIXES = ("_msgs", "_srvs", "_interfaces")
ROS_PREFIXES = ("rclpy", "rcl_", "ament_", "launch", "tf2", "rosbag2")
# Blocked while everything but the nodes is imported: a module set to None raises ImportError.
BLOCKED = ("rclpy", "event_camera_msgs", "std_msgs", "sensor_msgs", "geometry_msgs", "builtin_interfaces", "launch")


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for item in ast.walk(ast.parse(path.read_text())):
        if isinstance(item, ast.Import):
            names |= {alias.name for alias in item.names}
        elif isinstance(item, ast.ImportFrom) and item.module:
            names |= {item.module, *(f"{item.module}.{alias.name}" for alias in item.names)}
    return names


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down(path: Path) -> None:
    part = path.relative_to(PACKAGE).parts[0]
    allowed = BELOW[part]
    for name in imported(path):
        inner = name.removeprefix("neuro_robot.")
        if inner in (name, part) or inner.split(".")[0] in {part} | ROOT_MODULES:
            continue
        assert any(
            inner == other or inner.startswith(f"{other}.") or other.startswith(f"{inner}.") for other in allowed
        ), f"{path.relative_to(ROOT)} imports {name}"


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_ros_and_pybullet_stay_at_the_edge(path: Path) -> None:
    inside = path.relative_to(PACKAGE)
    roots = {name.split(".")[0] for name in imported(path)}
    if inside.parts[0] != "nodes":
        assert [name for name in roots if name.endswith(ROS_SUFFIXES) or name.startswith(ROS_PREFIXES)] == []
    if inside != Path("sim/bullet.py"):
        assert "pybullet" not in roots


def test_everything_but_the_nodes_imports_without_ros() -> None:
    blocked = "import sys; [sys.modules.__setitem__(name, None) for name in sys.argv[1].split(',')];"
    modules = [path for part in BELOW if part != "nodes" for path in (PACKAGE / part).rglob("*.py")]
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in modules]
    names = [name for name in names if not name.endswith("__main__")]
    code = f"{blocked} import importlib; [importlib.import_module(name) for name in sys.argv[2].split(',')]"
    command = [sys.executable, "-c", code, ",".join(BLOCKED), ",".join([*names, "neuro_robot.doctor"])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
