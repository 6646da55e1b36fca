"""One flight in process: the simulation and a controller in lockstep, without ROS.

The loop is the one that `sim_node` and `controller_node` run over DDS in lockstep mode, so the same request gives the
same spikes, weights and commands, bit for bit.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from neuro_robot.bags.digest import RunDigest
from neuro_robot.bench.activity import Activity, activity_of
from neuro_robot.bench.bodies import body_of
from neuro_robot.bench.pilots import Pilot, Recorder, Reply, make_pilot
from neuro_robot.config import from_dict
from neuro_robot.sim.simulation import Observation
from neuro_robot.sim.world import Start, load_world

Floats = npt.NDArray[np.float64]
Progress = Callable[[float, Observation], None]


@dataclass(frozen=True)
class FlightRequest:
    """What to fly: everything that decides the result, and nothing else (picklable)."""

    robot: str = "drone"  # one of bench.bodies
    world: str = "forest"
    seed: int = 0
    speed: float = 5.0  # m/s, commanded cruise
    pilot: str = "snn"
    learning: bool = True
    weights: str | None = None  # file to start from; None: initial weights
    reward_mode: str = "normal"  # normal | shuffled
    mind_seed: int | None = None  # None: the flight's seed
    time_limit_s: float | None = None  # stop here even without an outcome (a training budget)
    sim: Mapping[str, object] = field(default_factory=dict)  # overrides of DroneConfig
    mind: Mapping[str, object] = field(default_factory=dict)  # overrides of the pilot's configuration


ORIGIN = Start(0.0, 0.0, 0.0)


@dataclass(frozen=True)
class FlightLog:
    """One flight as arrays, a row per packet and one for the end; SI units, position in odom, velocity in base_link.

    The last row has no answer: the command is the one before, reward and reply_ms are NaN. `clearance` is the
    distance from the body to the nearest solid, the ground not counted (inf in a bare world).
    """

    request: FlightRequest
    outcome: str  # goal | collision | out_of_bounds | timeout | stopped
    reason: str
    t: Floats  # (N,) s
    position: Floats  # (N, 3) m
    velocity: Floats  # (N, 3) m/s
    command: Floats  # (N, 4) vx, vy, vz, yaw rate; of legs (N, joints) rad
    events: npt.NDArray[np.int64]  # (N,) per packet
    spikes: npt.NDArray[np.int64]  # (N,) per packet
    clearance: Floats  # (N,) m
    reward: Floats  # (N,)
    reply_ms: Floats  # (N,) wall time from packet to command
    wall_s: float
    weights_before: dict[str, np.ndarray]
    weights_after: dict[str, np.ndarray]
    diagnostics: dict[str, float]
    activity: Activity | None = None  # of the pilot's network during this flight
    digest: dict[str, str] = field(default_factory=dict)  # spikes, weights, commands
    score: dict[str, float] = field(default_factory=dict)  # the simulation's own figures, from the truth
    heading: Floats = field(default_factory=lambda: np.empty(0))  # (N,) rad, left of x
    gait: dict[str, Floats] = field(default_factory=dict)  # (N - 1,) each: how a walker stepped
    start: Start = ORIGIN

    @property
    def success(self) -> bool:
        """As the body defines it: a drone has reached the goal."""
        success = body_of(self.request.robot).success
        return success(self.outcome, self.advance_m, self.request.speed, self.duration_s)

    @property
    def advance_m(self) -> float:
        """Straight ahead from the start, in its heading."""
        return float(self.ahead[-1]) if len(self.position) else 0.0

    @property
    def ahead(self) -> Floats:
        """(N,) ways ahead of the start, m."""
        return self.start.ahead(self.position[:, 0], self.position[:, 1])

    @property
    def duration_s(self) -> float:
        """Simulated flight time."""
        return float(self.t[-1]) if len(self.t) else 0.0

    @property
    def distance_m(self) -> float:
        """Length of the flown path."""
        return float(np.linalg.norm(np.diff(self.position, axis=0), axis=1).sum())

    @property
    def min_clearance_m(self) -> float:
        """Smallest distance to a solid, NaN when there was none."""
        seen = self.clearance[np.isfinite(self.clearance)]
        return float(seen.min()) if len(seen) else math.nan


class _Trace:
    """Rows of a flight as they happen."""

    def __init__(self) -> None:
        self.rows: list[tuple[float, ...]] = []
        self.commands: list[tuple[float, ...]] = []
        self.gaits: list[dict[str, float]] = []
        self.counts: list[tuple[int, int]] = []
        self.digest = RunDigest()

    def add(self, seen: Observation, reply: Reply, measured: tuple[float, float, float]) -> None:
        """One packet and its answer; measured: clearance, reward, reply_ms."""
        state = (seen.t_ns * 1e-9, *seen.odom.position, *seen.odom.velocity, _heading(seen))
        self.rows.append((*state, *measured))
        self.commands.append(reply.command.values)
        self.counts.append((len(reply.events), len(reply.spikes)))
        self.digest.add_spikes(reply.spikes)
        self.digest.add_command(reply.command)

    def end(self, seen: Observation, clearance: float) -> None:
        """The state after the last step; nobody answers its packet."""
        self.commands.append(self.commands[-1] if self.commands else (0.0, 0.0, 0.0, 0.0))
        state = (seen.t_ns * 1e-9, *seen.odom.position, *seen.odom.velocity, _heading(seen))
        self.rows.append((*state, clearance, math.nan, math.nan))
        self.counts.append((0, 0))

    def columns(self) -> dict[str, Any]:
        rows = np.array(self.rows, dtype=np.float64).reshape(-1, 11)
        counts = np.array(self.counts, dtype=np.int64).reshape(-1, 2)
        return {
            "t": rows[:, 0],
            "position": rows[:, 1:4],
            "velocity": rows[:, 4:7],
            "command": np.array(self.commands, dtype=np.float64),
            "heading": rows[:, 7],
            "clearance": rows[:, 8],
            "reward": rows[:, 9],
            "reply_ms": rows[:, 10],
            "gait": {name: np.array([row[name] for row in self.gaits]) for name in self.gaits[0]} if self.gaits else {},
            "events": counts[:, 0],
            "spikes": counts[:, 1],
        }


def _heading(seen: Observation) -> float:
    x, y, z, w = seen.odom.orientation
    return math.atan2(2.0 * (w * z + x * y), 1.0 - 2.0 * (y * y + z * z))


def fly(
    request: FlightRequest,
    controller: Pilot | None = None,
    progress: Progress | None = None,
    recorder: Recorder | None = None,
) -> FlightLog:
    """Fly one episode to its outcome.

    `controller` replaces the pilot that the request names; its state carries on from where it is, so call its
    `new_flight()` between flights. `progress` is
    called about every 0.1 s of flight with the share of it that is over (0..1) and the observation.
    """
    started = time.perf_counter()
    world = load_world(request.world, request.seed)
    body = body_of(request.robot)
    simulation = body.simulation(world, from_dict(body.sim_config, request.sim), request.seed)
    pilot = make_pilot(request) if controller is None else controller
    counted = activity_of(pilot)
    try:
        trace, seen, before = _loop(simulation, pilot, _Watchers(progress, recorder), request.time_limit_s)
        score = getattr(simulation, "score", None)  # a drone's has none
    finally:
        simulation.close()
    activity = activity_of(pilot)
    if activity is not None and counted is not None:
        activity = activity.since(counted)
    after = pilot_weights(pilot)
    outcome, reason = (seen.outcome.kind, seen.outcome.reason) if seen.outcome else ("stopped", "stopped")
    return FlightLog(
        request=request,
        outcome=str(outcome),
        reason=str(reason),
        wall_s=time.perf_counter() - started,
        weights_before=before,
        weights_after=after,
        diagnostics=pilot_diagnostics(pilot),
        activity=activity,
        digest=trace.digest.result(after or None),
        start=world.start,
        score={} if score is None else {name: float(value) for name, value in score._asdict().items()},
        **trace.columns(),
    )


@dataclass
class _Watchers:
    """Who looks on while a flight happens."""

    progress: Progress | None
    recorder: Recorder | None
    last_report_ns: int = -(10**9)

    def report(self, share: float, seen: Observation) -> None:
        if self.progress is not None and seen.t_ns - self.last_report_ns >= 100_000_000:
            self.last_report_ns = seen.t_ns
            self.progress(share, seen)


def _loop(
    simulation: Any, pilot: Pilot, watchers: _Watchers, time_limit_s: float | None
) -> tuple[_Trace, Observation, dict[str, np.ndarray]]:
    """Packet, reply, packet, reply, until the outcome."""
    trace, recorder = _Trace(), watchers.recorder
    before = pilot_weights(pilot)
    seen = simulation.reset()
    limit_ns = None if time_limit_s is None else int(time_limit_s * 1e9)
    while seen.outcome is None and (limit_ns is None or seen.t_ns < limit_ns):
        if recorder is not None:
            recorder.observation(seen)
        asked = time.perf_counter()
        reply = pilot.receive(seen.packet, seen.imu, seen.legs)
        reply_ms = 1e3 * (time.perf_counter() - asked)
        if recorder is not None:
            recorder.reply(reply, seen.t_ns)
        reward = float(getattr(pilot, "reward", math.nan))
        if gait := getattr(pilot, "gait", None):
            trace.gaits.append(dict(gait))
        trace.add(seen, reply, (float(simulation.clearance_m), reward, reply_ms))
        watchers.report(simulation.share_done, seen)
        seen = simulation.step(reply.command)
    if recorder is not None and seen.outcome is not None:
        recorder.observation(seen)
    trace.end(seen, float(simulation.clearance_m))
    return trace, seen, before


def pilot_weights(pilot: Any) -> dict[str, np.ndarray]:  # noqa: ANN401 - a Pilot
    """A copy of the pilot's weights; a pilot without any has none."""
    read = getattr(pilot, "weights", None)
    return {name: np.array(values) for name, values in read().items()} if callable(read) else {}


def pilot_diagnostics(pilot: Any) -> dict[str, float]:  # noqa: ANN401 - a Pilot
    """The pilot's own figures; a pilot without any has none."""
    read = getattr(pilot, "diagnostics", None)
    return dict(read()) if callable(read) else {}
