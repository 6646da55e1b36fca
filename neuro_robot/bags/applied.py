"""What a run in a bag was told from outside, for its replay."""

from __future__ import annotations

from neuro_robot.applied import SUFFIX, Applied, applied_from
from neuro_robot.bags.messages import stamp_ns
from neuro_robot.bags.reader import BagReader
from neuro_robot.bags.topics import DIAGNOSTICS


def applied_in(reader: BagReader) -> list[Applied]:
    """In order; empty: nobody told it anything, or the bag is older. Raises BagError for what is damaged."""
    found: list[Applied] = []
    for message in reader.messages(DIAGNOSTICS.name):
        array = message.value()
        for status in array.status:
            space, _, name = status.name.rpartition("/")
            if name.endswith(SUFFIX) and space == reader.namespace:
                values = {pair.key: pair.value for pair in status.values}
                found.append(applied_from(stamp_ns(array) or 0, values))
    return found


def flights_of(applied: list[Applied]) -> list[list[Applied]]:
    """The same by flight: each says at its first packet what it goes by, and its time starts over."""
    flights: list[list[Applied]] = []
    for told in applied:
        if not flights or told.t_ns <= flights[-1][-1].t_ns:
            flights.append([])
        flights[-1].append(told)
    return flights
