"""A walking robot over DDS, in process and in replay: the same bits; and steered by somebody else's cmd_vel."""

from __future__ import annotations

import pytest

from neuro_robot.bags.reader import BagReader
from neuro_robot.bench.flight import FlightRequest
from neuro_robot.flights import RunRequest, fly_run
from neuro_robot.replays import replay_bag

pytestmark = [pytest.mark.ros, pytest.mark.slow]

SHORT = FlightRequest(robot="quadruped", world="walk_flat", seed=3, speed=0.6, sim={"episode.timeout_s": 0.5})


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("walk") / "run"
    return folder, fly_run(RunRequest(SHORT, folder, "lockstep", video=False))


def test_over_dds_and_in_process_the_same_digests(run, tmp_path):
    inside = fly_run(RunRequest(SHORT, tmp_path / "inside", "inprocess", video=False))
    assert run[1]["digest"] == inside["digest"]
    assert run[1]["recording_complete"]
    assert inside["recording_complete"]
    assert run[1]["legs"]["advance_m"] == inside["legs"]["advance_m"]
    assert run[1]["legs"]["positive_work_j"] == pytest.approx(inside["legs"]["positive_work_j"])


def test_the_bag_holds_what_legs_feel_and_are_told(run):
    with BagReader(run[0]) as reader:
        counts = reader.counts
    packets = round(0.5 / 0.005)
    for topic in ("events", "imu/data", "joint_states", "foot_contacts", "joint_trajectory", "spikes"):
        assert counts[topic] == packets, topic
    assert counts["cmd_vel"] == 0


def test_replay_in_process_and_over_dds_is_equal(run):
    for ros in (False, True):
        result = replay_bag(run[0], ros=ros)
        assert result["equal"], result
        assert result["equal_to_bag"] == {"spikes": True, "commands": True}
