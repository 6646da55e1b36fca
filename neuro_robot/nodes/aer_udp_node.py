"""Address events over UDP, in and out: SpiNNaker's SPIF boards and AEStream as event camera, or as listeners to one.

direction `in`: datagrams of words (see events/aer.py) become `events`. The words carry no time unless the sender adds
it, so events have the time at which the kernel received their datagram (system clock), or with `time: sender` the
sender's. direction `out`: `events` become datagrams. UDP loses and reorders, and the words have no sequence number:
what the kernel of this machine dropped is counted, what the network lost cannot be seen.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from typing import Protocol

from event_camera_msgs.msg import EventPacket as EventPacketMsg
from rclpy.clock import Clock, ClockType

from neuro_robot.bags.topics import EVENTS
from neuro_robot.config import parameter
from neuro_robot.errors import ConfigError, NeuroRobotError
from neuro_robot.events.aer import WORD, AerDecoder, AerLayout, encode
from neuro_robot.events.packet import StreamDecoder
from neuro_robot.nodes.conversions import packet_from
from neuro_robot.nodes.core import CoreNode, qos, run
from neuro_robot.nodes.hot import HotSubscriptions
from neuro_robot.nodes.parameters import read
from neuro_robot.nodes.source import EventOutput, HotSource, OutputParameters
from neuro_robot.nodes.udp import LARGEST, UdpReceiver, UdpSender

NS = 1_000_000_000
AT_ONCE = 200  # datagrams between two looks at everything else
AESTREAM_BYTES = 512  # what AEStream sends and takes; spiffer takes 1024


@dataclass(frozen=True)
class AerUdpParameters(OutputParameters):
    """Parameters of aer_udp_node."""

    direction: str = parameter("in", "in: datagrams become events; out: events become datagrams",
                               choices=("in", "out"))  # fmt: skip
    address: str = parameter("127.0.0.1", "in: address of this machine to listen at (0.0.0.0: all of them, from "
                             "anybody); out: where to send to")  # fmt: skip
    port: int = parameter(3333, "UDP port; in: 0 takes any free one", 0, 65535)
    width: int = parameter(640, "in: columns of the sensor", 1, 32768)
    height: int = parameter(480, "in: rows of the sensor", 1, 32768)
    x_shift: int = parameter(16, "lowest bit of x in a word", 0, 30)
    y_shift: int = parameter(0, "lowest bit of y in a word", 0, 30)
    polarity_bit: int = parameter(15, "bit of the polarity in a word, 1 = ON", 0, 30)
    time: str = parameter("arrival", "in: time of an event: arrival of its datagram, or the sender's time word",
                          choices=("arrival", "sender"))  # fmt: skip
    timestamps: bool = parameter(False, "out: add a time word to each event")
    datagram_bytes: int = parameter(0, "in: larger datagrams are refused; out: none larger is sent; 0: in "
                                    f"{LARGEST}, out {AESTREAM_BYTES}", 0, LARGEST)  # fmt: skip
    receive_buffer_bytes: int = parameter(4_000_000, "in: asked of the kernel (see net.core.rmem_max)", 2048, 2**30)


class Link(Protocol):
    """One direction."""

    hot: HotSubscriptions

    def begin(self) -> None:
        """What came before now does not count."""

    def flush(self, stamp_ns: int) -> None:
        """A packet period is over."""

    def counts(self) -> dict[str, int]:
        """What came and went."""

    def close(self) -> None:
        """Close the socket and the topic."""


class Incoming:
    """Datagrams to `events`."""

    def __init__(self, node: CoreNode, config: AerUdpParameters, layout: AerLayout) -> None:
        sender_time = config.time == "sender"
        self._decoder = AerDecoder(config.width, config.height, layout, sender_time=sender_time)
        largest = config.datagram_bytes or LARGEST
        buffer_bytes = config.receive_buffer_bytes
        self._udp = UdpReceiver(config.address, config.port, largest=largest, buffer_bytes=buffer_bytes)
        self._node = node
        self._publisher = node.create_lifecycle_publisher(EventPacketMsg, EVENTS.name, qos(EVENTS))
        try:
            self._output = EventOutput(self._publisher, config, config.width, config.height,
                                       by_sensor_time=sender_time)  # fmt: skip
        except NeuroRobotError:
            self.close()
            raise
        self._first_ns = 0
        self.hot: HotSubscriptions = HotSource(self._udp.wait, self._take)

    def begin(self) -> None:
        """Throw away what came while the node was not active; the kernel's buffer is all there can be."""
        for _ in self._udp.datagrams(self._udp.buffer_bytes):
            pass

    def _take(self) -> None:
        for data, arrival_ns in self._udp.datagrams(AT_ONCE):
            self._first_ns = self._first_ns or arrival_ns
            self._decoder.add(data, arrival_ns)
            if self._decoder.waiting > self._output.most:  # memory is bounded, whatever the rate
                self.flush(0)

    def flush(self, stamp_ns: int) -> None:
        """Publish what has come, stamped with the arrival of its first datagram."""
        self._output.publish(self._decoder.take(), self._first_ns or stamp_ns)
        self._first_ns = 0

    def counts(self) -> dict[str, int]:
        """The decoder's counters, and what the socket saw."""
        stats = self._decoder.stats
        values = {name: int(getattr(stats, name)) for name in stats.__slots__}
        values |= {"oversized": self._udp.oversized, "overflowed": self._udp.overflowed}
        values["dropped_scattered"] = self._output.dropped
        return values | {"packets": self._output.packets, "port": self._udp.port,
                         "receive_buffer_bytes": self._udp.buffer_bytes}  # fmt: skip

    def close(self) -> None:
        """Close socket and topic."""
        self._udp.close()
        self._node.destroy_lifecycle_publisher(self._publisher)


