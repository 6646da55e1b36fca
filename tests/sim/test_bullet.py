"""The rigid-body side against closed forms and against PyBullet's own distance queries."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
from sim.worlds_by_hand import trunk, world_of

from neuro_robot.errors import SimulationError
from neuro_robot.sim.bullet import BulletWorld, load_pybullet
from neuro_robot.sim.clearance import Clearance, surface_distance
from neuro_robot.sim.path import Sinusoid
from neuro_robot.sim.quadrotor import GRAVITY, STEP_S, QuadrotorConfig, rotate_to_body
from neuro_robot.sim.world import KINDS, WorldObject

VEHICLE = QuadrotorConfig()
INERTIA = np.array([VEHICLE.inertia_x, VEHICLE.inertia_y, VEHICLE.inertia_z])
WEIGHT = VEHICLE.mass * GRAVITY


@pytest.fixture
def bare():
    bullet = BulletWorld(world_of(), VEHICLE)
    yield bullet
    bullet.close()


def turn_to(bullet, quaternion):
    bullet._bullet.resetBasePositionAndOrientation(bullet._vehicle, (0, 0, 30), quaternion, bullet._client)


def body_rates(values):
    out = np.empty(3)
    rotate_to_body(np.array(values[3:7]), np.array(values[10:13]), out)
    return out


def test_free_fall_follows_the_parabola(bare):
    bare.place((0.0, 0.0, 40.0), 0.0)
    for step in range(1, 1001):
        bare.step(step * STEP_S)
    values = bare.read()
    assert values[9] == pytest.approx(-GRAVITY, rel=1e-9)
    assert values[2] == pytest.approx(
        40.0 - 0.5 * GRAVITY, abs=0.6 * GRAVITY * STEP_S
    )  # semi-implicit Euler: g t dt / 2


def test_a_free_body_loses_no_speed(bare):
    bare.place((0.0, 0.0, 30.0), 0.0)
    bare._bullet.resetBaseVelocity(bare._vehicle, (5.0, 0, 0), (0, 0, 3.0), bare._client)
    for step in range(1000):
        bare.push([0, 0, WEIGHT, 0, 0, 0])
        bare.step(step * STEP_S)
    values = bare.read()
    assert values[7] == pytest.approx(5.0, rel=1e-9)
    assert values[12] == pytest.approx(3.0, rel=1e-6)


@pytest.mark.parametrize("axis", range(3))
@pytest.mark.parametrize("quaternion", [(0, 0, 0, 1), (math.sqrt(0.5), 0, 0, math.sqrt(0.5)), (0.1, 0.7, 0.1, 0.7)])
def test_a_torque_turns_about_the_body_axis_whatever_the_attitude(bare, axis, quaternion):
    turn_to(bare, quaternion)
    torque = [0.0] * 3
    torque[axis] = 1e-3
    for step in range(10):
        bare.push([0, 0, 0, *torque])
        bare.step(step * STEP_S)
    expected = np.zeros(3)
    expected[axis] = 1e-3 / INERTIA[axis] * 10 * STEP_S
    assert body_rates(bare.read()) == pytest.approx(expected, rel=1e-3, abs=1e-6)


def test_a_force_acts_along_the_body_axes_and_through_the_centre(bare):
    turn_to(bare, (math.sqrt(0.5), 0, 0, math.sqrt(0.5)))  # rolled right by 90 deg: body z points to world -y
    bare.push([0, 0, WEIGHT, 0, 0, 0])
    bare.step(STEP_S)
    values = bare.read()
    assert values[7:10] == pytest.approx([0, -GRAVITY * STEP_S, -GRAVITY * STEP_S], abs=1e-9)
    assert values[10:13] == pytest.approx([0, 0, 0], abs=1e-12)


def test_spinning_keeps_its_angular_momentum(bare):
    def momentum():
        values = bare.read()
        out = np.empty(3)
        inverse = np.array([*(-v for v in values[3:6]), values[6]])
        rotate_to_body(inverse, INERTIA * body_rates(values), out)
        return out

    bare.place((0.0, 0.0, 30.0), 0.3)
    bare._bullet.resetBaseVelocity(bare._vehicle, (0, 0, 0), (3.0, 2.0, 4.0), bare._client)
    before = momentum()
    for step in range(1000):
        bare.push([0, 0, 0, 0, 0, 0])
        bare.step(step * STEP_S)
    assert momentum() == pytest.approx(before, rel=0.02, abs=2e-4)


@pytest.mark.parametrize(
    "item",
    [
        trunk(3.0, 0.0),
        WorldObject("box", (3.0, 0.0, 2.0), (0.2, 0.5, 1.0), yaw=0.4),
        WorldObject("sphere", (3.0, 0.1, 2.0), (0.5, 0.5, 0.5)),
        WorldObject("sphere", (3.0, 0.0, 2.0), (0.5, 0.5, 0.5), path=Sinusoid((0.0, 0.1, 0.0), 2.0)),
    ],
)
def test_flying_into_a_solid_is_a_contact_where_the_clearance_ends(item):
    world = world_of(*(trunk(5.0 * i, -20.0) for i in range(20)), item)
    bullet, clearance = BulletWorld(world, VEHICLE), Clearance(world)
    try:
        bullet.place((0.0, 0.0, 2.0), 0.0)
        bullet._bullet.resetBaseVelocity(bullet._vehicle, (8.0, 0, 0), (0, 0, 0), bullet._client)
        for step in range(1, 1000):
            bullet.push([0, 0, WEIGHT, 0, 0, 0])
            bullet.step(step * STEP_S)
            index, distance = clearance.nearest(np.array(bullet.read()[:3]), step * STEP_S)
            if bullet.touching():
                break
        assert bullet.touching() == "object"
        assert world.objects[index] is item
        assert distance - VEHICLE.collision_radius == pytest.approx(0.0, abs=0.012)  # 8 mm per step
    finally:
        bullet.close()


def test_falling_ends_on_the_ground(bare):
    bare.place((0.0, 0.0, 0.5), 0.0)
    steps = 0
    while bare.touching() is None:
        steps += 1
        bare.step(steps * STEP_S)
    assert bare.touching() == "ground"
    assert steps * STEP_S == pytest.approx(math.sqrt(2 * 0.3 / GRAVITY), abs=0.003)


def test_a_solid_that_comes_hits_a_vehicle_that_hovers():
    ball = WorldObject("sphere", (2.0, 0.0, 2.0), (0.5, 0.5, 0.5), path=Sinusoid((2.0, 0.0, 0.0), 4.0, math.pi))
    bullet = BulletWorld(world_of(ball), VEHICLE)
    bullet.place((0.0, 0.0, 2.0), 0.0)
    steps = 0
    while bullet.touching() is None and steps < 2000:
        steps += 1
        bullet.push([0, 0, WEIGHT, 0, 0, 0])
        bullet.step(steps * STEP_S)
    expected = 4.0 / (2 * math.pi) * math.asin((2.0 - 0.7) / 2.0)
    bullet.close()
    assert steps * STEP_S == pytest.approx(expected, abs=0.004)


def test_clearance_agrees_with_the_distances_of_pybullet():
    random, physics = np.random.default_rng(5), load_pybullet()
    client = physics.connect(physics.DIRECT)
    shapes = (physics.GEOM_CYLINDER, physics.GEOM_BOX, physics.GEOM_SPHERE)
    probe = physics.createMultiBody(
        1.0,
        physics.createCollisionShape(physics.GEOM_SPHERE, radius=0.2, physicsClientId=client),
        physicsClientId=client,
    )
    items, bodies = [], []
    for number in range(30):
        kind = number % 3
        size = random.uniform(0.2, 1.5, 3)
        size = (size[0], size[0], size[2]) if kind == 0 else (size[0],) * 3 if kind == 2 else tuple(size)
        item = WorldObject(KINDS[kind], tuple(random.uniform(-8, 8, 3)), size, yaw=float(random.uniform(-3, 3)))
        shape = physics.createCollisionShape(
            shapes[kind], radius=size[0], halfExtents=size, height=2 * size[2], physicsClientId=client
        )
        turn = physics.getQuaternionFromEuler((0, 0, item.yaw))
        items.append(item)
        bodies.append(physics.createMultiBody(0.0, shape, -1, item.position, turn, physicsClientId=client))
    clearance, compared = Clearance(world_of(*items)), 0
    for point in random.uniform(-8, 8, (60, 3)):
        index, distance = clearance.nearest(point, 0.0)
        if distance < 0.25:
            continue  # the reference is exact only outside
        physics.resetBasePositionAndOrientation(probe, point.tolist(), (0, 0, 0, 1), client)
        near = [physics.getClosestPoints(probe, body, 50.0, physicsClientId=client)[0][8] for body in bodies]
        assert index == int(np.argmin(near))
        assert distance - 0.2 == pytest.approx(min(near), abs=2e-3)
        compared += 1
    physics.disconnect(client)
    assert compared > 20


def test_distance_inside_a_solid_is_negative():
    assert surface_distance(KINDS.index("box"), np.array([1.0, 2.0, 3.0]), 0.5, 0.0, 0.0) == pytest.approx(-0.5)
    assert surface_distance(KINDS.index("cylinder"), np.array([1.0, 1.0, 3.0]), 0.0, 0.5, 2.9) == pytest.approx(-0.1)
    assert surface_distance(KINDS.index("sphere"), np.array([1.0, 1.0, 1.0]), 0.0, 0.0, 0.2) == pytest.approx(-0.8)


def test_a_bare_world_has_no_nearest_solid():
    assert Clearance(world_of()).nearest(np.zeros(3), 0.0) == (-1, math.inf)


def test_without_pybullet_the_error_names_the_remedy(monkeypatch):
    monkeypatch.setitem(sys.modules, "pybullet", None)
    with pytest.raises(SimulationError, match=r"pip install pybullet.*3\.10 or 3\.11"):
        BulletWorld(world_of(), VEHICLE)


def test_close_twice_is_once(bare):
    bare.close()
    bare.close()


def test_importing_pybullet_keeps_standard_output_clean():
    code = "from neuro_robot.sim.bullet import load_pybullet; print('before'); load_pybullet(); print('after')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "before\nafter\n"


def test_pybullet_loads_without_a_standard_output():
    code = "import os; os.close(1); from neuro_robot.sim.bullet import load_pybullet; load_pybullet()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
