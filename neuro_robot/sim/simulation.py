"""The simulation that a controller flies in: step it by one packet, get events, IMU, odometry and the outcome."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from neuro_robot.config import group, parameter
from neuro_robot.errors import SimulationError
from neuro_robot.events.packet import EventPacket
from neuro_robot.robot import BodyCommand, Imu, LegSense, Odometry
from neuro_robot.sim.camera import CameraConfig, EventCamera
from neuro_robot.sim.dvs import DvsConfig
from neuro_robot.sim.flight_control import ControlConfig
from neuro_robot.sim.guard import CommandGuard, GuardCounts, LimitsConfig
from neuro_robot.sim.imu import ImuConfig
from neuro_robot.sim.quadrotor import STEP_NS, QuadrotorConfig
from neuro_robot.sim.vehicle import Vehicle, VehicleState
from neuro_robot.sim.world import World

STEPS_PER_SECOND = 1_000_000_000 // STEP_NS


@dataclass(frozen=True)
class EpisodeConfig:
    """When an episode ends that does not end by itself."""

    timeout_s: float = parameter(60.0, "longest simulated time of an episode, s", 0.01, 36000.0)


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


@dataclass(frozen=True)
class Outcome:
    """How an episode ended."""

    kind: str  # goal | collision | fall | out_of_bounds | timeout
    reason: str
    t_ns: int


@dataclass(frozen=True)
class Observation:
    """What the robot reports at the end of a packet period."""

    t_ns: int
    packet: EventPacket
    imu: Imu
    odom: Odometry
    outcome: Outcome | None
    legs: LegSense | None = None  # of a body that has legs


class DroneSimulation:
    """A drone with an event camera in a world, stepped by packet periods.

    Physics and control run at 1 kHz, the camera at its frame rate. Same world, configuration, seed and commands: the
    same bits, whatever else runs in the process. Ends: `goal`, `collision` (contact of the body sphere),
    `out_of_bounds`, `timeout`. Raises SimulationError when the physics is missing or the timing does not fit.
    """

    def __init__(self, world: World, config: DroneConfig | None = None, seed: int = 0) -> None:
        self.world = world
        self.config = DroneConfig() if config is None else config
        self.seed = seed
        self._steps = _steps_per_packet(self.config.camera)
        self._steps_per_frame = _steps_per_frame(self.config.camera)
        config = self.config
        self.vehicle = Vehicle(world, config.body, config.control, config.imu, seed)
        self.min_clearance_m = math.inf  # smallest clearance since reset(), seen at the ends of packets
        self._camera: EventCamera | None = None
        self._guard = CommandGuard(config.limits)
        self._command: BodyCommand | None = None
        self._outcome: Outcome | None = None
        self._target = np.zeros(4)

    def reset(self) -> Observation:
        """Start the episode over: hovering at the world's start at t = 0, with an empty packet."""
        self.vehicle.reset()
        self._camera = EventCamera(self.world, self.config.camera, self.config.dvs, self.seed)
        self._guard = CommandGuard(self.config.limits)
        self._command = None
        self._outcome = None
        self.min_clearance_m = math.inf
        self._expose(self._camera)
        return self._observe(self._camera)

    def step(self, command: BodyCommand | None = None) -> Observation:
        """Fly one packet period by the command (None: the last one, which ages); ends early at a contact.

        Raises SimulationError before reset() and after the outcome.
        """
        camera = self._camera
        if camera is None or self._outcome is not None:
            state = "not been reset" if camera is None else f"ended ({self._outcome})"
            raise SimulationError(f"expected an episode under way, got one that has {state}: call reset()")
        if command is not None:
            self._command = command
        self._target[:] = self._guard.check(self._command, self.t_ns)[1:]
        touched = None
        for _ in range(self._steps):
            touched = self.vehicle.step(self._target)
            if (self.t_ns // STEP_NS) % self._steps_per_frame == 0:
                self._expose(camera)
            if touched:
                break
        self.min_clearance_m = min(self.min_clearance_m, self.clearance_m)
        self._outcome = self._judge(touched)
        return self._observe(camera)

    @property
    def t_ns(self) -> int:
        """Simulation time, which is also sensor time."""
        return self.vehicle.t_ns

    @property
    def state(self) -> VehicleState:
        """True pose and motion."""
        return self.vehicle.state

    @property
    def clearance_m(self) -> float:
        """True distance from the body sphere to the nearest solid, m; inf in a bare world, the ground not counted."""
        return self.vehicle.nearest()[1]

    @property
    def fault(self) -> str:
        """Why the last command was replaced by a hover; empty when it was obeyed."""
        return self._guard.fault

    @property
    def guard_counts(self) -> GuardCounts:
        """How often commands were obeyed and refused since reset()."""
        return self._guard.counts

    def close(self) -> None:
        """Free the physics; reset() starts again."""
        self.vehicle.close()
        self._camera = None

    def _expose(self, camera: EventCamera) -> None:
        truth = self.vehicle.truth
        camera.frame(truth[:3], truth[3:7], self.t_ns)

    def _observe(self, camera: EventCamera) -> Observation:
        t_ns, sensors = self.t_ns, self.vehicle.sensors
        return Observation(t_ns, camera.packet(t_ns), sensors.imu(t_ns), sensors.odometry(t_ns), self._outcome)

    def _judge(self, touched: str | None) -> Outcome | None:
        """The outcome by the true state; a contact outranks a goal."""
        position = self.vehicle.truth[:3].tolist()
        if touched:
            what = touched if touched == "ground" else self.vehicle.nearest()[0]
            return self._outcome_of("collision", f"hit {what}")
        if self.world.goal.reached(*position):
            return self._outcome_of("goal", "goal reached")
        if not self.world.bounds.contains(*position):
            return self._outcome_of("out_of_bounds", "left the world")
        if self.t_ns >= self.config.episode.timeout_s * 1e9:
            return self._outcome_of("timeout", f"no goal after {self.config.episode.timeout_s:g} s")
        return None

    def _outcome_of(self, kind: str, reason: str) -> Outcome:
        x, y, z = self.vehicle.state.position
        return Outcome(kind, f"{reason} at ({x:.1f}, {y:.1f}, {z:.1f}) m", self.t_ns)


def _steps_per_packet(camera: CameraConfig) -> int:
    steps = camera.packet_period_ms * 1e6 / STEP_NS
    if steps < 1 or steps != int(steps):
        raise SimulationError(f"expected camera.packet_period_ms in whole milliseconds, got {camera.packet_period_ms}")
    return int(steps)


def _steps_per_frame(camera: CameraConfig) -> int:
    steps = STEPS_PER_SECOND / camera.frame_rate_hz
    if steps < 1 or steps != int(steps):
        raise SimulationError(
            f"expected camera.frame_rate_hz to divide {STEPS_PER_SECOND} (1 ms steps), got {camera.frame_rate_hz}"
        )
    return int(steps)
