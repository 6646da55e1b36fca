"""What legs feel and are told: through messages and back, joined whichever comes first, replayed as it was."""

from __future__ import annotations

import numpy as np
import pytest

from neuro_robot.bags import messages
from neuro_robot.bags.legs import JointSample, LegSamples, contacts_packet
from neuro_robot.bags.pairing import Felt, Senses, packets_with_senses
from neuro_robot.bags.reader import BagReader
from neuro_robot.bags.record import FlightRecorder
from neuro_robot.bags.replay import recorded_digest
from neuro_robot.bags.topics import JOINT_STATES, JOINT_TRAJECTORY
from neuro_robot.errors import PacketError
from neuro_robot.events.array import EVENT_DTYPE, empty_events
from neuro_robot.events.packet import EventPacket, pack
from neuro_robot.robot import Imu, JointCommand, LegSense, Odometry
from neuro_robot.sim.episode import Observation

MS = 1_000_000
NAMES = tuple(f"joint_{k}" for k in range(12))


def touches(*rows):
    return np.array([(t_ms * MS, foot, 0, down) for t_ms, foot, down in rows], EVENT_DTYPE)


def sense(t_ms, *rows):
    values = tuple(0.1 * k + t_ms for k in range(12))
    return LegSense(t_ms * MS, values, tuple(-v for v in values), tuple(2 * v for v in values), touches(*rows))


def same(left: LegSense, right: LegSense) -> bool:
    return left[:4] == right[:4] and np.array_equal(left.touches, right.touches)


def joined(samples: LegSamples, told: LegSense, seq: int, joints_first: bool) -> list[LegSense]:
    parts = [
        lambda: samples.add_joints(JointSample(told.t_ns, NAMES, told.position, told.velocity, told.effort)),
        lambda: samples.add_contacts(contacts_packet(told, seq)),
    ]
    done = []
    for part in parts if joints_first else reversed(parts):
        part()
        done += samples.complete()
    return done


@pytest.mark.parametrize("joints_first", [True, False])
def test_joints_and_touches_make_one_sample_whichever_comes_first(joints_first):
    samples = LegSamples()
    told = [sense(5, (1, 0, 1), (5, 3, 0)), sense(10), sense(15, (11, 2, 1))]
    came = [one for seq, item in enumerate(told) for one in joined(samples, item, seq, joints_first)]
    assert len(came) == 3
    assert all(same(a, b) for a, b in zip(came, told, strict=True))


def test_a_sample_waits_for_its_touches_and_a_new_walk_starts_over():
    samples = LegSamples()
    told = sense(5)
    samples.add_joints(JointSample(told.t_ns, NAMES, told.position, told.velocity, told.effort))
    assert samples.complete() == []
    samples.add_contacts(contacts_packet(told, 0))
    assert len(samples.complete()) == 1
    for joints_first in (True, False):
        again = joined(samples, sense(0, (0, 1, 1)), 0, joints_first)  # time begins anew
        assert len(again) == 1
        assert again[0].touches["x"].tolist() == [1]
        joined(samples, sense(5), 1, joints_first)


def test_a_torn_packet_of_touches_is_refused():
    packet = contacts_packet(sense(5, (1, 0, 1)), 0)
    torn = EventPacket(*[getattr(packet, name) for name in ("stamp_ns", "frame_id", "height", "width", "seq",
                       "time_base")], "nonsense", False, packet.events)  # fmt: skip
    with pytest.raises(PacketError):
        LegSamples().add_contacts(torn)


def test_messages_there_and_back():
    command = JointCommand(7 * MS, tuple(0.01 * k for k in range(12)))
    told = messages.from_cdr(messages.trajectory_to_cdr(command, NAMES), JOINT_TRAJECTORY.type)
    assert messages.trajectory_from(told) == command
    assert list(told.joint_names) == list(NAMES)
    legs = sense(3)
    sample = JointSample(legs.t_ns, NAMES, legs.position, legs.velocity, legs.effort)
    assert (
        messages.joint_sample_from(messages.from_cdr(messages.joint_states_to_cdr(sample), JOINT_STATES.type)) == sample
    )


def test_a_trajectory_without_points_is_nothing_to_hold():
    told = messages.from_cdr(messages.trajectory_to_cdr(JointCommand(0, (1.0,)), ("a",)), JOINT_TRAJECTORY.type)
    told.points = []
    assert not messages.trajectory_from(told).is_finite()


def test_a_packet_waits_for_every_sense_that_is_wanted():
    packet = pack(empty_events(), "mono", width=4, height=4, seq=0, stamp_ns=0, t_end_ns=5 * MS)
    imu = Imu(5 * MS, (0.0, 0.0, 0.0, 1.0), (0.0,) * 3, (0.0,) * 3)
    senses = Senses(imu=True, legs=True)
    assert senses.take(packet) is None
    senses.imu.add(imu)
    assert senses.take(packet) is None
    legs = sense(5)
    senses.legs.add(legs)
    assert senses.take(packet) == Felt(imu, legs)
    assert Senses(imu=False, legs=False).take(packet) == Felt(None, None)


def observation(t_ms, legs, outcome=None):
    packet = pack(empty_events(), "mono", width=4, height=4, seq=t_ms // 5, stamp_ns=t_ms * MS, t_end_ns=t_ms * MS)
    level = (0.0, 0.0, 0.0, 1.0)
    imu = Imu(t_ms * MS, level, (0.0,) * 3, (0.0, 0.0, 9.81))
    return Observation(
        t_ms * MS, packet, imu, Odometry(t_ms * MS, (0.0,) * 3, level, (0.0,) * 3, (0.0,) * 3), outcome, legs
    )


def test_a_recorded_walk_comes_back_with_what_its_legs_felt(tmp_path):
    class Answer:
        spikes = empty_events()

    told = [sense(5, (2, 0, 1)), sense(10), sense(15, (13, 1, 0), (14, 2, 1))]
    with FlightRecorder(tmp_path / "bag", (4, 1), NAMES) as recorder:
        for legs in told:
            recorder.observation(observation(legs.t_ns // MS, legs))
            answer = Answer()
            answer.command = JointCommand(legs.t_ns, legs.position)
            recorder.reply(answer, legs.t_ns)
        digest = recorder.digest.result()
    with BagReader(tmp_path / "bag") as reader:
        assert reader.is_run
        came = list(packets_with_senses(reader))
        assert all(same(legs, b) for (_, _, legs), b in zip(came, told, strict=True))
        assert [len(imus) for _, imus, _ in came] == [1, 1, 1]
        assert recorded_digest(reader).result() == digest
