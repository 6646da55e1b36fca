"""Event packets over DDS: a sustained rate in one process, and the highest rate without loss between two.

    python benchmarks/dds_rate.py                       50 M events/s for 60 s in one process, then the search
    python benchmarks/dds_rate.py --seconds 10 --decode the same, shorter, and every packet is decoded
    python benchmarks/dds_rate.py --only two --packet-kb 1000 --profile config/fastdds_events.xml

Measured is transport: a publisher sends packets that were encoded before (1280x720, 60 % of the events in row runs, a
packet's worth of new sequence number and stamp each time) when they are due, a subscriber takes every one from the
middleware (best effort, queue of 1000, as cameras do) and looks at its sequence number, with --decode at its events
too. Lost is what is missing at the end. A rate counts as held when nothing is lost and the publisher was never more
than 100 ms behind (it stops there). Both ends are this package's Python; discovery stays on this machine.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from neuro_robot.events.array import EVENT_DTYPE, Events
from neuro_robot.events.packet import CODECS, EventPacket, StreamDecoder, pack

WIDTH, HEIGHT = 1280, 720
IN_RUNS, RUN = 0.6, 12  # share of the events that come as runs of neighbours in a row, and how long these are
WARM_UP = 20  # packets before those that count
BEHIND_S = 0.1
DRAIN_S = 0.5
TOPIC = "dds_rate/events"
VARIANTS = 8  # different packets, so that nothing lives in the cache alone
LOWEST, HIGHEST, STEPS = 2e6, 1e9, 7  # of the search, events/s


@dataclass
class Result:
    """One run."""

    where: str
    encoding: str
    million_per_s: float  # asked for
    seconds: float
    packet_kb: float
    packets_per_s: float
    sent: int = 0
    received: int = 0
    decoded_events: int = 0
    behind_ms: float = 0.0

    @property
    def lost(self) -> int:
        """Packets that did not arrive."""
        return self.sent - self.received

    @property
    def held(self) -> bool:
        """Nothing lost, and sent when due."""
        return self.sent > 0 and self.lost == 0 and self.behind_ms <= BEHIND_S * 1e3

    def line(self) -> str:
        """One row of the table."""
        verdict = "held" if self.held else f"not held: {self.lost} lost, {self.behind_ms:.0f} ms behind"
        rate = f"{self.million_per_s:7.1f} M events/s  {self.seconds:5.1f} s"
        size = f"{self.packets_per_s:7.0f} packets/s of {self.packet_kb:6.1f} kB {self.encoding}"
        return f"{self.where:14}{rate}  {size}  {self.sent} sent  {verdict}"


def some_events(count: int, seed: int) -> Events:
    """About `count` sorted events of 1 ms, runs along rows among single pixels."""
    rng = np.random.default_rng(seed)
    runs = max(int(count * IN_RUNS / RUN), 0)
    first = rng.integers(0, WIDTH - RUN, runs)
    x = np.concatenate([(first[:, None] + np.arange(RUN)).ravel(), rng.integers(0, WIDTH, count - runs * RUN)])
    group = np.concatenate([np.repeat(np.arange(runs), RUN), runs + np.arange(count - runs * RUN)])
    groups = int(group[-1]) + 1
    t_ns, y, p = rng.integers(0, 1000, groups) * 1000, rng.integers(0, HEIGHT, groups), rng.integers(0, 2, groups)
    events = np.empty(count, EVENT_DTYPE)
    events["t"], events["x"], events["y"], events["p"] = t_ns[group], x, y[group], p[group]
    return events[np.argsort(events["t"], kind="stable")]


def packets_of(encoding: str, packet_kb: float) -> list[EventPacket]:
    """Packets of about that size."""

    def packed(count: int, seed: int) -> EventPacket:
        return pack(some_events(count, seed), encoding, width=WIDTH, height=HEIGHT, seq=0, stamp_ns=0,
                    t_end_ns=1_000_000)  # fmt: skip

    per_event = packed(20_000, 0).events.size / 20_000
    return [packed(int(packet_kb * 1000 / per_event), seed) for seed in range(VARIANTS)]


class Sender:
    """Publishes packets when they are due."""

    def __init__(self, node: Any, packets: list[EventPacket], events_each: int, rate: float) -> None:
        from event_camera_msgs.msg import EventPacket as Message

        from neuro_robot.bags.topics import EVENTS
        from neuro_robot.nodes.conversions import packet_message
        from neuro_robot.nodes.core import qos

        self._messages = [packet_message(packet) for packet in packets]
        self._publisher = node.create_publisher(Message, TOPIC, qos(EVENTS))
        self._period_s = events_each / rate
        self._seq = 0
        self._behind_s = 0.0

    def run(self, seconds: float, between: Callable[[], None]) -> None:
        """Once somebody listens: a warm-up that does not count, then packets when they are due."""
        end = time.monotonic() + 10.0
        while not self._publisher.get_subscription_count() and time.monotonic() < end:
            time.sleep(0.01)
        time.sleep(0.5)
        for _ in range(WARM_UP):
            self._send(between)
            time.sleep(0.02)
        start = time.monotonic()
        for index in range(int(seconds / self._period_s)):
            wait = start + index * self._period_s - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            self._behind_s = max(self._behind_s, -wait)
            self._send(between)
            if self._behind_s > BEHIND_S:
                break

    def _send(self, between: Callable[[], None]) -> None:
        message = self._messages[self._seq % len(self._messages)]
        message.seq = self._seq
        self._publisher.publish(message)
        self._seq += 1
        between()

    def told(self) -> dict[str, Any]:
        """What was done."""
        return {"sent": self._seq - WARM_UP, "behind_ms": self._behind_s * 1e3}


class Taker:
    """Takes packets and counts the ones after the warm-up."""

    def __init__(self, node: Any, decode: bool) -> None:
        from event_camera_msgs.msg import EventPacket as Message

        from neuro_robot.bags.topics import EVENTS
        from neuro_robot.nodes.core import qos
        from neuro_robot.nodes.hot import HotSubscriptions

        self.hot = HotSubscriptions(node)
        self.hot.add(Message, TOPIC, self._on_packet, qos(EVENTS))
        self._decoder = StreamDecoder() if decode else None
        self.received = self.events = 0

    def _on_packet(self, message: Any, _info: dict[str, int]) -> None:
        from neuro_robot.nodes.conversions import packet_from

        self.received += message.seq >= WARM_UP
        if self._decoder is not None:
            self.events += len(self._decoder.decode(packet_from(message)).events)

    def drain(self) -> None:
        """Wait a moment for what is still on its way."""
        end = time.monotonic() + DRAIN_S
        while time.monotonic() < end:
            self.hot.wait(0.05)
            self.hot.take()


def one_process(result: Result, packets: list[EventPacket], events_each: int, decode: bool) -> Result:
    """Publisher and subscriber in one process and one thread, through DDS all the same."""
    with _node("dds_rate") as node:
        taker = Taker(node, decode)
        sender = Sender(node, packets, events_each, result.million_per_s * 1e6)
        sender.run(result.seconds, taker.hot.take)
        taker.drain()
    return _completed(result, taker, sender.told())


def publish(result: Result, packets: list[EventPacket], events_each: int) -> None:
    """The sending process of two; its last line tells what it did."""
    with _node("dds_rate_sender") as node:
        sender = Sender(node, packets, events_each, result.million_per_s * 1e6)
        sender.run(result.seconds, lambda: None)
        sys.stdout.write(json.dumps(sender.told()) + "\n")
        sys.stdout.flush()
        time.sleep(DRAIN_S)  # what is in shared memory stays there until it has been taken


def two_processes(result: Result, decode: bool) -> Result:
    """The publisher in a process of its own."""
    command = [sys.executable, __file__, "--publish", "--rate", str(result.million_per_s), "--seconds",
               str(result.seconds), "--packet-kb", str(result.packet_kb), "--encoding", result.encoding]  # fmt: skip
    with _node("dds_rate_taker") as node:
        taker = Taker(node, decode)
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            while process.poll() is None:
                taker.hot.wait(0.05)
                taker.hot.take()
            said = process.communicate()[0]
        taker.drain()
    if process.returncode:
        raise SystemExit(f"the publisher ended with status {process.returncode}")
    return _completed(result, taker, json.loads(said.splitlines()[-1]))


def _completed(result: Result, taker: Taker, told: dict[str, Any]) -> Result:
    result.sent, result.behind_ms = told["sent"], told["behind_ms"]
    result.received, result.decoded_events = taker.received, taker.events
    return result


@contextlib.contextmanager
def _node(name: str) -> Iterator[Any]:
    """A node in a context of its own."""
    import rclpy
    from rclpy.context import Context
    from rclpy.node import Node

    context = Context()
    rclpy.init(args=[], context=context)
    node = Node(name, context=context, start_parameter_services=False, enable_rosout=False)
    try:
        yield node
    finally:
        node.destroy_node()
        rclpy.shutdown(context=context)


def search(fresh: Any, decode: bool) -> Result | None:
    """The highest rate held between two processes, by halving the ratio of a rate that is and one that is not."""
    low, high, best = LOWEST, HIGHEST, None
    for _ in range(STEPS):
        rate = float(np.sqrt(low * high))
        result = two_processes(fresh("two processes", rate / 1e6), decode)
        sys.stderr.write(result.line() + "\n")
        if result.held:
            low, best = rate, result
        else:
            high = rate
    return best


def arguments(given: list[str] | None) -> argparse.Namespace:
    """What to measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0, help="length of each run")
    parser.add_argument(
        "--rate", type=float, default=50.0, help="millions of events a second in one process: 50 is 50 M events/s"
    )
    parser.add_argument(
        "--encoding", choices=[name for name, codec in CODECS.items() if codec.max_width], default="evt3"
    )
    parser.add_argument("--packet-kb", type=float, default=200.0, help="payload of a packet")
    parser.add_argument("--decode", action="store_true", help="decode every packet that arrives")
    parser.add_argument("--only", choices=["one", "two"], help="one process only, or the search only")
    parser.add_argument(
        "--two-at", type=float, help="no search: this rate between two processes, in millions of events a second"
    )
    parser.add_argument("--profile", help="FastDDS profile, e.g. config/fastdds_events.xml")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--publish", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args(given)


