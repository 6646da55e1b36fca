"""A chip model's complete state as named arrays of whole numbers, and the checked way back.

Names: u, v, wait (refractory steps left), each int32 (n,); sent (spikes under way, newest step first, (depth, n)); per
connection shape/<name>, synapses/<name> (pre, post, delay) and weights/<name>; where something learns clock (steps,
seed), reward, and per rule tags/<name>, pre_trace/<name> (2, traces), post_trace/<name> (3, n_post), sums/<name>;
of Poisson layers sources. Faults (see `snn.faults`) are no part of it: they belong to the model that has them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neuro_robot.errors import WeightsError
from neuro_robot.snn.backends.loihi import kernel
from neuro_robot.snn.backends.loihi import learn_kernel as lk
from neuro_robot.snn.backends.loihi import registers as reg
from neuro_robot.snn.backends.loihi.rules import LARGEST_TAG, LARGEST_TRACE

if TYPE_CHECKING:
    from neuro_robot.snn.backends.loihi.model import LoihiModel

REMEDY = "load a file that this network saved, or start without one"
WEIGHT_BOUNDS = {reg.MIXED: (-256, 255), reg.EXCITATORY: (0, 255), reg.INHIBITORY: (-255, 0)}


def take(model: LoihiModel) -> dict[str, NDArray[Any]]:
    """Copies of all arrays named in the module's text."""
    cells = model.machine.tables.cells
    arrays: dict[str, NDArray[Any]] = {
        "u": cells[kernel.U].copy(),
        "v": cells[kernel.V].copy(),
        "wait": cells[kernel.LEFT].copy(),
        "sent": _sent(model),
    }
    for name, told in model.connections.items():
        arrays[f"shape/{name}"] = np.array([told.pre.size, told.post.size], np.int64)
        arrays[f"synapses/{name}"] = np.stack([told.pre_index, told.post_index, told.delay_steps], axis=1)
        arrays[f"weights/{name}"] = model.whole_weights(name)
    arrays |= {name: view.copy() for name, view in _views(model).items()}
    return arrays


