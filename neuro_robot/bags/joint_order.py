"""Joint samples by name: a driver lists its joints in an order of its own, often the alphabet's, and others beside."""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import chain

from neuro_robot.bags.legs import JointSample
from neuro_robot.errors import SampleError
from neuro_robot.sim.quadruped import JOINT_NAMES

N = len(JOINT_NAMES)


def in_order(sample: JointSample) -> JointSample:
    """The sample with its joints in the order of JOINT_NAMES; others are left out, whatever they say.

    Twelve joints without names, or by the names of another body, are taken in the order in which they come, and such
    names are kept. Velocities or efforts that the twelve do not report, missing or all NaN as ros2_control has it, are
    0. Raises SampleError for what cannot be told apart: names that come twice, some of ours in other places while
    others are missing, any other number of joints, numbers of names and values that differ, and values of the twelve
    that are not finite otherwise.
    """
    t_ns, names, *parts = sample
    counts = {len(sample.position)} | {len(part) for part in parts if part}
    if len(counts) > 1 or (names and counts != {len(names)}):
        raise SampleError(f"joint_states: expected as many positions, velocities and efforts as names, or none, got "
                          f"{len(names)} names and {', '.join(str(len(part)) for part in parts)} values")  # fmt: skip
    ours = names
    if names != JOINT_NAMES and (names or len(sample.position) != N):
        places = _places(names)
        if places is not None:
            ours, parts = JOINT_NAMES, [tuple(part[place] for place in places) if part else () for part in parts]
    position, velocity, effort = parts
    told = JointSample(t_ns, ours or JOINT_NAMES, position, _reported(velocity), _reported(effort))
    if not all(map(math.isfinite, chain(told.position, told.velocity, told.effort))):
        raise SampleError(f"joint_states: expected finite positions, velocities and efforts, got {_odd(told)}")
    return told


def _reported(values: tuple[float, ...]) -> tuple[float, ...]:
    return (0.0,) * N if all(map(math.isnan, values)) else values


@lru_cache(maxsize=8)
def _places(names: tuple[str, ...]) -> tuple[int, ...] | None:
    """Where each of our joints stands among these; None: they are as many, and another body's."""
    found = {name: place for place, name in enumerate(names)}
    if len(found) < len(names):
        raise SampleError(f"joint_states: expected every name once, got {_some(names)}")
    if all(name in found for name in JOINT_NAMES):
        return tuple(found[name] for name in JOINT_NAMES)
    if len(names) != N:
        raise SampleError(f"joint_states: expected {N} joints or {', '.join(JOINT_NAMES)} among them, got "
                          f"{len(names)}: {_some(names)}")  # fmt: skip
    if any(found.get(name, place) != place for place, name in enumerate(JOINT_NAMES)):
        raise SampleError(f"joint_states: expected {', '.join(JOINT_NAMES)} in any order, got {_some(names)}")
    return None


def _odd(sample: JointSample) -> str:
    """The first value that is not finite, and whose it is."""
    for part in ("position", "velocity", "effort"):
        for place, value in enumerate(getattr(sample, part)):
            if not math.isfinite(value):
                return f"{part} {value} of {sample.names[place]}"
    return "none"


def _some(names: tuple[str, ...]) -> str:
    """The names; of many the first ones."""
    return ", ".join(names[: 2 * N]) + (", ..." if len(names) > 2 * N else "") or "none"
