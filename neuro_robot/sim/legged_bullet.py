"""A four-legged body in PyBullet: loaded by the names of its joints, driven by torques, felt by its contacts."""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path

import numpy as np

from neuro_robot.errors import SimulationError
from neuro_robot.robot import Vector3
from neuro_robot.sim.bullet import BulletClient, silent_output
from neuro_robot.sim.plates import Plate
from neuro_robot.sim.quadruped import JOINTS, Floats, QuadrupedConfig, per_joint
from neuro_robot.sim.world import World

TRUNK, THIGH, SHANK, FOOT = range(4)  # parts of the body; hips belong to the trunk
RAY_HEIGHT = 50.0  # m


class LeggedBody(BulletClient):
    """The physics of a legged robot in a world. Angles and torques here are in the order and signs of `quadruped`.

    After read(): pose (7,) and motion (6,) of the trunk's centre of mass, world axes; joints (2, 12) rad, rad/s; frame
    (7,): that centre and its principal axes in the trunk. After touch(): forces (4,) of the ground on the feet, N.
    """

    def __init__(self, world: World, config: QuadrupedConfig) -> None:
        super().__init__(world)
        self.pose = np.zeros(7)
        self.motion = np.zeros(6)
        self.joints = np.zeros((2, JOINTS))
        self.forces = np.zeros(4)
        self._signs = per_joint(config.joint_signs, "joint_signs")
        self._offsets = per_joint(config.joint_offsets, "joint_offsets")
        self._plates = {body: Plate(item) for body, item in self.plates.items()}
        self._giving: set[int] = set()  # plates under load or on their way back
        self._body = self._load(config.urdf)
        self._name_parts(config)
        self._check_links(config)
        self._set_dynamics(config)
        _, _, _, self._centre, self._turn = self._bullet.getDynamicsInfo(self._body, -1, self._client)[:5]
        self.frame = np.array([*self._centre, *self._turn])

    @property
    def mass(self) -> float:
        """Mass of the whole body, kg."""
        links = range(-1, self._bullet.getNumJoints(self._body, self._client))
        return float(sum(self._bullet.getDynamicsInfo(self._body, link, self._client)[0] for link in links))

    def place(self, position: Vector3, yaw: float, angles: Floats) -> None:
        """Put the trunk's origin at a pose, level and at rest, with these joint angles (12,)."""
        turn = (0.0, 0.0, math.sin(0.5 * yaw), math.cos(0.5 * yaw))
        pose = self._bullet.multiplyTransforms(position, turn, self._centre, self._turn)
        self._bullet.resetBasePositionAndOrientation(self._body, *pose, self._client)
        self._bullet.resetBaseVelocity(self._body, (0.0,) * 3, (0.0,) * 3, self._client)
        for joint, angle in zip(self._joints, (self._signs * angles + self._offsets).tolist(), strict=True):
            self._bullet.resetJointState(self._body, joint, angle, 0.0, self._client)

    def drive(self, torques: Floats) -> None:
        """Torques (12,), N m, acting in the next step."""
        self._bullet.setJointMotorControlArray(
            self._body,
            self._joints,
            self._bullet.TORQUE_CONTROL,
            forces=(self._signs * torques).tolist(),
            physicsClientId=self._client,
        )

    def read(self) -> None:
        """Bring pose, motion and joints up to date."""
        bullet, body, client = self._bullet, self._body, self._client
        centre, turn = bullet.getBasePositionAndOrientation(body, client)
        self.pose[:3], self.pose[3:] = centre, turn
        self.motion[:3], self.motion[3:] = bullet.getBaseVelocity(body, client)
        states = bullet.getJointStates(body, self._joints, client)
        self.joints[0] = [state[0] for state in states]
        self.joints[1] = [state[1] for state in states]
        self.joints[0] -= self._offsets
        self.joints *= self._signs

    def touch(self) -> str | None:
        """Bring the forces on the feet and the plates under them up to date.

        Returns what the trunk touches: `ground`, `object`, or None.
        """
        touched = None
        forces = [0.0] * 4
        for contact in self._bullet.getContactPoints(self._body, physicsClientId=self._client):
            part, leg = self._parts[contact[3]]
            if contact[2] in self._plates:
                x, y, _ = contact[6]
                self._plates[contact[2]].press(x, y, contact[9])
                self._giving.add(contact[2])
            if part == FOOT:
                forces[leg] += contact[9]
            elif part == TRUNK and (contact[8] <= 0.0 or contact[9] > 0.0):
                touched = "object" if contact[2] in self.obstacles else "ground"
        self.forces[:] = forces
        for body in sorted(self._giving):
            plate = self._plates[body]
            if not plate.step():
                self._giving.remove(body)
            self._bullet.resetBasePositionAndOrientation(body, *plate.pose, self._client)
        return touched

    def feet(self) -> Floats:
        """Where the URDF's foot joints are (4, 3), m, world."""
        states = self._bullet.getLinkStates(self._body, self._feet, 0, 1, self._client)
        return np.array([state[4] for state in states])

    def push(self, force: Vector3) -> None:
        """A force on the trunk's centre of mass in the next step, N, world axes."""
        at = self._bullet.getBasePositionAndOrientation(self._body, self._client)[0]
        self._bullet.applyExternalForce(self._body, -1, force, at, self._bullet.WORLD_FRAME, self._client)

    def set_friction(self, foot: int, friction: float) -> None:
        """Change the coefficient of friction of a foot."""
        self._bullet.changeDynamics(
            self._body, self._feet[foot], lateralFriction=friction, physicsClientId=self._client
        )

    def load(self, mass: float) -> None:
        """Put a mass, kg, at the trunk's centre of mass; its own inertia is left out."""
        before, _, inertia = self._bullet.getDynamicsInfo(self._body, -1, self._client)[:3]
        self._bullet.changeDynamics(
            self._body, -1, mass=before + mass, localInertiaDiagonal=inertia, physicsClientId=self._client
        )

    def ground_height(self, x: float, y: float) -> float:
        """Height of what can be stood on at a place, m; the robot must be out of the way."""
        hit = self._bullet.rayTest((x, y, RAY_HEIGHT), (x, y, -1.0), physicsClientId=self._client)[0]
        return 0.0 if hit[0] in self.obstacles else float(hit[3][2])

    def _load(self, urdf: str) -> int:
        bullet = self._bullet
        flags = bullet.URDF_IGNORE_VISUAL_SHAPES | bullet.URDF_USE_INERTIA_FROM_FILE
        try:
            with silent_output():  # it warns of every inertia that it does not like, amid a caller's output
                return int(bullet.loadURDF(str(_urdf_file(urdf)), flags=flags, physicsClientId=self._client))
        except bullet.error as error:
            self.close()
            raise SimulationError(f"body.urdf: expected a URDF that PyBullet can load, got {urdf}: {error}") from error

    def _name_parts(self, config: QuadrupedConfig) -> None:
        """Find the joints by name, and what part of the body each link is."""
        count = self._bullet.getNumJoints(self._body, self._client)
        infos = [self._bullet.getJointInfo(self._body, joint, self._client) for joint in range(count)]
        index = {info[1].decode(): joint for joint, info in enumerate(infos)}
        legs = config.leg_names.split()
        if len(legs) != 4:
            self.close()
            raise SimulationError(f"body.leg_names: expected four, front right, front left, rear right, rear left, got "
                                  f"{config.leg_names!r}")  # fmt: skip
        patterns = (config.hip_joint, config.thigh_joint, config.knee_joint, config.foot_joint)
        self.names = [pattern.replace("{leg}", leg) for leg in legs for pattern in patterns[:3]]
        feet = [config.foot_joint.replace("{leg}", leg) for leg in legs]
        missing = [name for name in (*self.names, *feet) if name not in index]
        if missing:
            self.close()
            found = ", ".join(index)
            raise SimulationError(f"body: expected four legs with joints {missing} in {config.urdf}, which has {found}")
        self._joints = [index[name] for name in self.names]
        self._parts = {-1: (TRUNK, -1)}
        named = {joint: (TRUNK, THIGH, SHANK)[k % 3] for k, joint in enumerate(self._joints)}
        named |= {index[name]: FOOT for name in feet}
        for joint, info in enumerate(infos):  # parents come before their children
            part, leg = self._parts[info[16]]
            if joint in self._joints:
                leg = self._joints.index(joint) // 3
            self._parts[joint] = (named.get(joint, part), leg)
        self._feet = [index[name] for name in feet]

    def _check_links(self, config: QuadrupedConfig) -> None:
        """Raise SimulationError for what PyBullet takes without a word and no robot is."""
        bullet, client = self._bullet, self._client
        for link in self._parts:
            wrong = ""
            name = bullet.getJointInfo(self._body, link, client)[12].decode() if link >= 0 else "the root link"
            mass, _, inertia = bullet.getDynamicsInfo(self._body, link, client)[:3]
            if mass == 1.0 and inertia == (1.0, 1.0, 1.0):
                wrong = f"{name} has no <inertial>, for which PyBullet takes 1 kg and 1 kg m^2: give it one"
            elif link < 0 and mass == 0.0:
                wrong = "the root link has no mass, so it hangs in the air: make the trunk the root"
            elif link in self._feet and not bullet.getCollisionShapeData(self._body, link, client):
                wrong = f"{name} has no <collision>, so no foot force is felt: give the foot link its ball"
            if wrong:
                self.close()
                raise SimulationError(f"body.urdf: expected a robot that can stand, got {config.urdf}: {wrong}")

    def _set_dynamics(self, config: QuadrupedConfig) -> None:
        """Bullet's own damping and its default velocity motors off, friction on, payload at the centre of mass."""
        bullet, body, client = self._bullet, self._body, self._client
        bullet.setJointMotorControlArray(
            body, self._joints, bullet.VELOCITY_CONTROL, forces=[0.0] * JOINTS, physicsClientId=client
        )
        for link in self._parts:
            bullet.changeDynamics(
                body,
                link,
                lateralFriction=config.friction,
                spinningFriction=0.0,
                rollingFriction=0.0,
                restitution=0.0,
                linearDamping=0.0,
                angularDamping=0.0,
                jointDamping=0.0,
                physicsClientId=client,
            )
        for ground in (self.ground, *self.footing, *self.plates, *self.obstacles):  # Bullet multiplies the two
            bullet.changeDynamics(ground, -1, lateralFriction=1.0, physicsClientId=client)
        if config.payload:
            self.load(config.payload)


def _urdf_file(urdf: str) -> Path:
    """The file of a URDF: a path, or a file of pybullet_data (found without importing it: it belongs to pybullet)."""
    spec = importlib.util.find_spec("pybullet_data")
    folders = list(spec.submodule_search_locations or []) if spec else []
    for file in (Path(urdf), *(Path(folder) / urdf for folder in folders)):
        if file.is_file():
            return file
    raise SimulationError(f"body.urdf: expected a file, or a file of pybullet_data, got {urdf}: no such file")
