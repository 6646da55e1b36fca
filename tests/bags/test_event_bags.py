"""Bags of event messages: written and read by rosbags as the peer, exact both ways, real recordings, damage."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from hostile_files import mutated, random_events, random_triggers, read_or_refuse, sorted_triggers
from rosbags.rosbag1 import Writer as Writer1
from rosbags.rosbag2 import Reader as Reader2
from rosbags.rosbag2 import StoragePlugin
from rosbags.rosbag2 import Writer as Writer2
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from neuro_robot.bags import event_bags
from neuro_robot.bags.event_bag_writer import EventBagWriter
from neuro_robot.bags.event_messages import read_array
from neuro_robot.bags.messages import EVENT_PACKET_TEXT, typestore
from neuro_robot.errors import BagError, FileFormatError, PacketError
from neuro_robot.events import pack
from neuro_robot.events.files import open_reader, open_writer, read_all

RECORDINGS = Path(__file__).resolve().parents[2].parent / "shared" / "recordings"
ARRAY_TEXT = """\
std_msgs/Header header
uint32 height
uint32 width
{package}/Event[] events
================================================================================
MSG: {package}/Event
uint16 x
uint16 y
time ts
bool polarity
"""
UNIX_US = 1_600_000_000_000_000


def store(ros, package):
    """Types of one package as rosbags makes them from the message's text."""
    types = get_typestore(Stores.ROS1_NOETIC if ros == 1 else Stores.ROS2_KILTED)
    if package in ("dvs_msgs", "prophesee_event_msgs"):
        text = ARRAY_TEXT.format(package=package)
        text = text if ros == 1 else text.replace("time ts", "builtin_interfaces/Time ts")
        types.register(get_types_from_msg(text, f"{package}/msg/EventArray"))
    else:
        name = "EventPacket" if package == "event_camera_msgs" else "EventArray"
        types.register(get_types_from_msg(EVENT_PACKET_TEXT, f"{package}/msg/{name}"))
    return types


