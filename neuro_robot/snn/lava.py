"""A chip network run by Intel's Lava, on its fixed-point simulator or, where there is one, on a Loihi 2 board.

Lava runs on Python 3.10 alone and is not a dependency: `available` says why it cannot be used here. It serves to check
our own integers by Intel's: the same layers, weights, delays, payloads and inputs, current, voltage and spikes back.
What Lava's fixed-point LIF lacks is refused: refractory periods, different decays or thresholds within a layer, a start
other than rest; learning is not carried over.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuro_robot.errors import ConfigError
from neuro_robot.snn.backends.loihi import registers as reg
from neuro_robot.snn.backends.loihi.description import ChipLayer, ChipNetwork, Synapses

INSTALL = "install lava-nc into a Python 3.10 (pip install lava-nc), or use the back end loihi2, which needs no Lava"


@dataclass(frozen=True)
class LavaRun:
    """u, v int32 and spikes bool, (steps, n), in the numbering of all neurons; 0 for input lines."""

    u: NDArray[np.int32]
    v: NDArray[np.int32]
    spikes: NDArray[np.bool_]


def available() -> str:
    """Why Lava cannot run here, or an empty text."""
    if find_spec("lava") is None or find_spec("lava.magma") is None:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        return f"Lava is not installed (this is Python {version}, Lava needs 3.10); {INSTALL}"
    return ""


def run(network: ChipNetwork, payloads: NDArray[np.integer[Any]], hardware: bool = False) -> LavaRun:
    """Run the steps of payloads, (steps, n_inputs), from rest.

    hardware: on a Loihi 2 board instead of the simulator. Raises ConfigError when Lava is not installed, on payloads of
    another shape, and on what it cannot express.
    """
    reason = available()
    if reason:
        raise ConfigError(reason)
    processes, sinks = _build(network, payloads, _check(network, payloads))
    u, v, spikes = _record(network, processes, sinks, len(payloads), hardware)
    return LavaRun(u, v, spikes)


def _check(network: ChipNetwork, payloads: NDArray[np.integer[Any]]) -> bool:
    """Whether inputs arrive in their own step, and not a step later; ConfigError for what Lava lacks."""
    inputs = [layer for layer in network.layers.values() if layer.parameters is None]
    lines = sum(layer.size for layer in inputs)
    if payloads.ndim != 2 or payloads.shape[1] != lines or payloads.dtype.kind not in "iub" or not len(payloads):
        raise ConfigError(
            f"lava: payloads: expected whole numbers of the shape (steps, {lines}), "
            f"got {payloads.dtype} {payloads.shape}"
        )
    latencies = {layer.latency for layer in inputs}
    if len(latencies) > 1:
        raise ConfigError("lava: expected one latency for all inputs, got 0 and 1")
    for layer in network.layers.values():
        if layer.parameters is not None:
            _parameters(layer)
    for told in network.synapses.values():
        if told.rule is not None:
            raise ConfigError(f"lava: connection {told.name!r}: learning is not carried over; leave its rule out")
    return latencies == {0}


def _parameters(layer: ChipLayer) -> dict[str, Any]:
    """Lava's parameters of a layer, by name."""
    assert layer.parameters is not None
    du, dv, vth, mantissa, exponent, refract, start = layer.parameters
    for name, values, allowed in (("refract", refract, 1), ("v_start", start, 0)):
        if np.any(values != allowed):
            raise ConfigError(f"lava: layer {layer.name!r}: {name}: Lava's fixed-point LIF knows only {allowed}")
    for name, values in (("du", du), ("dv", dv), ("vth", vth)):
        if np.ptp(values):
            raise ConfigError(f"lava: layer {layer.name!r}: {name}: Lava has one for a whole layer")
    return {
        "shape": (layer.size,), "du": int(du[0]), "dv": int(dv[0]), "vth": int(vth[0]),
        "bias_mant": mantissa.astype(np.int32), "bias_exp": exponent.astype(np.int32),
    }  # fmt: skip


