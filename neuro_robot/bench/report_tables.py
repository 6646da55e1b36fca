"""The tables of a run's report: names and values as a reader wants them, from summary.json."""

from __future__ import annotations

import html
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Rows = list[tuple[str, str]]
SPARSITY_NOTE = "By NeuroBench's definitions, a step as one execution. MAC: an input that carries a value, AC: a spike."
ENERGY_NOTE = (
    "Operation counts times Loihi's published constants (Davies et al. 2018); a model, not a measurement. Dynamic: "
    "what spikes and learning cause. Idle: updates of neurons that do not fire. Leakage, clocks and host are left out; "
    "measured systems need 10 to 100 times more. Learning updates: every change on cpu, of a whole unit on a chip."
)


def tables(summary: dict[str, Any]) -> Iterator[tuple[str, Rows, str]]:
    """Title, rows and a note for each table."""
    yield "Run", _run_rows(summary), ""
    yield "Events and spikes", _count_rows(summary), ""
    if "faults" in summary["diagnostics"] and (summary["configuration"]["mind"].get("faults") or _broken(summary)):
        yield "Faults", _fault_rows(summary), "What was broken on purpose; see docs/faults.md."
    if summary.get("disturbances"):
        rows = [(f"{one['t_s']:.3f} s", _disturbance(one)) for one in summary["disturbances"]]
        yield "Pushes and shifts", rows, "Of the world; pushes in N s along x, y, z, shifts from then on."
    if summary.get("changes"):
        yield "Changed from outside", _change_rows(summary["changes"]), "The bag has this too, so a replay does it."
    network = summary["network"]
    if network:
        yield "Network", _network_rows(network), ""
        yield "Sparsity and operations", _sparsity_rows(network), SPARSITY_NOTE
        yield "Energy (model)", _energy_rows(network["energy_model"]), ENERGY_NOTE
    if summary["digest"]:
        rows = [(name, str(value)[:16]) for name, value in summary["digest"].items()]
        yield "Digests", rows, "Equal digests: the same to the last bit."
    yield "Versions", [(name, str(value or "not installed")) for name, value in summary["versions"].items()], ""


def _run_rows(summary: dict[str, Any]) -> Rows:
    reply = summary["reply_ms"]
    return [
        ("mode", summary["mode"]),
        ("pilot", summary["pilot"].replace("_", " ")),
        ("network runs on", str(summary["configuration"]["mind"].get("backend", "-"))),
        ("learning", "on" if summary["learning"]["on"] else "off"),
        ("started from", Path(str(summary["learning"]["started_from"])).name),
        ("wall time", number(summary["wall_s"], "s", 1)),
        ("simulated seconds per second", number(summary["real_time_factor"], "", 2)),
        ("peak speed", number(summary["path"]["peak_speed"], "m/s", 2)),
        ("packet to command, p50", number(reply["p50"], "ms", 2)),
        ("packet to command, p99", number(reply["p99"], "ms", 2)),
        ("first event to first motor spike", number(summary["first_spike_ms"], "ms", 1)),
        ("adaptation time", _adaptation(summary["adaptation"])),
    ]


def _adaptation(told: dict[str, Any]) -> str:
    if "before" not in told:
        return "\u2013 (no shift)" if "shift" not in told else f"\u2013 ({told['why']})"
    if told["time_s"] is None:
        return "not recovered"
    return "not disturbed" if told["time_s"] == 0 else number(told["time_s"], "s", 2)


def _count_rows(summary: dict[str, Any]) -> Rows:
    counts = summary["counts"]
    on = 100 * counts["on_events"] / counts["events"] if counts["events"] else None
    return [
        ("events", compact(counts["events"])),
        ("mean event rate", f"{compact(counts['event_rate_hz'])}/s"),
        ("ON events", number(on, "%", 1)),
        ("spikes", compact(counts["spikes"])),
        ("mean spike rate", f"{compact(counts['spike_rate_hz'])}/s"),
        ("commands", compact(counts["commands"])),
    ]


def _broken(summary: dict[str, Any]) -> bool:
    return any(value for name, value in summary["diagnostics"].items() if name.startswith("fault"))


def _fault_rows(summary: dict[str, Any]) -> Rows:
    figures = summary["diagnostics"]
    asked = [item.strip() for item in str(summary["configuration"]["mind"].get("faults", "")).split(";")]
    return [
        *(("asked for", item) for item in asked if item),
        ("acting at the end", compact(figures["faults"])),
        ("still waiting for their time", compact(figures["faults_waiting"])),
        ("dead neurons", compact(figures["fault_dead_neurons"])),
        ("stuck synapses", compact(figures["fault_stuck_synapses"])),
        ("spikes lost", compact(figures["fault_spikes_lost"])),
    ]


