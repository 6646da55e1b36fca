"""What an event is: the one array type that every layer passes around.

An event is a change of brightness at a pixel; a spike is an event too (x = neuron, y = layer, p = 1).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from neuro_robot.errors import PacketError

EVENT_DTYPE = np.dtype([("t", "<i8"), ("x", "<u2"), ("y", "<u2"), ("p", "u1")])
"""t: ns of sensor time; x: column, rightwards; y: row, downwards; p: 1 = ON (brighter), 0 = OFF. Packed, 13 bytes."""

TRIGGER_DTYPE = np.dtype([("t", "<i8"), ("id", "u1"), ("value", "u1")])
"""An edge on a trigger input: t in ns of sensor time, channel id, value 1 = rising."""

MAX_TIME_NS = 2**62  # 146 years; leaves room to add spans to any accepted time without overflow

Events = npt.NDArray[np.void]
Triggers = npt.NDArray[np.void]

_UNSORTED, _OUT_OF_TIME, _OUTSIDE, _POLARITY = 1, 2, 3, 4


def empty_events(n: int = 0) -> Events:
    """Make n events, all zero."""
    return np.zeros(n, EVENT_DTYPE)


def empty_triggers(n: int = 0) -> Triggers:
    """Make n triggers, all zero."""
    return np.zeros(n, TRIGGER_DTYPE)


def validate_events(events: Events, width: int, height: int) -> None:
    """Check that events are a sorted (n,) EVENT_DTYPE array inside a sensor of width x height pixels.

    Raises PacketError naming the first event that is not: t below 0, above MAX_TIME_NS or before its predecessor,
    a pixel outside the sensor, p other than 0 and 1.
    """
    require_event_array(events)
    index, fault = _first_fault(as_kernel_input(events), width, height, MAX_TIME_NS)
    if not fault:
        return
    bad = events[index]
    pixel = f"({bad['x']}, {bad['y']})"
    reasons = {
        _UNSORTED: f"t {bad['t']} ns is before its predecessor's; sort by t, keeping the order of equal times",
        _OUT_OF_TIME: f"expected t from 0 to {MAX_TIME_NS} ns, got {bad['t']}; use ns of sensor time",
        _OUTSIDE: f"pixel {pixel} is outside the {width}x{height} sensor; check the geometry",
        _POLARITY: f"expected p 0 (OFF) or 1 (ON), got {bad['p']}",
    }
    raise PacketError(f"event {index}: {reasons[fault]}")


def validate_triggers(triggers: Triggers, max_id: int) -> None:
    """Check that triggers are a sorted (n,) TRIGGER_DTYPE array with channels up to max_id.

    Raises PacketError naming the first trigger that is not: t below 0, above MAX_TIME_NS or before its predecessor, a
    channel above max_id, a value other than 0 and 1.
    """
    if not isinstance(triggers, np.ndarray) or triggers.ndim != 1 or triggers.dtype != TRIGGER_DTYPE:
        got = f"{triggers.dtype} {triggers.shape}" if isinstance(triggers, np.ndarray) else type(triggers).__name__
        raise PacketError(f"expected a 1-D array of TRIGGER_DTYPE, got {got}; build it with empty_triggers(n)")
    times_ns = triggers["t"]
    late = np.append(False, times_ns[1:] < times_ns[:-1])
    bad = late | (times_ns < 0) | (times_ns > MAX_TIME_NS) | (triggers["id"] > max_id) | (triggers["value"] > 1)
    if bad.any():
        i = int(np.argmax(bad))
        expected = f"sorted t from 0 to {MAX_TIME_NS} ns, id from 0 to {max_id}, value 0 or 1"
        raise PacketError(f"trigger {i}: expected {expected}, got {triggers[i].tolist()} (t, id, value)")


def require_event_array(events: Events) -> None:
    """Raise PacketError unless events is a one-dimensional numpy array of EVENT_DTYPE."""
    if not isinstance(events, np.ndarray) or events.ndim != 1 or events.dtype != EVENT_DTYPE:
        got = f"{events.dtype} {events.shape}" if isinstance(events, np.ndarray) else type(events).__name__
        raise PacketError(f"expected a 1-D array of EVENT_DTYPE, got {got}; build it with empty_events(n)")


def as_kernel_input(events: Events) -> Events:
    """The same events contiguous and writeable, so that each kernel is compiled for one array type only."""
    return np.require(events, requirements=["C", "W"])


@njit(cache=True)
def _first_fault(events: Events, width: int, height: int, max_time_ns: int) -> tuple[int, int]:
    """(index, kind) of the first unusable event, (-1, 0) when all are usable."""
    previous = np.int64(0)
    for i in range(len(events)):
        event = events[i]
        if event.t < 0 or event.t > max_time_ns:
            return i, _OUT_OF_TIME
        if event.t < previous:
            return i, _UNSORTED
        if event.x >= width or event.y >= height:
            return i, _OUTSIDE
        if event.p > 1:
            return i, _POLARITY
        previous = event.t
    return -1, 0
