"""player_node as a camera and renderer_node behind it, over DDS."""

from __future__ import annotations

import math
import time

import graphs  # noqa: F401 - skips where ROS is missing
import numpy as np
import pytest
from builtin_interfaces.msg import Time
from event_camera_msgs.msg import EventPacket
from graphs import until
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Image
from streams_made import H, W, made_events, write

from neuro_robot.bags.messages import packet_from
from neuro_robot.bags.topics import CLOCK, EVENTS
from neuro_robot.events import StreamDecoder
from neuro_robot.graph import GraphNode
from neuro_robot.nodes.bringup import Bringup, GraphError
from neuro_robot.nodes.core import qos

pytestmark = [pytest.mark.ros, pytest.mark.slow]


@pytest.fixture
def file(tmp_path):
    return write(tmp_path / "a.npz", made_events())


def player(file, **parameters):
    return GraphNode("player_node", {"bag": str(file), "packet_period_ms": 5.0, **parameters}, ends_graph=True)


class Listener:
    """Decodes what the player sends."""

    def __init__(self, graph):
        self.decoder, self.events, self.stamps, self.times = StreamDecoder(), [], [], []
        self.clock = []
        graph._node.create_subscription(EventPacket, EVENTS.name, self.take, qos(EVENTS))
        graph._node.create_subscription(Clock, CLOCK.name, self.clock.append, qos(CLOCK))

    def take(self, message):
        packet = packet_from(message)
        self.events.append(self.decoder.decode(packet).events)
        self.stamps.append(packet.stamp_ns)
        self.times.append(time.monotonic())


def test_a_file_is_played_at_sensor_time_to_the_last_event(file, tmp_path):
    with Bringup([player(file, rate=2.0, clock=True)], tmp_path) as graph:
        listener = Listener(graph)
        graph.configure()
        graph.activate()
        graph.wait()
    np.testing.assert_array_equal(np.concatenate(listener.events), made_events())
    assert listener.decoder.stats.lost_packets == 0
    assert 0.9 < listener.times[-1] - listener.times[0] < 5.0  # 2 s at rate 2; a busy machine may be late
    assert listener.stamps[0] == made_events()["t"][0]
    told = [message.clock.sec * 10**9 + message.clock.nanosec for message in listener.clock]
    assert told == sorted(told)
    assert made_events()["t"][0] <= told[0] < told[-1] <= made_events()["t"][-1] + 10**9


def test_pause_seek_rate_and_loop(file, tmp_path):
    with Bringup([player(file, loop=True, stamps="now")], tmp_path) as graph:
        listener = Listener(graph)
        graph.configure()
        graph.activate()
        until(graph, "player_node", lambda status: int(status.values.get("sent", 0)) > 10)
        ask(graph, "Pause")
        graph.spin(0.3)
        count = len(listener.events)
        until(graph, "player_node", lambda status: status.text == "paused")
        graph.spin(0.3)
        assert len(listener.events) == count
        graph.set_parameter("player_node", "position_s", 1.5)
        ask(graph, "Resume")
        until(graph, "player_node", lambda _status: len(listener.events) > count)
        since_s = (listener.events[count]["t"][0] - made_events()["t"][0]) * 1e-9
        assert since_s == pytest.approx(1.5, abs=0.05)
        with pytest.raises(GraphError, match="ends before"):
            graph.set_parameter("player_node", "position_s", 99.0)
        graph.set_parameter("player_node", "rate", 4.0)
        until(graph, "player_node", lambda status: int(status.values["loops"]) >= 2)
        assert graph.trigger("player_node", "restart")
        assert abs(listener.stamps[-1] - time.time_ns()) < 10**10
    assert listener.decoder.stats.refused_packets == 0


def ask(graph, kind, **request):
    """A service of `ros2 bag play`, by its type: TogglePaused is toggle_paused."""
    srv = pytest.importorskip("rosbag2_interfaces.srv", reason="the services are not built: run `make setup`")
    name = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in kind).strip("_")
    return graph.call("player_node", name, getattr(srv, kind), getattr(srv, kind).Request(**request))


