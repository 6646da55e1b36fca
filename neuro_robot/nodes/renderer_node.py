"""Shows events: subscribes `events`, publishes `image_raw` (sensor_msgs/Image) for RViz, rqt and Foxglove.

It works only while somebody subscribes to the pictures. When no events come although somebody looks, it says why on
/diagnostics and in its log. With `autostart` the node needs nobody who configures and activates it.
"""

from __future__ import annotations

import array
import sys
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from event_camera_msgs.msg import EventPacket as EventPacketMsg
from rclpy.clock import Clock, ClockType
from sensor_msgs.msg import Image

from neuro_robot.bags.topics import EVENTS, Topic
from neuro_robot.config import parameter
from neuro_robot.nodes.conversions import packet_from, time_message
from neuro_robot.nodes.core import CoreNode, qos, run
from neuro_robot.nodes.hot import HotSubscriptions
from neuro_robot.nodes.painting import PICTURES, Painter
from neuro_robot.nodes.parameters import read
from neuro_robot.nodes.silence import event_topics, no_packets, no_viewer, publishers, subscribers
from neuro_robot.nodes.standalone import start_by_itself

IMAGE = Topic("image_raw", "sensor_msgs/msg/Image", True, 2)
STEADY = Clock(clock_type=ClockType.STEADY_TIME)
LOOK_S = 0.2  # between looks for subscribers
SILENT_S = 2.0  # without packets for so long, the reason is told


@dataclass(frozen=True)
class RendererParameters:
    """Parameters of renderer_node."""

    rate_hz: float = parameter(25.0, "pictures per second", 0.1, 240.0)
    picture: str = parameter("events", "events: ON blue, OFF red; surface: the newer, the stronger; counts: how many",
                             choices=PICTURES)  # fmt: skip
    window_ms: float = parameter(0.0, "sensor time that a picture spans, ms; 0: since the last picture", 0.0, 60_000.0)
    filters: str = parameter("", "filters, separated by commas: background=5,hot,antiflicker=90-130 (docs/filters.md)")
    image_encoding: str = parameter("rgb8", "order of the colours", choices=("rgb8", "bgr8"))
    reliable: bool = parameter(
        False, "ask for reliable delivery; drivers publish best effort, which then does not come"
    )
    autostart: bool = parameter(False, "configure and activate without being told to")


