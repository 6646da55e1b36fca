"""The commands from the command line: JSON, errors in one line, help."""

from __future__ import annotations

import json

import numpy as np
import pytest
from streams_made import made_events, made_triggers, write
from typer.testing import CliRunner

from neuro_robot import cli
from neuro_robot.cli_recordings import _yaml


@pytest.fixture
def file(tmp_path):
    return write(tmp_path / "in.npz", made_events(), made_triggers())


GEN_3 = b"% system_ID 21\n% evt 2.0\n" + np.array([0x80000001, 0x10000000 | 5 << 11 | 7], "<u4").tobytes()


def run(monkeypatch, capsys, *arguments):
    monkeypatch.setattr("sys.argv", ["neuro_robot", *map(str, arguments)])
    status = cli.main()
    return status, capsys.readouterr()


def test_info_as_table_and_json(monkeypatch, capsys, file):
    status, said = run(monkeypatch, capsys, "info", file)
    assert status == 0
    assert "5,000" in said.out
    status, said = run(monkeypatch, capsys, "info", file, "--json")
    assert json.loads(said.out)["events"] == 5000


def test_convert_and_view(monkeypatch, capsys, file, tmp_path):
    status, said = run(monkeypatch, capsys, "convert", file, tmp_path / "out.raw", "--duration", 1, "--json")
    result = json.loads(said.out)
    assert status == 0
    assert result["parts"][0]["verified"]
    status, said = run(monkeypatch, capsys, "view", tmp_path / "out.raw", tmp_path / "out.png", "--filter", "on")
    assert (status, (tmp_path / "out.png").is_file()) == (0, True)


def test_view_names_the_picture_after_the_recording(monkeypatch, capsys, file, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert run(monkeypatch, capsys, "view", file)[0] == 0
    assert (tmp_path / "in.png").is_file()


def test_a_geometry_that_the_camera_suggests_is_supposed_and_said(monkeypatch, capsys, tmp_path):
    (tmp_path / "old.raw").write_bytes(GEN_3)
    status, said = run(monkeypatch, capsys, "info", tmp_path / "old.raw", "--json")
    result = json.loads(said.out)
    assert (status, result["width"], result["height"], result["events"]) == (0, 640, 480, 1)
    assert any("640x480" in note and "--geometry" in note for note in result["notes"])
    status, said = run(monkeypatch, capsys, "view", tmp_path / "old.raw", tmp_path / "old.png", "--json")
    assert status == 0
    assert "--geometry" in json.loads(said.out)["notes"][0]
    status, said = run(monkeypatch, capsys, "info", tmp_path / "old.raw", "--json", "--geometry", "320x240")
    assert not any("--geometry" in note for note in json.loads(said.out)["notes"])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["info", "{dir}/absent.raw"], "no such file"),
        (["convert", "{file}", "{dir}/x.npz", "--to", "1", "--duration", "1"], "leave one out"),
        (["view", "{file}", "{dir}/x.png", "--filter", "blur"], "background=MS"),
        (["view", "{file}", "{dir}/x.png", "--crop", "9"], "crop=WxH"),
        (["convert", "{file}", "{dir}/x.vhs"], "--format"),
        (["convert", "{file}", "{file}/x.raw"], "choose another place"),
        (["info", "{old}"], "(--geometry WIDTHxHEIGHT"),
        (["convert", "{gen3}", "{dir}/x.npz"], "give it (--geometry 640x480)"),
        (["play", "{gen3}"], "give it (--geometry 640x480)"),
        (["play", "{dir}/absent.raw"], "no such file"),
        (["info", "{empty}"], "an empty file is of no format known here"),
        (["view", "{file}", "{dir}/x.png", "--from", "1000"], "no events in the part chosen"),
        (["view", "{file}", "{dir}/x.png", "--from", "2", "--to", "1"], "--from, --to"),
    ],
)
def test_an_error_is_one_line_with_the_remedy(monkeypatch, capsys, file, tmp_path, arguments, says):
    files = {name: tmp_path / f"{name}.raw" for name in ("old", "gen3", "empty")}
    for name, content in zip(files, (b"% evt 2.0\n", GEN_3, b""), strict=True):
        files[name].write_bytes(content)
    filled = [text.format(file=file, dir=tmp_path, **files) for text in arguments]
    status, said = run(monkeypatch, capsys, *filled)
    assert status == 1
    assert said.err.strip().startswith("error: ")
    assert says in said.err
    assert not said.out


@pytest.mark.parametrize("command", ["info", "convert", "view", "play", "formats"])
def test_help_teaches(command):
    result = CliRunner().invoke(cli.app, [command, "--help"])
    assert result.exit_code == 0
    assert command == "formats" or "Examples" in result.output


def test_parameters_survive_yaml():
    assert [_yaml(value) for value in (True, 1.5, 'a "b" \\c', "")] == ["true", "1.5", '"a \\"b\\" \\\\c"', '""']
