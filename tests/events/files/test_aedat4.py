"""AEDAT4: exact both ways in every compression, read by the peers and reading theirs, robust against damage."""

import struct
import tracemalloc

import numpy as np
import pytest
from hostile_files import attack, random_events, random_triggers, read_or_refuse, sorted_triggers

from neuro_robot.errors import FileFormatError, PacketError
from neuro_robot.events.array import empty_events
from neuro_robot.events.files import open_reader, open_writer, read_all
from neuro_robot.events.files.aedat4 import Aedat4Reader
from neuro_robot.events.files.aedat4_writer import Aedat4Writer

UNIX_US = 1_600_000_000_000_000
COMPRESSIONS = ["NONE", "LZ4", "LZ4_HIGH", "ZSTD", "ZSTD_HIGH"]


@pytest.fixture
def events():
    return random_events(25_123, 346, 260, start_us=UNIX_US, steps_back=True)


@pytest.fixture
def triggers(events):
    last_us = int(events["t"].max()) // 1000
    return random_triggers(300, UNIX_US, last_us, [0, 1, 6, 255])


def write(path, events, triggers=None, compression="LZ4", step=7_001):
    with Aedat4Writer(path, 346, 260, compression_name=compression) as writer:
        for start in range(0, len(events), step):
            writer.write(events[start : start + step])
        if triggers is not None:
            writer.write(empty_events(), triggers)
    return path


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_round_trip(tmp_path, events, triggers, compression):
    path = write(tmp_path / "a.aedat4", events, triggers, compression)
    with Aedat4Reader(path) as reader:
        back = reader.read_all()
        assert (reader.width, reader.height) == (346, 260)
        assert reader.details["compression"] == compression
        assert reader.position() == 1.0
        assert reader.stats.events == len(events)
        assert reader.stats.backward_time == np.count_nonzero(np.diff(events["t"]) < 0) > 0
    assert np.array_equal(back.events, events)
    assert np.array_equal(sorted_triggers(back.triggers), sorted_triggers(triggers))


def test_nanoseconds_are_floored_and_an_empty_recording_is_one(tmp_path, events):
    events["t"] += 999
    assert np.array_equal(read_all(write(tmp_path / "a.aedat4", events)).events["t"], events["t"] - 999)
    assert len(read_all(write(tmp_path / "b.aedat4", events[:0])).events) == 0


