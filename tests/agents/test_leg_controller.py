"""The walker's controller: commanded velocities and how long they count, what it says it goes by, following that."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.strategies import floats, lists, tuples

from neuro_robot.agents.leg_controller import WISH_NS, LegController
from neuro_robot.agents.walker_config import WalkerMindConfig
from neuro_robot.applied import Applied, Steered, applied_from
from neuro_robot.bags.digest import RunDigest
from neuro_robot.errors import BagError, ConfigError
from neuro_robot.events.array import empty_events
from neuro_robot.events.packet import pack
from neuro_robot.robot import BodyCommand, Imu, LegSense

PACKET_NS = 5_000_000
STANCE = (0.0, 0.9, -1.8) * 4


def controller_of(**values):
    return LegController(WalkerMindConfig(**values), 1)


def answer(controller, k):
    """One packet of a robot that stands and sways a little; k: its number in the walk."""
    t_ns = (k + 1) * PACKET_NS
    packet = pack(empty_events(), "evt3", width=64, height=64, seq=k, stamp_ns=t_ns, t_end_ns=t_ns)
    imu = Imu(t_ns, (0.0, 0.0, 0.0, 1.0), (0.5 * math.sin(0.1 * k), 0.0, 0.1), (0.0, 0.0, 9.81))
    return controller.receive(packet, imu, LegSense(t_ns, STANCE, (0.0,) * 12, (0.0,) * 12, empty_events()))


def wish(vx, yaw_rate=0.0):
    return BodyCommand(0, vx, 0.0, 0.0, yaw_rate)


def told_by(controller, orders, flights=2, packets=160):
    """Digest and what the controller said it went by, while orders {packet: callable} are given in every flight."""
    digest, said = RunDigest(), []
    for flight in range(flights):
        if flight:
            controller.new_flight()
        for k in range(packets):
            if k in orders:
                orders[k](controller)
            reply = answer(controller, k)
            digest.add_spikes(reply.spikes)
            digest.add_command(reply.command)
            if not said or controller.applied is not said[-1]:
                said.append(controller.applied)
    return digest.result(controller.weights()), said


def test_a_wish_counts_until_it_grows_old():
    controller = controller_of(speed=0.5)
    answer(controller, 0)
    assert controller.applied.steered == (0.5, 0.0, 0.0, "trot")
    controller.walk(wish(0.3, 0.2))
    lasting = WISH_NS // PACKET_NS
    speeds = []
    for k in range(1, lasting + 4):
        answer(controller, k)
        speeds.append(controller.applied.steered.vx)
    assert speeds == [0.3] * (lasting + 1) + [0.0, 0.0]


@settings(max_examples=25)
@given(lists(tuples(floats(), floats()), min_size=1, max_size=30))
def test_whatever_velocity_is_commanded_the_joints_are_told_numbers(velocities):
    controller = controller_of()
    for k, (vx, yaw_rate) in enumerate(velocities):
        controller.walk(wish(vx, yaw_rate))
        assert answer(controller, k).command.is_finite()
        assert np.isfinite(controller.mind.stepping.velocity).all()
        assert np.abs(controller.mind.stepping.velocity).max() <= 3.0
        if not (math.isfinite(vx) and math.isfinite(yaw_rate)):
            assert controller.applied.steered[:3] == (0.0, 0.0, 0.0)


def test_a_velocity_of_the_walk_before_does_not_come_back_with_its_time():
    controller = controller_of()
    for k in range(4):
        if k == 3:
            controller.walk(wish(0.3))
        answer(controller, k)
    assert controller.applied.steered.vx == 0.3
    controller.new_flight()
    for k in range(5):
        answer(controller, k)
        assert controller.applied.steered.vx == 0.0  # who steered it is gone
    controller.walk(wish(0.2))
    controller.new_flight()
    answer(controller, 0)
    assert controller.applied.steered.vx == 0.2  # one that came in between counts from the first packet on


@pytest.mark.parametrize("flight", [1, 2])
def test_a_gait_set_before_a_walk_is_followed_to_the_bit(flight):
    def walks(controller, set_before):
        digest, said = RunDigest(), []
        for number in (1, 2):
            if number == set_before:
                controller.change("gait", "pace")
            if number > 1:
                controller.new_flight()
            for k in range(40):
                digest.add_command(answer(controller, k).command)
                if not said or controller.applied is not said[-1]:
                    said.append(controller.applied)
        return digest.result(controller.weights()), said

    digest, said = walks(controller_of(), flight)
    again = controller_of()
    again.follow(said, Path())
    assert walks(again, None) == (digest, said)


ORDERS = {
    20: lambda c: c.walk(wish(0.1 + 0.2, -0.7)),
    40: lambda c: c.change("gait", "pace bound@400ms"),
    41: lambda c: c.walk(wish(math.nan)),
    60: lambda c: (c.walk(wish(1e308)), c.change("learning", "False")),
    90: lambda c: c.change("faults", "dead_neurons:cpg:20%"),
    120: lambda c: (c.change("faults", ""), c.change("learning", "True"), c.change("gait", "trot")),
}


def test_one_that_follows_does_the_same_to_the_bit():
    digest, said = told_by(controller_of(), ORDERS)
    assert [item.t_ns // PACKET_NS - 1 for item in said] == [0, 20, 40, 41, 60, 90, 120, 0, 20, 40, 41, 60, 90, 120]
    assert said[2].steered.gait == "pace bound@400ms"
    assert (said[5].faults, said[5].learning) == ("dead_neurons:cpg:20%", False)
    again = controller_of()
    again.follow((applied_from(item.t_ns, item.values()) for item in said), Path())
    followed, repeated = told_by(again, {30: lambda c: c.walk(wish(0.9))})  # nobody else steers it
    assert followed == digest
    assert repeated == said
    assert told_by(controller_of(), {})[0] != digest


def test_the_status_comes_back_exactly():
    one = Applied(5, True, "", (("gait", "trot walk@1s"), ("faults", "")), Steered(0.1 + 0.2, -1e-17, 3.0, "trot"))
    assert applied_from(5, one.values()) == one
    assert one._replace(t_ns=6, deeds=()).goes_on(one)
    assert not one._replace(t_ns=6).goes_on(one)
    assert not one._replace(deeds=(), learning=False).goes_on(one)
    assert not one.goes_on(None)


@pytest.mark.parametrize(
    "broken",
    [
        {"vx": "fast"},
        {"vy": "nan"},
        {"yaw_rate": "inf"},
        {"learning": "maybe"},
        {"deeds": "[1]"},
        {"deeds": "["},
        {"deeds": 9999 * "["},
    ],
)
def test_a_damaged_status_is_refused(broken):
    values = Applied(5, True, "", (), Steered(0.0, 0.0, 0.0, "trot")).values() | broken
    with pytest.raises(BagError, match="applied"):
        applied_from(5, values)
    with pytest.raises(BagError, match="vx"):
        applied_from(5, {})


def test_faults_that_are_none_change_nothing():
    controller = controller_of()
    with pytest.raises(ConfigError):
        controller.change("faults", "broken_heart:cpg")
    answer(controller, 0)
    assert controller.applied.faults == ""
