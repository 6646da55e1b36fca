"""The print of a stream of events: counts, sums and a SHA-256 that two equal streams share, however they are cut."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from neuro_robot.events.array import Events, Triggers


class Print:
    """Fed with a stream, piece by piece; times are floored to `resolution_ns`.

    Canonical form: events as t (int64), x, y (uint16), p (uint8), triggers as t (int64), id, value (uint8), little
    endian, one after the other; the SHA-256 of the events, of the triggers each.
    """

    def __init__(self, resolution_ns: int = 1) -> None:
        self._resolution_ns = resolution_ns
        self._digests = {"events": hashlib.sha256(), "triggers": hashlib.sha256()}
        self.events = self.on_events = self.triggers = 0
        self.span_ns: tuple[int, int] | None = None  # first and last event

    def add(self, events: Events, triggers: Triggers) -> None:
        """The next (n,) EVENT_DTYPE events and TRIGGER_DTYPE triggers."""
        if len(events):
            self._digests["events"].update(self._floored(events).view(np.uint8).data)
            self.events += len(events)
            self.on_events += int(np.count_nonzero(events["p"]))
            last = int(events["t"][-1])
            self.span_ns = (int(events["t"][0]) if self.span_ns is None else self.span_ns[0], last)
        if len(triggers):
            self._digests["triggers"].update(self._floored(triggers).view(np.uint8).data)
            self.triggers += len(triggers)

    def _floored(self, items: Events | Triggers) -> Events | Triggers:
        if self._resolution_ns > 1:
            items = items.copy()
            items["t"] -= items["t"] % self._resolution_ns
        return np.ascontiguousarray(items)

    def as_dict(self) -> dict[str, Any]:
        """What can be compared; equal for equal streams."""
        floor = self._resolution_ns
        first, last = (None, None) if self.span_ns is None else (t - t % floor for t in self.span_ns)
        return {
            "events": self.events,
            "on_events": self.on_events,
            "triggers": self.triggers,
            "first_ns": first,
            "last_ns": last,
            "sha256_events": self._digests["events"].hexdigest(),
            "sha256_triggers": self._digests["triggers"].hexdigest(),
        }

    def difference(self, found: Print) -> str:
        """What differs in words, empty when nothing does."""
        mine, other = self.as_dict(), found.as_dict()
        names = [name for name in mine if mine[name] != other[name]]
        counted = [name for name in names if not name.startswith("sha256")]
        if counted:
            return ", ".join(f"{name} {mine[name]} became {other[name]}" for name in counted)
        return "the counts are equal, but single values or their order differ" if names else ""