def main(given: list[str] | None = None) -> int:
    """Print the table; exit status 1 when a rate that was asked for was not held."""
    args = arguments(given)
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    os.environ.setdefault("ROS_DOMAIN_ID", str(1 + os.getpid() % 100))
    if args.profile:
        os.environ["FASTDDS_DEFAULT_PROFILES_FILE"] = args.profile  # FASTRTPS_... before Jazzy, never both
    packets = packets_of(args.encoding, args.packet_kb)
    events_each = len(StreamDecoder().decode(packets[0]).events)

    def fresh(where: str, million_per_s: float) -> Result:
        packets_per_s = million_per_s * 1e6 / events_each
        return Result(where, args.encoding, million_per_s, args.seconds, args.packet_kb, packets_per_s)

    if args.publish:
        publish(fresh("sender", args.rate), packets, events_each)
        return 0
    results = []
    if args.only != "two":
        results.append(one_process(fresh("one process", args.rate), packets, events_each, args.decode))
    if args.only != "one":
        if args.two_at:
            results.append(two_processes(fresh("two processes", args.two_at), args.decode))
        elif (best := search(fresh, args.decode)) is not None:
            results.append(best)
    for item in results:
        row = {**asdict(item), "lost": item.lost, "held": item.held, "decoded": args.decode}
        sys.stdout.write((json.dumps(row) if args.json else item.line()) + "\n")
    return 0 if results and all(item.held for item in results) else 1


if __name__ == "__main__":
    sys.exit(main())
