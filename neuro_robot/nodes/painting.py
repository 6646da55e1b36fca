"""From packets to pictures: what the renderer keeps of a stream between two pictures."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from neuro_robot.errors import NeuroRobotError
from neuro_robot.events.array import Events, empty_events
from neuro_robot.events.filters import Chain
from neuro_robot.events.filters_text import parse_filters
from neuro_robot.events.frames import count_map, event_image, rate_image, surface_image
from neuro_robot.events.packet import EventPacket, StreamDecoder
from neuro_robot.events.surfaces import TimeSurface

PICTURES = ("events", "surface", "counts")
MOST_EVENTS = 4_000_000  # kept for one picture; of more the oldest go
SURFACE_MS = 30.0  # time constant of a surface without a window


@dataclass
class Painter:
    """Takes packets, gives pictures. `window_ms` 0: what came since the last picture."""

    picture: str = "events"
    window_ms: float = 0.0
    filters: tuple[str, ...] = ()
    packets: int = 0
    events: int = 0
    refused: int = 0
    fault: str = ""  # of the last packet, empty when it was taken
    stamp_ns: int = 0
    frame_id: str = ""
    _kept: list[Events] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._decoder = StreamDecoder()
        self._chain: Chain | None = None
        self._geometry = (0, 0)
        self._t_ns = 0
        self._fresh = self._lit = False

    @property
    def lost_packets(self) -> int:
        """By gaps of the sequence number."""
        return self._decoder.stats.lost_packets

    def take(self, packet: EventPacket) -> None:
        """The next packet; one that cannot be used is counted, and `fault` says why."""
        self.packets += 1
        try:
            events = self._decoded(packet)
        except NeuroRobotError as error:
            self.refused += 1
            self.fault = str(error)
            return
        self.fault = ""
        self.stamp_ns, self.frame_id = packet.stamp_ns, packet.frame_id
        self._fresh = True
        if not len(events):
            return
        self.events += len(events)
        if self._surface is not None:
            self._surface.add(events)
        else:
            self._keep(events)

    def image(self) -> npt.NDArray[np.uint8] | None:
        """(height, width, 3) uint8 RGB; None when there is nothing new: a still picture is shown empty once."""
        if self._chain is None or not (self._fresh or self._lit):
            return None
        self._lit, self._fresh = self._fresh, False
        width, height = self._chain.width, self._chain.height
        if self._surface is not None:
            return surface_image(self._surface.values(self._t_ns, self.window_ms or SURFACE_MS))
        events = np.concatenate(self._kept) if self._kept and self._lit else empty_events()
        if self.window_ms:
            events = events[events["t"] > self._t_ns - round(self.window_ms * 1e6)]
        self._kept = [events] if self.window_ms and len(events) else []
        if self.picture == "events":
            return event_image(events, width, height)
        counts = count_map(events, width, height).sum(axis=2).astype(np.float64)
        return rate_image(counts, 1.0, max(float(counts.max()), 10.0))

    def _decoded(self, packet: EventPacket) -> Events:
        if self._chain is None or self._geometry != (packet.width, packet.height):
            self._begin(packet)
        try:
            decoded = self._decoder.decode(packet)
        except NeuroRobotError:
            # Another encoding than before is another camera; what no decoder takes is refused by a new one too.
            decoder = StreamDecoder()
            decoded = decoder.decode(packet)
            self._decoder = decoder
        if decoded.t_end_ns < self._t_ns - 1_000_000_000:
            self._begin(packet)
        self._t_ns = decoded.t_end_ns
        assert self._chain is not None
        return self._chain.apply(decoded.events)

    def _begin(self, packet: EventPacket) -> None:
        """A new stream: nothing of the old one is shown."""
        self._chain = None
        if (packet.width, packet.height) != self._geometry:
            StreamDecoder().decode(packet)  # an impossible geometry is refused before memory is taken for it
        self._geometry = (packet.width, packet.height)
        self._chain = parse_filters(self.filters, packet.width, packet.height)
        surface = self.picture == "surface"
        self._surface = TimeSurface(self._chain.width, self._chain.height) if surface else None
        self._kept.clear()

    def _keep(self, events: Events) -> None:
        self._kept.append(events)
        if len(self._kept) > 1 and sum(map(len, self._kept)) > MOST_EVENTS:
            del self._kept[0]
