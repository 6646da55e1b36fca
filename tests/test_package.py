"""The package as a whole: what package.xml, setup.py, the Makefile's scripts and the code say agrees."""

from __future__ import annotations

import ast
import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

import neuro_robot
from neuro_robot.errors import NeuroRobotError
from neuro_robot.share import _share_of, share_folder

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "neuro_robot"
DESCRIPTION = ElementTree.parse(ROOT / "package.xml").getroot()
ROS_PACKAGES = {
    tag.text for tag in DESCRIPTION.iter("exec_depend") if tag.text and not tag.text.startswith(("python3-", "ffmpeg"))
}


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for item in ast.walk(ast.parse(path.read_text())):
        if isinstance(item, ast.Import):
            names |= {alias.name for alias in item.names}
        elif isinstance(item, ast.ImportFrom) and item.module:
            names |= {item.module, *(f"{item.module}.{alias.name}" for alias in item.names)}
    return names


def test_one_version() -> None:
    assert DESCRIPTION.findtext("version") == neuro_robot.__version__
    assert DESCRIPTION.findtext("name") == "neuro_robot"
    assert DESCRIPTION.get("format") == "3"
    assert DESCRIPTION.findtext("export/build_type") == "ament_python"


def test_every_folder_of_code_is_a_package() -> None:
    folders = {path.parent for path in PACKAGE.rglob("*.py")}
    assert [str(folder) for folder in sorted(folders) if not (folder / "__init__.py").is_file()] == []


def test_ros_packages_in_use_are_declared() -> None:
    used = {name.split(".")[0] for path in PACKAGE.rglob("*.py") for name in imported(path)}
    used |= {name.split(".")[0] for path in (ROOT / "launch").glob("*.py") for name in imported(path)}
    ros = {
        name for name in used if name.endswith(("_msgs", "_srvs", "_interfaces")) or name.startswith(("rcl", "launch"))
    }
    assert ros <= ROS_PACKAGES


def test_entry_points_exist() -> None:
    try:
        entries = importlib.metadata.distribution("neuro_robot").entry_points
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("the package is not installed: make setup")
    scripts = {entry.name: entry.value for entry in entries if entry.group == "console_scripts"}
    assert {"neuro_robot", "sim_node", "controller_node", "recorder_node", "player_node"} <= set(scripts)
    for value in scripts.values():
        module, _, function = value.partition(":")
        path = ROOT / Path(*module.split(".")).with_suffix(".py")
        assert path.is_file(), value
        defined = {item.name for item in ast.parse(path.read_text()).body if isinstance(item, ast.FunctionDef)}
        assert function in defined, value


def test_data_is_found_in_the_source_tree() -> None:
    assert share_folder() == ROOT


@pytest.mark.parametrize("site", ["lib/python3.11/site-packages", "local/lib/python3.10/dist-packages"])
def test_data_is_found_beside_an_installed_module(site: str, tmp_path: Path) -> None:
    share = tmp_path / "share" / "neuro_robot"
    module = tmp_path / site / "neuro_robot" / "share.py"
    with pytest.raises(NeuroRobotError, match="install it again"):
        _share_of(module)
    share.mkdir(parents=True)
    (share / "package.xml").touch()
    assert _share_of(module) == share


def test_the_makefile_refuses_a_machine_without_a_compiler(tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("sh", "ls"):
        (tools / name).symlink_to(f"/bin/{name}")
    script = [str(ROOT / "scripts" / "find_python.sh")]
    variables = {"PATH": str(tools), "HOME": str(tmp_path)}
    done = subprocess.run([*script, sys.executable], env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "sudo apt install g++" in done.stderr
    done = subprocess.run(script, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "needs Python 3.10 or 3.11" in done.stderr
    everything = {**os.environ, "HOME": str(tmp_path)}
    done = subprocess.run([*script, sys.executable], env=everything, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, sys.executable), done.stderr
