"""The little of FlatBuffers that AEDAT4 needs: tables read with every bound checked, and lists of tables written.

Layout (flatbuffers.dev/internals): u32 size of the rest, u32 offset of the root table, 4 letters of identifier; a
table begins with an i32 distance back to its vtable: u16 vtable size, u16 table size, one u16 field offset per slot
(0: absent). A vector is a u32 length and its elements. Little endian; offsets count from where they stand.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import numpy.typing as npt

PREFIX = 12  # bytes: size, offset of the root table, identifier
_U16, _I32, _U32 = struct.Struct("<H"), struct.Struct("<i"), struct.Struct("<I")


class BrokenBufferError(ValueError):
    """An offset or length leads out of the buffer; the argument says which."""


class Table:
    """One table inside a buffer."""

    def __init__(self, data: bytes, at: int) -> None:
        self.data = data
        self.at = at
        vtable = at - number(data, at, _I32)
        size = number(data, vtable, _U16)
        if size < 4 or vtable + size > len(data):
            raise BrokenBufferError(f"the vtable at {vtable} of the table at {at} does not fit")
        self._slots = struct.unpack_from(f"<{size // 2 - 2}H", data, vtable + 4)

    def field(self, slot: int) -> int | None:
        """Where a field stands, None when it is absent."""
        offset = self._slots[slot] if slot < len(self._slots) else 0
        return self.at + offset if offset else None

    def scalar(self, slot: int, layout: str, default: int) -> int:
        """A number, by its struct letter."""
        at = self.field(slot)
        return default if at is None else number(self.data, at, struct.Struct(f"<{layout}"))

    def vector(self, slot: int, item_bytes: int) -> tuple[int, int]:
        """(where the first element stands, number of elements), (0, 0) when absent."""
        at = self.field(slot)
        if at is None:
            return 0, 0
        start = at + number(self.data, at, _U32)
        length = number(self.data, start, _U32)
        if start + 4 + length * item_bytes > len(self.data):
            raise BrokenBufferError(f"a vector of {length} elements at {start} leaves its {len(self.data)} bytes")
        return start + 4, length


def number(data: bytes, at: int, layout: struct.Struct) -> int:
    """A number of the buffer."""
    if not 0 <= at <= len(data) - layout.size:
        raise BrokenBufferError(f"offset {at} is outside its {len(data)} bytes")
    return int(layout.unpack_from(data, at)[0])


def root(data: bytes, identifier: bytes) -> Table:
    """The root table of a size-prefixed buffer. Raises BrokenBufferError for another identifier or a wrong size."""
    if len(data) < PREFIX or data[8:12] != identifier:
        raise BrokenBufferError(f"expected a {identifier.decode()} buffer, got {data[:PREFIX]!r}")
    if number(data, 0, _U32) > len(data) - 4:
        raise BrokenBufferError(f"its size says {number(data, 0, _U32)} bytes, {len(data) - 4} came")
    return Table(data, 4 + number(data, 4, _U32))


def single_vector_start(identifier: bytes, n: int, vector_bytes: int) -> bytes:
    """The 32 bytes in front of the elements (aligned to 8) of a root table whose only field is a vector."""
    size = 28 + vector_bytes
    # prefix; padding to 14; vtable of one slot at 14; table at 20; offset of the vector at 24; its length at 28
    return struct.pack("<II4s2x3HiII", size, 16, identifier, 6, 8, 4, 6, 4, n)


def vector_of_tables(identifier: bytes, slots: tuple[int, ...], tables: npt.NDArray[Any]) -> bytes:
    """A buffer with a root table whose only field is a vector of equal tables.

    slots: offset of each field in a table (0: absent); tables: one record of a dtype with first field `vtable` (i4),
    of a multiple of 8 bytes, that `slots` points into.
    """
    vtable = struct.pack(f"<{2 + len(slots)}H", 4 + 2 * len(slots), tables.dtype.itemsize, *slots)
    n = len(tables)
    vtable_at = 32 + 4 * n
    first = -(-(vtable_at + len(vtable)) // 8) * 8
    positions = first + tables.dtype.itemsize * np.arange(n)
    tables["vtable"] = positions - vtable_at
    offsets = (positions - (32 + 4 * np.arange(n))).astype("<u4")
    body = offsets.tobytes() + vtable.ljust(first - vtable_at, b"\0") + tables.tobytes()
    return single_vector_start(identifier, n, len(body)) + body
