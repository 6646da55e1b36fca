"""The same network in the processor's floating point: an arithmetic of its own to check the integers by.

Every number of the chip is a whole number far below 2^53, so float64 holds it exactly; a decay is a product below 2^36
that is divided by 4096 (exact) and cut towards zero, a shift is a division by a power of two that is floored. So this
machine and the integer one must agree in every current, voltage and spike. They share the tables of the description,
the record of spikes under way and, where something learns, the learning kernel; not the arithmetic.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neuro_robot.snn.backends.loihi import kernel
from neuro_robot.snn.backends.loihi.machine import Machine

Floats = NDArray[np.float64]
LIMIT = float(1 << 23)


class FloatMachine(Machine):
    """A Machine that computes in float64, with numpy, event driven."""

    def _advance_counts(self, counts: NDArray[np.float32]) -> int:
        good = (counts >= 0) & (counts <= 1 << 24)
        for layer in self.tables.layers[self.tables.layers[:, kernel.L_INPUT] >= 0]:
            here = slice(layer[kernel.L_INPUT], layer[kernel.L_INPUT] + layer[kernel.L_SIZE])
            if layer[kernel.L_LARGEST] == 1:
                good[here] &= (counts[here] == 0) | (counts[here] == 1)
            with np.errstate(invalid="ignore"):
                payloads = np.minimum(
                    np.rint(counts[here] * np.float32(layer[kernel.L_FRACTION])), layer[kernel.L_LARGEST]
                )
                self._payloads[here] = np.where(good[here], payloads, 0)
        return self._advance(self._payloads) if good.all() else -1 - int(np.argmin(good))

    def _advance(self, payloads: NDArray[np.int32]) -> int:
        held = self.tables
        slot = int(held.counters[kernel.STEP]) % len(held.sent_count)
        for number, layer in enumerate(held.layers):
            if layer[kernel.L_INPUT] >= 0:
                values = payloads[layer[kernel.L_INPUT] :][: layer[kernel.L_SIZE]]
                wrong = np.flatnonzero((values < 0) | (values > layer[kernel.L_LARGEST]))
                if wrong.size:
                    return -1 - int(layer[kernel.L_INPUT] + wrong[0])
                self._record(number, slot, np.flatnonzero(values), values[values != 0])
        sums = self._arrivals(slot)
        found = 0
        for number, layer in enumerate(held.layers):
            if layer[kernel.L_INPUT] < 0:
                here = slice(layer[kernel.L_START], layer[kernel.L_START] + layer[kernel.L_SIZE])
                spikes = self._neurons(here, sums[here])
                self._record(number, slot, spikes, 1)
                held.cells[kernel.SPIKES, found : found + spikes.size] = here.start + spikes
                found += spikes.size
        held.counters[kernel.STEP] += 1
        return found

    def _record(self, number: int, slot: int, index: NDArray[np.int64], value: NDArray[np.int32] | int) -> None:
        held, start = self.tables, self.tables.layers[number, kernel.L_START]
        held.sent[kernel.INDEX, slot, start : start + index.size] = index
        held.sent[kernel.VALUE, slot, start : start + index.size] = value
        held.sent_count[slot, number] = index.size
        held.counters[kernel.COUNTS + start + index] += 1

    def _arrivals(self, slot: int) -> Floats:
        """(n,) sums of what arrives; each group's is floored to its exponent by itself."""
        held, depth = self.tables, len(self.tables.sent_count)
        sums = np.zeros(held.cells.shape[1])
        for group in held.groups:
            at = (slot - group[kernel.G_LAG]) % depth
            here = slice(group[kernel.G_START], group[kernel.G_START] + held.sent_count[at, group[kernel.G_LAYER]])
            index, value = held.sent[:, at, here].astype(np.int64)
            first, last = held.row[group[kernel.G_ROW] + index], held.row[group[kernel.G_ROW] + index + 1]
            counts = last - first
            if not counts.any():
                continue
            synapse = np.arange(counts.sum()) + np.repeat(first - np.cumsum(counts) + counts, counts)
            payload = np.repeat(value.astype(np.float64), counts) if group[kernel.G_GRADED] else 1.0
            part = np.bincount(held.post[synapse], held.weight[synapse] * payload, sums.size).astype(np.float64)
            sums += np.floor(_wrapped(part) / 2.0 ** group[kernel.G_SHIFT])
            held.counters[kernel.OPERATIONS] += synapse.size
        return sums

    def _neurons(self, here: slice, total: Floats) -> NDArray[np.int64]:
        """Current, voltage and spikes of one layer; returns the neurons that spiked."""
        cells = self.tables.cells[:, here].astype(np.float64)
        u = _wrapped(np.trunc(cells[kernel.U] * cells[kernel.KEEP_U] / 4096.0) + _wrapped(total * 64.0))
        u = np.where(u > LIMIT, u - 2 * LIMIT, np.where(u <= -LIMIT, u + 2 * LIMIT, u))
        v = _wrapped(np.trunc(cells[kernel.V] * cells[kernel.KEEP_V] / 4096.0) + u + cells[kernel.BIAS])
        v = np.where(cells[kernel.LEFT] > 0, 0.0, np.clip(v, 1.0 - LIMIT, LIMIT - 1.0))
        spikes = v > cells[kernel.VTH]
        left = np.where(spikes, cells[kernel.HOLD], np.maximum(cells[kernel.LEFT] - 1.0, 0.0))
        for row, values in ((kernel.U, u), (kernel.V, np.where(spikes, 0.0, v)), (kernel.LEFT, left)):
            self.tables.cells[row, here] = values
        return np.flatnonzero(spikes)


def _wrapped(x: Floats) -> Floats:
    """What 32 bits make of a whole number."""
    return x - np.floor((x + 2.0**31) / 2.0**32) * 2.0**32
