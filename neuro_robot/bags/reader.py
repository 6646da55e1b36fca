"""Reading bags: any rosbag2 (MCAP or sqlite3), ours or a real camera's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from rosbags.interfaces import Connection
from rosbags.rosbag2 import Reader
from rosbags.rosbag2.errors import ReaderError

from neuro_robot.bags.messages import from_cdr, packet_from
from neuro_robot.bags.topics import COMMAND, EVENT_PACKET, EVENTS, JOINT_TRAJECTORY, LEG_TOPICS, TOPICS
from neuro_robot.errors import BagError
from neuro_robot.events.packet import EventPacket


class Message(NamedTuple):
    """One message of a bag."""

    topic: str  # the project's relative name for a run's topic, else the name in the bag
    bag_ns: int
    kind: str
    data: bytes

    def value(self) -> Any:  # noqa: ANN401 - the message class of `kind`
        """The message itself."""
        return from_cdr(self.data, self.kind)


class BagReader:
    """One open bag. Raises BagError when there is none or it cannot be read."""

    def __init__(self, path: str | Path) -> None:
        self.path = bag_folder(Path(path))
        try:
            self._reader = Reader(self.path)
            self._reader.open()
        except (ReaderError, OSError, ValueError, KeyError, AttributeError) as error:
            raise BagError(f"{self.path}: cannot be read as a rosbag2 bag: {error}") from error
        self._names = {item.topic: _relative(item) for item in self._reader.connections}

    @property
    def is_run(self) -> bool:
        """True for the bag of one of our own runs, False for a camera's recording."""
        return EVENTS.name in self._names.values() and self.command_topic is not None

    @property
    def command_topic(self) -> str | None:
        """The topic of what the controller said: joints of a legged robot, else `cmd_vel`; None in a recording."""
        names = set(self._names.values())
        return next((topic.name for topic in (JOINT_TRAJECTORY, COMMAND) if topic.name in names), None)

    @property
    def namespace(self) -> str:
        """What stands before the topics of a run: `/left`, or nothing."""
        full = next((topic for topic, name in self._names.items() if name == EVENTS.name), "")
        return full.removesuffix(EVENTS.name).rstrip("/")

    @property
    def custom_data(self) -> dict[str, str]:
        """What the writer noted in the metadata."""
        return dict(self._reader.metadata.get("custom_data") or {})

    @property
    def counts(self) -> dict[str, int]:
        """Messages by topic."""
        return {self._names[item.topic]: item.msgcount for item in self._reader.connections}

    @property
    def duration_s(self) -> float:
        """From the first to the last message."""
        return float(self._reader.duration) * 1e-9

    def messages(self, *topics: str) -> Iterator[Message]:
        """Messages of these topics (relative or full names; none: all) in bag order."""
        chosen = [item for item in self._reader.connections if not topics or self._names[item.topic] in topics]
        if not chosen:
            return
        for connection, bag_ns, data in self._reader.messages(chosen):
            yield Message(self._names[connection.topic], bag_ns, connection.msgtype, bytes(data))

    def event_topic(self) -> str:
        """The topic of the camera. Raises BagError when no or several topics carry event packets."""
        found = sorted({name for item, name in self._pairs() if item.msgtype == EVENT_PACKET})
        if EVENTS.name in found:
            return EVENTS.name
        if len(found) != 1:
            have = ", ".join(found) if found else "none"
            raise BagError(f"{self.path}: expected one topic of {EVENT_PACKET}, found {have}")
        return found[0]

    def packets(self, topic: str | None = None) -> Iterator[tuple[int, EventPacket]]:
        """Bag time and packet of the camera's topic."""
        for message in self.messages(topic or self.event_topic()):
            yield message.bag_ns, packet_from(message.value())

    def close(self) -> None:
        """Close the files."""
        self._reader.close()

    def __enter__(self) -> BagReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _pairs(self) -> list[tuple[Connection, str]]:
        return [(item, self._names[item.topic]) for item in self._reader.connections]


def bag_folder(path: Path) -> Path:
    """The bag in a run folder, or the path itself when it is a bag. Raises BagError when there is neither."""
    for candidate in (path, path / "bag"):
        if (candidate / "metadata.yaml").is_file():
            return candidate
    if path.is_file() and (path.parent / "metadata.yaml").is_file():
        return path.parent
    raise BagError(f"{path}: expected a bag (a folder with metadata.yaml) or a run folder with bag/ inside")


def _relative(connection: Connection) -> str:
    """A run's topic is known by its relative name under any namespace; a camera driver's `~/events` keeps its own."""
    for topic in (*TOPICS, *LEG_TOPICS):
        if connection.msgtype == topic.type and connection.topic.endswith(topic.resolved()):
            return topic.name
    return str(connection.topic)
