"""Parameters of the nodes that step a simulation, whatever the body."""

from __future__ import annotations

from dataclasses import dataclass

from neuro_robot.config import group, parameter
from neuro_robot.sim.simulation import DroneConfig
from neuro_robot.sim.walk_simulation import QuadrupedSimConfig


@dataclass(frozen=True)
class SteppingParameters:
    """What the simulation of any body is told."""

    mode: str = parameter("lockstep", "lockstep: each step waits for its command; realtime: runs against the clock",
                          choices=("lockstep", "realtime"))  # fmt: skip
    world: str = parameter("forest", "world to fly in: a name in sim_worlds or a YAML file")
    seed: int = parameter(0, "seed of the world and the sensors; each further episode takes the next", 0, 2**31 - 1)
    episodes: int = parameter(1, "flights before the node exits", 1, 1_000_000)
    listeners: int = parameter(1, "subscribers of events to wait for before the first packet", 0, 100)
    answer_timeout_s: float = parameter(1.0, "lockstep: a packet unanswered so long (wall time) is sent again, s",
                                        0.01, 60.0)  # fmt: skip
    answer_retries: int = parameter(29, "lockstep: packets sent again before the flight is given up", 0, 1000)


@dataclass(frozen=True)
class SimParameters(SteppingParameters):
    """Parameters of sim_node."""

    drone: DroneConfig = group(DroneConfig)


@dataclass(frozen=True)
class LegSimParameters(SteppingParameters):
    """Parameters of leg_sim_node."""

    world: str = parameter("walk_flat", "world to walk in: a name in sim_worlds or a YAML file")
    quadruped: QuadrupedSimConfig = group(QuadrupedSimConfig)
