"""HDF5: each layout against h5py with the layout's specification, ECF against a slow codec, damage."""

import h5py
import hdf5plugin
import naive_ecf
import numpy as np
import pytest
from hostile_files import attack, random_events, random_triggers

from neuro_robot.errors import FileFormatError
from neuro_robot.events.array import empty_events
from neuro_robot.events.files import ecf, open_reader, open_writer, read_all

NAMES, TYPES, OFFSETS = ["x", "y", "p", "t"], ["<u2", "<u2", "<i2", "<i8"], [0, 2, 4, 8]
RECORD = np.dtype({"names": NAMES, "formats": TYPES, "offsets": OFFSETS, "itemsize": 16})


def rows_of(events):
    return [(t // 1000, x, y, p) for t, x, y, p in events.tolist()]


def in_runs(n, seed=0):
    """Sorted events with long runs of time, row, column and polarity."""
    rng = np.random.default_rng(seed)
    events = empty_events(n)
    lengths = rng.choice([1, 2, 14, 15, 16, 30, 31, 126, 127, 300], n)
    events["y"] = np.repeat(rng.integers(0, 720, n), lengths)[:n]
    events["p"] = np.repeat(rng.integers(0, 2, n), rng.permutation(lengths))[:n]
    steps = np.repeat(rng.choice([0, 1, 14, 15, 16, 255, 256, 10**6, 10**12], n), rng.permutation(lengths))[:n]
    steps[np.arange(n) % 40 != 0] = 0
    events["t"] = np.cumsum(steps) * 1000
    events["x"] = (np.cumsum(rng.choice([1, 1, 1, 2, 5, 6, 900], n)) - 1) % 1280
    return events


@pytest.mark.parametrize("way", ["triples", "pairs", "masks"])
@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 1_001])
def test_ecf_blocks_made_by_hand(way, n):
    for events in (in_runs(n), random_events(n, 1280, 720, start_us=10**15)):
        assert np.array_equal(ecf.decode(naive_ecf.block(rows_of(events), way)), events)


@pytest.mark.parametrize("n", [1, 3, 4, 1_001])
def test_ecf_blocks_of_ours_are_those_of_the_description(n):
    for events in (in_runs(n), random_events(n, 1280, 720)):
        assert ecf.encode(events) == naive_ecf.block(rows_of(events), "triples")


def test_ecf_takes_any_bytes():
    rng = np.random.default_rng(0)
    good = [naive_ecf.block(rows_of(in_runs(60)), way) for way in ("triples", "pairs", "masks")]
    refused = 0
    for i in range(3_000):
        data = bytearray(good[i % 3])
        for _ in range(rng.integers(1, 4)):
            data[rng.integers(0, len(data))] = rng.integers(0, 256)
        del data[len(data) - int(rng.integers(0, 30)) :]
        try:
            assert len(ecf.decode(bytes(data))) <= 65_535
        except ValueError:
            refused += 1
    assert refused > 100


