"""From a decoding kernel to a file format: what EVT2, EVT2.1 and EVT4 files have in common besides their words."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy.typing as npt

from neuro_robot.events.files import raw_header
from neuro_robot.events.files.base import Format, Geometry
from neuro_robot.events.files.raw_encoder import encode
from neuro_robot.events.files.raw_words import LARGEST, PERIOD_US, new_state
from neuro_robot.events.files.words import Decode, WordReader, WordWriter


class RawKind(NamedTuple):
    """One encoding of RAW files."""

    name: str  # of the format
    description: str
    encoding: str  # in the header's format line
    evt: str  # the header's evt line
    layout: int  # of raw_words
    extra: tuple[str, ...] = ()  # more lines of the header


class RawWriter(WordWriter):
    """Writes RAW files of one kind."""

    def __init__(self, path: Path, width: int, height: int, *, kind: RawKind) -> None:
        self._kind = kind
        super().__init__(path, kind.name, (width, height), word="<u4", state=new_state(kind.layout), encode=encode)

    def header(self, first_us: int) -> bytes:
        """The RAW header."""
        kind = self._kind
        return raw_header.raw_text(kind.encoding, kind.evt, self.geometry, first_us, PERIOD_US, *kind.extra)


def _open(
    path: Path, given: Geometry | None, *, kind: RawKind, word: npt.DTypeLike, decode: Decode, spare: int
) -> WordReader:
    header, geometry = raw_header.open_raw(path, given, kind.encoding, LARGEST)
    return WordReader(
        path,
        kind.name,
        geometry,
        details=header.fields,
        offset=header.size,
        word=word,
        state=new_state(kind.layout, raw_header.time_base_us(header)),
        decode=decode,
        spare=spare,
        offset_us=raw_header.time_offset_us(header),
    )


def raw_format(kind: RawKind, word: npt.DTypeLike, decode: Decode, spare: int) -> Format:
    """The table's entry for a kind whose words are read by decode."""
    return Format(
        name=kind.name,
        extensions=(".raw",),
        description=kind.description,
        sniff=lambda head, _path: raw_header.seen_encoding(head) == kind.encoding,
        reader=partial(_open, kind=kind, word=word, decode=decode, spare=spare),
        writer=partial(RawWriter, kind=kind),
        time_resolution_ns=1000,
        keeps_triggers=True,
        max_width=LARGEST[0],
        max_height=LARGEST[1],
    )
