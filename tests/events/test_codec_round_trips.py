"""What goes in comes out: hypothesis events through the codecs, and each direction against the naive codecs."""

import naive_event_codecs as naive
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuro_robot.errors import PacketError
from neuro_robot.events import CODECS, EVENT_DTYPE, StreamDecoder, empty_events, pack

WIDTH, HEIGHT = 70, 5
quick = settings(deadline=None)  # the first example waits for the compiler
RESOLUTION_NS = {"mono": 1, "evt3": 1000, "libcaer": 1000}


@st.composite
def event_rows(draw):
    """Sorted events, often in runs along a row within one microsecond, anywhere in 64-bit time."""
    start = draw(st.sampled_from([0, 1, 999, 16_777_215_000, 2**31 * 1000 - 3000, 1_700_000_000_000_000_000]))
    t, rows = start, []
    for _ in range(draw(st.integers(0, 12))):
        t += draw(st.sampled_from([0, 1, 400, 1000, 4_096_000, 40_000_000]))
        y, p, x = draw(st.integers(0, HEIGHT - 1)), draw(st.integers(0, 1)), draw(st.integers(0, WIDTH - 1))
        for step in draw(st.lists(st.integers(1, 14), max_size=12)):
            rows.append((t, x, y, p))
            x = (x + step) % WIDTH
        rows.append((t, x, y, p))
    return rows


def packed(events, encoding, t_end_ns, seq=0, width=WIDTH, height=HEIGHT):
    return pack(events, encoding, width=width, height=height, seq=seq, stamp_ns=7, t_end_ns=t_end_ns)


def floored(events, encoding):
    result = events.copy()
    result["t"] -= result["t"] % RESOLUTION_NS[encoding]
    return result


@pytest.mark.parametrize("encoding", CODECS)
@quick
@given(rows=event_rows(), extra_ns=st.sampled_from([0, 1, 999, 2_000_000, 100_000_000]))
def test_round_trip_is_exact_and_keeps_the_order(encoding, rows, extra_ns):
    events = naive.as_events(rows)
    t_end_ns = (rows[-1][0] if rows else 12_345_678_901) + extra_ns
    packet = packed(events, encoding, t_end_ns)
    decoder = StreamDecoder()
    decoded = decoder.decode(packet)
    expected = floored(events, encoding)
    np.testing.assert_array_equal(decoded.events, expected)
    assert decoded.events.dtype == EVENT_DTYPE
    floor = t_end_ns // RESOLUTION_NS[encoding] * RESOLUTION_NS[encoding]
    tells_end = encoding == "evt3" or not rows
    assert decoded.t_end_ns == (floor if tells_end else expected["t"][-1])
    assert (packet.stamp_ns, packet.width, packet.height, packet.is_bigendian) == (7, WIDTH, HEIGHT, False)
    stats = decoder.stats
    assert (stats.events, stats.packets, stats.bytes) == (len(rows), 1, packet.events.size)
    assert stats.dropped_out_of_geometry == stats.dropped_unsynchronised == stats.backward_time == 0


@pytest.mark.parametrize("encoding", CODECS)
@quick
@given(rows=event_rows())
def test_naive_decoders_understand_the_encoders(encoding, rows):
    packet = packed(naive.as_events(rows), encoding, (rows[-1][0] if rows else 0) + 5000)
    payload = packet.events.tobytes()
    if encoding == "evt3":
        epoch_far = packet.time_base > 2**40 * 1000  # the naive decoder tries every roll-over count up to there
        if epoch_far:
            return
        decoded, _ = naive.NaiveEvt3(WIDTH, HEIGHT).decode(payload, packet.time_base)
    else:
        decoded = getattr(naive, f"decode_{encoding}")(payload, packet.time_base, WIDTH, HEIGHT)
    assert naive.as_events(decoded).tolist() == floored(naive.as_events(rows), encoding).tolist()


@quick
@given(rows=event_rows().filter(len))
def test_mono_and_libcaer_bytes_are_those_of_the_format(rows):
    events = naive.as_events(rows)
    mono = packed(events, "mono", rows[-1][0])
    assert mono.time_base == rows[0][0]
    assert mono.events.tobytes() == naive.encode_mono(rows, mono.time_base)
    libcaer = packed(events, "libcaer", rows[-1][0])
    assert libcaer.time_base == rows[0][0] // 1000 // 2**31 * 2**31 * 1000
    assert libcaer.events.tobytes() == naive.encode_libcaer(rows)


