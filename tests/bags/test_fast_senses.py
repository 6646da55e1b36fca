"""Legs that are felt more often than packets come: every touch reaches the mind, in order, once; live as in replay."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from neuro_robot.bags.legs import JointSample, contacts_packet
from neuro_robot.bags.messages import imu_to_cdr, joint_states_to_cdr, packet_to_cdr
from neuro_robot.bags.pairing import LegPairing, Senses, packets_with_senses
from neuro_robot.bags.reader import BagReader
from neuro_robot.bags.topics import EVENTS, FOOT_CONTACTS, IMU, JOINT_STATES, LEG_TOPICS, TOPICS
from neuro_robot.bags.writer import RunBag
from neuro_robot.events.array import EVENT_DTYPE, empty_events
from neuro_robot.events.packet import pack
from neuro_robot.robot import Imu, LegSense
from neuro_robot.sim.quadruped import JOINT_NAMES

MS = 1_000_000
PERIOD_MS = 5


def touches(*rows):
    return np.array([(t_ns, foot, 0, down) for t_ns, foot, down in rows], EVENT_DTYPE)


def sense(t_ms, *rows):
    return LegSense(t_ms * MS, (0.1 * t_ms,) * 12, (0.0,) * 12, (0.0,) * 12, touches(*rows))


def packet(k):
    """The k-th of a real camera: stamped with its beginning."""
    t_ns = k * PERIOD_MS * MS
    return pack(empty_events(), "mono", width=4, height=4, seq=k, stamp_ns=t_ns, t_end_ns=t_ns + PERIOD_MS * MS)


def imu(t_ms):
    return Imu(t_ms * MS, (0.0, 0.0, 0.0, 1.0), (0.0,) * 3, (0.0, 0.0, 9.81))


def walk_of(n_packets, every_ms=1, seed=0):
    """Samples every so often up to the last packet's end, with touches at random."""
    rng = np.random.default_rng(seed)
    found = []
    for t_ms in range(every_ms, n_packets * PERIOD_MS + 1, every_ms):
        rows = [(t_ms * MS - 1000 + k, int(rng.integers(4)), int(rng.integers(2))) for k in range(rng.integers(3))]
        found.append(sense(t_ms, *rows))
    return found


def told(felt):
    return [(one.t_ns, one.touches.tolist()) for one in felt]


def expected(samples, n_packets):
    """Naive: a packet has the first sample from its stamp on, and what was touched since the one before it."""
    out, before = [], -1
    for k in range(n_packets):
        own = next(one.t_ns for one in samples if one.t_ns >= k * PERIOD_MS * MS and one.t_ns > before)
        out.append((own, [row for one in samples if before < one.t_ns <= own for row in one.touches.tolist()]))
        before = own
    return out


@given(st.randoms(use_true_random=False), st.sampled_from([1, 2, 5]))
def test_all_touches_in_order_once_whatever_comes_first(random, every_ms):
    samples, n = walk_of(8, every_ms), 8
    senses, came, waiting = Senses(imu=False, legs=True), [], list(range(n))
    left = list(samples)
    while left or waiting:
        if left and (not waiting or random.random() < 0.7):
            senses.legs.add(left.pop(0))
        felt = senses.take(packet(waiting[0])) if waiting else None
        if felt is not None:
            assert told([senses.take(packet(waiting[0])).legs]) == told([felt.legs])  # until the mind has it
            senses.reached(felt)
            came.append(felt.legs)
            waiting.pop(0)
    assert told(came) == expected(samples, n)


def test_a_bag_gives_what_the_node_had(tmp_path):
    samples, n = walk_of(10), 10
    with RunBag(tmp_path / "bag", (*TOPICS, *LEG_TOPICS)) as bag:
        for seq, one in enumerate(samples):
            told_joints = JointSample(one.t_ns, JOINT_NAMES, *one[1:4])
            bag.write(IMU.name, one.t_ns, imu_to_cdr(imu(one.t_ns // MS)))
            bag.write(JOINT_STATES.name, one.t_ns, joint_states_to_cdr(told_joints))
            bag.write(FOOT_CONTACTS.name, one.t_ns, packet_to_cdr(contacts_packet(one, seq)))
            if one.t_ns % (PERIOD_MS * MS) == 0:
                bag.write(EVENTS.name, one.t_ns, packet_to_cdr(packet(one.t_ns // (PERIOD_MS * MS) - 1)))
    with BagReader(tmp_path / "bag") as reader:
        came = [legs for _, _, legs in packets_with_senses(reader)]
    assert told(came) == expected(samples, n)
    assert sum(len(one.touches) for one in came) > 20


def test_one_sample_for_each_packet_is_handed_on_as_it_is():
    senses = Senses(imu=False, legs=True)
    for k in range(5):
        one = sense(PERIOD_MS * (k + 1), (k, 1, 1))
        senses.legs.add(one)
        felt = senses.take(packet(k))
        assert felt.legs is one
        senses.reached(felt)


def test_a_packet_that_could_not_wait_takes_its_touches_with_it():
    senses = Senses(imu=True, legs=True)
    for one in (sense(1, (1, 0, 1)), sense(2, (2, 1, 1)), sense(3, (3, 2, 1)), sense(5, (5, 3, 1))):
        senses.legs.add(one)
    assert senses.take(packet(0)) is None  # its IMU sample is lost
    hurried = senses.newest
    assert hurried.legs.t_ns == 5 * MS
    assert hurried.legs.touches["x"].tolist() == [0, 1, 2, 3]
    senses.reached(hurried)
    senses.legs.add(sense(6, (6, 0, 0)))
    senses.imu.add(imu(6))
    next_one = senses.take(packet(1))
    assert next_one.legs.t_ns == 5 * MS  # its own sample, whose touches are told already
    assert next_one.legs.touches.tolist() == []
    senses.reached(next_one)
    senses.imu.add(imu(10))
    senses.legs.add(sense(10))
    assert senses.take(packet(2)).legs.touches["x"].tolist() == [0]


def test_a_new_walk_begins_with_its_own_touches():
    for samples_first in (True, False):
        legs = LegPairing()
        legs.add(sense(5, (5, 0, 1)))
        legs.reached(legs.take(packet(0)))
        legs.add(sense(6, (6, 1, 1)))
        if samples_first:
            legs.add(sense(1, (1, 2, 1)))
        legs.restart()
        if not samples_first:
            legs.add(sense(1, (1, 2, 1)))
        assert legs.gathered(legs.take(packet(0))).touches["x"].tolist() == [2]
