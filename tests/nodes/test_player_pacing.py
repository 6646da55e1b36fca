"""Playing time against host time, and what a file sends when."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="ROS 2 is not installed: run `make setup`")
pytest.importorskip("event_camera_msgs.msg", reason="the message is not built: run `make setup`")

from streams_made import H, W, made_events, write

from neuro_robot.bags.messages import packet_from
from neuro_robot.errors import FileFormatError
from neuro_robot.events import StreamDecoder
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


def played(path, start_ns=0, **options):
    """Items of a file and their events, as a subscriber decodes them."""
    playback = open_playback(path, PlayerParameters(**options), "", None)
    items = list(playback.items(start_ns))
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
    assert playback.share() == 1.0


def test_what_cannot_be_played(tmp_path):
    (tmp_path / "x.bin").write_bytes(b"no events here")
    with pytest.raises(FileFormatError):
        open_playback(tmp_path / "absent.raw", PlayerParameters(), "", None)
