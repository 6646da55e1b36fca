"""aer_udp_node in its own process: events over loopback UDP, in, out, through a lossy relay, and hostile datagrams."""

from __future__ import annotations

import socket
import struct
import time
from contextlib import contextmanager

import numpy as np
import pytest
from graphs import until

from neuro_robot.bags.topics import EVENTS
from neuro_robot.errors import NeuroRobotError
from neuro_robot.events.aer import AerLayout, encode
from neuro_robot.events.array import EVENT_DTYPE
from neuro_robot.events.packet import StreamDecoder, pack
from neuro_robot.graph import GraphNode
from neuro_robot.nodes.bringup import Bringup
from neuro_robot.nodes.conversions import packet_from, packet_message
from neuro_robot.nodes.core import qos

pytestmark = [pytest.mark.ros, pytest.mark.slow]
WIDTH, HEIGHT = 640, 480
NODE = "aer_udp_node"


@contextmanager
def running(folder, **parameters):
    """The node, active, and the packets it publishes."""
    with Bringup([GraphNode(NODE, parameters, ends_graph=True)], folder) as graph:
        graph.configure()
        packets = []
        message = type(packet_message(pack(np.empty(0, EVENT_DTYPE), "mono", width=1, height=1, seq=0, stamp_ns=0,
                                           t_end_ns=0)))  # fmt: skip
        if parameters.get("direction") == "out":
            graph.publisher = graph._node.create_publisher(message, EVENTS.name, qos(EVENTS))
            ready = graph.publisher.get_subscription_count
        else:

            def take(item):
                packets.append(packet_from(item))

            ready = graph._node.create_subscription(message, EVENTS.name, take, qos(EVENTS)).get_publisher_count
        graph.activate()
        end = time.monotonic() + 10.0
        while not ready() and time.monotonic() < end:
            graph.spin(0.02)
        graph.spin(0.3)
        yield graph, packets


def some_events(n, seed=0, span_us=200_000):
    rng = np.random.default_rng(seed)
    events = np.empty(n, EVENT_DTYPE)
    events["t"] = np.sort(rng.integers(0, span_us, n)) * 1000
    events["x"], events["y"], events["p"] = rng.integers(0, WIDTH, n), rng.integers(0, HEIGHT, n), rng.integers(0, 2, n)
    return events


def datagrams(events, timestamps, size=512):
    data = encode(events, AerLayout(), timestamps=timestamps).tobytes()
    return [data[start : start + size] for start in range(0, len(data), size)]


def lossy(items, seed, loss=0.1, swap=0.2):
    """A relay's doing: some datagrams are lost, some change places with the next one."""
    rng = np.random.default_rng(seed)
    kept = [item for item in items if rng.random() >= loss]
    index = 0
    while index + 1 < len(kept):
        if rng.random() < swap:
            kept[index], kept[index + 1] = kept[index + 1], kept[index]
            index += 1
        index += 1
    return kept


def send(port, items, every_s=0.0005):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        for item in items:
            out.sendto(item, ("127.0.0.1", port))
            time.sleep(every_s)


def port_of(graph):
    return int(until(graph, NODE, lambda status: "port" in status.values).values["port"])


def decoded(packets):
    decoder = StreamDecoder()
    events = np.concatenate([decoder.decode(packet).events for packet in packets])
    assert decoder.stats.lost_packets == decoder.stats.restarts == decoder.stats.backward_time == 0
    return events


def counted(graph, name, value):
    return until(graph, NODE, lambda status: int(status.values.get(name, -1)) >= value).values


def test_events_arrive_with_the_time_of_arrival(tmp_path):
    with running(tmp_path, port=0, encoding="mono") as (graph, packets):
        events = some_events(2000)
        before_ns = time.time_ns()
        send(port_of(graph), datagrams(events, timestamps=False))
        values = counted(graph, "events", len(events))
        after_ns = time.time_ns()
    arrived = decoded(packets)
    for name in ("x", "y", "p"):
        np.testing.assert_array_equal(arrived[name], events[name])
    assert before_ns <= arrived["t"][0]
    assert arrived["t"][-1] <= after_ns
    assert len(np.unique(arrived["t"])) == int(values["datagrams"]) == 16
    assert {packet.frame_id for packet in packets} == {"event_camera"}
    assert all(before_ns <= packet.stamp_ns <= after_ns for packet in packets)
    for name in ("malformed_length", "out_of_geometry", "overflowed", "oversized", "torn"):
        assert values[name] == "0"