def words_of(packet):
    return [(int(word) >> 12, int(word) & 0xFFF) for word in packet.events.view("<u2")]


def test_evt3_packet_starts_and_ends_with_time_words():
    t_ns = 3 * 4096_000 + 17_000
    packet = packed(naive.as_events([(t_ns, 3, 2, 1)]), "evt3", t_ns + 5_000_000)
    end_us = (t_ns + 5_000_000) // 1000
    expected = [*naive.evt3_time(t_ns // 1000), (0, 2), (2, 1 << 11 | 3), *naive.evt3_time(end_us)]
    assert words_of(packet) == expected
    assert packet.time_base == t_ns
    empty = packed(empty_events(), "evt3", 0)
    assert words_of(empty) == naive.evt3_time(0)
    assert empty.time_base == 1, "0 would mean a camera's stream"


def test_evt3_uses_vectors_where_they_pay():
    def payload(columns):
        packet = packed(naive.as_events([(0, x, 0, 1) for x in columns]), "evt3", 0)
        return words_of(packet)[3:-2]

    on = 1 << 11
    assert payload([4, 9]) == [(2, on | 4), (2, on | 9)], "two events are no cheaper as a vector"
    assert payload([4, 5, 15]) == [(3, on | 4), (4, 0b100000000011)]
    assert payload([4, 5, 16]) == [(2, on | 4), (2, on | 5), (2, on | 16)]
    assert payload(range(32)) == [(3, on), (4, 0xFFF), (4, 0xFFF), (5, 0xFF)]
    assert payload([5, 4, 3]) == [(2, on | 5), (2, on | 4), (2, on | 3)], "order is kept"
    assert payload([4, 4, 4]) == [(2, on | 4)] * 3, "as are repetitions"


def test_evt3_tells_every_roll_over_of_a_long_quiet_packet():
    gap_ns = 60 * 2**24 * 1000 + 5_000_000
    events = naive.as_events([(0, 1, 1, 1), (gap_ns, 2, 2, 0)])
    packet = packed(events, "evt3", gap_ns)
    np.testing.assert_array_equal(StreamDecoder().decode(packet).events, events)
    camera, _ = naive.NaiveEvt3(WIDTH, HEIGHT).decode(packet.events.tobytes(), 0)
    assert naive.as_events(camera).tolist() == events.tolist()


@pytest.mark.parametrize(("encoding", "largest"), [("mono", (65536, 32768)), ("evt3", (2048, 2048))])
def test_corner_pixels_of_the_largest_sensor(encoding, largest):
    width, height = largest
    events = naive.as_events([(0, x, y, 1) for y in (0, height - 1) for x in (0, width - 3, width - 2, width - 1)])
    packet = packed(events, encoding, 1000, width=width, height=height)
    np.testing.assert_array_equal(StreamDecoder().decode(packet).events, events)
    with pytest.raises(PacketError, match="expected a sensor of 1x1 to"):
        packed(events, encoding, 1000, width=width + 1, height=height)


@pytest.mark.parametrize(
    ("encoding", "longest"), [("mono", 2**32 - 1), ("evt3", 2**30 * 1000), ("libcaer", 2**30 * 1000)]
)
def test_time_beyond_one_packet_is_refused(encoding, longest):
    events = naive.as_events([(1000, 1, 1, 1), (1000 + longest, 2, 2, 0)])
    decoded = StreamDecoder().decode(packed(events, encoding, 1000 + longest))
    np.testing.assert_array_equal(decoded.events, floored(events, encoding))
    with pytest.raises(PacketError, match="holds at most"):
        packed(events, encoding, 1001 + longest)


def test_bad_input_to_pack_is_refused():
    good = naive.as_events([(10, 1, 1, 1)])
    with pytest.raises(PacketError, match="expected an encoding of evt3, mono, libcaer, got 'evt2'"):
        packed(good, "evt2", 10)
    with pytest.raises(PacketError, match="outside the 70x5 sensor"):
        packed(naive.as_events([(10, 70, 1, 1)]), "mono", 10)
    with pytest.raises(PacketError, match="expected t_end_ns from the last event's 10"):
        packed(good, "mono", 9)
    with pytest.raises(PacketError, match="expected t_end_ns"):
        packed(empty_events(), "mono", -1)
    with pytest.raises(PacketError, match="expected a sensor"):
        packed(empty_events(), "mono", 0, width=0)
