"""AEDAT 3.1: against packets made by hand from the specification, exact both ways, robust against damage."""

import struct

import numpy as np
import pytest
from hostile_files import attack, random_events, random_triggers, read_or_refuse, sorted_triggers

from neuro_robot.errors import FileFormatError
from neuro_robot.events.files import open_reader, open_writer, read_all

HEADER = b"#!AER-DAT3.1\r\n#Format: RAW\r\n#Source 1: DVS128\r\n#-Source 0: x\r\n#Start-Time: now\r\n#!END-HEADER\r\n"


def packet(kind, rows, overflow=0, source=1, size=8, number=None):
    number = len(rows) if number is None else number
    body = b"".join(struct.pack("<Ii", *row) if isinstance(row, tuple) else row for row in rows)
    return struct.pack("<hhiiiiii", kind, source, size, 4, overflow, number, number, number) + body


def polarity(t_us, x, y, p, valid=1):
    return valid | p << 1 | y << 2 | x << 17, t_us


def special(t_us, kind, data=0, valid=1):
    return valid | kind << 1 | data << 8, t_us


def test_reads_packets_made_by_hand(tmp_path):
    body = (
        packet(1, [polarity(7, 127, 0, 1), polarity(8, 0, 127, 0), polarity(9, 1, 1, 1, 0), polarity(-5, 1, 1, 1)])
        + packet(2, [b"frame" * 10] * 3, size=50)
        + packet(
            0, [special(3, 2), special(4, 3), special(5, 7), special(6, 0), special(7, 12), special(8, 2, valid=0)]
        )
        + packet(1, [polarity(1, 3, 4, 1), polarity(2, 128, 4, 1)], overflow=5)
        + b"torn"
    )
    (tmp_path / "a.aedat").write_bytes(HEADER + body)
    with open_reader(tmp_path / "a.aedat") as reader:
        assert (reader.format, reader.width, reader.height) == ("aedat3", 128, 128)
        back = reader.read_all()
    assert back.events.tolist() == [(7_000, 127, 0, 1), (8_000, 0, 127, 0), ((5 * 2**31 + 1) * 1000, 3, 4, 1)]
    assert back.triggers.tolist() == [(3_000, 0, 1), (4_000, 0, 0), (5_000, 1, 0), (7_000, 3, 1)]
    stats = reader.stats
    assert (stats.unknown_words, stats.dropped_out_of_geometry, stats.torn_bytes) == (2, 1, 4)


def test_of_two_cameras_the_first_is_read(tmp_path):
    header = HEADER.replace(b"#-Source 0: x", b"#Source 2: DAVIS346")
    body = packet(1, [polarity(1, 200, 200, 1)], source=2) + packet(1, [polarity(2, 3, 4, 0)], source=1)
    (tmp_path / "a.aedat").write_bytes(header + body)
    assert read_all(tmp_path / "a.aedat").events.tolist() == [(2_000, 3, 4, 0)]


@pytest.mark.parametrize("size", [(128, 128), (1280, 720)])
def test_round_trip(tmp_path, size):
    start_us = 5 * 2**31 - 100_000  # the overflow counts up on the way
    events = random_events(20_000, *size, start_us=start_us, steps_back=True)
    triggers = random_triggers(100, start_us, start_us + 10**6, [0, 6, 255])
    with open_writer(tmp_path / "a.aedat3", *size) as writer:
        writer.write(events[:9_000], triggers)
        writer.write(events[9_000:])
    with open_reader(tmp_path / "a.aedat3") as reader:
        assert (reader.width, reader.height) == size
        chunks = list(reader.chunks(4_000))
    assert events["t"].max() > 5 * 2**31 * 1000
    assert max(len(chunk.events) for chunk in chunks) == 4_000
    assert np.array_equal(np.concatenate([chunk.events for chunk in chunks]), events)
    assert np.array_equal(sorted_triggers(np.concatenate([c.triggers for c in chunks])), sorted_triggers(triggers))


def test_defects_are_named_with_their_offset(tmp_path):
    path = tmp_path / "a.aedat"
    at = len(HEADER)
    for body, text in [
        (packet(1, [polarity(1, 2, 3, 1)], number=2**31 - 1), f"byte {at + 28}: a packet says 17179869176 bytes"),
        (packet(1, [polarity(1, 2, 3, 1)], size=0), f"byte {at}: the header of a packet is impossible"),
        (packet(1, [b"x" * 12], size=12), f"byte {at}: expected events of 8 bytes"),
        (packet(-1, []), "type -1"),
    ]:
        path.write_bytes(HEADER + body)
        outcome = read_or_refuse(open_reader, path)
        assert isinstance(outcome, str)
        assert text in outcome
    path.write_bytes(HEADER.replace(b"RAW", b"PNG"))
    with pytest.raises(FileFormatError, match="got PNG"):
        open_reader(path)
    path.write_bytes(HEADER.replace(b"DVS128", b"A camera"))
    with pytest.raises(FileFormatError, match="A camera"):
        open_reader(path)
    assert open_reader(path, geometry=(10, 10)).width == 10


def test_damaged_files(tmp_path):
    with open_writer(tmp_path / "good.aedat3", 346, 260) as writer:
        for seed in range(10):
            writer.write(random_events(20, 346, 260, seed=seed), random_triggers(5, 0, 9_000, [0]))
    data = (tmp_path / "good.aedat3").read_bytes()
    assert attack(open_reader, data, tmp_path / "bad.aedat3", rounds=600) > 50
