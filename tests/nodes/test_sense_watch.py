"""When a sense counts as lost, by the time of the packets."""

from __future__ import annotations

from neuro_robot.nodes.sense_watch import LOST_NS, SenseWatch


def test_silence_through_the_limit_is_loss_and_a_sample_ends_it():
    watch = SenseWatch(("joints", "imu"))
    assert watch.lost(10**18) == []  # everybody has time at the beginning, whatever the clock says
    watch.came("imu")
    assert watch.lost(10**18 + LOST_NS) == []
    assert watch.lost(10**18 + LOST_NS + 1) == ["joints"]
    watch.came("joints")
    assert watch.lost(10**18 + 2 * LOST_NS + 1) == ["imu"]
    assert watch.lost(10**18 + 3 * LOST_NS + 2) == ["joints", "imu"]


def test_time_that_starts_over_gives_all_time_again():
    watch = SenseWatch(("joints",))
    watch.lost(10**9)
    assert watch.lost(2 * 10**9) == ["joints"]
    assert watch.lost(5_000_000) == []
    assert watch.lost(5_000_001 + LOST_NS) == ["joints"]


def test_nothing_to_watch():
    assert SenseWatch(()).lost(0) == []
