"""AEDAT 2: against addresses put together by hand from jAER's source, exact both ways, robust against damage."""

import struct

import numpy as np
import pytest
from hostile_files import attack, random_events, random_triggers, sorted_triggers

from neuro_robot.errors import FileFormatError
from neuro_robot.events.array import empty_events
from neuro_robot.events.files import open_reader, open_writer, read_all

HEADER = b"#!AER-DAT2.0\r\n# This is a raw AE data file - do not edit\r\n# AEChip: %s\r\n"
DAVIS = HEADER % b"eu.seebetter.ini.chips.davis.Davis346B"
DVS128 = HEADER % b"ch.unizh.ini.jaer.chip.retina.DVS128"


def record(address, t_us):
    return struct.pack(">II", address, t_us % 2**32)


def davis(t_us, x, y, p, width=346, height=260):
    """As v2e writes it: mirrored and from below."""
    return record((width - 1 - x) << 12 | (height - 1 - y) << 22 | p << 11, t_us)


def dvs128(t_us, x, y, p):
    """As DVS128.java reads it: x = 127 - field, y from below, ON is 0."""
    return record((127 - y) << 8 | (127 - x) << 1 | (1 - p), t_us)


@pytest.mark.parametrize(("size", "header", "put"), [((346, 260), DAVIS, davis), ((128, 128), DVS128, dvs128)])
def test_reads_records_made_by_hand(tmp_path, size, header, put):
    events = random_events(5_000, *size, start_us=2**32 - 60_000, gap_us=40)  # rolls over on the way
    path = tmp_path / "a.aedat"
    path.write_bytes(header + b"".join(put(t // 1000, x, y, p) for t, x, y, p in events.tolist()) + b"torn")
    with open_reader(path) as reader:
        assert (reader.format, reader.width, reader.height) == ("aedat2", *size)
        back = reader.read_all()
        assert reader.stats.torn_bytes == 4
        assert reader.position() == 1.0
    assert events["t"].max() > 2**32 * 1000
    assert np.array_equal(back.events, events)


def test_triggers_images_and_pixels_outside(tmp_path):
    words = [
        record(1 << 10 | 3, 5), record(1 << 10 | 2, 6), record(1 << 10 | 4, 7), record(1 << 10, 8),
        record(1 << 31 | 1 << 10 | 77, 9), record(1 << 31 | 5 << 12, 9),  # image and IMU samples
        record(400 << 12, 10), record(300 << 22, 11), davis(12, 345, 0, 1), davis(3, 0, 259, 0),
    ]  # fmt: skip
    (tmp_path / "a.aedat").write_bytes(DAVIS + b"".join(words))
    with open_reader(tmp_path / "a.aedat") as reader:
        back = reader.read_all()
    assert back.triggers.tolist() == [(5_000, 0, 1), (6_000, 0, 0), (7_000, 0, 1), (8_000, 0, 1)]
    assert back.events.tolist() == [(12_000, 345, 0, 1), (3_000, 0, 259, 0)]
    assert reader.stats.dropped_out_of_geometry == 2
    assert reader.stats.backward_time == 1

    (tmp_path / "b.aedat").write_bytes(DVS128 + record(1 << 15, 4) + dvs128(5, 1, 2, 1) + record(1 << 20, 6))
    back = read_all(tmp_path / "b.aedat")
    assert back.triggers.tolist() == [(4_000, 0, 1)]
    assert back.events.tolist() == [(5_000, 1, 2, 1)]


@pytest.mark.parametrize("size", [(346, 260), (128, 128), (640, 480), (33, 44)])
@pytest.mark.parametrize("start_us", [0, 1_600_000_000_000_000])
def test_round_trip(tmp_path, size, start_us):
    events = random_events(20_000, *size, start_us=start_us, gap_us=500_000, steps_back=start_us == 0)
    triggers = random_triggers(100, start_us, start_us + 10**6, [0, 6, 127])
    with open_writer(tmp_path / "a.aedat2", *size) as writer:
        writer.write(events[:100], triggers)
        for start in range(100, len(events), 3_000):
            writer.write(events[start : start + 3_000])
    with open_reader(tmp_path / "a.aedat2") as reader:
        assert (reader.width, reader.height) == size
        chunks = list(reader.chunks(777))
    assert np.array_equal(np.concatenate([chunk.events for chunk in chunks]), events)
    assert np.array_equal(sorted_triggers(np.concatenate([c.triggers for c in chunks])), sorted_triggers(triggers))


def test_a_first_record_that_looks_like_a_comment(tmp_path):
    """Rows 116 to 119 of a DAVIS346 make an address that begins with '#'; v2e drops such events."""
    header = DAVIS.replace(b"# AEChip: eu.seebetter.ini.chips.davis.Davis346B\r\n", b"")
    first = davis(0x0A41_4141, 100, 118, 1)
    assert first.startswith(b"#")
    (tmp_path / "a.aedat").write_bytes(header + first + davis(0x0A41_4142, 1, 2, 0))
    events = read_all(tmp_path / "a.aedat", geometry=(346, 260)).events
    assert events[["x", "y", "p"]].tolist() == [(100, 118, 1), (1, 2, 0)]


def test_missing_geometry_and_what_cannot_be_held(tmp_path):
    path = tmp_path / "a.aedat"
    path.write_bytes(b"#!AER-DAT2.0\r\n" + davis(1, 2, 3, 1))
    with pytest.raises(FileFormatError, match="give the geometry"):
        open_reader(path)
    assert read_all(path, geometry=(346, 260)).events.tolist() == [(1_000, 2, 3, 1)]
    with pytest.raises(FileFormatError, match="1024x512"):
        open_reader(path, geometry=(1280, 720))
    events = random_events(2, 10, 10)
    events["t"] = [0, 3 * 10**12]
    with open_writer(tmp_path / "b.aedat2", 10, 10) as writer, pytest.raises(FileFormatError, match="without an event"):
        writer.write(events)
    with open_writer(tmp_path / "c.aedat2", 10, 10) as writer:
        writer.write(empty_events())
    assert len(read_all(tmp_path / "c.aedat2").events) == 0


def test_damaged_files(tmp_path):
    with open_writer(tmp_path / "good.aedat2", 346, 260) as writer:
        writer.write(random_events(200, 346, 260), random_triggers(20, 0, 9_000, [0]))
    data = (tmp_path / "good.aedat2").read_bytes()
    attack(open_reader, data, tmp_path / "bad.aedat2", rounds=400)
    attack(open_reader, data[:400], tmp_path / "bad.aedat2", rounds=400, seed=2)
