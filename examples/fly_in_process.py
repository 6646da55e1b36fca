"""Fly a drone without ROS: the simulator and the spiking controller in one process.

    python examples/fly_in_process.py [world] [seed]

The network starts from random weights here, so it may well hit something; the outcome says what.
"""

# ruff: noqa: T201 - an example prints

from __future__ import annotations

import argparse

from neuro_robot.agents.controller import Controller
from neuro_robot.agents.drone import DroneMindConfig
from neuro_robot.sim.simulation import DroneSimulation
from neuro_robot.sim.world import load_world


def main(arguments: list[str] | None = None) -> str:
    """Fly one episode, print how it ended and return the kind of outcome."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("world", nargs="?", default="forest", help="a name in sim_worlds or a YAML file")
    parser.add_argument("seed", nargs="?", type=int, default=0)
    chosen = parser.parse_args(arguments)
    simulation = DroneSimulation(load_world(chosen.world, chosen.seed), seed=chosen.seed)
    controller = Controller(DroneMindConfig(speed=5.0), chosen.seed)
    events = spikes = 0
    seen = simulation.reset()
    while seen.outcome is None:
        reply = controller.receive(seen.packet, seen.imu)
        events, spikes = events + len(reply.events), spikes + len(reply.spikes)
        seen = simulation.step(reply.command)
    simulation.close()
    print(f"{seen.outcome.kind} after {seen.t_ns * 1e-9:.2f} s: {seen.outcome.reason}")
    print(f"{events} events in, {spikes} spikes out, smallest clearance {simulation.min_clearance_m:.2f} m")
    return seen.outcome.kind


if __name__ == "__main__":
    main()
