"""Anti-flicker: drops what lamps and screens make pixels say, periodically and for ever."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from neuro_robot.errors import ConfigError
from neuro_robot.events.array import Events
from neuro_robot.events.filters import EventFilter

_NEVER = -(2**61)  # a time so long ago that differences to it neither overflow nor count as near
_SAME = 0.25  # two periods within this share of each other are the same


class AntiFlicker(EventFilter):
    """Drops the events of pixels that turn from OFF to ON at a steady rate between low_hz and high_hz.

    Each pixel's period is the time from one turn to the next. After `turns` periods in a row inside the band and equal
    to within 25 %, the pixel flickers and its events are dropped, until a turn comes at another time or none comes for
    two of the band's longest periods. Lamps on the grid flicker at twice its 50 or 60 Hz: the default band holds both.

    The principle of the anti-flicker filter in Prophesee's sensors (Metavision documentation, "Event Signal
    Processing: AFK": events of a pixel whose period is in a band are dropped after a count of periods). A linear comb
    filter is the alternative that changes all signals (Z. Wang, D. Yuan, Y. Ng, R. Mahony, "A linear comb filter for
    event flicker removal", ICRA 2022).
    """

    def __init__(
        self, width: int, height: int, low_hz: float = 90.0, high_hz: float = 130.0, turns: int = 3
    ) -> None:  # fmt: skip
        super().__init__(width, height)
        if not 0.01 <= low_hz < high_hz <= 1e5 or not 1 <= turns <= 255:
            expected = "antiflicker: expected 0.01 <= low < high <= 100000 Hz and 1 to 255 turns"
            raise ConfigError(f"{expected}, got {low_hz:g}-{high_hz:g} Hz, {turns} turns")
        self._band = (int(1e9 / high_hz), int(1e9 / low_hz))
        self._turns = turns
        self._turned = np.full((height, width), _NEVER)
        self._period = np.zeros((height, width), np.int64)
        self._steady = np.zeros((height, width), np.uint8)
        self._p = np.ones((height, width), np.uint8)

    def _run(self, events: Events, out: Events) -> int:
        state = (self._turned, self._period, self._steady, self._p)
        return int(_antiflicker(events, *self._band, self._turns, *state, out))


@njit(cache=True)
def _antiflicker(
    events: Events,
    shortest_ns: int,
    longest_ns: int,
    turns: int,
    turned: npt.NDArray[np.int64],
    periods: npt.NDArray[np.int64],
    steady: npt.NDArray[np.uint8],
    polarity: npt.NDArray[np.uint8],
    out: Events,
) -> int:
    kept = 0
    height, width = turned.shape
    for i in range(len(events)):
        t, x, y, p = events[i].t, events[i].x, events[i].y, events[i].p
        if x >= width or y >= height:
            return -1 - i
        since = t - turned[y, x]
        if since > 2 * longest_ns or since < 0:
            steady[y, x] = 0
        if p and not polarity[y, x]:  # from OFF to ON: a turn
            same = abs(since - periods[y, x]) <= _SAME * since
            if not shortest_ns <= since <= longest_ns:
                steady[y, x] = 0
            elif same or steady[y, x] == 0:
                steady[y, x] = min(steady[y, x] + 1, turns)
            else:
                steady[y, x] = 1
            periods[y, x] = since
            turned[y, x] = t
        polarity[y, x] = p
        if steady[y, x] < turns:
            out[kept] = events[i]
            kept += 1
    return kept
