from __future__ import annotations

import io
import json
import math
import os
import subprocess
import sys
import time
from pathlib import Path

import cv2
import pytest
from bench import fakes
from rich.console import Console

from neuro_robot.bench import evaluate as evaluation
from neuro_robot.bench import training
from neuro_robot.bench.console import evaluate_with_progress, evaluation_table, training_table
from neuro_robot.bench.evaluate import TRAINING_SEED, EvaluationRequest, evaluate
from neuro_robot.bench.evaluation_plots import write_plots
from neuro_robot.bench.parallel import Job, run_jobs
from neuro_robot.errors import ConfigError, SimulationError

TESTS = Path(__file__).resolve().parents[1]


@pytest.fixture
def fake_flights(monkeypatch):
    monkeypatch.setattr(evaluation, "fly", fakes.fake_fly)
    monkeypatch.setattr(training, "fly", fakes.fake_fly)
    monkeypatch.setattr(training, "make_pilot", fakes.FakePilot)


def request(**changes):
    values = {"speeds": (5.0, 10.0), "seeds": tuple(range(10)), "processes": 1, "train_minutes": 1.0}
    return EvaluationRequest(**(values | changes))


def test_rows_tell_the_pilots_apart(fake_flights):
    result = evaluate(request())
    rates = {name: row["success_rate"] for name, row in result["rows"].items()}
    assert rates == {"blind": 0.2, "potential_field": 1.0, "frozen": 0.0, "learned": 1.0, "shuffled": 0.0}
    assert all(row["episodes"] == 20 for row in result["rows"].values())
    blind = result["rows"]["blind"]
    assert blind["by_speed"]["10"]["episodes"] == 10
    assert blind["metres_to_first_contact"] == pytest.approx((4 * 60 + 16 * 15) / 20)
    assert blind["metres_per_contact"] == pytest.approx((4 * 60 + 16 * 15) / 16)
    assert blind["interval"][0] < 0.2 < blind["interval"][1]


def test_training_stays_in_its_budget_and_its_worlds(fake_flights):
    result = evaluate(request(train_minutes=1.15))
    learned = result["training"]["learned"][0]
    curve = learned["curve"]
    assert learned["simulated_minutes"] == pytest.approx(1.15)
    assert [row["seed"] for row in curve] == list(range(TRAINING_SEED, TRAINING_SEED + len(curve)))
    assert [row["speed"] for row in curve[:4]] == [5.0, 10.0, 5.0, 10.0]
    assert [row["outcome"] for row in curve[:5]] == ["collision"] * 4 + ["goal"]
    assert curve[4]["minutes"] == pytest.approx((20 / 5 + 20 / 10 + 20 / 5 + 20 / 10 + 60 / 5) / 60)
    assert curve[-1]["outcome"] == "stopped"
    assert not set(range(TRAINING_SEED, TRAINING_SEED + len(curve))) & set(result["seeds"])


def test_several_networks_share_the_seeds(fake_flights):
    result = evaluate(request(networks=3, rows=("frozen", "learned"), speeds=(5.0,)))
    for row in ("frozen", "learned"):
        assert sorted(f["seed"] for f in result["flights"] if f["row"] == row) == list(range(10))
    starts = [one["seeds"][0] for one in result["training"]["learned"]]
    assert starts == [1000, 2000, 3000]


def test_rows_and_speeds_given_twice_are_one(fake_flights):
    result = evaluate(request(rows=("blind", "frozen", "blind"), speeds=(5.0, 5.0)))
    assert {name: row["episodes"] for name, row in result["rows"].items()} == {"blind": 10, "frozen": 10}


def test_given_weights_skip_training(fake_flights, tmp_path):
    weights = tmp_path / "weights"
    weights.write_text("9")
    result = evaluate(request(rows=("learned",), weights=str(weights)))
    assert result["rows"]["learned"]["success_rate"] == 1.0
    assert result["training"]["learned"] == []


