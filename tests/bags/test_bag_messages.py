"""Messages as bytes: there and back, and the same bytes as ROS makes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuro_robot.bags import messages, raw
from neuro_robot.bags.topics import CLOCK, COMMAND, EVENT_PACKET, IMU, ODOM
from neuro_robot.events.packet import EventPacket
from neuro_robot.robot import BodyCommand, Imu, Odometry

COMMAND_VALUE = BodyCommand(1_234_567_891, 5.0, -0.25, 0.125, 1e-9)
IMU_VALUE = Imu(7_000_000_001, (0.1, 0.2, 0.3, 0.9), (1.0, 2.0, 3.0), (0.0, -0.5, 9.81))
ODOM_VALUE = Odometry(5, (1.0, 2.0, 3.0), (0.0, 0.0, 0.0, 1.0), (4.0, 5.0, 6.0), (0.1, 0.2, 0.3))


def packet_value(frame_id="event_camera", seq=2**40 + 3, payload=b"\x01\x02\x03") -> EventPacket:
    return EventPacket(3_000_000_004, frame_id, 480, 640, seq, 2**50, "evt3", False, np.frombuffer(payload, np.uint8))


def same(left: EventPacket, right: EventPacket) -> bool:
    names = ("stamp_ns", "frame_id", "height", "width", "seq", "time_base", "encoding", "is_bigendian")
    return all(getattr(left, n) == getattr(right, n) for n in names) and np.array_equal(left.events, right.events)


@given(frame_id=st.text(st.characters(codec="ascii", exclude_characters="\0"), max_size=20),
       seq=st.integers(0, 2**63 - 1), payload=st.binary(max_size=50))  # fmt: skip
def test_packet_there_and_back_and_its_raw_fields(frame_id, seq, payload):
    packet = packet_value(frame_id, seq, payload)
    data = messages.packet_to_cdr(packet)
    assert same(messages.packet_from(messages.from_cdr(data, EVENT_PACKET)), packet)
    assert raw.packet_seq(data) == seq
    assert raw.leading_stamp_ns(data) == packet.stamp_ns


def test_values_there_and_back():
    cases = (
        (COMMAND_VALUE, messages.command_to_cdr, COMMAND.type, messages.command_from),
        (IMU_VALUE, messages.imu_to_cdr, IMU.type, messages.imu_from),
        (ODOM_VALUE, messages.odometry_to_cdr, ODOM.type, messages.odometry_from),
    )
    for value, write, kind, read in cases:
        assert read(messages.from_cdr(write(value), kind)) == value


def test_the_event_packet_has_the_released_type_hash():
    released = "RIHS01_d6fa176260b1f37e5a40845305315e150a0f18191241eb64f407442aa29844aa"
    assert messages.typestore().hash_rihs01(EVENT_PACKET) == released


@pytest.mark.ros
def test_rclpy_reads_ours_and_we_read_rclpys():
    serialization = pytest.importorskip("rclpy.serialization")
    from neuro_robot.nodes import conversions

    pairs = (
        (conversions.packet_message(packet_value()), messages.packet_to_cdr(packet_value())),
        (conversions.command_message(COMMAND_VALUE), messages.command_to_cdr(COMMAND_VALUE)),
        (conversions.imu_message(IMU_VALUE), messages.imu_to_cdr(IMU_VALUE)),
        (conversions.odometry_message(ODOM_VALUE), messages.odometry_to_cdr(ODOM_VALUE)),
        (conversions.clock_message(9_000_000_001), messages.clock_to_cdr(9_000_000_001)),
    )
    store = messages.typestore()
    for (message, ours), kind in zip(pairs, (EVENT_PACKET, COMMAND.type, IMU.type, ODOM.type, CLOCK.type), strict=True):
        theirs = serialization.serialize_message(message)  # its padding bytes are whatever was in memory
        assert bytes(store.serialize_cdr(messages.from_cdr(theirs, kind), kind)) == ours
        assert serialization.deserialize_message(ours, type(message)) == message


@pytest.mark.ros
def test_ros_messages_there_and_back():
    pytest.importorskip("rclpy")
    from neuro_robot.nodes import conversions

    assert same(conversions.packet_from(conversions.packet_message(packet_value())), packet_value())
    assert conversions.command_from(conversions.command_message(COMMAND_VALUE)) == COMMAND_VALUE
    assert conversions.imu_from(conversions.imu_message(IMU_VALUE)) == IMU_VALUE
    assert conversions.odometry_from(conversions.odometry_message(ODOM_VALUE)) == ODOM_VALUE
