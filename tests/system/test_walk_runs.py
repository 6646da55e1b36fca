"""A walking robot over DDS, in process and in replay: the same bits; and steered by somebody else's cmd_vel."""

from __future__ import annotations

import math

import pytest
from helm import Helm

from neuro_robot.bags.applied import applied_in
from neuro_robot.bags.reader import BagReader
from neuro_robot.bench.flight import FlightRequest
from neuro_robot.flights import RunRequest, fly_run
from neuro_robot.graph import quadruped
from neuro_robot.nodes.bringup import Bringup, GraphError
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


LONG_S = 3.0
WISHES = ((0.4, (0.5, 0.8)), (1.0, (0.0, 0.0)), (1.3, (math.nan, 0.0)), (1.4, (math.inf, -math.inf)),
          (1.5, (1e308, -1e308)), (1.6, (0.1 + 0.2, -0.1)))  # fmt: skip
CHANGES = ((0.8, "mind.gait", "bound trot@2500ms"), (1.2, "mind.learning", False), (1.8, "mind.learning", True),
           (2.0, "mind.faults", "dead_neurons:tune:20%"))  # fmt: skip


def test_a_walk_steered_from_outside_replays_to_the_bit(tmp_path):
    folder = tmp_path / "run"
    request = FlightRequest(robot="quadruped", world="walk_flat", seed=3, speed=0.6, sim={"episode.timeout_s": LONG_S})
    with Helm("leg_controller_node", CHANGES, WISHES) as helm:
        summary = fly_run(RunRequest(request, folder, "lockstep", video=False))
    assert helm.answers == [""] * len(CHANGES)
    assert (summary["outcome"], summary["recording_complete"]) == ("timeout", True)
    with BagReader(folder) as reader:
        assert reader.counts["cmd_vel"] >= 3  # repetitions are written once
        said = applied_in(reader)
    assert said[0].t_ns < 20_000_000
    assert {item.steered.gait for item in said} == {"trot", "bound trot@2500ms"}
    assert {item.learning for item in said} == {True, False}
    assert said[-1].faults == "dead_neurons:tune:20%"
    wishes = [item.steered[:3] for item in said]
    assert (0.5, 0.0, 0.8) in wishes
    assert (0.0, 0.0, 0.0) in wishes
    assert (1e308, 0.0, -1e308) in wishes
    assert wishes[-1] == (0.1 + 0.2, 0.0, -0.1)
    for ros in (False, True):
        result = replay_bag(folder, ros=ros)
        assert result["equal"], result
        assert result["equal_to_bag"] == {"spikes": True, "commands": True}


def test_a_gait_that_is_none_is_refused_by_the_node(tmp_path):
    nodes = [node for node in quadruped({"seed": "3"}) if node.role == "controller_node"]
    with Bringup(nodes, tmp_path) as graph:
        graph.configure()
        graph.set_parameter("leg_controller_node", "mind.gait", "trot bound@8s")
        for wrong, told in (("gallop", "gallop.*trot, walk, pace, bound"), ("trot bound", "trot bound@8s walk@15s")):
            with pytest.raises(GraphError, match=told):
                graph.set_parameter("leg_controller_node", "mind.gait", wrong)
