"""Rigid bodies in PyBullet: the world's solids, the vehicle's body, contacts. The only module that imports it."""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import math
import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuro_robot.errors import SimulationError
from neuro_robot.robot import Quaternion, Vector3
from neuro_robot.sim.quadrotor import GRAVITY, STEP_S, QuadrotorConfig
from neuro_robot.sim.terrain import HeightField
from neuro_robot.sim.world import World, WorldObject

Floats = NDArray[np.float64]
SOLIDS_PER_BODY = 16  # a compound of more is refused; one body per solid costs ten times the step


def load_pybullet() -> Any:  # noqa: ANN401 - an untyped extension module
    """The pybullet module; raises SimulationError with the remedy when it is not installed."""
    try:
        if sys.modules.get("pybullet") is not None:
            return sys.modules["pybullet"]
        with silent_output():
            return importlib.import_module("pybullet")
    except ImportError as error:
        raise SimulationError(
            "expected pybullet for the physics, but it cannot be imported: `pip install pybullet` with Python 3.10 or "
            "3.11 (its wheels stop there; later versions compile its source, which needs a C++ compiler)"
        ) from error


@contextlib.contextmanager
def silent_output() -> Iterator[None]:
    """Drop what C code prints: pybullet announces its build time when it is imported, and warns, amid other output.

    C buffers its own lines when standard output is a pipe, so they are flushed before the descriptor is put back.
    """
    with contextlib.suppress(AttributeError, ValueError, OSError):  # no stdout, or a closed one
        sys.stdout.flush()
        sys.stderr.flush()
    c_library = ctypes.CDLL(None)
    c_library.fflush(None)
    try:
        saved = os.dup(1), os.dup(2)
    except OSError:  # nothing to keep clean
        yield
        return
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        os.close(null)
        yield
    finally:
        c_library.fflush(None)
        for number, copy in enumerate(saved, 1):
            os.dup2(copy, number)
            os.close(copy)


class BulletClient:
    """One physics client with the solids of a world and the ground z = 0; a body is added by the class on top of it.

    Every instance has its own client, so simulations of one process do not touch each other. Raises SimulationError.
    """

    def __init__(self, world: World) -> None:
        self._bullet = load_pybullet()
        self._client = int(self._bullet.connect(self._bullet.DIRECT))
        if self._client < 0:
            raise SimulationError("expected a free physics client, got none: close() simulations that are done")
        self._world = world
        self._bullet.setTimeStep(STEP_S, physicsClientId=self._client)
        self._bullet.setGravity(0.0, 0.0, -GRAVITY, physicsClientId=self._client)
        self.ground = self._add_ground()
        self.obstacles = set(self._add_still([item for item in world.objects if not item.walkable]))
        self._moving = [self._add_single(world.objects[index]) for index in world.moving]
        self.obstacles.update(self._moving)
        self.footing = [*map(self._add_field, world.terrain.fields)]  # what is walked on, but for the plane and plates
        self.footing += self._add_still([item for item in world.objects if item.walkable and not item.spring])
        self.plates = {self._add_single(item): item for item in world.objects if item.spring}

    def step(self, t_s: float) -> None:
        """Advance by one millisecond, to time t_s (where moving solids then are)."""
        if self._moving:
            positions = self._world.positions_at(t_s)
            for body, index in zip(self._moving, self._world.moving, strict=True):
                turn = _turn(self._world.objects[index].yaw)
                self._bullet.resetBasePositionAndOrientation(body, positions[index].tolist(), turn, self._client)
        self._bullet.stepSimulation(self._client)

    def close(self) -> None:
        """Free the client; a second call does nothing."""
        if self._client >= 0:
            self._bullet.disconnect(self._client)
            self._client = -1

    def _add_ground(self) -> int:
        shape = self._bullet.createCollisionShape(self._bullet.GEOM_PLANE, physicsClientId=self._client)
        return int(self._bullet.createMultiBody(0.0, shape, physicsClientId=self._client))

    def _add_field(self, field: HeightField) -> int:
        """A heightfield; Bullet centres it on its box, corners run along x first."""
        grid, bullet = field.grid, self._bullet
        shape = bullet.createCollisionShape(
            bullet.GEOM_HEIGHTFIELD,
            meshScale=(field.cell_m, field.cell_m, 1.0),
            heightfieldData=grid.T.ravel().tolist(),
            numHeightfieldRows=grid.shape[0],
            numHeightfieldColumns=grid.shape[1],
            physicsClientId=self._client,
        )
        x, y = (corner + 0.5 * (n - 1) * field.cell_m for corner, n in zip((field.x, field.y), grid.shape, strict=True))
        middle = (x, y, 0.5 * float(grid.min() + grid.max()))
        return int(bullet.createMultiBody(0.0, shape, basePosition=middle, physicsClientId=self._client))

    def _add_still(self, items: Sequence[WorldObject]) -> list[int]:
        """Solids that do not move; neighbours share a body, and so a small bounding box."""
        still = sorted((item for item in items if item.path is None), key=lambda item: item.position)
        return [self._add_solids(still[i : i + SOLIDS_PER_BODY]) for i in range(0, len(still), SOLIDS_PER_BODY)]

    def _geometry(self, item: WorldObject) -> tuple[int, float, Vector3, float]:
        """Bullet's shape type, radius, half extents and length."""
        types = {
            "cylinder": self._bullet.GEOM_CYLINDER,
            "box": self._bullet.GEOM_BOX,
            "sphere": self._bullet.GEOM_SPHERE,
        }
        return types[item.kind], item.size[0], item.size, item.height

    def _add_solids(self, items: Sequence[WorldObject]) -> int:
        types, radii, halves, lengths = zip(*(self._geometry(item) for item in items), strict=True)
        shape = self._bullet.createCollisionShapeArray(
            shapeTypes=types,
            radii=radii,
            halfExtents=halves,
            lengths=lengths,
            collisionFramePositions=[item.position for item in items],
            collisionFrameOrientations=[_turn(item.yaw) for item in items],
            physicsClientId=self._client,
        )
        if shape < 0:
            raise SimulationError(f"the physics refused {len(items)} solids of world {self._world.name}")
        return int(self._bullet.createMultiBody(0.0, shape, useMaximalCoordinates=True, physicsClientId=self._client))

    def _add_single(self, item: WorldObject) -> int:
        kind, radius, half, length = self._geometry(item)
        shape = self._bullet.createCollisionShape(
            kind, radius=radius, halfExtents=half, height=length, physicsClientId=self._client
        )
        pose = (item.position, _turn(item.yaw))
        light = item.spring is not None  # a thousand plates as multi-bodies cost five times the step
        return int(
            self._bullet.createMultiBody(
                0.0, shape, -1, *pose, useMaximalCoordinates=light, physicsClientId=self._client
            )
        )