def _build(
    network: ChipNetwork, payloads: NDArray[np.integer[Any]], early: bool
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Lava's processes by layer, connected, and a recorder of spikes for each layer of neurons.

    An input of Lava takes a step to arrive. Where ours is to arrive at once, the first row is put into the synapses as
    under way, and the others are sent a step ahead.
    """
    lif, source = import_module("lava.proc.lif.process"), import_module("lava.proc.io.source")
    sink = import_module("lava.proc.io.sink")
    rows = np.concatenate([payloads[1:], np.zeros_like(payloads[:1])]) if early else payloads
    processes: dict[str, Any] = {}
    sinks: dict[str, Any] = {}
    under_way: dict[str, NDArray[np.int64]] = {}
    first = 0
    for layer in network.layers.values():
        if layer.parameters is None:
            part = rows[:, first : first + layer.size]
            processes[layer.name] = source.RingBuffer(data=np.ascontiguousarray(part.T, np.int32))
            if early:
                under_way[layer.name] = payloads[0, first : first + layer.size].astype(np.int64)
            first += layer.size
        else:
            processes[layer.name] = lif.LIF(**_parameters(layer))
            sinks[layer.name] = sink.RingBuffer(shape=(layer.size,), buffer=len(payloads))
            processes[layer.name].s_out.connect(sinks[layer.name].a_in)
    for told in network.synapses.values():
        dense = _dense(told)
        if told.pre.name in under_way:
            dense.a_buff.init = _sums(told, under_way[told.pre.name], dense.a_buff.shape)
        processes[told.pre.name].s_out.connect(dense.s_in)
        dense.a_out.connect(processes[told.post.name].a_in)
    return processes, sinks


def _dense(told: Synapses) -> Any:
    """The synapses as Lava's Dense or DelayDense; absent ones are weights of 0."""
    module, utils = import_module("lava.proc.dense.process"), import_module("lava.utils.weightutils")
    shape = (told.post.size, told.pre.size)
    weights, delays = np.zeros(shape, np.int32), np.zeros(shape, int)
    if np.unique(told.post_index * told.pre.size + told.pre_index).size < told.weights.size:
        raise ConfigError(f"lava: connection {told.name!r}: Lava has one synapse for each pair of neurons")
    weights[told.post_index, told.pre_index] = told.weights
    delays[told.post_index, told.pre_index] = told.delays
    modes = {
        reg.MIXED: utils.SignMode.MIXED, reg.EXCITATORY: utils.SignMode.EXCITATORY,
        reg.INHIBITORY: utils.SignMode.INHIBITORY,
    }  # fmt: skip
    form = {
        "weights": weights, "weight_exp": told.weight_exp, "num_weight_bits": told.weight_bits,
        "sign_mode": modes[told.sign_mode], "num_message_bits": told.message_bits,
    }  # fmt: skip
    if delays.any():
        return module.DelayDense(delays=delays, **form)
    return module.Dense(**form)


def _sums(told: Synapses, row: NDArray[np.int64], shape: tuple[int, ...]) -> NDArray[np.int32]:
    """What one row of payloads has under way, by neuron and, where the synapses have delays, by delay."""
    payload = row if told.message_bits else (row != 0).astype(np.int64)
    sums = np.zeros((told.post.size, shape[1] if len(shape) > 1 else 1), np.int64)
    np.add.at(sums, (told.post_index, told.delays), told.weights * payload[told.pre_index])
    sums = sums << told.weight_exp if told.weight_exp > 0 else sums >> -told.weight_exp
    return sums.reshape(shape).astype(np.int32)


def _record(
    network: ChipNetwork, processes: dict[str, Any], sinks: dict[str, Any], steps: int, hardware: bool
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.bool_]]:
    """Run step by step and read currents, voltages and spikes."""
    conditions = import_module("lava.magma.core.run_conditions")
    configs = import_module("lava.magma.core.run_configs")
    config = configs.Loihi2HwCfg() if hardware else configs.Loihi2SimCfg(select_tag="fixed_pt")
    n = sum(layer.size for layer in network.layers.values())
    u, v = np.zeros((steps, n), np.int32), np.zeros((steps, n), np.int32)
    spikes = np.zeros((steps, n), np.bool_)
    places, first = {}, 0
    for layer in network.layers.values():
        places[layer.name] = slice(first, first + layer.size)
        first += layer.size
    runner = processes[next(iter(sinks))]
    try:
        for step in range(steps):
            runner.run(condition=conditions.RunSteps(num_steps=1), run_cfg=config)
            for name in sinks:
                u[step, places[name]] = processes[name].u.get()
                v[step, places[name]] = processes[name].v.get()
        for name, recorder in sinks.items():
            spikes[:, places[name]] = recorder.data.get().T != 0
    finally:
        runner.stop()
    return u, v, spikes
