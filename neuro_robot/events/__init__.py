"""Events: the array type, the encodings that cameras speak, packets, clocks, and pictures of events."""

from neuro_robot.events.array import EVENT_DTYPE, TRIGGER_DTYPE, empty_events, empty_triggers, validate_events
from neuro_robot.events.clock import ClockEstimate, SensorClock
from neuro_robot.events.frames import event_image
from neuro_robot.events.packet import CODECS, Decoded, EventPacket, StreamDecoder, StreamStats, pack

__all__ = [
    "CODECS",
    "EVENT_DTYPE",
    "TRIGGER_DTYPE",
    "ClockEstimate",
    "Decoded",
    "EventPacket",
    "SensorClock",
    "StreamDecoder",
    "StreamStats",
    "empty_events",
    "empty_triggers",
    "event_image",
    "pack",
    "validate_events",
]
