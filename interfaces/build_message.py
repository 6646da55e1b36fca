"""Build event_camera_msgs from its source into the environment of the Python that runs this script.

    .venv/bin/python interfaces/build_message.py

Wanted only where ROS 2 comes from wheels: a ROS 2 distribution ships the message. Needs a C++ compiler, Python's
headers, and cmake, ninja and the rosidl generators in the environment (the `build` extra of setup.py). Exits with
status 1 and the compiler's own words when the build fails, or when the built type is not the released one.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

SOURCE = Path(__file__).resolve().parent / "event_camera_msgs"
RELEASED_HASH = "RIHS01_d6fa176260b1f37e5a40845305315e150a0f18191241eb64f407442aa29844aa"
HASH_PROBE = (
    "import json, pathlib, sys; path = pathlib.Path(sys.prefix, 'share/event_camera_msgs/msg/EventPacket.json');"
    "rows = json.loads(path.read_text())['type_hashes'];"
    "import event_camera_msgs.msg as m; m.EventPacket.__import_type_support__();"
    "print(next(r['hash_string'] for r in rows if r['type_name'] == 'event_camera_msgs/msg/EventPacket'))"
)


def environment(prefix: Path) -> dict[str, str]:
    """The caller's variables with this environment as the only ament and CMake prefix, and its tools first."""
    variables = dict(os.environ)
    for name in ("PYTHONPATH", "PYTHONHOME", "COLCON_PREFIX_PATH"):
        variables.pop(name, None)
    variables["AMENT_PREFIX_PATH"] = variables["CMAKE_PREFIX_PATH"] = str(prefix)
    variables["PATH"] = os.pathsep.join([str(prefix / "bin"), variables.get("PATH", os.defpath)])
    return variables


def build(prefix: Path, build_dir: Path) -> None:
    """Configure, compile and install; raises CalledProcessError with the output of the step that failed."""
    purelib = sysconfig.get_path("purelib")
    configure = [
        "cmake", "-S", str(SOURCE), "-B", str(build_dir), "-G", "Ninja",
        "-DCMAKE_BUILD_TYPE=Release", "-DBUILD_TESTING=OFF", "-Wno-dev",
        f"-DCMAKE_INSTALL_PREFIX={prefix}",
        f"-DPYTHON_INSTALL_DIR={Path(purelib).relative_to(prefix)}",
        f"-DPython3_EXECUTABLE={sys.executable}", "-DPython3_FIND_VIRTUALENV=ONLY",
    ]  # fmt: skip
    variables = environment(prefix)
    for command in (configure, ["cmake", "--build", str(build_dir)], ["cmake", "--install", str(build_dir)]):
        subprocess.run(command, env=variables, check=True, capture_output=True, text=True)


def main() -> int:
    """Build and install, then load the result in a fresh interpreter and compare its type hash."""
    prefix = Path(sys.prefix)
    if not (prefix / "share" / "rosidl_default_generators").is_dir():
        print(f"{prefix} has no rosidl generators: run `make setup`, or `pip install -e .[ros,build]`", file=sys.stderr)
        return 1
    try:
        with tempfile.TemporaryDirectory(prefix="event_camera_msgs-") as folder:
            build(prefix, Path(folder))
        probe = subprocess.run([sys.executable, "-c", HASH_PROBE], check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"{getattr(error, 'stdout', '') or ''}{getattr(error, 'stderr', '') or ''}{error}", file=sys.stderr)
        return 1
    if probe.stdout.strip() != RELEASED_HASH:
        print(f"built type hash {probe.stdout.strip()}, the released package has {RELEASED_HASH}", file=sys.stderr)
        return 1
    print(f"event_camera_msgs/msg/EventPacket {RELEASED_HASH}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
