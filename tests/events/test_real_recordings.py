"""Recordings of real cameras against sums that other decoders agree on (see the recordings' README)."""

import os
from pathlib import Path

import numpy as np
import pytest

from neuro_robot.events import EventPacket, StreamDecoder, pack

pytestmark = pytest.mark.recordings

ROOT = Path(__file__).resolve().parents[2]
RECORDINGS = ROOT.parent / "shared" / "recordings"
MESSAGE = ROOT / "interfaces" / "event_camera_msgs" / "msg" / "EventPacket.msg"


def read_packets(name):
    path = RECORDINGS / name
    if not path.is_dir():
        reason = f"needs the real recording {name} in ../shared/recordings beside the project"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    from rosbags.highlevel import AnyReader
    from rosbags.typesys import Stores, get_types_from_msg, get_typestore

    store = get_typestore(Stores.ROS2_HUMBLE)
    store.register(get_types_from_msg(MESSAGE.read_text(), "event_camera_msgs/msg/EventPacket"))
    with AnyReader([path], default_typestore=store) as reader:
        messages = [reader.deserialize(raw, connection.msgtype) for connection, _, raw in reader.messages()]
    return [
        EventPacket(0, "camera", m.height, m.width, m.seq, m.time_base, m.encoding, m.is_bigendian, m.events)
        for m in messages
    ]


def decode_all(packets):
    decoder = StreamDecoder()
    decoded = [decoder.decode(packet) for packet in packets]
    events = np.concatenate([one.events for one in decoded])
    triggers = np.concatenate([one.triggers for one in decoded])
    return decoder.stats, decoded, events, triggers


def assert_nothing_lost(stats):
    names = "lost_packets resyncs restarts dropped_out_of_geometry dropped_unsynchronised backward_time torn_bytes"
    assert {name: getattr(stats, name) for name in names.split()} == dict.fromkeys(names.split(), 0)
    assert stats.unknown_words == stats.refused_packets == 0


def test_prophesee_evt3():
    stats, decoded, events, triggers = decode_all(read_packets("silky_evt3_640x480"))
    assert (stats.packets, stats.bytes) == (517, 2_250_308)
    assert np.bincount(events["p"]).tolist() == [218_291, 125_183]
    # Every EXT_TRIGGER word of the payload (4157) is a trigger, and the sum of times includes them all.
    assert np.bincount(triggers["value"]).tolist() == [2078, 2079]
    assert (events["t"].sum() + triggers["t"].sum()) // 1000 == 2_885_601_049_874
    assert events["t"][0] == 7_139_845_000
    assert decoded[-1].t_end_ns >= events["t"].max()
    assert_nothing_lost(stats)


def test_dvxplorer_libcaer():
    stats, decoded, events, _ = decode_all(read_packets("dvxplorer_libcaer_640x480"))
    assert (stats.packets, stats.events) == (201, 334_331)
    sums = {name: int(events[name].astype(np.uint64).sum()) for name in ("t", "x", "y", "p")}
    assert sums == {"t": 15_762_826_572_202_229_126, "x": 111_651_612, "y": 82_801_007, "p": 181_908}
    first = decoded[0].events
    assert (first["t"][0], first["t"][-1]) == (1_702_309_120_762_236_018, 1_702_309_120_772_213_018)
    assert np.bincount(first["p"]).tolist() == [741, 872]
    assert_nothing_lost(stats)


@pytest.mark.parametrize("name", ["silky_evt3_640x480", "dvxplorer_libcaer_640x480"])
@pytest.mark.parametrize("encoding", ["mono", "evt3", "libcaer", "libcaer_cmp"])
def test_recorded_events_survive_every_encoding(name, encoding):
    _, decoded, events, _ = decode_all(read_packets(name))
    packets = [
        pack(one.events, encoding, width=640, height=480, seq=seq, stamp_ns=0, t_end_ns=one.t_end_ns)
        for seq, one in enumerate(decoded)
    ]
    stats, _, again, _ = decode_all(packets)
    if encoding != "mono":
        events = events.copy()
        events["t"] -= events["t"] % 1000
    np.testing.assert_array_equal(again, events)
    assert_nothing_lost(stats)


def test_losing_packets_of_a_real_stream_never_gives_a_wrong_event():
    packets = read_packets("silky_evt3_640x480")
    _, _, events, _ = decode_all(packets)
    kept = [packet for i, packet in enumerate(packets) if i % 7 != 3 or packet is packets[-1]]
    stats, _, survivors, _ = decode_all(kept)
    assert stats.lost_packets == stats.resyncs == len(packets) - len(kept)
    assert 0 < stats.dropped_unsynchronised < 1000
    assert len(survivors) > 0.8 * len(events)
    assert set(survivors.tolist()) <= set(events.tolist())
