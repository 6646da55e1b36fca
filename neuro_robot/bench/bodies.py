"""The bodies that can be flown or walked: what each is simulated by, and what counts as success.

A body's simulation and mind are imported when it is asked for, so that a drone needs nothing of a quadruped.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from neuro_robot.errors import ConfigError

LENGTHS_AGREE = 0.05  # of a leg: so far body and mind may be apart
WALKED_SHARE = 0.8  # of the commanded distance, upright, counts as success where no goal is set


@dataclass(frozen=True)
class Body:
    """One kind of robot."""

    name: str
    sim_config: type  # the simulation's parameters
    mind_config: type  # the spiking mind's parameters
    simulation: Callable[..., Any]  # (world, configuration, seed)
    controller: Callable[..., Any]  # (mind's configuration, seed)
    radius_m: Callable[[Any], float]  # of the sphere whose clearance is told, from the simulation's parameters
    joints: tuple[str, ...]  # names, in the order of `joint_states`
    success: Callable[[str, float, float, float], bool]  # (outcome, way ahead m, speed m/s, duration s)
    fits: Callable[[Any, Any], None]  # (simulation's, mind's parameters); ConfigError when they contradict


def drone() -> Body:
    """The obstacle-avoiding drone: success is the goal."""
    from neuro_robot.agents.controller import Controller
    from neuro_robot.agents.drone import DroneMindConfig
    from neuro_robot.sim.simulation import DroneConfig, DroneSimulation

    return Body(
        name="drone",
        sim_config=DroneConfig,
        mind_config=DroneMindConfig,
        simulation=DroneSimulation,
        controller=Controller,
        radius_m=lambda sim: float(sim.body.collision_radius),
        joints=(),
        success=lambda outcome, *_: outcome == "goal",
        fits=lambda *_: None,
    )


def quadruped() -> Body:
    """The walking robot: success is the goal, or upright at the end with most of the commanded way behind it."""
    from neuro_robot.agents.leg_controller import LegController
    from neuro_robot.agents.walker_config import WalkerMindConfig
    from neuro_robot.sim.quadruped import JOINT_NAMES
    from neuro_robot.sim.walk_simulation import QuadrupedSimConfig, QuadrupedSimulation

    return Body(
        name="quadruped",
        sim_config=QuadrupedSimConfig,
        mind_config=WalkerMindConfig,
        simulation=QuadrupedSimulation,
        controller=LegController,
        radius_m=lambda sim: float(sim.body.trunk_radius),
        joints=JOINT_NAMES,
        success=walked,
        fits=legs_fit,
    )


def walked(outcome: str, advance_m: float, speed: float, duration_s: float) -> bool:
    """Arrived, or upright until the end and at least WALKED_SHARE of speed times time ahead of the start."""
    if outcome != "timeout":
        return outcome == "goal"
    return advance_m >= WALKED_SHARE * speed * duration_s


def legs_fit(sim: Any, mind: Any) -> None:  # noqa: ANN401 - QuadrupedSimConfig, WalkerMindConfig
    """Raise ConfigError when the mind's legs are longer or shorter than the body's; neither sees into the other."""
    body, legs = sim.body, mind.kinematics
    for mine, length, other, its_length in (
        ("hip", legs.hip, "hip_length", body.hip_length),
        ("thigh", legs.thigh, "thigh_length", body.thigh_length),
        ("calf", legs.calf, "shank_length", body.shank_length),
        ("length", legs.length, "hip_x and rear_x", 2.0 * body.hip_x - body.rear_x),
        ("width", legs.width, "hip_y", 2.0 * body.hip_y),
    ):
        if abs(length - its_length) > LENGTHS_AGREE * (body.thigh_length + body.shank_length):
            raise ConfigError(f"mind.kinematics.{mine}: expected {its_length:g} m, as the body's {other} say, got "
                              f"{length:g} m; correct one of the two")  # fmt: skip


BODIES: dict[str, Callable[[], Body]] = {"drone": drone, "quadruped": quadruped}


def body_of(name: str) -> Body:
    """The body of that name; raises ConfigError for an unknown one."""
    if name not in BODIES:
        raise ConfigError(f"robot: expected one of {', '.join(BODIES)}, got {name!r}")
    return BODIES[name]()
