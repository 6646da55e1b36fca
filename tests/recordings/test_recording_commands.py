"""The commands from the command line: JSON, errors in one line, help."""

from __future__ import annotations

import json

import pytest
from streams_made import made_events, made_triggers, write
from typer.testing import CliRunner

from neuro_robot import cli
from neuro_robot.cli_recordings import _yaml


@pytest.fixture
def file(tmp_path):
    return write(tmp_path / "in.npz", made_events(), made_triggers())


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


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["info", "{dir}/absent.raw"], "no such file"),
        (["convert", "{file}", "{dir}/x.npz", "--to", "1", "--duration", "1"], "leave one out"),
        (["view", "{file}", "{dir}/x.png", "--filter", "blur"], "background=MS"),
        (["view", "{file}", "{dir}/x.png", "--crop", "9"], "crop=WxH"),
        (["convert", "{file}", "{dir}/x.vhs"], "--format"),
    ],
)
def test_an_error_is_one_line_with_the_remedy(monkeypatch, capsys, file, tmp_path, arguments, says):
    filled = [text.format(file=file, dir=tmp_path) for text in arguments]
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
