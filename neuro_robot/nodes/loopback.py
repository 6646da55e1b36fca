"""One event packet out and back over DDS: proof that this machine's ROS 2 works, before anything depends on it.

python -m neuro_robot.nodes.loopback      prints the result as one line of JSON
"""

from __future__ import annotations

import array
import dataclasses
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import rclpy
from event_camera_msgs.msg import EventPacket
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy

QOS = QoSProfile(depth=1000, reliability=ReliabilityPolicy.BEST_EFFORT)
PAYLOAD_BYTES = 64_000


@dataclass(frozen=True)
class Loopback:
    """What came of it: `error` is empty when the packet arrived as it was sent.

    `type_hash` is the message's hash as the middleware announces it, empty where the distribution has none (Humble).
    """

    error: str
    latency_ms: float
    type_hash: str
    middleware: str


def loopback(payload_bytes: int = PAYLOAD_BYTES, timeout_s: float = 30.0) -> Loopback:
    """Publish one EventPacket to a subscriber of this process and compare what arrives with what was sent.

    Uses a context of its own, so a running rclpy is left alone, and this environment's domain, middleware and
    discovery range, since those are what is to be shown to work.
    """
    context = Context()
    rclpy.init(args=[], context=context)
    try:
        node = Node(f"loopback_{os.getpid()}", context=context, start_parameter_services=False, enable_rosout=False)
        executor = SingleThreadedExecutor(context=context)
        executor.add_node(node)
        try:
            return _round_trip(node, executor, payload_bytes, timeout_s)
        finally:
            executor.shutdown()
            node.destroy_node()
    finally:
        rclpy.shutdown(context=context)


def _round_trip(node: Node, executor: SingleThreadedExecutor, payload_bytes: int, timeout_s: float) -> Loopback:
    topic = f"{node.get_name()}/events"
    received: list[tuple[EventPacket, int]] = []
    publisher = node.create_publisher(EventPacket, topic, QOS)
    node.create_subscription(EventPacket, topic, lambda msg: received.append((msg, time.perf_counter_ns())), QOS)
    deadline = time.monotonic() + timeout_s

    def wait(done: Callable[[], bool]) -> bool:
        while not done() and time.monotonic() < deadline:
            executor.spin_once(timeout_sec=0.05)
        return done()

    error, latency_ms = "", 0.0
    if not wait(lambda: publisher.get_subscription_count() > 0):
        error = f"publisher and subscriber did not find each other within {timeout_s:g} s"
    else:
        sent = _packet(payload_bytes)
        sent_ns = time.perf_counter_ns()
        publisher.publish(sent)
        if not wait(lambda: bool(received)):
            error = f"a packet of {payload_bytes} bytes did not arrive within {timeout_s:g} s"
        elif received[0][0] != sent:
            error = f"a packet of {payload_bytes} bytes arrived changed"
        else:
            latency_ms = (received[0][1] - sent_ns) / 1e6
    return Loopback(error, latency_ms, _type_hash(node, topic), rclpy.get_rmw_implementation_identifier())


def _packet(payload_bytes: int) -> EventPacket:
    packet = EventPacket(height=480, width=640, seq=1, time_base=1, encoding="mono")
    packet.header.frame_id = "event_camera"
    packet.events = array.array("B", bytes(index % 251 for index in range(payload_bytes)))
    return packet


def _type_hash(node: Node, topic: str) -> str:
    for endpoint in node.get_publishers_info_by_topic(topic):
        found = getattr(endpoint, "topic_type_hash", None)
        if found is not None:
            return str(found)
    return ""


def main() -> int:
    """Print the result as JSON; exit status 1 if the packet did not come back."""
    result = loopback()
    sys.stdout.write(json.dumps(dataclasses.asdict(result)) + "\n")
    return 1 if result.error else 0


if __name__ == "__main__":
    sys.exit(main())