def _disturbance(told: dict[str, Any]) -> str:
    """What happened, without the time."""
    if "push_ns" in told:
        return "push " + ", ".join(f"{value:.1f}" for value in told["push_ns"])
    return ", ".join(f"{name} {value}" for name, value in told.items() if name != "t_s")


def _change_rows(changes: list[dict[str, Any]]) -> Rows:
    """Of a loaded file its name; SHA-256 stands before it."""
    rows = []
    for one in changes:
        what = Path(one["what"].partition(" ")[2]).name if one["kind"] == "load" else one["what"]
        rows.append((f"{one['t_s']:.3f} s, {one['kind']}", what or "none"))
    return rows


def _network_rows(network: dict[str, Any]) -> Rows:
    seconds = network["steps"] * network["step_ms"] * 1e-3
    return [
        *((f"layer {name}", _layer(network, name, size, seconds)) for name, size in network["layers"].items()),
        ("synapses", f"{network['synapses']} ({network['plastic_synapses']} plastic)"),
        ("steps", f"{compact(network['steps'])} of {network['step_ms']:g} ms"),
        ("synaptic operations", compact(network["synaptic_operations"])),
        ("synaptic operations, per decision", number(network["synaptic_operations_per_decision"], "", 1)),
        ("weight updates", compact(network["weight_updates"])),
    ]


def _layer(network: dict[str, Any], name: str, size: int, seconds: float) -> str:
    rate = network["spikes"][name] / size / seconds if seconds else None
    return f"{size} {'inputs' if name in network['inputs'] else 'neurons'}, {number(rate, 'Hz', 1)}"


def _sparsity_rows(network: dict[str, Any]) -> Rows:
    sparsity, done = network["sparsity"], network["operations"]
    return [
        ("activation sparsity", number(100 * sparsity["activation_sparsity"], "%", 2)),
        ("connection sparsity", number(100 * sparsity["connection_sparsity"], "%", 2)),
        ("mean firing rate", number(sparsity["mean_rate_hz"], "Hz", 2)),
        ("dense operations, per step", compact(done["dense_per_step"])),
        ("effective MACs, per step", compact(done["effective_macs_per_step"])),
        ("effective ACs, per step", compact(done["effective_acs_per_step"])),
        ("effective MACs, per decision", compact(done["effective_macs_per_decision"])),
        ("effective ACs, per decision", compact(done["effective_acs_per_decision"])),
    ]


ENERGY_PARTS = {
    "synaptic_operations": "synaptic operations",
    "active_neurons": "updates of neurons that fire",
    "weight_updates": "learning updates",
    "messages": "spike messages",
    "hops_x": "hops east-west",
    "hops_y": "hops north-south",
    "idle_neurons": "idle: updates of silent neurons",
}


def _energy_rows(energy: dict[str, Any]) -> Rows:
    return [
        ("dynamic, per decision", number(energy["dynamic_nj_per_decision"], "nJ", 2)),
        ("idle, per decision", number(energy["idle_nj_per_decision"], "nJ", 2)),
        ("total, per decision", number(energy["total_nj_per_decision"], "nJ", 2)),
        ("mean power, dynamic", number(energy["dynamic_power_uw"], "\u00b5W", 2)),
        ("mean power, idle", number(energy["idle_power_uw"], "\u00b5W", 2)),
        *(
            (
                f"{name} ({compact(energy['counts'][key])} \u00d7 {energy['constants_pj'][key]:g} pJ)",
                number(energy["parts_nj"][key] / 1000, "\u00b5J", 2),
            )
            for key, name in ENERGY_PARTS.items()
        ),
    ]


def flat_rows(values: dict[str, Any], prefix: str = "") -> Rows:
    """Nested values as dotted names."""
    rows: Rows = []
    for name, value in values.items():
        if isinstance(value, dict):
            rows += flat_rows(value, f"{prefix}{name}.")
        else:
            rows.append((prefix + name, str(value)))
    return rows


def table(rows: Rows) -> str:
    """Names and values, escaped."""
    return "<table>" + "".join(f"<tr><td>{escaped(a)}</td><td>{escaped(b)}</td></tr>" for a, b in rows) + "</table>"


def number(value: float | None, unit: str, digits: int) -> str:
    """A number with its unit, or a dash."""
    return "\u2013" if value is None else f"{round(value, digits) + 0.0:.{digits}f}\u202f{unit}".rstrip("\u202f")


def compact(value: float | None) -> str:
    """A count with at most four figures: 12.3 k, 4.56 M."""
    if value is None:
        return "\u2013"
    for limit, name in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= limit:
            scaled = value / (1e3 if name == "k" else limit)
            return f"{scaled:.3g}\u202f{name}"
    return f"{value:.4g}"


def escaped(value: object) -> str:
    """Any text, safe inside HTML."""
    return html.escape(str(value))