@pytest.mark.parametrize("max_events", [1, 999, 10_000, 1 << 20])
def test_chunks_are_no_larger_than_asked(tmp_path, events, max_events):
    events = events[:12_345] if max_events > 1 else events[:50]
    with open_reader(write(tmp_path / "a.aedat4", events)) as reader:
        chunks = list(reader.chunks(max_events))
    assert max(len(chunk.events) for chunk in chunks) <= max_events
    assert np.array_equal(np.concatenate([chunk.events for chunk in chunks]), events)


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_dv_processing_reads_ours(tmp_path, events, triggers, compression):
    dv = pytest.importorskip("dv_processing")
    events.sort(order="t", kind="stable")
    triggers["id"] = 0
    recording = dv.io.MonoCameraRecording(str(write(tmp_path / "a.aedat4", events, triggers, compression)))
    assert recording.getEventResolution() == (346, 260)
    batches = list(iter(recording.getNextEventBatch, None))
    theirs = np.concatenate([batch.numpy() for batch in batches])
    for name, ours in [
        ("timestamp", events["t"] // 1000),
        ("x", events["x"]),
        ("y", events["y"]),
        ("polarity", events["p"]),
    ]:
        assert np.array_equal(theirs[name], ours)
    edges = [edge for batch in iter(recording.getNextTriggerBatch, None) for edge in batch]
    assert [edge.timestamp for edge in edges] == (triggers["t"] // 1000).tolist()
    rising = dv.TriggerType.EXTERNAL_SIGNAL_RISING_EDGE
    assert [edge.type == rising for edge in edges] == (triggers["value"] == 1).tolist()


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_reads_what_dv_processing_writes(tmp_path, events, triggers, compression):
    dv = pytest.importorskip("dv_processing")
    events.sort(order="t", kind="stable")
    config = dv.io.MonoCameraWriter.Config("DAVIS346_1", getattr(dv.CompressionType, compression))
    config.addEventStream((346, 260))
    config.addTriggerStream()
    writer = dv.io.MonoCameraWriter(str(tmp_path / "a.aedat4"), config)
    store = dv.EventStore()
    for t, x, y, p in events.tolist():
        store.push_back(t // 1000, x, y, bool(p))
    writer.writeEvents(store)
    kinds = [dv.TriggerType.EXTERNAL_SIGNAL_FALLING_EDGE, dv.TriggerType.EXTERNAL_SIGNAL_RISING_EDGE]
    for t, _, value in triggers.tolist():
        writer.writeTrigger(dv.Trigger(t // 1000, kinds[value]))
    del writer
    triggers["id"] = 0
    with open_reader(tmp_path / "a.aedat4") as reader:
        assert reader.details["source"] == "DAVIS346_1"
        back = reader.read_all()
    assert np.array_equal(back.events, events)
    assert np.array_equal(back.triggers, triggers)


def test_faery_agrees_both_ways(tmp_path, events):
    faery = pytest.importorskip("faery")
    events.sort(order="t", kind="stable")
    theirs = np.concatenate(list(faery.events_stream_from_file(write(tmp_path / "a.aedat4", events))))
    for name, ours in [("t", events["t"] // 1000), ("x", events["x"]), ("y", events["y"]), ("on", events["p"] == 1)]:
        assert np.array_equal(theirs[name], ours)
    faery.events_stream_from_array(theirs, (346, 260)).to_file(tmp_path / "b.aedat4")
    assert np.array_equal(read_all(tmp_path / "b.aedat4").events, events)


def test_a_killed_writer_leaves_what_it_wrote(tmp_path, events):
    path = tmp_path / "a.aedat4"
    writer = Aedat4Writer(path, 346, 260)
    writer.write(events)
    writer._file.flush()
    data = path.read_bytes()
    writer.close()
    path.write_bytes(data[:-100])
    with open_reader(path) as reader:
        assert "no" in reader.details["finished"]
        assert np.array_equal(reader.read_all().events, events[:10_000])
        assert reader.stats.torn_bytes > 100


def test_several_cameras(tmp_path, events):
    """Two event streams by hand: the writer's packets, the second with another stream number."""
    from neuro_robot.events.files.aedat4_header import Stream, header_bytes

    one = write(tmp_path / "1.aedat4", events[:9_000], compression="NONE").read_bytes()
    two = write(tmp_path / "2.aedat4", events[9_000:18_000], compression="NONE").read_bytes()
    streams = [Stream(0, "EVTS", 346, 260, "left"), Stream(3, "EVTS", 346, 260, "right")]
    header = header_bytes(0, "NONE", -1, streams)
    size = 8 + 32 + 9_000 * 16
    packets = one[len(header) :][:size], bytes([3]) + two[len(header) :][1:size]
    path = tmp_path / "both.aedat4"
    path.write_bytes(header + packets[1] + packets[0])
    assert np.array_equal(read_all(path).events, events[:9_000])
    with Aedat4Reader(path, stream=3) as reader:
        assert reader.details["source"] == "right"
        assert np.array_equal(reader.read_all().events, events[9_000:18_000])
    with pytest.raises(FileFormatError, match="no stream 1 of events; choose one of 0: EVTS 346x260 left; 3"):
        Aedat4Reader(path, stream=1)


def test_refuses_what_it_cannot_hold(tmp_path, events):
    with pytest.raises(FileFormatError, match="aedat4"):
        open_writer(tmp_path / "a.aedat4", 40_000, 10)
    with pytest.raises(FileFormatError, match="LZ5"):
        Aedat4Writer(tmp_path / "a.aedat4", 346, 260, compression_name="LZ5")
    with open_writer(tmp_path / "a.aedat4", 100, 100) as writer, pytest.raises(PacketError):
        writer.write(events)


def test_defects_are_named_with_their_offset(tmp_path, events):
    data = write(tmp_path / "good.aedat4", events[:20_000], compression="NONE").read_bytes()
    first = data.index(b"EVTS\0\0\x06") - 16
    path = tmp_path / "bad.aedat4"

    def refused(change):
        copy = bytearray(data)
        change(copy)
        path.write_bytes(copy)
        outcome = read_or_refuse(open_reader, path)
        assert isinstance(outcome, str)
        return outcome

    def forged_size(copy):
        copy[first + 4 : first + 8] = struct.pack("<i", 2**31 - 1)

    def forged_length(copy):
        copy[first + 8 + 28 : first + 8 + 32] = struct.pack("<I", 2**28)

    def foreign_stream(copy):
        copy[first] = 77

    def cut(copy):
        del copy[first + 1000 :]

    def unknown_compression(copy):
        copy[14 + 28] = 9

    assert f"byte {first + 8}: a packet says 2147483647 bytes" in refused(forged_size)
    assert f"byte {first}: a packet of events is damaged: a vector of {2**28} elements" in refused(forged_length)
    assert f"byte {first}: a packet of stream 77; the header names 0, 1" in refused(foreign_stream)
    assert f"byte {first + 8}: a packet says" in refused(cut)
    assert "compression 9 is unknown" in refused(unknown_compression)
    assert "outside" in refused(lambda copy: copy.__setitem__(slice(18, 20), b"\xff\xff"))


@pytest.mark.parametrize("compression", ["LZ4", "ZSTD"])
def test_a_bomb_is_refused_without_filling_memory(tmp_path, compression, monkeypatch):
    from neuro_robot.events.files import packet_compression
    from neuro_robot.events.files.aedat4_header import Stream, header_bytes

    monkeypatch.setattr(packet_compression, "MAX_PACKET_BYTES", 1 << 24)
    code = packet_compression.CODES[compression]
    packing = packet_compression.compression(code)
    bomb = packing.compress(bytes(1 << 27))
    header = header_bytes(code, compression, -1, [Stream(0, "EVTS", 10, 10, "")])
    (tmp_path / "a.aedat4").write_bytes(header + struct.pack("<ii", 0, len(bomb)) + bomb)
    tracemalloc.start()
    with pytest.raises(FileFormatError, match="unpacks to more than"):
        read_all(tmp_path / "a.aedat4")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 26


@pytest.mark.parametrize("compression", ["NONE", "LZ4", "ZSTD"])
def test_damaged_files(tmp_path, events, triggers, compression):
    data = write(tmp_path / "good.aedat4", events[:300], triggers[:50], compression).read_bytes()
    assert attack(open_reader, data, tmp_path / "bad.aedat4", rounds=400) > 50
