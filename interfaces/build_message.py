"""Build the interface packages beside this file into the environment of the Python that runs it.

    .venv/bin/python interfaces/build_message.py

event_camera_msgs is the message of every event camera, rosbag2_interfaces the services of a player. Wanted only where
ROS 2 comes from wheels: a ROS 2 distribution ships both. Needs a C++ compiler, Python's headers, and cmake, ninja and
the rosidl generators in the environment (the `build` extra of setup.py). Exits with status 1 and the compiler's own
words when a build fails, or when a built type is not the released one.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

SOURCES = Path(__file__).resolve().parent
# EventPacket's is what drivers announce; the services' follow from the definitions that Kilted released.
RELEASED_HASHES = {
    "event_camera_msgs/msg/EventPacket": "RIHS01_d6fa176260b1f37e5a40845305315e150a0f18191241eb64f407442aa29844aa",
    "rosbag2_interfaces/srv/GetRate": "RIHS01_c4f24894657b45b0cca8c720ce039924cfa1a5b8baa7d1ffd94881812d8700eb",
    "rosbag2_interfaces/srv/IsPaused": "RIHS01_c4d007c4a9ca1a76729d96b81c20db85b88b454eee371c0d8afe3aa31b899a40",
    "rosbag2_interfaces/srv/Pause": "RIHS01_b101e6aaf344c37f1405f5a1f484fee1c7d2acc61c6f04aeb636e9ab3f51a497",
    "rosbag2_interfaces/srv/Resume": "RIHS01_fb4a116a8bdfc09c4c9f48df3b295d1f546053b4bb145bcbd4c92e7eef9896b8",
    "rosbag2_interfaces/srv/Seek": "RIHS01_6e9b6b38c44f111e36e43903da565fb2775ab0f0e69c02169a5fb0f130b23eb4",
    "rosbag2_interfaces/srv/SetRate": "RIHS01_571e1d5335cc99a8e4132c46e4ea9bf873e85c39f23d375146cb7d249d939629",
    "rosbag2_interfaces/srv/TogglePaused": "RIHS01_c4382ba5856616caf3fb7b3ecffd0eb244015814861263ccc8241b2f6c9463ae",
}
LOAD_PROBE = (
    "import importlib, sys; package, kind, name = sys.argv[1].split('/');"
    "getattr(importlib.import_module(f'{package}.{kind}'), name).__import_type_support__()"
)


def environment(prefix: Path) -> dict[str, str]:
    """The caller's variables with this environment as the only ament and CMake prefix, and its tools first."""
    variables = dict(os.environ)
    for name in ("PYTHONPATH", "PYTHONHOME", "COLCON_PREFIX_PATH"):
        variables.pop(name, None)
    variables["AMENT_PREFIX_PATH"] = variables["CMAKE_PREFIX_PATH"] = str(prefix)
    variables["PATH"] = os.pathsep.join([str(prefix / "bin"), variables.get("PATH", os.defpath)])
    return variables


def build(package: str, prefix: Path, build_dir: Path) -> None:
    """Configure, compile and install; raises CalledProcessError with the output of the step that failed."""
    purelib = sysconfig.get_path("purelib")
    configure = [
        "cmake", "-S", str(SOURCES / package), "-B", str(build_dir), "-G", "Ninja",
        "-DCMAKE_BUILD_TYPE=Release", "-DBUILD_TESTING=OFF", "-Wno-dev",
        f"-DCMAKE_INSTALL_PREFIX={prefix}",
        f"-DPYTHON_INSTALL_DIR={Path(purelib).relative_to(prefix)}",
        f"-DPython3_EXECUTABLE={sys.executable}", "-DPython3_FIND_VIRTUALENV=ONLY",
    ]  # fmt: skip
    variables = environment(prefix)
    for command in (configure, ["cmake", "--build", str(build_dir)], ["cmake", "--install", str(build_dir)]):
        subprocess.run(command, env=variables, check=True, capture_output=True, text=True)


def built_hash(name: str, prefix: Path) -> str:
    """The hash that the generator wrote for package/kind/Type; it loads in a fresh interpreter first."""
    subprocess.run([sys.executable, "-c", LOAD_PROBE, name], check=True, capture_output=True, text=True)
    rows = json.loads((prefix / "share" / f"{name}.json").read_text())["type_hashes"]
    return str(next(row["hash_string"] for row in rows if row["type_name"] == name))


def main() -> int:
    """Build and install, then load each result and compare its type hash."""
    prefix = Path(sys.prefix)
    if not (prefix / "share" / "rosidl_default_generators").is_dir():
        print(f"{prefix} has no rosidl generators: run `make setup`, or `pip install -e .[ros,build]`", file=sys.stderr)
        return 1
    try:
        for package in dict.fromkeys(name.partition("/")[0] for name in RELEASED_HASHES):
            with tempfile.TemporaryDirectory(prefix=f"{package}-") as folder:
                build(package, prefix, Path(folder))
        built = {name: built_hash(name, prefix) for name in RELEASED_HASHES}
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"{getattr(error, 'stdout', '') or ''}{getattr(error, 'stderr', '') or ''}{error}", file=sys.stderr)
        return 1
    wrong = {name: value for name, value in built.items() if value != RELEASED_HASHES[name]}
    for name, value in wrong.items():
        print(f"{name}: built type hash {value}, the released package has {RELEASED_HASHES[name]}", file=sys.stderr)
    if not wrong:
        print("\n".join(f"{name} {value}" for name, value in built.items()))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
