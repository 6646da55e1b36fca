"""What the renderer is made of: the painter, and the reasons for silence."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="ROS 2 is not installed: run `make setup`")
pytest.importorskip("event_camera_msgs.msg", reason="the message is not built: run `make setup`")

from neuro_robot.bags.topics import EVENT_PACKET
from neuro_robot.events import EVENT_DTYPE, event_image, pack
from neuro_robot.nodes.painting import Painter
from neuro_robot.nodes.silence import Endpoint, no_packets, no_viewer

pytestmark = pytest.mark.ros
W, H = 16, 12


def packet(t_ms, x=1, seq=0, width=W, height=H, encoding="evt3"):
    events = np.array([(t_ms * 1_000_000, x, 2, 1)], EVENT_DTYPE)
    t_end_ns = t_ms * 1_000_000
    return pack(events, encoding, width=width, height=height, seq=seq, stamp_ns=7, t_end_ns=t_end_ns, frame_id="eye")


def image_of(*rows):
    return event_image(np.array(list(rows), EVENT_DTYPE), W, H)


def test_a_picture_holds_what_came_since_the_last_one_and_stillness_is_shown_once():
    painter = Painter()
    assert painter.image() is None
    painter.take(packet(1, x=1))
    painter.take(packet(2, x=2, seq=1))
    np.testing.assert_array_equal(painter.image(), image_of((0, 1, 2, 1), (0, 2, 2, 1)))
    painter.take(packet(3, x=3, seq=2))
    np.testing.assert_array_equal(painter.image(), image_of((0, 3, 2, 1)))
    np.testing.assert_array_equal(painter.image(), image_of())
    assert painter.image() is None
    assert (painter.frame_id, painter.stamp_ns, painter.events) == ("eye", 7, 3)


def test_a_window_spans_sensor_time():
    painter = Painter(window_ms=10.0)
    for seq, t_ms in enumerate((1, 5, 12)):
        painter.take(packet(t_ms, x=seq, seq=seq))
        picture = painter.image()
    np.testing.assert_array_equal(picture, image_of((0, 1, 2, 1), (0, 2, 2, 1)))


@pytest.mark.parametrize("picture", ["surface", "counts"])
def test_other_pictures(picture):
    painter = Painter(picture)
    painter.take(packet(1, x=4))
    image = painter.image()
    assert image.shape == (H, W, 3)
    others = {tuple(pixel) for y, row in enumerate(image) for x, pixel in enumerate(row) if (x, y) != (4, 2)}
    assert others == {tuple(image[0, 0])}
    assert tuple(image[2, 4]) not in others


def test_another_camera_on_the_same_topic_is_followed():
    painter = Painter()
    painter.take(packet(1))
    painter.take(packet(2, seq=1, encoding="mono"))
    painter.take(packet(3, seq=2, width=32, height=20))
    assert painter.refused == 0
    assert painter.image().shape == (20, 32, 3)


def test_a_new_recording_on_the_same_topic_is_followed():
    painter = Painter("surface")
    painter.take(packet(50_000, x=1, seq=5))
    painter.take(packet(1, x=3, seq=0))
    np.testing.assert_array_equal(np.argwhere((painter.image() != painter.image()[0, 0]).any(axis=2)), [[2, 3]])


def test_refused_packets_say_why_and_take_no_memory():
    painter = Painter()
    good = packet(1)
    painter.take(dataclasses.replace(good, encoding="avi"))
    assert "avi" in painter.fault
    painter.take(dataclasses.replace(good, width=2**31, height=2**31))
    assert "2147483648" in painter.fault
    assert painter.image() is None
    painter.take(good)
    assert (painter.fault, painter.refused, painter.packets) == ("", 2, 3)
    wrong = Painter(filters=("blur",))
    wrong.take(good)
    assert "background=MS" in wrong.fault


def test_filters():
    painter = Painter(filters=("off",))
    painter.take(packet(1))
    np.testing.assert_array_equal(painter.image(), image_of())


CAMERA = Endpoint("/camera", EVENT_PACKET, reliable=False, type_hash="RIHS01_a")


@pytest.mark.parametrize(
    ("found", "others", "reliable", "says"),
    [
        ([], ["/left/events", "/events"], False, "event packets are on /left/events"),
        ([], [], False, "ROS_DOMAIN_ID"),
        ([Endpoint("/old", "dvs_msgs/msg/EventArray")], [], False, "carries dvs_msgs/msg/EventArray"),
        ([CAMERA], [], True, "reliable to false"),
        ([dataclasses.replace(CAMERA, type_hash="RIHS01_b")], [], False, "another definition"),
        ([CAMERA], [], False, "no packet has come for 4 s"),
        ([dataclasses.replace(CAMERA, type_hash="")], [], False, "no packet has come"),
    ],
)
def test_every_silence_has_a_reason(found, others, reliable, says):
    text = no_packets("/events", found, others, reliable=reliable, type_hash="RIHS01_a", silent_s=4.0)
    assert says in text


def test_viewers_that_cannot_be_served():
    assert no_viewer("/image_raw", []) == ""
    assert "volatile" in no_viewer("/image_raw", [Endpoint("/rviz", "sensor_msgs/msg/Image", transient_local=True)])
    assert "/rviz" in no_viewer("/image_raw", [Endpoint("/rviz", "sensor_msgs/msg/Image")])
