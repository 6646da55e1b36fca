"""One array that grows while a file is read into it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from neuro_robot.events.array import EVENT_DTYPE, Events

_SLACK = 1.1  # beyond what the part that was read lets expect
_MOST_GROWTH = 64  # times what is known to exist, whatever a file promises; memory is used where events are written


class Gathered:
    """Events written by readers into one array, in place; `position` tells how much of the file they came from."""

    def __init__(self, position: Callable[[], float]) -> None:
        self._position = position
        self._events = np.empty(0, EVENT_DTYPE)
        self._used = 0

    def room(self, most: int) -> Events:
        """The unused rest of the array, at least `most` events long; good until the next call."""
        needed = self._used + most
        if needed > len(self._events):
            expected = int(_SLACK * self._used / max(self._position(), 1e-9))
            larger = np.empty(max(needed, min(max(expected, 2 * self._used), _MOST_GROWTH * self._used)), EVENT_DTYPE)
            larger[: self._used].view(np.uint8)[:] = self._events[: self._used].view(np.uint8)
            self._events = larger
        return self._events[self._used :]

    def took(self, n: int) -> None:
        """The first n events of the room were written."""
        self._used += n

    def append(self, events: Events) -> None:
        """Copy events behind the others."""
        room = self.room(len(events))[: len(events)]
        room.view(np.uint8)[:] = np.ascontiguousarray(events).view(np.uint8)
        self._used += len(events)

    def events(self) -> Events:
        """All of them, in an array that is no longer than they are."""
        self._events.resize(self._used, refcheck=False)  # the system takes the rest back without a copy
        return self._events
