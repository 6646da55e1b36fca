"""`neuro_robot info`: what is in a recording, in figures that a person or a program reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from neuro_robot.events.files import FORMATS, EventReader
from neuro_robot.events.filters_noise import hot_pixels
from neuro_robot.recordings.source import Progress, Recording, Selection, geometry_notes
from neuro_robot.recordings.survey import COMPANY_MS, Survey

CURVE_BINS = 48
PEAK_OVER_S = 1e-3  # the peak rate is one over at least this time
UNIX_NS = 10**18  # times past this (2001) count from 1970
GLITCHES = {
    "backward_time": "steps back of time inside the file",
    "dropped_out_of_geometry": "events outside the sensor, dropped",
    "unknown_words": "words that the format does not name, skipped",
    "dropped_unsynchronised": "events before time or address was known, dropped",
    "torn_bytes": "bytes at the end, less than one record",
}


def info(recording: Recording, *, gap_s: float = 0.1, progress: Progress | None = None) -> dict[str, Any]:
    """Read the whole recording and describe it.

    Raises FileFormatError, BagError or PacketError for what cannot be read, naming defect and place.
    """
    with recording.open() as reader:
        survey = surveyed(reader, Selection(), gap_s=gap_s, progress=progress)
        return _described(recording.path, reader, survey)


def surveyed(
    reader: EventReader, selection: Selection, *, gap_s: float = 0.1, progress: Progress | None = None
) -> Survey:
    """One pass over the selected part."""
    chain = selection.chain(reader)
    survey = Survey(chain.width, chain.height, gap_s)
    for chunk in selection.chunks(reader, chain):
        survey.add(chunk)
        if progress is not None:
            progress(reader.position(), f"reading, {survey.events:,} events")
    return survey


def _described(path: Path, reader: EventReader, survey: Survey) -> dict[str, Any]:
    entry = FORMATS.get(reader.format)
    stats = reader.stats.as_dict()
    result: dict[str, Any] = {
        "file": str(path),
        "format": reader.format,
        "description": entry.description if entry else "",
        "bytes": size_of(path),
        "width": reader.width,
        "height": reader.height,
        "events": survey.events,
        "on_events": survey.on_events,
        "off_events": survey.events - survey.on_events,
        "triggers": {str(channel): {"falling": a, "rising": b} for channel, (a, b) in sorted(survey.triggers.items())},
        "first_time_s": survey.first_ns * 1e-9,
        "first_time_ns": survey.first_ns,
        "duration_s": survey.duration_s,
    }
    result |= _rates(survey) | _pixels(survey) | survey.time_faults()
    result["glitches"] = {name: stats[name] for name in GLITCHES if name in stats}
    result["details"] = dict(reader.details)
    result["notes"] = _notes(result)
    return result


def size_of(path: Path) -> int:
    """Bytes of a file, or of everything in a bag's folder."""
    if path.is_dir():
        return sum(item.stat().st_size for item in path.iterdir() if item.is_file())
    return path.stat().st_size


def _rates(survey: Survey) -> dict[str, Any]:
    curve, fine = survey.rate.rebinned(CURVE_BINS), survey.rate.of_width(PEAK_OVER_S)
    peak = int(np.argmax(fine.counts))
    span_s = max(survey.duration_s, 1e-9)
    return {
        "mean_rate_hz": survey.events / span_s if survey.events > 1 else 0.0,
        "peak_rate_hz": float(fine.rates_hz[peak]) if survey.events > 1 else 0.0,
        "peak_at_s": peak * fine.bin_s,
        "peak_over_s": fine.bin_s,
        "rate_curve": {"bin_s": curve.bin_s, "rates_hz": [float(rate) for rate in curve.rates_hz]},
    }


def _pixels(survey: Survey) -> dict[str, Any]:
    counts = survey.pixels.sum(axis=2)
    hot = hot_pixels(counts)
    y, x = np.nonzero(hot)
    order = np.argsort(-counts[y, x], kind="stable")[:10]
    return {
        "in_company": {"within_ms": COMPANY_MS, "events": survey.in_company},
        "mostly_noise": survey.mostly_noise,
        "active_pixels": int(np.count_nonzero(counts)),
        "hot_pixels": {
            "count": len(x),
            "events": int(counts[hot].sum()),
            "busiest": [{"x": int(x[i]), "y": int(y[i]), "events": int(counts[y[i], x[i]])} for i in order],
        },
    }


def _notes(result: dict[str, Any]) -> list[str]:
    """What somebody who opens this recording should know, in words."""
    notes = geometry_notes(result["details"])
    if not result["events"]:
        return [*notes, "no events: is this the right file, or the right --geometry?"]
    if result["first_time_ns"] >= UNIX_NS:
        notes.append("time counts from 1970; `convert --zero-time` lets it begin at 0")
    hot = result["hot_pixels"]
    if hot["count"]:
        share = 100.0 * hot["events"] / result["events"]
        notes.append(f"{hot['count']} hot pixels make {share:.1f} % of the events; `--filter hot` drops them")
    if result["mostly_noise"]:
        share = 100.0 * result["in_company"]["events"] / result["events"]
        notes.append(f"mostly noise: {share:.0f} % of the events have a neighbour within {COMPANY_MS:g} ms, what moves "
                     "makes more; `--filter background=5` keeps those")  # fmt: skip
    gaps = result["gaps"]
    if gaps["count"]:
        first = gaps["longest"][0]
        notes.append(
            f"{gaps['count']} gaps of at least {gaps['at_least_s']:g} s without events, the longest "
            f"{first['length_s']:.3f} s at {first['at_s']:.3f} s"
        )
    if result["steps_back"]["largest_s"] > 1.0:
        notes.append(f"time steps back by up to {result['steps_back']['largest_s']:.1f} s: several recordings in one?")
    notes += [f"{count:,} {GLITCHES[name]}" for name, count in result["glitches"].items() if count]
    return notes