class BulletWorld(BulletClient):
    """The physics of the drone: the solids of a world and one vehicle, a sphere with given inertia."""

    def __init__(self, world: World, vehicle: QuadrotorConfig) -> None:
        super().__init__(world)
        self._vehicle = self._add_vehicle(vehicle)

    def place(self, position: Vector3, yaw: float) -> None:
        """Put the vehicle at a pose, level and at rest."""
        pose = (position, (0.0, 0.0, math.sin(0.5 * yaw), math.cos(0.5 * yaw)))
        self._bullet.resetBasePositionAndOrientation(self._vehicle, *pose, self._client)
        self._bullet.resetBaseVelocity(self._vehicle, (0.0,) * 3, (0.0,) * 3, self._client)

    def push(self, wrench: Sequence[float]) -> None:
        """Force (3), N, at the centre and torque (3), N m, both in body axes, acting in the next step."""
        bullet = self._bullet
        bullet.applyExternalForce(self._vehicle, -1, wrench[:3], (0.0, 0.0, 0.0), bullet.LINK_FRAME, self._client)
        bullet.applyExternalTorque(self._vehicle, -1, wrench[3:], bullet.LINK_FRAME, self._client)

    def read(self) -> tuple[float, ...]:
        """Position (3, m), quaternion (x, y, z, w), velocity (3, m/s), angular velocity (3, rad/s); world axes."""
        pose = self._bullet.getBasePositionAndOrientation(self._vehicle, self._client)
        motion = self._bullet.getBaseVelocity(self._vehicle, self._client)
        return (*pose[0], *pose[1], *motion[0], *motion[1])

    def touching(self) -> str | None:
        """What the vehicle touches since the last step: `ground`, `object`, or None."""
        contacts = self._bullet.getContactPoints(self._vehicle, physicsClientId=self._client)
        for contact in contacts:
            # The solver may hold a glancing body at a small positive distance: a push counts as a touch too.
            if contact[8] <= 0.0 or contact[9] > 0.0:
                return "ground" if contact[2] == self.ground else "object"
        return None

    def _add_vehicle(self, vehicle: QuadrotorConfig) -> int:
        """A sphere with the vehicle's inertia; Bullet's own damping (20 % of the speed in a second) is off."""
        shape = self._bullet.createCollisionShape(
            self._bullet.GEOM_SPHERE, radius=vehicle.collision_radius, physicsClientId=self._client
        )
        body = int(self._bullet.createMultiBody(vehicle.mass, shape, physicsClientId=self._client))
        self._bullet.changeDynamics(
            body,
            -1,
            linearDamping=0.0,
            angularDamping=0.0,
            localInertiaDiagonal=(vehicle.inertia_x, vehicle.inertia_y, vehicle.inertia_z),
            physicsClientId=self._client,
        )
        return body


def _turn(yaw: float) -> Quaternion:
    return 0.0, 0.0, math.sin(0.5 * yaw), math.cos(0.5 * yaw)
