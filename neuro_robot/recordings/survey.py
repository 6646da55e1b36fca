"""One pass over a recording, however long, in little memory: rate curve, events per pixel, gaps, steps back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from neuro_robot.events.array import Events, Triggers, as_kernel_input
from neuro_robot.events.files import Chunk
from neuro_robot.events.filters_noise import BackgroundActivity
from neuro_robot.events.frames import add_counts, require_picture

BINS = 4096
FIRST_BIN_NS = 10_000  # of the rate curve; twice as wide whenever the recording outgrows it
COMPANY_MS, NOISE_SHARE = 5.0, 0.15
MAX_GAPS = 10  # of which place and length are kept: the longest

# Places in the kernel's array of times and counters.
_ORIGIN, _LAST, _NEWEST, _BACKWARD, _LARGEST_STEP, _GAPS, _EVENTS = range(7)
_NONE = -1


@dataclass(frozen=True)
class RateCurve:
    """Events per bin of time since the first event."""

    counts: npt.NDArray[np.int64]
    bin_s: float

    def rebinned(self, bins: int) -> RateCurve:
        """At most so many bins, each a whole number of these."""
        joined = -(-len(self.counts) // max(bins, 1))
        return self.joined(joined)

    def joined(self, n: int) -> RateCurve:
        """Each n bins made one."""
        padded = np.zeros(-(-len(self.counts) // n) * n, np.int64)
        padded[: len(self.counts)] = self.counts
        return RateCurve(padded.reshape(-1, n).sum(axis=1), self.bin_s * n)

    def of_width(self, least_s: float) -> RateCurve:
        """Bins of at least this width."""
        return self.joined(max(1, int(np.ceil(least_s / self.bin_s - 1e-9))))

    @property
    def rates_hz(self) -> npt.NDArray[np.float64]:
        """Events per second, bin by bin."""
        return self.counts / self.bin_s


@dataclass
class Survey:
    """What a stream of events was like; feed it with `add`."""

    width: int
    height: int
    gap_s: float = 0.1  # a stretch without events at least this long is a gap
    on_events: int = 0
    triggers: dict[int, list[int]] = field(default_factory=dict)  # channel: [falling, rising]

    def __post_init__(self) -> None:
        require_picture(self.width, self.height)
        self.pixels = np.zeros((self.height, self.width, 2), np.int32)
        self._bins = np.zeros(BINS, np.int64)
        self._bin_ns = FIRST_BIN_NS
        self._state = np.zeros(7, np.int64)
        self._state[[_ORIGIN, _LAST, _NEWEST]] = _NONE
        self._gaps = np.zeros((MAX_GAPS, 2), np.int64)  # length, start; the longest first
        self._near = BackgroundActivity(self.width, self.height, COMPANY_MS)
        self.in_company = 0  # events with one of a neighbouring pixel at most COMPANY_MS before

    def add(self, chunk: Chunk) -> None:
        """The next chunk. Raises PacketError for an event outside the geometry."""
        events = as_kernel_input(chunk.events)
        add_counts(events, self.pixels)
        self.on_events += int(np.count_nonzero(events["p"]))
        self.in_company += len(self._near.apply(events))
        gap_ns, at = round(self.gap_s * 1e9), 0
        while (at := _follow(events, at, gap_ns, self._bin_ns, self._state, self._bins, self._gaps)) < len(events):
            self._bins[: BINS // 2] = self._bins.reshape(-1, 2).sum(axis=1)
            self._bins[BINS // 2 :] = 0
            self._bin_ns *= 2
        self._count_triggers(chunk.triggers)

    def _count_triggers(self, triggers: Triggers) -> None:
        for channel in np.unique(triggers["id"]):
            values = triggers["value"][triggers["id"] == channel]
            edges = self.triggers.setdefault(int(channel), [0, 0])
            edges[0] += int(np.count_nonzero(values == 0))
            edges[1] += int(np.count_nonzero(values))

    @property
    def events(self) -> int:
        """Events so far."""
        return int(self._state[_EVENTS])

    @property
    def mostly_noise(self) -> bool:
        """Few events come in company, as those of anything that moves do."""
        return self.in_company < NOISE_SHARE * self.events

    @property
    def first_ns(self) -> int:
        """Time of the first event, 0 without events."""
        return max(int(self._state[_ORIGIN]), 0)

    @property
    def duration_s(self) -> float:
        """From the first event to the newest."""
        return float(max(int(self._state[_NEWEST]), 0) - self.first_ns) * 1e-9

    @property
    def rate(self) -> RateCurve:
        """The rate over the whole duration."""
        used = min(BINS, int(self.duration_s * 1e9) // self._bin_ns + 1)
        return RateCurve(self._bins[:used].copy(), self._bin_ns * 1e-9)

    def time_faults(self) -> dict[str, Any]:
        """Steps back of time, and stretches without events: count, and the longest with start since the first event."""
        longest = [
            {"at_s": (int(start) - self.first_ns) * 1e-9, "length_s": int(length) * 1e-9}
            for length, start in self._gaps
            if length
        ]
        return {
            "gaps": {"at_least_s": self.gap_s, "count": int(self._state[_GAPS]), "longest": longest},
            "steps_back": {
                "count": int(self._state[_BACKWARD]),
                "largest_s": int(self._state[_LARGEST_STEP]) * 1e-9,
            },
        }


@njit(cache=True)
def _follow(
    events: Events,
    at: int,
    gap_ns: int,
    bin_ns: int,
    state: npt.NDArray[np.int64],
    bins: npt.NDArray[np.int64],
    gaps: npt.NDArray[np.int64],
) -> int:
    """Go on from event `at`; the index of the event for which the bins do not reach, else the number of events."""
    for i in range(at, len(events)):
        t = events[i].t
        if state[_EVENTS] == 0:
            state[_ORIGIN], state[_LAST], state[_NEWEST] = t, t, t
        place = max(t - state[_ORIGIN], 0) // bin_ns  # what is before the first event counts as there
        if place >= len(bins):
            return i
        bins[place] += 1
        step = t - state[_LAST]
        if step < 0:
            state[_BACKWARD] += 1
            state[_LARGEST_STEP] = max(state[_LARGEST_STEP], -step)
        elif t - state[_NEWEST] >= gap_ns:
            state[_GAPS] += 1
            _keep_gap(gaps, t - state[_NEWEST], state[_NEWEST])
        state[_LAST] = t
        state[_NEWEST] = max(state[_NEWEST], t)
        state[_EVENTS] += 1
    return len(events)


@njit(cache=True)
def _keep_gap(gaps: npt.NDArray[np.int64], length: int, start: int) -> None:
    """Into the list of the longest, in order of length."""
    for i in range(len(gaps)):
        if length > gaps[i, 0]:
            for j in range(len(gaps) - 1, i, -1):
                gaps[j] = gaps[j - 1]
            gaps[i, 0], gaps[i, 1] = length, start
            return
