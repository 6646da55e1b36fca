"""An episode of any body: step it by one packet, get events, what the body senses, and the outcome."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Generic, Protocol

import numpy as np
from numpy.typing import NDArray

from neuro_robot.config import parameter
from neuro_robot.errors import SimulationError
from neuro_robot.events.packet import EventPacket
from neuro_robot.robot import Imu, LegSense, Odometry
from neuro_robot.sim.camera import CameraConfig, EventCamera
from neuro_robot.sim.dvs import DvsConfig
from neuro_robot.sim.guard import C, Guard, GuardCounts
from neuro_robot.sim.imu import ImuModel
from neuro_robot.sim.quadrotor import STEP_NS
from neuro_robot.sim.truth import VehicleState, state_of
from neuro_robot.sim.world import World

Floats = NDArray[np.float64]
STEPS_PER_SECOND = 1_000_000_000 // STEP_NS


@dataclass(frozen=True)
class EpisodeConfig:
    """When an episode ends that does not end by itself."""

    timeout_s: float = parameter(60.0, "longest simulated time of an episode, s", 0.01, 36000.0)


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


class Body(Protocol):
    """A body in a world, one millisecond at a time. truth (13,): see VehicleState, as one array."""

    t_ns: int
    truth: Floats
    sensors: ImuModel

    def reset(self) -> None:
        """Back to the world's start at t = 0."""

    def step(self, command: Floats) -> str | None:
        """Obey a command for one millisecond; returns what ends the episode by touch, or None."""

    def nearest(self) -> tuple[str, float]:
        """Name of the nearest solid and the distance to it, m."""

    def close(self) -> None:
        """Free the physics."""


class Simulation(ABC, Generic[C]):
    """A body with an event camera in a world, stepped by packet periods.

    Physics and control run at 1 kHz, the camera at its frame rate. Same world, configuration, seed and commands: the
    same bits, whatever else runs in the process. Raises SimulationError when the physics is missing or the timing does
    not fit.
    """

    def __init__(
        self, world: World, body: Body, camera: CameraConfig, dvs: DvsConfig, episode: EpisodeConfig, seed: int
    ) -> None:
        self.world = world
        self.seed = seed
        self.min_clearance_m = float("inf")  # smallest clearance since reset(), seen at the ends of packets
        self._body = body
        self._optics = camera, dvs
        self._timeout_s = episode.timeout_s
        self._steps = _steps_per_packet(camera)
        self._steps_per_frame = _steps_per_frame(camera)
        self._camera: EventCamera | None = None
        self._guard: Guard[C] = self._new_guard()
        self._command: C | None = None
        self._outcome: Outcome | None = None

    def reset(self) -> Observation:
        """Start the episode over at the world's start at t = 0, with an empty packet."""
        self._body.reset()
        self._camera = EventCamera(self.world, *self._optics, self.seed)
        self._guard = self._new_guard()
        self._command = None
        self._outcome = None
        self.min_clearance_m = float("inf")
        self._expose(self._camera)
        return self._observe(self._camera)

    def step(self, command: C | None = None) -> Observation:
        """Obey the command for one packet period (None: the last one, which ages); ends early by touch.

        Raises SimulationError before reset() and after the outcome.
        """
        camera = self._camera
        if camera is None or self._outcome is not None:
            state = "not been reset" if camera is None else f"ended ({self._outcome})"
            raise SimulationError(f"expected an episode under way, got one that has {state}: call reset()")
        if command is not None:
            self._command = command
        target = self._target(self._guard.check(self._command, self.t_ns))
        touched = None
        for _ in range(self._steps):
            touched = self._body.step(target)
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
        return self._body.t_ns

    @property
    def state(self) -> VehicleState:
        """True pose and motion."""
        return state_of(self._body.truth)

    @property
    def clearance_m(self) -> float:
        """True distance from the body to the nearest solid, m; inf in a bare world, the ground not counted."""
        return self._body.nearest()[1]

    @property
    def fault(self) -> str:
        """Why the last command was not obeyed; empty when it was."""
        return self._guard.fault

    @property
    def guard_counts(self) -> GuardCounts:
        """How often commands were obeyed and refused since reset()."""
        return self._guard.counts

    @property
    def share_done(self) -> float:
        """How far the episode is, 0 to 1: by the way to the goal or by the time allowed, whichever says more."""
        start, goal = self.world.start, self.world.goal
        way = (float(self._body.truth[0]) - start.x) / max(goal.x - start.x, 1e-9)
        return min(max(way, self.t_ns * 1e-9 / self._timeout_s, 0.0), 1.0)

    def close(self) -> None:
        """Free the physics; reset() starts again."""
        self._body.close()
        self._camera = None

    @abstractmethod
    def _new_guard(self) -> Guard[C]:
        """The guard of an episode."""

    @abstractmethod
    def _target(self, command: C) -> Floats:
        """A command as the body takes it."""

    @abstractmethod
    def _touch_outcome(self, touched: str) -> tuple[str, str]:
        """Kind and reason of an end by touch."""

    def _legs(self) -> LegSense | None:
        return None

    def _expose(self, camera: EventCamera) -> None:
        truth = self._body.truth
        camera.frame(truth[:3], truth[3:7], self.t_ns)

    def _observe(self, camera: EventCamera) -> Observation:
        t_ns, sensors = self.t_ns, self._body.sensors
        return Observation(
            t_ns, camera.packet(t_ns), sensors.imu(t_ns), sensors.odometry(t_ns), self._outcome, self._legs()
        )

    def _judge(self, touched: str | None) -> Outcome | None:
        """The outcome by the true state; a touch outranks a goal."""
        position = self._body.truth[:3].tolist()
        if touched:
            return self._outcome_of(*self._touch_outcome(touched))
        if self.world.goal.reached(*position):
            return self._outcome_of("goal", "goal reached")
        if not self.world.bounds.contains(*position):
            return self._outcome_of("out_of_bounds", "left the world")
        if self.t_ns >= self._timeout_s * 1e9:
            return self._outcome_of("timeout", f"no goal after {self._timeout_s:g} s")
        return None

    def _outcome_of(self, kind: str, reason: str) -> Outcome:
        x, y, z = self.state.position
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
