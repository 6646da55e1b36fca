"""Other libraries that read event files, as far as they are installed: for benchmarks/file_speed.py.

Each entry reads a whole file into the arrays that its library gives (that is what is timed), and says how to find
time in us, x, y and polarity in them (that is how it is checked).
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

Columns = tuple[Any, Any, Any, Any]
AEDAT4 = {"aedat4", "aedat4_zstd", "aedat4_raw"}


class Peer(NamedTuple):
    """One library."""

    read: Callable[[Path, str], Any]  # (path, format)
    columns: Callable[[Any], Columns]  # t in us, x, y, p
    gives: str  # what it gives, and bytes for each event
    formats: set[str]


def _faery(path: Path, _format: str) -> Any:
    import faery

    return faery.events_stream_from_file(str(path)).to_array()


def _evlib(path: Path, _format: str) -> Any:
    import evlib

    return evlib.load_events(str(path)).collect()


def _evlib_columns(frame: Any) -> Columns:
    t_us = frame["t"].to_physical().to_numpy()
    return t_us, frame["x"].to_numpy(), frame["y"].to_numpy(), frame["polarity"].to_numpy() > 0


def _expelliarmus(path: Path, name: str) -> Any:
    from expelliarmus import Wizard

    return Wizard(encoding=name).read(str(path))


def _dv_processing(path: Path, _format: str) -> Any:
    import dv_processing as dv

    recording = dv.io.MonoCameraRecording(str(path))
    batches = []
    while (batch := recording.getNextEventBatch()) is not None:
        batches.append(batch.numpy())
    return np.concatenate(batches)


def _aedat(path: Path, _format: str) -> Any:
    import aedat

    return np.concatenate([packet["events"] for packet in aedat.Decoder(str(path)) if "events" in packet])


def _evutils(path: Path, _format: str) -> Any:
    from evutils.io import EventReader

    read: Any = EventReader(str(path)).read_all()
    return read[0] if isinstance(read, tuple) else read


def _fields(t: str, x: str, y: str, p: str) -> Callable[[Any], Columns]:
    return lambda found: (found[t], found[x], found[y], found[p])


_PEERS = {
    "faery": Peer(_faery, _fields("t", "x", "y", "p"), "records, 13", {"evt2", "evt3", "dat"} | AEDAT4),
    "evlib": Peer(_evlib, _evlib_columns, "data frame, 13", {"evt2", "evt3"}),
    "expelliarmus": Peer(_expelliarmus, _fields("t", "x", "y", "p"), "records, 16", {"evt2", "evt3", "dat"}),
    "dv_processing": Peer(_dv_processing, _fields("timestamp", "x", "y", "polarity"), "records, 16", AEDAT4),
    "aedat": Peer(_aedat, _fields("t", "x", "y", "on"), "records, 13", AEDAT4),
    "evutils": Peer(
        _evutils, _fields("t", "x", "y", "p"), "columns, 13", {"evt2", "evt21_legacy", "evt3", "evt4", "dat"} | AEDAT4
    ),
}


def peers(name: str) -> dict[str, Peer]:
    """The installed libraries that say they read this format."""
    return {key: peer for key, peer in _PEERS.items() if name in peer.formats and find_spec(key)}
