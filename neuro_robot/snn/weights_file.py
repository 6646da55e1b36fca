"""Weights on disk: named arrays and a few plain values in one checked, versioned file.

    magic (8 bytes), version (u32), header size (u32), payload size (u64), SHA-256 of header and payload (32 bytes),
    header (JSON: the arrays' names, types, shapes and offsets, and the meta values), payload (the arrays, C order)

All numbers are little endian. Nothing in a file is executed, and no size in it is believed before the file's own
length and checksum confirm it. A file is replaced in one piece, so a power cut leaves the old one or the new one.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import struct
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from neuro_robot.errors import WeightsError

MAGIC = b"\x8eNRWTS\r\n"
VERSION = 1
LARGEST_FILE = 1 << 30  # bytes
HEAD = struct.Struct("<8sIIQ32s")
TYPES = ("<f4", "<f8", "<i2", "<i4", "<i8", "|i1", "|u1", "<u2", "<u4", "<u8", "|b1")
REMEDY = "save the weights again, or start without a file"

Meta: TypeAlias = "dict[str, str | int | float]"
Arrays: TypeAlias = "dict[str, NDArray[Any]]"


def save_state(path: str | Path, arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, str | int | float]) -> None:
    """Write arrays and meta to path, replacing it in one piece.

    Raises WeightsError on NaN or infinity, on array types other than plain numbers and bool, and when the file cannot
    be written; path then holds what it held before.
    """
    path = Path(path)
    entries, parts, size = [], [], 0
    for name, array in arrays.items():
        entry, data = _entry(path, name, array, size)
        entries.append(entry)
        parts.append(data)
        size += len(data)
    for name, value in meta.items():
        if not isinstance(value, (str, int, float)) or isinstance(value, float) and not math.isfinite(value):
            raise WeightsError(f"{path}: meta {name!r}: expected a text or a finite number, got {value!r}; not saved")
    header = json.dumps({"arrays": entries, "meta": dict(meta)}, allow_nan=False).encode()
    payload = b"".join(parts)
    if HEAD.size + len(header) + size > LARGEST_FILE:
        raise WeightsError(f"{path}: {size} bytes of weights, a file holds at most {LARGEST_FILE}; not saved")
    checksum = hashlib.sha256(header + payload).digest()
    _replace(path, HEAD.pack(MAGIC, VERSION, len(header), size, checksum) + header + payload)


def load_state(path: str | Path) -> tuple[Arrays, Meta]:
    """Read what `save_state` wrote.

    Raises WeightsError, naming the path and the remedy, when the file is missing, torn, foreign, of another version,
    damaged, or holds a NaN or infinity.
    """
    path = Path(path)
    data = _read(path)
    if data[: len(MAGIC)] != MAGIC:
        raise WeightsError(f"{path}: is not a neuro_robot weights file (it starts with {data[:8]!r}); {REMEDY}")
    if len(data) < HEAD.size:
        raise WeightsError(f"{path}: ends after {len(data)} bytes, inside its head; {REMEDY}")
    _, version, header_size, payload_size, checksum = HEAD.unpack_from(data)
    if version != VERSION:
        raise WeightsError(
            f"{path}: written in format {version}, this program reads format {VERSION}; "
            "load it with the program that wrote it, or save the weights again"
        )
    expected = HEAD.size + header_size + payload_size
    if len(data) != expected:
        raise WeightsError(f"{path}: has {len(data)} bytes where its head says {expected}: torn or padded; {REMEDY}")
    body = memoryview(data)[HEAD.size :]
    if hashlib.sha256(body).digest() != checksum:
        raise WeightsError(f"{path}: the checksum does not match: the file is damaged; {REMEDY}")
    try:
        return _parse(body[:header_size], body[header_size:])
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
        raise WeightsError(f"{path}: its contents make no sense ({error}); {REMEDY}") from error


def _entry(path: Path, name: str, array: NDArray[Any], offset: int) -> tuple[dict[str, object], bytes]:
    if not isinstance(array, np.ndarray) or array.dtype.newbyteorder("<").str not in TYPES:
        kind = array.dtype if isinstance(array, np.ndarray) else type(array).__name__
        raise WeightsError(f"{path}: {name}: expected an array of plain numbers, got {kind}; not saved")
    if array.dtype.kind == "f" and not np.all(np.isfinite(array)):
        raise WeightsError(f"{path}: {name}: holds NaN or infinity; not saved")
    little = array.dtype.newbyteorder("<")
    entry: dict[str, object] = {"name": str(name), "dtype": little.str, "shape": list(array.shape), "offset": offset}
    return entry, array.astype(little).tobytes()


def _replace(path: Path, data: bytes) -> None:
    """Write beside path, flush to the disk, then rename over it."""
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            temporary = Path(file.name)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as error:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
        raise WeightsError(f"{path}: cannot be written: {error}; choose a writable place") from error


def _read(path: Path) -> bytes:
    try:
        if not path.is_file():
            state = "is not a plain file" if path.exists() else "does not exist"
            raise WeightsError(f"{path}: {state}; give the path of a saved weights file, or start without one")
        size = path.stat().st_size
        if size > LARGEST_FILE:
            raise WeightsError(f"{path}: has {size} bytes, a weights file at most {LARGEST_FILE}; {REMEDY}")
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise WeightsError(f"{path}: cannot be read: {error}") from error


def _parse(header: memoryview, payload: memoryview) -> tuple[Arrays, Meta]:
    """Arrays and meta; any nonsense raises one of the errors that `load_state` translates."""
    document = json.loads(bytes(header))
    arrays: Arrays = {}
    offset = 0
    for entry in document["arrays"]:
        name, shape = entry["name"], entry["shape"]
        if entry["dtype"] not in TYPES or not isinstance(name, str) or name in arrays or entry["offset"] != offset:
            raise ValueError(f"array {name!r} is declared wrongly")
        if any(type(n) is not int or n < 0 for n in shape):
            raise ValueError(f"array {name!r} has the shape {shape!r}")
        dtype = np.dtype(entry["dtype"])
        count = math.prod(shape)
        if count * dtype.itemsize > len(payload) - offset:
            raise ValueError(f"array {name!r} is larger than the file")
        array = np.frombuffer(payload, dtype, count, offset).reshape(shape).astype(dtype.newbyteorder("="))
        if dtype.kind == "f" and not np.all(np.isfinite(array)):
            raise ValueError(f"array {name!r} holds NaN or infinity")
        arrays[name] = array
        offset += count * dtype.itemsize
    if offset != len(payload):
        raise ValueError(f"{len(payload) - offset} bytes belong to no array")
    meta = cast(Meta, document["meta"])
    for name, value in meta.items():
        if not isinstance(value, (str, int, float)) or isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"meta {name!r} is {value!r}")
    return arrays, meta
