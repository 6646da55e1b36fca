"""Whatever the legs are told, the robot stands and says why: each line of the table of docs/quadruped.md, tried."""

from __future__ import annotations

from pathlib import Path

import pytest
from bad_inputs import line, without_numbers
from bad_inputs_legs import CASES

pytestmark = [pytest.mark.ros, pytest.mark.slow]
PAGE = Path(__file__).resolve().parents[2] / "docs" / "quadruped.md"
HEAD = "| input | what happens | message |"


def test_what_happens_is_what_the_page_says(tmp_path):
    said = [line(row) for case in CASES for row in case(tmp_path)]
    text = PAGE.read_text()
    page = text[text.index(HEAD) :].split("\n\n")[0].splitlines()[2:]
    told = [without_numbers(item) for item in page]
    assert [without_numbers(item) for item in said] == told, "python scripts/bad_input_table.py legs prints the table"
