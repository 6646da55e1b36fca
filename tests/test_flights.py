"""What a run leaves behind: every episode in its summary, and nothing of a run that was refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from neuro_robot.bench.flight import FlightRequest
from neuro_robot.errors import WeightsError
from neuro_robot.flights import RunRequest, fly_run, start_weights


def short_walk(folder, **changes):
    flight = {"robot": "quadruped", "world": "walk_flat", "seed": 3, "speed": 0.6, "sim": {"episode.timeout_s": 0.3}}
    return RunRequest(FlightRequest(**flight | changes), folder, "inprocess", record=False)


def test_every_walk_of_a_run_tells_how_far_it_came(tmp_path):
    run = short_walk(tmp_path / "run")
    walks = fly_run(RunRequest(run.flight, run.folder, run.mode, episodes=2, record=False))["episodes"]
    assert [walk["seed"] for walk in walks] == [3, 4]
    assert [walk["success"] for walk in walks] == [False, False]  # nobody walks 0.18 m in its first 0.3 s
    assert all(-0.1 < walk["advance_m"] < 0.15 for walk in walks)
    assert walks[0]["advance_m"] != walks[1]["advance_m"]
    assert all(walk["flight_s"] == pytest.approx(0.3) for walk in walks)


@pytest.mark.parametrize("mode", ["inprocess", "lockstep"])
@pytest.mark.parametrize("content", [None, b"no weights at all"])
def test_refused_weights_leave_no_folder(tmp_path, mode, content):
    path = tmp_path / "broken.npz"
    if content is not None:
        path.write_bytes(content)
    run = replace(short_walk(tmp_path / "runs" / "run", weights=str(path)), mode=mode)
    with pytest.raises(WeightsError, match="`--weights initial` starts without any") as error:
        fly_run(run)
    assert str(error.value).count(str(path)) == 1
    assert not (tmp_path / "runs").exists()


def test_weights_of_another_network_are_named_with_the_remedy(tmp_path):
    own = start_weights("learned", "quadruped")
    run = short_walk(tmp_path / "run", weights=own, mind={"cpg.neurons": 10})
    with pytest.raises(WeightsError, match=r"^the package's own weights .*_weights.npz: drive: saved for 1x128"):
        fly_run(run)
    assert not run.folder.exists()
