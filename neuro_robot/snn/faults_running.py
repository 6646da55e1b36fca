"""Faults at work: what stands between a caller and a model while something in it is broken.

A model without faults never comes here: `inject` puts this object's `step`, `run` and `reset_state` in front of the
model's own, `heal` takes them away again. What a fault does to a back end's tables is in its Breaker.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuro_robot.errors import ConfigError
from neuro_robot.snn.faults import Effect, Fault, Loss
from neuro_robot.snn.faults_breaker import FaultReport, Stuck
from neuro_robot.snn.faults_chosen import Index

if TYPE_CHECKING:
    from neuro_robot.snn.backends.base import Model, Raster

GUARDED = ("step", "run", "reset_state")
NEVER = 1 << 62
LONGEST_TEXT = 200  # of a fault in a report, which may list a thousand neurons


class _Timed(NamedTuple):
    """A fault from one step to another, counted from `since`: the injection, or the last reset_state after it."""

    fault: Fault
    effect: Effect
    first: int
    last: int
    since: int

    def acts(self, clock: int) -> bool:
        return self.first <= clock - self.since < self.last

    def text(self, dt_ms: float) -> str:
        when = f" from {self.first * dt_ms:g} ms" if self.first else ""
        fault = str(self.fault)
        fault = fault if len(fault) <= LONGEST_TEXT else f"{fault[:LONGEST_TEXT]}...)"
        return f"{fault}{when}" + ("" if self.last == NEVER else f" until {self.last * dt_ms:g} ms")


class FaultyModel:
    """The faults of one model."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.spikes_lost = 0
        self._breaker = model.breaker()
        self._timed: list[_Timed] = []
        self._clock = 0
        self._edge = 0  # the clock at which what acts changes next
        self._dead = np.zeros(0, np.int64)
        self._stuck: Stuck = {}
        self._sound: Stuck = {}  # what stuck synapses held before
        self._losses: list[Loss] = []

    def inject(self, fault: Fault, at_ms: float, until_ms: float) -> None:
        """See Model.inject."""
        effect = self.checked(fault, at_ms, until_ms)
        if not self._timed:
            self._clock = 0
        first, last = (NEVER if t == math.inf else math.ceil(t / self.model.dt_ms) for t in (at_ms, until_ms))
        self._timed.append(_Timed(fault, effect, first, last, self._clock))
        for name in GUARDED:
            setattr(self.model, name, getattr(self, name))
        self._change()

    def checked(self, fault: Fault, at_ms: float, until_ms: float) -> Effect:
        """What the fault does to the model; nothing is done yet. ConfigError for one that `inject` would refuse."""
        where = f"inject: {type(fault).__name__}"
        for name, when in (("at_ms", at_ms), ("until_ms", until_ms)):
            if isinstance(when, (bool, str)) or not when >= 0:
                raise ConfigError(f"{where}: {name}: expected a time from 0, got {when!r}")
        if not at_ms < until_ms:
            raise ConfigError(f"{where}: until_ms: expected later than {at_ms:g}, got {until_ms:g}")
        effect = fault.effect(self.model)
        for name, (synapses, value) in effect.stuck.items():
            self._breaker.held(name, synapses, value)  # raises where it cannot be held
        return effect

    def heal(self, fault: Fault | None) -> None:
        """See Model.heal."""
        self._timed = [] if fault is None else [timed for timed in self._timed if timed.fault != fault]
        self._change()
        if not self._timed:
            for name in GUARDED:
                self.model.__dict__.pop(name, None)

    def holds(self, fault: Fault) -> bool:
        """Whether the fault was injected and not healed."""
        return any(timed.fault == fault for timed in self._timed)

    def report(self) -> FaultReport:
        """See Model.faults."""
        ahead = [timed for timed in self._timed if self._clock < timed.since + timed.first]
        now = [timed for timed in self._timed if timed.acts(self._clock)]
        stuck = sum(synapses.size for synapses, _ in self._stuck.values())
        acting, waiting = (tuple(timed.text(self.model.dt_ms) for timed in some) for some in (now, ahead))
        return FaultReport(acting, waiting, self._dead.size, stuck, self.spikes_lost)

    def step(self, inputs: ArrayLike | None = None) -> NDArray[np.int32]:
        """As Model.step, with the faults."""
        if self._clock >= self._edge:
            self._change()
        values, lost = self._received(inputs)
        self._breaker.before(self._dead, self._stuck)
        try:
            fired = type(self.model).step(self.model, values)
        finally:
            self._breaker.after(self._dead, self._stuck)
        fired = self._sent(fired)
        self.spikes_lost += lost
        self._clock += 1
        return fired

    def run(self, inputs: Raster | ArrayLike | None = None, steps: int | None = None) -> Raster:
        """As Model.run, step by step."""
        from neuro_robot.snn.backends.base import Model

        return Model.run(self.model, inputs, steps)

    def reset_state(self) -> None:
        """As Model.reset_state; faults stay, and those with a time wait for it anew."""
        type(self.model).reset_state(self.model)
        self._clock = 0
        self._timed = [timed._replace(since=0) for timed in self._timed]
        self._change()

    def _change(self) -> None:
        """What acts from now on: the dead, the stuck (a later fault's value counts), what is lost; the healed."""
        now = [timed.effect for timed in self._timed if timed.acts(self._clock)]
        edges = [timed.since + edge for timed in self._timed for edge in (timed.first, timed.last)]
        self._edge = min((edge for edge in edges if edge > self._clock), default=NEVER)
        self._dead = np.unique(np.concatenate([np.zeros(0, np.int64), *(effect.dead for effect in now)]))
        self._losses = [loss for effect in now for loss in effect.lost]
        before, self._stuck = self._stuck, {}
        for effect in now:
            for name, (synapses, value) in effect.stuck.items():
                self._add_stuck(name, synapses, value, before)
        for name, (synapses, _) in before.items():
            stays = np.isin(synapses, self._stuck[name][0]) if name in self._stuck else np.zeros(synapses.size, bool)
            self._breaker.stick(name, synapses[~stays], self._sound[name][1][~stays])
        self._sound = {name: self._was_sound(name, before) for name in self._stuck}
        for name, (synapses, values) in self._stuck.items():
            self._breaker.stick(name, synapses, values)

    def _add_stuck(self, name: str, synapses: Index, value: float | None, before: Stuck) -> None:
        values = self._breaker.held(name, synapses, value)
        if value is None and name in before:  # held already: it goes on as it is
            old, kept = before[name]
            same = np.isin(synapses, old)
            values[same] = kept[np.searchsorted(old, synapses[same])]
        if name in self._stuck:
            older, first = self._stuck[name]
            new = ~np.isin(older, synapses)
            synapses, values = np.concatenate([older[new], synapses]), np.concatenate([first[new], values])
        order = np.argsort(synapses)
        self._stuck[name] = synapses[order], values[order]

    def _was_sound(self, name: str, before: Stuck) -> tuple[Index, NDArray[Any]]:
        """What the synapses held before they were stuck."""
        synapses = self._stuck[name][0]
        values = self._breaker.held(name, synapses, None)
        if name in before:
            same = np.isin(synapses, before[name][0])
            values[same] = self._sound[name][1][np.searchsorted(before[name][0], synapses[same])]
        return synapses, values

    def _received(self, inputs: ArrayLike | None) -> tuple[ArrayLike | None, int]:
        """The inputs without dead lines and lost spikes, and how many were lost."""
        model = self.model
        lines = list(model.input_slices.values())
        if inputs is None or not lines or np.shape(inputs) != (lines[-1].stop,):
            return inputs, 0  # what is wrong with them the model says itself
        values, lost = inputs, 0
        for name, line in model.input_slices.items():
            place = model.layer_slices[name]
            gone = self._dead[(self._dead >= place.start) & (self._dead < place.stop)] - place.start
            losses = [loss for loss in self._losses if loss.layer == name]
            if gone.size or losses:
                values = np.array(values)
                values[line.start + gone] = 0
                given = np.flatnonzero(values[line])
                dropped = given[self._is_lost(losses, given)]
                values[line.start + dropped] = 0
                lost += dropped.size
        return values, lost

    def _sent(self, fired: NDArray[np.int32]) -> NDArray[np.int32]:
        """The spikes that are not lost."""
        for name in dict.fromkeys(loss.layer for loss in self._losses):
            if name in self.model.input_slices:
                continue
            place = self.model.layer_slices[name]
            mine = (fired >= place.start) & (fired < place.stop)
            gone = self._is_lost([one for one in self._losses if one.layer == name], fired[mine] - place.start)
            if gone.any():
                self.spikes_lost += int(np.count_nonzero(gone))
                self._breaker.forget(list(self.model.layer_slices).index(name), ~gone)
                mine[mine] = gone
                fired = fired[~mine]
        return fired

    def _is_lost(self, losses: list[Loss], neurons: NDArray[np.integer[Any]]) -> NDArray[np.bool_]:
        gone = np.zeros(neurons.size, np.bool_)
        for loss in losses:
            gone |= uniform(loss.seed, self._clock, neurons) < loss.probability
            if loss.listed:
                gone |= np.array([(self._clock, n) in loss.listed for n in neurons.tolist()], np.bool_)
        return gone


def uniform(seed: int, step: int, neurons: NDArray[np.integer[Any]]) -> NDArray[np.float64]:
    """One number from 0 to 1 for each neuron, from nothing but seed, step and neuron.

    The finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014) over the step's seed plus the neuron.
    """
    start = (mixed(mixed(seed) + step) % (1 << 64)) ^ 0x9E3779B97F4A7C15
    h = neurons.astype(np.uint64) * np.uint64(0xD1342543DE82EF95) + np.uint64(start)
    h = (h ^ (h >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    h = (h ^ (h >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    h ^= h >> np.uint64(31)
    return (h >> np.uint64(11)).astype(np.float64) * 2.0**-53


def mixed(z: int) -> int:
    """The finaliser of SplitMix64 for one number."""
    z = (z + 0x9E3779B97F4A7C15) % (1 << 64)
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % (1 << 64)
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB % (1 << 64)
    return z ^ (z >> 31)
