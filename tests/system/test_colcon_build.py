"""`colcon build` as on a machine with ROS 2: where executables and data land, and that they run from there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ["package.xml", "setup.py", "setup.cfg", "pyproject.toml", "LICENSE", "resource"]
FOLDERS = ["neuro_robot", "launch", "config", "sim_worlds", "interfaces"]
COLCON = shutil.which("colcon", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(COLCON is None, reason="no colcon: pip install colcon-common-extensions"),
]


def run(command: list[str], cwd: Path) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    variables = {**os.environ, "PATH": path, "AMENT_PREFIX_PATH": sys.prefix}
    variables.pop("COLCON_PREFIX_PATH", None)
    variables.pop("PYTHONPATH", None)
    return subprocess.run(command, cwd=cwd, env=variables, capture_output=True, text=True, timeout=900, check=False)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A colcon workspace with a copy of the package, built against this environment as the only ament prefix."""
    folder = tmp_path_factory.mktemp("workspace")
    package = folder / "src" / "neuro_robot"
    package.mkdir(parents=True)
    for name in [*SOURCES, *FOLDERS]:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, package / name, ignore=shutil.ignore_patterns("__pycache__", "*.nb[ic]"))
        else:
            shutil.copy(ROOT / name, package / name)
    built = run([str(COLCON), "build", "--event-handlers", "console_direct+"], folder)
    assert built.returncode == 0, built.stdout + built.stderr
    assert "1 package finished" in built.stdout, built.stdout  # the message comes from the distribution
    return folder


def test_executables_are_where_ros_looks_for_them(workspace: Path) -> None:
    folder = workspace / "install" / "neuro_robot" / "lib" / "neuro_robot"
    assert {"neuro_robot", "sim_node", "controller_node", "recorder_node", "player_node"} <= {
        path.name for path in folder.iterdir()
    }


def test_data_is_shared_under_the_package_name(workspace: Path) -> None:
    prefix = workspace / "install" / "neuro_robot" / "share"
    assert (prefix / "ament_index" / "resource_index" / "packages" / "neuro_robot").is_file()
    share = prefix / "neuro_robot"
    assert (share / "package.xml").is_file()
    for folder, pattern in (("launch", "*.launch.py"), ("config", "*.*"), ("sim_worlds", "*.yaml")):
        wanted = {path.name for path in (ROOT / folder).glob(pattern)}
        assert wanted, f"{folder} has no {pattern}"
        assert {path.name for path in (share / folder).iterdir()} == wanted


def test_every_module_is_installed(workspace: Path) -> None:
    site = next((workspace / "install" / "neuro_robot" / "lib").glob("python*/site-packages/neuro_robot"))
    wanted = {path.relative_to(ROOT / "neuro_robot") for path in (ROOT / "neuro_robot").rglob("*.py")}
    assert wanted <= {path.relative_to(site) for path in site.rglob("*.py")}


def test_the_sourced_workspace_runs_its_own_code_on_its_own_data(workspace: Path) -> None:
    install = workspace / "install" / "neuro_robot"
    script = "import neuro_robot.share as share; print(share.__file__); print(share.share_folder())"
    done = run(["sh", "-c", f'. install/local_setup.sh && "{sys.executable}" -c "{script}"'], workspace)
    assert done.returncode == 0, done.stderr
    module, share = map(Path, done.stdout.split())
    assert module.is_relative_to(install)
    assert share == install / "share" / "neuro_robot"


def test_the_command_starts_from_the_sourced_workspace(workspace: Path) -> None:
    script = ". install/local_setup.sh && install/neuro_robot/lib/neuro_robot/neuro_robot --help"
    done = run(["sh", "-c", script], workspace)
    assert done.returncode == 0, done.stdout + done.stderr


def test_worlds_are_found_from_the_sourced_workspace(workspace: Path) -> None:
    script = "from neuro_robot.sim.world import load_world; print(load_world('forest', 1).name)"
    done = run(["sh", "-c", f'. install/local_setup.sh && cd / && "{sys.executable}" -c "{script}"'], workspace)
    assert (done.returncode, done.stdout.strip()) == (0, "forest"), done.stderr
