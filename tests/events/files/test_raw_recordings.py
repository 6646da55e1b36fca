"""Recordings of real cameras, and other libraries where they are installed, against our readers and writers."""

import os
from pathlib import Path

import numpy as np
import pytest
from naive_event_codecs import NaiveEvt3

from neuro_robot.errors import FileFormatError
from neuro_robot.events.array import EVENT_DTYPE
from neuro_robot.events.files import open_reader, open_writer, read_all

ROOT = Path(__file__).resolve().parents[3]
RECORDINGS = ROOT.parent / "shared" / "recordings"
MESSAGE = ROOT / "interfaces" / "event_camera_msgs" / "msg" / "EventPacket.msg"


def recording(name):
    path = RECORDINGS / name
    if not path.exists():
        reason = f"needs the real recording {name} in ../shared/recordings beside the project"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    return path


@pytest.mark.recordings
def test_evt2_of_a_gen3_camera():
    path = recording("evt2.raw")
    with pytest.raises(FileFormatError, match="geometry; give it"):
        open_reader(path)
    with open_reader(path, geometry=(640, 480)) as reader:
        events, triggers = reader.read_all()
        stats = reader.stats.as_dict()
    times_us = events["t"] // 1000
    assert (len(events), len(triggers), times_us.sum()) == (521_252, 0, 476_298_094_656_969)
    assert [int(events[name].astype(np.int64).sum()) for name in "xyp"] == [128_979_953, 216_346_680, 185_861]
    assert events[0].tolist() == (913_716_224_000, 35, 443, 1)
    assert events[-1].tolist() == (913_812_095_000, 12, 471, 0)
    assert stats == dict.fromkeys(stats, 0) | {"events": 521_252}


@pytest.mark.recordings
@pytest.mark.parametrize("name", ["evt2", "evt21", "evt21_legacy", "evt3", "evt4", "dat"])
def test_it_survives_every_format(tmp_path, name):
    events, _ = read_all(recording("evt2.raw"), geometry=(640, 480))
    path = tmp_path / ("a.dat" if name == "dat" else "a.raw")
    with open_writer(path, 640, 480, format=name) as writer:
        writer.write(events)
    np.testing.assert_array_equal(read_all(path).events, events)


@pytest.mark.recordings
def test_evt3_words_of_a_camera_as_a_file(tmp_path):
    """The payloads of a bag's packets, one after another, are the body of a RAW file."""
    from rosbags.highlevel import AnyReader
    from rosbags.typesys import Stores, get_types_from_msg, get_typestore

    store = get_typestore(Stores.ROS2_HUMBLE)
    store.register(get_types_from_msg(MESSAGE.read_text(), "event_camera_msgs/msg/EventPacket"))
    with AnyReader([recording("silky_evt3_640x480")], default_typestore=store) as bag:
        body = b"".join(bag.deserialize(raw, way.msgtype).events.tobytes() for way, _, raw in bag.messages())
    path = tmp_path / "a.raw"
    path.write_bytes(b"% evt 3.0\n% geometry 640x480\n" + body)
    events, triggers = read_all(path)
    assert np.bincount(events["p"]).tolist() == [218_291, 125_183]
    assert (events["t"].sum() + triggers["t"].sum()) // 1000 == 2_885_601_049_874
    rows, edges = NaiveEvt3(640, 480).decode(body)
    assert events.tolist() == rows
    assert triggers.tolist() == edges
    with open_writer(tmp_path / "b.raw", 640, 480) as writer:
        writer.write(events, triggers)
    again = read_all(tmp_path / "b.raw")
    np.testing.assert_array_equal(again.events, events)
    np.testing.assert_array_equal(again.triggers, triggers)


