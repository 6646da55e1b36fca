"""How a camera's events become packets: divided by number and time, numbered, never more than a node can bear."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("event_camera_msgs.msg", reason="the message is not built: run `make setup`")

from neuro_robot.errors import PacketError
from neuro_robot.events.array import EVENT_DTYPE
from neuro_robot.events.packet import StreamDecoder
from neuro_robot.nodes.conversions import packet_from
from neuro_robot.nodes.source import ENCODINGS, MOST_PACKETS, EventOutput, OutputParameters


class Published:
    def __init__(self):
        self.messages = []

    def publish(self, message):
        self.messages.append(packet_from(message))


def some_events(times_ns):
    events = np.zeros(len(times_ns), EVENT_DTYPE)
    events["t"] = times_ns
    events["x"] = np.arange(len(times_ns)) % 300
    return events


def sent(times_ns, by_sensor_time=True, **parameters):
    published = Published()
    output = EventOutput(published, OutputParameters(**parameters), 300, 200, by_sensor_time=by_sensor_time)
    output.publish(some_events(times_ns), 77)
    return published.messages, output


def decoded(packets):
    decoder = StreamDecoder()
    events = np.concatenate([decoder.decode(packet).events for packet in packets])
    assert decoder.stats.lost_packets == decoder.stats.restarts == 0
    return events


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_no_packet_is_longer_or_larger_than_asked(encoding):
    times_ns = np.sort(np.random.default_rng(0).integers(0, 20_000, 5000)) * 1000
    packets, output = sent(times_ns, encoding=encoding, packet_period_ms=4.0, packet_bytes=4000)
    np.testing.assert_array_equal(decoded(packets), some_events(times_ns))
    assert [packet.seq for packet in packets] == list(range(len(packets)))
    assert {(packet.encoding, packet.stamp_ns, packet.frame_id) for packet in packets} == {
        (encoding, 77, "event_camera")
    }
    for packet in packets:
        assert packet.events.size < 4100
        assert np.ptp(StreamDecoder().decode(packet).events["t"]) <= 4_000_000
    assert output.packets == len(packets) >= 10


def test_time_of_arrival_is_not_divided_by_period():
    packets, _ = sent([0, 3_000_000, 9_000_000], by_sensor_time=False, encoding="mono")
    assert len(packets) == 1
    packets, _ = sent([0, 5_000_000_000], by_sensor_time=False, encoding="mono")
    assert len(packets) == 2, "4.3 s is the most that mono can tell"


def test_scattered_times_do_not_make_a_flood():
    packets, output = sent(np.arange(1000) * 1_000_000_000, encoding="mono")
    assert len(packets) == MOST_PACKETS
    assert output.dropped == 1000 - MOST_PACKETS


def test_nothing_is_not_published_and_a_restart_begins_at_0():
    packets, output = sent([])
    assert packets == []
    output.publish(some_events([1000]), 0)
    output.restart()
    output.publish(some_events([0]), 0)
    assert [packet.seq for packet in packets] == [0, 0]


def test_a_sensor_too_large_for_the_encoding_is_refused():
    with pytest.raises(PacketError, match="evt3: expected a sensor"):
        EventOutput(Published(), OutputParameters(), 3000, 10, by_sensor_time=True)
