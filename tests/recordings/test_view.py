"""Pictures and films: size, content at chosen places, and what is refused."""

from __future__ import annotations

import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image
from streams_made import H, W, made_events, write

from neuro_robot.errors import ConfigError, FileFormatError
from neuro_robot.events.frames import event_image
from neuro_robot.recordings import live
from neuro_robot.recordings.movie import write_movie
from neuro_robot.recordings.sheet import HEAD, polarity_colour, seconds
from neuro_robot.recordings.source import Recording, Selection
from neuro_robot.recordings.view import Scene, View, film_times, render


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return Recording(write(tmp_path_factory.mktemp("view") / "round.npz", made_events()))


def shown(sheet, picture, scale):
    """The part of a sheet that holds the picture, at the picture's own size."""
    x = (sheet.shape[1] - W * scale) // 2
    return sheet[HEAD : HEAD + H * scale : scale, x : x + W * scale : scale]


def test_a_picture_shows_the_window_that_was_asked_for(source, tmp_path):
    result = render(source, tmp_path / "a.png", View(at_s=1.0, window_ms=50.0))
    sheet = np.asarray(Image.open(tmp_path / "a.png"))
    assert sheet.shape == (result["height"], result["width"], 3)
    events = made_events()
    since = events["t"] - events["t"][0]
    inside = (since > 950_000_000) & (since <= 1_000_000_000)
    wanted = event_image(events[inside], W, H)
    np.testing.assert_array_equal(shown(sheet, wanted, -(-512 // W)), wanted)


def test_surface_and_rate(source, tmp_path):
    for kind in ("surface", "rate"):
        result = render(source, tmp_path / f"{kind}.png", View(kind))
        sheet = np.asarray(Image.open(tmp_path / f"{kind}.png"))
        assert sheet.shape == (result["height"], result["width"], 3)
        assert len(np.unique(sheet.reshape(-1, 3), axis=0)) > 50


@pytest.mark.parametrize("ending", ["mp4", "gif"])
def test_films(source, tmp_path, ending):
    path = tmp_path / f"film.{ending}"
    result = render(source, path, View(speed=2.0, fps=10.0), Selection(0.5, 1.5))
    assert result["frames"] == pytest.approx(5, abs=1)
    frames = imageio_ffmpeg.read_frames(str(path))
    about = next(frames)
    assert about["size"] == (result["width"], result["height"])
    assert sum(1 for _ in frames) == pytest.approx(result["frames"], abs=1)


def test_every_moment_has_the_events_of_its_window_also_where_time_steps_back(tmp_path):
    events = made_events()
    events["t"][::40] -= 30_000
    source = Recording(write(tmp_path / "back.npz", events))
    scene = Scene(source, Selection(), View(window_ms=20.0))
    seen = []
    scene.picture = lambda t_s, found, surface: seen.append((t_s, found.copy()))
    times = [0.1, 0.1, 0.105, 0.9, 1.9]
    list(scene.moments(times))
    reach = np.maximum.accumulate(events["t"])
    for t_s, found in seen:
        end_ns = int(events["t"][0]) + round(t_s * 1e9)
        np.testing.assert_array_equal(found, events[(reach > end_ns - 20_000_000) & (reach <= end_ns)])
        assert len(found)


def test_what_is_left_open_is_chosen(source):
    scene = Scene(source, Selection(), View())
    assert scene.view.window_ms > 0
    assert scene.survey.duration_s / scene.view.speed >= 4.0
    assert len(film_times(scene)) == pytest.approx(scene.survey.duration_s / scene.view.speed * 25, abs=2)


@pytest.mark.parametrize("options", [{"kind": "smell"}, {"window_ms": -1.0}, {"fps": 0.0}, {"speed": float("nan")}])
def test_views_that_cannot_be(options):
    with pytest.raises(ConfigError):
        View(**options)


def test_outputs_and_moments_that_cannot_be(source, tmp_path):
    with pytest.raises(ConfigError, match=r"\.png, \.mp4 or \.gif"):
        render(source, tmp_path / "a.jpg", View())
    with pytest.raises(ConfigError, match="folder"):
        render(source, tmp_path / "absent" / "a.png", View())
    with pytest.raises(ConfigError, match="--at"):
        render(source, tmp_path / "a.png", View(at_s=99.0))
    empty = Recording(write(tmp_path / "empty.npz", made_events(0)))
    with pytest.raises(FileFormatError, match="no events"):
        render(empty, tmp_path / "a.png", View())


def test_one_event_is_a_picture_too(tmp_path):
    one = Recording(write(tmp_path / "one.npz", made_events(1)))
    for name in ("one.png", "one.gif"):
        assert render(one, tmp_path / name, View())["frames"] == 1


def test_no_display_says_what_to_do_instead(monkeypatch):
    with pytest.raises(ConfigError, match=r"no display.*film\.mp4"):
        live.require_display({}, "linux")
    monkeypatch.setattr(live, "BACKENDS", (("no.such.module", "None"),))
    with pytest.raises(ConfigError, match="can open no window"):
        live.require_display({"DISPLAY": ":0"}, "linux")


def test_words():
    assert [seconds(t) for t in (0, 1.5, 0.25, 0.0000025)] == ["0 s", "1.50 s", "250 ms", "2.5 us"]
    assert polarity_colour(1)[2] > polarity_colour(1)[0]
    assert polarity_colour(0)[0] > polarity_colour(0)[2]


def test_a_film_that_cannot_be_written_says_so_alone(tmp_path, capfd):
    (tmp_path / "a.mp4").mkdir()
    with pytest.raises(ConfigError, match=r"a\.mp4: cannot be written \(Is a directory\)"):
        write_movie(tmp_path / "a.mp4", iter(()), (64, 48), 25.0)
    assert capfd.readouterr().err == ""