def test_result_is_strict_json_and_has_a_table(fake_flights, monkeypatch):
    monkeypatch.setattr(fakes, "log_of", lambda *_: pytest.fail("not used"))
    monkeypatch.setattr(evaluation, "evaluate_flight", lambda flight, row: fakes.episode(clearance=math.nan, row=row))
    result = evaluate(request(rows=("blind",), speeds=(5.0,)))
    text = json.dumps(result, allow_nan=False)
    assert json.loads(text)["rows"]["blind"]["min_clearance"] is None
    console = Console(width=140, record=True, quiet=False, file=io.StringIO())
    console.print(evaluation_table(result), training_table(result))
    assert "100 %" in console.export_text()


def test_progress_reaches_the_end(fake_flights):
    seen = []
    evaluate(request(rows=("blind", "learned"), speeds=(5.0,)), lambda *args: seen.append(args))
    assert seen[-1][1:] == (21, 21)
    result = evaluate_with_progress(request(rows=("blind",)), Console(file=io.StringIO()))
    assert result["rows"]["blind"]["episodes"] == 20


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"rows": ("blind", "psychic")}, "psychic"),
        ({"rows": ()}, "rows"),
        ({"speeds": ()}, "speeds"),
        ({"speeds": (-1.0,)}, "speeds"),
        ({"speeds": (math.nan,)}, "speeds"),
        ({"seeds": (5, 1000)}, "training worlds"),
        ({"processes": 0}, "processes"),
        ({"networks": 11}, "at most 10"),
        ({"train_minutes": 0.0}, "train_minutes"),
    ],
)
def test_bad_requests_are_refused(changes, word):
    with pytest.raises(ConfigError, match=word):
        evaluate(request(**changes))


def test_processes_give_what_one_gives():
    def jobs():
        return [Job("row", f"square {i}", fakes.square, (i,)) for i in range(4)]

    def follow(job, result):
        return [Job("more", "again", fakes.square, (result,))] if job.row == "row" and result == 9 else []

    alone = sorted(result for _, result in run_jobs(jobs(), follow, 1))
    assert alone == [0, 1, 4, 9, 81]
    assert sorted(result for _, result in run_jobs(jobs(), follow, 2)) == alone


def test_a_failing_job_is_raised():
    jobs = [Job("row", "boom", fakes.boom, (3,))]
    for processes in (1, 2):
        with pytest.raises(ValueError, match="boom 3"):
            run_jobs(jobs, lambda *_: [], processes)


def test_workers_end_with_the_process_that_started_them(tmp_path):
    program = (
        "import sys; from bench import fakes; from neuro_robot.bench.parallel import Job, run_jobs\n"
        "if __name__ == '__main__':\n"
        "    run_jobs([Job('row', 'stay', fakes.stay, (path,)) for path in sys.argv[1:]], lambda *_: [], 2)\n"
    )
    (tmp_path / "program.py").write_text(program)
    said = [tmp_path / "one", tmp_path / "two"]
    path = os.pathsep.join([str(TESTS), *sys.path])
    parent = subprocess.Popen([sys.executable, tmp_path / "program.py", *said], env=os.environ | {"PYTHONPATH": path})
    assert within(60.0, lambda: all(file.exists() and file.read_text() for file in said))
    parent.kill()
    parent.wait()
    workers = [Path("/proc") / file.read_text() / "stat" for file in said]
    assert within(20.0, lambda: not any(one.exists() and ") Z" not in one.read_text() for one in workers))


def within(seconds, done):
    """Whether it is done before so much time has gone by."""
    end = time.monotonic() + seconds
    while not done() and time.monotonic() < end:
        time.sleep(0.05)
    return done()


def test_a_killed_worker_is_told():
    with pytest.raises(SimulationError, match="killed"):
        run_jobs([Job("row", "vanish", fakes.vanish, ())], lambda *_: [], 2)


def test_plots_are_written(fake_flights, tmp_path):
    result = evaluate(request())
    for path in write_plots(result, tmp_path / "plots"):
        assert cv2.imread(str(path)).shape[0] > 300
    assert {path.name for path in (tmp_path / "plots").iterdir()} == {"success.png", "learning.png"}
    untrained = evaluate(request(rows=("blind",)))
    assert [path.name for path in write_plots(untrained, tmp_path)] == ["success.png"]
