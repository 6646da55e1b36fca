"""What stands in front of the packets of an AEDAT4 file: compression, place of the table, and a tree of streams.

Source: docs.inivation.com, "AEDAT 4.0"; the flatbuffer schemas as in aestream/faery, src/aedat/flatbuffers.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from neuro_robot.events.files.binary import BinaryFile
from neuro_robot.events.files.flatbuffer import BrokenBufferError, root

MAGIC = b"#!AER-DAT4.0\r\n"
TABLE_POSITION_AT = len(MAGIC) + 32  # byte offset of the table's position in a file of ours
_HEADER = struct.Struct("<II4s2x5HiiqI4xI")  # prefix, vtable at 14, table at 24, string at 48
_MAX_HEADER_BYTES = 1 << 26
_ROOM = 4096  # blanks in the description, for streams that are declared later


@dataclass(frozen=True)
class Stream:
    """One stream of packets."""

    id: int
    kind: str  # EVTS, TRIG, FRME, IMUS, ...
    width: int
    height: int
    source: str  # the camera
    channel: int = 0  # of our trigger streams: the trigger input

    def named(self) -> str:
        """For people."""
        size = f" {self.width}x{self.height}" if self.width else ""
        return f"{self.id}: {self.kind}{size} {self.source}".rstrip()


@dataclass(frozen=True)
class Header:
    """The header of a file."""

    compression: int
    table_position: int  # byte offset behind the last packet; below 0: the writer did not finish
    streams: dict[int, Stream]


def read_header(file: BinaryFile) -> Header:
    """Read from the file's start; leaves it at the first packet."""
    magic = file.read(len(MAGIC), "the first line")
    if magic != MAGIC:
        raise file.defect(f"expected {MAGIC!r}, got {magic!r}; this is no AEDAT4 file", 0)
    at = file.offset
    size = file.read(4, "the size of the header")
    n = int.from_bytes(size, "little")
    if n > _MAX_HEADER_BYTES:
        raise file.defect(f"a header of {n} bytes is more than the {_MAX_HEADER_BYTES} that are believable", at)
    data = size + file.read(n, "the header")
    try:
        table = root(data, b"IOHE")
        start, length = table.vector(2, 1)
        text = data[start : start + length].decode("utf-8")
        return Header(table.scalar(0, "i", 0), table.scalar(1, "q", -1), _streams(text))
    except (BrokenBufferError, UnicodeDecodeError, ElementTree.ParseError, ValueError) as error:
        raise file.defect(f"the header is damaged: {error}", at) from error


def _streams(text: str) -> dict[int, Stream]:
    if "<!" in text.replace("<!--", ""):
        raise ValueError("its description declares entities, which none of these files needs")
    tree = ElementTree.fromstring(text.strip("\0 \r\n\t") or "<dv/>")  # noqa: S314 - no declarations in it
    out = next((node for node in tree.iter("node") if node.get("name") == "outInfo"), None)
    if out is None:
        raise ValueError("its description has no outInfo")
    streams = [_stream(node) for node in out.findall("node")]
    return {stream.id: stream for stream in streams}


def _stream(node: ElementTree.Element) -> Stream:
    info = {attr.get("key"): attr.text or "" for attr in node.iter("attr")}
    width, height = int(info.get("sizeX", 0)), int(info.get("sizeY", 0))
    if not (0 <= width <= 2**15 and 0 <= height <= 2**15):
        raise ValueError(f"a sensor of {width}x{height} pixels is impossible")
    kind, source = info.get("typeIdentifier", ""), info.get("source", "")
    return Stream(int(node.get("name", "")), kind, width, height, source, int(info.get("channel", 0)) & 0xFF)


def header_bytes(compression: int, compression_name: str, table_position: int, streams: list[Stream]) -> bytes:
    """Magic and header, of the same length for any number of streams that fits."""
    nodes = "".join(_node(stream, compression_name) for stream in streams)
    text = f'<dv version="2.0"><node name="outInfo" path="/outInfo/">{nodes}</node>'
    room = _ROOM - len(text.encode()) - len("</dv>")
    if room < 0:
        raise ValueError("too many streams")
    string = (text + " " * room + "</dv>").encode()
    padding = -(48 + 4 + len(string) + 1) % 8
    size = 48 + len(string) + 1 + padding
    fixed = _HEADER.pack(size, 20, b"IOHE", 10, 24, 4, 8, 16, 10, compression, table_position, 4 + 4, len(string))
    return MAGIC + fixed + string + b"\0" * (1 + padding)


def _node(stream: Stream, compression: str) -> str:
    path = f"/outInfo/{stream.id}/"
    name = {"EVTS": "events", "TRIG": "triggers"}[stream.kind] + (f"_{stream.channel}" if stream.channel else "")
    texts = {"compression": compression, "originalModuleName": "neuro_robot", "originalOutputName": name}
    texts |= {"typeDescription": stream.kind, "typeIdentifier": stream.kind}
    sizes = {"sizeX": stream.width, "sizeY": stream.height} if stream.width else {"channel": stream.channel}
    attributes = "".join(f'<attr key="{key}" type="string">{escape(value)}</attr>' for key, value in texts.items())
    info = "".join(f'<attr key="{key}" type="int">{value}</attr>' for key, value in sizes.items())
    info += f'<attr key="source" type="string">{escape(stream.source)}</attr>'
    return (
        f'<node name="{stream.id}" path="{path}">{attributes}<node name="info" path="{path}info/">{info}</node></node>'
    )
