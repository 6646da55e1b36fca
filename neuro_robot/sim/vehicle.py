"""The flying drone without its camera: flight controller, rotors, rigid body and sensors, one millisecond at a time."""

from __future__ import annotations

import numpy as np

from neuro_robot.errors import SimulationError
from neuro_robot.sim.bullet import BulletWorld
from neuro_robot.sim.clearance import Clearance
from neuro_robot.sim.flight_control import ControlConfig, FlightController
from neuro_robot.sim.imu import ImuConfig, ImuModel
from neuro_robot.sim.quadrotor import STEP_NS, Floats, Quadrotor, QuadrotorConfig, rotate_to_body
from neuro_robot.sim.world import World


class Vehicle:
    """A drone in a world. After reset() it hovers at the start, level and at rest.

    `truth` (13,): position m, quaternion, velocity m/s in the world, rates rad/s in the body. Raises SimulationError
    when the physics is missing, the vehicle cannot fly or the start is inside something.
    """

    def __init__(self, world: World, body: QuadrotorConfig, control: ControlConfig, imu: ImuConfig, seed: int) -> None:
        self.world = world
        self.truth = np.zeros(13)
        self.t_ns = 0
        self._body = body
        self._clearance = Clearance(world)
        self._rotors = Quadrotor(body)
        self._controller = FlightController(control, body)
        self.sensors = ImuModel(imu, seed)
        self._bullet: BulletWorld | None = None
        self._turning = np.zeros(3)

    def reset(self) -> None:
        """Back to the start at t = 0; the physics is built anew, so that nothing of the last episode is left."""
        start = self.world.start
        self.close()
        self.t_ns = 0
        bullet = self._bullet = BulletWorld(self.world, self._body)
        bullet.place((start.x, start.y, start.z), start.yaw)
        self._read(bullet)
        name, distance = self.nearest()
        ground = start.z - self._body.collision_radius
        if min(distance, ground) <= 0.0:
            name, distance = (name, distance) if distance <= ground else ("the ground", ground)
            raise SimulationError(
                f"world {self.world.name}: expected a free start, got {self.truth[:3].tolist()} "
                f"with {distance:.2f} m to {name}: move the start or widen its free radius"
            )
        self._rotors.reset()
        self.sensors.reset(self.truth)
        self._controller.reset(self.sensors.estimate)

    def step(self, command: Floats) -> str | None:
        """Fly one millisecond by a command (4,): vx, vy, vz m/s, yaw rate rad/s; returns what was touched, or None."""
        bullet = self._bullet
        if bullet is None:
            raise SimulationError("expected reset() before step(), got a vehicle that is closed or not yet placed")
        thrusts = self._controller.step(self.sensors.estimate, command)
        bullet.push(self._rotors.step(self.truth, thrusts).tolist())
        self.t_ns += STEP_NS
        bullet.step(self.t_ns * 1e-9)
        self._read(bullet)
        self.sensors.step(self.truth)
        return bullet.touching()

    def nearest(self) -> tuple[str, float]:
        """Name of the nearest solid and the distance between it and the vehicle's sphere, m (inf in a bare world)."""
        index, distance = self._clearance.nearest(self.truth[:3], self.t_ns * 1e-9)
        name = f"{self.world.objects[index].kind} {index}" if index >= 0 else "nothing"
        return name, distance - self._body.collision_radius

    def close(self) -> None:
        """Free the physics; reset() starts again."""
        if self._bullet is not None:
            self._bullet.close()
            self._bullet = None

    def _read(self, bullet: BulletWorld) -> None:
        values = bullet.read()
        self.truth[:10] = values[:10]
        self._turning[:] = values[10:]
        rotate_to_body(self.truth[3:7], self._turning, self.truth[10:])
