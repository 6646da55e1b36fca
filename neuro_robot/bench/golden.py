"""Golden traces of Loihi's fixed-point neuron against the integer machine: u, v and spikes, equal to the bit or not.

A trace is an .npz of one run: s_in (inputs, steps), w (neurons, inputs), optional w_rec (neurons, neurons), delay
(neurons, inputs) and w_eff, bias_mant and bias_exp (neurons,), the expected u, v, s_out (neurons, steps), and meta, a
JSON text with du, dv, vth, weight_exp, num_weight_bits, graded and refract.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from neuro_robot.errors import ConfigError, FileFormatError
from neuro_robot.snn.backends.loihi.description import ChipNetwork, Compartments
from neuro_robot.snn.backends.loihi.machine import Machine

GRADED_BITS = 8  # payloads of the graded traces are of 8 bits
NEEDED = ("s_in", "w", "bias_mant", "bias_exp", "u", "v", "s_out", "meta")
RECORDED = ("u", "v", "s_out")


@dataclass(frozen=True)
class Comparison:
    """One trace: its size, and for each recorded array the first step that differs (None: equal to the bit)."""

    name: str
    neurons: int
    steps: int
    spikes: int
    first_difference: dict[str, int | None]
    note: str

    @property
    def equal(self) -> bool:
        """Whether all three arrays are equal to the bit."""
        return all(step is None for step in self.first_difference.values())


def find_traces(folder: Path) -> list[Path]:
    """The traces of a folder, by name; ConfigError when there are none."""
    found = sorted(folder.glob("*.npz"))
    if not found:
        raise ConfigError(f"{folder}: expected a folder of golden traces (*.npz), found none")
    return found


def compare(path: Path) -> Comparison:
    """Run one trace's network and compare; FileFormatError when the file is no golden trace."""
    trace = load(path)
    meta = _meta(path, trace)
    machine = Machine(network_of(trace, meta))
    made = run(machine, trace["s_in"])
    first = {name: _first_difference(made[name], trace[name]) for name in RECORDED}
    neurons, steps = trace["u"].shape
    return Comparison(path.stem, neurons, steps, int(trace["s_out"].sum()), first, _note(trace, meta))


def load(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of a trace, their names and shapes checked."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (OSError, ValueError, zipfile.BadZipFile, EOFError) as error:
        raise FileFormatError(f"{path}: not a golden trace: {error}") from error
    missing = [name for name in NEEDED if name not in arrays]
    if missing:
        raise FileFormatError(f"{path}: not a golden trace: {', '.join(missing)} missing")
    if arrays["w"].ndim != 2 or arrays["s_in"].ndim != 2:
        raise FileFormatError(f"{path}: expected two-dimensional w and s_in")
    (neurons, inputs), steps = arrays["w"].shape, arrays["s_in"].shape[1]
    shapes = {
        "s_in": (inputs, steps), "delay": (neurons, inputs), "w_rec": (neurons, neurons),
        "bias_mant": (neurons,), "bias_exp": (neurons,), "u": (neurons, steps), "v": (neurons, steps),
        "s_out": (neurons, steps),
    }  # fmt: skip
    for name, shape in shapes.items():
        if name in arrays and (arrays[name].shape != shape or arrays[name].dtype.kind not in "iub"):
            raise FileFormatError(
                f"{path}: {name}: expected whole numbers {shape}, got {arrays[name].dtype} {arrays[name].shape}"
            )
    return arrays


def network_of(trace: Mapping[str, NDArray[Any]], meta: Mapping[str, Any]) -> ChipNetwork:
    """The trace's network in the chip's integers."""
    neurons, inputs = trace["w"].shape
    bits = GRADED_BITS if meta.get("graded") else 0
    exponent, weight_bits = int(meta["weight_exp"]), int(meta["num_weight_bits"])
    network = ChipNetwork()
    network.add_input("in", inputs, message_bits=bits)
    cell = Compartments(
        int(meta["du"]), int(meta["dv"]), int(meta["vth"]), trace["bias_mant"], trace["bias_exp"],
        int(meta.get("refract") or 1),
    )  # fmt: skip
    network.add_layer("lif", neurons, cell)
    delays = trace["delay"].T if "delay" in trace else 0
    weights = trace["w"].T.astype(np.int64)
    network.connect("in", "lif", weights, delays, weight_exp=exponent, weight_bits=weight_bits, message_bits=bits)
    if "w_rec" in trace:
        weights = trace["w_rec"].T.astype(np.int64)
        network.connect("lif", "lif", weights, weight_exp=exponent, weight_bits=weight_bits)
    return network


def run(machine: Machine, s_in: NDArray[Any]) -> dict[str, NDArray[np.int32]]:
    """u, v and s_out, (neurons, steps), of the machine's layer `lif` over the input spikes."""
    place = machine.layer_slices["lif"]
    shape = (place.stop - place.start, s_in.shape[1])
    made = {name: np.zeros(shape, np.int32) for name in RECORDED}
    payloads = np.ascontiguousarray(s_in.T, np.int32)
    for t, row in enumerate(payloads):
        made["s_out"][machine.step(row) - place.start, t] = 1
        made["u"][:, t], made["v"][:, t] = machine.u[place], machine.v[place]
    return made


def golden_table(rows: list[Comparison]) -> Table:
    """One line per trace."""
    table = Table(title="golden traces of Loihi's fixed-point neuron, equal to the bit")
    table.add_column("trace")
    for name in ("neurons", "steps", "spikes"):
        table.add_column(name, justify="right")
    for name in ("u", "v", "spikes out"):
        table.add_column(name)
    table.add_column("network")
    for row in rows:
        cells = ["equal" if at is None else f"differs at step {at}" for at in row.first_difference.values()]
        table.add_row(row.name, str(row.neurons), str(row.steps), str(row.spikes), *cells, row.note)
    return table


def _meta(path: Path, trace: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    try:
        meta = json.loads(str(trace["meta"]))
        for name in ("du", "dv", "vth", "weight_exp", "num_weight_bits"):
            int(meta[name])
    except (ValueError, TypeError, KeyError) as error:
        raise FileFormatError(
            f"{path}: meta: expected JSON with du, dv, vth, weight_exp, num_weight_bits: {error}"
        ) from error
    return dict(meta)


def _first_difference(made: NDArray[Any], expected: NDArray[Any]) -> int | None:
    wrong = np.flatnonzero((made != expected).any(axis=0))
    return int(wrong[0]) if wrong.size else None


def _note(trace: Mapping[str, NDArray[Any]], meta: Mapping[str, Any]) -> str:
    words = [f"du {meta['du']} dv {meta['dv']} vth {meta['vth']}"]
    words += [f"exponent {meta['weight_exp']}"] if meta["weight_exp"] else []
    words += [f"{meta['num_weight_bits']} bits"] if meta["num_weight_bits"] != 8 else []
    words += ["recurrent"] if "w_rec" in trace else []
    words += [f"delays to {trace['delay'].max()}"] if "delay" in trace else []
    words += ["graded"] if meta.get("graded") else []
    words += [f"refractory {meta['refract']}"] if meta.get("refract", 1) not in (None, 1) else []
    return ", ".join(words)
