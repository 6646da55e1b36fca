"""One finished flight as plots and pictures need it, whether it was flown in process or over DDS."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from neuro_robot.applied import Applied
from neuro_robot.bags.applied import applied_in, flights_of
from neuro_robot.bags.legs import JointSample
from neuro_robot.bags.messages import joint_sample_from, odometry_from, packet_from
from neuro_robot.bags.reader import BagReader
from neuro_robot.bags.replay import command_of
from neuro_robot.bags.topics import COMMAND, EVENTS, FOOT_CONTACTS, JOINT_STATES, ODOM, SPIKES
from neuro_robot.errors import BagError, SampleError
from neuro_robot.events.array import empty_events
from neuro_robot.events.packet import EventPacket, StreamDecoder
from neuro_robot.robot import Command, Odometry
from neuro_robot.sim.clearance import Clearance
from neuro_robot.sim.world import World

Floats = npt.NDArray[np.float64]
Events = npt.NDArray[np.void]


@dataclass(frozen=True)
class RunData:
    """Times in s of simulation time, positions in odom (m), velocities in base_link (m/s), events as EVENT_DTYPE."""

    world: World
    summary: dict[str, Any]
    width: int  # sensor, pixels
    height: int
    events: Events
    spikes: Events
    odom_t: Floats  # (N,)
    position: Floats  # (N, 3)
    orientation: Floats  # (N, 4) x, y, z, w
    velocity: Floats  # (N, 3)
    command_t: Floats  # (M,)
    command: Floats  # (M, 4) vx, vy, vz, yaw rate; of legs (M, joints) rad
    reward_t: Floats  # (R,) empty: not recorded
    reward: Floats  # (R,)
    weights_before: dict[str, np.ndarray] = field(default_factory=dict)
    weights_after: dict[str, np.ndarray] = field(default_factory=dict)
    touches: Events = field(default_factory=empty_events)  # x = foot, p = 1 down, 0 up
    joint_t: Floats = field(default_factory=lambda: np.empty(0))  # (J,)
    joints: Floats = field(default_factory=lambda: np.empty((0, 3, 0)))  # (J, 3, joints) rad, rad/s, N m

    gait: dict[str, Floats] = field(default_factory=dict)  # how a walker stepped, by reward_t
    applied: list[Applied] = field(default_factory=list)  # what it was told from outside, over DDS

    @property
    def advance_m(self) -> float:
        """Straight ahead from the start, in its heading."""
        ahead = self.world.start.ahead(self.position[:, 0], self.position[:, 1])
        return float(ahead[-1]) if len(ahead) else 0.0

    @property
    def duration_s(self) -> float:
        """Time of the last pose."""
        return float(self.odom_t[-1]) if len(self.odom_t) else 0.0

    def clearance(self, radius_m: float, every: int = 1) -> tuple[Floats, Floats]:
        """Time and distance (m) from a body sphere of radius_m to the nearest solid, for every `every`-th pose.

        The ground does not count; inf in a bare world.
        """
        solids = Clearance(self.world)
        t = self.odom_t[::every]
        points = np.ascontiguousarray(self.position[::every])
        distance = [solids.nearest(point, float(at))[1] for point, at in zip(points, t, strict=True)]
        return t, np.array(distance, dtype=np.float64) - radius_m


def load_run(bag: Path, world: World, flight: int = -1) -> RunData:
    """One flight of a run's bag (-1: the last one), without summary, reward and weights, which a bag does not hold.

    Raises BagError when the bag is none of a run, has no such flight or holds no pose.
    """
    with BagReader(bag) as reader:
        if not reader.is_run:
            raise BagError(f"{bag}: expected the bag of a run (with events and commands), found a recording")
        begin_ns, end_ns = _flight_span(reader, flight)
        told = reader.command_topic or COMMAND.name
        makers: dict[str, tuple[str, Callable[[Any], Any]]] = {
            EVENTS.name: ("events", packet_from),
            SPIKES.name: ("spikes", packet_from),
            FOOT_CONTACTS.name: ("touches", packet_from),
            ODOM.name: ("odom", odometry_from),
            JOINT_STATES.name: ("joints", joint_sample_from),
            told: ("commands", lambda message: command_of(told, message)),
        }
        rows: dict[str, list[Any]] = {name: [] for name, _ in makers.values()}
        for message in reader.messages(*makers):
            if begin_ns <= message.bag_ns < end_ns:
                name, maker = makers[message.topic]
                with suppress(SampleError):  # of joints: left out, as the robot did
                    rows[name].append(maker(message.value()))
        told_in = flights_of(applied_in(reader))
    run = _assembled(world, rows)
    return replace(run, applied=told_in[flight]) if -len(told_in) <= flight < len(told_in) else run


def _flight_span(reader: BagReader, flight: int) -> tuple[int, int]:
    """First bag time of a flight and of the one after it; a flight begins where the odometry's time starts over."""
    starts: list[int] = []
    last_ns = -1
    for message in reader.messages("odom"):
        t_ns = odometry_from(message.value()).t_ns
        if not starts or t_ns < last_ns:
            starts.append(message.bag_ns)
        last_ns = t_ns
    if not -len(starts) <= flight < len(starts):
        raise BagError(f"{reader.path}: expected a flight with odometry, number {flight}; it has {len(starts)}")
    ends = [*starts[1:], 2**63 - 1]
    return (starts[flight] if flight % len(starts) else -(2**63)), ends[flight]


def _assembled(world: World, rows: dict[str, list[Any]]) -> RunData:
    odom: list[Odometry] = rows["odom"]
    commands: list[Command] = rows["commands"]
    samples: list[JointSample] = rows["joints"]
    first = rows["events"][0] if rows["events"] else None
    nothing = np.empty(0, np.float64)
    return RunData(
        world=world,
        summary={},
        width=first.width if first else 1,
        height=first.height if first else 1,
        events=_decoded(rows["events"]),
        spikes=_decoded(rows["spikes"]),
        odom_t=np.array([row.t_ns for row in odom]) * 1e-9,
        position=np.array([row.position for row in odom]).reshape(-1, 3),
        orientation=np.array([row.orientation for row in odom]).reshape(-1, 4),
        velocity=np.array([row.velocity for row in odom]).reshape(-1, 3),
        command_t=np.array([row.t_ns for row in commands]) * 1e-9,
        command=np.array([row.values for row in commands]) if commands else np.empty((0, 4)),
        reward_t=nothing,
        reward=nothing,
        touches=_decoded(rows["touches"]),
        joint_t=np.array([row.t_ns for row in samples]) * 1e-9,
        joints=np.array([row[2:] for row in samples]) if samples else np.empty((0, 3, 0)),
    )


def _decoded(packets: list[EventPacket]) -> Events:
    decoder = StreamDecoder()
    parts = [decoder.decode(packet).events for packet in packets]
    return np.concatenate(parts) if parts else empty_events()


def rate(t_ns: npt.NDArray[np.int64], duration_s: float, bin_s: float) -> tuple[Floats, Floats]:
    """Events per second in bins of bin_s: bin centres (s) and rates (1/s)."""
    bins = max(1, int(np.ceil(duration_s / bin_s)))
    counts = np.bincount(np.clip(t_ns // round(bin_s * 1e9), 0, bins - 1).astype(np.int64), minlength=bins)
    centres = (np.arange(bins, dtype=np.float64) + 0.5) * bin_s
    return np.asarray(centres, dtype=np.float64), np.asarray(counts / bin_s, dtype=np.float64)