def lone_and_in_runs():
    rng = np.random.default_rng(8)
    events = np.zeros(20_000, EVENT_DTYPE)
    events["t"] = np.repeat(np.sort(rng.integers(10, 3_000_000, 2000)), 10) * 1000
    events["x"] = np.where(np.arange(20_000) // 10 % 3, np.arange(20_000) % 10 + 50, rng.integers(0, 304, 20_000))
    events["y"], events["p"] = np.repeat(rng.integers(0, 240, 2000), 10), np.repeat(rng.integers(0, 2, 2000), 10)
    return events


@pytest.mark.parametrize("name", ["evt2", "dat", "dat1"])
def test_faery_reads_and_writes_the_same(tmp_path, name):
    faery = pytest.importorskip("faery")
    events = lone_and_in_runs()
    ours, theirs = (tmp_path / f"{who}.{'raw' if name == 'evt2' else 'dat'}" for who in ("ours", "theirs"))
    with open_writer(ours, 304, 240, format=name) as writer:
        writer.write(events)
    seen = faery.events_stream_from_file(ours).to_array()
    assert seen["t"].tolist() == (events["t"] // 1000).tolist()
    assert all((seen[other] == events[own]).all() for other, own in (("x", "x"), ("y", "y"), ("on", "p")))
    version = {"evt2": "evt2", "dat": "dat2", "dat1": "dat1"}[name]
    faery.events_stream_from_file(ours).to_file(theirs, version=version)
    np.testing.assert_array_equal(read_all(theirs).events, events)


def runs_and_columns_on_rows():
    """Runs with lone events of either polarity in between, which a reader must not take for a part of the run."""
    rng = np.random.default_rng(9)
    rows = []
    for t_us in np.sort(rng.integers(5_000_000, 16_000_000, 2000)):
        x, y, p = (int(rng.integers(0, most)) for most in (300, 240, 2))
        for _ in range(int(rng.integers(1, 60))):
            rows.append((t_us * 1000, x, y, p))
            if rng.random() < 0.1:
                rows.append((t_us * 1000, int(rng.integers(0, 304)), y, int(rng.integers(0, 2))))
            x = min(x + int(rng.integers(1, 4)), 303)
    return np.array(rows, EVENT_DTYPE)


@pytest.mark.parametrize("make", [lone_and_in_runs, runs_and_columns_on_rows])
def test_faery_reads_evt3_the_same(tmp_path, make):
    faery = pytest.importorskip("faery")
    events = make()
    with open_writer(tmp_path / "a.raw", 304, 240) as writer:
        writer.write(events)
    seen = faery.events_stream_from_file(tmp_path / "a.raw").to_array()
    assert seen["t"].tolist() == (events["t"] // 1000).tolist()
    assert all((seen[other] == events[own]).all() for other, own in (("x", "x"), ("y", "y"), ("on", "p")))


@pytest.mark.parametrize("make", [lone_and_in_runs, runs_and_columns_on_rows])
def test_expelliarmus_reads_evt3_addresses_the_same(tmp_path, make):
    expelliarmus = pytest.importorskip("expelliarmus")
    events = make()
    with open_writer(tmp_path / "a.raw", 304, 240) as writer:
        writer.write(events)
    seen = expelliarmus.Wizard(encoding="evt3").read(str(tmp_path / "a.raw"))
    assert all((seen[name] == events[name]).all() for name in "xyp")


@pytest.mark.parametrize("width", [20, 33, 70, 304, 640, 2048])
def test_evt3_groups_stay_inside_the_sensor(tmp_path, width):
    """Readers of the vendor drop a group that crosses the edge, so the writer has to know where that is."""
    events = np.zeros(width * 3, EVENT_DTYPE)
    events["x"], events["y"] = np.tile(np.arange(width), 3), np.repeat(np.arange(3), width)
    path = tmp_path / "a.raw"
    with open_writer(path, width, 3, format="evt3") as writer:
        writer.write(events)
    header, _, body = path.read_bytes().partition(b"% end\n")
    assert b"width=%d" % width in header
    words = np.frombuffer(body, "<u2").astype(int)
    starts = np.flatnonzero(words >> 12 == 3)
    assert bool(len(starts)) == (width >= 32)
    for start in starts:
        vectors = 0
        while words[start + 1 + vectors] >> 12 in (4, 5):
            vectors += 1
        assert vectors % 3 == 0
        assert (words[start] & 0x7FF) + vectors // 3 * 32 <= width
    np.testing.assert_array_equal(read_all(path).events, events)


@pytest.mark.parametrize("name", ["evt2", "evt21_legacy", "evt3", "evt4", "dat"])
def test_evutils_reads_the_same(tmp_path, name):
    io = pytest.importorskip("evutils.io")
    events = lone_and_in_runs()
    path = tmp_path / f"a.{'dat' if name == 'dat' else 'raw'}"
    with open_writer(path, 304, 240, format=name) as writer:
        writer.write(events)
    seen = io.EventReader(path).read_all()
    seen = seen[0] if isinstance(seen, tuple) else seen
    assert (np.asarray(seen["t"]) == events["t"] // 1000).all()
    assert all((np.asarray(seen[field]) == events[field]).all() for field in "xyp")
