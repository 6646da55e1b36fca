"""Where in a recording the player is: host time in, playing time out, with speed, pauses and jumps."""

from __future__ import annotations


class Pace:
    """Playing time runs `rate` times as fast as the host's; host times in seconds of a monotonic clock."""

    def __init__(self, rate: float, position_s: float = 0.0) -> None:
        self.held = False
        self._rate = rate
        self._position_s = position_s
        self._since: float | None = None  # host time at _position_s; None: standing
        self._started: float | None = None

    @property
    def running(self) -> bool:
        """Started, held or not."""
        return self._since is not None or self.held

    def position_s(self, now: float) -> float:
        """Seconds of the recording."""
        return self._position_s if self._since is None else self._position_s + (now - self._since) * self._rate

    def wall_s(self, now: float) -> float:
        """Host time since the first start."""
        return 0.0 if self._started is None else now - self._started

    def start(self, now: float) -> None:
        """Go on."""
        if self._started is None:
            self._started = now
        if not self.held:
            self._since = now

    def stop(self, now: float) -> None:
        """Stand until start."""
        self._position_s, self._since = self.position_s(now), None

    def hold(self, now: float) -> None:
        """Stand until release, whatever start says."""
        self.stop(now)
        self.held = True

    def release(self, now: float) -> None:
        """The end of hold."""
        if self.held:
            self.held = False
            if self._started is not None:
                self._since = now

    def set_rate(self, rate: float, now: float) -> None:
        """Another speed from now on."""
        if self._since is not None:
            self._position_s, self._since = self.position_s(now), now
        self._rate = rate

    def jump(self, position_s: float, now: float) -> None:
        """Elsewhere from now on."""
        self._position_s = position_s
        if self._since is not None:
            self._since = now
