"""EVT2, EVT2.1, EVT3, EVT4 and DAT files against slow decoders written from the formats' descriptions."""

import struct

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from naive_event_codecs import NaiveEvt3

from neuro_robot.errors import FileFormatError, PacketError
from neuro_robot.events.array import EVENT_DTYPE, TRIGGER_DTYPE, empty_events
from neuro_robot.events.files import FORMATS, open_reader, open_writer, read_all

RAW = ["evt2", "evt21", "evt21_legacy", "evt3", "evt4"]
ALL = [*RAW, "dat", "dat1"]
WIDTH, HEIGHT = 500, 250  # what all of them can address
RAW_HEAD = {
    "evt2": b"% format EVT2;width=500;height=250\n",
    "evt21": b"% evt 2.1\n% geometry 500x250\n% endianness little\n",
    "evt21_legacy": b"% evt 2.1\n% geometry 500x250\n",
    "evt3": b"% evt 3.0\n% geometry 500x250\n% end\n",
    "evt4": b"% format EVT4;height=250;width=500\n% end\n",
}
a_few = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


class Naive:
    """EVT2, EVT2.1 and EVT4, one word at a time; times in us."""

    def __init__(self, base_us=None):
        self.base_us, self.high, self.vector, self.last_us = base_us, None, None, -1
        self.events, self.triggers = [], []
        self.unsynchronised = self.outside = self.backward = self.unknown = 0

    def time_high(self, value):
        if self.high is None:
            periods = range(2**20) if self.base_us is not None else [0]
            self.high = min((value + k * 2**28 for k in periods), key=lambda high: abs(high * 64 - (self.base_us or 0)))
        elif self.high % 2**28 - value > 2**27:
            self.high += 2**28 + value - self.high % 2**28
        elif value - self.high % 2**28 >= 2**28 - 2**14 and self.high >= 2**28:
            self.high += value - self.high % 2**28 - 2**28
        else:
            self.high += value - self.high % 2**28

    def pixels(self, word, p, mask):
        if self.high is None:
            self.unsynchronised += bin(mask).count("1")
            return
        t_us = self.high * 64 + (word >> 22 & 63)
        self.backward += t_us < self.last_us
        self.last_us = t_us
        for bit in range(32):
            x, y = (word >> 11 & 2047) + bit, word & 2047
            if mask >> bit & 1 and x < WIDTH and y < HEIGHT:
                self.events.append((t_us * 1000, x, y, p))
            elif mask >> bit & 1:
                self.outside += 1

    def trigger(self, word):
        if self.high is None:
            self.unsynchronised += 1
        else:
            self.triggers.append(((self.high * 64 + (word >> 22 & 63)) * 1000, word >> 8 & 31, word & 1))

    def evt2(self, body):
        for (word,) in struct.iter_unpack("<I", body):
            self.word(word, word >> 28, 1, {0: "off", 1: "on", 8: "time", 10: "trigger", 13: "", 14: "", 15: ""})

    def evt21(self, body, legacy=False):
        for first, second in struct.iter_unpack("<II", body):
            word, mask = (first, second) if legacy else (second, first)
            self.word(word, word >> 28, mask, {0: "off", 1: "on", 8: "time", 10: "trigger", 14: ""})

    def evt4(self, body):
        kinds = {6: "", 7: "", 9: "trigger", 10: "off", 11: "on", 14: "time", 15: ""}
        for (word,) in struct.iter_unpack("<I", body):
            if self.vector is not None:
                self.pixels(self.vector, self.vector >> 28 & 1, word)
                self.vector = None
            elif word >> 28 in (12, 13):
                self.vector = word
            else:
                self.word(word, word >> 28, 1, kinds)

    def word(self, word, code, mask, kinds):
        kind = kinds.get(code)
        if kind in ("off", "on"):
            self.pixels(word, int(kind == "on"), mask)
        elif kind == "time":
            self.time_high(word % 2**28)
        elif kind == "trigger":
            self.trigger(word)
        elif kind is None:
            self.unknown += 1


def naive(name, body, base_us=None):
    decoder = Naive(base_us)
    if name == "evt3":
        decoder = NaiveEvt3(WIDTH, HEIGHT)
        decoder.events, decoder.triggers = decoder.decode(body, (base_us or 0) * 1000)
        decoder.unsynchronised, decoder.backward = decoder.dropped, None
    elif name == "evt21_legacy":
        decoder.evt21(body, legacy=True)
    else:
        getattr(decoder, name)(body)
    return decoder


