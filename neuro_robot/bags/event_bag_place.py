"""Where a bag that cannot be opened is damaged, as far as a look at its files tells."""

from __future__ import annotations

from pathlib import Path

_MCAP = b"\x89MCAP0\r\n"
_SQLITE = b"SQLite format 3\0"
_BAG1 = b"#ROSBAG V2.0\n"
_MAGICS = {".mcap": _MCAP, ".db3": _SQLITE, ".bag": _BAG1}


def place(path: Path) -> str:
    """`file: byte N` or `file: table T`, and what is wrong there, of a bag (file or folder) that its reader refused."""
    if not path.is_dir():
        return _inside(path)
    if not (path / "metadata.yaml").is_file():
        return f"{path / 'metadata.yaml'}: byte 0: the file is missing; `ros2 bag reindex` makes it anew"
    storages = sorted(file for file in path.iterdir() if file.suffix in _MAGICS)
    if not storages:
        return f"{path}: byte 0: no .mcap or .db3 file beside metadata.yaml"
    faulty = [file for file in storages if _magic_fault(file)]
    return _inside(faulty[0]) if faulty else f"{path / 'metadata.yaml'}: byte 0: or what it names is damaged"


def _inside(file: Path) -> str:
    fault = _magic_fault(file)
    if fault:
        return f"{file}: {fault}"
    if file.suffix == ".db3":
        return f"{file}: table topics, messages or schema: damaged or missing"
    if file.suffix == ".bag":
        return f"{file}: byte {len(_BAG1)}: the bag's header or the index that it points to is damaged"
    return f"{file}: byte {len(_MCAP)}: a record, or the summary at the end, is damaged; `mcap recover` saves the rest"


def _magic_fault(file: Path) -> str:
    """What is wrong at the file's beginning or end, empty if nothing is."""
    magic = _MAGICS.get(file.suffix, b"")
    try:
        with file.open("rb") as content:
            first = content.read(len(magic))
            size = content.seek(0, 2)
            content.seek(max(size - len(_MCAP), 0))
            last = content.read()
    except OSError as error:
        return f"byte 0: cannot be read ({error.strerror or error})"
    if first != magic:
        return f"byte 0: expected {magic!r}, got {first!r}"
    if magic == _MCAP and last != _MCAP:
        return (
            f"byte {max(size - len(_MCAP), 0)}: the end is missing; `mcap recover` mends what a stopped recorder left"
        )
    return ""
