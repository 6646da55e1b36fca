"""What happens to a walking robot: a push hands over its impulse, whenever it comes and however long it lasts."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis.strategies import floats
from sim.worlds_by_hand import world_of

from neuro_robot.sim.disturbances import Disturbances
from neuro_robot.sim.quadruped import JOINT_NAMES
from neuro_robot.sim.terrain import Push, Terrain

STEP_S = 1e-3


class Pushed:
    """Sums up what acts on the body."""

    def __init__(self):
        self.impulse = np.zeros(3)

    def push(self, force):
        self.impulse += np.array(force) * STEP_S


@given(floats(0.0, 0.5), floats(0.001, 0.4))
def test_a_push_hands_over_its_impulse(at_s, duration_s):
    world = dataclasses.replace(world_of(), terrain=Terrain(pushes=(Push(at_s, (3.0, -4.0, 0.5), duration_s),)))
    disturbances, body = Disturbances(world, 0.6, JOINT_NAMES), Pushed()
    came_ms = []
    for ms in range(1000):
        before = body.impulse.copy()
        disturbances.apply(body, np.zeros((4, 3)), np.ones(12), ms * 1_000_000)
        if (body.impulse != before).any():
            came_ms.append(ms)
    assert body.impulse == pytest.approx([3.0, -4.0, 0.5])
    assert -1e-6 < came_ms[0] - 1e3 * at_s < 1.0
    assert len(came_ms) == pytest.approx(1e3 * duration_s, abs=0.51)
