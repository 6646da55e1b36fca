"""What `neuro_robot walk` hands on and what it refuses before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from neuro_robot import cli, flights
from neuro_robot.cli_walk_tables import walk_tables
from neuro_robot.share import learned_weights


@pytest.fixture
def asked(monkeypatch):
    """Runs the command without walking; the requests that came."""
    requests = []

    def fly_run(run, _progress):
        requests.append(run.flight)
        raise KeyboardInterrupt

    monkeypatch.setattr(flights, "fly_run", fly_run)

    def run(*arguments, command="walk"):
        monkeypatch.setattr("sys.argv", ["neuro_robot", command, *arguments])
        return cli.main()

    run.requests = requests
    return run


def test_gaits_and_faults_are_handed_on(asked):
    asked("--gait", "trot bound@8s", "--fault", "dead_neurons:cpg:10%@5s", "--fault", "lost_spikes:cpg:1%")
    mind = asked.requests[0].mind
    assert mind["gait"] == "trot bound@8s"
    assert mind["faults"] == "dead_neurons:cpg:10%@5s; lost_spikes:cpg:1%"
    asked()
    assert not {"gait", "faults"} & set(asked.requests[1].mind)  # the parameter file's, if there is one


@pytest.mark.parametrize("command", ["fly", "walk"])
def test_weights_are_named_as_in_the_launch_files(asked, monkeypatch, tmp_path, command):
    monkeypatch.chdir(tmp_path)
    for arguments in ((), ("--weights", "learned"), ("--weights", "initial"), ("--weights", "mine.npz")):
        asked(*arguments, command=command)
    own = str(learned_weights({"fly": "drone", "walk": "quadruped"}[command]))
    assert [request.weights for request in asked.requests] == [own, own, None, str(tmp_path / "mine.npz")]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--gait", "gallop"), "expected one of trot, walk, pace, bound"),
        (("--gait", "trot bound"), "trot bound@8s walk@15s"),
        (("--fault", "heartbreak:cpg"), "dead_neurons:column:20%@2s"),
    ],
)
def test_what_is_none_is_refused_with_the_form(asked, capsys, arguments, told):
    assert asked(*arguments) == 1
    assert told in " ".join(capsys.readouterr().err.split())
    assert not asked.requests


def walked(seed, advance_m, outcome, success):
    reason = f"after {advance_m} m"
    return {"seed": seed, "outcome": outcome, "reason": reason, "flight_s": 20.0, "advance_m": advance_m,
            "success": success}  # fmt: skip


def printed(walks):
    last = walks[-1]
    summary = {"world": "walk_rough", "seed": last["seed"], "mode": "inprocess", "speed": 0.6, "digest": {},
               "success": last["success"], "outcome": last["outcome"], "reason": last["reason"], "episodes": walks,
               }  # fmt: skip
    console = Console(width=100)
    with console.capture() as told:
        console.print(walk_tables(summary, Path("runs/x")))
    return told.get()


def test_every_walk_is_told_and_the_last_is_called_so():
    text = printed([walked(7, 2.0, "fall", False), walked(8, 12.0, "timeout", True), walked(9, 11.0, "timeout", True)])
    assert "walk_rough, 3 walks" in text
    assert "fall: after 2.0 m" in text
    assert "the last of 3 walks: walk_rough, seed 9" in " ".join(text.split())
    total = next(line for line in text.splitlines() if line.strip("│ ").startswith("all"))
    assert [cell.strip() for cell in total.strip("│").split("│")][:5] == ["all", "2 of 3", "25.00", "60.0", "0.42"]


def test_one_walk_needs_no_list():
    text = printed([walked(7, 2.0, "fall", False)])
    assert "walks" not in text
    assert "walk_rough, seed 7" in text
