"""Parameters of the nodes that answer packets, whatever the body."""

from __future__ import annotations

from dataclasses import dataclass

from neuro_robot.agents.drone import DroneMindConfig
from neuro_robot.agents.walker_config import WalkerMindConfig
from neuro_robot.config import group, parameter


@dataclass(frozen=True)
class AnsweringParameters:
    """What the controller of any body is told."""

    mode: str = parameter("lockstep", "lockstep: each packet waits for its IMU sample; realtime: no longer than for "
                          "the next packet", choices=("lockstep", "realtime"))  # fmt: skip
    seed: int = parameter(0, "seed of the network", 0, 2**31 - 1)
    use_imu: bool = parameter(True, "use imu/data; without it the camera is taken to be level")
    weights_file: str = parameter("", "file that ~/load_weights reads and ~/save_weights writes; read at configure")
    follow_bag: str = parameter("", "bag of a run: go by what that was told from outside (velocities, gaits, learning, "
                                "faults, weights), packet by packet, and by nobody else")  # fmt: skip


@dataclass(frozen=True)
class ControllerParameters(AnsweringParameters):
    """Parameters of controller_node."""

    mind: DroneMindConfig = group(DroneMindConfig)


@dataclass(frozen=True)
class LegControllerParameters(AnsweringParameters):
    """Parameters of leg_controller_node."""

    mind: WalkerMindConfig = group(WalkerMindConfig)
