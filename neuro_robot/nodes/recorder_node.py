"""Writes the graph's topics to a rosbag2 MCAP bag, as they come, without decoding them."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rclpy.clock import Clock, ClockType

from neuro_robot.bags.raw import leading_stamp_ns, packet_seq
from neuro_robot.bags.topics import DIAGNOSTICS, EVENT_PACKET, LEG_TOPICS, TOPICS, Topic
from neuro_robot.bags.writer import RunBag
from neuro_robot.config import parameter
from neuro_robot.errors import BagError
from neuro_robot.nodes.core import CoreNode, qos, run
from neuro_robot.nodes.hot import HotSubscriptions
from neuro_robot.nodes.parameters import read

TAKE_S = 0.01  # between looks at the queues: cheaper than waking up for each message
QUEUE = 2000  # messages that may wait while the disk is busy
TAIL = 48  # bytes at the end of a message that tell two of one time apart; padding further ahead may be anything


@dataclass(frozen=True)
class RecorderParameters:
    """Parameters of recorder_node."""

    path: str = parameter("", "folder of the bag to write; must not exist yet")
    legs: bool = parameter(False, "record joints and foot contacts of a walking robot, too")


class RecorderNode(CoreNode):
    """Subscribes everything raw; the bag is readable however the run ends."""

    def __init__(self) -> None:
        super().__init__("recorder_node", RecorderParameters)

    def configure(self) -> None:
        """Open the bag and subscribe, so that everything is connected before the first message."""
        config = read(self, RecorderParameters)
        path, topics = config.path, (*TOPICS, *LEG_TOPICS) if config.legs else TOPICS
        if not path:
            raise BagError("path: expected the folder of the bag to write; set the parameter")
        self._bag = RunBag(path, topics, self.get_namespace())
        self._last: dict[str, tuple[int, int | bytes]] = {}
        self._seq: dict[str, int] = {}
        self._gaps = self._repeated = 0
        self._topics = HotSubscriptions(self)
        for topic in topics:
            self._topics.add(message_class(topic.type), topic.name, self._writer_of(topic), qos(topic, QUEUE), raw=True)
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._timers_made = [
            self.create_timer(TAKE_S, self._topics.take, clock=steady),
            self.create_timer(1.0, self._report, clock=steady),
        ]

    def deactivate(self) -> None:
        """Write what has come and pause; the bag stays open."""
        self.active = True
        self._topics.take()
        self.active = False
        self._report()

    def cleanup(self) -> None:
        """Close the bag."""
        if not hasattr(self, "_bag"):
            return
        if hasattr(self, "_timers_made"):
            for timer in self._timers_made:
                self.destroy_timer(timer)
            self._topics.close()
            del self._timers_made
        self._bag.note({"gaps": str(self._gaps)})
        self._bag.close()
        self.get_logger().info(f"bag closed: {self._bag.path}, {sum(self._bag.counts.values())} messages")
        del self._bag

    def _writer_of(self, topic: Topic) -> Callable[[bytes, dict[str, int]], None]:
        def write(data: bytes, _info: dict[str, int]) -> None:
            if self.active:
                self._write(topic, data)

        return write

    def _write(self, topic: Topic, data: bytes) -> None:
        """One message; lockstep sends unanswered ones again, and a repetition is not written twice."""
        if topic is DIAGNOSTICS:
            self._bag.write(topic.name, None, data)
            return
        t_ns = leading_stamp_ns(data)
        seq = packet_seq(data) if topic.type == EVENT_PACKET else -1
        mark = (t_ns, seq) if seq >= 0 else (t_ns, data[-TAIL:])
        if mark == self._last.get(topic.name):
            self._repeated += 1
            return
        self._last[topic.name] = mark
        if seq >= 0:
            self._gaps += max(0, seq - self._seq.get(topic.name, seq))
            self._seq[topic.name] = seq + 1
        self._bag.write(topic.name, t_ns, data)

    def _report(self) -> None:
        values: dict[str, object] = {f"messages_{name}": count for name, count in self._bag.counts.items()}
        level, text = ("warn", f"{self._gaps} packets missing") if self._gaps else ("ok", "recording")
        self.report(level, text, values | {"missing_packets": self._gaps, "repeated": self._repeated})


def message_class(kind: str) -> Any:  # noqa: ANN401 - a generated message class
    """`sensor_msgs/msg/Imu` as the class."""
    package, _, name = kind.split("/")
    return getattr(importlib.import_module(f"{package}.msg"), name)


def main() -> int:
    """Run the node."""
    return run(RecorderNode)


if __name__ == "__main__":
    sys.exit(main())
