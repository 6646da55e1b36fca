"""What a reader must do with a damaged file: refuse it with FileFormatError or read it, in little time and room."""

import resource

import numpy as np

from neuro_robot.errors import FileFormatError


def random_events(n, width, height, *, start_us=0, gap_us=50, seed=0, steps_back=False):
    """(n,) events in whole microseconds; steps_back: time goes back a little now and then."""
    from neuro_robot.events.array import empty_events

    rng = np.random.default_rng(seed)
    events = empty_events(n)
    t_us = start_us + np.cumsum(rng.integers(0, gap_us, n))
    if steps_back and n:
        t_us = np.maximum(t_us - np.where(rng.random(n) < 0.01, rng.integers(0, 5 * gap_us, n), 0), 0)
    events["t"] = t_us * 1000
    events["x"] = rng.integers(0, width, n)
    events["y"] = rng.integers(0, height, n)
    events["p"] = rng.integers(0, 2, n)
    return events


def random_triggers(n, start_us, end_us, ids, seed=0):
    """(n,) sorted triggers in whole microseconds."""
    from neuro_robot.events.array import empty_triggers

    rng = np.random.default_rng(seed)
    triggers = empty_triggers(n)
    triggers["t"] = np.sort(rng.integers(start_us, end_us, n)) * 1000
    triggers["id"] = rng.choice(ids, n)
    triggers["value"] = rng.integers(0, 2, n)
    return triggers


def sorted_triggers(triggers):
    return np.sort(triggers, order=["t", "id", "value"])


def read_or_refuse(open_reader, path):
    """The number of events, or the text of the refusal."""
    try:
        with open_reader(path) as reader:
            return sum(len(chunk.events) for chunk in reader.chunks())
    except FileFormatError as error:
        return str(error)


def mutated(data, rng):
    """A copy with some bytes changed, a stretch cut out, doubled or appended, or the end missing."""
    data = bytearray(data)
    for _ in range(rng.integers(1, 4)):
        at = int(rng.integers(0, len(data)))
        kind = rng.integers(0, 6)
        if kind <= 1:
            data[at] = int(rng.integers(0, 256))
        elif kind == 2:
            data[at : at + 4] = rng.choice([b"\xff\xff\xff\x7f", b"\xff\xff\xff\xff", b"\0\0\0\0", b"\0\0\0\x80"])
        elif kind == 3:
            del data[at : at + int(rng.integers(1, 40))]
        elif kind == 4:
            data[at:at] = data[at : at + int(rng.integers(1, 40))]
        else:
            del data[at:]
        if not data:
            return bytes(1)
    return bytes(data)


def attack(open_reader, data, path, *, rounds, seed=1):
    """Read many damaged copies of a file; -> how many were refused. Fails when memory grows by more than 300 MB."""
    rng = np.random.default_rng(seed)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refused = 0
    for _ in range(rounds):
        path.unlink(missing_ok=True)  # a new file: overwriting one makes some file systems wait for the disk
        path.write_bytes(mutated(data, rng))
        outcome = read_or_refuse(open_reader, path)
        if isinstance(outcome, str):
            refused += 1
            assert str(path) in outcome
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000
    return refused
