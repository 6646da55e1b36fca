"""The fast path and the way round it: the same messages in the same order."""

from __future__ import annotations

import time

import pytest

rclpy = pytest.importorskip("rclpy", reason="ROS 2 is not installed: run `make setup`")

from rclpy.context import Context  # noqa: E402
from rclpy.executors import SingleThreadedExecutor  # noqa: E402
from rclpy.node import Node  # noqa: E402
from rclpy.qos import QoSProfile  # noqa: E402
from std_msgs.msg import Header, Int64  # noqa: E402

from neuro_robot.nodes import hot  # noqa: E402
from neuro_robot.nodes.hot import HotSubscriptions  # noqa: E402

pytestmark = pytest.mark.ros
PROFILE = QoSProfile(depth=100)


@pytest.fixture
def node():
    context = Context()
    rclpy.init(args=[], context=context)
    made = Node("hot", context=context, start_parameter_services=False, enable_rosout=False)
    yield made
    made.destroy_node()
    rclpy.shutdown(context=context)


def received(node: Node, fast: bool | None, raw: bool = False) -> tuple[HotSubscriptions, list]:
    """What comes of three numbers and a header, served for as long as it takes."""
    came: list = []
    subscriptions = HotSubscriptions(node, fast)
    subscriptions.add(Int64, "number", lambda message, info: came.append((message, info)), PROFILE, raw)
    subscriptions.add(Header, "header", lambda message, info: came.append((message, info)), PROFILE)
    numbers = node.create_publisher(Int64, "number", PROFILE)
    headers = node.create_publisher(Header, "header", PROFILE)
    executor = SingleThreadedExecutor(context=node.context)
    executor.add_node(node)
    end = time.monotonic() + 20.0
    while numbers.get_subscription_count() + headers.get_subscription_count() < 2 and time.monotonic() < end:
        executor.spin_once(timeout_sec=0.05)
    headers.publish(Header(frame_id="x"))
    for value in (1, 2, 3):
        numbers.publish(Int64(data=value))
    while len(came) < 4 and time.monotonic() < end:
        if subscriptions.fast:
            subscriptions.wait(0.1)
        executor.spin_once(timeout_sec=0.0 if subscriptions.fast else 0.1)
        subscriptions.take()
    executor.shutdown()
    return subscriptions, came


@pytest.mark.parametrize("fast", [True, False, None])
def test_every_message_comes_once_with_its_time(node, fast):
    subscriptions, came = received(node, fast)
    assert subscriptions.fast is (fast is not False)
    assert [message.data for message, _ in came if isinstance(message, Int64)] == [1, 2, 3]
    assert [message.frame_id for message, _ in came if isinstance(message, Header)] == ["x"]
    for _, info in came:
        assert abs(time.time_ns() - info["source_timestamp"]) < 60e9
    subscriptions.close()
    subscriptions.take()


@pytest.mark.parametrize("fast", [True, False])
def test_raw_messages_are_bytes(node, fast):
    _, came = received(node, fast, raw=True)
    assert sorted(message[4] for message, _ in came if isinstance(message, bytes)) == [1, 2, 3]


@pytest.mark.parametrize("inside", [None, type("Changed", (), {"WaitSet": lambda *_: None})])
def test_an_rclpy_with_another_inside_is_served_by_the_executor(node, monkeypatch, inside):
    monkeypatch.setattr(hot, "_rclpy", inside)
    subscriptions, came = received(node, None)
    assert not subscriptions.fast
    assert len(came) == 4


class Flood:
    """A subscription, and its handle, that always has one more message."""

    msg_type, raw = Int64, False

    def __init__(self):
        self.handle = self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def take_message(self, *_):
        return Int64(), {}


def test_a_topic_that_floods_starves_no_other(node):
    subscriptions, came = HotSubscriptions(node, fast=True), []
    for name in ("first", "second"):
        subscriptions._entries.append((Flood(), lambda *_, name=name: came.append(name)))
    subscriptions.take(50)
    subscriptions._entries.clear()
    assert came == 50 * ["first"] + 50 * ["second"]


def test_what_was_added_first_comes_first_however_much_waits(node):
    came, depth = [], QoSProfile(depth=1000)
    subscriptions = HotSubscriptions(node)
    headers, numbers = (
        node.create_publisher(kind, name, depth) for kind, name in ((Header, "header"), (Int64, "number"))
    )

    def late(message: Int64, _info: dict) -> None:
        came.append(message.data)
        if message.data == 0:  # another sample while this packet was worked on
            headers.publish(Header(frame_id="second"))
            time.sleep(0.2)

    subscriptions.add(Header, "header", lambda message, _: came.append(message.frame_id), depth)
    subscriptions.add(Int64, "number", late, depth)
    end = time.monotonic() + 20.0
    while headers.get_subscription_count() + numbers.get_subscription_count() < 2 and time.monotonic() < end:
        time.sleep(0.01)
    for value in range(5):
        numbers.publish(Int64(data=value))
    headers.publish(Header(frame_id="first"))
    time.sleep(0.2)
    subscriptions.take()
    assert came == ["first", 0, "second", 1, 2, 3, 4]