def header(types, ros, t_ns):
    stamp = types.types["builtin_interfaces/msg/Time"](t_ns // 10**9, t_ns % 10**9)
    return types.types["std_msgs/msg/Header"](*([0] if ros == 1 else []), stamp, "cam")


def array_message(types, ros, package, events):
    event, time = types.types[f"{package}/msg/Event"], types.types["builtin_interfaces/msg/Time"]
    rows = [event(x, y, time(t // 10**9, t % 10**9), bool(p)) for t, x, y, p in events.tolist()]
    return types.types[f"{package}/msg/EventArray"](header(types, ros, int(events["t"][0])), 260, 346, rows)


def packet_message(types, ros, kind, packet):
    fields = (packet.height, packet.width, packet.seq, packet.time_base, packet.encoding, packet.is_bigendian)
    return types.types[kind](header(types, ros, packet.stamp_ns), *fields, packet.events)


def write_bag(path, ros, types, topics):
    """topics: {name: (type, messages)}; message k of each has bag time k."""
    if ros == 1:
        writer = Writer1(path)
    else:
        writer = Writer2(path, version=9, storage_plugin=StoragePlugin.MCAP)
    serialize = types.serialize_ros1 if ros == 1 else types.serialize_cdr
    with writer:
        for name, (kind, messages) in topics.items():
            connection = writer.add_connection(name, kind, typestore=types)
            for k, message in enumerate(messages):
                writer.write(connection, k, serialize(message, kind))
    return path


@pytest.mark.parametrize("ros", [1, 2])
@pytest.mark.parametrize("package", ["dvs_msgs", "prophesee_event_msgs"])
def test_arrays_of_single_events(tmp_path, ros, package):
    events = random_events(3_000, 346, 260, start_us=UNIX_US)
    events["t"] += 123
    types = store(ros, package)
    parts = [events[:1], events[1:3], events[3:10], events[10:2_000], events[2_000:]]
    messages = [array_message(types, ros, package, part) for part in parts]
    topics = {"/davis/left/events": (f"{package}/msg/EventArray", messages)}
    topics["/davis/right/events"] = (f"{package}/msg/EventArray", messages[:1])
    path = write_bag(tmp_path / "a.bag", ros, types, topics)
    with open_reader(path) as reader:
        assert (reader.format, reader.width, reader.height) == (f"rosbag{ros}", 346, 260)
        assert reader.topic == "/davis/left/events"
        chunks = list(reader.chunks(700))
        assert reader.position() == 1.0
    assert max(len(chunk.events) for chunk in chunks) == 700
    assert np.array_equal(np.concatenate([chunk.events for chunk in chunks]), events)
    with event_bags.EventBagReader(path, version=ros, topic="/davis/right/events") as reader:
        assert np.array_equal(reader.read_all().events, events[:1])


@pytest.mark.parametrize("ros", [1, 2])
@pytest.mark.parametrize("kind", ["event_camera_msgs/msg/EventPacket", "event_array_msgs/msg/EventArray"])
@pytest.mark.parametrize("encoding", ["evt3", "mono", "libcaer"])
def test_packets(tmp_path, ros, kind, encoding):
    events = random_events(5_000, 640, 480, start_us=UNIX_US)
    types = store(ros, kind.partition("/")[0])
    messages = []
    for seq, start in enumerate(range(0, len(events), 1_000)):
        part = events[start : start + 1_000]
        t_end_ns = int(part["t"][-1])
        packet = pack(part, encoding, width=640, height=480, seq=seq, stamp_ns=t_end_ns, t_end_ns=t_end_ns)
        messages.append(packet_message(types, ros, kind, packet))
    path = write_bag(tmp_path / "a.bag", ros, types, {"/cam/events": (kind, messages)})
    with open_reader(path) as reader:
        assert (reader.width, reader.height) == (640, 480)
        assert np.array_equal(reader.read_all().events, events)
        assert reader.details["lost packets"] == "0"


@pytest.mark.parametrize("encoding", ["evt3", "mono", "libcaer"])
def test_round_trip_and_rosbags_reads_it(tmp_path, encoding):
    path = tmp_path / "a.rosbag2"
    events = random_events(40_000, 640, 480, start_us=UNIX_US, steps_back=True)
    events["t"][20_000:] += 60 * 10**9  # a minute without events: longer than evt3's clock
    triggers = random_triggers(400, UNIX_US, UNIX_US + 62 * 10**6, [0, 6, 255])
    with EventBagWriter(path, 640, 480, encoding=encoding) as writer:
        for start in range(0, len(events), 9_000):
            part = events[start : start + 9_000]
            end_ns = part["t"].max() if start < 36_000 else 2**62
            begin_ns = events["t"][:start].max(initial=0)
            among = triggers[(triggers["t"] > begin_ns) & (triggers["t"] <= end_ns)]
            writer.write(part, among)
    with open_reader(path) as reader:
        assert (reader.format, reader.width, reader.height) == ("rosbag2", 640, 480)
        back = reader.read_all()
        assert reader.stats.backward_time == np.count_nonzero(np.diff(events["t"]) < 0)
        assert reader.details["lost packets"] == "0"
    assert np.array_equal(back.events, events)
    assert np.array_equal(sorted_triggers(back.triggers), sorted_triggers(triggers))
    with Reader2(path) as reader:
        bag_times = [bag_ns for _, bag_ns, _ in reader.messages()]
        messages = [typestore().deserialize_cdr(raw, connection.msgtype) for connection, _, raw in reader.messages()]
    assert bag_times == sorted(set(bag_times))
    packets = [message for message in messages if message.encoding == encoding]
    assert [message.seq for message in packets] == list(range(len(packets)))
    assert {message.encoding for message in messages} == {encoding, "trigger"}
    assert max(len(message.events) for message in packets) <= 8 * 65_536
    assert np.array_equal(read_all(next(path.glob("*.mcap"))).events, events)  # the file without its folder


@pytest.mark.recordings
@pytest.mark.parametrize(
    ("name", "n_events", "n_triggers", "sum_us"),
    [("silky_evt3_640x480", 343_474, 4_157, 2_885_601_049_874), ("dvxplorer_libcaer_640x480", 334_331, 0, None)],
)
def test_real_recordings(tmp_path, name, n_events, n_triggers, sum_us):
    if not (RECORDINGS / name).is_dir():
        reason = f"needs the real recording {name} in ../shared/recordings beside the project"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    with open_reader(RECORDINGS / name) as reader:
        assert (reader.width, reader.height) == (640, 480)
        original = reader.read_all()
    assert (len(original.events), len(original.triggers)) == (n_events, n_triggers)
    if sum_us is not None:
        assert (original.events["t"].sum() + original.triggers["t"].sum()) // 1000 == sum_us
    with open_writer(tmp_path / "copy.rosbag2", 640, 480) as writer:
        writer.write(*original)
    copy = read_all(tmp_path / "copy.rosbag2")
    original.events["t"] -= original.events["t"] % 1_000  # what evt3 holds; the driver's offset of libcaer is in ns
    assert np.array_equal(copy.events, original.events)
    assert np.array_equal(sorted_triggers(copy.triggers), sorted_triggers(original.triggers))


def test_what_is_refused(tmp_path):
    events = random_events(10, 640, 480)
    with open_writer(tmp_path / "a.rosbag2", 640, 480) as writer:
        writer.write(events)
    with pytest.raises(BagError):
        open_writer(tmp_path / "a.rosbag2", 640, 480)
    with pytest.raises(FileFormatError, match=r"events on /x, found /event_camera/events"):
        event_bags.EventBagReader(tmp_path / "a.rosbag2", topic="/x")
    with pytest.raises(FileFormatError, match="mono up to"):
        EventBagWriter(tmp_path / "b.rosbag2", 640, 480, encoding="jpeg")
    events["t"][-1] = 2**62
    with open_writer(tmp_path / "c.rosbag2", 640, 480) as writer, pytest.raises(FileFormatError, match="2038"):
        writer.write(events)
    with pytest.raises(FileFormatError, match="give the geometry"):
        open_reader(tmp_path / "c.rosbag2")
    types = store(2, "dvs_msgs")
    clock = types.types["rosgraph_msgs/msg/Clock"](types.types["builtin_interfaces/msg/Time"](1, 2))
    write_bag(tmp_path / "d", 2, types, {"/clock": ("rosgraph_msgs/msg/Clock", [clock])})
    with pytest.raises(FileFormatError, match=r"found /clock \(rosgraph_msgs/msg/Clock\)"):
        open_reader(tmp_path / "d")
    with pytest.raises(PacketError, match=r"byte 28: 68719476717 bytes expected, the message has 28; it is cut off"):
        read_array(bytes([0, 1, 0, 0]) + bytes(19) + b"\xff" * 5, cdr=True)


def test_impossible_times_are_dropped_and_counted():
    types = store(2, "dvs_msgs")
    message = array_message(types, 2, "dvs_msgs", random_events(3, 346, 260))
    message.events[1].ts.sec = -5
    array = read_array(bytes(types.serialize_cdr(message, "dvs_msgs/msg/EventArray")), cdr=True)
    assert (len(array.events), array.impossible) == (2, 1)


@pytest.mark.parametrize("ros", [1, 2])
@pytest.mark.parametrize("package", ["dvs_msgs", "event_camera_msgs"])
def test_damaged_bags(tmp_path, ros, package):
    events = random_events(60, 346, 260)
    types = store(ros, package)
    if package == "dvs_msgs":
        kind = "dvs_msgs/msg/EventArray"
        messages = [array_message(types, ros, package, events[start : start + 20]) for start in (0, 20, 40)]
    else:
        kind = "event_camera_msgs/msg/EventPacket"
        packet = pack(events, "evt3", width=346, height=260, seq=0, stamp_ns=1, t_end_ns=int(events["t"][-1]))
        messages = [packet_message(types, ros, kind, packet)] * 3
    path = write_bag(tmp_path / "a.bag", ros, types, {"/events": (kind, messages)})
    file = path if ros == 1 else next(path.glob("*.mcap"))
    data = file.read_bytes()
    rng = np.random.default_rng(0)
    refused = 0
    for _ in range(150):
        file.unlink()
        file.write_bytes(mutated(data, rng))
        refused += isinstance(read_or_refuse(open_reader, path), str)
    assert refused > 20
    if ros == 2:
        shutil.copy(path / "metadata.yaml", tmp_path / "metadata.yaml")
        file.write_bytes(data)
        text = (path / "metadata.yaml").read_bytes()
        for _ in range(50):
            (path / "metadata.yaml").write_bytes(mutated(text, rng))
            read_or_refuse(open_reader, path)
