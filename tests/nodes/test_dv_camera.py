"""What comes from dv-processing: recordings made by it, broken ones, streams that are not in order, a missing wheel."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from neuro_robot.events.array import validate_events
from neuro_robot.nodes.dv_source import MAX_TIME_US, CameraError, DvSource, load_dv, open_source

RAW = np.dtype([("timestamp", "<i8"), ("x", "<i2"), ("y", "<i2"), ("polarity", "i1"), ("_", "V3")])
T0_US = 1_700_000_000_000_000


class Batch:
    """Looks like dv_processing.EventStore."""

    def __init__(self, rows):
        self.rows = np.array([(*row, b"") for row in rows], RAW)

    def numpy(self):
        return self.rows

    def getLowestTime(self):
        return self.rows["timestamp"][0]

    def __len__(self):
        return len(self.rows)


class Reader:
    """Looks like dv_processing.io.InputBase with these batches of events."""

    def __init__(self, batches, resolution=(64, 48)):
        self.batches, self.resolution = [Batch(rows) for rows in batches], resolution

    def isEventStreamAvailable(self):
        return self.resolution is not None

    def getEventResolution(self):
        return self.resolution

    def getCameraName(self):
        return "STUB"

    def isImuStreamAvailable(self):
        return False

    isTriggerStreamAvailable = isImuStreamAvailable

    def getNextEventBatch(self):
        return self.batches.pop(0) if self.batches else None

    getNextImuBatch = getNextTriggerBatch = getNextEventBatch

    def isRunningAny(self):
        return bool(self.batches)


def rows_of(*times_us):
    return [(t_us, t_us % 64, t_us % 48, t_us % 2) for t_us in times_us]


def test_what_is_outside_or_out_of_order_is_dropped_and_counted():
    bad = [(T0_US, -1, 5, 1), (T0_US, 64, 5, 1), (T0_US, 5, -32768, 0), (T0_US, 5, 48, 0), (T0_US, 63, 47, 1)]
    late = rows_of(T0_US + 5, T0_US + 9, T0_US + 7, T0_US + 9)
    source = DvSource(Reader([bad, [], late, rows_of(T0_US + 8, T0_US + 10)]), live=True)
    batches = list(source.events(0))
    assert [fresh for _, fresh in batches] == [False] * 3
    events = np.concatenate([events for events, _ in batches])
    assert ((events["t"] // 1000) - T0_US).tolist() == [0, 5, 9, 9, 10]
    assert (events[0]["x"], events[0]["y"], events[0]["p"]) == (63, 47, 1)
    stats = source.stats
    assert (stats.dropped_out_of_geometry, stats.dropped_backward_time, stats.events, stats.batches) == (4, 2, 5, 3)
    validate_events(events, 64, 48)


def test_impossible_times_are_dropped():
    source = DvSource(Reader([rows_of(-5, 0, MAX_TIME_US), rows_of(MAX_TIME_US + 1, 2**63 - 1)]), live=True)
    events = np.concatenate([events for events, _ in source.events(0)])
    assert (events["t"] // 1000).tolist() == [0, MAX_TIME_US]
    assert source.stats.dropped_backward_time == 3


def test_time_set_back_begins_anew():
    source = DvSource(Reader([rows_of(T0_US), rows_of(T0_US - 999_999), rows_of(7, 8)]), live=True)
    assert [(len(events), fresh) for events, fresh in source.events(0)] == [(1, False), (0, False), (2, True)]
    assert source.stats.restarts == 1


def test_a_recording_keeps_to_its_time():
    source = DvSource(Reader([rows_of(T0_US), rows_of(T0_US + 10_000), rows_of(T0_US + 20_000)]), live=False)
    start_ns = 5_000_000_000
    counts = [len(list(source.events(start_ns + now_ms * 1_000_000))) for now_ms in (0, 5, 10, 15, 30)]
    assert counts == [1, 0, 1, 0, 1]
    assert not source.running


def test_a_reader_that_fails_is_said():
    reader = Reader([rows_of(T0_US)])
    source = DvSource(reader, live=True)
    reader.batches = 5
    with pytest.raises(CameraError, match=r"cannot read on: .*has no attribute 'pop'"):
        list(source.events(0))


@pytest.mark.parametrize("resolution", [None, (0, 5)])
def test_no_events_is_an_error(resolution):
    with pytest.raises(CameraError, match="expected a stream of events, got none from STUB"):
        DvSource(Reader([], resolution), live=True)


def test_the_missing_wheel_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "dv_processing", None)
    with pytest.raises(CameraError, match="pip install 'dv-processing"):
        load_dv()


def test_what_cannot_be_opened_is_said_in_a_line(tmp_path):
    pytest.importorskip("dv_processing", reason="pip install dv-processing")
    broken = tmp_path / "broken.aedat4"
    broken.write_bytes(b"#!AER-DAT4.0\r\n" + bytes(100))
    for given, says in (
        (("", "", str(tmp_path / "none.aedat4")), "none.aedat4: .*No such file"),
        (("", "", str(broken)), "cannot open the recording"),
        (("", "127.0.0.1:9", ""), "stream at 127.0.0.1:9: .*refused"),
        (("", "localhost", ""), "expected HOST:PORT"),
        (("", "localhost:x", ""), "expected HOST:PORT"),
        (("a", "b:1", ""), "expected one of serial, network and file"),
        (("", "", ""), "no iniVation camera found"),
    ):
        with pytest.raises(CameraError, match=says) as caught:
            open_source(*given, 2000)
        assert "\n" not in str(caught.value)
