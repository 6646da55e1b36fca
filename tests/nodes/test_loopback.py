"""An event packet out and back over the real middleware."""

from __future__ import annotations

import pytest

rclpy = pytest.importorskip("rclpy")
pytest.importorskip("event_camera_msgs")

from neuro_robot.nodes.loopback import loopback  # noqa: E402

pytestmark = pytest.mark.ros


@pytest.fixture(autouse=True)
def _this_host_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")


@pytest.mark.parametrize("payload_bytes", [0, 1, 400_000])
def test_packets_come_back_as_they_were_sent(payload_bytes: int) -> None:
    result = loopback(payload_bytes)
    assert result.error == ""
    assert 0.0 < result.latency_ms < 30_000.0
    assert result.middleware.startswith("rmw_")


def test_a_context_in_use_is_left_alone() -> None:
    used_before = rclpy.ok()
    context = rclpy.Context()
    rclpy.init(args=[], context=context)
    assert loopback().error == ""
    assert rclpy.ok(context=context)
    rclpy.shutdown(context=context)
    assert rclpy.ok() == used_before


def test_what_took_too_long_is_said() -> None:
    assert "within 0 s" in loopback(timeout_s=0.0).error
