"""Streams as they really come: joined late, with gaps, torn, rolled over, restarted, foreign, random."""

import dataclasses
import struct

import naive_event_codecs as naive
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_event_codecs import evt3, evt3_time

from neuro_robot.errors import PacketError
from neuro_robot.events import CODECS, EventPacket, StreamDecoder, pack

WIDTH, HEIGHT = 640, 480
EVENT_CODECS = [name for name, codec in CODECS.items() if codec.max_width]
quick = settings(deadline=None)  # the first example waits for the compiler


def packet(payload, seq=0, encoding="evt3", time_base=0, width=WIDTH, height=HEIGHT, is_bigendian=False):
    payload = np.frombuffer(payload, np.uint8)
    return EventPacket(0, "camera", height, width, seq, time_base, encoding, is_bigendian, payload)


def rows(decoded):
    return [tuple(row) for row in decoded.events.tolist()]


def own(t_ns, seq, encoding="evt3", x=3):
    events = naive.as_events([(t_ns, x, 4, 1)])
    return pack(events, encoding, width=WIDTH, height=HEIGHT, seq=seq, stamp_ns=0, t_end_ns=t_ns + 1_000_000)


class TestEvt3Words:
    def test_every_kind_of_word(self):
        payload = evt3(
            *evt3_time(5000),
            (0x0, 1 << 11 | 7),  # the camera's system bit is not part of the row
            (0x2, 9),
            (0x3, 1 << 11 | 100),
            (0x4, 0b100000000001),
            (0x5, 0b10000010),
            (0x4, 0b1),
            (0x9, 0x123),
            *[(0xE, 0x014), (0xF, 1), (0xF, 2), (0x7, 3)],
            (0xA, 6 << 8 | 1),
            *[(0x1, 0), (0xB, 0), (0xC, 0), (0xD, 0)],
        )
        decoder = StreamDecoder()
        decoded = decoder.decode(packet(payload))
        t = 5_000_000
        columns = [100, 111, 113, 119, 120]
        assert rows(decoded) == [(t, 9, 7, 0)] + [(t, x, 7, 1) for x in columns]
        assert decoded.triggers.tolist() == [(t, 6, 1)]
        assert decoder.stats.unknown_words == 4
        assert decoder.stats.triggers == 1
        assert decoder.stats.dropped_unsynchronised == decoder.stats.dropped_out_of_geometry == 0

    def test_time_low_may_step_back(self):
        payload = evt3((0x8, 2861), (0x6, 811), (0x0, 1), (0x2, 1), (0x6, 800), (0x2, 2), (0x6, 812), (0x2, 3))
        decoder = StreamDecoder()
        decoded = decoder.decode(packet(payload))
        base = 2861 * 4096
        assert [row[0] // 1000 - base for row in rows(decoded)] == [811, 800, 812]
        assert decoder.stats.backward_time == 1
        assert decoded.t_end_ns == (base + 812) * 1000

    def test_time_high_glitch_is_no_roll_over(self):
        payload = evt3(*evt3_time(100 * 4096), (0x0, 1), (0x2, 1), *evt3_time(90 * 4096 + 5), (0x2, 2))
        decoded = StreamDecoder().decode(packet(payload))
        assert [row[0] for row in rows(decoded)] == [100 * 4096_000, 90 * 4096_000 + 5000]
        assert decoded.t_end_ns == 100 * 4096_000, "the newest time that the packet names"

    def test_roll_over_and_glitch_across_it(self):
        start = 2**24 - 1
        payload = evt3(
            *evt3_time(start), (0x0, 1), (0x2, 1), *evt3_time(5), (0x2, 2), *evt3_time(start), (0x2, 3), *evt3_time(6)
        )
        decoder = StreamDecoder()
        decoded = decoder.decode(packet(payload + evt3((0x2, 4))))
        assert [row[0] // 1000 for row in rows(decoded)] == [start, 2**24 + 5, start, 2**24 + 6]
        assert decoder.stats.backward_time == 1

    def test_roll_overs_add_up_across_packets(self):
        decoder, expected = StreamDecoder(), []
        for seq in range(200):
            t_us = seq * 5_000_000
            decoded = decoder.decode(packet(evt3(*evt3_time(t_us), (0x0, 1), (0x2, 1)), seq))
            expected.append(t_us * 1000)
            assert [row[0] for row in rows(decoded)] == expected[-1:]
            assert decoded.t_end_ns == expected[-1]

    def test_new_time_high_without_time_low_starts_at_low_zero(self):
        payload = evt3(*evt3_time(4096 + 900), (0x8, 1), (0x0, 1), (0x2, 1), (0x8, 2), (0x2, 2))
        assert [row[0] for row in rows(StreamDecoder().decode(packet(payload)))] == [4_996_000, 8_192_000]

    def test_late_in_the_first_period_is_no_step_back_before_zero(self):
        payload = evt3(*evt3_time(5), (0x0, 1), (0x2, 1), *evt3_time(2**24 - 1), (0x2, 2))
        assert [row[0] // 1000 for row in rows(StreamDecoder().decode(packet(payload)))] == [5, 2**24 - 1]

    @pytest.mark.parametrize("base", [627, 628, 629, 639, 640, 2047])
    def test_vector_across_the_last_column(self, base):
        decoder = StreamDecoder()
        decoded = decoder.decode(packet(evt3(*evt3_time(0), (0x0, 0), (0x3, base), (0x4, 0xFFF))))
        inside = [x for x in range(base, base + 12) if x < WIDTH]
        assert [row[1] for row in rows(decoded)] == inside
        assert decoder.stats.dropped_out_of_geometry == 12 - len(inside)

    def test_vectors_at_and_beyond_the_edge(self):
        payload = evt3(*evt3_time(0), (0x0, 479), (0x3, 635), (0x4, 0xFFF), (0x4, 0xFFF), (0x0, 480), (0x3, 0))
        decoder = StreamDecoder()
        decoded = decoder.decode(packet(payload + evt3((0x4, 0xFFF), (0x2, 5), (0x0, 0), (0x2, 640), (0x2, 639))))
        assert [row[1:3] for row in rows(decoded)] == [(x, 479) for x in range(635, 640)] + [(639, 0)]
        assert decoder.stats.dropped_out_of_geometry == 7 + 12 + 12 + 1 + 1


class TestSynchronisation:
    def test_join_in_mid_stream_drops_until_time_row_and_base_are_known(self):
        decoder = StreamDecoder()
        first = decoder.decode(packet(evt3((0x2, 1), (0x6, 7), (0x2, 2), (0x8, 1), (0x2, 3), (0xA, 0)), seq=77))
        assert rows(first) == []
        assert first.t_end_ns == 0
        assert decoder.stats.dropped_unsynchronised == 4
        second = decoder.decode(packet(evt3((0x6, 8), (0x2, 4), (0x4, 0b111), (0x0, 2), (0x4, 1), (0x2, 5)), seq=78))
        assert rows(second) == [(4_104_000, 5, 2, 0)]
        assert decoder.stats.dropped_unsynchronised == 4 + 1 + 3 + 1
        assert decoder.stats.lost_packets == decoder.stats.resyncs == 0

    def test_gap_loses_state_but_not_the_roll_over_count(self):
        decoder = StreamDecoder()
        decoder.decode(packet(evt3(*evt3_time(2**24 - 2), (0x0, 1), (0x2, 1)), seq=4))
        decoder.decode(packet(evt3(*evt3_time(2**24 + 2), (0x3, 1)), seq=5))
        after = decoder.decode(packet(evt3((0x2, 9), (0x4, 3), *evt3_time(2**24 + 9000), (0x2, 1)), seq=8))
        assert rows(after) == []
        assert after.t_end_ns == (2**24 + 9000) * 1000
        assert decoder.stats.lost_packets == 2
        assert decoder.stats.resyncs == 1
        assert decoder.stats.dropped_unsynchronised == 4
        later = decoder.decode(packet(evt3((0x0, 3), (0x2, 2)), seq=9))
        assert rows(later) == [((2**24 + 9000) * 1000, 2, 3, 0)]

    @pytest.mark.parametrize("encoding", EVENT_CODECS)
    def test_gaps_in_self_contained_packets_cost_only_what_was_lost(self, encoding):
        decoder = StreamDecoder()
        hour_ns = 3600 * 10**9
        for seq, t_ns in [(5, hour_ns), (9, 25 * hour_ns), (10, 25 * hour_ns + 2_000_000)]:
            assert rows(decoder.decode(own(t_ns, seq, encoding))) == [(t_ns, 3, 4, 1)]
        stats = decoder.stats
        assert (stats.lost_packets, stats.resyncs, stats.dropped_unsynchronised) == (3, 0, 0)

    @pytest.mark.parametrize("encoding", EVENT_CODECS)
    def test_any_packet_decodes_alone_as_in_the_stream(self, encoding):
        packets = [own(10**12 + seq * 3_000_001_000, seq, encoding, x=seq) for seq in range(20)]
        stream = StreamDecoder()
        for one in packets:
            in_stream, alone = stream.decode(one), StreamDecoder().decode(one)
            np.testing.assert_array_equal(in_stream.events, alone.events)
            assert in_stream.t_end_ns == alone.t_end_ns

    def test_sequence_going_back_is_a_restart(self):
        decoder = StreamDecoder()
        decoder.decode(packet(evt3(*evt3_time(2**24 - 1), (0x0, 1), (0x2, 1)), seq=1000))
        restarted = decoder.decode(packet(evt3((0x2, 1), *evt3_time(50), (0x0, 1), (0x2, 1)), seq=0))
        assert rows(restarted) == [(50_000, 1, 1, 0)]
        stats = decoder.stats
        assert (stats.restarts, stats.resyncs, stats.lost_packets, stats.dropped_unsynchronised) == (1, 1, 0, 1)
        assert stats.backward_time == 0
        decoder.decode(packet(evt3((0x2, 2)), seq=1))
        assert stats.events == 3
        assert decoder.decode(packet(b"", seq=0)).t_end_ns == 0, "the new stream's time is not known yet"

    def test_torn_word_is_counted_and_what_depends_on_it_waits(self):
        decoder = StreamDecoder()
        torn = evt3(*evt3_time(10), (0x0, 1), (0x2, 1), (0x0, 2))[:-1]
        assert rows(decoder.decode(packet(torn, seq=0))) == [(10_000, 1, 1, 0)]
        assert decoder.stats.torn_bytes == 1
        following = decoder.decode(packet(evt3((0x2, 9), *evt3_time(11), (0x0, 2), (0x2, 9)), seq=1))
        assert rows(following) == [(11_000, 9, 2, 0)]
        assert (decoder.stats.resyncs, decoder.stats.dropped_unsynchronised) == (1, 1)

    @pytest.mark.parametrize("encoding", ["mono", "libcaer"])
    def test_torn_events_are_counted(self, encoding):
        whole = own(5_000_000, 0, encoding)
        decoder = StreamDecoder()
        torn = dataclasses.replace(whole, events=np.concatenate([whole.events, whole.events[:7]]))
        assert rows(decoder.decode(torn)) == [(5_000_000, 3, 4, 1)]
        assert decoder.stats.torn_bytes == 7
        assert decoder.stats.resyncs == 0

    def test_time_base_decides_the_roll_over_within_half_a_period(self):
        payload = evt3(*evt3_time(1000), (0x0, 1), (0x2, 1))
        for roll_overs in (0, 1, 5, 10**6):
            t_us = roll_overs * 2**24 + 1000
            for offset_us in (0, -(2**23) + 2000, 2**23 - 2000):
                one = packet(payload, time_base=max(1, (t_us + offset_us) * 1000))
                assert rows(StreamDecoder().decode(one)) == [(t_us * 1000, 1, 1, 0)]


class TestOtherEncodings:
    def test_libcaer_roll_over_inside_a_packet(self):
        last = 2**31 - 1
        stamps = [last - 1, last, 3, last - 5, 4, 4]
        payload = naive.encode_libcaer([(stamp * 1000, 5, 6, 1) for stamp in stamps])
        decoder = StreamDecoder()
        decoded = decoder.decode(packet(payload, encoding="libcaer", time_base=10**18))
        expected = [last - 1, last, 2**31 + 3, last - 5, 2**31 + 4, 2**31 + 4]
        assert [row[0] for row in rows(decoded)] == [10**18 + us * 1000 for us in expected]
        assert decoder.stats.backward_time == 1
        assert decoded.t_end_ns == 10**18 + (2**31 + 4) * 1000

    def test_small_steps_back_are_kept_and_counted(self):
        for encoding, payload in [
            ("mono", naive.encode_mono([(50, 1, 1, 1), (40, 2, 1, 0), (60, 3, 1, 1)], 0)),
            ("libcaer", naive.encode_libcaer([(50_000, 1, 1, 1), (40_000, 2, 1, 0), (60_000, 3, 1, 1)])),
        ]:
            decoder = StreamDecoder()
            assert [row[1] for row in rows(decoder.decode(packet(payload, encoding=encoding)))] == [1, 2, 3]
            assert decoder.stats.backward_time == 1

    def test_events_outside_the_sensor_are_dropped(self):
        outside = [(0, 640, 0, 1), (1000, 1, 1, 0), (2000, 0, 480, 1)]
        for encoding, payload in [("mono", naive.encode_mono(outside, 0)), ("libcaer", naive.encode_libcaer(outside))]:
            decoder = StreamDecoder()
            assert rows(decoder.decode(packet(payload, encoding=encoding))) == [(1000, 1, 1, 0)]
            assert decoder.stats.dropped_out_of_geometry == 2

    @pytest.mark.parametrize("encoding", ["evt3", "mono", "libcaer_cmp"])
    def test_big_endian_words(self, encoding):
        little = own(123_456_000, 0, encoding)
        swapped = little.events.view(CODECS[encoding].word).byteswap().view(np.uint8)
        big = dataclasses.replace(little, events=swapped, is_bigendian=True)
        assert rows(StreamDecoder().decode(big)) == [(123_456_000, 3, 4, 1)]

    def test_libcaer_is_little_endian_whatever_the_machine(self):
        big = dataclasses.replace(own(123_456_000, 0, "libcaer"), is_bigendian=True)
        assert rows(StreamDecoder().decode(big)) == [(123_456_000, 3, 4, 1)]

    def test_big_endian_triggers(self):
        payload = struct.pack(">Q", 1 << 63 | 5 << 48 | 0xFFFF << 32 | 77)
        decoder = StreamDecoder()
        decoded = decoder.decode(packet(payload, encoding="trigger", time_base=1000, is_bigendian=True))
        assert decoded.triggers.tolist() == [(1077, 5, 1)]
        assert decoded.t_end_ns == 1077

    def test_trigger_packets_need_no_geometry_and_count_steps_back(self):
        decoder = StreamDecoder()
        payload = struct.pack("<3Q", 50, 40, 60)
        decoded = decoder.decode(packet(payload + b"torn", encoding="trigger", width=0, height=0))
        assert [trigger[0] for trigger in decoded.triggers.tolist()] == [50, 40, 60]
        decoder.decode(packet(struct.pack("<Q", 59), seq=1, encoding="trigger", width=0, height=0))
        stats = decoder.stats
        assert (stats.triggers, stats.backward_time, stats.torn_bytes, stats.events) == (4, 2, 4, 0)

    def test_libcaer_cmp_every_kind_of_word(self):
        payload = evt3(
            *[(2, 1 << 11 | 9), (3, 1 << 11 | 7)],  # bit 11 of the column is not used
            *[(0, 1), (1, 5), (4, 1 << 11 | 100), (5, 0xF81), (5, 0b10)],
            *[(0, 2), (3, 4), (1, 3), (3, 4), (6, 1), (15, 0), (0, 1), (1, 3), (3, 4)],
        )
        decoder = StreamDecoder()
        decoded = decoder.decode(packet(payload, encoding="libcaer_cmp", time_base=10**18))
        start, later = 10**18, 10**18 + 4_101_000
        assert rows(decoded) == [
            *[(start, 9, 7, 1), (later, 9, 100, 1), (later, 9, 107, 1), (later, 9, 109, 1)],
            *[(start + 8_197_000, 9, 4, 0), (start + 8_195_000, 9, 4, 0), (start + 4_099_000, 9, 4, 0)],
        ]
        assert decoded.t_end_ns == start + 8_197_000
        assert (decoder.stats.unknown_words, decoder.stats.backward_time) == (2, 2)

    def test_libcaer_cmp_before_a_column_or_base_is_dropped(self):
        payload = evt3((3, 1), (5, 0b111), (2, 5), (5, 0b1), (3, 2), (4, 8), (5, 0b1))
        decoder = StreamDecoder()
        for seq in range(2):  # nothing is kept from packet to packet
            decoded = decoder.decode(packet(payload, seq, "libcaer_cmp"))
            assert rows(decoded) == [(0, 5, 2, 0), (0, 5, 8, 0)]
        assert decoder.stats.dropped_unsynchronised == 2 * 5

    def test_libcaer_cmp_outside_the_sensor_is_dropped(self):
        payload = evt3((2, 640), (3, 1), (4, 0), (5, 0xFF), (2, 639), (3, 480), (3, 479), (4, 476), (5, 0xFF), (5, 1))
        decoder = StreamDecoder()
        decoded = decoder.decode(packet(payload, encoding="libcaer_cmp"))
        assert [row[1:3] for row in rows(decoded)] == [(639, y) for y in (479, 476, 477, 478, 479)]
        assert decoder.stats.dropped_out_of_geometry == 1 + 8 + 1 + 4 + 1


class TestRefusal:
    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"encoding": "mono"}, "expected encoding evt3 as before, got mono"),
            ({"encoding": "evt4"}, "expected an encoding of evt3, mono, libcaer, libcaer_cmp, trigger, got 'evt4'"),
            ({"width": 1280, "height": 720}, "expected a 640x480 sensor, got 1280x720"),
            ({"width": 0}, "expected a 640x480 sensor"),
            ({"time_base": 2**63}, "expected time_base from 0"),
            ({"time_base": -1}, "expected time_base from 0"),
            ({"events": np.zeros((2, 2), np.uint8)}, "1-D array of uint8"),
            ({"events": np.zeros(4)}, "1-D array of uint8"),
            ({"events": b"abcd"}, "1-D array of uint8"),
        ],
    )
    def test_foreign_packet_is_refused_and_changes_nothing(self, change, message):
        decoder = StreamDecoder()
        decoder.decode(packet(evt3(*evt3_time(10), (0x0, 1), (0x2, 1)), seq=1))
        foreign = dataclasses.replace(packet(evt3((0x8, 3), (0x0, 9)), seq=500), **change)
        with pytest.raises(PacketError, match=message):
            decoder.decode(foreign)
        assert rows(decoder.decode(packet(evt3((0x2, 2)), seq=2))) == [(10_000, 2, 1, 0)]
        stats = decoder.stats
        assert (stats.refused_packets, stats.packets, stats.lost_packets, stats.resyncs) == (1, 2, 0, 0)

    def test_bad_first_packet_fixes_nothing(self):
        decoder = StreamDecoder()
        for width, height in [(0, 0), (2049, 480), (640, 2**31)]:
            with pytest.raises(PacketError, match="expected a sensor of 1x1 to 2048x2048"):
                decoder.decode(packet(b"", width=width, height=height))
        assert decoder.stats.refused_packets == 3
        assert rows(decoder.decode(own(5000, 0, "mono"))) == [(5000, 3, 4, 1)]

    def test_geometry_given_beforehand(self):
        decoder = StreamDecoder(346, 260)
        with pytest.raises(PacketError, match="expected a 346x260 sensor, got 640x480"):
            decoder.decode(own(5000, 0))

    @pytest.mark.parametrize("encoding", CODECS)
    def test_empty_payload(self, encoding):
        decoder = StreamDecoder()
        assert rows(decoder.decode(packet(b"", encoding=encoding))) == []


