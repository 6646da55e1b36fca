"""The simulation that a controller flies in: step it by one packet, get events, IMU, odometry and the outcome."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neuro_robot.config import group
from neuro_robot.robot import BodyCommand
from neuro_robot.sim.camera import CameraConfig
from neuro_robot.sim.dvs import DvsConfig
from neuro_robot.sim.episode import EpisodeConfig, Floats, Observation, Outcome, Simulation
from neuro_robot.sim.flight_control import ControlConfig
from neuro_robot.sim.guard import CommandGuard, LimitsConfig
from neuro_robot.sim.imu import ImuConfig
from neuro_robot.sim.quadrotor import QuadrotorConfig
from neuro_robot.sim.vehicle import Vehicle
from neuro_robot.sim.world import World

__all__ = ["DroneConfig", "DroneSimulation", "EpisodeConfig", "Observation", "Outcome"]


@dataclass(frozen=True)
class DroneConfig:
    """Everything about the simulated drone."""

    camera: CameraConfig = group(CameraConfig)
    dvs: DvsConfig = group(DvsConfig)
    body: QuadrotorConfig = group(QuadrotorConfig)
    control: ControlConfig = group(ControlConfig)
    imu: ImuConfig = group(ImuConfig)
    limits: LimitsConfig = group(LimitsConfig)
    episode: EpisodeConfig = group(EpisodeConfig)


class DroneSimulation(Simulation[BodyCommand]):
    """A drone with an event camera in a world, stepped by packet periods; it starts hovering.

    Ends: `goal`, `collision` (contact of the body sphere), `out_of_bounds`, `timeout`.
    """

    def __init__(self, world: World, config: DroneConfig | None = None, seed: int = 0) -> None:
        self.config = config = DroneConfig() if config is None else config
        self.vehicle = Vehicle(world, config.body, config.control, config.imu, seed)
        self._wanted = np.zeros(4)
        super().__init__(world, self.vehicle, config.camera, config.dvs, config.episode, seed)

    def _new_guard(self) -> CommandGuard:
        return CommandGuard(self.config.limits)

    def _target(self, command: BodyCommand) -> Floats:
        self._wanted[:] = command[1:]
        return self._wanted

    def _touch_outcome(self, touched: str) -> tuple[str, str]:
        what = touched if touched == "ground" else self.vehicle.nearest()[0]
        return "collision", f"hit {what}"
