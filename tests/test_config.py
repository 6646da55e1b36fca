"""Parameters: types, ranges, names, and the files they come from."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from neuro_robot.agents.drone import DroneMindConfig
from neuro_robot.config import (
    Declaration,
    declarations,
    flat,
    from_dict,
    group,
    load_node_parameters,
    parameter,
    to_dict,
)
from neuro_robot.errors import ConfigError
from neuro_robot.sim.simulation import DroneConfig


@dataclass(frozen=True)
class Lens:
    fov_deg: float = parameter(90.0, "field of view", 10.0, 170.0)
    width: int = parameter(128, "pixels", 1)


@dataclass(frozen=True)
class Robot:
    speed: float = parameter(5.0, "speed, m/s", 0.0, 25.0)
    learning: bool = parameter(True, "learns")
    mode: str = parameter("normal", "reward", choices=("normal", "shuffled"))
    name: str = parameter("drone", "any text")
    lens: Lens = group(Lens)


def test_defaults():
    assert from_dict(Robot, {}) == Robot()
    assert Robot().lens == Lens()


def test_nested_and_dotted_names_say_the_same():
    expected = Robot(speed=3.0, lens=Lens(60.0, 64))
    assert from_dict(Robot, {"speed": 3.0, "lens": {"fov_deg": 60.0, "width": 64}}) == expected
    assert from_dict(Robot, {"speed": 3.0, "lens.fov_deg": 60.0, "lens.width": 64}) == expected
    assert from_dict(Robot, {"lens.fov_deg": 60.0, "speed": 3.0, "lens": {"width": 64}}) == expected


def test_whole_numbers_serve_as_floats_and_stay_exact():
    speed = from_dict(Robot, {"speed": 3}).speed
    assert (speed, type(speed)) == (3.0, float)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"speed": "fast"}, "speed: expected float, got 'fast'"),
        ({"speed": True}, "speed: expected float, got True"),
        ({"speed": None}, "speed: expected float, got None"),
        ({"speed": [1.0]}, "speed: expected float"),
        ({"learning": 1}, "learning: expected bool, got 1"),
        ({"learning": "yes"}, "learning: expected bool"),
        ({"mode": 3}, "mode: expected str, got 3"),
        ({"lens": {"width": 64.0}}, r"lens\.width: expected int, got 64\.0"),
        ({"lens": {"width": True}}, r"lens\.width: expected int, got True"),
        ({"lens": 3}, "lens: expected a group of parameters, got 3"),
        ({"lens": None}, "lens: expected a group of parameters"),
    ],
)
def test_wrong_types(values, told):
    with pytest.raises(ConfigError, match=told):
        from_dict(Robot, values)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"speed": -0.1}, r"speed: expected a value from 0\.0 to 25\.0, got -0\.1"),
        ({"speed": 25.1}, "speed: expected a value"),
        ({"speed": 10**30}, "speed: expected a value"),
        ({"lens.width": 0}, r"lens\.width: expected a value from 1 to None"),
        ({"mode": "random"}, "mode: expected one of normal, shuffled, got 'random'"),
    ],
)
def test_out_of_range(values, told):
    with pytest.raises(ConfigError, match=told):
        from_dict(Robot, values)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_are_finite(value):
    with pytest.raises(ConfigError, match=r"lens\.fov_deg: expected a finite number"):
        from_dict(Robot, {"lens.fov_deg": value})


def test_a_whole_number_too_large_for_a_float_is_refused():
    with pytest.raises(ConfigError, match="speed"):
        from_dict(Robot, {"speed": 10**400})


def test_range_ends_belong_to_the_range():
    assert from_dict(Robot, {"speed": 0.0}).speed == 0.0
    assert from_dict(Robot, {"speed": 25.0}).speed == 25.0


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"sped": 1.0}, "sped: no such parameter; this group has learning, lens, mode, name, speed"),
        ({"lens": {"fov": 1.0}}, r"lens\.fov: no such parameter; lens\. has fov_deg, width"),
        ({"lens.fov": 1.0}, r"lens\.fov: no such parameter"),
        ({"lens.fov_deg.x": 1.0}, r"lens\.fov_deg: expected float, got \{'x': 1\.0\}"),
        ({"lens": 1, "lens.width": 3}, "lens: is both a value and a group"),
        ({1: 2}, "1: no such parameter"),
        ({"": 2}, ": no such parameter"),
    ],
)
def test_unknown_names(values, told):
    with pytest.raises(ConfigError, match=told):
        from_dict(Robot, values)


def test_declarations_are_flat_and_complete():
    rows = declarations(Robot)
    assert [row.name for row in rows] == ["speed", "learning", "mode", "name", "lens.fov_deg", "lens.width"]
    assert rows[0] == Declaration("speed", 5.0, "speed, m/s", 0.0, 25.0, ())
    assert rows[2].choices == ("normal", "shuffled")
    assert declarations(Lens, "camera.")[1].name == "camera.width"


@pytest.mark.parametrize("kind", [Robot, DroneMindConfig, DroneConfig])
def test_every_form_gives_the_group_back(kind):
    config = kind()
    assert from_dict(kind, to_dict(config)) == config
    assert from_dict(kind, flat(config)) == config
    assert from_dict(kind, yaml.safe_load(yaml.safe_dump(to_dict(config)))) == config
    assert flat(config) == {row.name: row.default for row in declarations(kind)}


@pytest.mark.parametrize("kind", [DroneMindConfig, DroneConfig])
def test_defaults_of_the_package_are_described_and_in_range(kind):
    for row in declarations(kind):
        assert row.description
        if not isinstance(row.default, str):
            assert row.minimum is None or row.minimum <= row.default, row.name
            assert row.maximum is None or row.default <= row.maximum, row.name
        assert not row.choices or row.default in row.choices


@given(speed=st.floats(0.0, 25.0), fov=st.floats(10.0, 170.0), width=st.integers(1, 10**6), text=st.text(max_size=20))
def test_anything_in_range_survives_both_forms(speed, fov, width, text):
    config = Robot(speed=speed, name=text, lens=Lens(fov, width))
    assert from_dict(Robot, flat(config)) == config
    assert from_dict(Robot, to_dict(config)) == config


def parameters(tmp_path, text, node="controller"):
    path = tmp_path / "drone.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load_node_parameters(path, node)


def test_a_nodes_own_parameters_lie_on_top(tmp_path):
    text = """
