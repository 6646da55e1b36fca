"""Parameters of player_node."""

from __future__ import annotations

from dataclasses import dataclass

from neuro_robot.config import parameter
from neuro_robot.errors import ConfigError
from neuro_robot.events.files import Geometry
from neuro_robot.nodes.source import ENCODINGS, OutputParameters


@dataclass(frozen=True)
class PlayerParameters(OutputParameters):
    """Parameters of player_node."""

    encoding: str = parameter("", "encoding of the packets; empty: a bag's own packets as they are, evt3 for a file",
                              choices=("", *ENCODINGS))  # fmt: skip
    bag: str = parameter("", "recording to play: a bag or a file of any event format")
    format: str = parameter("", "format of the recording; empty: as its content shows")
    geometry: str = parameter("", "WIDTHxHEIGHT of the sensor, for files that do not say")
    mode: str = parameter("realtime", "realtime: at sensor time; lockstep: wait for each answer",
                          choices=("realtime", "lockstep"))  # fmt: skip
    rate: float = parameter(1.0, "realtime: sensor seconds per second", 0.001, 1000.0)
    position_s: float = parameter(0.0, "where to begin, s since the first event; setting it later seeks", 0.0, 1e9)
    loop: bool = parameter(False, "begin again at the end")
    clock: bool = parameter(False, "publish /clock in the time of the packets' stamps")
    stamps: str = parameter("recorded", "recorded: a bag's own, of a file sensor time; now: the time of sending",
                            choices=("recorded", "now"))  # fmt: skip
    listeners: int = parameter(1, "subscribers of events to wait for", 0, 100)
    answer_timeout_s: float = parameter(1.0, "lockstep: an answer that does not come in this time is passed over, s",
                                        0.01, 60.0)  # fmt: skip
    autostart: bool = parameter(False, "configure and activate without being told to")

    def told_geometry(self) -> Geometry | None:
        """`geometry` in numbers; None when the file is to say. Raises ConfigError."""
        width, _, height = self.geometry.partition("x")
        if self.geometry and not (width.isdecimal() and height.isdecimal()):
            raise ConfigError(f"geometry: expected WIDTHxHEIGHT such as 640x480, got {self.geometry!r}")
        return (int(width), int(height)) if self.geometry else None