def test_metavision_round_trip(tmp_path):
    path = tmp_path / "a.hdf5"
    events = random_events(60_000, 1280, 720, start_us=5_000_000)
    swapped = events[40_000:40_002].copy()
    events[40_000:40_002] = swapped[::-1]  # time steps back in the third block
    events["t"][40_001] = events["t"][40_000] - 7_000
    triggers = random_triggers(300, 5_000_000, int(events["t"].max()) // 1000 + 10**6, [0, 1, 6])
    with open_writer(path, 1280, 720) as writer:
        writer.write(events[:10], triggers[:5])
        for start in range(10, len(events), 9_999):
            writer.write(events[start : start + 9_999])
        writer.write(events[:0], triggers[5:])
    with open_reader(path) as reader:
        assert (reader.format, reader.width, reader.height) == ("hdf5", 1280, 720)
        chunks = list(reader.chunks(5_000))
        assert reader.position() == 1.0
        assert reader.stats.backward_time == np.count_nonzero(np.diff(events["t"]) < 0)
    assert max(len(chunk.events) for chunk in chunks) == 5_000
    assert np.array_equal(np.concatenate([chunk.events for chunk in chunks]), events)
    assert np.array_equal(np.concatenate([chunk.triggers for chunk in chunks]), triggers)
    assert sum(len(chunk.triggers) > 0 for chunk in chunks) > 5


def test_metavision_files_are_as_the_vendor_writes_them(tmp_path):
    """Blocks, types, attributes and the index, checked with h5py and the description only."""
    path = tmp_path / "a.hdf5"
    events = random_events(20_000, 1280, 720, start_us=5_000_000)
    events["t"][15_000:] += 50_000_000  # 50 ms without events
    with open_writer(path, 1280, 720) as writer:
        writer.write(events)
    with h5py.File(path) as file:
        data, index = file["CD/events"], file["CD/indexes"]
        assert (data.dtype, data.chunks, data.shape) == (RECORD, (16_384,), (20_000,))
        assert data.id.get_create_plist().get_filter(0)[0] == 0x8ECF
        for first in (0, 16_384):
            part = events[first : first + 16_384]
            assert data.id.read_direct_chunk((first,)) == (0, naive_ecf.block(rows_of(part), "triples"))
        assert (file.attrs["version"], file.attrs["geometry"], file.attrs["format"]) == ("1.0", "1280x720", "ECF")
        assert index.attrs["offset"] == str(-(events["t"][0] // 1000))
        offset = int(index.attrs["offset"])
        t = events["t"] // 1000 + offset
        expected = [(0, -1)]
        for k in range(int(t[-1]) // 2000 + 1):
            ids = np.flatnonzero(t // 2000 <= k)
            first = int(np.flatnonzero(t // 2000 == t[ids[-1]] // 2000)[0])
            expected.append((first, int(t[first])))
        assert index[:].tolist() == expected
        assert file["EXT_TRIGGER/events"].shape == (0,)


@pytest.mark.parametrize("options", [{}, {"compression": "gzip"}, dict(hdf5plugin.Blosc())])
def test_metavision_records_with_other_filters(tmp_path, options):
    events = random_events(5_000, 640, 480)
    records = np.zeros(len(events), RECORD)
    for name in "xyp":
        records[name] = events[name]
    records["t"] = events["t"] // 1000
    records["t"][77] = -5
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("CD/events", data=records, **options)
    with pytest.raises(FileFormatError, match="give the geometry"):
        open_reader(tmp_path / "a.h5")
    with open_reader(tmp_path / "a.h5", geometry=(640, 480)) as reader:
        assert np.array_equal(reader.read_all().events, np.delete(events, 77))
    assert reader.stats.unknown_words == 1


def test_dsec_as_published(tmp_path):
    events = random_events(20_000, 640, 480, start_us=51_648_500_652)
    t = (events["t"] // 1000 - 51_648_500_000).astype(np.uint32)
    with h5py.File(tmp_path / "events.h5", "w") as file:
        for name, data in {"x": events["x"], "y": events["y"], "p": events["p"], "t": t}.items():
            file.create_dataset(f"events/{name}", data=data, chunks=(4_096,), **hdf5plugin.Blosc())
        file.create_dataset("ms_to_idx", data=np.searchsorted(t, np.arange(0, t[-1], 1000)).astype(np.uint64))
        file.create_dataset("t_offset", data=51_648_500_000)
    with open_reader(tmp_path / "events.h5") as reader:
        assert (reader.format, reader.width, reader.height) == ("dsec", 640, 480)
        assert np.array_equal(reader.read_all().events, events)


def test_dsec_round_trip_and_its_index(tmp_path):
    path = tmp_path / "a.dsec.h5"
    events = random_events(30_000, 1280, 720, start_us=1_600_000_000_000_123, gap_us=500, steps_back=True)
    with open_writer(path, 1280, 720) as writer:
        for start in range(0, len(events), 7_001):
            writer.write(events[start : start + 7_001])
    with open_reader(path) as reader:
        assert (reader.format, reader.width, reader.height) == ("dsec", 1280, 720)
        assert np.array_equal(reader.read_all().events, events)
    with h5py.File(path) as file:
        t, ms_to_idx = file["events/t"][:], file["ms_to_idx"][:]
        assert file["t_offset"][()] == events["t"][0] // 1000
    reached = np.maximum.accumulate(t)
    assert ms_to_idx[0] == 0
    assert np.array_equal(ms_to_idx, np.searchsorted(reached, 1000 * np.arange(len(ms_to_idx))))
    assert len(ms_to_idx) == reached[-1] // 1000 + 1


def test_columns_of_others(tmp_path):
    """Seconds as floats under events/ts, as in the event-utils tools."""
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for name, data in {"xs": [1, 2], "ys": [3, 4], "ps": [True, False], "ts": [0.5, 0.500001]}.items():
            file[f"events/{name}"] = np.array(data)
    found = read_all(tmp_path / "a.h5", geometry=(10, 10)).events.tolist()
    assert found == [(500_000_000, 1, 3, 1), (500_001_000, 2, 4, 0)]


def test_mvsec(tmp_path):
    events = random_events(20_000, 346, 260, start_us=1_504_645_177_421_466, steps_back=True)
    rows = np.stack([events["x"], events["y"], events["t"] // 1000 / 1e6, events["p"] * 2.0 - 1], axis=1)
    with h5py.File(tmp_path / "theirs.hdf5", "w") as file:
        file["davis/left/events"] = rows
        file["davis/left/image_raw"] = np.zeros((2, 260, 346), np.uint8)
        file["davis/right/events"] = rows[:5]
    with open_reader(tmp_path / "theirs.hdf5") as reader:
        assert (reader.format, reader.width, reader.height) == ("mvsec", 346, 260)
        assert np.array_equal(reader.read_all().events, events)
    with open_writer(tmp_path / "a.mvsec.hdf5", 346, 260) as writer:
        writer.write(events[:999])
        writer.write(events[999:])
    with h5py.File(tmp_path / "a.mvsec.hdf5") as file:
        assert np.array_equal(file["davis/left/events"][:], rows)
    assert np.array_equal(read_all(tmp_path / "a.mvsec.hdf5").events, events)


def test_empty_recordings(tmp_path):
    for name in ("a.hdf5", "a.dsec.h5", "a.mvsec.hdf5"):
        open_writer(tmp_path / name, 10, 10).close()
        assert len(read_all(tmp_path / name).events) == 0


def test_what_a_layout_cannot_hold(tmp_path):
    events = random_events(2, 10, 10)
    for name in ("a.dsec.h5", "a.mvsec.hdf5"):
        with open_writer(tmp_path / name, 10, 10) as writer, pytest.raises(FileFormatError, match="no triggers"):
            writer.write(events, random_triggers(1, 0, 5, [0]))
    events["t"] = [0, 10**18]
    with open_writer(tmp_path / "b.dsec.h5", 10, 10) as writer, pytest.raises(FileFormatError, match="9 hours"):
        writer.write(events)


def test_a_forged_length_is_refused(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        for name in "xypt":
            file.create_dataset(f"events/{name}", (2**50,), "<u4", chunks=(1024,))
    with pytest.raises(FileFormatError, match="announces 1125899906842624 rows"):
        open_reader(path, geometry=(10, 10))
    with h5py.File(path, "w") as file:
        file["other"] = 1
    with pytest.raises(FileFormatError, match="found groups other"):
        open_reader(path)
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    with pytest.raises(FileFormatError, match="HDF5 cannot open it"):
        open_reader(path)


def test_damaged_blocks_are_named_with_their_offset(tmp_path):
    path = tmp_path / "a.hdf5"
    with open_writer(path, 640, 480) as writer:
        writer.write(random_events(20_000, 640, 480))
    with h5py.File(path) as file:
        info = file["CD/events"].id.get_chunk_info(0)
    data = bytearray(path.read_bytes())
    data[info.byte_offset : info.byte_offset + 4] = b"\xff\xff\xff\xff"
    path.write_bytes(data)
    with pytest.raises(FileFormatError, match=rf"byte {info.byte_offset}: CD/events: a block of 1073741823 events"):
        read_all(path)


@pytest.mark.parametrize("name", ["a.hdf5", "a.dsec.h5", "a.mvsec.hdf5"])
def test_damaged_files(tmp_path, name):
    with open_writer(tmp_path / name, 346, 260) as writer:
        writer.write(random_events(300, 346, 260))
    data = (tmp_path / name).read_bytes()
    assert attack(open_reader, data, tmp_path / f"bad_{name}", rounds=150) > 20
