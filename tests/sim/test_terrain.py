"""Ground to walk on: what the files mean, that seeds fix it, what the physics makes of it, and mistakes."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from sim.worlds_by_hand import world_of

from neuro_robot.errors import WorldError
from neuro_robot.sim.clearance import Clearance
from neuro_robot.sim.disturbances import friction_at
from neuro_robot.sim.legged_bullet import LeggedBody
from neuro_robot.sim.plates import LAG_S, LOAD, Plate
from neuro_robot.sim.quadruped import QuadrupedConfig, foot_positions, leg_geometry, stance_of
from neuro_robot.sim.terrain import FrictionPatch, HeightField, Spring, Terrain
from neuro_robot.sim.world import Start, WorldObject, load_world

HEAD = "bounds: {x: [-5, 50], y: [-5, 5], z: [0, 5]}\nstart: {position: [0, 0, 0.3]}\ngoal: {x: 40}\n"
AREA = "area: {x: [1, 5], y: [-2, 2]}"
ROUGH = f"terrain:\n  - {{kind: rough, {AREA}, cell_m: 0.2, height_m: 0.06}}\n"
BOXES = f"terrain:\n  - {{kind: boxes, {AREA}, density_per_m2: 2, size_m: [0.1, 1], height_m: [0.01, 0.04]}}\n"
STEPS = f"terrain:\n  - {{kind: steps, {AREA}, rise_m: 0.05, run_m: 0.4, count: 4}}\n"
PLATES = f"terrain:\n  - {{kind: plates, {AREA}, size_m: 0.4, height_m: 0.03, sink_m: [0, 0.02], tilt_deg: 4}}\n"
TERRAINS = ["flat", "rough", "boxes", "steps", "slope", "ice", "plates", "push", "obstacles"]
WALKS = [*TERRAINS, "shift_friction", "shift_payload", "shift_actuator", "shift_ground"]


def load(tmp_path, text, seed=0, overrides=None):
    file = tmp_path / "w.yaml"
    file.write_text(text)
    return load_world(file, seed, overrides)


@pytest.fixture
def body():
    made = []

    def make(world, config=None):
        made.append(LeggedBody(world, config or QuadrupedConfig()))
        made[-1].place((0.0, 0.0, 200.0), 0.0, np.zeros(12))  # out of the rays' way
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.mark.parametrize("name", WALKS)
def test_shipped_worlds_load_and_are_fixed_by_the_seed(name):
    world = load_world(f"walk_{name}", 7)
    assert world == load_world(f"walk_{name}", 7)
    assert world.name == f"walk_{name}"
    near = Clearance(world).nearest(np.array([0.0, 0.0, 0.3]), 0.0)[1]
    assert near > 2.0


def test_rough_ground_is_uniform_in_its_range_and_seeded(tmp_path):
    field = load(tmp_path, HEAD + ROUGH).terrain.fields[0]
    inner = field.grid[1:-1, 1:-1]
    assert (field.x, field.y, field.shape) == (1.0, -2.0, (21, 21))
    assert inner.min() >= 0.0
    assert inner.max() <= 0.06
    assert inner.mean() == pytest.approx(0.03, abs=4 * 0.06 / math.sqrt(12 * inner.size))
    assert not field.grid[[0, -1]].any()
    assert not field.grid[:, [0, -1]].any()
    assert load(tmp_path, HEAD + ROUGH, 1).terrain != load(tmp_path, HEAD + ROUGH, 0).terrain


def test_overrides_change_a_value_without_a_new_file(tmp_path):
    high = load(tmp_path, HEAD + ROUGH, 0, {"terrain.0.height_m": 0.1, "goal.x": 9}).terrain.fields[0].grid
    np.testing.assert_allclose(high, load(tmp_path, HEAD + ROUGH).terrain.fields[0].grid * 0.1 / 0.06)
    assert load(tmp_path, HEAD + ROUGH, 0, {"goal.x": 9, "name": "other"}).goal.x == 9.0
    for path in ("terrain.3.height_m", "terrain.height_m", "bounds.x.0.z", "ground.pattern", "goal.x.y"):
        with pytest.raises(WorldError, match="expected a place for"):
            load(tmp_path, HEAD + ROUGH, 0, {path: 1})
    with pytest.raises(WorldError, match=r"terrain\[0\]\.height_m: expected a number"):
        load(tmp_path, HEAD + ROUGH, 0, {"terrain.0.height_m": "high"})


def test_the_physics_has_the_heights_of_the_field_at_every_corner(tmp_path, body):
    world = load(
        tmp_path, HEAD + ROUGH + "  - {kind: slope, area: {x: [10, 20], y: [-2, 2]}, angle_deg: 10, height_m: 0.5}\n"
    )
    physics = body(world)
    for field in world.terrain.fields:
        for i in range(1, field.shape[0] - 1, 3):
            for j in range(1, field.shape[1] - 1, 4):
                x, y = field.x + i * field.cell_m, field.y + j * field.cell_m
                assert physics.ground_height(x + 1e-6, y + 1e-6) == pytest.approx(field.grid[i, j], abs=1e-5)
    slope = world.terrain.fields[1].grid[:, 5]
    assert slope.max() == 0.5
    assert slope[5] == pytest.approx(math.tan(math.radians(10)) * 1.0)
    np.testing.assert_allclose(slope, slope[::-1], atol=1e-9)


def test_steps_boxes_and_plates_are_walkable_objects(tmp_path, body):
    steps = load(tmp_path, HEAD + STEPS)
    physics = body(steps)
    heights = [physics.ground_height(x, 0.3) for x in (1.2, 1.6, 2.0, 3.0, 4.0, 4.4, 4.8)]
    assert heights == pytest.approx([0.05, 0.10, 0.15, 0.20, 0.15, 0.10, 0.05])
    assert Clearance(steps).nearest(np.array([3.0, 0.0, 0.3]), 0.0) == (-1, math.inf)
    boxes = [load(tmp_path, HEAD + BOXES, seed).objects for seed in range(60)]
    assert np.mean([len(one) for one in boxes]) == pytest.approx(32, abs=4 * math.sqrt(32 / 60))
    assert all(item.walkable and 0.01 <= item.height <= 0.04 for one in boxes for item in one)
    plates = load(tmp_path, HEAD + PLATES).objects
    assert len(plates) == 100
    assert all(item.spring and item.spring.sink_m <= 0.02 and item.height == pytest.approx(0.03) for item in plates)


def standing(body, world, config, steps=1500, x=0.0):
    """The body in its stance by stiff springs without actuators or noise."""
    physics = body(world, config)
    stance, feet = stance_of(config), np.empty((4, 3))
    foot_positions(leg_geometry(config), stance, feet)
    top = max(physics.ground_height(x + fx, fy) for fx, fy, _ in feet)
    physics.place((x, 0.0, top + config.foot_radius - feet[0, 2]), 0.0, stance)
    for step in range(steps):
        physics.read()
        physics.drive(100.0 * (stance - physics.joints[0]) - 2.0 * physics.joints[1])
        physics.step(step * 1e-3)
        physics.touch()
    return physics


def test_a_foot_neither_sinks_into_a_flat_field_nor_differs_from_the_plane(body):
    flat = HeightField(-3.0, -3.0, 0.2, (31, 31), np.zeros((31, 31)).tobytes())
    on_plane = standing(body, world_of(start=Start(0, 0, 0.3)), QuadrupedConfig())
    raised = np.full((31, 31), 0.05)
    lifted = dataclasses.replace(flat, heights=raised.tobytes())
    for field, height in ((flat, 0.0), (lifted, 0.05)):
        world = dataclasses.replace(world_of(start=Start(0, 0, 0.3)), terrain=Terrain(fields=(field,)))
        on_field = standing(body, world, QuadrupedConfig())
        assert on_field.pose[2] - height == pytest.approx(on_plane.pose[2], abs=1e-3)
        assert on_field.forces.sum() == pytest.approx(on_field.mass * 9.81, rel=0.01)


@pytest.mark.parametrize("friction", [0.2, 0.4])
def test_feet_slip_when_the_pull_exceeds_friction_times_weight(body, friction):
    """Coulomb: a sideways force that grows slowly moves the feet where it reaches friction times weight."""
    config = dataclasses.replace(QuadrupedConfig(), friction=friction)
    physics, stance = standing(body, world_of(start=Start(0, 0, 0.3)), config), stance_of(config)

    def foot():
        return physics._bullet.getLinkState(physics._body, physics._feet[0], physicsClientId=physics._client)[4][0]

    start, force = foot(), 0.0
    while abs(foot() - start) < 0.008 and force < 3 * friction * physics.mass * 9.81:
        force += 0.02
        physics.push((force, 0.0, 0.0))
        physics.read()
        physics.drive(100.0 * (stance - physics.joints[0]) - 2.0 * physics.joints[1])
        physics.step(0.0)
    assert force == pytest.approx(friction * physics.mass * 9.81, rel=0.1)


def test_a_loaded_plate_sinks_and_comes_back(body):
    plates = [
        WorldObject("box", (0.0, 0.0, 0.015), (1.0, 1.0, 0.015), walkable=True, spring=Spring(0.02, 0.0)),
        WorldObject("box", (9.0, 0.0, 0.015), (1.0, 1.0, 0.015), walkable=True, spring=Spring(0.02, 0.0)),
    ]
    physics = standing(body, world_of(*plates, start=Start(0, 0, 0.3)), QuadrupedConfig())
    near, far = sorted(physics._bullet.getBasePositionAndOrientation(one, physics._client)[0] for one in physics.plates)
    assert near[2] == pytest.approx(0.015 - 0.02, abs=1e-4)  # 122 N are more than the 60 of its full travel
    assert far == (9.0, 0.0, 0.015)
    assert len(physics._giving) == 1
    physics.place((0.0, 0.0, 50.0), 0.0, np.zeros(12))
    for step in range(2000):
        physics.step(step * 1e-3)
        physics.touch()
    assert not physics._giving


def test_a_plate_follows_its_springs_with_a_lag():
    plate = Plate(WorldObject("box", (1.0, 2.0, 0.05), (0.2, 0.1, 0.05), walkable=True, spring=Spring(0.02, 0.1)))
    steps = round(LAG_S * 1e3)
    for _ in range(steps):
        plate.press(1.2, 2.05, 0.5 * LOAD)  # at the front edge, half way to the left one
        assert plate.step()
    part = 1.0 - math.exp(-1.0)
    (x, y, z), turn = plate.pose
    assert (x, y) == (1.0, 2.0)
    assert z == pytest.approx(0.05 - 0.5 * 0.02 * part, abs=1e-4)
    assert 2 * math.asin(turn[0]) == pytest.approx(-0.25 * 0.1 * part, abs=1e-4)  # left side down
    assert 2 * math.asin(turn[1]) == pytest.approx(0.5 * 0.1 * part, abs=1e-4)  # front down
    assert sum(value * value for value in turn) == pytest.approx(1.0)
    assert sum(plate.step() for _ in range(5000)) < 2000  # back at rest


def test_the_last_patch_counts():
    patches = [FrictionPatch((0, 4), (0, 4), 0.5), FrictionPatch((2, 4), (0, 4), 0.2)]
    assert [friction_at(patches, x, 1.0, 0.8) for x in (-1, 1, 3, 5)] == [0.8, 0.5, 0.2, 0.8]


def test_pushes_are_drawn_and_shifts_are_read(tmp_path):
    text = HEAD + "pushes:\n  - {at_s: [1, 2], impulse_ns: [5, 9]}\n  - {at_s: 3, impulse_ns: 4, direction_deg: 90}\n"
    text += "shifts:\n  - {at_s: 20, friction: 0.3, payload_kg: 3}\n  - {at_s: 5, actuator: FL_thigh, torque: 0.6}\n"
    terrain = load(tmp_path, text).terrain
    random, left = terrain.pushes
    assert 1 <= random.at_s <= 2
    assert 5 <= math.hypot(*random.impulse) <= 9
    assert left.impulse == pytest.approx((0.0, 4.0, 0.0), abs=1e-12)
    assert (terrain.shifts[0].friction, terrain.shifts[0].payload_kg, terrain.shifts[0].actuator) == (0.3, 3.0, None)
    assert (terrain.shifts[1].actuator, terrain.shifts[1].torque) == ("FL_thigh", 0.6)
    assert load(tmp_path, text, 1).terrain.pushes[0] != random


MISTAKES = {
    "kind": (ROUGH.replace("rough", "mud"), r"terrain\[0\]\.kind: expected one of rough, slope, friction, boxes"),
    "no kind": (ROUGH.replace("kind: rough, ", ""), r"terrain\[0\]: expected a mapping with kind"),
    "text": ("terrain: [rough]\n", r"terrain\[0\]: expected a mapping"),
    "not a list": ("terrain: rough\n", "terrain: expected a list"),
    "misspelt": (ROUGH.replace("height_m", "hight_m"), r"terrain\[0\]\.hight_m: no such key"),
    "negative": (ROUGH.replace("0.06", "-1"), r"terrain\[0\]\.height_m: expected a number from 0 to 1"),
    "huge": (ROUGH.replace("[1, 5]", "[1, 9000]"), "at most 400000 corners"),
    "tiny": (ROUGH.replace("cell_m: 0.2", "cell_m: 9"), "at least 2 x 2 cells"),
    "no cell": (ROUGH.replace("cell_m: 0.2", "cell_m: 0"), r"cell_m: expected a number"),
    "reversed": (ROUGH.replace("[1, 5]", "[5, 1]"), r"terrain\[0\]\.area\.x: expected \[low, high\]"),
    "not finite": (ROUGH.replace("0.06", ".nan"), "got nan"),
    "too many boxes": (BOXES.replace("m2: 2", "m2: 999"), "at most 5000 boxes"),
    "steps": (STEPS.replace("count: 4", "count: 40"), "fewer steps than fit"),
    "plates": (PLATES.replace("size_m: 0.4", "size_m: 9"), "an area for 1 to 5000 plates"),
    "deep plates": (PLATES.replace("0.02]", "0.5]"), r"sink_m\[1\]: expected a number from 0 to 0.03"),
    "friction": (f"terrain:\n  - {{kind: friction, {AREA}, friction: -1}}\n", "friction: expected a number"),
    "push": ("pushes:\n  - {at_s: 1}\n", r"pushes\[0\]\.impulse_ns: is missing"),
    "empty shift": ("shifts:\n  - {at_s: 1}\n", r"shifts\[0\]: expected at_s with friction"),
    "actuator": ("shifts:\n  - {at_s: 1, actuator: FL_thigh}\n", "actuator and torque together"),
    "nameless": ("shifts:\n  - {at_s: 1, actuator: 3, torque: 0.5}\n", "actuator: expected the name of a joint"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_named(tmp_path, mistake):
    text, message = MISTAKES[mistake]
    with pytest.raises(WorldError, match=message) as caught:
        load(tmp_path, HEAD + text)
    assert "w.yaml" in str(caught.value)
