"""The benchmark of the transport, for a second: its packets are sound, and a low rate is held."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="ROS 2 is not installed: run `make setup`")
pytest.importorskip("event_camera_msgs.msg", reason="the message is not built: run `make setup`")

from neuro_robot.events.packet import StreamDecoder

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "dds_rate.py"
PROFILE = SCRIPT.parents[1] / "config" / "fastdds_events.xml"


def run(*arguments):
    done = subprocess.run([sys.executable, str(SCRIPT), "--json", *arguments], capture_output=True, text=True,
                          check=False, timeout=60)  # fmt: skip
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


def test_packets_are_of_the_size_and_decode():
    spec = importlib.util.spec_from_file_location("dds_rate", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules["dds_rate"] = module
    spec.loader.exec_module(module)
    for encoding in ("evt3", "mono"):
        for packet in module.packets_of(encoding, 50.0):
            decoder = StreamDecoder()
            events = decoder.decode(packet).events
            assert 45_000 < packet.events.size < 55_000
            assert len(events) > 50_000 / 8 * 0.9
            assert decoder.stats.dropped_out_of_geometry == decoder.stats.backward_time == 0


@pytest.mark.ros
@pytest.mark.slow
@pytest.mark.parametrize("where", [["--only", "one", "--rate", "1"], ["--only", "two", "--two-at", "1"],
                                   ["--only", "two", "--two-at", "1", "--profile", str(PROFILE)]])  # fmt: skip
def test_a_low_rate_loses_nothing(where):
    result = run("--seconds", "1", "--packet-kb", "20", "--decode", *where)
    assert result["sent"] > 50 or result["behind_ms"] > 100, "a busy machine"
    assert result["lost"] == 0
    assert result["decoded_events"] > 0


@pytest.mark.ros
@pytest.mark.slow
def test_the_profile_is_understood(tmp_path):
    """What FastDDS does not understand of a profile it tells on stderr, and goes on without it."""
    broken = tmp_path / "broken.xml"
    broken.write_text(PROFILE.read_text().replace("segment_size", "segmint_size"))
    for profile, told in ((PROFILE, False), (broken, True)):
        arguments = ["--seconds", "0.2", "--only", "one", "--rate", "1", "--profile", str(profile)]
        done = subprocess.run([sys.executable, str(SCRIPT), *arguments], capture_output=True, text=True, check=False,
                              timeout=60)  # fmt: skip
        assert ("XML" in done.stderr) is told, done.stderr
