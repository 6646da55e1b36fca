"""The simulation that a walker walks in: step it by one packet, get events, IMU, odometry, legs and the outcome."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neuro_robot.config import group, parameter
from neuro_robot.robot import JointCommand, LegSense
from neuro_robot.sim.camera import CameraConfig
from neuro_robot.sim.dvs import DvsConfig
from neuro_robot.sim.episode import EpisodeConfig, Floats, Simulation
from neuro_robot.sim.imu import ImuConfig
from neuro_robot.sim.joint_guard import JointGuard
from neuro_robot.sim.legged import LeggedVehicle, WalkScore
from neuro_robot.sim.quadruped import JOINT_NAMES, JOINTS, QuadrupedConfig, each_leg, stance_of
from neuro_robot.sim.world import World


@dataclass(frozen=True)
class HeadCameraConfig(CameraConfig):
    """The event camera at the head of a walking robot."""

    frame_rate_hz: int = parameter(200, "rendered frames per second; times between them are interpolated", 50, 10000)
    x: float = parameter(0.28, "mount position forward in base_link (m)", -1.0, 1.0)
    z: float = parameter(0.05, "mount position up in base_link (m)", -1.0, 1.0)
    packet_period_ms: int = parameter(5, "time covered by one packet (ms)", 1, 100)


@dataclass(frozen=True)
class JointLimitsConfig:
    """When a joint command no longer counts, and what happens then."""

    command_timeout_ms: float = parameter(100.0, "age at which a command no longer counts, ms", 1.0, 5000.0)
    stance_speed: float = parameter(3.0, "how fast the joints return to the stance then, rad/s", 0.1, 50.0)


@dataclass(frozen=True)
class QuadrupedSimConfig:
    """Everything about the simulated quadruped."""

    camera: HeadCameraConfig = group(HeadCameraConfig)
    dvs: DvsConfig = group(DvsConfig)
    body: QuadrupedConfig = group(QuadrupedConfig)
    imu: ImuConfig = group(ImuConfig, heading_drift=0.05)  # 3 deg/min (assumed): no compass beside 12 motors
    limits: JointLimitsConfig = group(JointLimitsConfig)
    episode: EpisodeConfig = group(EpisodeConfig)


class QuadrupedSimulation(Simulation[JointCommand]):
    """A four-legged robot with an event camera in a world, stepped by packet periods; it starts standing.

    Ends: `goal`, `fall` (the trunk touches the ground or the robot has tipped), `collision` (the trunk touches a
    solid), `out_of_bounds`, `timeout`.
    """

    def __init__(self, world: World, config: QuadrupedSimConfig | None = None, seed: int = 0) -> None:
        self.config = config = QuadrupedSimConfig() if config is None else config
        self.vehicle = LeggedVehicle(world, config.body, config.imu, seed)
        self._wanted = np.zeros(JOINTS)
        super().__init__(world, self.vehicle, config.camera, config.dvs, config.episode, seed)

    @property
    def score(self) -> WalkScore:
        """Work, way and slip since reset(): the truth, for scoring only."""
        return self.vehicle.score

    @property
    def feet(self) -> Floats:
        """Centres of the feet (4, 3), m, world: the truth, for pictures and scoring only."""
        return self.vehicle.feet.copy()

    @property
    def contacts(self) -> tuple[bool, ...]:
        """Which foot switches are closed, FR, FL, RR, RL."""
        return tuple(self.vehicle.contacts.tolist())

    def _new_guard(self) -> JointGuard:
        body, limits = self.config.body, self.config.limits
        lower = each_leg(-body.hip_limit, body.thigh_min, body.knee_min).tolist()
        upper = each_leg(body.hip_limit, body.thigh_max, body.knee_max).tolist()
        step = limits.stance_speed * self.config.camera.packet_period_ms * 1e-3
        return JointGuard(JOINT_NAMES, stance_of(body).tolist(), lower, upper, limits.command_timeout_ms, step)

    def _target(self, command: JointCommand) -> Floats:
        self._wanted[:] = command.position
        return self._wanted

    def _touch_outcome(self, touched: str) -> tuple[str, str]:
        if touched == "object":
            return "collision", f"hit {self.vehicle.nearest()[0]}"
        return "fall", "tipped over, or sank to its feet" if touched == "tipped" else "the trunk touched the ground"

    def _legs(self) -> LegSense:
        return self.vehicle.legs()
