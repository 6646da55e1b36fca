"""Triggers that a file keeps apart from its events, dealt out along with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from neuro_robot.events.array import Triggers, empty_triggers

_BLOCK = 1 << 16


class TriggerFeed:
    """Reads triggers in blocks; `read(n)` gives the next ones, at most n, none at the end."""

    def __init__(self, read: Callable[[int], Triggers] | None) -> None:
        self._read = read
        self._waiting = empty_triggers()

    def until(self, t_ns: int) -> Triggers:
        """The next triggers up to the first one later than t_ns."""
        parts = []
        while self._fill():
            later = np.flatnonzero(self._waiting["t"] > t_ns)
            end = int(later[0]) if len(later) else len(self._waiting)
            parts.append(self._waiting[:end])
            self._waiting = self._waiting[end:]
            if len(later) or len(parts) > 1:  # a long run of triggers goes on with the next chunk
                break
        return np.concatenate(parts) if parts else empty_triggers()

    def rest(self) -> Iterator[Triggers]:
        """All that are left, in blocks."""
        while self._fill():
            yield self._waiting
            self._waiting = empty_triggers()

    def _fill(self) -> bool:
        """Whether triggers are waiting, read if need be."""
        if not len(self._waiting) and self._read is not None:
            self._waiting = self._read(_BLOCK)
        return len(self._waiting) > 0
