"""Every filter against a slow one in plain Python, and the same however the stream is cut."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuro_robot.errors import ConfigError, PacketError
from neuro_robot.events import EVENT_DTYPE, empty_events
from neuro_robot.events.filters import Chain, Crop, Polarity, Subsample
from neuro_robot.events.filters_flicker import AntiFlicker
from neuro_robot.events.filters_lens import Undistort
from neuro_robot.events.filters_noise import MIN_HOT_EVENTS, BackgroundActivity, HotPixels, Refractory, hot_pixels
from neuro_robot.events.filters_text import FILTERS, parse_filters

W, H = 12, 9
MATRIX = [[9.0, 0.0, 6.0], [0.0, 9.0, 4.0], [0.0, 0.0, 1.0]]
MAKERS = {
    "on": lambda: Polarity(W, H, on=True),
    "off": lambda: Polarity(W, H, on=False),
    "crop": lambda: Crop(W, H, 2, 1, 7, 6),
    "subsample": lambda: Subsample(W, H, every=3, block=2),
    "background": lambda: BackgroundActivity(W, H, 2.0),
    "refractory": lambda: Refractory(W, H, 3.0),
    "hot": lambda: HotPixels(W, H, window_s=0.02, factor=3.0),
    "antiflicker": lambda: AntiFlicker(W, H, 100.0, 1000.0, turns=2),
    "undistort": lambda: Undistort(W, H, MATRIX, [-0.2, 0.05, 0.0, 0.0]),
    "chain": lambda: Chain(W, H, [Refractory(W, H, 1.0), Crop(W, H, 0, 0, 9, 9), BackgroundActivity(9, 9, 4.0)]),
}


@cache
def stream(seed: int = 0, n: int = 1500, span_ns: int = 200_000_000) -> np.ndarray:
    """Noise, with a busy corner, a pixel that flickers at 250 Hz, and small steps back in time."""
    rng = np.random.default_rng(seed)
    events = empty_events(n)
    events["t"] = np.sort(rng.integers(0, span_ns, n))
    events["t"][n // 3] += 40_000
    events["x"], events["y"], events["p"] = rng.integers(0, W, n), rng.integers(0, H, n), rng.integers(0, 2, n)
    events["x"][::4] = events["y"][::4] = 0
    flicker = empty_events(span_ns // 2_000_000)
    flicker["t"] = np.arange(len(flicker)) * 2_000_000
    flicker["x"], flicker["y"], flicker["p"] = 5, 5, np.arange(len(flicker)) % 2
    both = np.concatenate([events, flicker])
    return both[np.argsort(both["t"] // 100_000, kind="stable")]


def naive_background(events, period_ns):
    last, kept = {}, []
    for e in events:
        t, x, y = int(e["t"]), int(e["x"]), int(e["y"])
        around = [(x + dx, y + dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1) if dx or dy]
        if any(abs(t - last[at]) <= period_ns for at in around if at in last):
            kept.append(e)
        last[x, y] = t
    return kept


def naive_refractory(events, period_ns):
    last, kept = {}, []
    for e in events:
        at = (int(e["x"]), int(e["y"]))
        if at not in last or abs(int(e["t"]) - last[at]) >= period_ns:
            kept.append(e)
            last[at] = int(e["t"])
    return kept


def naive_hot(events, window_ns, factor):
    mask, counts, kept, start = np.zeros((H, W), bool), np.zeros((H, W), int), [], None
    for e in events:
        t, at = int(e["t"]), (int(e["y"]), int(e["x"]))
        if start is None or not start <= t < start + window_ns:
            if start is not None and start <= t < start + 2 * window_ns:
                mask = naive_mask(counts, factor)
                start += window_ns
            else:
                start = t
            counts[:] = 0
        counts[at] += 1
        if not mask[at]:
            kept.append(e)
    return kept


def naive_mask(counts, factor):
    mask = np.zeros(counts.shape, bool)
    for y, x in np.ndindex(counts.shape):
        ring = sorted(
            counts[b, a]
            for a in range(x - 1, x + 2)
            for b in range(y - 1, y + 2)
            if (a, b) != (x, y) and 0 <= a < counts.shape[1] and 0 <= b < counts.shape[0]
        )
        second = ring[-2] if len(ring) > 1 else 0
        mean = counts.sum() / max(np.count_nonzero(counts), 1)
        mask[y, x] = counts[y, x] >= MIN_HOT_EVENTS and counts[y, x] > factor * max(second, mean)
    return mask


def same(found, wanted):
    np.testing.assert_array_equal(found, np.array(wanted, EVENT_DTYPE))
    assert len(found)


@pytest.mark.parametrize("seed", [0, 1])
def test_against_naive(seed):
    events = stream(seed)
    same(MAKERS["background"]().apply(events), naive_background(events, 2_000_000))
    same(MAKERS["refractory"]().apply(events), naive_refractory(events, 3_000_000))
    same(MAKERS["hot"]().apply(events), naive_hot(events, 20_000_000, 3.0))
    same(MAKERS["on"]().apply(events), events[events["p"] == 1])
    same(MAKERS["off"]().apply(events), events[events["p"] == 0])
    inside = events[(events["x"] >= 2) & (events["x"] < 9) & (events["y"] >= 1) & (events["y"] < 7)].copy()
    inside["x"] -= 2
    inside["y"] -= 1
    same(MAKERS["crop"]().apply(events), inside)
    blocks = events[events["y"] < 8].copy()
    blocks["x"] //= 2
    blocks["y"] //= 2
    same(MAKERS["subsample"]().apply(events), blocks[::3])


@pytest.mark.parametrize("name", MAKERS)
@given(cuts=st.lists(st.integers(0, 1600), max_size=30), seed=st.integers(0, 3))
@settings(max_examples=15, deadline=None)
def test_cutting_the_stream_changes_nothing(name, cuts, seed):
    events = stream(seed)
    whole = MAKERS[name]().apply(events)
    pieces = MAKERS[name]()
    parts = [pieces.apply(part) for part in np.split(events, sorted(cuts))]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    assert 0 < len(whole) < len(events)
    assert whole["x"].max() < pieces.width
    assert whole["y"].max() < pieces.height


@pytest.mark.parametrize("name", sorted(set(MAKERS) - {"on", "off", "crop", "subsample"}))
def test_a_pixel_outside_is_refused_by_name_and_nothing_is_input_changed(name):
    events = stream()[:20].copy()
    before = events.copy()
    MAKERS[name]().apply(events)
    np.testing.assert_array_equal(events, before)
    events["x"][7] = W
    with pytest.raises(PacketError, match=r"event 7: pixel \(12, "):
        MAKERS[name]().apply(events)


@pytest.mark.parametrize("name", MAKERS)
def test_empty_and_extreme_times(name):
    assert len(MAKERS[name]().apply(empty_events())) == 0
    with pytest.raises(PacketError, match="EVENT_DTYPE"):
        MAKERS[name]().apply(np.zeros(3))
    far = np.array([(0, 3, 3, 1), (2**62, 3, 3, 1), (0, 4, 3, 0), (2**62, 4, 3, 1), (5, 4, 4, 0)], EVENT_DTYPE)
    assert len(MAKERS[name]().apply(far)) <= len(far)


def test_background_after_a_restart_of_time_forgets_the_future():
    events = np.array([(10**12, 3, 3, 1), (1000, 4, 3, 1), (1001, 3, 3, 1)], EVENT_DTYPE)
    assert BackgroundActivity(W, H, 1.0).apply(events)["t"].tolist() == [1001]


def flicker(hz, n, x=3, start_ns=0):
    events = empty_events(2 * n)
    events["t"] = start_ns + (np.arange(2 * n) * (0.5e9 / hz)).astype(np.int64)
    events["x"], events["y"], events["p"] = x, 2, np.arange(2 * n) % 2
    return events


def test_antiflicker_drops_a_lamp_and_keeps_what_is_slower_faster_or_irregular():
    lamp = AntiFlicker(W, H).apply(flicker(100.0, 50))
    assert len(lamp) <= 2 * 5, "the first turns pass, then nothing"
    for hz in (20.0, 80.0, 140.0, 1000.0):
        np.testing.assert_array_equal(AntiFlicker(W, H).apply(flicker(hz, 50)), flicker(hz, 50))
    rng = np.random.default_rng(1)
    irregular = flicker(100.0, 200)
    irregular["t"] = np.cumsum(rng.choice([1_000_000, 4_500_000, 30_000_000], 400))
    assert len(AntiFlicker(W, H).apply(irregular)) > 0.95 * 400


def test_antiflicker_lets_a_pixel_go_when_the_lamp_goes_out():
    made = AntiFlicker(W, H)
    made.apply(flicker(100.0, 50))
    edge = np.array([(10**9, 3, 2, 1), (10**9 + 1000, 3, 2, 1)], EVENT_DTYPE)
    np.testing.assert_array_equal(made.apply(edge), edge)


def test_antiflicker_sees_a_turn_of_several_events_as_one():
    lamp = np.repeat(flicker(100.0, 50), 3)
    lamp["t"] += np.tile([0, 100_000, 200_000], 100)
    assert len(AntiFlicker(W, H).apply(lamp)) <= 3 * 2 * 5


def test_hot_pixels_are_found_also_side_by_side_and_a_busy_area_is_none():
    counts = np.full((60, 80), 3, np.int32)
    counts[4, 5] = counts[4, 6] = 800
    counts[20:40, 0:9] = 300  # a whole area is busy: no single pixel stands out
    counts[50, :] = counts[51, [0, -1]] = 500  # nor on a thin edge
    assert np.argwhere(hot_pixels(counts)).tolist() == [[4, 5], [4, 6]]
    assert not hot_pixels(np.zeros((1, 1), np.int32)).any()


def test_a_given_mask_holds():
    mask = np.zeros((H, W), bool)
    mask[5, 5] = True
    events = stream()
    kept = HotPixels(W, H, window_s=0, mask=mask).apply(events)
    np.testing.assert_array_equal(kept, events[(events["x"] != 5) | (events["y"] != 5)])


@pytest.mark.parametrize("model", ["plumb_bob", "equidistant"])
def test_undistorted_pixels_distorted_again_are_where_they_were(model):
    width, height = 64, 48
    matrix = np.array([[50.0, 0, 31.0], [0, 52.0, 24.0], [0, 0, 1]])
    distortion = np.array([-0.18, 0.03, 0.001, -0.002])
    places = Undistort(width, height, matrix, distortion, model).map
    y, x = np.nonzero(places[..., 0] >= 0)
    moved = places[y, x].astype(float)
    rays = np.stack([(moved[:, 0] - 31.0) / 50.0, (moved[:, 1] - 24.0) / 52.0, np.ones(len(x))], axis=1)
    if model == "equidistant":
        back = cv2.fisheye.distortPoints(rays[:, None, :2], matrix, distortion)[:, 0]
    else:
        back = cv2.projectPoints(rays, np.zeros(3), np.zeros(3), matrix, distortion)[0][:, 0]
    assert np.abs(back - np.stack([x, y], axis=1)).max() < 1.0  # the map is rounded to whole pixels
    assert (places[24, 31] == (31, 24)).all()
    assert len(x) > 1500


def test_without_distortion_nothing_moves():
    events = stream()
    np.testing.assert_array_equal(Undistort(W, H, MATRIX, np.zeros(5)).apply(events), events)


def test_where_the_lens_model_has_no_inverse_pixels_are_dropped():
    places = Undistort(640, 480, [[300, 0, 320], [0, 300, 240], [0, 0, 1]], [-0.5, 0, 0, 0]).map
    assert (places[0, 0] == -1).all()
    assert (places[240, 320] == (320, 240)).all()


CALIBRATION = """\
image_width: 12
image_height: 9
camera_name: dvs
camera_matrix: {rows: 3, cols: 3, data: [9.0, 0.0, 6.0, 0.0, 9.0, 4.0, 0.0, 0.0, 1.0]}
distortion_model: plumb_bob
distortion_coefficients: {rows: 1, cols: 5, data: [-0.2, 0.05, 0.0, 0.0, 0.0]}
"""


def test_calibration_files(tmp_path):
    path = tmp_path / "calibration.yaml"
    path.write_text(CALIBRATION)
    np.testing.assert_array_equal(Undistort.from_file(path, W, H).map, MAKERS["undistort"]().map)
    with pytest.raises(ConfigError, match=r"12x9 pixels, the events have 640x480"):
        Undistort.from_file(path, 640, 480)
    for text in ("", "[", "camera_matrix: 3", CALIBRATION.replace("9.0", "x"), CALIBRATION.replace("-0.2", ".nan"),
                 CALIBRATION.replace("plumb_bob", "pinhole"), CALIBRATION.replace("-0.2, 0.05, ", "")):  # fmt: skip
        path.write_text(text)
        with pytest.raises(ConfigError):
            Undistort.from_file(path, W, H)
    with pytest.raises(ConfigError, match=r"absent\.yaml"):
        Undistort.from_file(tmp_path / "absent.yaml", W, H)


def test_filters_by_name(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text(CALIBRATION)
    texts = ["refractory=1", "hot", "background=3.5", "antiflicker=90-130", f"undistort={path}", "crop=8x8+1+0"]
    chain = parse_filters([*texts, "on", "every=2", "block=2"], W, H)
    assert (chain.width, chain.height) == (4, 4)
    assert len(chain.filters) == 9
    assert parse_filters([], W, H).apply(stream()).shape == stream().shape
    again = parse_filters(["refractory", "hot=5", "background", "antiflicker", "off"], W, H)
    assert {type(item) for item in again.filters} <= {type(item) for item in chain.filters}


@pytest.mark.parametrize(
    "text",
    ["blur", "", "background=x", "background=0", "background=nan", "refractory=-1", "crop=3", "crop=40x4+0+0",
     "crop=4x4+10+0", "crop=4x4+-1+0", "every=0", "every", "block=99", "antiflicker=5", "antiflicker=9-3", "hot=0.5",
     "undistort", "antiflicker=nan-3"],
)  # fmt: skip
def test_a_wrong_filter_is_refused_with_what_was_expected(text):
    with pytest.raises(ConfigError, match="expected"):
        parse_filters([text], W, H)


def test_every_name_says_how_it_is_written():
    for name, item in FILTERS.items():
        assert item.usage.partition("=")[0] == name
        assert item.meaning
