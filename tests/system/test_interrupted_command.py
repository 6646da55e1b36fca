"""The command from outside: Ctrl-C, errors and JSON."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from graphs import PATIENCE_S  # skips where ROS is missing

from neuro_robot.bags.reader import BagReader

pytestmark = [pytest.mark.ros, pytest.mark.slow]


def command(*arguments):
    return [sys.executable, "-m", "neuro_robot.cli", *arguments]


@pytest.mark.parametrize("mode", ["inprocess", "lockstep"])
def test_ctrl_c_ends_cleanly_and_the_bag_is_readable(tmp_path, mode):
    out = tmp_path / "run"
    arguments = ["fly", "--mode", mode, "--out", str(out), "--no-video", "--episodes", "100"]
    process = subprocess.Popen(command(*arguments), stderr=subprocess.PIPE, text=True, start_new_session=True)
    bag = out / "bag" / "bag.mcap"
    end = time.monotonic() + PATIENCE_S
    while not (bag.is_file() and bag.stat().st_size > 100_000) and time.monotonic() < end:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    try:
        said = process.communicate(timeout=PATIENCE_S)[1]
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    assert process.returncode == 130
    assert "readable" in said
    with BagReader(out) as reader:
        assert sum(1 for _ in reader.messages()) == sum(reader.counts.values()) > 0
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


def test_an_error_is_one_line_and_status_1(tmp_path):
    (tmp_path / "world.yaml").write_text("name: [")
    for arguments in (["fly", "--world", str(tmp_path / "world.yaml")], ["replay", str(tmp_path)]):
        done = subprocess.run(command(*arguments), capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert done.stderr.strip().startswith("error: ")
        assert "Traceback" not in done.stderr


def test_json_is_all_there_is_on_stdout(tmp_path):
    arguments = ["fly", "--mode", "inprocess", "--speed", "20", "--weights", "initial", "--out", str(tmp_path / "run"),
                 "--no-record", "--no-video", "--json"]  # fmt: skip
    done = subprocess.run(command(*arguments), capture_output=True, text=True, check=True)
    summary = json.loads(done.stdout[done.stdout.index("{") :])
    assert set(summary["digest"]) == {"spikes", "commands", "weights"}
