"""What `info` says, against sums done another way."""

from __future__ import annotations

import json
from io import StringIO

import numpy as np
import pytest
from rich.console import Console
from streams_made import H, W, made_events, made_triggers, write

from neuro_robot.errors import ConfigError, FileFormatError, PacketError
from neuro_robot.events import EVENT_DTYPE, empty_triggers
from neuro_robot.events.files import FORMATS, Chunk
from neuro_robot.recordings.console import formats_table, info_view, sparkline
from neuro_robot.recordings.info import info
from neuro_robot.recordings.source import Recording, Selection, parse_geometry, recording
from neuro_robot.recordings.survey import BINS, Survey


def surveyed(events, cuts=(), **options):
    survey = Survey(W, H, **options)
    for part in np.split(events, list(cuts)):
        survey.add(Chunk(part, empty_triggers()))
    return survey


@pytest.mark.parametrize("seconds", [0.001, 0.04, 2.0, 5000.0])
def test_rate_curve_is_a_histogram_however_long_the_recording(seconds):
    events = made_events(seconds=seconds)
    survey = surveyed(events, [1, 17, 4000])
    curve = survey.rate
    since = events["t"] - events["t"][0]
    width_ns = round(curve.bin_s * 1e9)
    np.testing.assert_array_equal(curve.counts, np.bincount(since // width_ns, minlength=len(curve.counts)))
    assert len(curve.counts) <= BINS
    assert survey.duration_s == pytest.approx((events["t"][-1] - events["t"][0]) * 1e-9)
    coarse = curve.rebinned(48)
    assert len(coarse.counts) <= 48
    assert coarse.counts.sum() == len(events) == survey.events
    assert curve.of_width(0.1).bin_s >= 0.1 - 1e-9


def test_gaps_and_steps_back():
    t = np.array([0, 10, 500, 505, 400, 506, 2506], np.int64) * 1_000_000
    events = np.zeros(len(t), EVENT_DTYPE)
    events["t"] = t
    faults = surveyed(events, [3], gap_s=0.1).time_faults()
    assert faults["gaps"]["count"] == 2
    assert [gap["length_s"] for gap in faults["gaps"]["longest"]] == pytest.approx([2.0, 0.49])
    assert [gap["at_s"] for gap in faults["gaps"]["longest"]] == pytest.approx([0.506, 0.01])
    assert faults["steps_back"] == {"count": 1, "largest_s": pytest.approx(0.105)}


def test_cutting_changes_nothing_and_hostile_times_are_survived():
    events = made_events()
    events["t"][::50] -= 40_000
    whole, pieces = surveyed(events), surveyed(events, range(0, 5000, 7))
    np.testing.assert_array_equal(whole.rate.counts, pieces.rate.counts)
    assert whole.time_faults() == pieces.time_faults()
    far = np.array([(0, 0, 0, 1), (2**62, 1, 1, 0), (3, 1, 1, 0)], EVENT_DTYPE)
    assert surveyed(far).rate.counts.sum() == 3
    with pytest.raises(PacketError, match="outside the 40x30 picture"):
        surveyed(np.array([(0, W, 0, 1)], EVENT_DTYPE))


def test_info_of_a_file(tmp_path):
    events, triggers = made_events(), made_triggers()
    events["x"][::20], events["y"][::20] = 3, 3  # a hot pixel
    path = write(tmp_path / "some.npz", events, triggers)
    result = info(Recording(path))
    assert (result["width"], result["height"], result["events"]) == (W, H, 5000)
    assert result["on_events"] + result["off_events"] == 5000
    assert result["on_events"] == int(events["p"].sum())
    assert result["triggers"] == {"6": {"falling": 2, "rising": 2}}
    assert result["first_time_ns"] == int(events["t"][0])
    assert result["hot_pixels"]["busiest"][0] == {"x": 3, "y": 3, "events": 250}
    assert any("hot" in note for note in result["notes"])
    since = events["t"] - events["t"][0]
    width_ns = round(result["peak_over_s"] * 1e9)
    assert result["peak_rate_hz"] == pytest.approx(np.bincount(since // width_ns).max() / (width_ns * 1e-9))
    json.dumps(result, allow_nan=False)
    assert info_view(result)


def test_info_of_nothing(tmp_path):
    path = write(tmp_path / "empty.npz", made_events(0))
    result = info(Recording(path))
    assert result["events"] == result["mean_rate_hz"] == 0
    assert "no events" in result["notes"][0]
    json.dumps(result, allow_nan=False)
    assert info_view(result)


def test_selection_by_time_and_filters(tmp_path):
    events, triggers = made_events(), made_triggers()
    path = write(tmp_path / "some.npz", events, triggers)
    since = events["t"] - events["t"][0]
    with Recording(path).open() as reader:
        chunks = list(Selection(0.5, 1.5, ("on",)).chunks(reader))
    kept = np.concatenate([chunk.events for chunk in chunks])
    np.testing.assert_array_equal(kept, events[(since >= 500_000_000) & (since < 1_500_000_000) & (events["p"] == 1)])
    assert sum(len(chunk.triggers) for chunk in chunks) == 0
    for bad in ((1.0, 0.5), (-1.0, 2.0), (float("nan"), None), (0.0, float("inf"))):
        with pytest.raises(ConfigError, match="from"):
            Selection(*bad)


def test_what_cannot_be_opened(tmp_path):
    with pytest.raises(FileFormatError, match="no such file"):
        recording(tmp_path / "absent.raw")
    assert parse_geometry("640x480") == (640, 480)
    assert parse_geometry(None) is None
    for text in ("640", "x", "640x", "a x b", "999999x1"):
        with pytest.raises(ConfigError, match="WIDTHxHEIGHT"):
            parse_geometry(text)


def test_sparkline():
    assert sparkline([0.0, 1.0, 7.0, 0.001]) == " ▁█▁"
    assert sparkline([]) == ""
    assert sparkline([0.0]) == " "
    console = Console(width=80, file=StringIO())
    console.print(formats_table())
    lines = [line for line in console.file.getvalue().splitlines() if line.strip()]
    assert len(lines) == len(FORMATS) + 3, "one line for each format, the headings with their rule, and the legend"
    assert any(line.split()[:4] == ["evt21_legacy", ".raw", "rwt", "1"] for line in lines)