/**:
  ros__parameters: {speed: 1.0, lens: {width: 64, fov_deg: 60.0}}
controller:
  ros__parameters: {speed: 2.0, lens.width: 32}
other:
  ros__parameters: {speed: 3.0}
"""
    found = parameters(tmp_path, text)
    assert found == {"speed": 2.0, "lens": {"width": 32, "fov_deg": 60.0}}
    assert from_dict(Robot, found) == Robot(speed=2.0, lens=Lens(60.0, 32))


@pytest.mark.parametrize("key", ["controller", "/controller", "/**", "**", "/**/controller", "/*/controller", "/*/*",
                                 "/left/controller", "left/controller", "/left/**"])  # fmt: skip
@pytest.mark.parametrize("node", ["controller", "/left/controller", "/far/left/controller"])
def test_entries_name_nodes_as_rcl_reads_them(tmp_path, key, node):
    """Which pairs match was found out with rclpy 9.1."""
    parts = node.strip("/").split("/")
    matches = {
        "controller": parts == ["controller"], "/controller": parts == ["controller"], "/**": True, "**": True,
        "/**/controller": True, "/*/controller": len(parts) == 2, "/*/*": len(parts) == 2,
        "/left/controller": parts == ["left", "controller"], "left/controller": parts == ["left", "controller"],
        "/left/**": parts[0] == "left",
    }  # fmt: skip
    found = parameters(tmp_path, f"{key!r}: {{ros__parameters: {{speed: 2.0}}}}", node)
    assert found == ({"speed": 2.0} if matches[key] else {})


def test_a_node_that_the_file_does_not_name_keeps_its_defaults(tmp_path):
    assert parameters(tmp_path, "other:\n  ros__parameters: {speed: 3.0}\n") == {}


ODD = ("1" + 300 * ":1" + ".5", '!!int ""', "!!int _", '!!float ""', "!!bool maybe", '!!timestamp "garbage"')


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("controller: [unclosed", "cannot be read as a parameter file"),
        ("a: b: c", "cannot be read as a parameter file"),
        (b"\xff\xfe\x00", "cannot be read as a parameter file"),
        ("!!python/object/apply:os.getcwd []", "cannot be read as a parameter file"),
        (5000 * "[", "nested too deep"),
        ("a: &a [1]\nb: *a\n", "line 2: aliases"),
        ("controller:\n  ros__parameters: {speed: 1.0, speed: 2.0}", "line 2: key 'speed' is given twice"),
        ("controller:\n  ros__parameters: {speed: 1.0, <<: {speed: 2.0}}", "line 2: merging"),
        ("controller: {ros__parameters: {lens: {width: 3}, lens.width: 2}}", "lens.width: is given twice"),
        ("controller: {ros__parameters: {a.b.c: 3, a.b: {c: 2}}}", "a.b.c: is given twice"),
        *((f"a: {odd}", "cannot be read as a parameter file") for odd in ODD),
        ("a: 2026-13-45", "cannot be read as a parameter file"),
        ("", "expected node names at the top level, got NoneType"),
        ("- controller", "expected node names at the top level, got list"),
        ("controller: 3", "controller: expected a `ros__parameters` mapping"),
        ("controller: {speed: 3.0}", "controller: expected a `ros__parameters` mapping"),
        ("controller: {ros__parameters: [1]}", "controller: expected a `ros__parameters` mapping"),
        ("controller: {ros__parameters: {lens: 3, lens.width: 2}}", "lens: is both a value and a group"),
    ],
)
def test_broken_files(tmp_path, text, told):
    with pytest.raises(ConfigError, match=told):
        parameters(tmp_path, text)


def test_a_missing_file_and_a_folder(tmp_path):
    for path in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(ConfigError, match="cannot be read as a parameter file"):
            load_node_parameters(path, "controller")
