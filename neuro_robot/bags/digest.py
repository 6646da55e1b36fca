"""Digests of what a controller did: the same bits in process, over DDS in lockstep, and in replay."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuro_robot.robot import Command


class RunDigest:
    """Running sha256 of spikes and commands.

    Canonical form: a spike is t (int64), x, y (uint16), p (uint8), a command t_ns (int64) and its values
    (float64: vx, vy, vz, yaw rate, or the joint positions), all little endian, one after the other; how they were cut
    into packets does not matter.
    """

    def __init__(self) -> None:
        self._spikes = hashlib.sha256()
        self._commands = hashlib.sha256()
        self.n_spikes = 0
        self.n_commands = 0

    def add_spikes(self, spikes: NDArray[np.void]) -> None:
        """The next (n,) EVENT_DTYPE spikes."""
        if len(spikes):
            self._spikes.update(np.ascontiguousarray(spikes).tobytes())
            self.n_spikes += len(spikes)

    def add_command(self, command: Command) -> None:
        """The next command."""
        values = command.values
        self._commands.update(struct.pack(f"<q{len(values)}d", command.t_ns, *values))
        self.n_commands += 1

    def result(self, weights: Mapping[str, NDArray[Any]] | None = None) -> dict[str, str]:
        """Digests so far, by name; `weights` only when they are given."""
        found = {"spikes": self._spikes.hexdigest(), "commands": self._commands.hexdigest()}
        return found if weights is None else found | {"weights": weights_digest(weights)}


def weights_digest(weights: Mapping[str, NDArray[Any]]) -> str:
    """sha256 over names, types, shapes and bytes, in order of name."""
    digest = hashlib.sha256()
    for name in sorted(weights):
        array = np.ascontiguousarray(weights[name])
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
