"""Pictures and grids of events, against sums done by hand and slow loops."""

import math

import numpy as np
import pytest

from neuro_robot.errors import ConfigError, PacketError
from neuro_robot.events import EVENT_DTYPE, empty_events, event_image
from neuro_robot.events.frames import count_map, rate_image, rate_scale, surface_image
from neuro_robot.events.surfaces import SpeedInvariantSurface, TimeSurface, voxel_grid


def random_events(n=300, width=7, height=5, seed=0):
    rng = np.random.default_rng(seed)
    events = empty_events(n)
    events["t"] = np.sort(rng.integers(0, 10_000_000, n))
    events["x"], events["y"] = rng.integers(0, width, n), rng.integers(0, height, n)
    events["p"] = rng.integers(0, 2, n)
    return events


def test_no_events_give_a_plain_light_ground():
    image = event_image(empty_events(), 4, 3)
    assert image.shape == (3, 4, 3)
    assert image.dtype == np.uint8
    assert len(np.unique(image.reshape(-1, 3), axis=0)) == 1
    assert image.min() > 200


def test_on_is_blue_off_is_red_and_more_is_stronger():
    rows = [(0, 0, 0, 1), (1, 1, 0, 0)] + [(2, 2, 1, 1)] * 5 + [(3, 3, 2, 0)] * 5 + [(4, 0, 2, 1), (4, 0, 2, 0)]
    image = event_image(np.array(rows, EVENT_DTYPE), 4, 3).astype(int)
    red, blue = image[..., 0], image[..., 2]
    assert blue[0, 0] > red[0, 0]
    assert red[0, 1] > blue[0, 1]
    assert red[1, 2] < red[0, 0], "five ON events cover more of the ground than one"
    assert blue[2, 3] < blue[0, 1]
    assert abs(red[2, 0] - blue[2, 0]) < 20, "one of each is a mixture"
    touched = {(0, 0), (0, 1), (1, 2), (2, 3), (2, 0)}
    ground = image[0, 2]
    assert {(y, x) for y in range(3) for x in range(4) if (image[y, x] != ground).any()} == touched


OUTSIDE = np.array([(0, 0, 0, 1), (0, 4, 0, 1)], EVENT_DTYPE)


@pytest.mark.parametrize(
    "draw",
    [
        event_image,
        count_map,
        lambda events, w, h: TimeSurface(w, h).add(events),
        lambda events, w, h: SpeedInvariantSurface(w, h).add(events),
        lambda events, w, h: voxel_grid(events, w, h, 3),
    ],
)
def test_bad_input_is_refused(draw):
    with pytest.raises(PacketError, match=r"event 1: pixel \(4, 0\) is outside the 4x3 picture"):
        draw(OUTSIDE, 4, 3)
    with pytest.raises(PacketError, match="at least 1x1"):
        draw(empty_events(), 0, 3)
    with pytest.raises(PacketError, match="EVENT_DTYPE"):
        draw(np.zeros(3), 4, 3)


def test_counts():
    events = random_events()
    wanted = np.zeros((5, 7, 2), int)
    np.add.at(wanted, (events["y"], events["x"], events["p"]), 1)
    np.testing.assert_array_equal(count_map(events, 7, 5), wanted)


def test_time_surface_is_the_exponential_of_each_pixels_age():
    events = random_events()
    surface = TimeSurface(7, 5)
    for part in np.split(events, [1, 50, 51, 200]):
        surface.add(part)
    t_ns, tau_ms = 12_000_000, 3.0
    wanted = np.zeros((2, 5, 7))
    for e in events:  # in order: the newest wins
        wanted[e["p"], e["y"], e["x"]] = math.exp(-(t_ns - int(e["t"])) / (tau_ms * 1e6))
    np.testing.assert_allclose(surface.values(t_ns, tau_ms), wanted, rtol=1e-6)
    assert surface.values(0, tau_ms).max() == 1.0
    assert TimeSurface(2, 2).values(2**62, 1.0).max() == 0.0
    with pytest.raises(ConfigError, match="tau"):
        surface.values(0, 0.0)