def sought(graph, t_ns):
    return ask(graph, "Seek", time=Time(sec=t_ns // 10**9, nanosec=t_ns % 10**9)).success


def test_the_services_of_ros2_bag_play(file, tmp_path):
    first, last = (int(made_events()["t"][index]) for index in (0, -1))
    with Bringup([player(file, clock=True, rate=1.0)], tmp_path) as graph:
        listener = Listener(graph)
        graph.configure()
        assert ask(graph, "IsPaused").paused is False
        ask(graph, "Pause")  # before it begins
        graph.activate()
        until(graph, "player_node", lambda status: status.text == "paused")
        graph.spin(0.3)
        assert not listener.events
        assert ask(graph, "IsPaused").paused is True
        assert sought(graph, first + 1_000_000_000)
        there_s = pytest.approx(first * 1e-9 + 1.0, abs=0.01)
        until(graph, "player_node", lambda status: float(status.values["stamp_s"]) == there_s)
        assert ask(graph, "GetRate").rate == 1.0
        for wrong in (0.0, -1.0, 1e6, math.nan, math.inf):
            assert ask(graph, "SetRate", rate=wrong).success is False
        assert ask(graph, "SetRate", rate=0.25).success is True
        assert ask(graph, "GetRate").rate == 0.25
        for outside in (first - 1, last + 1, 0, -(2**31) * 10**9):
            assert not sought(graph, outside)
        ask(graph, "Resume")
        ask(graph, "Resume")  # twice is once
        until(graph, "player_node", lambda _status: len(listener.events) > 5)
        expected = made_events()
        expected = expected[expected["t"] >= first + 1_000_000_000]
        came = np.concatenate(listener.events)
        np.testing.assert_array_equal(came, expected[: len(came)])  # no seek that failed was felt
        ask(graph, "TogglePaused")
        assert ask(graph, "IsPaused").paused is True
        assert sought(graph, last)
        ask(graph, "TogglePaused")
        graph.wait()
    assert listener.events[-1]["t"][0] == last
    said = (tmp_path / "log" / "player_node.log").read_text()
    assert f"is not in the recording, which begins at {first * 1e-9:.6f} s" in said
    assert "set_rate: " in said


def test_without_the_service_types_it_plays_and_names_the_remedy(file, tmp_path, monkeypatch):
    (tmp_path / "older" / "rosbag2_interfaces").mkdir(parents=True)
    (tmp_path / "older" / "rosbag2_interfaces" / "__init__.py").touch()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "older"))
    with Bringup([player(file, rate=10.0)], tmp_path) as graph:
        listener = Listener(graph)
        graph.configure()
        graph.activate()
        graph.wait()
    np.testing.assert_array_equal(np.concatenate(listener.events), made_events())
    said = (tmp_path / "log" / "player_node.log").read_text()
    assert said.count("rosbag2_interfaces is not installed") == 1
    assert "make setup" in said


def test_a_file_that_cannot_be_played_says_why(tmp_path):
    (tmp_path / "x.raw").write_bytes(b"% evt 2.0\n\x00\x00\x00\x80")
    with Bringup([player(tmp_path / "x.raw")], tmp_path) as graph, pytest.raises(GraphError, match="geometry"):
        graph.configure()


RENDERER = GraphNode("renderer_node", {"rate_hz": 50.0})


class Viewer:
    """Looks at the pictures."""

    def __init__(self, graph, **options):
        self.node, self.images = graph._node, []
        self.subscription = self.node.create_subscription(
            Image, "image_raw", self.images.append, QoSProfile(depth=10, **options)
        )

    def close(self):
        self.node.destroy_subscription(self.subscription)


def test_pictures_come_while_somebody_looks(file, tmp_path):
    with Bringup([player(file, loop=True), RENDERER], tmp_path) as graph:
        graph.configure()
        graph.activate()
        until(graph, "renderer_node", lambda status: status.text.startswith("at rest"))
        assert graph._node.count_subscribers("/events") == 0, "no work before somebody looks"
        viewer = Viewer(graph, reliability=ReliabilityPolicy.BEST_EFFORT)
        until(graph, "renderer_node", lambda status: status.text == "showing events")
        graph.spin(0.5)
        image = viewer.images[-1]
        assert (image.width, image.height, image.encoding, image.step) == (W, H, "rgb8", 3 * W)
        assert image.header.frame_id == "event_camera"
        pixels = np.frombuffer(image.data, np.uint8).reshape(H, W, 3)
        assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 1
        viewer.close()
        until(graph, "renderer_node", lambda status: status.text.startswith("at rest"))


def test_silence_is_explained(tmp_path):
    with Bringup([RENDERER], tmp_path) as graph:
        graph.configure()
        graph.activate()
        late = Viewer(graph, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        until(graph, "renderer_node", lambda status: "volatile" in status.text)
        late.close()
        Viewer(graph)
        until(graph, "renderer_node", lambda status: "nobody publishes on /events" in status.text)
        elsewhere = graph._node.create_publisher(EventPacket, "camera/events", qos(EVENTS))
        until(graph, "renderer_node", lambda status: "event packets are on /camera/events" in status.text)
        graph._node.destroy_publisher(elsewhere)
        other = graph._node.create_publisher(EventPacket, "events", qos(EVENTS))
        status = until(graph, "renderer_node", lambda status: "no packet has come" in status.text)
        assert status.level == "warn"
        bad = EventPacket(width=W, height=H, encoding="avi")
        end = time.monotonic() + 10.0
        while "avi" not in graph.status["renderer_node"].text and time.monotonic() < end:
            other.publish(bad)
            graph.spin(0.1)
        assert graph.status["renderer_node"].level == "error"
        assert "avi" in graph.status["renderer_node"].text


def test_reliable_subscription_to_a_best_effort_camera_is_explained(tmp_path):
    with Bringup([GraphNode("renderer_node", {"reliable": True})], tmp_path) as graph:
        graph.configure()
        graph.activate()
        graph._node.create_publisher(EventPacket, "events", qos(EVENTS))
        Viewer(graph)
        until(graph, "renderer_node", lambda status: "reliable to false" in status.text)


def test_both_start_by_themselves(file, tmp_path):
    nodes = [player(file, autostart=True, loop=True), GraphNode("renderer_node", {"autostart": True})]
    with Bringup(nodes, tmp_path) as graph:
        viewer = Viewer(graph)
        until(graph, "renderer_node", lambda status: int(status.values.get("pictures", 0)) > 5, 30.0)
        assert viewer.images