class TestRandomBytes:
    @quick
    @given(st.lists(st.binary(max_size=400), min_size=1, max_size=4), st.sampled_from([0, 1, 10**9, 10**14]))
    def test_evt3_agrees_with_the_naive_decoder(self, payloads, time_base):
        self.compare(payloads, time_base)

    @pytest.mark.parametrize("seed", range(12))
    def test_evt3_agrees_on_streams_of_likely_words(self, seed):
        rng = np.random.default_rng(seed)
        codes = rng.choice(16, (8, 400), p=np.array([6, 1, 8, 4, 6, 4, 8, 1, 3, 1, 2, 1, 1, 1, 1, 2]) / 50)
        values = rng.integers(0, 4096, codes.shape)
        small = rng.random(codes.shape) < 0.7
        values[small] %= 500
        near = codes == 0x8  # the high half of the clock creeps, steps back a little, and rolls over
        values[near] = (4000 + np.cumsum(rng.integers(-9, 12, near.sum()))) % 4096
        payloads = [(row << 12 | value).astype("<u2").tobytes() for row, value in zip(codes, values, strict=True)]
        assert self.compare(payloads, 0) > 500

    def compare(self, payloads, time_base):
        decoder, reference = StreamDecoder(), naive.NaiveEvt3(WIDTH, HEIGHT)
        for seq, payload in enumerate(payloads):
            if seq and len(payloads[seq - 1]) % 2:
                reference.forget()
            decoded = decoder.decode(packet(payload, seq, time_base=time_base))
            expected, triggers = reference.decode(payload, time_base)
            assert rows(decoded) == expected
            assert [tuple(row) for row in decoded.triggers.tolist()] == triggers
        stats = decoder.stats
        counted = (stats.dropped_unsynchronised, stats.dropped_out_of_geometry, stats.unknown_words)
        assert counted == (reference.dropped, reference.outside, reference.unknown)
        return stats.events

    @pytest.mark.parametrize("seed", range(8))
    def test_libcaer_cmp_agrees_on_streams_of_likely_words(self, seed):
        rng = np.random.default_rng(seed)
        codes = rng.choice(16, 3000, p=np.array([2, 6, 8, 12, 6, 8, 1, 1, *[0] * 7, 1]) / 45)
        values = np.where(rng.random(3000) < 0.7, rng.integers(0, 500, 3000), rng.integers(0, 4096, 3000))
        payload = (codes << 12 | values).astype("<u2").tobytes()
        decoder, reference = StreamDecoder(), naive.NaiveLibcaerCmp(WIDTH, HEIGHT)
        decoded = decoder.decode(packet(payload, encoding="libcaer_cmp", time_base=10**15))
        assert rows(decoded) == reference.decode(payload, 10**15)
        stats = decoder.stats
        counted = (stats.dropped_unsynchronised, stats.dropped_out_of_geometry, stats.unknown_words)
        assert counted == (reference.dropped, reference.outside, reference.unknown)
        assert stats.events > 500

    @quick
    @given(payload=st.binary(max_size=400), time_base=st.sampled_from([0, 1, 10**18, 2**62]))
    def test_triggers_agree_with_the_naive_decoder(self, payload, time_base):
        decoded = StreamDecoder().decode(packet(payload, encoding="trigger", time_base=time_base))
        assert [tuple(row) for row in decoded.triggers.tolist()] == naive.decode_trigger(payload, time_base)

    @pytest.mark.parametrize("encoding", ["mono", "libcaer", "libcaer_cmp"])
    @quick
    @given(payload=st.binary(max_size=400), time_base=st.sampled_from([0, 1, 10**18, 2**62]))
    def test_others_agree_with_the_naive_decoders(self, encoding, payload, time_base):
        side = min(20_000, CODECS[encoding].max_width)
        one = packet(payload, encoding=encoding, time_base=time_base, width=side, height=side)
        expected = getattr(naive, f"decode_{encoding}")(payload, time_base, side, side)
        assert rows(StreamDecoder(side, side).decode(one)) == expected

    @pytest.mark.parametrize("encoding", EVENT_CODECS)
    def test_a_megabyte_of_noise_stays_bounded(self, encoding):
        noise = np.random.default_rng(5).integers(0, 256, 1_000_001, dtype=np.uint8)
        width, height = CODECS[encoding].max_width, CODECS[encoding].max_height
        decoder = StreamDecoder()
        decoded = decoder.decode(packet(noise.tobytes(), encoding=encoding, width=width, height=height))
        assert decoded.events["p"].max() <= 1
        assert len(decoded.events) <= len(noise) * 6
        assert decoder.stats.torn_bytes == 1
