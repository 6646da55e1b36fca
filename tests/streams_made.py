"""Recordings made by hand for the tests of the commands."""

from __future__ import annotations

import numpy as np

from neuro_robot.events import TRIGGER_DTYPE, empty_events
from neuro_robot.events.files import open_writer

W, H = 40, 30


def made_events(n=5000, seconds=2.0, start_ns=5_000_000_000, seed=0):
    """A dot that goes round in a circle, ON in front and OFF behind, on times of whole us."""
    rng = np.random.default_rng(seed)
    events = empty_events(n)
    events["t"] = start_ns + np.sort(rng.integers(0, round(seconds * 1e6), n)) * 1000
    angle = (events["t"] - start_ns) * (2e-9 * np.pi / seconds)
    events["x"] = W / 2 + 10 * np.cos(angle) + rng.normal(0, 1, n)
    events["y"] = H / 2 + 10 * np.sin(angle) + rng.normal(0, 1, n)
    events["p"] = rng.integers(0, 2, n)
    return events


def made_triggers(start_ns=5_000_000_000):
    triggers = np.zeros(4, TRIGGER_DTYPE)
    triggers["t"] = start_ns + np.array([1, 2, 3, 4]) * 100_000_000
    triggers["id"], triggers["value"] = 6, [1, 0, 1, 0]
    return triggers


def write(path, events, triggers=None, form=None):
    with open_writer(path, W, H, format=form) as writer:
        writer.write(events, triggers)
    return path
