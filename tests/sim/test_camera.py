"""The event camera as a whole: mount, packets, determinism, and the events a known motion must make."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from sim.worlds_by_hand import trunk, world_of

from neuro_robot.errors import SimulationError
from neuro_robot.events.packet import StreamDecoder
from neuro_robot.sim.camera import CameraConfig, EventCamera, mount_rotation, rotation_of
from neuro_robot.sim.dvs import DvsConfig, ideal
from neuro_robot.sim.picture import look_at, render_rgb
from neuro_robot.sim.world import Texture, load_world

MS = 1_000_000
LEVEL = (0.0, 0.0, 0.0, 1.0)
SMALL = CameraConfig(width=64, height=48, pitch_deg=0.0)


def fly(camera, frames, speed=(4.0, 0.0, 0.0)):
    """Frames at 1 kHz along a line; all events."""
    for i in range(frames):
        camera.frame(np.array([0.0, 0.0, 2.0]) + np.array(speed) * i * 1e-3, LEVEL, i * MS)
    return camera.take()


def test_mount_and_attitude():
    forward, right, down = np.array([0, 0, 1]), np.array([1, 0, 0]), np.array([0, 1, 0])
    np.testing.assert_allclose(mount_rotation(0) @ forward, [1, 0, 0])
    np.testing.assert_allclose(mount_rotation(0) @ right, [0, -1, 0])
    np.testing.assert_allclose(mount_rotation(0) @ down, [0, 0, -1])
    up = mount_rotation(30.0) @ forward
    np.testing.assert_allclose(up, [math.cos(math.radians(30)), 0, 0.5])
    turn = rotation_of((0, 0, math.sin(0.25), math.cos(0.25)))
    np.testing.assert_allclose(turn @ [1, 0, 0], [math.cos(0.5), math.sin(0.5), 0])
    for rotation in (turn, mount_rotation(17.0), rotation_of((1, -2, 3, 4))):
        np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
        assert np.linalg.det(rotation) == pytest.approx(1.0)
    for bad in ((0, 0, 0, 0), (np.nan, 0, 0, 1)):
        with pytest.raises(SimulationError, match="quaternion"):
            rotation_of(bad)


def test_packets_carry_the_events_and_their_time():
    world = load_world("forest", 1)
    camera, twin = (EventCamera(world, SMALL, DvsConfig(), 3) for _ in range(2))
    decoder = StreamDecoder()
    decoded, expected = [], []
    for i in range(40):
        pose = (0.01 * i, 0.0, 2.0), LEVEL, i * MS
        camera.frame(*pose)
        expected.append(twin.frame(*pose))
        if i % 2 == 0:
            packet = camera.packet(i * MS)
            assert (packet.seq, packet.width, packet.height, packet.encoding) == (i // 2, 64, 48, "evt3")
            assert packet.stamp_ns == max(0, i - 2) * MS
            result = decoder.decode(packet)
            assert result.t_end_ns == i * MS
            decoded.append(result.events)
    ours, truth = np.concatenate(decoded), np.concatenate(expected[:39])
    assert len(truth) > 100
    np.testing.assert_array_equal(ours["t"], truth["t"] // 1000 * 1000)
    for field in ("x", "y", "p"):
        np.testing.assert_array_equal(ours[field], truth[field])


def test_same_seed_same_bits():
    world = load_world("moving_balls", 2)
    one, two, other = (fly(EventCamera(world, SMALL, DvsConfig(), seed), 60) for seed in (5, 5, 6))
    np.testing.assert_array_equal(one, two)
    assert len(one) != len(other) or (one != other).any()


def test_standing_still_makes_no_events():
    """No aliasing, no drift: a camera at rest sees nothing but noise, and ideal pixels have none."""
    for name in ("forest", "corridor"):
        assert len(fly(EventCamera(load_world(name, 1), SMALL, ideal(), 0), 50, (0, 0, 0))) == 0


def test_trunk_to_the_left_makes_edges_that_run_to_the_left():
    """A dark trunk drifting left: OFF events at its leading edge, ON at its trailing one, their columns falling."""
    still = dataclasses.replace(world_of(trunk(4.0, 1.0, 0.4)), ground=Texture("plain", 0.5, 0.0))
    events = fly(EventCamera(still, SMALL, ideal(), 0), 300, (0.0, -3.0, 0.0))
    early, late = events[events["t"] < 100 * MS], events[events["t"] > 200 * MS]
    assert late["x"].mean() < early["x"].mean() - 3
    near = early[early["y"] < 20]
    assert near[near["p"] == 0]["x"].mean() < near[near["p"] == 1]["x"].mean()


def test_approach_makes_events_at_the_edges_of_the_trunk():
    events = fly(EventCamera(world_of(trunk(6.0, 0.0, 0.4)), SMALL, ideal(), 0), 1200, (4.0, 0.0, 0.0))
    upper = events[(events["y"] < 20) & (events["p"] == 0)]
    left, right = (upper["x"] < 32).sum(), (upper["x"] >= 32).sum()
    assert min(left, right) > 100
    assert left == pytest.approx(right, rel=0.3)
    first, last = upper[: len(upper) // 4], upper[-len(upper) // 4 :]
    assert np.abs(last["x"] - 31.5).mean() > np.abs(first["x"] - 31.5).mean() + 2


def test_camera_offset_and_pitch_move_the_view():
    world = load_world("forest", 1)
    moved = EventCamera(world, CameraConfig(width=64, height=48, x=0.1, z=0.05, pitch_deg=20.0), ideal(), 0)
    plain = EventCamera(world, CameraConfig(width=64, height=48, pitch_deg=20.0), ideal(), 0)
    moved.frame((0, 0, 2), LEVEL, 0)
    plain.frame((0.1, 0, 2.05), LEVEL, 0)
    np.testing.assert_array_equal(moved.renderer._image, plain.renderer._image)
    assert plain.renderer._image[-1].mean() > level_view(world)[-1].mean(), "looking up shows less near ground"


def level_view(world):
    camera = EventCamera(world, SMALL, ideal(), 0)
    camera.frame((0.1, 0, 2.05), LEVEL, 0)
    return camera.renderer._image


def test_pictures_for_people():
    world = load_world("forest", 1)
    eye, drone = np.array([-2.0, 0.0, 3.0]), np.array([0.0, 0.0, 2.0])
    picture = render_rgb(world, eye, look_at(eye, drone), 96, 72, 80.0, 0.0)
    assert picture.shape == (72, 96, 3)
    assert picture.dtype == np.uint8
    top, bottom = picture[0].mean(axis=0), picture[-1].mean(axis=0)
    assert top[2] > top[0], "sky is blue"
    assert bottom[1] > max(bottom[0], bottom[2]), "ground is green"
    with_drone = render_rgb(world, eye, look_at(eye, drone), 96, 72, 80.0, 0.0, (drone, np.eye(3)))
    changed = np.abs(with_drone.astype(int) - picture).sum(axis=2) > 30
    rows, columns = np.nonzero(changed)
    assert 20 < changed.sum() < 700
    assert abs(columns.mean() - 47.5) < 4
    assert abs(rows.mean() - 35.5) < 6
    with pytest.raises(SimulationError):
        render_rgb(world, (np.nan, 0, 0), np.eye(3), 16, 16, 80.0, 0.0)
