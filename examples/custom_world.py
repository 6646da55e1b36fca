"""Write a world of one's own, check it, and fly straight through it.

    python examples/custom_world.py [my_world.yaml]

The same file works as `neuro_robot fly --world my_world.yaml`; docs/worlds.md has every key.
"""

# ruff: noqa: T201 - an example prints

from __future__ import annotations

import sys
from pathlib import Path

from neuro_robot.bench.flight import FlightRequest, fly

WORLD = """\
name: gate
bounds: {x: [-3, 14], y: [-5, 5], z: [0, 4]}
start: {position: [-1, 0, 1.5]}
goal: {x: 10}
objects:
  - {kind: cylinder, position: [6, 1.2, 2], radius: 0.3, height: 4, texture: {pattern: stripes, brightness: 0.3}}
  - {kind: cylinder, position: [6, -1.2, 2], radius: 0.3, height: 4, texture: {pattern: stripes, brightness: 0.3}}
"""


def main(arguments: list[str] | None = None) -> str:
    """Write the world file, fly it blind, print how that ended and return the kind of outcome."""
    given = sys.argv[1:] if arguments is None else arguments
    path = Path(given[0] if given else "gate.yaml")
    path.write_text(WORLD)
    log = fly(FlightRequest(world=str(path), pilot="blind", speed=4.0))
    print(f"{path}: {log.outcome}, {log.reason}")
    print(f"{log.distance_m:.1f} m in {log.duration_s:.2f} s, smallest clearance {log.min_clearance_m:.2f} m")
    return log.outcome


if __name__ == "__main__":
    main()
