"""Playing time against host time, and what a file sends when."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="ROS 2 is not installed: run `make setup`")
pytest.importorskip("event_camera_msgs.msg", reason="the message is not built: run `make setup`")

from streams_made import H, W, made_events, write

from neuro_robot.bags.messages import packet_from, packet_to_cdr
from neuro_robot.bags.topics import EVENTS
from neuro_robot.bags.writer import RunBag
from neuro_robot.errors import FileFormatError
from neuro_robot.events import StreamDecoder, pack
from neuro_robot.nodes.pacing import Pace
from neuro_robot.nodes.playback import open_playback
from neuro_robot.nodes.player_parameters import PlayerParameters

pytestmark = pytest.mark.ros


def test_pace():
    pace = Pace(2.0, 1.0)
    assert not pace.running
    assert pace.position_s(5.0) == 1.0
    pace.start(10.0)
    assert pace.position_s(11.0) == 3.0
    pace.hold(11.0)
    assert (pace.held, pace.running, pace.position_s(99.0)) == (True, True, 3.0)
    pace.jump(0.5, 99.0)
    pace.set_rate(1.0, 99.0)
    pace.release(100.0)
    assert pace.position_s(101.0) == 1.5
    pace.set_rate(0.5, 101.0)
    assert pace.position_s(103.0) == 2.5
    pace.stop(103.0)
    assert not pace.running
    pace.start(200.0)
    assert pace.position_s(201.0) == 3.0
    assert pace.wall_s(201.0) == 191.0


def test_held_before_the_start_waits_for_it():
    pace = Pace(1.0)
    pace.hold(0.0)
    pace.release(1.0)
    assert not pace.running
    pace.start(2.0)
    assert pace.position_s(3.0) == 1.0


def played(path, start_ns=0, *, by_stamp=False, **options):
    """Items of a file and their events, as a subscriber decodes them."""
    playback = open_playback(path, PlayerParameters(**options), "", None)
    items = list(playback.items(start_ns, by_stamp=by_stamp))
    decoder = StreamDecoder()
    events = [decoder.decode(packet_from(message)).events for item in items for message in item.messages]
    playback.close()
    return items, np.concatenate(events), decoder.stats


@pytest.mark.parametrize("encoding", ["", "libcaer"])
def test_a_file_goes_out_event_by_event_in_packets_of_the_period(tmp_path, encoding):
    events = made_events()
    path = write(tmp_path / "a.npz", events)
    items, came, stats = played(path, encoding=encoding, packet_period_ms=10.0)
    np.testing.assert_array_equal(came, events)
    assert stats.lost_packets == stats.restarts == 0
    due = np.array([item.due_ns for item in items])
    assert (np.diff(due) > 0).all()
    reach = np.cumsum(
        [sum(len(StreamDecoder().decode(packet_from(m)).events) for m in item.messages) for item in items]
    )
    np.testing.assert_array_equal(due, events["t"][reach - 1] - events["t"][0])
    spans = due // 10_000_000
    assert len(set(spans.tolist())) == len(items)


def test_seeking_begins_at_the_first_event_there(tmp_path):
    events = made_events()
    items, came, stats = played(write(tmp_path / "a.npz", events), 1_000_000_000)
    np.testing.assert_array_equal(came, events[events["t"] - events["t"][0] >= 1_000_000_000])
    assert items[0].due_ns >= 1_000_000_000
    assert stats.resyncs == 0


def test_seeking_by_the_recordings_own_clock_is_exact_and_only_inside_of_it(tmp_path):
    events = made_events()
    path = write(tmp_path / "a.npz", events)
    middle = int(events["t"][2500])
    items, came, _ = played(path, middle, by_stamp=True)
    np.testing.assert_array_equal(came, events[events["t"] >= middle])
    assert items[0].stamp_ns == middle
    first, last = int(events["t"][0]), int(events["t"][-1])
    assert len(played(path, first, by_stamp=True)[1]) == len(events)
    assert played(path, last, by_stamp=True)[0][0].stamp_ns == last
    playback = open_playback(path, PlayerParameters(), "", None)
    for outside in (first - 1, 0, -(2**31) * 10**9, last + 1, 2**31 * 10**9):
        assert next(playback.items(outside, by_stamp=True), None) is None
        assert playback.begins_ns == first


def test_by_its_clock_a_time_that_comes_twice_is_the_first(tmp_path):
    long, short = made_events(2000, seconds=4.0), made_events(2000, seconds=2.0, seed=1)
    path = write(tmp_path / "a.npz", np.concatenate([short, long]))
    for t_ns, expected in (
        (6_000_000_000, np.concatenate([short[short["t"] >= 6_000_000_000], long])),
        (8_000_000_000, long[long["t"] >= 8_000_000_000]),  # only the second goes on so long
    ):
        np.testing.assert_array_equal(played(path, t_ns, by_stamp=True)[1], expected)


def test_a_pass_goes_on_untouched_by_one_that_leads_nowhere(tmp_path):
    path = write(tmp_path / "a.npz", made_events())
    playback = open_playback(path, PlayerParameters(), "", None)
    whole = [bytes(m.events) for item in playback.items() for m in item.messages]
    begun = playback.items()
    came = [bytes(m.events) for m in next(begun).messages]
    assert next(playback.items(10**12), None) is None
    assert next(playback.items(10**12, by_stamp=True), None) is None
    rest = list(begun)
    assert came + [bytes(m.events) for item in rest for m in item.messages] == whole
    assert [m.seq for item in rest for m in item.messages] == list(range(len(came), len(whole)))


@pytest.mark.parametrize("again", [False, True])
def test_a_bag_is_sought_by_its_packets_stamps(tmp_path, again):
    path = tmp_path / "bag"
    stamps = [1_700_000_000_000_000_000 + i * 10_000_000 for i in range(50)]
    with RunBag(path, (EVENTS,)) as bag:
        for _flight in range(1 + again):
            for seq, stamp_ns in enumerate(stamps):
                events = made_events(20, 0.01, start_ns=seq * 10_000_000, seed=seq)
                packet = pack(events, "evt3", width=W, height=H, seq=seq, stamp_ns=stamp_ns,
                              t_end_ns=(seq + 1) * 10_000_000)  # fmt: skip
                bag.write(EVENTS.name, stamp_ns, packet_to_cdr(packet))
    playback = open_playback(path, PlayerParameters(), "", None)
    items = list(playback.items(stamps[30] - 1, by_stamp=True))
    assert [item.stamp_ns for item in items] == stamps[30:] + (stamps if again else [])
    assert items[-1].share == 1.0
    assert playback.begins_ns == stamps[0]
    for outside in (stamps[0] - 1, stamps[-1] + 1, 5):
        assert next(playback.items(outside, by_stamp=True), None) is None
    playback.close()


def test_steps_back_are_sorted_inside_a_packet_and_a_new_recording_follows_at_once(tmp_path):
    first, second = made_events(2000), made_events(2000, start_ns=1_000_000_000, seed=1)
    first["t"][1000] -= 40_000
    path = write(tmp_path / "a.npz", np.concatenate([first, second]))
    items, came, stats = played(path, packet_period_ms=5.0)
    assert len(came) == 4000
    assert stats.restarts == 1
    due = [item.due_ns for item in items]
    assert due == sorted(due)
    assert due[-1] == pytest.approx(4e9, rel=0.01)


def test_large_packets_are_divided(tmp_path):
    items, came, _ = played(write(tmp_path / "a.npz", made_events()), packet_period_ms=1000.0, packet_bytes=1000)
    assert len(came) == 5000
    assert max(len(message.events) for item in items for message in item.messages) <= 1000


def test_a_second_pass_is_the_first_again(tmp_path):
    playback = open_playback(write(tmp_path / "a.npz", made_events()), PlayerParameters(), "", None)
    passes = [[bytes(m.events) for item in playback.items() for m in item.messages] for _ in range(2)]
    assert passes[0] == passes[1]
    assert (playback.width, playback.height) == (W, H)
    last = list(playback.items())[-1]
    assert last.share == 1.0


def test_what_cannot_be_played(tmp_path):
    (tmp_path / "x.bin").write_bytes(b"no events here")
    with pytest.raises(FileFormatError):
        open_playback(tmp_path / "absent.raw", PlayerParameters(), "", None)
