"""Small worlds for the physics tests, built without files."""

from __future__ import annotations

from neuro_robot.sim.world import Bounds, Goal, Light, Start, Texture, World, WorldObject


def world_of(*objects: WorldObject, start: Start | None = None, goal: Goal | None = None, size: float = 100.0) -> World:
    """A world of these objects with the start at the origin, 2 m up, and a far goal."""
    return World(
        name="by_hand",
        seed=0,
        bounds=Bounds(-size, size, -size, size, 0.0, 50.0),
        start=start or Start(0.0, 0.0, 2.0),
        goal=goal or Goal(x=1000.0),
        light=Light(),
        ground=Texture(),
        zenith=1.0,
        objects=objects,
    )


def trunk(x: float, y: float, radius: float = 0.3, height: float = 6.0) -> WorldObject:
    """An upright cylinder that stands on the ground."""
    return WorldObject("cylinder", (x, y, height / 2), (radius, radius, height / 2))
