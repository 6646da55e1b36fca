"""Gives every bad input of docs/bad_input_spiking.md to the real interface and prints the page's tables.

python scripts/bad_input_spiking.py
"""

from __future__ import annotations

import sys
import tempfile
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from bad_inputs_spiking import TABLES, line, rows_of


def main() -> int:
    """Print the tables."""
    warnings.simplefilter("ignore")  # about units of time, beside the refusals
    for table in TABLES:
        with tempfile.TemporaryDirectory() as folder:
            print(f"## {table}\n\n| input | message |\n|---|---|")
            for row in rows_of(table, Path(folder)):
                print(line(row), flush=True)
        print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
