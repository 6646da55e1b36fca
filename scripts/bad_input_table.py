"""Gives every bad input of docs/safety.md to the real nodes and prints what comes of it, as that page's table.

    python scripts/bad_input_table.py [CASE ...]        some cases: bad_packets, killed_simulator, ...
    python scripts/bad_input_table.py legs              the walking robot's, for docs/quadruped.md

Takes a minute or two; needs ROS 2 and the message (`make setup`).
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import bad_inputs_legs
from bad_inputs import CASES, line


def main(names: list[str]) -> int:
    """Print the rows as they come."""
    print("| input | what happens | message |\n|---|---|---|", flush=True)
    legs, names = "legs" in names, [name for name in names if name != "legs"]
    for case in bad_inputs_legs.CASES if legs else CASES:
        if names and case.__name__ not in names:
            continue
        with tempfile.TemporaryDirectory() as folder:
            for row in case(Path(folder)):
                print(line(row), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
