"""Recordings of events in files: one table of formats, streaming readers and writers."""

from neuro_robot.events.files.base import Chunk, EventReader, EventWriter, FileStats, Format, Geometry
from neuro_robot.events.files.registry import FORMATS, open_reader, open_writer, read_all, register

__all__ = [
    "FORMATS",
    "Chunk",
    "EventReader",
    "EventWriter",
    "FileStats",
    "Format",
    "Geometry",
    "open_reader",
    "open_writer",
    "read_all",
    "register",
]
