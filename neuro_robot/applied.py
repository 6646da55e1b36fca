"""What a robot was told from outside, as it took effect: said on /diagnostics, so that a bag replays."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from neuro_robot.errors import BagError, WeightsError

SUFFIX = ": applied"  # of the diagnostic status, behind the node's name


class Steered(NamedTuple):
    """How a walker was steered."""

    vx: float  # m/s
    vy: float  # m/s
    yaw_rate: float  # rad/s
    gait: str  # as text, see agents.gait


class Applied(NamedTuple):
    """What a robot goes by from a packet on, and what was done to it since the last one."""

    t_ns: int  # end of the first packet that it counts for
    learning: bool
    faults: str  # as text, see snn.faults_text
    deeds: tuple[tuple[str, str], ...] = ()  # in order: what kind, and what; see agents.controller.Controller.change
    steered: Steered | None = None  # None: a body that nobody steers

    def values(self) -> dict[str, str]:
        """The entries of the status; floats so that they come back exactly."""
        said = {"learning": str(self.learning), "faults": self.faults, "deeds": json.dumps(self.deeds)}
        if self.steered is None:
            return said
        vx, vy, yaw_rate, gait = self.steered
        return {"vx": repr(float(vx)), "vy": repr(float(vy)), "yaw_rate": repr(float(yaw_rate)), "gait": gait} | said

    def goes_on(self, before: Applied | None) -> bool:
        """Whether nothing has changed since."""
        return before is not None and not self.deeds and self._replace(t_ns=before.t_ns, deeds=before.deeds) == before


def applied_from(t_ns: int, values: Mapping[str, str]) -> Applied:
    """What such a status says. Raises BagError for one that is damaged."""
    try:
        learning = {"True": True, "False": False}[values["learning"]]
        deeds = tuple((str(kind), str(what)) for kind, what in json.loads(values["deeds"]))
        steered = None
        if "vx" in values:
            vx, vy, yaw_rate = (float(values[name]) for name in ("vx", "vy", "yaw_rate"))
            steered = Steered(vx, vy, yaw_rate, values["gait"])
        told = Applied(t_ns, learning, values["faults"], deeds, steered)
    except (KeyError, ValueError, TypeError, RecursionError) as error:
        raise BagError(f"diagnostics at {t_ns} ns: expected learning, faults and deeds behind `applied`, of a walker "
                       f"vx, vy, yaw_rate and gait too, got {dict(values)}: {error}; the bag cannot be replayed to "
                       "the bit") from error  # fmt: skip
    if steered is not None and not all(math.isfinite(speed) for speed in steered[:3]):
        raise BagError(f"diagnostics at {t_ns} ns: expected a finite velocity behind `applied`, got {steered[:3]}")
    return told


def loaded_text(path: Path) -> str:
    """The weights in this file, as a recording names them: SHA-256 and name. Raises WeightsError when there is none."""
    try:
        return f"{_sha256(path)} {path.resolve()}"
    except OSError as error:
        raise WeightsError(f"{path}: expected a weights file that can be read: {error}") from error


def loaded_file(text: str, beside: Path) -> Path:
    """The file of a `loaded_text`: in the folder `beside`, or where it was.

    Raises BagError when neither place has a file of the same contents.
    """
    checksum, _, name = text.partition(" ")
    if not (len(checksum) == hashlib.sha256().digest_size * 2 and name):
        raise BagError(f"expected SHA-256 and name of a weights file that was loaded under way, got {text!r}")
    places = beside / Path(name).name, Path(name)
    for place in places:
        with suppress(OSError, ValueError):  # no such name can be
            if place.is_file() and _sha256(place) == checksum:
                return place
    raise BagError(f"{name}: this run loaded it under way, and now there is none of those contents (SHA-256 "
                   f"{checksum[:16]}...), also not in {beside}; put it there to replay to the bit")  # fmt: skip


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
