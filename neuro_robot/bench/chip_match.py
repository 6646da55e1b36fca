"""Whole flights of the quantised network on both arithmetics: the chip's integers, and the processor's float64.

Each world is flown twice in closed loop, learning on unless told otherwise. One spike more or less would bend the path,
and with it all that follows, so equal flights are equal in every spike.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from neuro_robot.bench.flight import FlightLog, FlightRequest, fly
from neuro_robot.bench.parallel import Job, Report, run_jobs

ARITHMETICS = ("integer", "cpu")


@dataclass(frozen=True)
class Match:
    """One world flown on both arithmetics; pairs are (integer, cpu)."""

    seed: int
    outcomes: tuple[str, str]
    seconds: tuple[float, float]
    spikes: tuple[int, int]
    common: int  # spikes that both flights have: same neuron, same millisecond
    commands_equal: bool  # all commands of the flight, bit for bit
    weights_equal: bool  # all weights at its end
    weight_updates: int

    @property
    def either(self) -> int:
        """Spikes that at least one of the flights has."""
        return sum(self.spikes) - self.common


def match_flights(
    flight: FlightRequest, seeds: tuple[int, ...], processes: int = 1, report: Report | None = None
) -> list[Match]:
    """Fly the request in the world of every seed on both arithmetics of its back end; in the order of the seeds.

    Raises ConfigError when the back end has but one arithmetic.
    """
    flights = [replace(flight, seed=seed) for seed in seeds]
    jobs = [Job("chip", f"seed {one.seed}", match_flight, (one,)) for one in flights]
    done = run_jobs(jobs, _no_more, processes, report)
    return sorted((match for _, match in done), key=lambda match: match.seed)


def _no_more(_job: Job, _result: object) -> list[Job]:
    return []


def match_flight(flight: FlightRequest) -> Match:
    """One world on both arithmetics (runs in a worker process)."""
    recorders = [_Spikes(), _Spikes()]
    logs = [
        fly(replace(flight, mind={**flight.mind, "arithmetic": name}), recorder=recorder)
        for name, recorder in zip(ARITHMETICS, recorders, strict=True)
    ]
    one, other = (recorder.keys() for recorder in recorders)
    return Match(
        seed=flight.seed,
        outcomes=_pair(logs, "outcome"),
        seconds=_pair(logs, "duration_s"),
        spikes=(one.size, other.size),
        common=int(np.intersect1d(one, other, assume_unique=True).size),
        commands_equal=logs[0].digest["commands"] == logs[1].digest["commands"],
        weights_equal=logs[0].digest["weights"] == logs[1].digest["weights"],
        weight_updates=int(logs[0].diagnostics["weight_updates"]),
    )


def result_of(matches: list[Match]) -> dict[str, Any]:
    """Ready for JSON: every flight, and the total."""
    common, either = sum(match.common for match in matches), sum(match.either for match in matches)
    return {
        "flights": [{**asdict(match), "spike_match": _share(match.common, match.either)} for match in matches],
        "spikes": [sum(match.spikes[k] for match in matches) for k in range(2)],
        "weight_updates": sum(match.weight_updates for match in matches),
        "spike_match": _share(common, either),
        "flights_equal": sum(_equal(match) for match in matches),
    }


def match_table(matches: list[Match], title: str) -> Table:
    """One line per world and one for all."""
    table = Table(title=title)
    for name in ("seed", "outcome", "s", "spikes, integer", "spikes, float64", "match", "weight changes"):
        table.add_column(name, justify="left" if name == "outcome" else "right")
    table.add_column("commands, weights")
    for match in matches:
        first, second = match.outcomes
        table.add_row(
            str(match.seed), first if first == second else f"{first}, {second}", f"{match.seconds[0]:.2f}",
            *(f"{count:,}" for count in match.spikes), _percent(match.common, match.either),
            f"{match.weight_updates:,}", f"{_word(match.commands_equal)}, {_word(match.weights_equal)}",
        )  # fmt: skip
    table.add_section()
    total = result_of(matches)
    common, either = sum(match.common for match in matches), sum(match.either for match in matches)
    table.add_row(
        "all", "", f"{sum(match.seconds[0] for match in matches):.2f}", *(f"{count:,}" for count in total["spikes"]),
        _percent(common, either), f"{total['weight_updates']:,}", f"{total['flights_equal']} of {len(matches)} equal",
    )  # fmt: skip
    return table


class _Spikes:
    """A Recorder of spikes alone."""

    def __init__(self) -> None:
        self._found: list[NDArray[np.void]] = []

    def observation(self, seen: object, /) -> None:
        """Nothing to keep."""

    def reply(self, reply: Any, _t_ns: int, /) -> None:  # noqa: ANN401 - Reply
        """Keep the spikes of one answer."""
        self._found.append(reply.spikes)

    def keys(self) -> NDArray[np.int64]:
        """(n,) one number for every spike, the same for the same neuron and millisecond."""
        spikes = np.concatenate(self._found)
        place = spikes["y"].astype(np.int64) << 16 | spikes["x"]
        keys: NDArray[np.int64] = (spikes["t"] // 1_000_000 << 32) | place
        return keys


def _pair(logs: list[FlightLog], name: str) -> tuple[Any, Any]:
    return getattr(logs[0], name), getattr(logs[1], name)


def _equal(match: Match) -> bool:
    return match.common == match.either and match.commands_equal and match.weights_equal


def _share(common: int, either: int) -> float:
    return common / either if either else 1.0


def _percent(common: int, either: int) -> str:
    """The match with as many digits as it takes to tell a miss from none."""
    return "100 %" if common == either else f"{min(100 * _share(common, either), 99.999):.3f} %"


def _word(equal: bool) -> str:
    return "equal" if equal else "differ"
