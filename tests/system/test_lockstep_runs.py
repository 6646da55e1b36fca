"""Lockstep over DDS, in process and in replay: the same spikes, weights and commands, bit for bit."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from graphs import SHORT
from helm import CALL, Helm

from neuro_robot.agents.controller import Controller
from neuro_robot.agents.drone import DroneMindConfig
from neuro_robot.bags.applied import applied_in
from neuro_robot.bags.reader import BagReader
from neuro_robot.errors import BagError
from neuro_robot.flights import RunRequest, fly_run
from neuro_robot.replays import replay_bag

pytestmark = [pytest.mark.ros, pytest.mark.slow]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lockstep") / "run"
    return folder, fly_run(RunRequest(SHORT, folder, "lockstep", video=False))


def test_twice_over_dds_and_in_process_the_same_digests(run, tmp_path):
    again = fly_run(RunRequest(SHORT, tmp_path / "again", "lockstep", video=False))
    inside = fly_run(RunRequest(SHORT, tmp_path / "inside", "inprocess", video=False))
    assert run[1]["digest"] == again["digest"] == inside["digest"]
    assert set(run[1]["digest"]) == {"spikes", "commands", "weights"}
    assert run[1]["recording_complete"]
    assert inside["recording_complete"]


def test_the_bag_holds_every_message(run):
    with BagReader(run[0]) as reader:
        counts = reader.counts
    # 0.3 s of packets every 2 ms, the first at 0; the last pose and clock come with the outcome
    assert counts["events"] == counts["imu/data"] == counts["spikes"] == counts["cmd_vel"] == 150
    assert counts["odom"] == counts["/clock"] == 151
    assert counts["/diagnostics"] > 0


def test_replay_in_process_and_over_dds_is_equal(run):
    for ros in (False, True):
        result = replay_bag(run[0], ros=ros)
        assert result["equal"], result
        assert result["equal_to_bag"] == {"spikes": True, "commands": True}
        assert result["commands"] == 150


def test_replay_tells_a_changed_run(run, tmp_path):
    import shutil

    folder = tmp_path / "changed"
    shutil.copytree(run[0], folder)
    summary = json.loads((folder / "summary.json").read_text())
    summary["configuration"]["mind"]["speed"] = 5.5
    (folder / "summary.json").write_text(json.dumps(summary))
    result = replay_bag(folder)
    assert not result["equal"]
    assert not result["equal_to_run"]["commands"]


def test_several_flights_in_one_bag(tmp_path):
    request = replace(SHORT, time_limit_s=0.2)
    over_dds = fly_run(RunRequest(request, tmp_path / "dds", "lockstep", episodes=2, video=False))
    inside = fly_run(RunRequest(request, tmp_path / "inside", "inprocess", episodes=2, video=False))
    assert [item["seed"] for item in over_dds["episodes"]] == [3, 4]
    assert over_dds["digest"] == inside["digest"]
    assert replay_bag(tmp_path / "dds")["equal"]


def test_a_flight_changed_from_outside_replays_to_the_bit(tmp_path):
    weights = tmp_path / "others.npz"
    Controller(DroneMindConfig(), 9).save(weights)
    changes = ((0.1, CALL, "save_weights"), (0.2, "weights_file", str(weights)), (0.3, "mind.learning", False),
               (0.5, CALL, "load_weights"),
               (0.6, "mind.faults", "dead_neurons:column:25%"), (0.8, "mind.learning", True),
               (0.9, "mind.faults", "dead_neurons:column:25%"))  # fmt: skip
    folder = tmp_path / "run"
    with Helm("controller_node", changes) as helm:
        summary = fly_run(RunRequest(replace(SHORT, time_limit_s=1.2), folder, "lockstep", video=False))
    assert "weights_file" in helm.answers[0]  # no file was named; the run's own are not written over
    assert helm.answers[1:] == [""] * (len(changes) - 1)
    assert summary["recording_complete"]
    with BagReader(folder) as reader:
        said = applied_in(reader)
    assert [[kind for kind, _ in item.deeds] for item in said] == [
        [],
        ["learning"],
        ["load"],
        ["faults"],
        ["learning"],
        ["faults"],
    ]
    assert [item.learning for item in said] == [True, False, False, False, True, True]
    assert [item.faults for item in said] == 3 * [""] + 3 * ["dead_neurons:column:25%"]
    told = [(one["t_s"], one["kind"], one["what"]) for one in summary["changes"]]
    assert told == [(item.t_ns * 1e-9, *deed) for item in said for deed in item.deeds]
    report = (folder / "report.html").read_text()
    assert "Changed from outside" in report
    assert "others.npz" in report
    for ros in (False, True):
        result = replay_bag(folder, ros=ros)
        assert result["equal"], result
    weights.unlink()
    with pytest.raises(BagError, match=r"others\.npz"):
        replay_bag(folder)
