"""A network's complete state as named arrays, and the checked way back.

Names: state, refractory, threshold, pre_trace, post_trace, sent (spikes under way, newest step first, (depth, n)),
and per connection shape/<name> (n_pre, n_post), synapses/<name> (n, 3: pre, post, delay), weights/<name> (n,) and,
if plastic, eligibility/<name> (n,). Nothing is NaN, so that a file of them can be refused when something is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neuro_robot.errors import ConfigError, WeightsError
from neuro_robot.snn import kernel
from neuro_robot.snn.network import check_weights

if TYPE_CHECKING:
    from neuro_robot.snn.compiled import CompiledNetwork

# what `reset_state` puts back: the dynamic fields of Tables; refractory[REF_STEPS] is constant, so harmless
DYNAMIC = ("state", "refractory", "plastic", "pre_trace", "post_trace", "sent_count")
REMEDY = "load a file that this network saved, or start without one"


def take(network: CompiledNetwork) -> dict[str, NDArray[Any]]:
    """Copies of all arrays named in the module's text."""
    tables = network.tables
    neurons = tables.layers[tables.layers[:, kernel.LAYER_INPUT] < 0]
    threshold = tables.cells[kernel.V_TH].copy()
    threshold[~_is_neuron(neurons, threshold.size)] = 0.0  # input lines have none
    arrays: dict[str, NDArray[Any]] = {
        "state": tables.state.copy(),
        "refractory": tables.refractory[kernel.REF_LEFT].copy(),
        "threshold": threshold,
        "pre_trace": tables.pre_trace.copy(),
        "post_trace": tables.post_trace.copy(),
        "sent": _sent(tables),
    }
    for name, told in network.connections.items():
        place = network.synapses(name)
        arrays[f"shape/{name}"] = np.array([told.pre.size, told.post.size], np.int64)
        arrays[f"synapses/{name}"] = np.stack([told.pre_index, told.post_index, told.delay_steps], axis=1)
        arrays[f"weights/{name}"] = tables.weight[place].copy()
        if told.rule is not None:
            arrays[f"eligibility/{name}"] = tables.plastic[kernel.ELIGIBILITY, place].copy()
    return arrays


def restore(network: CompiledNetwork, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Check everything against the network, then write everything; WeightsError says what differs."""
    _check(network, arrays)
    tables = network.tables
    neuron = _is_neuron(tables.layers[tables.layers[:, kernel.LAYER_INPUT] < 0], tables.state.shape[1])
    tables.state[...] = arrays["state"]
    tables.refractory[kernel.REF_LEFT] = arrays["refractory"]
    tables.cells[kernel.V_TH, neuron] = arrays["threshold"][neuron]
    tables.pre_trace[...] = arrays["pre_trace"]
    tables.post_trace[...] = arrays["post_trace"]
    _resend(tables, arrays["sent"])
    for name, told in network.connections.items():
        tables.weight[network.synapses(name)] = arrays[f"weights/{name}"]
        if told.rule is not None:
            tables.plastic[kernel.ELIGIBILITY, network.synapses(name)] = arrays[f"eligibility/{name}"]


def _check(network: CompiledNetwork, arrays: Mapping[str, NDArray[Any]]) -> None:
    own = take(network)
    for name, told in network.connections.items():
        saved = arrays.get(f"shape/{name}")
        here = f"{told.pre.size}x{told.post.size}"
        if saved is not None and saved.shape == (2,) and tuple(saved) != (told.pre.size, told.post.size):
            raise WeightsError(f"{name}: saved for {saved[0]}x{saved[1]} synapses, this network has {here}; {REMEDY}")
    missing, foreign = sorted(set(own) - set(arrays)), sorted(set(arrays) - set(own))
    if missing or foreign:
        words = [f"{', '.join(missing)} missing"] if missing else []
        words += [f"{', '.join(foreign)} unknown to this network"] if foreign else []
        raise WeightsError(f"saved for another network: {'; '.join(words)}; {REMEDY}")
    for name, mine in own.items():
        saved = arrays[name]
        if saved.dtype != mine.dtype or saved.shape != mine.shape:
            raise WeightsError(
                f"{name}: saved as {saved.dtype} {saved.shape}, this network has {mine.dtype} {mine.shape}; {REMEDY}"
            )
        if saved.dtype.kind == "f" and not np.all(np.isfinite(saved)):
            raise WeightsError(f"{name}: holds NaN or infinity; {REMEDY}")
        if name.startswith("synapses/") and not np.array_equal(saved, mine):
            raise WeightsError(f"{name}: saved for other synapses or delays than this network has; {REMEDY}")
    for name in ("refractory", "pre_trace", "post_trace", "sent"):
        if arrays[name].size and arrays[name].min() < 0:
            raise WeightsError(f"{name}: expected no negative values, got {arrays[name].min()}; {REMEDY}")
    _check_weights(network, arrays)


def _check_weights(network: CompiledNetwork, arrays: Mapping[str, NDArray[Any]]) -> None:
    try:
        for name, told in network.connections.items():
            check_weights(name, arrays[f"weights/{name}"], told.rule, told.scaling)
    except ConfigError as error:
        raise WeightsError(f"{error}; {REMEDY}") from error


def _is_neuron(neurons: NDArray[np.int64], n: int) -> NDArray[np.bool_]:
    chosen = np.zeros(n, np.bool_)
    for start, size, _ in neurons:
        chosen[start : start + size] = True
    return chosen


def _sent(tables: kernel.Tables) -> NDArray[np.float32]:
    """Spikes under way as a dense (depth, n) array of values, row a = emitted a + 1 steps ago."""
    depth, n = tables.sent_value.shape
    dense = np.zeros((depth, n), np.float32)
    for age in range(depth):
        slot = (int(tables.counters[kernel.STEP]) - 1 - age) % depth
        for layer, (start, _, _) in enumerate(tables.layers):
            packed = slice(start, start + tables.sent_count[slot, layer])
            dense[age, start + tables.sent_index[slot, packed]] = tables.sent_value[slot, packed]
    return dense


def _resend(tables: kernel.Tables, dense: NDArray[np.float32]) -> None:
    depth = dense.shape[0]
    for age in range(depth):
        slot = (int(tables.counters[kernel.STEP]) - 1 - age) % depth
        for layer, (start, size, _) in enumerate(tables.layers):
            index = np.flatnonzero(dense[age, start : start + size])
            packed = slice(start, start + index.size)
            tables.sent_index[slot, packed] = index
            tables.sent_value[slot, packed] = dense[age, start + index]
            tables.sent_count[slot, layer] = index.size
