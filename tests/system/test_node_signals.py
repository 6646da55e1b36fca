"""Stop signals to a node: however many come, it leaves in order with status 0."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from neuro_robot.nodes.bringup import isolate

pytestmark = [pytest.mark.ros, pytest.mark.slow]


def notes_stop_signals(pid: int) -> bool:
    """Whether the process has a handler of its own for SIGTERM (Linux)."""
    status = Path(f"/proc/{pid}/status").read_text()
    caught = int(status.split("SigCgt:")[1].split()[0], 16)
    return bool(caught >> (signal.SIGTERM - 1) & 1)


@pytest.mark.parametrize("node", ["leg_sim_node", "leg_controller_node"])
def test_ctrl_c_again_and_again_does_not_end_an_orderly_end(node, tmp_path):
    isolate()
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", f"neuro_robot.nodes.{node}"],
            stdout=log,
            stderr=subprocess.STDOUT,
            env=dict(os.environ),
        )
    end = time.monotonic() + 120.0
    while not notes_stop_signals(process.pid) and time.monotonic() < end:
        time.sleep(0.01)
    while process.poll() is None and time.monotonic() < end:
        process.send_signal(signal.SIGINT)
        time.sleep(0.002)
    process.kill()
    assert process.wait() == 0, (tmp_path / "log").read_text()
