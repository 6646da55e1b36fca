"""What this machine has, what it lacks, and how to get it: one check per line, each with its remedy.

Everything that could take the process down with it (compiled libraries, the middleware) runs in a child process, so
a broken installation is reported rather than suffered.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markup import escape

SOURCE_TREE = Path(__file__).resolve().parents[1]
RECORDINGS = SOURCE_TREE.parent / "shared" / "recordings"
RELEASED_HASH = "RIHS01_d6fa176260b1f37e5a40845305315e150a0f18191241eb64f407442aa29844aa"
# rclpy's major version belongs to one distribution (index.ros.org/p/rclpy); the wheels do not set ROS_DISTRO.
DISTRIBUTIONS = {"3": "humble", "4": "iron", "7": "jazzy", "9": "kilted"}
NEEDED_FREE_BYTES = 2_000_000_000
SETUP = "make setup (or `pip install -e '.[ros,build,dev]'` and `python interfaces/build_message.py`)"
PYBULLET_PROBE = (
    "import importlib.metadata, pybullet; client = pybullet.connect(pybullet.DIRECT); assert client >= 0;"
    "pybullet.stepSimulation(); pybullet.disconnect(); print(importlib.metadata.version('pybullet'))"
)
SERVICES_PROBE = (
    "import rosbag2_interfaces.srv as s; kinds = [s.Pause, s.Resume, s.TogglePaused, s.IsPaused, s.Seek, s.SetRate];"
    "[kind.__import_type_support__() for kind in kinds]; print('rosbag2_interfaces, as of ros2 bag play')"
)
NUMBA_PROBE = (
    "import numba, numpy; assert numba.njit(lambda x: x + 1)(1) == 2;"
    "print(f'numba {numba.__version__}, numpy {numpy.__version__}')"
)


@dataclass(frozen=True)
class Check:
    """One finding: `required` ones that are not `ok` keep the main job, a flight over ROS 2, from running."""

    name: str
    ok: bool
    detail: str
    remedy: str
    required: bool


def checks() -> list[Check]:
    """All checks, in the order in which a missing part matters."""
    return list(_each())


def run(console: Console) -> int:
    """Print one line per check as it comes, remedies under what is missing; exit status 1 if a flight cannot run."""
    failed = 0
    for check in _each():
        mark = "[green]ok[/]     " if check.ok else "[red]missing[/]" if check.required else "[yellow]absent[/] "
        console.print(f"{mark} [bold]{check.name:<15}[/] {escape(check.detail)}", soft_wrap=True, highlight=False)
        if not check.ok:
            console.print(f"        {'':<15} [cyan]-> {escape(check.remedy)}[/]", soft_wrap=True, highlight=False)
        failed += check.required and not check.ok
    verdict = "[green]ready to fly[/]" if not failed else f"[red]not ready: {failed} missing[/]"
    console.print(verdict, highlight=False)
    return 1 if failed else 0


def _each() -> Iterator[Check]:
    yield check_python()
    yield check_numba()
    yield check_numba_cache()
    yield check_pybullet()
    yield check_rclpy()
    yield from check_dds()
    yield check_player_services()
    yield check_ffmpeg()
    yield check_recordings()
    yield check_disk()


def check_python() -> Check:
    """Python 3.10 or later; said when it is one without pybullet wheels."""
    version = ".".join(map(str, sys.version_info[:3]))
    late = "" if sys.version_info < (3, 12) else ", for which pybullet has no wheel and compiles from source"
    remedy = "make PYTHON=/path/to/python3.11 clean setup"
    return Check("python", sys.version_info >= (3, 10), f"{version} at {sys.prefix}{late}", remedy, required=True)


def check_numba() -> Check:
    """Numba imports with this numpy and compiles."""
    ok, detail = _probe(["-c", NUMBA_PROBE])
    return Check("numba", ok, detail, SETUP, required=True)


def check_numba_cache() -> Check:
    """A folder in which compiled kernels survive the process, as numba looks for one."""
    user = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "numba"
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    folders = [Path(chosen)] if chosen else [Path(__file__).parent / "__pycache__", user]
    writable = next((folder for folder in folders if _writable(folder)), None)
    detail = str(writable) if writable else f"cannot write in {' or '.join(map(str, folders))}"
    remedy = "export NUMBA_CACHE_DIR=/a/folder/you/can/write"
    return Check("numba cache", writable is not None, detail, remedy, required=True)


def check_pybullet() -> Check:
    """PyBullet imports and steps without a display."""
    ok, detail = _probe(["-c", PYBULLET_PROBE])
    remedy = "pip install pybullet, with Python 3.10 or 3.11 (later ones compile it: sudo apt install g++)"
    return Check("pybullet", ok, detail, remedy, required=True)


def check_rclpy() -> Check:
    """The ROS 2 client library, its distribution, and whether wheels or an installation brought it."""
    remedy = f"source /opt/ros/<distribution>/setup.bash, or without ROS 2: {SETUP}"
    found = importlib.util.find_spec("rclpy")
    if found is None or not found.origin:
        return Check("rclpy", False, "not found", remedy, required=True)
    try:
        version = importlib.metadata.version("rclpy")
    except importlib.metadata.PackageNotFoundError:
        version = "of unknown version"
    distribution = os.environ.get("ROS_DISTRO") or DISTRIBUTIONS.get(version.split(".")[0], "unknown distribution")
    wheels = " from wheels" if Path(found.origin).is_relative_to(sys.prefix) and sys.prefix != sys.base_prefix else ""
    return Check("rclpy", True, f"{version}, ROS 2 {distribution}{wheels}", remedy, required=True)


def check_dds() -> list[Check]:
    """An EventPacket out and back over DDS, and the type hash that it was announced with."""
    ok, detail = _probe(["-m", "neuro_robot.nodes.loopback"])
    try:
        result = json.loads(detail.splitlines()[-1])
    except (ValueError, IndexError):
        result = {"error": detail or "no answer", "type_hash": "", "middleware": ""}
    found = bool(result["middleware"])
    without_message = f"sudo apt install ros-$ROS_DISTRO-event-camera-msgs, or without ROS 2: {SETUP}"
    remedy = without_message if "event_camera_msgs" in result["error"] else (
        "unset RMW_IMPLEMENTATION and ROS_DISCOVERY_SERVER, allow multicast on the loopback interface"
        " (sudo ip link set lo multicast on), look for a firewall"
    )  # fmt: skip
    came = f"event packet out and back in {result.get('latency_ms', 0):.1f} ms over {result['middleware']}"
    sent = Check("dds", ok and not result["error"], result["error"] or came, remedy, required=True)
    announced = result["type_hash"] or ("none in this distribution" if found else "the message could not be loaded")
    same = found and result["type_hash"] in ("", RELEASED_HASH)
    rebuild = f"remove other builds of event_camera_msgs, then {without_message}; expected {RELEASED_HASH}"
    return [sent, Check("message hash", same, announced, rebuild, required=True)]


def check_player_services() -> Check:
    """The service types by which a recording that plays is paused and sought in."""
    ok, detail = _probe(["-c", SERVICES_PROBE])
    remedy = f"sudo apt install ros-$ROS_DISTRO-rosbag2-interfaces, or without ROS 2: {SETUP}"
    return Check("player services", ok, detail, remedy, required=False)


def check_ffmpeg() -> Check:
    """The encoder of flight.mp4."""
    program = shutil.which("ffmpeg")
    if importlib.util.find_spec("imageio_ffmpeg") is not None:
        ok, detail = _probe(["-c", "import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())"])
        program = detail if ok else program
    remedy = "pip install imageio-ffmpeg, or sudo apt install ffmpeg; flights run without, and leave no video"
    return Check("ffmpeg", program is not None, program or "not found", remedy, required=False)


def check_recordings() -> Check:
    """Real camera recordings beside the source tree, on which some tests run."""
    bags = sorted(path.parent.name for path in RECORDINGS.glob("*/metadata.yaml"))
    detail = f"{', '.join(bags)} in {RECORDINGS}" if bags else f"no rosbag2 recording in {RECORDINGS}"
    remedy = "optional: put bags of a real event camera there; the tests on them are skipped until then"
    return Check("recordings", bool(bags), detail, remedy, required=False)


def check_disk() -> Check:
    """Room for bags and videos where runs are written, which is the current folder unless told otherwise."""
    free = shutil.disk_usage(Path.cwd()).free
    detail = f"{free / 1e9:.1f} GB free in {Path.cwd()}"
    remedy = f"free {NEEDED_FREE_BYTES / 1e9:.0f} GB, or write runs elsewhere: neuro_robot fly --out DIR"
    return Check("disk", free >= NEEDED_FREE_BYTES, detail, remedy, required=False)


def _probe(arguments: list[str], timeout_s: float = 180.0) -> tuple[bool, str]:
    """Run this Python on something; its last line on success, else the last line that says why it failed."""
    command = [sys.executable, *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)
    except subprocess.TimeoutExpired:
        return False, f"no answer within {timeout_s:g} s"
    said = done.stdout.split("\n") if done.stdout.strip() else done.stderr.split("\n")
    last = next((line.strip() for line in reversed(said) if line.strip()), f"ended with status {done.returncode}")
    return done.returncode == 0, last


def _writable(folder: Path) -> bool:
    """Whether a file can be made there, the folder itself included."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False
