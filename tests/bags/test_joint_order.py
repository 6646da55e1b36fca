"""Joint samples in whatever order and company: each value reaches its own joint, or the sample is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuro_robot.bags.joint_order import in_order
from neuro_robot.bags.legs import JointSample, contacts_packet
from neuro_robot.bags.messages import from_cdr, joint_sample_from, joint_states_to_cdr, packet_to_cdr
from neuro_robot.bags.pairing import packets_with_senses
from neuro_robot.bags.reader import BagReader
from neuro_robot.bags.topics import EVENTS, FOOT_CONTACTS, JOINT_STATES, LEG_TOPICS, TOPICS
from neuro_robot.bags.writer import RunBag
from neuro_robot.errors import SampleError
from neuro_robot.events.array import empty_events
from neuro_robot.events.packet import pack
from neuro_robot.robot import LegSense
from neuro_robot.sim.quadruped import JOINT_NAMES

MS = 1_000_000
N = len(JOINT_NAMES)
ALPHABETICAL = tuple(sorted(JOINT_NAMES))
A1 = tuple(f"{leg}_{part}_joint" for leg in ("FR", "FL", "RR", "RL") for part in ("hip", "upper", "lower"))
EXTRA = ("arm", "gripper")


def told(names, t_ns=7, values=None):
    """Each joint's place among ours as its angle, 100 more as its speed, 200 more as its torque; others have -1."""
    own = [JOINT_NAMES.index(name) if name in JOINT_NAMES else -1 for name in names] if values is None else values
    return JointSample(t_ns, tuple(names), *(tuple(float(k + more) for k in own) for more in (0, 100, 200)))


OURS = told(JOINT_NAMES)


def through_a_message(sample):
    return joint_sample_from(from_cdr(joint_states_to_cdr(sample), JOINT_STATES.type))


@given(st.permutations(JOINT_NAMES + EXTRA))
def test_every_order_with_others_among_them_gives_ours(names):
    assert through_a_message(told(names)) == OURS
    assert in_order(told([name for name in names if name not in EXTRA])) == OURS


def test_the_alphabet_is_another_order():
    assert ALPHABETICAL != JOINT_NAMES
    assert through_a_message(told(ALPHABETICAL)) == OURS


@pytest.mark.parametrize("names", [A1, ALPHABETICAL[::-1]])
def test_what_is_not_reported_is_zero(names):
    sample = through_a_message(told(names)._replace(velocity=(), effort=()))
    assert sample.velocity == sample.effort == (0.0,) * N
    assert sample.position == (told(names) if names == A1 else OURS).position


def test_velocities_and_efforts_that_are_all_nan_are_not_reported():
    unknown = (math.nan,) * N
    assert through_a_message(OURS._replace(velocity=unknown, effort=unknown)) == through_a_message(
        OURS._replace(velocity=(), effort=())
    )


@pytest.mark.parametrize("odd", [math.nan, math.inf])
def test_what_other_joints_say_is_nobodys_business(odd):
    company = told((*JOINT_NAMES, "gripper"))
    for part in ("position", "velocity", "effort"):
        broken = company._replace(**{part: (*getattr(company, part)[:-1], odd)})
        assert through_a_message(broken) == OURS
    unsensed = company._replace(effort=(*(math.nan,) * N, 3.0))  # the gripper alone measures its torque
    assert through_a_message(unsensed) == OURS._replace(effort=(0.0,) * N)


def test_another_bodys_names_and_no_names_keep_the_order():
    named = told(A1, values=range(N))
    assert through_a_message(named) == named
    assert through_a_message(named._replace(names=())) == OURS
    own_place = told((JOINT_NAMES[0], *A1[1:]), values=range(N))  # nothing says that it is in another order
    assert in_order(own_place) == own_place


@pytest.mark.parametrize(
    ("sample", "said"),
    [
        (told((*JOINT_NAMES[:-1], JOINT_NAMES[0])), "every name once"),
        (told((*JOINT_NAMES, *EXTRA, EXTRA[0])), "every name once"),
        (told((*A1[:-1], A1[0])), "every name once"),
        (told(JOINT_NAMES[:-1]), "12 joints or FR_hip, .* among them, got 11"),
        (told((*JOINT_NAMES[:-1], *EXTRA)), "got 13"),
        (told((*A1, *EXTRA)), "got 14"),
        (told(()), "12 joints"),
        (told((), values=range(5)), "12 joints"),
        (told((*ALPHABETICAL[:-1], "RR_ankle")), "in any order"),
        (OURS._replace(position=(), velocity=(), effort=()), "12 names and 0, 0, 0 values"),
        (told(JOINT_NAMES, values=range(11)), "12 names and 11, 11, 11 values"),
        (told(JOINT_NAMES[:5], values=range(12)), "5 names and 12, 12, 12 values"),
        (OURS._replace(velocity=(0.0,) * 3), "12 names and 12, 3, 12 values"),
        (told((*JOINT_NAMES, *EXTRA))._replace(effort=(0.0,) * N), "14 names and 14, 14, 12 values"),
        (OURS._replace(position=(0.0, math.nan, *OURS.position[2:])), "position nan of FR_thigh"),
        (OURS._replace(velocity=(math.inf, *OURS.velocity[1:])), "velocity inf of FR_hip"),
        (OURS._replace(effort=(*OURS.effort[:-1], math.nan)), "effort nan of RL_knee"),
        (OURS._replace(names=(), position=(math.nan,) * N), "position nan of FR_hip"),
        (told([f"joint_{k}" for k in range(100_000)]), "got 100000: joint_0, .*joint_23, [.]{3}$"),
    ],
)
def test_joints_that_cannot_be_told_apart_are_refused(sample, said):
    for _ in range(2):  # a refusal is not remembered as something else
        with pytest.raises(SampleError, match=said):
            through_a_message(sample)


def test_a_bag_in_another_order_replays_as_in_ours_and_without_what_was_refused(tmp_path):
    came = []
    for kind, names in enumerate((JOINT_NAMES, (*EXTRA, *ALPHABETICAL))):
        with RunBag(tmp_path / str(kind), (*TOPICS, *LEG_TOPICS)) as bag:
            for k in range(1, 6):
                t_ns = 5 * MS * k
                bag.write(JOINT_STATES.name, t_ns, joint_states_to_cdr(told(names, t_ns)))
                if kind:
                    bag.write(JOINT_STATES.name, t_ns, joint_states_to_cdr(told(EXTRA, t_ns)))  # the arm's own driver
                contacts = contacts_packet(LegSense(t_ns, *OURS[2:], empty_events()), k)
                bag.write(FOOT_CONTACTS.name, t_ns, packet_to_cdr(contacts))
                events = pack(empty_events(), "mono", width=4, height=4, seq=k, stamp_ns=t_ns, t_end_ns=t_ns)
                bag.write(EVENTS.name, t_ns, packet_to_cdr(events))
        with BagReader(tmp_path / str(kind)) as reader:
            came.append([legs[:4] for _, _, legs in packets_with_senses(reader)])
    assert came[0] == came[1]
    assert [legs[1] for legs in came[0]] == [OURS.position] * 5
    assert np.ptp(came[0][0][1]) > 0
