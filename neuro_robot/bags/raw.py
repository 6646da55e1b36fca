"""The few fields that a recorder needs of serialised messages, read without decoding them."""

from __future__ import annotations

import struct

NS = 1_000_000_000
_STAMP = struct.Struct("<iI")
_U32 = struct.Struct("<I")
_U64 = struct.Struct("<Q")
ENCAPSULATION = 4  # CDR bytes before the body, to which alignment is relative


def leading_stamp_ns(data: bytes) -> int:
    """Time of a message that begins with a header or is a clock."""
    seconds, nanoseconds = _STAMP.unpack_from(data, ENCAPSULATION)
    return int(seconds) * NS + int(nanoseconds)


def packet_seq(data: bytes) -> int:
    """Sequence number of an EventPacket: behind the header's frame_id, height and width."""
    (length,) = _U32.unpack_from(data, ENCAPSULATION + 8)
    at = _aligned(12 + length, 4) + 8
    return int(_U64.unpack_from(data, ENCAPSULATION + _aligned(at, 8))[0])


def _aligned(offset: int, size: int) -> int:
    return -(-offset // size) * size
