"""The renderer against a supersampled naive ray caster, and the properties an event camera depends on."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sim.naive_view import naive_view
from sim.worlds_by_hand import trunk, world_of

from neuro_robot.errors import SimulationError
from neuro_robot.sim.camera import CameraConfig, mount_rotation
from neuro_robot.sim.path import Sinusoid
from neuro_robot.sim.renderer import Renderer
from neuro_robot.sim.world import Light, Texture, World, WorldObject, load_world

PLAIN = Texture("plain", 0.3, 0.0)


def attitude(yaw=0.0, pitch=0.0, roll=0.0):
    """Camera to world for a body turned by yaw, then pitch (nose down positive), then roll."""
    cy, sy, cp, sp, cr, sr = (f(a) for a in (yaw, pitch, roll) for f in (math.cos, math.sin))
    body = np.array([[cy, -sy, 0], [sy, cy, 0], [0, 0, 1]]) @ np.array([[cp, 0, sp], [0, 1, 0], [-sp, 0, cp]])
    return body @ np.array([[1, 0, 0], [0, cr, -sr], [0, sr, cr]]) @ mount_rotation(0.0)


def plain_world(*objects: WorldObject) -> World:
    world = world_of(*objects)
    light = Light((-0.424, 0.566, 0.707), 0.4, 40.0)
    return dataclasses.replace(world, ground=Texture("plain", 0.5, 0.0), zenith=0.7, light=light)


def view(world, position, rotation, size=24, fov=80.0, t_s=0.0, **options):
    renderer = Renderer(world, CameraConfig(width=size, height=size, fov_deg=fov), **options)
    return renderer.render(position, rotation, t_s)


CYLINDERS = plain_world(
    WorldObject("cylinder", (4, 0.5, 3), (0.4, 0.4, 3), 0, PLAIN),
    WorldObject("cylinder", (6, -1.5, 0.5), (0.6, 0.6, 0.5), 0, PLAIN),  # low: its top is seen
    WorldObject("cylinder", (5, 2.5, 4.5), (0.5, 0.5, 0.5), 0, PLAIN),  # hangs: its underside is seen
    WorldObject("cylinder", (30, 0, 4), (0.2, 0.2, 4), 0, PLAIN),  # thinner than a pixel
)
SPHERES = plain_world(
    WorldObject("sphere", (4, 0.5, 2), (0.7, 0.7, 0.7), 0, PLAIN),
    WorldObject("sphere", (9, -0.5, 2.5), (1.5, 1.5, 1.5), 0, Texture("plain", 0.8, 0.0)),
    WorldObject("sphere", (40, 3, 3), (0.3, 0.3, 0.3), 0, PLAIN),
)
BOXES = plain_world(
    WorldObject("box", (10, 3, 2), (15, 0.2, 2), 0.0, PLAIN),  # a wall beside the eye, partly behind it
    WorldObject("box", (5, 0, 1), (0.5, 0.7, 1.0), 0.6, Texture("plain", 0.6, 0.0)),
    WorldObject("cylinder", (9, 2.0, 2), (0.3, 0.3, 2), 0, Texture("plain", 0.15, 0.0)),  # before the wall
    WorldObject("box", (8, -3, 4.0), (0.7, 0.7, 0.7), 0.2, PLAIN),
)
POSES = [(0, 0, 0), (0.2, 0.35, 0.4), (-0.3, -0.3, -0.7), (0.1, 1.2, 0.2), (2.9, 0.1, 3.0)]


@pytest.mark.parametrize("world", [CYLINDERS, SPHERES, BOXES], ids=["cylinders", "spheres", "boxes"])
@pytest.mark.parametrize("pose", POSES)
def test_equals_supersampled_rays(world, pose):
    position, rotation = (0.1, -0.2, 2.1), attitude(*pose)
    ours = np.exp(view(world, position, rotation))
    true = naive_view(world, position, rotation, 24, 24, 80.0, 0.0)
    error = np.abs(ours - true)
    assert error.mean() < 0.006
    assert np.quantile(error, 0.98) < 0.06
    assert error.max() < 0.3  # at corners coverage is a product of edges


@given(st.floats(-3, 3), st.floats(-1.5, 1.5), st.floats(-3.2, 3.2), st.floats(0.3, 6))
@settings(max_examples=15, deadline=None)
def test_equals_supersampled_rays_anywhere(yaw, pitch, roll, z):
    world = dataclasses.replace(CYLINDERS, objects=CYLINDERS.objects + SPHERES.objects[1:] + BOXES.objects[1:2])
    rotation = attitude(yaw, pitch, roll)
    error = np.abs(np.exp(view(world, (1.0, 0.0, z), rotation)) - naive_view(world, (1, 0, z), rotation, 24, 24, 80, 0))
    assert error.mean() < 0.008


@pytest.mark.parametrize("name", ["forest", "forest_dense", "corridor", "pillars", "moving_balls"])
def test_culling_and_threads_change_no_bit(name):
    world = load_world(name, 5)
    for x, pose in enumerate(POSES):
        at, rotation = (2.0 * x, 0.4, 1.6), attitude(*pose)
        plain = view(world, at, rotation, 64, 90.0, 1.3).copy()
        np.testing.assert_array_equal(plain, view(world, at, rotation, 64, 90.0, 1.3, culling=False))
        np.testing.assert_array_equal(plain, view(world, at, rotation, 64, 90.0, 1.3, threads=2))


def test_small_picture_is_the_average_of_a_large_one():
    """Textures and edges are filtered: nothing finer than a pixel is left to flicker."""
    world, rotation = load_world("forest", 2), attitude(0.1, 0.15, 0.2)
    small = np.exp(view(world, (0, 0, 2), rotation, 32, 90.0))
    large = np.exp(view(world, (0, 0, 2), rotation, 256, 90.0)).reshape(32, 8, 32, 8).mean(axis=(1, 3))
    error = np.abs(small - large)
    assert error.mean() < 0.02
    assert np.quantile(error, 0.99) < 0.1


def test_changes_shrink_with_the_step():
    """No pixel jumps: a hundredth of the motion makes about a hundredth of the change, in textures and at edges."""
    world, rotation = load_world("forest", 3), attitude(0.0, 0.1, 0.05)
    renderer = Renderer(world, CameraConfig())
    start = renderer.render((3.0, 0.2, 2.0), rotation, 0.0).copy()
    near = np.abs(renderer.render((3.0 + 1e-4, 0.2, 2.0), rotation, 0.0) - start).max()
    far = np.abs(renderer.render((3.0 + 1e-2, 0.2, 2.0), rotation, 0.0) - start).max()
    assert near < 0.02
    assert far < 0.6


def test_thin_trunk_covers_its_share():
    """A trunk a third of a pixel wide darkens a row by a third of a pixel's contrast, wherever it stands."""
    sums = []
    for y in np.linspace(-0.3, 0.3, 7):
        bare = plain_world()
        world = plain_world(WorldObject("cylinder", (20, y, 10), (0.0556, 0.0556, 10), 0, PLAIN))
        dark = np.exp(view(bare, (0, 0, 2), attitude(), 65, 90.0)[20]) - np.exp(
            view(world, (0, 0, 2), attitude(), 65, 90.0)[20]
        )
        sums.append(dark.sum())
    width_px = 2 * 0.0556 / 20 * 32.5
    assert np.ptp(sums) < 0.02 * np.mean(sums)
    assert 0.25 * width_px < np.mean(sums) < 0.7 * width_px


