"""Results of the recording commands as tables for people."""

from __future__ import annotations

from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from neuro_robot.events.files import FORMATS
from neuro_robot.recordings.sheet import seconds

BLOCKS = " ▁▂▃▄▅▆▇█"


def sparkline(values: list[float]) -> str:
    """One character for each value, its height relative to the largest; what is above 0 is always seen."""
    highest = max(values, default=0.0)
    if highest <= 0:
        return BLOCKS[0] * len(values)
    return "".join(BLOCKS[0 if value <= 0 else max(1, round(value / highest * (len(BLOCKS) - 1)))] for value in values)


def info_view(result: dict[str, Any]) -> RenderableType:
    """What `info` found."""
    table = _table(Text(result["file"]))
    said = f" ({result['description']})" if result["description"] else ""
    table.add_row("format", Text(f"{result['format']}{said}, {_bytes(result['bytes'])}"))
    table.add_row("sensor", f"{result['width']} x {result['height']} pixels, {_share_active(result)}")
    table.add_row("time", f"{seconds(result['duration_s'])}, first event at {result['first_time_s']:.6f} s")
    n = max(result["events"], 1)
    on, off = 100 * result["on_events"] / n, 100 * result["off_events"] / n
    table.add_row(
        "events",
        f"{result['events']:,}: ON {result['on_events']:,} ({on:.1f} %), OFF {result['off_events']:,} ({off:.1f} %)",
    )
    mean, peak = _rate(result["mean_rate_hz"]), _rate(result["peak_rate_hz"])
    table.add_row("rate", f"mean {mean}, peak {peak} for {seconds(result['peak_over_s'])} "
                          f"at {seconds(result['peak_at_s'])}")  # fmt: skip
    curve = result["rate_curve"]
    table.add_row(f"rate, {seconds(curve['bin_s'])} each", Text(sparkline(curve["rates_hz"]), "blue"))
    for channel, edges in result["triggers"].items():
        count = edges["rising"] + edges["falling"]
        table.add_row(f"trigger {channel}", f"{count:,}: {edges['rising']:,} rising, {edges['falling']:,} falling")
    if not result["triggers"]:
        table.add_row("triggers", "none")
    gaps, steps = result["gaps"], result["steps_back"]
    found = ", ".join(f"{seconds(gap['length_s'])} at {seconds(gap['at_s'])}" for gap in gaps["longest"][:3])
    table.add_row("gaps", f"{gaps['count']} of at least {seconds(gaps['at_least_s'])}{': ' if found else ''}{found}")
    back = f"{steps['count']:,} steps back of time, at most {seconds(steps['largest_s'])}" if steps["count"] else ""
    others = [f"{name} {count:,}" for name, count in result["glitches"].items() if count and name != "backward_time"]
    table.add_row("glitches", ", ".join(filter(None, [back, *others])) or "none")
    for name, value in result["details"].items():
        table.add_row(Text(name, "dim"), Text(str(value), "dim"))
    return Group(table, *_notes(result))


def convert_table(result: dict[str, Any]) -> Table:
    """What `convert` did."""
    table = _table(Text(f"{result['input']} ({result['input_format']}) to {result['format']}"))
    table.add_row("events", f"{result['events']:,}, triggers {result['triggers']:,}")
    table.add_row("sensor", f"{result['width']} x {result['height']} pixels")
    for part in result["parts"]:
        verdict = "[green]verified[/green]" if part["verified"] else "not verified"
        table.add_row(Text(part["file"]), f"{_bytes(part['bytes'])}, {part['events']:,} events, {verdict}")
    if len(result["parts"]) == 1:
        table.add_row("SHA-256 of the events", result["parts"][0]["sha256_events"][:16])
    if result["time_resolution_ns"] > 1:
        table.add_row("times floored to", seconds(result["time_resolution_ns"] * 1e-9))
    if result["triggers_left_out"]:
        table.add_row("[yellow]left out[/yellow]", f"{result['triggers_left_out']:,} triggers: the format has none")
    for name, count in result["glitches"].items():
        table.add_row(f"[yellow]{name}[/yellow]", f"{count:,} in the input")
    rate = result["events"] / max(result["written_in_s"], 1e-9)
    table.add_row("written in", f"{result['written_in_s']:.2f} s ({_rate(rate)})")
    return table


def view_table(result: dict[str, Any]) -> RenderableType:
    """What `view` made."""
    table = _table(Text(result["file"]))
    table.add_row("shows", f"{result['kind']}, {result['frames']:,} picture{'s' if result['frames'] > 1 else ''} of "
                           f"{result['width']} x {result['height']}")  # fmt: skip
    if "window_ms" in result:
        table.add_row("each spans", f"{result['window_ms']:g} ms (--window)")
    if "at_s" in result:
        table.add_row("at", f"{seconds(result['at_s'])} (--at)")
    if "speed" in result:
        table.add_row("speed", f"{result['speed']:g} of real time (--speed), {result['fps']:g} pictures a second")
    return Group(table, *_notes(result))


def formats_table() -> RenderableType:
    """Every format."""
    # The last column alone may wrap, and on 80 columns it need not.
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for heading in ("format", "extension", "can", "time"):
        table.add_column(heading, no_wrap=True)
    table.add_column("what it is")
    for name, item in FORMATS.items():
        can = "r" + ("w" if item.writer is not None else "-") + ("t" if item.keeps_triggers else "-")
        endings = f"{item.extensions[0]} ..." if len(item.extensions) > 1 else "".join(item.extensions) or "folder"
        resolution = f"{item.time_resolution_ns // 1000} us" if item.time_resolution_ns >= 1000 else "1 ns"
        table.add_row(name, endings, can, resolution, item.description.split(";")[0])
    return Group(table, Text("r reads, w writes, t keeps triggers; more in docs/files.md, formats_peers.md"))


def _table(title: Text) -> Table:
    title.stylize("bold")
    table = Table(title=title, title_justify="left", show_header=False)
    table.add_column(style="cyan", no_wrap=True)
    table.add_column(overflow="fold")
    return table


def _notes(result: dict[str, Any]) -> list[Text]:
    return [Text(f"! {note}", "yellow") for note in result["notes"]]


def _share_active(result: dict[str, Any]) -> str:
    share = 100 * result["active_pixels"] / (result["width"] * result["height"])
    return f"{share:.1f} % of them fired, {result['hot_pixels']['count']} hot"


def _rate(value: float) -> str:
    for limit, unit in ((1e6, "million"), (1e3, "thousand")):
        if value >= limit:
            return f"{value / limit:,.2f} {unit} events/s"
    return f"{value:,.1f} events/s"


def _bytes(count: int) -> str:
    for limit, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if count >= limit:
            return f"{count / limit:.2f} {unit}"
    return f"{count} bytes"
