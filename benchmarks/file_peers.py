"""Other libraries that read event files, as far as they are installed: for benchmarks/file_speed.py.

Each entry reads a whole file into arrays and returns how many events they hold, or raises when it cannot.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

Reader = Callable[[Path, str], int]


def _faery(path: Path, _format: str) -> int:
    import faery

    return len(faery.events_stream_from_file(str(path)).to_array())


def _evlib(path: Path, _format: str) -> int:
    import evlib

    return len(evlib.load_events(str(path)).collect())


def _expelliarmus(path: Path, name: str) -> int:
    from expelliarmus import Wizard

    return len(Wizard(encoding=name).read(str(path)))


def _dv_processing(path: Path, _format: str) -> int:
    import dv_processing as dv

    recording = dv.io.MonoCameraRecording(str(path))
    n = 0
    while (batch := recording.getNextEventBatch()) is not None:
        n += len(batch.numpy())
    return n


def _aedat(path: Path, _format: str) -> int:
    import aedat

    return sum(len(packet["events"]) for packet in aedat.Decoder(str(path)) if "events" in packet)


def _evutils(path: Path, _format: str) -> int:
    from evutils.io import EventReader

    read: Any = EventReader(str(path)).read_all()
    return len(read[0] if isinstance(read, tuple) else read)


_PEERS: dict[str, tuple[Reader, set[str]]] = {
    "faery": (_faery, {"evt2", "evt3", "dat", "aedat4"}),
    "evlib": (_evlib, {"evt2", "evt3"}),
    "expelliarmus": (_expelliarmus, {"evt2", "evt3", "dat"}),
    "dv_processing": (_dv_processing, {"aedat4"}),
    "aedat": (_aedat, {"aedat4"}),
    "evutils": (_evutils, {"evt2", "evt21_legacy", "evt3", "evt4", "dat", "aedat4"}),
}


def peers(name: str) -> dict[str, Reader]:
    """The installed libraries that say they read this format."""
    family = "aedat4" if name.startswith("aedat4") else name
    return {peer: read for peer, (read, names) in _PEERS.items() if family in names and find_spec(peer)}
