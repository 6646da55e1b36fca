"""npz: numpy.load is the peer, exact to the nanosecond, foreign arrays, damage."""

import io
import zipfile

import numpy as np
import pytest
from hostile_files import attack, random_events, random_triggers

from neuro_robot.errors import FileFormatError
from neuro_robot.events.files import open_reader, open_writer, read_all


@pytest.fixture
def events():
    events = random_events(30_000, 640, 480, start_us=10**15, steps_back=True)
    events["t"] += np.arange(len(events)) % 1000
    return events


def test_round_trip_and_numpy_reads_it(tmp_path, events):
    path = tmp_path / "a.npz"
    triggers = random_triggers(500, 10**15, int(events["t"].max()) // 1000 + 10**6, [0, 6, 255])
    with open_writer(path, 640, 480) as writer:
        for start in range(0, len(events), 7_000):
            writer.write(events[start : start + 7_000])
        writer.write(events[:0], triggers)
    theirs = np.load(path)
    for name in "txyp":
        assert theirs[name].dtype == events.dtype[name]
        assert np.array_equal(theirs[name], events[name])
    assert np.array_equal(theirs["trigger_id"], triggers["id"])
    assert (theirs["width"], theirs["height"], theirs["time_unit"]) == (640, 480, "ns")
    with open_reader(path) as reader:
        assert (reader.format, reader.width, reader.height) == ("npz", 640, 480)
        chunks = list(reader.chunks(4_000))
        assert reader.position() == 1.0
    assert np.array_equal(np.concatenate([chunk.events for chunk in chunks]), events)
    assert np.array_equal(np.concatenate([chunk.triggers for chunk in chunks]), triggers)
    among = [chunk for chunk in chunks if len(chunk.events) and len(chunk.triggers)]
    assert len(among) > 3
    assert all(chunk.triggers["t"].max() <= chunk.events["t"].max() for chunk in among)
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_arrays_of_others(tmp_path, events, save):
    path = tmp_path / "a.npz"
    us = events["t"] // 1000
    save(path, timestamps=us, x=events["x"].astype("i8"), y=events["y"].astype("f4"), polarity=events["p"] * 2.0 - 1)
    with pytest.raises(FileFormatError, match="give the geometry"):
        open_reader(path)
    expected = events.copy()
    expected["t"] = us * 1000
    assert np.array_equal(read_all(path, geometry=(640, 480)).events, expected)

    seconds = np.arange(len(events)) / 1024
    save(path, t=seconds, x=events["x"], y=events["y"], p=events["p"] == 1)
    assert np.array_equal(read_all(path, geometry=(640, 480)).events["t"], np.rint(seconds * 1e9).astype("i8"))

    records = np.zeros(len(events), [("x", "<i2"), ("y", "<i2"), ("p", "i1"), ("t", "<i8")])
    for name in "xyp":
        records[name] = events[name]
    records["t"] = us
    save(path, events=records, width=640, height=480)
    assert np.array_equal(read_all(path).events, expected)


def test_impossible_values_are_dropped_and_counted(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, t=[1.0, np.nan, -1.0, 1e30, 2.0], x=[1, 2, 3, 4, -5.0], y=[1, 2, 3, 4, 5], p=[1, 1, 1, 1, 1])
    with open_reader(path, geometry=(10, 10)) as reader:
        assert reader.read_all().events.tolist() == [(10**9, 1, 1, 1)]
    assert (reader.stats.unknown_words, reader.stats.dropped_out_of_geometry) == (3, 1)


def test_defects_are_named(tmp_path):
    path = tmp_path / "a.npz"
    for arrays, text in [
        ({"t": [1], "x": [1, 2], "y": [1], "p": [1]}, "one length"),
        ({"a": [1]}, "expected arrays t, x, y, p"),
        ({"t": [1], "x": [1], "y": [1], "p": np.array([{}])}, "one dimension"),
        ({"t": [[1]], "x": [1], "y": [1], "p": [1]}, "one dimension"),
        ({"t": [1], "x": [1], "y": [1], "p": [1], "time_unit": "years"}, "years"),
        ({"t": ["a"], "x": [1], "y": [1], "p": [1]}, "numbers"),
    ]:
        np.savez(path, allow_pickle=True, **arrays)
        with pytest.raises(FileFormatError, match=text):
            read_all(path, geometry=(5, 5))
    path.write_bytes(b"PK\x03\x04" + bytes(100))
    with pytest.raises(FileFormatError, match="no npz archive"):
        open_reader(path)


def test_a_forged_length_allocates_nothing(tmp_path):
    import zipfile

    def column(n):
        stream = io.BytesIO()
        np.lib.format.write_array_header_1_0(stream, {"descr": "<i8", "fortran_order": False, "shape": (n,)})
        return stream.getvalue() + bytes(80)

    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        for name in "txyp":
            archive.writestr(f"{name}.npy", column(10**15))
    with pytest.raises(FileFormatError, match=r"byte 0: array t.npy: .* are missing"):
        read_all(tmp_path / "a.npz", geometry=(5, 5))


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_damaged_files(tmp_path, events, save):
    save(tmp_path / "good.npz", width=640, height=480, **{name: events[name][:50] for name in "txyp"})
    data = (tmp_path / "good.npz").read_bytes()
    assert attack(open_reader, data, tmp_path / "bad.npz", rounds=300) > 100


def test_messages_stay_short_and_name_a_place(tmp_path):
    """zipfile quotes whole names, and a damaged archive can hold any."""
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("y" * 12_000 + ".npy", b"")
    content = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "b.npz").write_bytes(content.replace(b"y" * 12_000, b"t" + b"\n" * 11_999, 1))
    for name in ("a.npz", "b.npz"):
        with pytest.raises(FileFormatError, match=r"npz: byte \d+: ") as caught:
            read_all(tmp_path / name, geometry=(9, 9))
        assert len(str(caught.value)) < 400 + len(str(tmp_path))
        assert "\n" not in str(caught.value)
