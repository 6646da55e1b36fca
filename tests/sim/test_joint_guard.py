"""What the joint guard lets through and how it goes back to the stance."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from neuro_robot.robot import JointCommand
from neuro_robot.sim.joint_guard import JointGuard

STANCE, LOW, HIGH, STEP = (0.0, 1.0), (-0.5, 0.0), (0.5, 2.0), 0.02
MS = 1_000_000


def make():
    return JointGuard(("hip", "thigh"), STANCE, LOW, HIGH, 100.0, STEP)


def test_a_good_command_passes_unchanged_up_to_its_limits_and_its_age():
    guard = make()
    for position in (STANCE, LOW, HIGH):
        command = JointCommand(5 * MS, position)
        assert guard.check(command, 5 * MS) is command
        assert guard.check(command, 105 * MS) is command
    assert guard.fault == ""
    assert guard.counts.passed == 6
    guard.check(command, 105 * MS + 1)
    assert guard.counts.stale == 1


def test_before_the_first_command_it_holds_the_stance():
    guard = make()
    assert guard.check(None, 0) == JointCommand(0, STANCE)
    assert guard.fault == "no command yet: holding the stance"


def test_a_fault_leads_back_to_the_stance_step_by_step_and_a_good_command_is_obeyed_again():
    guard = make()
    far = JointCommand(0, (0.5, 0.9))
    guard.check(far, 0)
    path = [guard.check(JointCommand(0, (math.nan, 0.9)), 0).position for _ in range(30)]
    steps = np.abs(np.diff([far.position, *path], axis=0))
    assert steps.max() <= STEP + 1e-12
    np.testing.assert_allclose(path[4], (0.4, 1.0))
    assert path[-1] == STANCE
    assert guard.check(far, 0) is far


@given(st.lists(st.floats(), max_size=4), st.integers(-(2**62), 2**62))
@settings(max_examples=200, deadline=None)
def test_whatever_comes_the_answer_is_within_the_limits(position, t_ns):
    guard = make()
    answer = guard.check(JointCommand(t_ns, tuple(position)), 0)
    assert len(answer.position) == 2
    assert all(low <= value <= high for low, value, high in zip(LOW, answer.position, HIGH, strict=True))
    assert sum(vars(guard.counts).values()) == 1