def naive_dat(body, x_bits, y_bits, base_us=0):
    rows, last = [], None
    for t, word in struct.iter_unpack("<II", body):
        last = base_us if last is None else last
        t_us = min((t + k * 2**32 for k in range(2**10)), key=lambda each: abs(each - last))
        last = t_us
        x, y = word % 2**x_bits, (word >> x_bits) % 2**y_bits
        rows.append((t_us * 1000, x, y, word >> x_bits + y_bits & 1))
    return rows


def data_of(path):
    """The bytes after a header that this package wrote."""
    content = path.read_bytes()
    if path.suffix == ".raw":
        return content.split(b"% end\n", 1)[1]
    head, kind, body = content.partition(b"% Width 500\n\x0c\x08")
    assert head.startswith(b"% Data file containing")
    assert kind
    return body


def path_for(tmp_path, name):
    return tmp_path / f"{name}{FORMATS[name].extensions[0]}"


def recording(seed, n, start_us=0, triggers=True):
    """Runs along rows, lone events, ties, small steps back in time, long pauses; all times in whole us."""
    rng = np.random.default_rng(seed)
    length = np.where(rng.random(n) < 0.3, rng.integers(2, 60, n), 1)
    step_us = np.select([rng.random(n) < 0.5, rng.random(n) < 0.02], [0, -5], rng.integers(0, 300, n))
    step_us[rng.random(n) < 0.002] += 9_000_000
    t_us = np.maximum(start_us + np.cumsum(step_us), 0)
    rows = [
        (t * 1000, x + i, y, p)
        for t, k, x, y, p in zip(
            t_us, length, rng.integers(0, WIDTH - 60, n), rng.integers(0, HEIGHT, n), rng.integers(0, 2, n), strict=True
        )
        for i in range(k)
        if rng.random() < 0.9
    ]
    events = np.array(rows, EVENT_DTYPE) if rows else empty_events()
    edges = np.zeros(n // 20 if triggers else 0, TRIGGER_DTYPE)
    if len(edges) and len(events):
        edges["t"] = np.sort(rng.choice(events["t"], len(edges)))
        edges["id"], edges["value"] = rng.integers(0, 16, len(edges)), rng.integers(0, 2, len(edges))
    return events, edges if len(events) else edges[:0]


def write(path, name, events, triggers, pieces=1):
    with open_writer(path, WIDTH, HEIGHT, format=name) as writer:
        for part in np.array_split(events, pieces):
            until = part["t"][-1] if len(part) else 0
            n = len(triggers) if part is events or pieces == 1 else int(np.searchsorted(triggers["t"], until))
            writer.write(part, triggers[:n])
            triggers = triggers[n:]
        writer.write(empty_events(), triggers)


@pytest.mark.parametrize("name", ALL)
@given(st.integers(0, 2**32), st.integers(0, 300), st.integers(1, 4), st.integers(1, 500))
@a_few
def test_what_is_written_is_read_to_the_bit(tmp_path, name, seed, n, pieces, max_events):
    events, triggers = recording(seed, n)
    path = path_for(tmp_path, name)
    write(path, name, events, triggers, pieces)
    with open_reader(path) as reader:
        assert (reader.format, reader.width, reader.height) == (name, WIDTH, HEIGHT)
        chunks = list(reader.chunks(max_events))
        assert reader.position() == 1
    assert all(len(chunk.events) <= max_events + 36 for chunk in chunks)
    got = np.concatenate([empty_events(), *(chunk.events for chunk in chunks)])
    edges = np.concatenate([np.zeros(0, TRIGGER_DTYPE), *(chunk.triggers for chunk in chunks)])
    np.testing.assert_array_equal(got, events)
    np.testing.assert_array_equal(edges, triggers if FORMATS[name].keeps_triggers else triggers[:0])
    stats = reader.stats
    assert (stats.events, stats.triggers) == (len(events), len(edges))
    assert stats.dropped_out_of_geometry == stats.unknown_words == stats.torn_bytes == stats.dropped_unsynchronised == 0
    assert stats.backward_time == np.count_nonzero(np.diff(events["t"]) < 0) or triggers.size


@pytest.mark.parametrize("name", ALL)
def test_what_is_written_is_what_the_format_says(tmp_path, name):
    events, triggers = recording(5, 2000)
    path = path_for(tmp_path, name)
    write(path, name, events, triggers)
    if name in RAW:
        decoded = naive(name, data_of(path))
        assert decoded.events == events.tolist()
        assert decoded.triggers == triggers.tolist()
    else:
        assert naive_dat(data_of(path), *{"dat": (14, 14), "dat1": (9, 8)}[name]) == events.tolist()


def words_of(name, seed, n):
    """Random words, most of them of kinds that mean something."""
    rng = np.random.default_rng(seed)
    codes = {
        "evt2": [0, 1, 8, 10, 13, 14, 15, 5],
        "evt21": [0, 1, 8, 10, 14, 5],
        "evt3": [0, 2, 3, 4, 5, 6, 8, 10, 7, 9, 14, 15, 11],
        "evt4": [6, 7, 9, 10, 11, 12, 13, 14, 15, 1],
    }[name.removesuffix("_legacy")]
    code = rng.choice(codes[: rng.integers(3, len(codes) + 1)], n)
    if name == "evt3":
        return (code << 12 | rng.integers(0, 4096, n)).astype("<u2").tobytes()
    times = code == (14 if name == "evt4" else 8)
    x, y = rng.integers(0, WIDTH + 20, n), rng.integers(0, HEIGHT + 5, n)
    body = np.where(times, rng.choice([5, 6, 100, 2**28 - 3, 2**27], n), rng.integers(0, 64, n) << 22 | x << 11 | y)
    word = (code << 28 | body).astype("<u4")
    if not name.startswith("evt21"):
        return word.tobytes()
    halves = [rng.integers(0, 2**32, n).astype("<u4"), word]
    return np.stack(halves if name == "evt21" else halves[::-1], axis=1).tobytes()


@pytest.mark.parametrize("name", RAW)
@given(st.integers(0, 2**32), st.integers(0, 400), st.integers(0, 7))
@a_few
def test_any_words_are_read_as_the_slow_decoder_reads_them(tmp_path, name, seed, n, torn):
    body = words_of(name, seed, n)
    path = tmp_path / "words.raw"
    size = {"evt3": 2, "evt21": 8, "evt21_legacy": 8}.get(name, 4)
    torn %= size
    path.write_bytes(RAW_HEAD[name] + body + b"\0" * torn)
    with open_reader(path) as reader:
        assert reader.format == name
        chunk = reader.read_all()
    expected = naive(name, body)
    assert chunk.events.tolist() == expected.events
    assert chunk.triggers.tolist() == expected.triggers
    stats = reader.stats
    assert (stats.dropped_out_of_geometry, stats.unknown_words) == (expected.outside, expected.unknown)
    assert (stats.dropped_unsynchronised, stats.torn_bytes) == (expected.unsynchronised, torn)
    assert stats.backward_time == expected.backward or name in ("evt3", "evt4")


@pytest.mark.parametrize("name", RAW)
def test_blocks_and_chunks_change_nothing(tmp_path, name):
    """A file of many read blocks, whose ends fall into vectors too."""
    body = words_of(name, 3, 90_001)
    path = tmp_path / "words.raw"
    path.write_bytes(RAW_HEAD[name] + body)
    whole = read_all(path)
    with open_reader(path) as reader:
        chunks = list(reader.chunks(1000))
    np.testing.assert_array_equal(np.concatenate([chunk.events for chunk in chunks]), whole.events)
    np.testing.assert_array_equal(np.concatenate([chunk.triggers for chunk in chunks]), whole.triggers)
    expected = naive(name, body)
    assert whole.events.tolist() == expected.events
    assert whole.triggers.tolist() == expected.triggers


PERIODS = {
    "evt2": 2**34,
    "evt21": 2**34,
    "evt21_legacy": 2**34,
    "evt4": 2**34,
    "evt3": 2**24,
    "dat": 2**32,
    "dat1": 2**32,
}


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("start", ["before", "after", "epoch"])
def test_times_of_64_bits_survive_roll_overs(tmp_path, name, start):
    """A recording across the clock's roll-over, one that starts late, one in Unix time."""
    period = PERIODS[name]
    start_us = {"before": period - 2_000_000, "after": 5 * period + 17, "epoch": 1_790_000_000_123_456}[start]
    events = np.zeros(4000, EVENT_DTYPE)
    events["t"] = (start_us + np.arange(4000) * 1000) * 1000
    events["x"] = np.arange(4000) % WIDTH
    path = path_for(tmp_path, name)
    write(path, name, events, np.zeros(0, TRIGGER_DTYPE))
    np.testing.assert_array_equal(read_all(path).events, events)
    assert (b"time_base_us" in path.read_bytes()[:300]) == (start != "before")


@pytest.mark.parametrize("name", RAW)
def test_long_pauses_are_bridged(tmp_path, name):
    events = np.zeros(5, EVENT_DTYPE)
    events["t"] = np.array([0, 12, 30_000, 100_000, 100_001]) * 10**9
    write(tmp_path / "a.raw", name, events, np.zeros(0, TRIGGER_DTYPE))
    np.testing.assert_array_equal(read_all(tmp_path / "a.raw").events, events)


@pytest.mark.parametrize("name", ["dat", "dat1"])
def test_dat_refuses_a_pause_longer_than_its_clock(tmp_path, name):
    events = np.zeros(2, EVENT_DTYPE)
    events["t"] = 0, 5000 * 10**9
    with open_writer(tmp_path / "a.dat", 9, 9, format=name) as writer, pytest.raises(FileFormatError, match="step of"):
        writer.write(events)
    assert len(read_all(tmp_path / "a.dat").events) == 1


@pytest.mark.parametrize("name", ALL)
def test_a_step_back_that_would_read_as_a_roll_over_is_refused(tmp_path, name):
    events = np.zeros(2, EVENT_DTYPE)
    events["t"] = np.array([PERIODS[name] * 3 // 4, 0]) * 1000
    path = path_for(tmp_path, name)
    with open_writer(path, 9, 9, format=name) as writer, pytest.raises(FileFormatError, match=r"to 0 ns.*sort"):
        writer.write(events)


@pytest.mark.parametrize("name", RAW)
def test_a_trigger_channel_that_does_not_fit_is_refused(tmp_path, name):
    triggers = np.array([(5000, 32, 1)], TRIGGER_DTYPE)
    with open_writer(tmp_path / "a.raw", 9, 9, format=name) as writer, pytest.raises(FileFormatError, match="trigger"):
        writer.write(empty_events(), triggers)


@pytest.mark.parametrize("name", RAW)
def test_a_recording_joined_in_the_middle(tmp_path, name):
    """Without the first words nothing is wrong but what came before the next time word."""
    events, triggers = recording(11, 3000)
    path = tmp_path / "whole.raw"
    write(path, name, events, triggers)
    header = path.read_bytes().split(b"% end\n")[0] + b"% end\n"
    time_word = 8 if name.startswith("evt21") else 4  # EVT3: both halves
    path.write_bytes(header + data_of(path)[time_word:])
    with open_reader(path) as reader:
        chunk = reader.read_all()
    lost = reader.stats.dropped_unsynchronised
    assert 0 < lost < 400
    assert len(chunk.events) + len(chunk.triggers) + lost == len(events) + len(triggers)
    assert chunk.events.tolist() == events[-len(chunk.events) :].tolist()


@pytest.mark.parametrize("name", ALL)
def test_a_writer_that_was_killed_leaves_what_it_wrote(tmp_path, name):
    events, _ = recording(2, 50, triggers=False)
    path = path_for(tmp_path, name)
    writer = open_writer(path, WIDTH, HEIGHT, format=name)
    writer.write(events)
    np.testing.assert_array_equal(read_all(path).events, events)
    writer.close()
    writer.close()


@pytest.mark.parametrize("name", ALL)
def test_an_empty_recording(tmp_path, name):
    path = path_for(tmp_path, name)
    open_writer(path, WIDTH, HEIGHT, format=name).close()
    with open_reader(path) as reader:
        assert list(reader.chunks()) == []
        assert (reader.format, reader.width, reader.height) == (name, WIDTH, HEIGHT)


@pytest.mark.parametrize("name", ALL)
def test_events_that_are_none_are_refused(tmp_path, name):
    path = path_for(tmp_path, name)
    with open_writer(path, 10, 10, format=name) as writer:
        for bad in ([(0, 10, 0, 0)], [(0, 0, 10, 0)], [(0, 0, 0, 2)], [(-1, 0, 0, 0)], [(2**62 + 1, 0, 0, 0)]):
            with pytest.raises(PacketError, match="event 0: expected x below 10"):
                writer.write(np.array(bad, EVENT_DTYPE))
        with pytest.raises(PacketError, match="EVENT_DTYPE"):
            writer.write(np.zeros(3))
    assert len(read_all(path).events) == 0


def test_times_are_floored(tmp_path):
    events = np.array([(1999, 1, 2, 1), (2000, 1, 2, 0)], EVENT_DTYPE)
    write(tmp_path / "a.raw", "evt2", events, np.zeros(0, TRIGGER_DTYPE))
    assert read_all(tmp_path / "a.raw").events["t"].tolist() == [1000, 2000]
