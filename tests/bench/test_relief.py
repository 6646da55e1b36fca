"""The ground drawn over the chase view: lines of heightfields and outlines of friction patches, where they are."""

from __future__ import annotations

import numpy as np
import pytest

from neuro_robot.bench.chase import Projection, look_at
from neuro_robot.bench.relief import REACH_M, draw_ground, outline, relief
from neuro_robot.sim.terrain import FrictionPatch, HeightField, Terrain

HEIGHTS = np.arange(30.0 * 20.0).reshape(30, 20) * 1e-4
FIELD = HeightField(1.0, -2.0, 0.5, (30, 20), HEIGHTS.tobytes())


@pytest.mark.parametrize("around", [(0.0, 0.0, 0.3), (8.0, 1.0, 0.3), (99.0, 0.0, 0.3)])
def test_the_lines_meet_at_the_corners_near_the_robot(around):
    lines = list(relief(FIELD, np.array(around)))
    corners = {
        (1.0 + 0.5 * i, -2.0 + 0.5 * j, HEIGHTS[i, j])
        for i in range(30)
        for j in range(20)
        if abs(1.0 + 0.5 * i - around[0]) <= REACH_M and abs(-2.0 + 0.5 * j - around[1]) <= REACH_M
    }
    points = [tuple(point) for line in lines for point in line]
    assert set(points) == corners
    assert len(points) == 2 * len(corners)  # once along x, once along y


def test_an_outline_is_the_edges_near_the_robot():
    edges = list(outline(FrictionPatch((0.0, 2.0), (-1.0, 50.0), 0.1), np.array([1.0, 0.0, 0.3])))
    assert len(edges) == 4
    near, right, far, left = edges
    assert (near[0].tolist(), near[-1].tolist()) == ([0.0, -1.0, 0.0], [2.0, -1.0, 0.0])
    assert (right[:, 0] == 2.0).all()
    assert (left[:, 0] == 0.0).all()
    assert len(far) == 0
    assert max(edge[:, 1].max() for edge in (right, left)) == pytest.approx(REACH_M, abs=0.25)


def test_only_what_lies_in_front_is_drawn():
    terrain = Terrain(fields=(FIELD,), frictions=(FrictionPatch((2.0, 4.0), (-1.0, 1.0), 0.1),))
    eye, projection = np.array([-1.0, 0.0, 0.8]), Projection(320, 240, 80.0)
    blank = np.full((240, 320, 3), 200, np.uint8)
    for target, drawn in ((np.array([2.0, 0.0, 0.0]), True), (np.array([-4.0, 0.0, 0.8]), False)):
        image = blank.copy()
        draw_ground(image, terrain, np.array([0.5, 0.0, 0.3]), (projection, eye, look_at(eye, target)))
        assert (image != blank).any() == drawn
    image = blank.copy()
    draw_ground(image, Terrain(), np.zeros(3), (projection, eye, look_at(eye, np.array([2.0, 0.0, 0.0]))))
    np.testing.assert_array_equal(image, blank)
