"""The doctor on this machine, and on machines where something is missing or broken."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from neuro_robot import doctor

HASH = "RIHS01_d6fa176260b1f37e5a40845305315e150a0f18191241eb64f407442aa29844aa"
Probe = Callable[[list[str]], tuple[bool, str]]


def printed(status_of: Callable[[Console], int]) -> tuple[int, str]:
    text = io.StringIO()
    status = status_of(Console(file=text, width=400, no_color=True))
    return status, text.getvalue()


def answer(monkeypatch: pytest.MonkeyPatch, ok: bool, said: str) -> None:
    monkeypatch.setattr(doctor, "_probe", lambda arguments, timeout_s=0.0: (ok, said))


@pytest.mark.ros
def test_this_machine_is_ready_to_fly(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("rclpy")
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    status, text = printed(doctor.run)
    assert status == 0, text
    assert "ready to fly" in text
    for name in (
        "python",
        "numba",
        "numba cache",
        "pybullet",
        "rclpy",
        "dds",
        "message hash",
        "player services",
        "ffmpeg",
        "recordings",
    ):
        assert f" {name}" in text
    assert HASH in text
    assert "event packet out and back" in text


def test_a_missing_required_part_fails_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    absent = doctor.Check("pybullet", False, "No module named 'pybullet' [x]", "pip install pybullet", required=True)
    monkeypatch.setattr(doctor, "_each", lambda: iter([absent]))
    status, text = printed(doctor.run)
    assert status == 1
    assert "No module named 'pybullet' [x]" in text
    assert "-> pip install pybullet" in text
    assert "not ready" in text


def test_a_missing_optional_part_does_not_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    absent = doctor.Check("recordings", False, "none", "put some there", required=False)
    monkeypatch.setattr(doctor, "_each", lambda: iter([absent]))
    status, text = printed(doctor.run)
    assert status == 0
    assert "-> put some there" in text


def test_dds_reports_latency_and_released_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    said = {"error": "", "latency_ms": 0.7, "type_hash": HASH, "middleware": "rmw_fastrtps_cpp"}
    answer(monkeypatch, True, json.dumps(said))
    dds, announced = doctor.check_dds()
    assert dds.ok
    assert dds.detail == "event packet out and back in 0.7 ms over rmw_fastrtps_cpp"
    assert announced.ok
    assert announced.detail == HASH


def test_another_message_definition_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    said = {"error": "", "latency_ms": 0.7, "type_hash": "RIHS01_00", "middleware": "rmw_fastrtps_cpp"}
    answer(monkeypatch, True, json.dumps(said))
    dds, announced = doctor.check_dds()
    assert dds.ok
    assert not announced.ok
    assert announced.required
    assert HASH in announced.remedy


def test_a_distribution_without_hashes_is_fine(monkeypatch: pytest.MonkeyPatch) -> None:
    said = {"error": "", "latency_ms": 0.7, "type_hash": "", "middleware": "rmw_cyclonedds_cpp"}
    answer(monkeypatch, True, json.dumps(said))
    assert [check.ok for check in doctor.check_dds()] == [True, True]


def test_a_missing_message_names_the_package_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, False, "ModuleNotFoundError: No module named 'event_camera_msgs'")
    dds, announced = doctor.check_dds()
    assert not dds.ok
    assert "event-camera-msgs" in dds.remedy
    assert not announced.ok


def test_a_crashed_middleware_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, False, "ended with status -11")
    dds, _ = doctor.check_dds()
    assert not dds.ok
    assert dds.detail == "ended with status -11"
    assert "multicast" in dds.remedy


def test_absent_player_services_name_the_package_and_do_not_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, False, "ModuleNotFoundError: No module named 'rosbag2_interfaces'")
    check = doctor.check_player_services()
    assert (check.ok, check.required) == (False, False)
    assert "rosbag2-interfaces" in check.remedy
    assert "make setup" in check.remedy


def test_absent_rclpy_names_both_ways_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.importlib.util, "find_spec", lambda name: None)
    check = doctor.check_rclpy()
    assert not check.ok
    assert check.required
    assert "/opt/ros" in check.remedy
    assert "make setup" in check.remedy


def test_numba_cache_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(blocked / "cache"))
    check = doctor.check_numba_cache()
    assert not check.ok
    assert check.required
    assert "NUMBA_CACHE_DIR" in check.remedy
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "cache"))
    assert doctor.check_numba_cache().ok


def test_recordings_are_optional(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(doctor, "RECORDINGS", tmp_path)
    check = doctor.check_recordings()
    assert (check.ok, check.required) == (False, False)
    (tmp_path / "camera").mkdir()
    (tmp_path / "camera" / "metadata.yaml").write_text("")
    assert doctor.check_recordings().detail == f"camera in {tmp_path}"


def test_a_probe_survives_what_it_runs() -> None:
    assert doctor._probe(["-c", "print('a'); print('b')"]) == (True, "b")
    assert doctor._probe(["-c", "import no_such_module"]) == (
        False,
        "ModuleNotFoundError: No module named 'no_such_module'",
    )
    assert doctor._probe(["-c", "import os; os.abort()"]) == (False, "ended with status -6")
    assert doctor._probe(["-c", "import time; time.sleep(9)"], timeout_s=0.2) == (False, "no answer within 0.2 s")


def test_python_version_is_this_one() -> None:
    check = doctor.check_python()
    assert check.ok
    assert check.detail.startswith(f"{sys.version_info.major}.{sys.version_info.minor}.")
