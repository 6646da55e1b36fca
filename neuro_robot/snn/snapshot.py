"""A network's complete state as named arrays, and the checked way back.

Names: state, refractory, threshold, pre_trace, post_trace, sent (spikes under way, newest step first, (depth, n)),
and per connection shape/<name> (n_pre, n_post), synapses/<name> (n, 3: pre, post, delay), weights/<name> (n,) and,
if plastic, eligibility/<name> (n,). Networks that need them also have extra (second current, adaptation), slow (slow
traces), of deferred rules clock, stamp, sums and past (what their weights have yet to gain), of scalings mean_rate
and phase, of random sources source. Nothing is NaN, so that a file of them can be refused when something is.
Faults (see `snn.faults`) are no part of a state: they belong to the model that has them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neuro_robot.errors import ConfigError, WeightsError
from neuro_robot.snn.kernels import tables as kernel
from neuro_robot.snn.network import check_weights

if TYPE_CHECKING:
    from neuro_robot.snn.compiled import CompiledNetwork

# what `reset_state` sets to 0, beside the membranes
ZERO_AT_REST = (
    "refractory", "plastic", "pre_trace", "post_trace", "slow", "stamp", "sums", "sent_count", "mean_rate"
)  # fmt: skip
NOT_NEGATIVE = ("refractory", "pre_trace", "post_trace", "slow", "sent", "mean_rate", "phase")
REMEDY = "load a file that this network saved, or start without one"


def take(network: CompiledNetwork) -> dict[str, NDArray[Any]]:
    """Copies of all arrays named in the module's text."""
    tables = network.tables
    threshold = tables.threshold.copy()
    threshold[~_is_neuron(tables)] = 0.0  # input lines have none
    arrays: dict[str, NDArray[Any]] = {
        "state": tables.state.copy(),
        "refractory": tables.refractory.copy(),
        "threshold": threshold,
        "pre_trace": tables.pre_trace.copy(),
        "post_trace": tables.post_trace.copy(),
        "sent": _sent(tables),
        **_further(tables),
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
    neuron = _is_neuron(tables)
    tables.state[...] = arrays["state"]
    tables.refractory[...] = arrays["refractory"]
    tables.threshold[neuron] = arrays["threshold"][neuron]
    tables.pre_trace[...] = arrays["pre_trace"]
    tables.post_trace[...] = arrays["post_trace"]
    _resend(tables, arrays["sent"])
    for name in ("extra", "slow", "stamp", "sums", "mean_rate", "source"):
        if name in arrays:
            getattr(tables, name)[...] = arrays[name]
    if "clock" in arrays:
        tables.rules[:, kernel.R_CLOCK] = arrays["clock"]
        for rule in deferred_rules(tables):
            first = tables.rules[rule, kernel.R_PAST]
            sums = sums_of_past(tables, rule)
            sums[...] = arrays["past"][first : first + sums.size]
    if "phase" in arrays:
        tables.scalings[:, kernel.S_PHASE] = arrays["phase"]
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
    for name in NOT_NEGATIVE:
        if name in arrays and arrays[name].size and arrays[name].min() < 0:
            raise WeightsError(f"{name}: expected no negative values, got {arrays[name].min()}; {REMEDY}")
    _check_clocks(network.tables, arrays)
    _check_weights(network, arrays)


def _check_clocks(tables: kernel.Tables, arrays: Mapping[str, NDArray[Any]]) -> None:
    """The kernels look things up by these, so they must lie where they can."""
    for rule in deferred_rules(tables):
        told = tables.rules[rule]
        clock, stamps = arrays["clock"][rule], arrays["stamp"][told[kernel.R_PRE_FIRST] : told[kernel.R_PRE_LAST]]
        if not 0 <= clock < 2**60 or np.any(stamps > clock) or np.any(stamps < clock - told[kernel.R_WINDOW]):
            raise WeightsError(
                f"stamp: expected times up to {told[kernel.R_WINDOW]} before the clock {clock}; {REMEDY}"
            )
    if "phase" in arrays and np.any(arrays["phase"] >= tables.scalings[:, kernel.S_PERIOD]):
        raise WeightsError(f"phase: expected less than the period of the scaling; {REMEDY}")


def _check_weights(network: CompiledNetwork, arrays: Mapping[str, NDArray[Any]]) -> None:
    try:
        for name, told in network.connections.items():
            check_weights(name, arrays[f"weights/{name}"], told.rule, told.scaling)
    except ConfigError as error:
        raise WeightsError(f"{error}; {REMEDY}") from error


def deferred_rules(tables: kernel.Tables) -> list[int]:
    """The numbers of the rules whose potentiation is put off."""
    found: list[int] = np.flatnonzero(tables.rules[:, kernel.R_KIND] == kernel.DEFERRED).tolist()
    return found


def sums_of_past(tables: kernel.Tables, rule: int) -> NDArray[np.float64]:
    """A view of the sums that a deferred rule remembers, without the powers that follow them."""
    told = tables.rules[rule]
    return tables.past[told[kernel.R_PAST] :][: (told[kernel.R_WINDOW] + 1) * told[kernel.R_SIZE]]


def _further(tables: kernel.Tables) -> dict[str, NDArray[Any]]:
    """What only some networks need."""
    kinds, rules = tables.layers[:, kernel.L_KIND], tables.rules
    arrays: dict[str, NDArray[Any]] = {}
    if np.any((kinds != kernel.INPUT) & (kinds != kernel.LEAKY) & (kinds != kernel.POISSON)):
        arrays["extra"] = tables.extra.copy()
    if np.any((rules[:, kernel.R_TRIPLET] == 1) | (rules[:, kernel.R_KIND] == kernel.PRODUCTS)):
        arrays["slow"] = tables.slow.copy()
    if deferred_rules(tables):
        arrays |= {"clock": rules[:, kernel.R_CLOCK].copy(), "stamp": tables.stamp.copy()}
        arrays |= {"sums": tables.sums.copy(), "past": tables.past.copy()}
    if len(tables.scalings):
        arrays |= {"mean_rate": tables.mean_rate.copy(), "phase": tables.scalings[:, kernel.S_PHASE].copy()}
    if np.any(kinds == kernel.POISSON):
        arrays["source"] = tables.source.copy()
    return arrays


def _is_neuron(tables: kernel.Tables) -> NDArray[np.bool_]:
    kinds = np.repeat(tables.layers[:, kernel.L_KIND], tables.layers[:, kernel.L_SIZE])
    neuron: NDArray[np.bool_] = (kinds != kernel.INPUT) & (kinds != kernel.POISSON)
    return neuron


def _sent(tables: kernel.Tables) -> NDArray[np.float32]:
    """Spikes under way as a dense (depth, n) array of values, row a = emitted a + 1 steps ago."""
    depth, n = tables.sent_value.shape
    dense = np.zeros((depth, n), np.float32)
    for age in range(depth):
        slot = (int(tables.counters[kernel.STEP]) - 1 - age) % depth
        for layer, (start, *_) in enumerate(tables.layers):
            packed = slice(start, start + tables.sent_count[slot, layer])
            dense[age, start + tables.sent_index[slot, packed]] = tables.sent_value[slot, packed]
    return dense


def _resend(tables: kernel.Tables, dense: NDArray[np.float32]) -> None:
    depth = dense.shape[0]
    for age in range(depth):
        slot = (int(tables.counters[kernel.STEP]) - 1 - age) % depth
        for layer, (start, size, *_) in enumerate(tables.layers):
            index = np.flatnonzero(dense[age, start : start + size])
            packed = slice(start, start + index.size)
            tables.sent_index[slot, packed] = index
            tables.sent_value[slot, packed] = dense[age, start + index]
            tables.sent_count[slot, layer] = index.size