def test_speed_invariant_surface_against_its_definition():
    events, radius = random_events(), 2
    surface = SpeedInvariantSurface(7, 5, radius)
    wanted = np.zeros((2, 5, 7), int)
    for e in events:
        x, y, p = int(e["x"]), int(e["y"]), int(e["p"])
        before = wanted[p, y, x]
        for b in range(max(y - radius, 0), min(y + radius, 4) + 1):
            for a in range(max(x - radius, 0), min(x + radius, 6) + 1):
                if wanted[p, b, a] >= before and wanted[p, b, a] > 0:
                    wanted[p, b, a] -= 1
        wanted[p, y, x] = (2 * radius + 1) ** 2
    for part in np.split(events, [7, 90]):
        surface.add(part)
    np.testing.assert_array_equal(surface.values, wanted)


def test_speed_invariant_surface_is_the_same_behind_a_slow_and_a_fast_edge():
    slopes = []
    for step_ns in (1000, 50_000):
        surface = SpeedInvariantSurface(40, 20, 3)
        edge = empty_events(40 * 20)
        edge["x"], edge["y"] = np.repeat(np.arange(40), 20), np.tile(np.arange(20), 40)
        edge["t"], edge["p"] = np.arange(800) * step_ns, 1
        surface.add(edge)
        slopes.append(surface.values[1, 10])
    np.testing.assert_array_equal(*slopes)
    assert slopes[0][-1] > slopes[0][-2] > slopes[0][-4]
    with pytest.raises(ConfigError, match="radius"):
        SpeedInvariantSurface(4, 4, 0)


@pytest.mark.parametrize("bins", [1, 2, 5])
def test_voxel_grid_against_its_definition(bins):
    events = random_events()
    first, last = int(events["t"][0]), int(events["t"][-1])
    wanted = np.zeros((bins, 5, 7))
    for e in events:
        place = (bins - 1) * (int(e["t"]) - first) / (last - first)
        for b in range(bins):
            wanted[b, e["y"], e["x"]] += (2 * int(e["p"]) - 1) * max(0.0, 1.0 - abs(b - place))
    np.testing.assert_allclose(voxel_grid(events, 7, 5, bins), wanted, atol=1e-5)


def test_voxel_grid_of_a_given_time_and_of_nothing():
    events = np.array([(0, 0, 0, 1), (50, 1, 0, 1), (100, 2, 0, 0), (101, 3, 0, 1)], EVENT_DTYPE)
    grid = voxel_grid(events, 4, 1, 3, 0, 100)
    assert grid[:, 0].tolist() == [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, -1, 0]]
    assert voxel_grid(events[:1], 4, 1, 2)[:, 0, 0].tolist() == [1.0, 0.0]
    assert not voxel_grid(empty_events(), 4, 1, 2).any()
    with pytest.raises(ConfigError, match="bins"):
        voxel_grid(events, 4, 1, 0)


def test_surface_picture_fades_to_the_ground_with_on_blue_and_off_red():
    surface = np.zeros((2, 1, 4), np.float32)
    surface[1, 0, 0], surface[0, 0, 1], surface[1, 0, 2] = 1.0, 1.0, 0.3
    image = surface_image(surface).astype(int)[0]
    assert image[0][2] > image[0][0] + 100
    assert image[1][0] > image[1][2] + 100
    assert image[0].sum() < image[2].sum() < image[3].sum()


def test_rate_picture_gets_lighter_by_powers_of_ten():
    image = (
        rate_image(np.array([[0.0, 1e-9, 1.0, 10.0, 100.0, 1000.0, 5000.0]]), 1.0, 1000.0).astype(int).sum(axis=2)[0]
    )
    assert image[0] < image[1] == image[2] < image[3] < image[4] < image[5] == image[6]
    assert rate_image(np.zeros((2, 2)), 1.0, 1.0).max() < 10
    scale = rate_scale(64)
    assert scale.shape == (64, 3)
    np.testing.assert_array_equal(scale[-1], rate_image(np.array([[7.0]]), 0.1, 7.0)[0, 0])
