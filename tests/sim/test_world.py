"""World files: what they mean, that a seed fixes them, and the error each mistake gets."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuro_robot.errors import WorldError
from neuro_robot.sim.path import Sinusoid, Waypoints, compile_paths
from neuro_robot.sim.world import Goal, load_world

HEAD = "bounds: {x: [-5, 50], y: [-5, 5], z: [0, 5]}\nstart: {position: [0, 0, 2]}\ngoal: {x: 40}\n"
TREE = "  - {kind: cylinder, position: [5, 1, 2], radius: 0.3, height: 4}\n"
SCATTER = """scatter:
  - kind: cylinder
    density_per_m2: 0.1
    area: {x: [0, 40], y: [-5, 5]}
    radius: [0.1, 0.2]
    height: 5
"""


def load(tmp_path, text, seed=0):
    file = tmp_path / "w.yaml"
    file.write_text(text)
    return load_world(file, seed)


@pytest.mark.parametrize("name", ["forest", "forest_dense", "corridor", "pillars", "moving_balls"])
def test_shipped_worlds_load_and_are_fixed_by_the_seed(name):
    world = load_world(name, 7)
    assert world == load_world(name, 7)
    assert world.name == name
    assert world.objects
    assert world.bounds.contains(world.start.x, world.start.y, world.start.z)
    clear = [math.dist(item.position[:2], (world.start.x, world.start.y)) - item.radius for item in world.objects]
    assert min(gap for gap, item in zip(clear, world.objects, strict=True) if item.kind != "box") > 1.0


def test_seeds_draw_different_forests():
    assert load_world("forest", 1).objects != load_world("forest", 2).objects


def test_forest_is_a_poisson_process():
    """Counts: mean and variance 48; positions uniform; radii in range."""
    worlds = [load_world("forest", seed) for seed in range(150)]
    counts = np.array([len(world.objects) for world in worlds])
    assert abs(counts.mean() - 48.0) < 4 * math.sqrt(48 / 150) + 0.2
    assert 0.6 < counts.var() / 48.0 < 1.5
    x, y, _ = np.array([item.position for world in worlds for item in world.objects]).T
    assert np.histogram(x, 6, (0, 60))[0].min() > 0.85 * len(x) / 6
    assert np.histogram(y, 4, (-10, 10))[0].min() > 0.9 * len(y) / 4
    radii = [item.radius for world in worlds for item in world.objects]
    assert 0.15 <= min(radii) < 0.16
    assert 0.34 < max(radii) <= 0.35
    assert min(math.hypot(x + 2, y) for x, y in zip(x, y, strict=True)) > 3.0


def test_placed_objects(tmp_path):
    text = HEAD + "objects:\n" + TREE + "  - {kind: box, position: [9, 0, 1], size: [1, 2, 3], yaw_deg: 90}\n"
    tree, box = load(tmp_path, text + "  - {kind: sphere, position: [9, 3, 1], radius: 0.5}\n").objects[:2]
    assert (tree.position, tree.size, tree.height) == ((5.0, 1.0, 2.0), (0.3, 0.3, 2.0), 4.0)
    assert (box.size, box.yaw) == ((0.5, 1.0, 1.5), math.pi / 2)


def test_goal_as_plane_and_as_ball():
    assert Goal(40.0).reached(40.0, 99.0, 0.0)
    assert not Goal(40.0).reached(39.9, 0.0, 0.0)
    assert Goal(40.0, 1.0, 2.0, 0.5).reached(40.0, 1.4, 2.0)
    assert not Goal(40.0, 1.0, 2.0, 0.5).reached(41.0, 1.0, 2.0)


def test_way_points_in_a_loop_and_to_and_fro():
    square = ((0.0, 0.0, 1.0), (2.0, 0.0, 1.0), (2.0, 2.0, 1.0), (0.0, 2.0, 1.0))
    table = compile_paths(
        [(0, 0, 0)] * 4,
        [
            Waypoints(square, 1.0, "loop"),
            Waypoints(square[:2], 1.0, "ping_pong"),
            Waypoints(square, 1.0, "loop", 3.0),
            None,
        ],
    )
    for t, loop, line, later in (
        (0.0, (0, 0), (0, 0), (2, 1)),
        (3.0, (2, 1), (1, 0), (0, 2)),
        (7.5, (0, 0.5), (0.5, 0), (2, 0.5)),
        (-1.0, (0, 1), (1, 0), (2, 0)),
    ):
        np.testing.assert_allclose(table.positions(t)[:, :2], [loop, line, later, (0, 0)], atol=1e-12)


@given(st.floats(-1e3, 1e3), st.floats(0.1, 50), st.floats(-3, 3))
@settings(max_examples=50, deadline=None)
def test_sinusoid(t, period, phase):
    table = compile_paths([(1.0, 2.0, 3.0)], [Sinusoid((0.0, 4.0, -1.0), period, phase)])
    swing = math.sin(2 * math.pi * t / period + phase)
    np.testing.assert_allclose(table.positions(t)[0], [1.0, 2.0 + 4 * swing, 3.0 - swing], atol=1e-9)


def test_moving_objects_move_and_the_rest_stands_still():
    world = load_world("moving_balls", 0)
    assert world.moving
    early, late = world.positions_at(0.0), world.positions_at(1.0)
    assert (early[list(world.moving)] != late[list(world.moving)]).any(axis=1).all()
    np.testing.assert_array_equal(early[0], world.objects[0].position)
    still = load_world("forest", 0)
    assert not still.moving
    np.testing.assert_array_equal(still.positions_at(3.0), [item.position for item in still.objects])


MISTAKES = {
    "unknown top key": (HEAD + "tree: 1\n", r"w\.yaml: tree: no such key; known here are bounds"),
    "missing key": ("bounds: {x: [0, 1], y: [0, 1], z: [0, 1]}\ngoal: {x: 1}\n", "start: is missing"),
    "not a mapping": ("- 1\n", "top level: expected a mapping"),
    "empty": ("", "top level: expected a mapping"),
    "negative radius": (HEAD + "objects:\n" + TREE * 2 + TREE.replace("0.3", "-1"), r"objects\[2\]\.radius: .*got -1"),
    "text for number": (HEAD + "objects:\n" + TREE.replace("0.3", "big"), r"objects\[0\]\.radius: expected a number"),
    "true for number": (HEAD + "objects:\n" + TREE.replace("0.3", "true"), "got True"),
    "not finite": (HEAD + "objects:\n" + TREE.replace("0.3", ".nan"), "got nan"),
    "infinite": (HEAD + "objects:\n" + TREE.replace("5, 1, 2", "5, .inf, 2"), r"objects\[0\]\.position\[1\]"),
    "huge number": (HEAD + "objects:\n" + TREE.replace("0.3", "9" * 400), "expected a number from"),
    "unknown kind": (HEAD + "objects:\n" + TREE.replace("cylinder", "cone"), "kind: expected one of cylinder, box"),
    "no kind": (HEAD + "objects:\n  - {radius: 1}\n", r"objects\[0\]: expected a mapping with kind"),
    "misspelt": (HEAD + "objects:\n" + TREE.replace("height", "hight"), r"objects\[0\]\.hight: no such key"),
    "two numbers": (HEAD + "objects:\n" + TREE.replace("5, 1, 2", "5, 1"), "position: expected a list of 3 numbers"),
    "yaw of a cylinder": (HEAD + "objects:\n" + TREE.replace("radius", "yaw_deg: 3, radius"), "yaw_deg: no such key"),
    "reversed bounds": (HEAD.replace("[-5, 50]", "[50, -5]"), r"bounds\.x: expected \[low, high\]"),
    "start outside": (HEAD.replace("[0, 0, 2]", "[0, 9, 2]"), "start: expected a position inside bounds"),
    "reversed range": (HEAD + SCATTER.replace("0.1, 0.2", "0.2, 0.1"), r"scatter\[0\]\.radius: .*low <= high"),
    "too dense": (HEAD + SCATTER.replace("0.1\n", "900\n"), r"density_per_m2: .*at most 5000 objects.*360000"),
    "scattered box": (HEAD + SCATTER.replace("cylinder", "box").replace("height", "z"), "kind: expected one of"),
    "no height": (HEAD + SCATTER.replace("    height: 5\n", ""), r"scatter\[0\]\.height: is missing"),
    "fault in nothing": (HEAD + SCATTER.replace("0.1\n", "0\n") + "    texture: {contrast: 7}\n", "contrast: expected"),
    "zero light": (HEAD + "light: {direction: [0, 0, 0]}\n", "light.direction: expected a direction"),
    "pattern": (HEAD + "ground: {pattern: moss}\n", r"ground\.pattern: expected one of plain, noise"),
    "one way-point": (
        HEAD + "objects:\n  - {kind: sphere, radius: 1, path: {waypoints: [[1, 1, 1]], speed: 1}}\n",
        r"path\.waypoints: expected a list of at least 2",
    ),
    "standing way-points": (
        HEAD + "objects:\n  - {kind: sphere, radius: 1, path: {waypoints: [[1, 1, 1], [1, 1, 1]], speed: 1}}\n",
        "points that differ",
    ),
    "twice": (HEAD + "goal: {x: 3}\n", "line 4: key 'goal' is given twice"),
    "alias": ("a: &a [1]\nb: *a\n", r"w\.yaml: line 2: aliases"),
    "bomb": ("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n", "aliases"),
    "code": ("!!python/object/apply:os.getcwd []\n", "cannot be read as YAML"),
    "torn": (HEAD + "objects: [\n", "cannot be read as YAML"),
    "merged": ("<<: {goal: {x: 3}}\n" + HEAD, "line 1: merging"),
    "no bool": ("name: !!bool maybe\n", "cannot be read as YAML"),
    "no number": ("name: 1" + 300 * ":1" + ".5\n", "cannot be read as YAML"),
    "deep": ("[" * 20000, "nested too deep"),
    "long name": (HEAD + f"name: {'x' * 200}\n", "name: expected a text of 1 to 100"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_named(tmp_path, mistake):
    text, message = MISTAKES[mistake]
    with pytest.raises(WorldError, match=message) as caught:
        load(tmp_path, text)
    assert "w.yaml" in str(caught.value)


def test_huge_binary_and_missing_files(tmp_path):
    file = tmp_path / "w.yaml"
    file.write_text("#" * 1_000_001)
    with pytest.raises(WorldError, match="at most 1000000 bytes"):
        load_world(file, 0)
    file.write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(WorldError, match="cannot be read"):
        load_world(file, 0)
    with pytest.raises(WorldError, match="no such world file"):
        load_world(tmp_path / "none.yaml", 0)
    with pytest.raises(WorldError, match=r"known are .*forest"):
        load_world("jungle", 0)
    with pytest.raises(WorldError, match="seed"):
        load_world("forest", -1)


@given(st.text(max_size=200))
@settings(max_examples=100, deadline=None)
def test_any_text_gives_a_world_error(tmp_path_factory, text):
    file = tmp_path_factory.mktemp("fuzz") / "w.yaml"
    file.write_text(text, encoding="utf-8", errors="replace")
    with pytest.raises(WorldError):
        load_world(file, 0)


def test_changes_may_stand_behind_the_name():
    told = load_world("walk_rough?terrain.0.height_m=0.08&goal.x=50", 3)
    assert told == load_world("walk_rough", 3, {"terrain.0.height_m": 0.08, "goal.x": 50})
    assert told != load_world("walk_rough", 3)


@pytest.mark.parametrize("change", ["terrain.0.height_m", "=3", "a=[", ""])
def test_changes_that_are_none_are_refused(change):
    with pytest.raises(WorldError, match="expected changes as path=value"):
        load_world(f"walk_rough?{change}", 0)
