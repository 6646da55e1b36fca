"""The walking robot without its camera: actuators, rigid bodies, sensors and scores, one millisecond at a time."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from neuro_robot.errors import SimulationError
from neuro_robot.events.array import EVENT_DTYPE
from neuro_robot.robot import LegSense
from neuro_robot.sim.clearance import Clearance
from neuro_robot.sim.disturbances import Disturbances
from neuro_robot.sim.imu import ImuConfig, ImuModel
from neuro_robot.sim.legged_bullet import RAY_HEIGHT, LeggedBody
from neuro_robot.sim.legged_kernels import after_step
from neuro_robot.sim.quadrotor import GRAVITY, STEP_NS, STEP_S
from neuro_robot.sim.quadruped import (
    JOINTS,
    Floats,
    QuadrupedConfig,
    check_angles,
    each_leg,
    foot_positions,
    joint_torques,
    leg_geometry,
    stance_of,
)
from neuro_robot.sim.world import World

SETTLE_STEPS = 1000  # before t = 0: the legs take up the weight
FEET_AGREE = 0.05  # of a leg's length: so far a foot may be beside where the URDF has it
HIP_TURN_RAD = 0.7  # they are compared in the stance and with the hips turned, or no sign of a hip would tell
MIN_UP = 0.55  # cosine of the tilt at which it has fallen (spot_mini_mini: 0.55)
NOISE_ROWS = 256


class WalkScore(NamedTuple):
    """The truth about a walk since t = 0, for scoring only; never for learning."""

    positive_work_j: float  # sum of what the joints gave, braking not counted
    absolute_work_j: float
    falls: int
    distance_m: float  # along the heading of the start
    lateral_m: float  # to the left of it
    slip_m: float  # ways of all feet over the ground while they touched it
    mass_kg: float

    @property
    def cost_of_transport(self) -> float:
        """Positive work per weight and distance; inf when it has not come forward."""
        return self.positive_work_j / (self.mass_kg * GRAVITY * self.distance_m) if self.distance_m > 0 else math.inf


class LeggedVehicle:
    """A legged robot in a world. After reset() it stands at the start, at rest.

    `truth` (13,): position m, quaternion, velocity m/s in the world, rates rad/s in the body, all of the trunk's
    origin; `feet` (4, 3) m, world; `contacts` (4,). Raises SimulationError when the physics or the body's file is
    missing or the start is inside something.
    """

    def __init__(self, world: World, config: QuadrupedConfig, imu: ImuConfig, seed: int) -> None:
        check_angles(config)
        self.world = world
        self.truth = np.zeros(13)
        self.feet = np.zeros((4, 3))
        self.contacts = np.zeros(4, np.bool_)
        self._felt = np.zeros((2, JOINTS))
        self.t_ns = 0
        self.sensors = ImuModel(imu, seed)
        self._config = config
        self._seed = seed
        self._clearance = Clearance(world)
        self._geometry = leg_geometry(config)
        self._limits = each_leg(config.hip_torque, config.thigh_torque, config.knee_torque)
        self._gains = np.array([config.kp, config.kd])
        self._blend = 1.0 - math.exp(-STEP_S / config.actuator_time_constant)
        self._physics: LeggedBody | None = None

    def reset(self) -> None:
        """Back to the start at t = 0; the physics is built anew, so that nothing of the last episode is left."""
        self.close()
        physics = self._physics = LeggedBody(self.world, self._config)
        self._random = np.random.default_rng([self._seed, 0x1E6])
        self._noise, self._row = np.empty((0, 2, JOINTS)), 0
        self._torques, self._strength = np.zeros(JOINTS), np.ones(JOINTS)
        self._sums = np.zeros(3)
        self._touches: list[tuple[int, int, int, int]] = []
        self._disturbances = Disturbances(self.world, self._config.friction, physics.names)
        self._stand(physics)
        self.t_ns = 0
        self._sums[:] = 0.0
        self._touches = [(0, foot, 0, 1) for foot in range(4) if self.contacts[foot]]
        self._origin = self.truth[:3].copy()
        self.sensors.reset(self.truth)

    def step(self, command: Floats) -> str | None:
        """Hold joint angles (12,), rad, for one millisecond; returns what the trunk touches or `tipped`, or None."""
        physics = self._physics
        if physics is None:
            raise SimulationError("expected reset() before step(), got a robot that is closed or not yet placed")
        self._disturbances.apply(physics, self.feet, self._strength, self.t_ns)
        touched = self._advance(physics, command)
        self.sensors.step(self.truth)
        return touched or ("tipped" if self._tipped() else None)

    def legs(self) -> LegSense:
        """What the legs feel now, and the touches since the last call."""
        touches = np.array(self._touches, EVENT_DTYPE)
        self._touches = []
        position, speed = self._felt.tolist()
        return LegSense(self.t_ns, tuple(position), tuple(speed), tuple(self._torques.tolist()), touches)

    def nearest(self) -> tuple[str, float]:
        """Name of the nearest solid and its distance from the trunk, m (inf in a bare world).

        The trunk is three spheres of trunk_radius: at the front hips, the middle and the rear hips.
        """
        x, y, z, w = self.truth[3:7].tolist()
        forward = np.array([1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y + z * w), 2.0 * (x * z - y * w)])
        hips = self._config.hip_x, 0.0, self._config.rear_x - self._config.hip_x
        points = [self.truth[:3] + along * forward for along in hips]
        found = [self._clearance.nearest(point, self.t_ns * 1e-9) for point in points]
        index, distance = min(found, key=lambda item: item[1])
        name = f"{self.world.objects[index].kind} {index}" if index >= 0 else "nothing"
        return name, distance - self._config.trunk_radius

    @property
    def score(self) -> WalkScore:
        """Work, way and slip since t = 0."""
        yaw = self.world.start.yaw
        dx, dy, _ = (self.truth[:3] - self._origin).tolist()
        along = math.cos(yaw) * dx + math.sin(yaw) * dy
        left = math.cos(yaw) * dy - math.sin(yaw) * dx
        work, absolute, slip = self._sums.tolist()
        mass = self._physics.mass if self._physics else 0.0
        return WalkScore(work, absolute, int(self._tipped()), along, left, slip, mass)

    def close(self) -> None:
        """Free the physics; reset() starts again."""
        if self._physics is not None:
            self._physics.close()
            self._physics = None

    def _stand(self, physics: LeggedBody) -> None:
        """Put it on its feet at the start and wait until the legs carry it; then t = 0 can begin."""
        start, stance = self.world.start, stance_of(self._config)
        local = np.empty((4, 3))
        foot_positions(self._geometry, stance, local)
        height = self._config.foot_radius - float(local[:, 2].min())
        for angles in (stance + each_leg(HIP_TURN_RAD, 0.0, 0.0), stance):
            physics.place((start.x, start.y, 2.0 * RAY_HEIGHT), start.yaw, angles)  # out of the rays' way
            self._read(physics)
            self._check_feet(physics)
        height += max(physics.ground_height(x, y) for x, y, _ in self.feet.tolist())
        physics.place((start.x, start.y, height), start.yaw, stance)
        self.contacts[:] = False
        self._read(physics)
        self._feel()
        name, distance = self.nearest()
        touched = None
        for _ in range(SETTLE_STEPS if distance > 0.0 else 0):
            touched = touched or self._advance(physics, stance)
        if distance <= 0.0 or touched:
            raise SimulationError(
                f"world {self.world.name}: expected a free start, got {self.truth[:3].round(2).tolist()} "
                f"{f'with the trunk on the {touched}' if touched else f'inside {name}'}: move the start"
            )
        if self._tipped():
            raise SimulationError(
                "body: expected a robot that stands, got one that tips, or sinks below fall_height "
                f"({self._config.fall_height:g} m over its feet) in a second: raise kp or torques, or lower that"
            )

    def _check_feet(self, physics: LeggedBody) -> None:
        """Raise SimulationError where the body's lengths and signs put a foot elsewhere than the URDF does."""
        config = self._config
        beside = self.feet - physics.feet()
        far = np.linalg.norm(beside, axis=1) > FEET_AGREE * (config.thigh_length + config.shank_length)
        if far.any():
            leg = int(np.argmax(far))
            raise SimulationError(
                f"body: expected the foot of {config.leg_names.split()[leg]} where {config.urdf} has it, got "
                f"{100.0 * np.linalg.norm(beside[leg]):.1f} cm beside it; correct lengths (hip_..., thigh_length, "
                "shank_length), zeros and signs (joint_...), or names (leg_names, foot_joint)"
            )

    def _advance(self, physics: LeggedBody, command: Floats) -> str | None:
        """Actuators, physics, encoders, foot switches for a millisecond."""
        joint_torques(command, self._felt, self._gains, self._limits, self._strength, self._blend, self._torques)
        physics.drive(self._torques)
        self.t_ns += STEP_NS
        physics.step(self.t_ns * 1e-9)
        self._read(physics)
        touched = physics.touch()
        self._switch(physics.forces)
        self._feel()
        return touched

    def _read(self, physics: LeggedBody) -> None:
        before = physics.joints[0].copy()
        physics.read()
        after_step(
            physics.pose, physics.motion, physics.frame, physics.joints, before, self._torques, self._geometry,
            self._config.foot_radius, self.contacts, self.truth, self.feet, self._sums,
        )  # fmt: skip
        self._angles = physics.joints

    def _feel(self) -> None:
        """The encoders: angle and speed, each with white noise."""
        if self._row == len(self._noise):
            self._noise, self._row = self._random.standard_normal((NOISE_ROWS, 2, JOINTS)), 0
            self._noise[:, 0] *= self._config.encoder_noise
            self._noise[:, 1] *= self._config.speed_noise
        np.add(self._angles, self._noise[self._row], out=self._felt)
        self._row += 1

    def _switch(self, forces: Floats) -> None:
        """The foot switches: close at touch_force, open at half of it."""
        close = self._config.touch_force
        for foot, force in enumerate(forces.tolist()):
            touches = force >= (0.5 * close if self.contacts[foot] else close)
            if touches != self.contacts[foot]:
                self.contacts[foot] = touches
                self._touches.append((self.t_ns, foot, 0, int(touches)))

    def _tipped(self) -> bool:
        z, x, y = self.truth[2:5].tolist()
        height = z - 0.25 * sum(self.feet[:, 2].tolist())
        return bool(1.0 - 2.0 * (x * x + y * y) < MIN_UP or height < self._config.fall_height)
