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
RESOLUTION_NS = {"mono": 1, "evt3": 1000, "libcaer": 1000, "libcaer_cmp": 1000}
EVENT_CODECS = [name for name, codec in CODECS.items() if codec.max_width]


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


def packed(events, encoding, t_end_ns, seq=0, width=WIDTH, height=HEIGHT, triggers=None):
    return pack(events, encoding, width=width, height=height, seq=seq, stamp_ns=7, t_end_ns=t_end_ns, triggers=triggers)


def floored(events, encoding):
    result = events.copy()
    result["t"] -= result["t"] % RESOLUTION_NS[encoding]
    return result


@pytest.mark.parametrize("encoding", EVENT_CODECS)
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
    tells_end = encoding in ("evt3", "libcaer_cmp") or not rows
    assert decoded.t_end_ns == (floor if tells_end else expected["t"][-1])
    assert (packet.stamp_ns, packet.width, packet.height, packet.is_bigendian) == (7, WIDTH, HEIGHT, False)
    stats = decoder.stats
    assert (stats.events, stats.packets, stats.bytes) == (len(rows), 1, packet.events.size)
    assert stats.dropped_out_of_geometry == stats.dropped_unsynchronised == stats.backward_time == 0


@pytest.mark.parametrize("encoding", EVENT_CODECS)
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


def test_evt3_uses_groups_of_vectors_where_they_pay():
    def payload(columns, width=WIDTH):
        packet = packed(naive.as_events([(0, x, 0, 1) for x in columns]), "evt3", 0, width=width)
        return words_of(packet)[3:-2]

    on = 1 << 11
    assert payload([4, 5, 6, 7]) == [(2, on | x) for x in (4, 5, 6, 7)], "four are no cheaper as a group"
    assert payload([4, 5, 15, 16, 30]) == [(3, on | 4), (4, 0b100000000011), (4, 1), (5, 0b100)]
    assert payload([4, 5, 6, 7, 36]) == [(2, on | x) for x in (4, 5, 6, 7, 36)], "too far for one group"
    assert payload(range(32)) == [(3, on), (4, 0xFFF), (4, 0xFFF), (5, 0xFF)]
    whole = [(4, 0xFFF), (4, 0xFFF), (5, 0xFF)]
    assert payload(range(64)) == [(3, on), *whole, *whole], "the next group goes on without a base"
    assert payload([*range(32), 1, *range(32, 64)])[4:] == [(2, on | 1), (3, on | 32), *whole], "a base after a column"
    assert payload(range(65, 70)) == [(3, on | 38), (4, 0), (4, 0), (5, 0b11111000)], "inside the sensor"
    assert payload(range(10), width=31) == [(2, on | x) for x in range(10)], "no group fits"
    assert payload([5, 4, 3, 2, 1]) == [(2, on | x) for x in (5, 4, 3, 2, 1)], "order is kept"
    assert payload([4] * 6) == [(2, on | 4)] * 6, "as are repetitions"


@quick
@given(rows=event_rows().filter(lambda rows: not rows or rows[-1][0] < 2**24 * 1000))
def test_the_vendors_reading_of_vectors_understands_evt3(rows):
    packet = packed(naive.as_events(rows), "evt3", (rows[-1][0] if rows else 0) + 5000)
    decoded = naive.vendor_evt3_events(packet.events.view("<u2").tolist(), WIDTH, HEIGHT)
    assert naive.as_events(decoded).tolist() == floored(naive.as_events(rows), "evt3").tolist()


def test_libcaer_cmp_words():
    def words(rows, t_end_ns):
        return words_of(packed(naive.as_events(rows), "libcaer_cmp", t_end_ns, width=640, height=480))

    on, start = 1 << 11, 7_000_500
    packet = packed(naive.as_events([(start, 5, 4, 0)]), "libcaer_cmp", start)
    assert packet.time_base == 7_000_000
    assert words([(start, 5, 4, 0)], start) == [(2, 5), (3, 4)]
    assert words([(start, 5, y, 1) for y in (4, 6)], start) == [(2, 5), (3, on | 4), (3, on | 6)]
    assert words([(start, 5, y, 1) for y in (4, 6, 11)], start) == [(2, 5), (4, on | 4), (5, 0b10000101)]
    column = [(start, 5, y, 1) for y in range(100, 124)]
    assert words(column, start) == [(2, 5), (4, on | 100), (5, 0xFF), (5, 0xFF), (5, 0xFF)], "base moves on by itself"
    both = [(start, 5, 4, 0), (start + 5_000_000, 5, 4, 1), (start + 5_001_000, 6, 4, 1)]
    assert words(both, start + 9_000_000)[2:] == [
        *[(0, 1), (1, 904), (3, on | 4)],
        *[(1, 905), (2, 6), (3, on | 4)],
        *[(0, 2), (1, 9000 - 8192)],
    ]


@st.composite
def trigger_rows(draw, start):
    t, rows = start, []
    for _ in range(draw(st.integers(0, 12))):
        t += draw(st.sampled_from([0, 1, 999, 1000, 30_000, 5_000_000]))
        rows.append((t, draw(st.integers(0, 15)), draw(st.integers(0, 1))))
    return rows


