"""What happens to a walking robot on its way: pushes, shifts, and ground of another friction."""

from __future__ import annotations

from collections.abc import Sequence

from neuro_robot.errors import SimulationError
from neuro_robot.sim.legged_bullet import LeggedBody
from neuro_robot.sim.quadruped import JOINT_NAMES, Floats
from neuro_robot.sim.terrain import FrictionPatch, Shift
from neuro_robot.sim.world import World


class Disturbances:
    """The pushes, shifts and friction patches of a world, applied to one robot from t = 0 on.

    Raises SimulationError when a shift names a joint that the robot does not have.
    """

    def __init__(self, world: World, friction: float, urdf_names: Sequence[str]) -> None:
        terrain = world.terrain
        self._shifts = sorted(terrain.shifts, key=lambda shift: shift.at_s)
        self._pushes = terrain.pushes
        self._patches = terrain.frictions
        self._friction = friction  # where there is no patch
        self._felt = [friction] * 4  # at each foot now
        self._joints = {name: joint for names in (JOINT_NAMES, urdf_names) for joint, name in enumerate(names)}
        for shift in self._shifts:
            if shift.actuator is not None and shift.actuator not in self._joints:
                raise SimulationError(
                    f"world {world.name}: expected a shift of one of the joints {', '.join(JOINT_NAMES)}, "
                    f"got {shift.actuator}"
                )

    def apply(self, physics: LeggedBody, feet: Floats, strength: Floats, t_ns: int) -> None:
        """What holds in the millisecond that begins at t_ns; feet (4, 3) m; strength (12,) is changed in place."""
        while self._shifts and _ns(self._shifts[0].at_s) <= t_ns:
            self._shift(self._shifts.pop(0), physics, strength)
        for push in self._pushes:
            begins_ns, lasts_ms = _ns(push.at_s), round(1e3 * push.duration_s)  # it acts in whole milliseconds
            if begins_ns <= t_ns < begins_ns + 1_000_000 * lasts_ms:
                x, y, z = (1e3 * impulse / lasts_ms for impulse in push.impulse)
                physics.push((x, y, z))
        if self._patches or self._felt[0] != self._friction:
            for foot, (x, y, _) in enumerate(feet.tolist()):
                friction = friction_at(self._patches, x, y, self._friction)
                if friction != self._felt[foot]:
                    self._felt[foot] = friction
                    physics.set_friction(foot, friction)

    def _shift(self, shift: Shift, physics: LeggedBody, strength: Floats) -> None:
        if shift.friction is not None:
            self._friction = shift.friction
        if shift.payload_kg is not None:
            physics.load(shift.payload_kg)
        if shift.actuator is not None:
            strength[self._joints[shift.actuator]] *= shift.torque


def _ns(seconds: float) -> int:
    return round(seconds * 1e9)


def friction_at(patches: Sequence[FrictionPatch], x: float, y: float, otherwise: float) -> float:
    """Friction at a place, m: that of the last patch that holds it."""
    for patch in reversed(patches):
        if patch.x[0] <= x <= patch.x[1] and patch.y[0] <= y <= patch.y[1]:
            return patch.friction
    return otherwise
