"""What the spiking interface says to bad input: each line of docs/bad_input_spiking.md, tried."""

from __future__ import annotations

from pathlib import Path

import pytest
from bad_inputs_spiking import TABLES, line, rows_of

PAGE = Path(__file__).resolve().parents[1] / "docs" / "bad_input_spiking.md"


def told(table: str) -> list[str]:
    """The lines of one table of the page."""
    part = PAGE.read_text().split(f"## {table}\n", 1)[1].split("\n## ")[0]
    return [item for item in part.splitlines() if item.startswith("| ") and not item.startswith("| input |")]


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("table", TABLES)
def test_every_message_is_the_pages(table, tmp_path):
    said = [line(row) for row in rows_of(table, tmp_path)]
    assert said == told(table), "print the page's tables anew: python scripts/bad_input_spiking.py"


def test_a_message_says_where_what_was_expected_or_what_to_do():
    words = ("expected", "allowed", "; ", "it has", "there are", "the chip", "is not supported", "not a readable")
    for table in TABLES:
        for item in told(table):
            assert ": " in item, item
            assert any(word in item for word in words), item


def test_the_page_has_no_other_tables():
    titles = [item[3:] for item in PAGE.read_text().splitlines() if item.startswith("## ")]
    assert titles == list(TABLES)
