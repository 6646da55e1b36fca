"""Compression of single packets (AEDAT4): LZ4 frames and Zstandard, with a bound on what a packet may become."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from neuro_robot.events.files.optional import library

MAX_PACKET_BYTES = 1 << 29  # 33 million events; writers cut at about 10 000
_PIECE = 1 << 22


class Compression(NamedTuple):
    """How packets are stored."""

    name: str
    compress: Callable[[bytes], bytes]
    decompress: Callable[[bytes], bytes]  # raises ValueError for what it cannot read


def compression(code: int) -> Compression | None:
    """By the number in the header of AEDAT4, None for an unknown one."""
    levels = {1: ("LZ4", 0), 2: ("LZ4_HIGH", 9)}
    if code == 0:
        return Compression("NONE", bytes, bytes)
    if code in levels:
        return _lz4(*levels[code])
    levels = {3: ("ZSTD", 3), 4: ("ZSTD_HIGH", 12)}
    return _zstd(*levels[code]) if code in levels else None


CODES = {"NONE": 0, "LZ4": 1, "LZ4_HIGH": 2, "ZSTD": 3, "ZSTD_HIGH": 4}


def _lz4(name: str, level: int) -> Compression:
    frame = library("lz4.frame", "lz4")

    def compress(data: bytes) -> bytes:
        return bytes(frame.compress(data, compression_level=level))

    def decompress(data: bytes) -> bytes:
        decoder = frame.LZ4FrameDecompressor()

        def next_piece(room: int) -> bytes:
            nonlocal data
            piece, data = decoder.decompress(data, max_length=room), b""
            return bytes(piece)

        try:
            # The first piece fits packets as they are written; forged ones grow by what they really hold.
            return _collect(next_piece, min(max(16 * len(data), 1 << 16), _PIECE), lambda: bool(decoder.eof))
        except RuntimeError as error:
            raise ValueError(f"LZ4: {error}") from error

    return Compression(name, compress, decompress)


def _zstd(name: str, level: int) -> Compression:
    zstandard = library("zstandard", "zstandard")
    compressor = zstandard.ZstdCompressor(level=level)
    # A window as large as a packet may be is never needed; it is allocated as the frame's header says.
    decompressor = zstandard.ZstdDecompressor(max_window_size=1 << 27)

    def compress(data: bytes) -> bytes:
        return bytes(compressor.compress(data))

    def decompress(data: bytes) -> bytes:
        try:
            with decompressor.stream_reader(data) as stream:
                return _collect(lambda room: bytes(stream.read(room)), _PIECE, lambda: False)
        except zstandard.ZstdError as error:
            raise ValueError(f"Zstandard: {error}") from error

    return Compression(name, compress, decompress)


def _collect(next_piece: Callable[[int], bytes], first: int, ended: Callable[[], bool]) -> bytes:
    """All pieces up to an empty one or the end."""
    pieces = [next_piece(first)]
    total = len(pieces[0])
    while pieces[-1] and not ended():
        if total > MAX_PACKET_BYTES:
            raise ValueError(f"unpacks to more than {MAX_PACKET_BYTES} bytes")
        pieces.append(next_piece(_PIECE))
        total += len(pieces[-1])
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)
