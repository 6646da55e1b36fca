"""The sockets of aer_udp_node: arrival time from the kernel, drops that it tells of, sizes, addresses."""

from __future__ import annotations

import socket
import time

import pytest

from neuro_robot.errors import ConfigError
from neuro_robot.nodes.udp import LARGEST, UdpReceiver, UdpSender


@pytest.fixture
def receiver():
    made = UdpReceiver("127.0.0.1", 0, largest=100, buffer_bytes=1_000_000)
    time.sleep(0.2)  # until the kernel really takes times: it turns that on a little later
    yield made
    made.close()


def taken(receiver):
    receiver.wait(1.0)
    return [(bytes(data), arrival_ns) for data, arrival_ns in receiver.datagrams()]


def test_time_is_that_of_arrival_not_of_reading(receiver):
    sender = UdpSender("127.0.0.1", receiver.port)
    before_ns = time.time_ns()
    sender.send(bytes(range(250)), 100)
    after_ns = time.time_ns()
    time.sleep(0.05)
    items = taken(receiver)
    sender.close()
    assert b"".join(data for data, _ in items) == bytes(range(250))
    assert [len(data) for data, _ in items] == [100, 100, 50]
    assert all(before_ns <= arrival_ns <= after_ns + 5_000_000 for _, arrival_ns in items)
    assert (receiver.oversized, receiver.overflowed, sender.datagrams) == (0, 0, 3)


def test_too_large_is_counted_and_ignored(receiver):
    sender = UdpSender("127.0.0.1", receiver.port)
    for size in (101, 5000, LARGEST, 100):
        sender.send(bytes(size), LARGEST)
    assert [len(data) for data, _ in taken(receiver)] == [100]
    assert receiver.oversized == 3
    sender.close()


def test_what_the_kernel_dropped_is_known():
    receiver = UdpReceiver("127.0.0.1", 0, largest=1000, buffer_bytes=4096)
    sender = UdpSender("127.0.0.1", receiver.port)
    for _ in range(200):
        sender.send(bytes(1000), 1000)
    got = len(taken(receiver))
    sender.send(b"last", 1000)  # the kernel tells of its drops with the next datagram
    got += len(taken(receiver))
    assert 0 < got < 201
    assert receiver.overflowed == 201 - got
    sender.close()
    receiver.close()


def test_nobody_listening_is_counted():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    sender = UdpSender("127.0.0.1", port)
    for _ in range(5):
        sender.send(bytes(8), 100)
        time.sleep(0.01)
    sender.close()
    assert sender.unreachable >= 1
    assert sender.unreachable + sender.datagrams == 5


@pytest.mark.parametrize("address", ["no such host", "\N{SNOWMAN}" * 70, "256.256.256.256"])
def test_no_address_is_refused(address):
    for make in (lambda: UdpSender(address, 9), lambda: UdpReceiver(address, 9, largest=1, buffer_bytes=4096)):
        with pytest.raises(ConfigError, match="host name or IP address"):
            make()


def test_an_address_of_another_machine_cannot_be_listened_at(receiver):
    for address, port in (("192.0.2.1", 0), ("127.0.0.1", receiver.port)):
        with pytest.raises(ConfigError, match=f"cannot listen at {address}"):
            UdpReceiver(address, port, largest=1, buffer_bytes=4096)


def test_ipv6_where_there_is_any():
    try:
        receiver = UdpReceiver("::1", 0, largest=100, buffer_bytes=10_000)
    except ConfigError:
        pytest.skip("no IPv6 here")
    sender = UdpSender("::1", receiver.port)
    sender.send(b"abcd", 100)
    assert [data for data, _ in taken(receiver)] == [b"abcd"]
    sender.close()
    receiver.close()
