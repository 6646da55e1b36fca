"""Real cameras' recordings through player and controller over DDS: every packet, every event."""

from __future__ import annotations

import os
from pathlib import Path

import graphs  # noqa: F401 - skips where ROS is missing
import pytest

from neuro_robot.replays import replay_bag

pytestmark = [pytest.mark.ros, pytest.mark.recordings, pytest.mark.slow]
RECORDINGS = Path(__file__).resolve().parents[3] / "shared" / "recordings"
KNOWN = {
    "silky_evt3_640x480": {"packets": 517, "on_events": 125183, "off_events": 218291},
    "dvxplorer_libcaer_640x480": {"packets": 201, "on_events": 181908, "events": 334331},
}


@pytest.mark.parametrize("name", KNOWN)
def test_known_counts(name):
    bag = RECORDINGS / name
    if not bag.is_dir():
        if os.environ.get("CI") == "true":
            pytest.fail(f"{bag} is missing, and CI must not skip")
        pytest.skip(f"no recordings at {RECORDINGS}")
    result = replay_bag(bag, rate=1.0)
    assert {key: result[key] for key in KNOWN[name]} == KNOWN[name]
    assert result["lost_packets"] == 0
    assert result["commands"] == result["packets"]
    assert result["latency_p99_ms"] > 0
