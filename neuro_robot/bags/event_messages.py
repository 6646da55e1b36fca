"""The messages that hold events, read from the bytes of ROS 1 and ROS 2 bags without making an object of each event.

EventPacket (event_camera_msgs, formerly event_array_msgs/EventArray): header, u32 height, u32 width, u64 seq,
u64 time_base, string encoding, bool is_bigendian, u8[] events. EventArray of dvs_msgs and prophesee_event_msgs:
header, u32 height, u32 width, {u16 x, u16 y, time ts, bool polarity}[] events, (0, 0) at the top left.
ROS 1 packs fields without gaps, little endian, and a header begins with a u32 seq. ROS 2 (CDR) has 4 bytes in front
that say the byte order, and aligns each number to its size from there on.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from neuro_robot.errors import PacketError
from neuro_robot.events.array import EVENT_DTYPE, MAX_TIME_NS, TRIGGER_DTYPE, Events, Triggers
from neuro_robot.events.packet import EventPacket

NS = 1_000_000_000
PACKETS = ("event_camera_msgs/msg/EventPacket", "event_array_msgs/msg/EventArray")
ARRAYS = ("dvs_msgs/msg/EventArray", "prophesee_event_msgs/msg/EventArray")
_TRIGGER_SPAN_NS = (1 << 32) - 1


class EventArray(NamedTuple):
    """A message of single events."""

    height: int
    width: int
    events: Events
    impossible: int  # events left out because their time is


class _Cursor:
    """A place in a message; every read is checked."""

    def __init__(self, data: bytes, *, cdr: bool) -> None:
        self.data = data
        self.cdr = cdr
        self.start = 4 if cdr else 0
        self.at = self.start
        if cdr and (len(data) < 4 or data[0] != 0 or data[1] not in (0, 1)):
            raise PacketError(f"expected a CDR message, got {data[:4]!r}")
        self.order = ">" if cdr and data[1] == 0 else "<"

    def number(self, letter: str) -> int:
        """The next number, by its struct letter."""
        size = struct.calcsize(letter)
        if self.cdr:
            self.at += (self.start - self.at) % size
        at = self.skip(size)
        return int(struct.unpack_from(self.order + letter, self.data, at)[0])

    def skip(self, n: int) -> int:
        """Where the next n bytes begin."""
        if n > len(self.data) - self.at:
            raise PacketError(f"byte {self.at}: {n} bytes expected, the message has {len(self.data)}; it is cut off")
        at = self.at
        self.at += n
        return at

    def string(self) -> str:
        """The next string; CDR counts its final NUL."""
        n = self.number("I")
        at = self.skip(n)
        return self.data[at : at + n].rstrip(b"\0").decode("utf-8", "replace")

    def header(self) -> tuple[int, str]:
        """(time in ns, frame id) of a std_msgs/Header."""
        if not self.cdr:
            self.number("I")
        seconds, nanoseconds = self.number("i" if self.cdr else "I"), self.number("I")
        return seconds * NS + nanoseconds, self.string()

    def column(self, letter: str, at: int, n: int, stride: int) -> npt.NDArray[np.int64]:
        """Numbers from `at` on, `stride` bytes apart; the caller has skipped over them."""
        dtype = np.dtype(self.order + letter)
        return np.ndarray((n,), dtype, self.data, at, (stride,)).astype(np.int64)


def read_packet(data: bytes, *, cdr: bool) -> EventPacket:
    """An EventPacket; the payload is shared. Raises PacketError for bytes that are none."""
    cursor = _Cursor(data, cdr=cdr)
    stamp_ns, frame_id = cursor.header()
    height, width = cursor.number("I"), cursor.number("I")
    seq, time_base = cursor.number("Q"), cursor.number("Q")
    encoding = cursor.string()
    is_bigendian = bool(cursor.number("B"))
    n = cursor.number("I")
    payload = np.frombuffer(data, np.uint8, n, cursor.skip(n))
    return EventPacket(stamp_ns, frame_id, height, width, seq, time_base, encoding, is_bigendian, payload)


def read_array(data: bytes, *, cdr: bool) -> EventArray:
    """An EventArray of dvs_msgs or prophesee_event_msgs. Raises PacketError for bytes that are none."""
    cursor = _Cursor(data, cdr=cdr)
    cursor.header()
    height, width = cursor.number("I"), cursor.number("I")
    n = cursor.number("I")
    stride = 16 if cdr else 13
    at = cursor.skip(stride * (n - 1) + 13 if n else 0)
    # In CDR, x and y of all but the first event use the gap behind the event before: x lies 2 bytes before y's place.
    early = 2 if cdr else 0
    x, y = (_addresses(cursor, at + 2 * i, n, stride, early) for i in range(2))
    seconds = cursor.column("i4" if cdr else "u4", at + 4, n, stride) if n else x
    nanoseconds = cursor.column("u4", at + 8, n, stride) if n else x
    on = cursor.column("u1", at + 12, n, stride) if n else x
    t_ns = seconds * NS + nanoseconds
    events = np.empty(n, EVENT_DTYPE)
    events["t"], events["x"], events["y"], events["p"] = t_ns, x, y, on != 0
    possible = (t_ns >= 0) & (t_ns <= MAX_TIME_NS)
    kept = events if possible.all() else events[possible]
    return EventArray(height, width, kept, n - len(kept))


def _addresses(cursor: _Cursor, at: int, n: int, stride: int, early: int) -> npt.NDArray[np.int64]:
    """All x or y: the first one is at `at`, all others `early` bytes before their place in the stride."""
    values = np.empty(n, np.int64)
    if n:
        values[:1] = cursor.column("u2", at, 1, stride)
        values[1:] = cursor.column("u2", at + stride - early, n - 1, stride) if n > 1 else 0
    return values


def trigger_packets(triggers: Triggers) -> list[tuple[int, npt.NDArray[np.uint8]]]:
    """Triggers as payloads of the encoding `trigger`: (time_base, 8 bytes for each) without a longer span than 4.29 s.

    Bits 0-31 ns after time_base, bits 48-62 channel, bit 63 edge. Source: event_camera_codecs, trigger_decoder.h.
    """
    packets = []
    start = 0
    times = triggers["t"].tolist()
    for end in range(1, len(times) + 1):
        if end == len(times) or not times[start] <= times[end] <= times[start] + _TRIGGER_SPAN_NS:
            part = triggers[start:end]
            dt = (part["t"] - times[start]).astype(np.uint64)
            words = part["value"].astype(np.uint64) << 63 | part["id"].astype(np.uint64) << 48 | dt
            packets.append((times[start], words.view(np.uint8)))
            start = end
    return packets


def read_triggers(packet: EventPacket) -> Triggers:
    """Triggers of a packet of the encoding `trigger`."""
    n = len(packet.events) // 8
    words = packet.events[: 8 * n].copy().view(">u8" if packet.is_bigendian else "<u8")
    if not 0 <= packet.time_base <= MAX_TIME_NS:
        raise PacketError(f"expected time_base from 0 to {MAX_TIME_NS} ns, got {packet.time_base}; broken packet")
    triggers = np.empty(n, TRIGGER_DTYPE)
    triggers["t"] = packet.time_base + (words & 0xFFFFFFFF).astype(np.int64)
    triggers["id"] = words >> np.uint64(48) & np.uint64(0xFF)
    triggers["value"] = words >> np.uint64(63)
    return triggers