def restore(model: LoihiModel, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Check everything against the network, then write everything; WeightsError says what differs."""
    _check(model, arrays)
    cells = model.machine.tables.cells
    for row, name in ((kernel.U, "u"), (kernel.V, "v"), (kernel.LEFT, "wait")):
        cells[row] = arrays[name]
    _resend(model, arrays["sent"])
    for name in model.connections:
        model.set_whole_weights(name, arrays[f"weights/{name}"])
    for name, view in _views(model).items():
        view[...] = arrays[name]


def _views(model: LoihiModel) -> dict[str, NDArray[Any]]:
    learning = model.machine.learning
    sources: dict[str, NDArray[Any]] = {} if model.sources is None else {"sources": model.sources.state}
    if learning is None:
        return sources
    views: dict[str, NDArray[Any]] = sources | {"clock": learning.clock[: lk.UPDATES], "reward": learning.reward}
    for name, rule in zip(model.plastic_names(), learning.rules, strict=True):
        z, size = int(rule[lk.R_Z]), int(rule[lk.R_LAST] - rule[lk.R_FIRST])
        post = slice(int(rule[lk.R_Y]), int(rule[lk.R_Y] + rule[lk.R_SIZE]))
        views[f"tags/{name}"] = learning.synapse[lk.TAG, z : z + size]
        views[f"pre_trace/{name}"] = learning.x[:, int(rule[lk.R_X]) : int(rule[lk.R_X] + rule[lk.R_X_SIZE])]
        views[f"post_trace/{name}"] = learning.y[:, post]
        views[f"sums/{name}"] = learning.reward_sum[post]
    return views


def _check(model: LoihiModel, arrays: Mapping[str, NDArray[Any]]) -> None:
    own = take(model)
    for name, told in model.connections.items():
        saved = arrays.get(f"shape/{name}")
        if saved is not None and saved.shape == (2,) and tuple(saved) != (told.pre.size, told.post.size):
            here = f"{told.pre.size}x{told.post.size}"
            raise WeightsError(f"{name}: saved for {saved[0]}x{saved[1]} synapses, this network has {here}; {REMEDY}")
    missing, foreign = sorted(set(own) - set(arrays)), sorted(set(arrays) - set(own))
    if missing or foreign:
        words = [f"{', '.join(missing)} missing"] if missing else []
        words += [f"{', '.join(foreign)} unknown to this network"] if foreign else []
        raise WeightsError(f"saved for another network or back end: {'; '.join(words)}; {REMEDY}")
    for name, mine in own.items():
        saved = arrays[name]
        if saved.dtype != mine.dtype or saved.shape != mine.shape:
            raise WeightsError(
                f"{name}: saved as {saved.dtype} {saved.shape}, this network has {mine.dtype} {mine.shape}; {REMEDY}"
            )
        if name.startswith(("synapses/", "shape/")) and not np.array_equal(saved, mine):
            raise WeightsError(f"{name}: saved for other synapses or delays than this network has; {REMEDY}")
        low, high = _bounds(model, name)
        if saved.size and not low <= saved.min() <= saved.max() <= high:
            raise WeightsError(f"{name}: the chip holds {low} to {high}, got {saved.min()} to {saved.max()}; {REMEDY}")


def _bounds(model: LoihiModel, name: str) -> tuple[float, float]:
    """What the numbers of an array can be; NaN is outside of any bounds."""
    kind, _, connection = name.partition("/")
    if kind == "weights":
        if connection in model.quantised.learning:
            rule = model.quantised.learning[connection].rule
            return rule.w_min, rule.w_max
        return WEIGHT_BOUNDS[model.quantised.chip.synapses[connection].sign_mode]
    bounds: dict[str, tuple[float, float]] = {
        "v": (1 - reg.STATE_LIMIT, reg.STATE_LIMIT - 1),
        "wait": (0, reg.LARGEST_REFRACT),
        "sent": (0, (1 << reg.LARGEST_MESSAGE_BITS) - 1),
        "tags": (-LARGEST_TAG - 1, LARGEST_TAG),
        "pre_trace": (0, LARGEST_TRACE),
        "post_trace": (0, LARGEST_TRACE),
        "clock": (0, (1 << 63) - 1),
        "reward": (-1e9, 1e9),
        "sums": (-1e15, 1e15),
    }
    return bounds.get(kind, (-(1 << 63), (1 << 63) - 1))


def _sent(model: LoihiModel) -> NDArray[np.int32]:
    """Spikes under way as a dense (depth, n) array of payloads, row a = emitted a + 1 steps ago."""
    held = model.machine.tables
    depth = len(held.sent_count)
    dense = np.zeros((depth, held.cells.shape[1]), np.int32)
    for age in range(depth):
        slot = (model.steps - 1 - age) % depth
        for layer, row in enumerate(held.layers):
            start = int(row[kernel.L_START])
            packed = slice(start, start + int(held.sent_count[slot, layer]))
            dense[age, start + held.sent[kernel.INDEX, slot, packed]] = held.sent[kernel.VALUE, slot, packed]
    return dense


def _resend(model: LoihiModel, dense: NDArray[np.int32]) -> None:
    held = model.machine.tables
    for age in range(len(dense)):
        slot = (model.steps - 1 - age) % len(dense)
        for layer, row in enumerate(held.layers):
            start, size = int(row[kernel.L_START]), int(row[kernel.L_SIZE])
            index = np.flatnonzero(dense[age, start : start + size])
            packed = slice(start, start + index.size)
            held.sent[kernel.INDEX, slot, packed] = index
            held.sent[kernel.VALUE, slot, packed] = 1 if row[kernel.L_INPUT] < 0 else dense[age, start + index]
            held.sent_count[slot, layer] = index.size
