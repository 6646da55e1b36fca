"""What the nodes that stand for a camera have in common: packets of bounded time and size, and a fast path."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from neuro_robot.config import parameter
from neuro_robot.events.array import Events, empty_events
from neuro_robot.events.packet import CODECS, pack
from neuro_robot.nodes.conversions import packet_message
from neuro_robot.nodes.hot import HotSubscriptions

ENCODINGS = tuple(name for name, codec in CODECS.items() if codec.max_width)
MOST_PACKETS = 200  # published at once
EVENT_BYTES = 8  # what an event takes at most in any of these encodings


@dataclass(frozen=True)
class OutputParameters:
    """Parameters of a node that publishes a camera's events."""

    encoding: str = parameter("evt3", "encoding of the packets", choices=ENCODINGS)
    frame_id: str = parameter("event_camera", "frame of the packets")
    packet_period_ms: float = parameter(2.0, "a packet holds what comes in so much time, ms", 0.1, 1000.0)
    packet_bytes: int = parameter(400_000, "larger packets are divided (the middleware's shared memory is 512 kB "
                                  "unless config/fastdds_events.xml is used)", 1000, 1_000_000_000)  # fmt: skip


class EventOutput:
    """One stream of event packets with sequence numbers from 0."""

    def __init__(
        self, publisher: Any, config: OutputParameters, width: int, height: int, *, by_sensor_time: bool  # noqa: ANN401
    ) -> None:  # fmt: skip
        """With `by_sensor_time` a packet spans a period of it at most. Raises PacketError when the encoding cannot
        address the sensor.
        """
        self._publisher = publisher
        self._config = config
        self._width, self._height = width, height
        self._span_ns = CODECS[config.encoding].max_span_ns
        if by_sensor_time:
            self._span_ns = min(self._span_ns, int(config.packet_period_ms * 1e6))
        self.most = config.packet_bytes // EVENT_BYTES  # events in a packet
        self.packets = self.dropped = self._seq = 0
        self._pack(empty_events(), 0)  # compiles now what would be compiled at the first packet

    def restart(self) -> None:
        """A new stream follows: whoever decodes it starts anew at sequence number 0."""
        self._seq = 0

    def publish(self, events: Events, stamp_ns: int) -> None:
        """Publish sorted events, none: nothing, in as many packets as their number and time span need.

        At most MOST_PACKETS at once: times that a broken or hostile clock scatters would else be a packet each, for
        longer than a node may be busy. What is over is dropped and counted.
        """
        t_ns = np.ascontiguousarray(events["t"])
        start, last = 0, self.packets + MOST_PACKETS
        while start < len(events):
            if self.packets == last:
                self.dropped += len(events) - start
                return
            stop = int(np.searchsorted(t_ns, t_ns[start] + self._span_ns, side="right"))
            stop = min(stop, start + self.most)
            self._publisher.publish(packet_message(self._pack(events[start:stop], stamp_ns)))
            self._seq += 1
            self.packets += 1
            start = stop

    def _pack(self, events: Events, stamp_ns: int) -> Any:  # noqa: ANN401 - EventPacket
        t_end_ns = int(events["t"][-1]) if len(events) else 0
        config = self._config
        return pack(events, config.encoding, width=self._width, height=self._height, seq=self._seq, stamp_ns=stamp_ns,
                    t_end_ns=t_end_ns, frame_id=config.frame_id)  # fmt: skip


class HotSource(HotSubscriptions):
    """Something other than subscriptions on a node's fast path: `wait(timeout_s)` until there is data, `take()` it."""

    def __init__(self, wait: Callable[[float], None], take: Callable[[], None]) -> None:
        self._wait, self._take = wait, take

    def wait(self, timeout_s: float) -> None:
        """Until data is there, at most timeout_s."""
        self._wait(max(timeout_s, 0.0))

    def take(self, most: int = 1000) -> None:  # noqa: ARG002 - how much is taken at once is the source's to know
        """Take what is there."""
        self._take()

    def close(self) -> None:
        """The source closes itself."""
