"""SPIF words: bytes of the format, a slow reference decoder, time by arrival and by sender, and hostile datagrams."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuro_robot.errors import ConfigError, PacketError
from neuro_robot.events.aer import MAX_TIME_US, RESTART_US, AerDecoder, AerLayout, encode
from neuro_robot.events.array import EVENT_DTYPE, MAX_TIME_NS, validate_events

quick = settings(deadline=None)
STANDARD = AerLayout()
OTHER = AerLayout(x_shift=1, y_shift=12, polarity_bit=0)
LAYOUTS = [STANDARD, OTHER, AerLayout(x_shift=0, y_shift=14, polarity_bit=30)]


def events_of(rows):
    return np.array(rows, EVENT_DTYPE)


def datagram(*words):
    return struct.pack(f"<{len(words)}I", *words)


def decoded(data, width=640, height=480, layout=None, sender_time=False, arrival_ns=7):
    decoder = AerDecoder(width, height, layout, sender_time=sender_time)
    decoder.add(data, arrival_ns)
    return decoder.take(), decoder.stats


def naive(data, width, height, arrival_ns):
    """Word by word in plain Python, time of arrival."""
    words = list(struct.unpack(f"<{len(data) // 4}I", data))
    rows = []
    while words:
        word = words.pop(0)
        if word < 2**31:
            if not words:
                break
            words.pop(0)
        x, y = word // 2**16 % 2**15, word % 2**15
        if x < width and y < height:
            rows.append((arrival_ns, x, y, word // 2**15 % 2))
    return rows


def test_the_datagram_of_aestreams_own_test():
    # aestream, src/python/test/test_udp.py: these bytes light pixel x 218, y 15 (there bit 31 says that time follows,
    # which its reader does not look at), so here the time word is added
    events, stats = decoded(b"\x0f\x00\xda\x00" + b"\x00\x00\x00\x00")
    assert events.tolist() == [(7, 218, 15, 0)]
    assert (stats.events, stats.datagrams) == (1, 1)


def test_words_are_those_of_the_format():
    events = events_of([(5_000_999, 3, 2, 1), (2**32 * 1000 + 9000, 32767, 32767, 0)])
    assert encode(events, STANDARD, timestamps=False).tobytes() == datagram(0x80038002, 0xFFFF7FFF)
    timed = encode(events, STANDARD, timestamps=True).tobytes()
    assert timed == datagram(0x00038002, 5000, 0x7FFF7FFF, 9)
    other = encode(events[:1], OTHER, timestamps=False)
    assert other.tolist() == [1 << 31 | 3 << 1 | 2 << 12 | 1]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("timestamps", [False, True])
def test_round_trip(layout, timestamps):
    rng = np.random.default_rng(1)
    n, width, height = 5000, 1280, 720
    events = np.empty(n, EVENT_DTYPE)
    events["t"] = np.sort(rng.integers(10**9, 2 * 10**9, n)) // 1000 * 1000
    events["x"], events["y"], events["p"] = rng.integers(0, width, n), rng.integers(0, height, n), rng.integers(0, 2, n)
    data = encode(events, layout, timestamps=timestamps).tobytes()
    arrived, stats = decoded(data, width, height, layout, timestamps, 123)
    expected = events.copy()
    if not timestamps:
        expected["t"] = 123
    np.testing.assert_array_equal(arrived, expected)
    assert stats.events == n
    assert stats.torn == stats.out_of_geometry == stats.out_of_order == stats.late == 0


@quick
@given(data=st.binary(max_size=200), sender_time=st.booleans(), arrival_ns=st.integers(0, 2**63 - 1))
def test_any_bytes_are_data(data, sender_time, arrival_ns):
    events, stats = decoded(data, 200, 100, None, sender_time, arrival_ns)
    validate_events(events, 200, 100)
    if not data or len(data) % 4:
        assert (stats.malformed_length, len(events)) == (1, 0)
    elif not sender_time:
        assert events.tolist() == naive(data, 200, 100, min(arrival_ns, MAX_TIME_NS))


@quick
@given(
    st.lists(st.binary(min_size=4, max_size=60).map(lambda data: data[: len(data) // 4 * 4]), max_size=12),
    st.integers(1, 4),
)
def test_hostile_clocks_leave_time_in_order(datagrams, every):
    decoder, newest_ns = AerDecoder(2**15, 2**15, sender_time=True), 0
    for index, data in enumerate(datagrams):
        decoder.add(data, 0)
        if index % every == 0:
            events = decoder.take()
            validate_events(events, 2**15, 2**15)
            if len(events):
                assert events["t"][0] >= newest_ns
                newest_ns = int(events["t"][-1])


def timed(*times_us, x=1):
    return datagram(*[word for t_us in times_us for word in (x << 16, t_us % 2**32)])


def test_the_senders_time_is_unwrapped():
    decoder = AerDecoder(10, 10, sender_time=True)
    times = [2**32 - 10, 2**32 + 5, 2**32 + 2**31, 2**33 - 10]
    for t_us in times:
        decoder.add(timed(t_us), 0)
    assert (decoder.take()["t"] // 1000).tolist() == times
    assert decoder.stats.out_of_order == decoder.stats.clock_restarts == 0


def test_reordered_datagrams_are_sorted_until_handed_on():
    decoder = AerDecoder(10, 10, sender_time=True)
    for times in ((100, 110), (300, 310), (200, 210)):
        decoder.add(timed(*times), 0)
    assert decoder.waiting == 6
    assert (decoder.take()["t"] // 1000).tolist() == [100, 110, 200, 210, 300, 310]
    decoder.add(timed(250, 310, 320), 0)
    assert (decoder.take()["t"] // 1000).tolist() == [310, 320]
    assert (decoder.stats.out_of_order, decoder.stats.late, decoder.stats.events) == (3, 1, 8)


def test_a_sender_that_starts_anew_goes_on_from_where_it_was():
    decoder = AerDecoder(10, 10, sender_time=True)
    decoder.add(timed(5_000_000, 5_000_000 - RESTART_US - 1, 5_000_000 - RESTART_US + 9), 0)
    assert (decoder.take()["t"] // 1000).tolist() == [5_000_000, 5_000_000, 5_000_010]
    assert (decoder.stats.clock_restarts, decoder.stats.out_of_order) == (1, 0)


def test_a_forged_clock_ends_at_the_end_of_time():
    decoder = AerDecoder(10, 10, sender_time=True)
    decoder._clock[:] = MAX_TIME_US - 5, 100, 1
    decoder.add(timed(103, 200, 2**31), 0)
    assert (decoder.take()["t"] // 1000).tolist() == [MAX_TIME_US - 2, MAX_TIME_US, MAX_TIME_US]


def test_arrival_never_steps_back():
    decoder = AerDecoder(10, 10)
    word = datagram(1 << 31 | 1 << 16)
    for arrival_ns in (1000, 500, 2000):
        decoder.add(word, arrival_ns)
    assert decoder.take()["t"].tolist() == [1000, 1000, 2000]
    decoder.add(word, 1)
    assert decoder.take()["t"].tolist() == [2000]
    assert len(decoder.take()) == 0


def test_what_was_dropped_is_counted():
    _, stats = decoded(datagram(1 << 31 | 640 << 16, 1 << 31 | 480, 1 << 31, 5 << 16))
    assert (stats.out_of_geometry, stats.torn, stats.events) == (2, 1, 1)
    events, stats = decoded(datagram(1 << 31, 5 << 16, 9), sender_time=True)
    assert (events.tolist(), stats.without_time) == ([(9000, 5, 0, 0)], 1)
    for data in (b"", b"abc", b"abcde"):
        assert decoded(data)[1].malformed_length == 1


@pytest.mark.parametrize("bits", [{"x_shift": 15}, {"polarity_bit": 31}, {"y_shift": -1}, {"x_shift": 40}])
def test_impossible_layouts_are_refused(bits):
    with pytest.raises(ConfigError, match="three different bits"):
        AerLayout(**bits)


def test_sensors_that_the_words_cannot_address_are_refused():
    for geometry in ((32769, 1), (1, 32769), (0, 5)):
        with pytest.raises(ConfigError, match="32768x32768"):
            AerDecoder(*geometry)
    with pytest.raises(ConfigError, match="2048x"):
        OTHER.check_geometry(2049, 10)
    with pytest.raises(PacketError, match="EVENT_DTYPE"):
        encode(np.zeros(3), STANDARD, timestamps=False)
