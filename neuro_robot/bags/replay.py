"""A recorded run's events through a fresh controller: the same spikes, weights and commands, bit for bit?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from neuro_robot.applied import Applied
from neuro_robot.bags.applied import applied_in
from neuro_robot.bags.digest import RunDigest
from neuro_robot.bags.messages import command_from, trajectory_from
from neuro_robot.bags.pairing import packets_with_senses
from neuro_robot.bags.reader import BagReader
from neuro_robot.bags.topics import COMMAND, SPIKES
from neuro_robot.events.packet import EventPacket, StreamDecoder
from neuro_robot.robot import Command, Imu, LegSense


class Replayable(Protocol):
    """What replay needs of a controller."""

    def receive(self, packet: EventPacket, imu: Imu | None, legs: LegSense | None = None, /) -> Any:  # noqa: ANN401 - agents.controller.Reply
        """Answer one packet."""

    def follow(self, recorded: list[Applied], beside: Path) -> None:
        """Go by what a recording says was applied."""

    def new_flight(self) -> None:
        """A new stream."""

    def weights(self) -> dict[str, NDArray[Any]]:
        """Plastic weights."""


@dataclass(frozen=True)
class Replayed:
    """What came out."""

    packets: int
    events: int
    on_events: int
    spikes: int
    commands: int
    lost_packets: int
    digest: dict[str, str]


def replay(
    reader: BagReader, controller: Replayable, use_imu: bool = True, progress: Callable[[int], None] | None = None
) -> Replayed:
    """Play every packet of the bag, in order, with its IMU sample; PacketError is the caller's.

    The controller is told what the recorded one was told from outside, from the same packets on.
    """
    controller.follow(applied_in(reader), reader.path.parent)
    digest = RunDigest()
    packets = events = on_events = lost = 0
    last_seq: int | None = None
    for packet, samples, legs in packets_with_senses(reader):
        if last_seq is not None and packet.seq < last_seq:
            controller.new_flight()
        elif last_seq is not None:
            lost += packet.seq - last_seq - 1
        last_seq = packet.seq
        reply = controller.receive(packet, samples[-1] if use_imu and samples else None, legs)
        digest.add_spikes(reply.spikes)
        digest.add_command(reply.command)
        packets += 1
        events += len(reply.events)
        on_events += int(np.count_nonzero(reply.events["p"]))
        if progress is not None:
            progress(packets)
    return Replayed(
        packets, events, on_events, digest.n_spikes, digest.n_commands, lost, digest.result(controller.weights())
    )


def recorded_digest(reader: BagReader) -> RunDigest:
    """The digest of what the bag itself holds: the messages as they went over DDS."""
    digest = RunDigest()
    for spikes in recorded_spikes(reader):
        digest.add_spikes(spikes)
    for command in recorded_commands(reader):
        digest.add_command(command)
    return digest


def recorded_spikes(reader: BagReader) -> Iterator[NDArray[np.void]]:
    """The spikes of the bag, packet by packet."""
    if SPIKES.name not in reader.counts or reader.counts[SPIKES.name] == 0:
        return
    decoder = StreamDecoder()
    for _, packet in reader.packets(SPIKES.name):
        yield decoder.decode(packet).events


def recorded_commands(reader: BagReader) -> Iterator[Command]:
    """The commands of the bag."""
    topic = reader.command_topic or COMMAND.name
    for message in reader.messages(topic):
        yield command_of(topic, message.value())


def command_of(topic: str, message: Any) -> Command:  # noqa: ANN401
    """The plain command of a message of that topic."""
    return command_from(message) if topic == COMMAND.name else trajectory_from(message)
