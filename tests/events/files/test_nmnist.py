"""N-MNIST: against a reader written from its description, exact both ways, marks of long recordings."""

import numpy as np
import pytest
from hostile_files import attack, random_events, random_triggers

from neuro_robot.errors import FileFormatError
from neuro_robot.events.files import open_reader, open_writer, read_all


def naive_events(data):
    rows, ahead = [], 0
    for i in range(0, len(data) // 5 * 5, 5):
        x, y, a, b, c = data[i : i + 5]
        if y == 240:
            ahead += 8192
        else:
            rows.append((((a & 127) << 16 | b << 8 | c) * 1000 + ahead * 1000, x, y, a >> 7))
    return rows


def test_reads_any_bytes_as_the_description_says(tmp_path):
    data = np.random.default_rng(0).integers(0, 256, 50_003, np.uint8)
    data[1::50] = 240
    (tmp_path / "a.bin").write_bytes(data.tobytes())
    with open_reader(tmp_path / "a.bin", geometry=(256, 256)) as reader:
        chunks = list(reader.chunks(1_000))
    assert np.concatenate([chunk.events for chunk in chunks]).tolist() == naive_events(data.tobytes())
    assert reader.stats.torn_bytes == 3


@pytest.mark.parametrize("size", [(34, 34), (240, 180)])
def test_round_trip_and_the_size_is_found(tmp_path, size):
    events = random_events(5_000, *size, gap_us=5_000, steps_back=True)  # 12 s: past the 23 bits
    events = events[events["t"] < 8_388_608_000] if size == (34, 34) else events
    with open_writer(tmp_path / "a.bin", *size) as writer:
        writer.write(events[:1_000])
        writer.write(events[1_000:])
    with open_reader(tmp_path / "a.bin") as reader:
        assert (reader.format, reader.width, reader.height) == ("nmnist", *size)
        assert np.array_equal(reader.read_all().events, events)
    data = (tmp_path / "a.bin").read_bytes()
    assert naive_events(data) == events.tolist()
    assert (len(data) == 5 * len(events)) == (size == (34, 34))


def test_what_it_cannot_hold(tmp_path):
    path = tmp_path / "a.bin"
    with open_writer(path, 34, 34) as writer:
        with pytest.raises(FileFormatError, match="no triggers"):
            writer.write(random_events(1, 34, 34), random_triggers(1, 0, 5, [0]))
        with pytest.raises(FileFormatError, match="begins at 0"):
            writer.write(random_events(1, 34, 34, start_us=1_600_000_000_000_000))
    with pytest.raises(FileFormatError, match="256x240"):
        open_writer(path, 240, 241)
    path.write_bytes(bytes([250, 200, 0, 0, 1]))
    with pytest.raises(FileFormatError, match="give the geometry"):
        open_reader(path)
    path.write_bytes(b"")
    assert len(read_all(path).events) == 0


def test_damaged_files(tmp_path):
    with open_writer(tmp_path / "good.bin", 34, 34) as writer:
        writer.write(random_events(100, 34, 34))
    attack(open_reader, (tmp_path / "good.bin").read_bytes(), tmp_path / "bad.bin", rounds=200)
