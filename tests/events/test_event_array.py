import numpy as np
import pytest

from neuro_robot.errors import PacketError
from neuro_robot.events import EVENT_DTYPE, empty_events, empty_triggers, validate_events


def some_events():
    return np.array([(5, 0, 0, 0), (5, 9, 4, 1), (7, 3, 2, 1)], EVENT_DTYPE)


def test_event_type_is_packed_and_little_endian():
    assert EVENT_DTYPE.itemsize == 13
    assert some_events()[1:2].tobytes() == bytes([5, 0, 0, 0, 0, 0, 0, 0, 9, 0, 4, 0, 1])


def test_empty_arrays():
    assert len(empty_events()) == len(empty_triggers()) == 0
    assert len(empty_events(3)) == 3
    validate_events(empty_events(), 10, 5)


def test_valid_events_pass_also_as_readonly_or_strided_views():
    events = some_events()
    validate_events(events, 10, 5)
    validate_events(events[::2], 10, 5)
    events.flags.writeable = False
    validate_events(events, 10, 5)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ((4, 3, 2, 1), "event 2: t 4 ns is before"),
        ((-1, 3, 2, 1), "event 2: expected t from 0"),
        ((2**62 + 1, 3, 2, 1), "event 2: expected t from 0"),
        ((7, 10, 2, 1), r"event 2: pixel \(10, 2\) is outside the 10x5 sensor"),
        ((7, 3, 5, 1), r"event 2: pixel \(3, 5\) is outside"),
        ((7, 3, 2, 2), "event 2: expected p 0"),
    ],
)
def test_first_bad_event_is_named(row, message):
    events = some_events()
    events[2] = row
    with pytest.raises(PacketError, match=message):
        validate_events(events, 10, 5)


@pytest.mark.parametrize(
    "thing", [None, [1, 2], np.zeros(3), np.zeros((2, 2), EVENT_DTYPE), np.zeros(2, [("t", "<i8"), ("x", "<u2")])]
)
def test_other_arrays_are_refused(thing):
    with pytest.raises(PacketError, match="1-D array of EVENT_DTYPE"):
        validate_events(thing, 10, 5)
