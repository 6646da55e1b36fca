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
    """The sample with its joints in the order of JOINT_NAMES; others are left out.

    Twelve joints without names, or by the names of another body, are taken in the order in which they come, and such
    names are kept. Raises SampleError for what cannot be told apart: names that come twice, some of ours in other
    places while others are missing, any other number of joints, numbers of names and values that differ, and
    values that are not finite.
    """
    t_ns, names, *parts = sample
    if not all(map(math.isfinite, chain(*parts))):
        raise SampleError(f"joint_states: expected finite positions, velocities and efforts, got {_odd(sample)}")
    counts = {len(part) for part in parts}
    if len(counts) > 1 or (names and counts != {len(names)}):
        raise SampleError(f"joint_states: expected as many positions, velocities and efforts as names, or none, got "
                          f"{len(names)} names and {', '.join(str(len(part)) for part in parts)} values")  # fmt: skip
    if names == JOINT_NAMES:
        return sample
    if not names and len(sample.position) == N:
        return sample._replace(names=JOINT_NAMES)
    places = _places(names)
    if places is None:
        return sample
    return JointSample(t_ns, JOINT_NAMES, *(tuple(part[place] for place in places) for part in parts))


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
                joint = sample.names[place] if place < len(sample.names) else f"joint {place}"
                return f"{part} {value} of {joint}"
    return "none"


def _some(names: tuple[str, ...]) -> str:
    """The names; of many the first ones."""
    return ", ".join(names[: 2 * N]) + (", ..." if len(names) > 2 * N else "") or "none"