class Outgoing:
    """`events` to datagrams."""

    def __init__(self, node: CoreNode, config: AerUdpParameters, layout: AerLayout) -> None:
        event_bytes = WORD.itemsize * (2 if config.timestamps else 1)
        self._largest = (config.datagram_bytes or AESTREAM_BYTES) // event_bytes * event_bytes
        if not self._largest or not config.port:
            asked = f"datagram_bytes {config.datagram_bytes}, port {config.port}"
            raise ConfigError(f"expected at least {event_bytes} bytes a datagram and a port to send to, got {asked}")
        self._layout, self._timestamps = layout, config.timestamps
        self._decoder, self._refused = StreamDecoder(), 0
        self._udp = UdpSender(config.address, config.port)
        self._logger = node.get_logger()
        self.hot = HotSubscriptions(node)
        self.hot.add(EventPacketMsg, EVENTS.name, self._on_events, qos(EVENTS))

    def begin(self) -> None:
        """Packets that came before are sent."""

    def _on_events(self, message: EventPacketMsg, _info: dict[str, int]) -> None:
        try:
            packet = packet_from(message)
            events = self._decoder.decode(packet).events
            self._layout.check_geometry(packet.width, packet.height)
        except NeuroRobotError as error:
            self._refused += 1
            self._logger.error(f"packet refused: {error}", throttle_duration_sec=1.0)
            return
        self._udp.send(encode(events, self._layout, timestamps=self._timestamps).tobytes(), self._largest)

    def flush(self, _stamp_ns: int) -> None:
        """Nothing is held back."""

    def counts(self) -> dict[str, int]:
        """The decoder's counters, and what became of the datagrams."""
        stats = self._decoder.stats
        values = {name: int(getattr(stats, name)) for name in stats.__slots__}
        values["refused_packets"] = self._refused
        return values | {
            "datagrams": self._udp.datagrams,
            "unreachable": self._udp.unreachable,
            "failed": self._udp.failed,
        }

    def close(self) -> None:
        """Close socket and topic."""
        self._udp.close()
        self.hot.close()


class AerUdpNode(CoreNode):
    """Carries events between a UDP port and a topic."""

    _link: Link | None = None

    def __init__(self) -> None:
        super().__init__("aer_udp_node", AerUdpParameters)

    def configure(self) -> None:
        """Open the socket and the topic."""
        config = read(self, AerUdpParameters)
        layout = AerLayout(config.x_shift, config.y_shift, config.polarity_bit)
        kind = Incoming if config.direction == "in" else Outgoing
        self._link = kind(self, config, layout)
        self._period_s = config.packet_period_ms * 1e-3
        self._before: dict[str, int] = {}
        self._where = f"{'from' if config.direction == 'in' else 'to'} UDP {config.address} port {config.port}"
        self._timer = self.create_timer(1.0, self._tick, clock=Clock(clock_type=ClockType.STEADY_TIME))
        self.hot = self._link.hot

    def activate(self) -> None:
        """Begin."""
        if self._link is not None:
            self._link.begin()
        self.due = time.monotonic() + self._period_s

    def deactivate(self) -> None:
        """Say what was done."""
        self._report()

    def cleanup(self) -> None:
        """Close socket and topic."""
        if self._link is None:
            return
        self.destroy_timer(self._timer)
        self._link.close()
        self._link = self.hot = None

    def on_due(self) -> None:
        """A packet period is over."""
        if self._link is not None:
            self._link.flush(self.get_clock().now().nanoseconds)
        self.due = time.monotonic() + self._period_s

    def _tick(self) -> None:
        if self.active:
            self._report()

    def _report(self) -> None:
        """The counters; a warning when nothing came or something was dropped since the last time."""
        if self._link is None:
            return
        counts = self._link.counts()
        grown = {name for name, value in counts.items() if value > self._before.get(name, 0)}
        flows = {"datagrams", "events", "triggers", "packets", "bytes", "port", "receive_buffer_bytes"}
        dropped = sorted(grown - flows)
        moved = "datagrams" in grown
        text = f"{', '.join(dropped)} since the last report" if dropped else "running" if moved else "no events"
        self.report("warn" if dropped or not moved else "ok", f"{self._where}: {text}", counts)
        self._before = counts


def main() -> int:
    """Run the node."""
    return run(AerUdpNode)


if __name__ == "__main__":
    sys.exit(main())
