"""The way of spikes over a chip's mesh: messages, and hops between tiles, for one spike of each neuron.

A core sends one message to every core that holds a target, separately for each connection, as the mapping counts output
axons. Loihi's 128 cores lie four to a tile, the tiles on a mesh of 8 by 4 (Davies et al., IEEE Micro 38(1), 2018);
cores are filled in the order of the mapping, and a message goes first along x, then along y. Input lines enter at the
first tile. A back end without cores is taken as if its layers were laid on cores of 1024 neurons in order, as Loihi's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from neuro_robot.snn.backends.base import Model

CORES_PER_TILE, TILES_ACROSS = 4, 8
NEURONS_PER_CORE = 1024


class Routes(NamedTuple):
    """For one spike of each neuron, int64 (n,) in the numbering of the model's layers."""

    messages: NDArray[np.int64]
    hops_x: NDArray[np.int64]  # east-west
    hops_y: NDArray[np.int64]  # north-south


def routes(model: Model) -> Routes:
    """What one spike of each neuron sends over the mesh."""
    core_of, n_cores = _cores(model)
    tile = np.append(np.arange(n_cores) // CORES_PER_TILE, 0)  # the last: where inputs enter
    x, y = tile % TILES_ACROSS, tile // TILES_ACROSS
    told = Routes(*(np.zeros(core_of.size, np.int64) for _ in range(3)))
    for connection in model.connections.values():
        pre = model.layer_slices[connection.pre.name].start + connection.pre_index
        target = core_of[model.layer_slices[connection.post.name].start + connection.post_index]
        sender, target = np.divmod(np.unique(pre * n_cores + target), max(n_cores, 1))
        source = core_of[sender]
        for values, amount in zip(told, (1, np.abs(x[source] - x[target]), np.abs(y[source] - y[target])), strict=True):
            np.add.at(values, sender, amount)
    return told


def _cores(model: Model) -> tuple[NDArray[np.int64], int]:
    """The core of every neuron (-1: an input line), and the number of cores."""
    core_of = np.full(sum(layer.size for layer in model.layers), -1)
    slices = model.core_slices() or tuple(_as_on_loihi(model))
    for number, place in enumerate(slices):
        core_of[place] = number
    return core_of, len(slices)


def _as_on_loihi(model: Model) -> list[slice]:
    found = []
    for layer in model.layers:
        if layer.cell is not None:
            place = model.layer_slices[layer.name]
            starts = range(place.start, place.stop, NEURONS_PER_CORE)
            found += [slice(start, min(start + NEURONS_PER_CORE, place.stop)) for start in starts]
    return found
