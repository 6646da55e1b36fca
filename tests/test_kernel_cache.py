"""Kept kernels follow every source file that they were made from."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from neuro_robot import kernel_cache
from neuro_robot.kernel_cache import stamp

ROOT = Path(__file__).resolve().parents[1] / "neuro_robot"
KERNEL = """
from numba import njit
from neuro_robot.below import (  # kept in another file
    factor,
)
from neuro_robot.constants import ADDED
@njit(cache=True)
def total(x):
    return factor(x) + ADDED
print(total(2), sum(total.stats.cache_hits.values()))
"""
BELOW = "from numba import njit\n@njit(cache=True)\ndef factor(x):\n    return {} * x\n"


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package of the same name: a kernel, what it calls, a constant, and a file that has nothing to do with it."""
    folder = tmp_path / "neuro_robot"
    folder.mkdir()
    for name in ("__init__.py", "kernel_cache.py"):
        shutil.copy(ROOT / name, folder / name)
    (folder / "kernel.py").write_text(KERNEL)
    (folder / "below.py").write_text(BELOW.format(3))
    (folder / "constants.py").write_text("ADDED = 10\n")
    (folder / "apart.py").write_text("HELLO = 1\n")
    return folder


def run(package: Path, **variables: str) -> tuple[int, int]:
    """What the kernel gives, and how often it came out of the cache."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("NUMBA_CACHE")}
    environment = {**kept, "PYTHONPATH": str(package.parent), "PYTHONDONTWRITEBYTECODE": "1", **variables}
    done = subprocess.run([sys.executable, "-c", "import neuro_robot.kernel"], cwd=package.parent, env=environment,
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    value, hits = done.stdout.split()
    return int(value), int(hits)


def test_a_change_in_another_file_is_noticed(package: Path) -> None:
    assert run(package) == (16, 0)
    (package / "apart.py").write_text("HELLO = 2\n")
    assert run(package) == (16, 1)
    (package / "below.py").write_text(BELOW.format(4))
    assert run(package) == (18, 0)


def test_kernels_replace_each_other_where_the_user_wants_them(package: Path, tmp_path: Path) -> None:
    for added in (10, 20):
        (package / "constants.py").write_text(f"ADDED = {added}\n")
        assert run(package, NUMBA_CACHE_DIR=str(tmp_path / "chosen")) == (6 + added, 0)
    assert len(list((tmp_path / "chosen").rglob("kernel.*.nbc"))) == 1
    assert not (package / "__pycache__").exists()


def test_a_stamp_covers_what_kernels_can_use(tmp_path: Path) -> None:
    package = tmp_path / "robot"
    (package / "deep").mkdir(parents=True)
    texts = {
        "a": "from robot.deep import b\nfrom robot.errors import (SomeError,\n helper)\nfrom os import path",
        "deep/__init__": "",
        "deep/b": "from robot.c import LIMIT",
        "c": "from robot.kernels import f",
        "kernels": "from robot.a import nothing\nfrom numba import njit",
        "errors": "",
    }
    for name, text in texts.items():
        (package / f"{name}.py").write_text(text)

    def stamp_after(name: str, text: str) -> str:
        (package / f"{name}.py").write_text(text)
        for kept in (kernel_cache.stamp, kernel_cache._imported, kernel_cache._text):
            kept.cache_clear()
        return stamp(package / "a.py", package)

    before = stamp_after("errors", "")
    assert stamp_after("errors", "X = 1") == before
    seen = [stamp_after(name, texts[name] + "\nY = 1") for name in texts if name != "errors"]
    assert len({before, *seen}) == 6


def test_functions_of_others_are_left_to_numba() -> None:
    for place in (kernel_cache.Chosen, kernel_cache.BesideTheSource, kernel_cache.OfTheUser):
        assert place.from_function(run, __file__) is None