def test_level_horizon_and_sky():
    world = plain_world()
    image = np.exp(view(world, (0, 0, 2), attitude(), 64))
    assert image[31].min() > 0.95  # the horizon's own brightness is 1, log 0
    assert image[0].mean() < image[20].mean() < 1.0
    assert image[-1].mean() < image[40].mean()


def test_axes_of_the_picture():
    """Left of the body is left in the picture; up is row 0."""
    world = plain_world(WorldObject("sphere", (5, 2, 4), (0.5, 0.5, 0.5), 0, Texture("plain", 0.05, 0)))
    image = view(world, (0, 0, 2), attitude(), 64)
    row, column = np.unravel_index(np.argmin(image[:32]), (32, 64))
    assert column < 32 * (1 - 0.3)
    assert row < 32 * (1 - 0.3)


def test_moving_object_is_where_its_path_says():
    ball = WorldObject("sphere", (5, 0, 2), (0.5,) * 3, 0, PLAIN, Sinusoid((0, 2, 0), 4.0))
    still = WorldObject("sphere", (5, 2, 2), (0.5,) * 3, 0, PLAIN)
    np.testing.assert_array_equal(
        view(plain_world(ball), (0, 0, 2), attitude(), t_s=1.0), view(plain_world(still), (0, 0, 2), attitude())
    )


def test_eye_inside_a_solid_and_in_an_empty_world():
    world = plain_world(*CYLINDERS.objects, *SPHERES.objects, *BOXES.objects)
    for item in world.objects:
        assert np.isfinite(view(world, item.position, attitude())).all()
    assert np.isfinite(view(world_of(), (0, 0, -1), attitude())).all()


def test_bad_pose_is_refused():
    renderer = Renderer(world_of(trunk(3, 0)), CameraConfig())
    for position, t_s in (((np.nan, 0, 0), 0.0), ((0, 0, np.inf), 0.0), ((0, 0, 2), np.nan)):
        with pytest.raises(SimulationError, match="finite"):
            renderer.render(position, attitude(), t_s)
