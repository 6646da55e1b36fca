"""What `convert` writes is what it says it writes."""

from __future__ import annotations

import numpy as np
import pytest
from streams_made import H, W, made_events, made_triggers, write

from neuro_robot.errors import ConfigError
from neuro_robot.events import empty_triggers
from neuro_robot.events.files import FORMATS, read_all
from neuro_robot.recordings import convert as module
from neuro_robot.recordings.convert import ConversionError, Target, convert
from neuro_robot.recordings.prints import Print
from neuro_robot.recordings.source import Recording, Selection


@pytest.fixture
def source(tmp_path):
    return Recording(write(tmp_path / "in.npz", made_events(), made_triggers()))


@pytest.mark.parametrize("name", ["out.raw", "out.aedat4", "out.h5", "out.npz", "out.dat"])
def test_every_kind_of_file_verifies(source, tmp_path, name):
    said = []
    result = convert(source, Target(tmp_path / name), progress=lambda share, text: said.append((share, text)))
    assert [part["verified"] for part in result["parts"]] == [True]
    events, _ = read_all(tmp_path / name)
    np.testing.assert_array_equal(events, made_events())
    assert result["events"] == 5000
    shares = [share for share, _ in said]
    assert shares == sorted(shares)
    assert shares[-1] <= 1.0


def test_selection_crop_and_filters(source, tmp_path):
    selection = Selection(0.5, 1.0, ("crop=20x20+10+5", "on"))
    result = convert(source, Target(tmp_path / "part.npz"), selection)
    events, since = made_events(), made_events()["t"] - made_events()["t"][0]
    inside = (events["x"] >= 10) & (events["x"] < 30) & (events["y"] >= 5) & (events["y"] < 25) & (events["p"] == 1)
    wanted = events[inside & (since >= 500_000_000) & (since < 1_000_000_000)]
    wanted["x"] -= 10
    wanted["y"] -= 5
    np.testing.assert_array_equal(read_all(tmp_path / "part.npz").events, wanted)
    assert (result["width"], result["height"]) == (20, 20)


def test_split_parts_make_the_whole(source, tmp_path):
    result = convert(source, Target(tmp_path / "cut.npz", split_s=0.7))
    names = [f"cut_{number:03d}.npz" for number in range(3)]
    assert sorted(path.name for path in tmp_path.glob("cut*")) == names
    parts = [read_all(tmp_path / name) for name in names]
    np.testing.assert_array_equal(np.concatenate([part.events for part in parts]), made_events())
    np.testing.assert_array_equal(np.concatenate([part.triggers for part in parts]), made_triggers())
    for number, part in enumerate(parts):
        assert {int(t) for t in (part.events["t"] - made_events()["t"][0]) // 700_000_000} == {number}
    assert all(part["verified"] for part in result["parts"])


def test_zero_time(source, tmp_path):
    convert(source, Target(tmp_path / "zero.npz", zero_time=True))
    events, triggers = read_all(tmp_path / "zero.npz")
    assert events["t"][0] == 0
    np.testing.assert_array_equal(np.diff(events["t"]), np.diff(made_events()["t"]))
    assert triggers["t"][0] == made_triggers()["t"][0] - made_events()["t"][0]


def test_nothing_selected_is_an_empty_file(source, tmp_path):
    result = convert(source, Target(tmp_path / "none.npz"), Selection(100.0))
    assert result["events"] == 0
    assert len(read_all(tmp_path / "none.npz").events) == 0


def test_what_exists_is_kept_unless_told(source, tmp_path):
    out = tmp_path / "there.npz"
    out.write_text("precious")
    with pytest.raises(ConfigError, match="--overwrite"):
        convert(source, Target(out))
    assert out.read_text() == "precious"
    convert(source, Target(out, overwrite=True))
    with pytest.raises(ConfigError, match="read and written at once"):
        convert(Recording(out), Target(out, overwrite=True))
    (tmp_path / "folder.npz").mkdir()
    with pytest.raises(ConfigError, match="no bag"):
        convert(source, Target(tmp_path / "folder.npz", overwrite=True))


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ({"path": "x.unknown"}, "extension"),
        ({"path": "x", "format": "vhs"}, "vhs"),
        ({"path": "x.npz", "split_s": -1.0}, "split"),
    ],
)
def test_targets_that_cannot_be(source, tmp_path, target, says):
    with pytest.raises(ConfigError, match=says):
        convert(source, Target(**{**target, "path": tmp_path / target["path"]}))


def test_a_writer_that_loses_events_is_found_out(source, tmp_path, monkeypatch):
    real = module.open_writer

    def lossy(*args, **kwargs):
        writer = real(*args, **kwargs)
        write_all = writer.write
        monkeypatch.setattr(writer, "write", lambda events, triggers: write_all(events[:-1], triggers), raising=False)
        return writer

    monkeypatch.setattr(module, "open_writer", lossy)
    with pytest.raises(ConversionError, match="events 5000 became 4999"):
        convert(source, Target(tmp_path / "lossy.npz"))
    assert convert(source, Target(tmp_path / "lossy2.npz", verify=False))["parts"][0]["verified"] is False


def test_prints_differ_when_anything_does():
    events = made_events(100)

    def of(items, cut=50, resolution_ns=1):
        made = Print(resolution_ns)
        for part in np.split(items, [cut]):
            made.add(part, empty_triggers())
        return made

    assert of(events, 3).difference(of(events, 77)) == ""
    for name in ("t", "x", "y", "p"):
        other = events.copy()
        other[name][50] ^= 1
        assert of(events).difference(of(other)), name
    late = events.copy()
    late["t"] += 999
    assert of(late, resolution_ns=1000).difference(of(events, resolution_ns=1000)) == ""
    assert "order" in of(events).difference(of(np.concatenate([events[:1], events[2:0:-1], events[3:]])))


def test_formats_say_what_they_keep(source, tmp_path):
    for name, entry in FORMATS.items():
        if entry.writer is not None and not entry.keeps_triggers and entry.max_width >= W and entry.max_height >= H:
            path = tmp_path / f"{name}{entry.extensions[0]}"
            result = convert(source, Target(path, format=name, verify=False))
            assert result["triggers_left_out"] == 4
            return
    pytest.skip("every format keeps triggers")
