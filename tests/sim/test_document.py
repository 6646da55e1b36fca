"""Numbers in a world file, and what is said about those that are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from neuro_robot.errors import WorldError
from neuro_robot.sim.document import Node, parse


def said(tmp_path: Path, text: str) -> str:
    file = tmp_path / "world.yaml"
    file.write_text(text)
    with pytest.raises(WorldError) as caught:
        Node(parse(file), "radius", file).number(0.0, 10.0)
    return str(caught.value)


@pytest.mark.parametrize("text", ["1e-3", "-1E3", "1.5e3", "1.e2"])
def test_powers_that_yaml_reads_as_text_are_explained(tmp_path: Path, text: str) -> None:
    assert "1.0e-3" in said(tmp_path, text)


@pytest.mark.parametrize("text", ["here", "bare", "e", "1e", ".nan", ".inf", "11.0", "0x1e", "true"])
def test_other_texts_and_numbers_are_not(tmp_path: Path, text: str) -> None:
    assert "1.0e-3" not in said(tmp_path, text)


def test_powers_as_yaml_wants_them(tmp_path: Path) -> None:
    file = tmp_path / "world.yaml"
    file.write_text("1.0e-3")
    assert Node(parse(file), "radius", file).number(0.0, 10.0) == 1e-3