def test_loss_and_reordering_with_the_senders_time(tmp_path):
    """Whatever the relay lets through arrives once, sorted; what came too late to be sorted is counted."""
    events = some_events(6000)
    through = lossy(datagrams(events, timestamps=True), seed=3)
    parameters = {"port": 0, "time": "sender", "packet_period_ms": 20.0, "encoding": "evt3"}
    with running(tmp_path, **parameters) as (graph, packets):
        send(port_of(graph), through)
        values = counted(graph, "datagrams", len(through))
        graph.spin(0.2)
    sent = np.frombuffer(b"".join(through), "<u4")
    times = np.sort(sent[1::2])
    arrived = decoded(packets)
    assert 0.05 < 1 - len(times) / len(events) < 0.2, "the relay lost some"
    assert int(values["out_of_order"]) > 100
    assert len(arrived) == len(times) - int(values["late"])
    assert (np.diff(arrived["t"]) >= 0).all()
    kept = {(int(event["t"]), int(event["x"]), int(event["y"])) for event in arrived}
    assert kept <= {(int(event["t"]), int(event["x"]), int(event["y"])) for event in events}
    assert int(values["late"]) < 0.2 * len(times)


def test_hostile_datagrams_are_counted_and_survived(tmp_path):
    rng = np.random.default_rng(5)
    hostile = [b"", b"a", b"abcde", struct.pack("<I", 7), bytes(3000), struct.pack("<2I", 0xFFFFFFFF, 0x7FFFFFFF)]
    hostile += [rng.bytes(int(size)) for size in rng.integers(0, 1500, 300)]
    with running(tmp_path, port=0, time="sender", datagram_bytes=2000) as (graph, packets):
        port = port_of(graph)
        send(port, hostile)
        good = some_events(100)
        send(port, datagrams(good, timestamps=True))
        values = counted(graph, "datagrams", len(hostile))
        status = graph.status[NODE]
        graph.spin(0.2)
    assert int(values["oversized"]) == 1
    assert int(values["malformed_length"]) == sum(len(item) % 4 > 0 or not item for item in hostile)
    assert int(values["torn"]) > 0
    assert int(values["out_of_geometry"]) > 0
    assert status.level == "warn"
    arrived = decoded(packets)
    assert (arrived["x"] < WIDTH).all()
    assert (arrived["y"] < HEIGHT).all()
    tail = arrived[-len(good) :]
    for name in ("x", "y", "p"):
        np.testing.assert_array_equal(tail[name], good[name])


def test_events_go_out_as_words(tmp_path):
    events = some_events(1000)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as inlet:
        inlet.bind(("127.0.0.1", 0))
        inlet.settimeout(5.0)
        port = inlet.getsockname()[1]
        with running(tmp_path, direction="out", port=port, timestamps=True) as (graph, _):
            for seq, part in enumerate(np.array_split(events, 4)):
                packet = pack(part, "evt3", width=WIDTH, height=HEIGHT, seq=seq, stamp_ns=0, t_end_ns=200_000_000)
                graph.publisher.publish(packet_message(packet))
                graph.spin(0.02)
            wide = pack(part[:0], "mono", width=40000, height=2, seq=9, stamp_ns=0, t_end_ns=0)
            graph.publisher.publish(packet_message(wide))
            received = b""
            expected = encode(events, AerLayout(), timestamps=True).tobytes()
            while len(received) < len(expected):
                data = inlet.recv(65536)
                assert len(data) <= 512
                assert len(data) % 8 == 0
                received += data
            values = counted(graph, "refused_packets", 1)
    assert received == expected
    assert int(values["events"]) == len(events)


def test_what_cannot_work_is_refused_with_the_reason(tmp_path):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        parameters = {"port": taken.getsockname()[1]}
        with Bringup([GraphNode(NODE, parameters, ends_graph=True)], tmp_path) as graph:
            with pytest.raises(NeuroRobotError, match=r"cannot listen .* in use"):
                graph.configure()
            graph.set_parameter(NODE, "port", 0)
            graph.set_parameter(NODE, "width", 20_000)
            with pytest.raises(NeuroRobotError, match="evt3: expected a sensor"):
                graph.configure()
            graph.set_parameter(NODE, "polarity_bit", 16)
            with pytest.raises(NeuroRobotError, match="three different bits"):
                graph.configure()
            graph.set_parameter(NODE, "polarity_bit", 15)
            graph.set_parameter(NODE, "width", 640)
            graph.configure()
