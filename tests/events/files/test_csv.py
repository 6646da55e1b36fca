"""Text: numpy.loadtxt is the peer, exact to the nanosecond, the usual forms of others, damage."""

import io
from decimal import Decimal

import numpy as np
import pytest
from hostile_files import attack, random_events, random_triggers, read_or_refuse

from neuro_robot.errors import FileFormatError
from neuro_robot.events.files import open_reader, open_writer, read_all
from neuro_robot.events.files.csv_text import _number


@pytest.fixture
def events():
    events = random_events(20_000, 1280, 720, start_us=1_600_000_000_000_000, steps_back=True)
    events["t"] += np.arange(len(events)) % 1000
    return events


def read_text(tmp_path, text, geometry=(1280, 720)):
    (tmp_path / "other.txt").write_text(text)
    return read_all(tmp_path / "other.txt", geometry=geometry).events


def test_round_trip_and_numpy_reads_it(tmp_path, events):
    path = tmp_path / "a.csv"
    triggers = random_triggers(50, 0, 9_000, [0, 6, 255])
    with open_writer(path, 1280, 720) as writer:
        writer.write(events[:5_000], triggers[:20])
        writer.write(events[5_000:], triggers[20:])
    theirs = np.loadtxt(path, np.int64, delimiter=",", skiprows=2)
    assert np.array_equal(theirs, np.stack([events[name].astype(np.int64) for name in "txyp"], axis=1))
    with open_reader(path) as reader:
        assert (reader.format, reader.width, reader.height) == ("csv", 1280, 720)
        chunks = list(reader.chunks(3_000))
        assert reader.position() == 1.0
    assert max(len(chunk.events) for chunk in chunks) == 3_000
    assert np.array_equal(np.concatenate([chunk.events for chunk in chunks]), events)
    assert np.array_equal(np.concatenate([chunk.triggers for chunk in chunks]), triggers)


def test_blocks_cut_lines_anywhere(tmp_path, events, monkeypatch):
    with open_writer(tmp_path / "a.csv", 1280, 720) as writer:
        writer.write(events[:500])
    for size in (1, 7, 33, 100):
        monkeypatch.setattr("neuro_robot.events.files.csv._BLOCK", size)
        assert np.array_equal(read_all(tmp_path / "a.csv").events, events[:500])


def test_forms_of_others(tmp_path, events):
    events = events[:300]
    events["t"] -= events["t"] % 1_000
    rows = [(t // 1_000, x, y, p) for t, x, y, p in events.tolist()]
    texts = [
        "".join(f"{t / 10**6:.6f} {x} {y} {p}\n" for t, x, y, p in rows),
        "".join(f"{x},{y},{p},{t}\n" for t, x, y, p in rows),
        "".join(f"{t},{x},{y},{2 * p - 1}\r\n" for t, x, y, p in rows),
        "t,x,y,p\n" + "".join(f"{t},{x},{y},{p}\n" for t, x, y, p in rows),
        "x;y;polarity;timestamp [us]\n" + "".join(f"{x}; {y};\t{p} ;{t}\n" for t, x, y, p in rows).rstrip("\n"),
        "id,p,t_s,y,x\n\n# note\n" + "".join(f"7,{p},{t // 10**6}.{t % 10**6:06d}5,{y},{x}\n" for t, x, y, p in rows),
    ]
    for text in texts[:5]:
        assert np.array_equal(read_text(tmp_path, text), events), text[:60]
    assert np.array_equal(read_text(tmp_path, texts[5])["t"], events["t"] + 500)
    stream = io.StringIO()
    np.savetxt(stream, np.array(rows, np.float64))
    assert np.array_equal(read_text(tmp_path, "t_us x y p\n" + stream.getvalue()), events)
    assert len(read_text(tmp_path, "")) == 0


def test_numbers_against_decimal():
    rng = np.random.default_rng(0)
    for _ in range(3_000):
        digits = "".join(rng.choice(list("0123456789"), rng.integers(1, 22)))
        at = int(rng.integers(0, len(digits) + 1))
        text = rng.choice(["", "-", "+"]) + digits[:at] + rng.choice(["", "."]) + digits[at:]
        text += rng.choice(["", "", f"e{rng.integers(-12, 4)}", f"E+{rng.integers(0, 3)}"])
        scale = int(rng.choice([0, 3, 9]))
        exact = int(Decimal(text).scaleb(scale))
        value, behind, good = _number(np.frombuffer(text.encode() + b",", np.uint8), 0, scale)
        assert (behind, good) == (len(text), True)
        significant = len(digits.lstrip("0"))
        if abs(exact) < 2**62 // 10 and significant <= 18:
            assert value == exact, text
        elif abs(exact) >= 2**63:
            assert value < 0 or abs(value) >= 2**62 // 10 or text[0] == "-"


def test_defects_are_named_with_their_offset(tmp_path):
    path = tmp_path / "a.csv"
    for text, message in [
        ("t,x,y,p\n1,2,3,1\n1,2,oops,1\n", "byte 16: expected 4 numbers, got b'1,2,oops,1'"),
        ("t,x,y,p\n1,2,3,1\n1,2,3\n", "byte 16: expected 4 numbers"),
        ("t,x,y,p\n1,2,3,1,5\n", "byte 8: expected 4 numbers"),
        ("t,x,y,q\n1,2,3,1\n", "byte 0: expected columns t, x, y, p"),
        ("1,2,3\n", "byte 0: expected four columns"),
        ("9,8,7,6\n", "no column of '9,8,7,6' is a polarity"),
    ]:
        path.write_text("# geometry 10x10\n" + text)
        outcome = read_or_refuse(open_reader, path)
        assert isinstance(outcome, str)
        number, _, rest = message.partition(":") if message.startswith("byte") else ("byte 0", "", message)
        number = int(number.split()[1])
        assert f"byte {number + 17 if number else 0}:" in outcome
        assert rest.strip() in outcome
    path.write_text("1,2,3,1\n")
    with pytest.raises(FileFormatError, match="give the geometry"):
        open_reader(path)
    path.write_bytes(b"# geometry 10x10\nt,x,y,p\n" + b"1" * 5_000_000)
    with pytest.raises(FileFormatError, match="byte 25"):
        read_all(path)


def test_impossible_times_are_dropped_and_counted(tmp_path):
    (tmp_path / "a.csv").write_text("# geometry 10x10\nt_s,x,y,p\n1,1,1,1\n-1,1,1,1\n1e30,1,1,1\n2,1,11,1\n2,-1,1,1\n")
    with open_reader(tmp_path / "a.csv") as reader:
        assert reader.read_all().events.tolist() == [(10**9, 1, 1, 1)]
    assert (reader.stats.unknown_words, reader.stats.dropped_out_of_geometry) == (2, 2)


def test_damaged_files(tmp_path):
    with open_writer(tmp_path / "good.csv", 346, 260) as writer:
        writer.write(random_events(50, 346, 260), random_triggers(5, 0, 900, [1]))
    assert attack(open_reader, (tmp_path / "good.csv").read_bytes(), tmp_path / "bad.csv", rounds=300) > 50
