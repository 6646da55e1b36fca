"""Event packets: what travels between camera, simulator, controller and bags, and the way into and out of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from neuro_robot.errors import PacketError
from neuro_robot.events.array import MAX_TIME_NS, Events, Triggers, empty_triggers, validate_events, validate_triggers
from neuro_robot.events.codec import Batch, Codec, Content, PacketDecoder, Words
from neuro_robot.events.evt3 import EVT3
from neuro_robot.events.libcaer import LIBCAER
from neuro_robot.events.libcaer_cmp import LIBCAER_CMP
from neuro_robot.events.mono import MONO
from neuro_robot.events.trigger import TRIGGER

CODECS: dict[str, Codec] = {codec.name: codec for codec in (EVT3, MONO, LIBCAER, LIBCAER_CMP, TRIGGER)}
"""Every encoding this package reads and writes, by the name that EventPacket.encoding carries."""


@dataclass(frozen=True, slots=True, eq=False)
class EventPacket:
    """The fields of event_camera_msgs/msg/EventPacket, without ROS."""

    stamp_ns: int  # header.stamp: host arrival time of the first data for camera drivers
    frame_id: str
    height: int  # pixels
    width: int
    seq: int  # counts up by one
    time_base: int  # ns; its meaning depends on the encoding
    encoding: str
    is_bigendian: bool
    events: npt.NDArray[np.uint8]  # (n,) packed bytes


class Decoded(NamedTuple):
    """What one packet held, in stream order; times of a real camera may step back by some microseconds."""

    events: Events
    triggers: Triggers
    t_end_ns: int  # sensor time that the stream has reached; the previous packet's as long as nothing newer is known


@dataclass(slots=True)
class StreamStats:
    """Counters over the life of a stream."""

    packets: int = 0
    events: int = 0
    triggers: int = 0
    bytes: int = 0
    lost_packets: int = 0  # by gaps of the sequence number
    restarts: int = 0  # sequence number stepped back: a new stream
    resyncs: int = 0  # decoding state dropped because something was missing
    dropped_out_of_geometry: int = 0
    dropped_unsynchronised: int = 0  # events and triggers before time, row and base were known (again)
    backward_time: int = 0  # steps back of sensor time
    torn_bytes: int = 0  # at the ends of packets, less than a word
    unknown_words: int = 0
    refused_packets: int = 0


def pack(
    events: Events,
    encoding: str,
    *,
    width: int,
    height: int,
    seq: int,
    stamp_ns: int,
    t_end_ns: int,
    frame_id: str = "event_camera",
    triggers: Triggers | None = None,
) -> EventPacket:
    """Encode sorted (n,) EVENT_DTYPE events, n may be 0, as one packet that covers sensor time up to t_end_ns.

    triggers, sorted (n,) TRIGGER_DTYPE, go into `evt3` (channels 0 to 15) and `trigger`, which takes no events.
    Decoding gives the same events in the same order and the same triggers, times floored to the encoding's resolution
    (mono and trigger 1 ns, the others 1 us). Raises PacketError for an unknown encoding, events that validate_events
    or triggers that validate_triggers refuses or that the encoding cannot carry, a sensor larger than the encoding can
    address, t_end_ns before the last of them, or a longer time than one packet can hold.
    """
    codec = _codec(encoding)
    _check_geometry(codec, width, height)
    content = Content(events, empty_triggers() if triggers is None else triggers, int(t_end_ns), width)
    _check_content(codec, content, height)
    time_base, words = codec.encode(content)
    payload = words.view(np.uint8)
    return EventPacket(stamp_ns, frame_id, height, width, seq, time_base, encoding, False, payload)


def _check_content(codec: Codec, content: Content, height: int) -> None:
    validate_events(content.events, content.width, height)
    validate_triggers(content.triggers, 255 if codec.max_trigger_id is None else codec.max_trigger_id)
    if len(content.events) and not codec.max_width:
        raise PacketError(
            f"{codec.name} carries no events, got {len(content.events)}; use evt3 for events and triggers"
        )
    if len(content.triggers) and codec.max_trigger_id is None:
        got = f"got {len(content.triggers)}"
        raise PacketError(f"{codec.name} carries no triggers, {got}; use evt3, or trigger packets beside")
    parts = [part["t"] for part in (content.events, content.triggers) if len(part)]
    t_last_ns = max([int(times_ns[-1]) for times_ns in parts], default=0)
    if not t_last_ns <= content.t_end_ns <= MAX_TIME_NS:
        bounds = f"from the last event's {t_last_ns} to {MAX_TIME_NS}"
        raise PacketError(f"expected t_end_ns {bounds}, got {content.t_end_ns}")
    span_ns = content.t_end_ns - min([int(times_ns[0]) for times_ns in parts], default=content.t_end_ns)
    if span_ns > codec.max_span_ns:
        longest = f"{codec.max_span_ns} ns of sensor time"
        raise PacketError(f"{codec.name}: a packet holds at most {longest}, got {span_ns}; use shorter packets")


class StreamDecoder:
    """Decodes one stream of packets, in order, whatever state it is in.

    The first packet fixes encoding and geometry (or width and height are given here). Gaps of the sequence number are
    counted, and an encoding with state waits for fresh address and time words; a sequence number that does not go
    up starts a new stream. What was dropped or odd is counted in `stats`.
    """

    def __init__(self, width: int = 0, height: int = 0) -> None:
        self.stats = StreamStats()
        self._geometry = (width, height) if width or height else None
        self._codec: Codec | None = None
        self._decoder: PacketDecoder | None = None
        self._next_seq: int | None = None
        self._torn = False
        self._t_end_ns = 0

    def decode(self, packet: EventPacket) -> Decoded:
        """Events and triggers of the next packet.

        Raises PacketError, leaving the stream as it was, for a packet of another encoding or geometry than the first,
        an unknown encoding, an impossible geometry, a time_base out of range, or a payload that is not bytes.
        """
        try:
            codec = self._accepted(packet)
        except PacketError:
            self.stats.refused_packets += 1
            raise
        if self._decoder is None:
            self._codec, self._geometry = codec, (packet.width, packet.height)
            self._decoder = codec.decoder()
        decoder = self._follow_sequence(packet, codec, self._decoder)
        words, torn_bytes = _whole_words(packet, codec)
        self._torn = torn_bytes > 0
        batch = decoder.decode(words, packet.time_base, packet.width, packet.height)
        self._count(batch, len(packet.events), torn_bytes)
        if batch.t_end_ns is not None:
            self._t_end_ns = batch.t_end_ns
        return Decoded(batch.events, batch.triggers, self._t_end_ns)

    def _accepted(self, packet: EventPacket) -> Codec:
        codec = _codec(packet.encoding)
        if self._codec is not None and codec is not self._codec:
            raise PacketError(f"expected encoding {self._codec.name} as before, got {codec.name}; use one decoder each")
        if self._geometry is not None and (packet.width, packet.height) != self._geometry:
            expected = f"{self._geometry[0]}x{self._geometry[1]}"
            raise PacketError(f"expected a {expected} sensor, got {packet.width}x{packet.height}; use one decoder each")
        _check_geometry(codec, packet.width, packet.height)
        if not 0 <= packet.time_base <= MAX_TIME_NS:
            raise PacketError(f"expected time_base from 0 to {MAX_TIME_NS} ns, got {packet.time_base}; broken packet")
        payload = packet.events
        if not isinstance(payload, np.ndarray) or payload.dtype != np.uint8 or payload.ndim != 1:
            raise PacketError("expected events as a 1-D array of uint8; use np.frombuffer(data, np.uint8)")
        return codec

    def _follow_sequence(self, packet: EventPacket, codec: Codec, decoder: PacketDecoder) -> PacketDecoder:
        """Count losses and restarts; give the decoder in the state that fits this packet."""
        step = packet.seq - self._next_seq if self._next_seq is not None else 0
        self._next_seq = packet.seq + 1
        if step < 0:
            self.stats.restarts += 1
            decoder = codec.decoder()
            self._t_end_ns = 0
        self.stats.lost_packets += max(step, 0)
        missing = step != 0 or self._torn
        if missing and not codec.self_contained(packet.time_base):
            self.stats.resyncs += 1
            decoder.resynchronise()
        self._decoder = decoder
        return decoder

    def _count(self, batch: Batch, payload_bytes: int, torn_bytes: int) -> None:
        stats = self.stats
        stats.packets += 1
        stats.bytes += payload_bytes
        stats.torn_bytes += torn_bytes
        stats.events += len(batch.events)
        stats.triggers += len(batch.triggers)
        stats.dropped_out_of_geometry += batch.counts.dropped_out_of_geometry
        stats.dropped_unsynchronised += batch.counts.dropped_unsynchronised
        stats.backward_time += batch.counts.backward_time
        stats.unknown_words += batch.counts.unknown_words


def _codec(encoding: str) -> Codec:
    codec = CODECS.get(encoding)
    if codec is None:
        raise PacketError(f"expected an encoding of {', '.join(CODECS)}, got {encoding!r}; set the camera's driver so")
    return codec


def _check_geometry(codec: Codec, width: int, height: int) -> None:
    if codec.max_width and not (0 < width <= codec.max_width and 0 < height <= codec.max_height):
        largest = f"{codec.max_width}x{codec.max_height}"
        raise PacketError(f"{codec.name}: expected a sensor of 1x1 to {largest} pixels, got {width}x{height}")


def _whole_words(packet: EventPacket, codec: Codec) -> tuple[Words, int]:
    """The payload as words of the codec in native order, aligned and owned, and the number of bytes left over."""
    size = codec.word.itemsize
    n = len(packet.events) // size
    words = np.empty(n, codec.word)
    words.view(np.uint8)[:] = packet.events[: n * size]
    if packet.is_bigendian and not codec.little_endian_always:
        words.byteswap(inplace=True)
    return words, len(packet.events) - n * size