@quick
@given(st.data(), event_rows())
def test_evt3_carries_triggers_among_events(data, rows):
    start = max((rows[0][0] if rows else 0) - data.draw(st.sampled_from([0, 1, 5000])), 0)
    edges = data.draw(trigger_rows(start))
    t_end_ns = max([row[0] for row in (*rows, *edges)], default=0) + 1
    packet = packed(naive.as_events(rows), "evt3", t_end_ns, triggers=naive.as_triggers(edges))
    decoder = StreamDecoder()
    decoded = decoder.decode(packet)
    np.testing.assert_array_equal(decoded.events, floored(naive.as_events(rows), "evt3"))
    np.testing.assert_array_equal(decoded.triggers, floored(naive.as_triggers(edges), "evt3"))
    assert (decoder.stats.triggers, decoder.stats.backward_time) == (len(edges), 0)


@pytest.mark.parametrize("t_end_ns", [None, 10**18])
def test_trigger_packets_round_trip(t_end_ns):
    edges = naive.as_triggers(
        [(10**9, 0, 1), (10**9 + 1, 255, 0), (10**9 + 2**32 - 1, 7, 1)][: 3 if t_end_ns is None else 0]
    )
    packet = packed(empty_events(), "trigger", t_end_ns or int(edges["t"][-1]), triggers=edges)
    assert naive.decode_trigger(packet.events.tobytes(), packet.time_base) == edges.tolist()
    decoded = StreamDecoder().decode(packet)
    np.testing.assert_array_equal(decoded.triggers, edges)
    assert decoded.t_end_ns == (t_end_ns or edges["t"][-1])
    assert len(decoded.events) == 0


def test_what_an_encoding_cannot_carry_is_refused():
    good, edge = naive.as_events([(10, 1, 1, 1)]), naive.as_triggers([(10, 3, 1)])
    with pytest.raises(PacketError, match="trigger carries no events, got 1"):
        packed(good, "trigger", 10)
    for encoding in ("mono", "libcaer", "libcaer_cmp"):
        with pytest.raises(PacketError, match=f"{encoding} carries no triggers, got 1"):
            packed(good, encoding, 10, triggers=edge)
    for bad in ([(10, 16, 1)], [(10, 3, 2)], [(-1, 3, 1)], [(2**62 + 1, 3, 1)], [(10, 3, 1), (9, 3, 0)]):
        with pytest.raises(PacketError, match=f"trigger {len(bad) - 1}: expected sorted t"):
            packed(good, "evt3", 10, triggers=naive.as_triggers(bad))
    with pytest.raises(PacketError, match="1-D array of TRIGGER_DTYPE"):
        packed(good, "evt3", 10, triggers=good)
    with pytest.raises(PacketError, match="expected t_end_ns from the last event's 11"):
        packed(good, "evt3", 10, triggers=naive.as_triggers([(11, 3, 1)]))


def test_evt3_tells_every_roll_over_of_a_long_quiet_packet():
    gap_ns = 60 * 2**24 * 1000 + 5_000_000
    events = naive.as_events([(0, 1, 1, 1), (gap_ns, 2, 2, 0)])
    packet = packed(events, "evt3", gap_ns)
    np.testing.assert_array_equal(StreamDecoder().decode(packet).events, events)
    camera, _ = naive.NaiveEvt3(WIDTH, HEIGHT).decode(packet.events.tobytes(), 0)
    assert naive.as_events(camera).tolist() == events.tolist()


@pytest.mark.parametrize(
    ("encoding", "largest"), [("mono", (65536, 32768)), ("evt3", (2048, 2048)), ("libcaer_cmp", (2048, 2048))]
)
def test_corner_pixels_of_the_largest_sensor(encoding, largest):
    width, height = largest
    events = naive.as_events([(0, x, y, 1) for y in (0, height - 1) for x in (0, width - 3, width - 2, width - 1)])
    packet = packed(events, encoding, 1000, width=width, height=height)
    np.testing.assert_array_equal(StreamDecoder().decode(packet).events, events)
    with pytest.raises(PacketError, match="expected a sensor of 1x1 to"):
        packed(events, encoding, 1000, width=width + 1, height=height)


@pytest.mark.parametrize(
    ("encoding", "longest"),
    [("mono", 2**32 - 1), ("evt3", 2**30 * 1000), ("libcaer", 2**30 * 1000), ("libcaer_cmp", (2**24 - 1) * 1000)],
)
def test_time_beyond_one_packet_is_refused(encoding, longest):
    events = naive.as_events([(1000, 1, 1, 1), (1000 + longest, 2, 2, 0)])
    decoded = StreamDecoder().decode(packed(events, encoding, 1000 + longest))
    np.testing.assert_array_equal(decoded.events, floored(events, encoding))
    with pytest.raises(PacketError, match="holds at most"):
        packed(events, encoding, 1001 + longest)


def test_bad_input_to_pack_is_refused():
    good = naive.as_events([(10, 1, 1, 1)])
    with pytest.raises(
        PacketError, match="expected an encoding of evt3, mono, libcaer, libcaer_cmp, trigger, got 'evt2'"
    ):
        packed(good, "evt2", 10)
    with pytest.raises(PacketError, match="outside the 70x5 sensor"):
        packed(naive.as_events([(10, 70, 1, 1)]), "mono", 10)
    with pytest.raises(PacketError, match="expected t_end_ns from the last event's 10"):
        packed(good, "mono", 9)
    with pytest.raises(PacketError, match="expected t_end_ns"):
        packed(empty_events(), "mono", -1)
    with pytest.raises(PacketError, match="expected a sensor"):
        packed(empty_events(), "mono", 0, width=0)
