"""A run's bag: rosbag2 with MCAP storage, written without ROS, readable however the run ends."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from rosbags.interfaces import Connection, Qos, QosDurability, QosHistory, QosLiveliness, QosReliability, QosTime
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.rosbag2.errors import WriterError

from neuro_robot.bags.messages import typestore
from neuro_robot.bags.topics import Topic
from neuro_robot.errors import BagError

EPISODE_GAP_NS = 10_000_000  # between flights of one bag
STEP_BACK_NS = 100_000_000  # a stamp this far behind its topic's last one begins a new flight
_FOREVER = QosTime(9223372036, 854775807)


class RunBag:
    """Takes serialised messages and writes them in bag time.

    Bag time is the message's own time (sensor and simulation time). When a topic's time starts over, a new flight has
    begun: its messages go behind everything before, so bag time only goes up.
    """

    def __init__(self, path: str | Path, topics: tuple[Topic, ...], namespace: str = "") -> None:
        self.path = Path(path)
        try:
            self._writer = Writer(self.path, version=9, storage_plugin=StoragePlugin.MCAP)
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._writer.open()
        except (OSError, WriterError) as error:
            raise BagError(f"{self.path}: cannot be written: {error}; choose a new folder") from error
        self._connections = {topic.name: self._connect(topic, topic.resolved(namespace)) for topic in topics}
        self._flights = {topic.name: 0 for topic in topics}
        self._last_ns = {topic.name: -1 for topic in topics}
        self._starts_ns = [0]
        self._end_ns = 0
        self._closed = False
        self.counts = {topic.name: 0 for topic in topics}

    def _connect(self, topic: Topic, name: str) -> Connection:
        return self._writer.add_connection(
            name, topic.type, typestore=typestore(), offered_qos_profiles=[_qos(topic)]
        )  # fmt: skip

    def write(self, topic: str, t_ns: int | None, data: bytes) -> None:
        """Write CDR bytes; t_ns None (no time of its own): now, the newest time in the bag."""
        bag_ns = self._end_ns if t_ns is None else self._bag_time(topic, t_ns)
        self._writer.write(self._connections[topic], bag_ns, data)
        self._end_ns = max(self._end_ns, bag_ns)
        self.counts[topic] += 1

    def _bag_time(self, topic: str, t_ns: int) -> int:
        if t_ns < self._last_ns[topic] - STEP_BACK_NS:
            self._flights[topic] += 1
            if self._flights[topic] == len(self._starts_ns):
                self._starts_ns.append(self._end_ns + EPISODE_GAP_NS)
        self._last_ns[topic] = t_ns
        return self._starts_ns[self._flights[topic]] + t_ns

    def note(self, values: Mapping[str, str]) -> None:
        """Custom data of the bag's metadata."""
        for key, value in values.items():
            self._writer.set_custom_data(key, value)

    def close(self) -> None:
        """Write index and metadata; safe to call twice."""
        if self._closed:
            return
        self._closed = True
        if not any(self.counts.values()):
            self._writer.min_timestamp = 0
        self._writer.close()

    def __enter__(self) -> RunBag:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _qos(topic: Topic) -> Qos:
    reliability = QosReliability.RELIABLE if topic.reliable else QosReliability.BEST_EFFORT
    return Qos(
        QosHistory.KEEP_LAST, topic.depth, reliability, QosDurability.VOLATILE, _FOREVER, _FOREVER,
        QosLiveliness.AUTOMATIC, _FOREVER, False,
    )  # fmt: skip
