"""dv_camera_node in its own process, against a recording and a network stream that dv-processing itself makes."""

from __future__ import annotations

import subprocess
import sys
import time

import numpy as np
import pytest
from graphs import until

dv = pytest.importorskip("dv_processing", reason="pip install dv-processing")

from event_camera_msgs.msg import EventPacket  # noqa: E402
from sensor_msgs.msg import Imu  # noqa: E402

from neuro_robot.bags.topics import EVENTS  # noqa: E402
from neuro_robot.errors import NeuroRobotError  # noqa: E402
from neuro_robot.events.packet import StreamDecoder  # noqa: E402
from neuro_robot.graph import GraphNode  # noqa: E402
from neuro_robot.nodes.bringup import Bringup  # noqa: E402
from neuro_robot.nodes.conversions import packet_from, stamp_ns  # noqa: E402
from neuro_robot.nodes.core import qos  # noqa: E402
from neuro_robot.nodes.dv_camera_node import IMU_RAW, TRIGGERS  # noqa: E402

pytestmark = [pytest.mark.ros, pytest.mark.slow]
NODE = "dv_camera_node"
WIDTH, HEIGHT = 64, 48
T0_US = 1_700_000_000_000_000
# A process of its own: dv-processing 2.0.4 deadlocks when writer and reader of one stream live and die in one process.
SERVER = f"""
import os, sys, time
import dv_processing as dv
stream = dv.io.Stream.EventStream(0, "events", "DVXplorer_TEST", ({WIDTH}, {HEIGHT}))
for port in range(38000 + os.getpid() % 1000, 40000):
    try:
        server = dv.io.NetworkWriter("127.0.0.1", port, stream)
        break
    except RuntimeError:
        pass
print(port, flush=True)
sys.stdin.readline()
for number in range(20):
    events = dv.EventStore()
    for index in range(number * 500, number * 500 + 500):
        events.push_back({T0_US} + index * 20, index % {WIDTH}, index % {HEIGHT}, index % 3 == 0)
    server.writeEvents(events)
    time.sleep(0.01)
sys.stdin.readline()
os._exit(0)
"""


def rows(n):
    return [(1000 * (T0_US + index * 20), index % WIDTH, index % HEIGHT, int(index % 3 == 0)) for index in range(n)]


def listen(graph):
    """What arrives on the three topics, once the node's publishers are known."""
    heard = {"events": [], "triggers": [], "imu": []}
    kinds = {"events": (EventPacket, EVENTS), "triggers": (EventPacket, TRIGGERS), "imu": (Imu, IMU_RAW)}
    made = [
        graph._node.create_subscription(kind, topic.name, heard[name].append, qos(topic))
        for name, (kind, topic) in kinds.items()
    ]
    end = time.monotonic() + 10.0
    while not all(item.get_publisher_count() for item in made) and time.monotonic() < end:
        graph.spin(0.02)
    graph.spin(0.3)
    return heard


def decoded(messages):
    decoder = StreamDecoder()
    events = np.concatenate([decoder.decode(packet_from(message)).events for message in messages])
    assert decoder.stats.lost_packets == decoder.stats.backward_time == 0
    return events


def test_a_recording_made_by_dv_processing(tmp_path):
    path = tmp_path / "camera.aedat4"
    writer = dv.io.MonoCameraWriter(str(path), dv.io.MonoCameraWriter.DVSConfig("DVXplorer_TEST", (WIDTH, HEIGHT)))
    store = dv.EventStore()
    for t_ns, x, y, p in rows(20_000):
        store.push_back(t_ns // 1000, x, y, bool(p))
    writer.writeEvents(store)
    for index in range(40):
        writer.writeImu(dv.IMU(T0_US + index * 10_000, 30.0, 0.0, 0.0, 1.0, 90.0, 0.0, -180.0, 0.0, 0.0, 0.0))
    edges = [("EXTERNAL_SIGNAL_RISING_EDGE", 0), ("EXTERNAL_SIGNAL_FALLING_EDGE", 5000), ("APS_FRAME_START", 6000)]
    for name, t_us in edges:
        writer.writeTrigger(dv.Trigger(T0_US + t_us, getattr(dv.TriggerType, name)))
    del writer
    parameters = {"file": str(path), "encoding": "mono", "packet_period_ms": 5.0}
    with Bringup([GraphNode(NODE, parameters, ends_graph=True)], tmp_path) as graph:
        graph.configure()
        heard = listen(graph)
        begin = time.monotonic()
        graph.activate()
        graph.wait()
        took_s = time.monotonic() - begin
        values = graph.status[NODE].values
    assert 0.35 < took_s < 10.0, "0.4 s of recording at sensor speed"
    assert decoded(heard["events"]).tolist() == rows(20_000)
    for message in heard["events"]:
        packet = packet_from(message)
        span_ns = np.ptp(StreamDecoder().decode(packet).events["t"])
        assert span_ns <= 5_000_000
        assert (packet.width, packet.height, packet.frame_id) == (WIDTH, HEIGHT, "event_camera")
    assert [stamp_ns(message) for message in heard["imu"]] == [1000 * (T0_US + n * 10_000) for n in range(40)]
    sample = heard["imu"][0]
    assert sample.linear_acceleration.z == pytest.approx(9.81, abs=0.01)
    assert sample.angular_velocity.x == pytest.approx(np.pi / 2)
    assert sample.angular_velocity.z == pytest.approx(-np.pi)
    assert sample.orientation_covariance[0] == -1.0
    words = np.concatenate([np.frombuffer(message.events, "<u8") for message in heard["triggers"]])
    times = [message.time_base for message in heard["triggers"]]
    assert {message.encoding for message in heard["triggers"]} == {"trigger"}
    assert [int(word) >> 63 for word in words] == [1, 0]
    assert times[0] == 1000 * T0_US
    assert times[-1] + int(words[-1] & np.uint64(0xFFFFFFFF)) == 1000 * (T0_US + 5000)
    assert (values["events"], values["imu_samples"], values["triggers"]) == ("20000", "40", "2")


def test_a_network_stream_and_its_end(tmp_path):
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", SERVER], **pipes) as server:
        try:
            parameters = {"network": f"127.0.0.1:{int(server.stdout.readline())}", "encoding": "libcaer"}
            with Bringup([GraphNode(NODE, parameters, ends_graph=True)], tmp_path) as graph:
                graph.configure()
                heard = listen(graph)
                graph.activate()
                server.stdin.write("\n")
                server.stdin.flush()
                values = until(graph, NODE, lambda status: status.values.get("events") == "10000").values
                assert values["camera"] == "DVXplorer_TEST"
                server.stdin.write("\n")
                server.stdin.flush()
                with pytest.raises(NeuroRobotError, match="camera or stream is gone"):
                    graph.wait()
                assert graph.status[NODE].level == "error"
        finally:
            server.kill()
    assert decoded(heard["events"]).tolist() == rows(10_000)


def test_no_camera_is_refused_with_the_remedy(tmp_path):
    with (
        Bringup([GraphNode(NODE, {}, ends_graph=True)], tmp_path) as graph,
        pytest.raises(NeuroRobotError, match="no iniVation camera found; check"),
    ):
        graph.configure()