class RendererNode(CoreNode):
    """Publishes pictures of events while somebody looks."""

    def __init__(self) -> None:
        super().__init__("renderer_node", RendererParameters)
        if self.get_parameter("autostart").value:
            start_by_itself(self)

    def configure(self) -> None:
        """The picture topic; events are not subscribed before somebody looks."""
        self._config = config = read(self, RendererParameters)
        self._profile = qos(Topic(EVENTS.name, EVENTS.type, config.reliable, EVENTS.depth))
        self._filters = tuple(filter(None, (text.strip() for text in config.filters.split(","))))
        self._painter = self._new_painter()
        self._images = self._packets_before = 0
        self._heard_at = time.monotonic()
        self._told = ""
        self._image = self.create_lifecycle_publisher(Image, IMAGE.name, qos(IMAGE))
        self._topic = self.resolve_topic_name(EVENTS.name)
        self._work_timers = [
            self.create_timer(1.0 / config.rate_hz, self._show, clock=STEADY),
            self.create_timer(LOOK_S, self._look, clock=STEADY),
            self.create_timer(1.0, self._report, clock=STEADY),
        ]
        self.get_logger().info(f"pictures of {self._topic} on {self._image.topic_name} as soon as somebody subscribes")

    def _new_painter(self) -> Painter:
        return Painter(self._config.picture, self._config.window_ms, self._filters)

    def deactivate(self) -> None:
        """Listen no more."""
        self._stop_listening()

    def cleanup(self) -> None:
        """Give the topics back."""
        if not hasattr(self, "_work_timers"):
            return
        self._stop_listening()
        for timer in self._work_timers:
            self.destroy_timer(timer)
        self.destroy_lifecycle_publisher(self._image)
        del self._work_timers

    def _look(self) -> None:
        """Listen while somebody looks."""
        if not self.active:
            return
        wanted = self._image.get_subscription_count() > 0
        if wanted and self.hot is None:
            self._painter = self._new_painter()
            self._heard_at = time.monotonic()
            self._packets_before = 0
            self.hot = HotSubscriptions(self)
            self.hot.add(EventPacketMsg, EVENTS.name, self._on_events, self._profile)
            self.get_logger().info(f"somebody looks at {self._image.topic_name}: listening to {self._topic}")
        elif not wanted and self.hot is not None:
            self._stop_listening()
            self.get_logger().info(f"nobody looks at {self._image.topic_name} any more: at rest")

    def _stop_listening(self) -> None:
        if self.hot is not None:
            self.hot.close()
            self.hot = None

    def _on_events(self, message: EventPacketMsg, _info: dict[str, int]) -> None:
        self._heard_at = time.monotonic()
        self._painter.take(packet_from(message))

    def _show(self) -> None:
        if not self.active or self.hot is None:
            return
        picture = self._painter.image()
        if picture is not None:
            self._image.publish(image_message(picture, self._painter, self._config.image_encoding))
            self._images += 1

    def _report(self) -> None:
        if not self.active:
            return
        level, text = self._state()
        painter = self._painter
        values: dict[str, object] = {
            "topic": self._topic,
            "image_topic": self._image.topic_name,
            "viewers": self._image.get_subscription_count(),
            "publishers": self.count_publishers(self._topic),
            "packets": painter.packets,
            "events": painter.events,
            "refused": painter.refused,
            "lost_packets": painter.lost_packets,
            "pictures": self._images,
        }
        self.report(level, text, values)
        if level != "ok" and text != self._told:
            self.get_logger().warning(text)
        self._told = text if level != "ok" else ""

    def _state(self) -> tuple[str, str]:
        """Level and text: what is going on, or why nothing is."""
        if self.hot is None:
            blocked = no_viewer(self._image.topic_name, subscribers(self, self._image.topic_name))
            return ("warn", blocked) if blocked else ("ok", f"at rest: nobody subscribes to {self._image.topic_name}")
        painter = self._painter
        if painter.fault:
            return "error", f"packets refused: {painter.fault}"
        silent_s = time.monotonic() - self._heard_at
        if silent_s < SILENT_S:
            return "ok", "showing events" if painter.events else "packets come, but no events are in them yet"
        why = no_packets(
            self._topic,
            publishers(self, self._topic),
            event_topics(self),
            reliable=self._config.reliable,
            type_hash=self._own_hash(),
            silent_s=int(silent_s / 10) * 10 or SILENT_S,  # in steps, so that the log says it now and then only
        )
        return "warn", why

    def _own_hash(self) -> str:
        """Of the message as this process has it."""
        mine = [one for one in subscribers(self, self._topic) if one.node == self.get_fully_qualified_name()]
        return mine[0].type_hash if mine else ""


def image_message(picture: npt.NDArray[np.uint8], painter: Painter, encoding: str) -> Any:  # noqa: ANN401 - Image
    """sensor_msgs/Image of an RGB picture, stamped like the newest packet in it."""
    height, width, _ = picture.shape
    message = Image(height=height, width=width, encoding=encoding, is_bigendian=0, step=3 * width)
    message.header.stamp = time_message(painter.stamp_ns)
    message.header.frame_id = painter.frame_id
    data = array.array("B")
    data.frombytes(np.ascontiguousarray(picture if encoding == "rgb8" else picture[..., ::-1]).tobytes())
    message.data = data
    return message


def main() -> int:
    """Run the node."""
    return run(RendererNode)


if __name__ == "__main__":
    sys.exit(main())
