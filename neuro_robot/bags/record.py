"""A flight in process written to the same bag that the recorder node writes over DDS."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from neuro_robot.bags.digest import RunDigest
from neuro_robot.bags.legs import JointSample, contacts_packet
from neuro_robot.bags.messages import (
    clock_to_cdr,
    command_to_cdr,
    imu_to_cdr,
    joint_states_to_cdr,
    odometry_to_cdr,
    packet_to_cdr,
    trajectory_to_cdr,
)
from neuro_robot.bags.topics import (
    CLOCK,
    COMMAND,
    EVENTS,
    FOOT_CONTACTS,
    IMU,
    JOINT_STATES,
    JOINT_TRAJECTORY,
    LEG_TOPICS,
    ODOM,
    SPIKES,
    TOPICS,
)
from neuro_robot.bags.writer import RunBag
from neuro_robot.events.packet import EventPacket, pack
from neuro_robot.robot import Command, Imu, JointCommand, LegSense, Odometry


class Seen(Protocol):
    """What the simulation reports after a step."""

    t_ns: int
    packet: EventPacket
    imu: Imu
    odom: Odometry
    outcome: Any
    legs: LegSense | None


class Answer(Protocol):
    """What the controller answers."""

    @property
    def command(self) -> Command:
        """What the robot shall do."""

    @property
    def spikes(self) -> NDArray[np.void]:
        """EVENT_DTYPE, x = neuron, y = layer."""


class SpikePacker:
    """Spikes as event packets: encoding `mono`, x = neuron, y = layer."""

    def __init__(self) -> None:
        self._seq = 0

    def pack(self, spikes: NDArray[np.void], t_end_ns: int, shape: tuple[int, int]) -> EventPacket:
        """The next packet; shape is (neurons of the largest layer, layers)."""
        width, height = shape
        t_end_ns = max(t_end_ns, int(spikes["t"][-1]) if len(spikes) else 0)
        packet = pack(
            spikes, "mono", width=width, height=height, seq=self._seq, stamp_ns=t_end_ns, t_end_ns=t_end_ns,
            frame_id="network",
        )  # fmt: skip
        self._seq += 1
        return packet


class FlightRecorder:
    """Writes observations and replies to a RunBag and keeps their digest."""

    def __init__(self, path: str | Path | None, shape: tuple[int, int], joints: tuple[str, ...] = ()) -> None:
        topics = (*TOPICS, *LEG_TOPICS) if joints else TOPICS
        self.bag = None if path is None else RunBag(path, topics)
        self._joints = joints
        self._contacts = 0
        self.digest = RunDigest()
        self._spikes = SpikePacker()
        self._shape = shape

    def observation(self, seen: Seen) -> None:
        """The simulation took a step. The last packet of a flight is nobody's input, so it is not written."""
        if self.bag is None:
            return
        self.bag.write(CLOCK.name, seen.t_ns, clock_to_cdr(seen.t_ns))
        self.bag.write(ODOM.name, seen.odom.t_ns, odometry_to_cdr(seen.odom))
        if seen.outcome is None:
            self.bag.write(IMU.name, seen.imu.t_ns, imu_to_cdr(seen.imu))
            if seen.legs is not None:
                self._legs(self.bag, seen.legs)
            self.bag.write(EVENTS.name, seen.packet.stamp_ns, packet_to_cdr(seen.packet))

    def reply(self, reply: Answer, t_ns: int) -> None:  # noqa: ARG002 - bench.flight's Recorder
        """The controller answered at simulation time t_ns."""
        self.digest.add_spikes(reply.spikes)
        self.digest.add_command(reply.command)
        if self.bag is not None:
            packet = self._spikes.pack(reply.spikes, reply.command.t_ns, self._shape)
            self.bag.write(SPIKES.name, packet.stamp_ns, packet_to_cdr(packet))
            self._command(self.bag, reply.command)

    def _command(self, bag: RunBag, command: Command) -> None:
        if isinstance(command, JointCommand):
            bag.write(JOINT_TRAJECTORY.name, command.t_ns, trajectory_to_cdr(command, self._joints))
        else:
            bag.write(COMMAND.name, command.t_ns, command_to_cdr(command))

    def _legs(self, bag: RunBag, legs: LegSense) -> None:
        sample = JointSample(legs.t_ns, self._joints, legs.position, legs.velocity, legs.effort)
        bag.write(JOINT_STATES.name, legs.t_ns, joint_states_to_cdr(sample))
        bag.write(FOOT_CONTACTS.name, legs.t_ns, packet_to_cdr(contacts_packet(legs, self._contacts)))
        self._contacts += 1

    def close(self) -> None:
        """Close the bag; it is readable from then on."""
        if self.bag is not None:
            self.bag.close()

    def __enter__(self) -> FlightRecorder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def network_shape(controller: Any) -> tuple[int, int]:  # noqa: ANN401 - agents.controller.Controller
    """(neurons of the largest layer, layers) of a controller's network; (1, 1) for one without a network."""
    network = getattr(getattr(controller, "mind", None), "network", None)
    slices = [] if network is None else list(network.layer_slices.values())
    return max((part.stop - part.start for part in slices), default=1), max(len(slices), 1)
