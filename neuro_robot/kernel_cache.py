"""Compiled kernels are kept until a source file changes that they were made from, wherever that file is.

Numba keeps a kernel for as long as the file that holds it stays as it is, and would go on using it after a function or
a constant that it takes from another file has changed. Here the file's stamp also covers the files of the package that
it takes constants and kernels from, and what those take. Numba finds the classes through NUMBA_CACHE_LOCATOR_CLASSES
(numba.readthedocs.io, "Environment variables", since numba 0.61; older versions look at the one file only).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from numba.core import caching

PACKAGE = Path(__file__).resolve().parent
IMPORT = re.compile(r"^[ \t]*from[ \t]+([\w.]+)[ \t]+import[ \t]+(\([^)]*\)|[^\n#]*)", re.MULTILINE)


@cache
def stamp(file: Path, package: Path = PACKAGE) -> str:
    """sha256 over the contents of a source file and of the files that its kernels need, directly or not."""
    needed: set[Path] = set()
    waiting = [file]
    while waiting:
        source = waiting.pop()
        if source not in needed:
            needed.add(source)
            waiting += _imported(source, package)
    total = hashlib.sha256()
    for source in sorted(needed):
        total.update(_text(source).encode())
    return total.hexdigest()


@cache
def _imported(source: Path, package: Path) -> tuple[Path, ...]:
    found = IMPORT.findall(_text(source))
    return tuple(path for module, names in found for path in _files(module, re.findall(r"\w+", names), package))


def _files(module: str, names: list[str], package: Path) -> Iterator[Path]:
    """The files of `from module import names` that can matter to a kernel.

    A kernel can use constants and other kernels, or a module's; it cannot use classes and plain functions.
    """
    root, *parts = module.split(".")
    if root != package.name:
        return
    base = package.joinpath(*parts)
    for name in names:
        yield from _existing(base / name)
    for path in _existing(base):
        if path.name == "__init__.py" or "njit" in _text(path) or any(name.isupper() for name in names):
            yield path


def _existing(module: Path) -> Iterator[Path]:
    return (path for path in (module.with_suffix(".py"), module / "__init__.py") if path.is_file())


@cache
def _text(source: Path) -> str:
    return source.read_text(encoding="utf-8")


class _Stamped:
    """A place to keep kernels of this package, and of no other."""

    def get_source_stamp(self) -> str:
        """What numba compares with the stamp that a kernel was kept under."""
        return stamp(Path(self._py_file).resolve())  # type: ignore[attr-defined] # of numba's class beside this one

    @classmethod
    def from_function(cls, py_func: Any, py_file: str) -> Any:
        """None leaves the function to numba's own classes."""
        if not Path(py_file).resolve().is_relative_to(PACKAGE):
            return None
        return super().from_function(py_func, py_file)  # type: ignore[misc] # likewise


class Chosen(_Stamped, caching.UserProvidedCacheLocator):  # type: ignore[misc] # numba has no types
    """The folder NUMBA_CACHE_DIR, where it is set."""


class BesideTheSource(_Stamped, caching.InTreeCacheLocator):  # type: ignore[misc] # numba has no types
    """__pycache__ beside the source file, where it can be written."""


class OfTheUser(_Stamped, caching.UserWideCacheLocator):  # type: ignore[misc] # numba has no types
    """The user's cache folder."""
