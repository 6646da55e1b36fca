"""Which senses have fallen silent, by the time of the packets: no clock of host or sensor need agree with another."""

from __future__ import annotations

from collections.abc import Iterable

LOST_NS = 200_000_000


class SenseWatch:
    """Told of every sample and of every packet; a sense that brought nothing through LOST_NS of packets is lost."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = tuple(names)
        self._came: set[str] = set()
        self._last_ns: dict[str, int] = {}

    def came(self, name: str) -> None:
        """A sample of this sense."""
        self._came.add(name)

    def lost(self, t_ns: int) -> list[str]:
        """The silent ones at a packet's stamp. Time that starts over, or the first packet, gives all of them time."""
        for name in self._names:
            if name in self._came or t_ns < self._last_ns.get(name, t_ns + 1):
                self._last_ns[name] = t_ns
        self._came.clear()
        return [name for name in self._names if t_ns - self._last_ns[name] > LOST_NS]
