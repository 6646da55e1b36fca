from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import cv2
import numpy as np
import pytest
from bench.fakes import fake_run

from neuro_robot.bags.digest import RunDigest
from neuro_robot.bags.record import FlightRecorder
from neuro_robot.bench.flight import FlightRequest, fly
from neuro_robot.bench.report import report_html
from neuro_robot.bench.report_tables import compact
from neuro_robot.bench.rundata import load_run
from neuro_robot.bench.runfolder import BAG, finish_run
from neuro_robot.bench.summary import SCHEMA, facts_of, percentiles, summarise_run
from neuro_robot.bench.video import HEIGHT, WIDTH, write_video
from neuro_robot.errors import BagError, ConfigError
from neuro_robot.robot import BodyCommand
from neuro_robot.sim.world import load_world


class Links(HTMLParser):
    """Everything a page would fetch, and whether its tags close."""

    def __init__(self):
        super().__init__()
        self.fetched, self.open = [], []

    def handle_starttag(self, tag, attributes):
        self.fetched += [value for name, value in attributes if name in ("src", "href", "data", "srcset", "action")]
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def told():
    facts, run = fake_run()
    summary = summarise_run(facts, run)
    return facts, replace(run, summary=summary)


def test_summary_is_strict_json_with_the_figures(told):
    facts, run = told
    summary = json.loads(json.dumps(run.summary, allow_nan=False))
    assert summary["schema"] == SCHEMA
    assert summary["outcome"] == "collision"
    assert summary["counts"]["events"] == len(run.events)
    assert summary["counts"]["spikes_by_layer"] == [0, *(int((run.spikes["y"] == k).sum()) for k in (1, 2))]
    length = sum(np.linalg.norm(b - a) for a, b in zip(run.position, run.position[1:], strict=False))
    assert summary["path"]["distance_m"] == pytest.approx(length)
    trees = np.array([[*item.position[:2], item.radius] for item in run.world.objects])
    nearest = min(np.min(np.hypot(*(trees[:, :2] - p[:2]).T) - trees[:, 2]) for p in run.position)
    assert summary["path"]["min_clearance_m"] == pytest.approx(nearest - summary["body_radius_m"], abs=1e-9)
    assert summary["reply_ms"]["p99"] == pytest.approx(0.3)
    steer = summary["learning"]["weights"]["steer"]
    assert steer["mean_after"] == pytest.approx(float(np.mean(facts.weights_after["steer"])))
    assert summary["configuration"]["mind"]["speed"] == summary["speed"] == 6.0
    assert {"python", "numpy", "neuro_robot"} <= set(summary["versions"])


def test_percentiles_of_nothing_and_of_a_ramp():
    assert percentiles(np.empty(0)) == {"p50": None, "p90": None, "p99": None, "max": None}
    assert percentiles(np.arange(101.0)) == {"p50": 50.0, "p90": 90.0, "p99": 99.0, "max": 100.0}


def test_report_needs_no_other_file(told):
    page = report_html(told[1])
    assert not re.search(r"https?://|url\(|@import|<script|<link", page)
    links = Links()
    links.feed(page)
    assert links.open == []
    assert len(links.fetched) == 5
    assert all(item.startswith("data:image/png;base64,") for item in links.fetched)
    for word in ("collision", "hit tree 7", "Weights before and after", "Energy (model)", "not a measurement"):
        assert word in page


def test_report_escapes_what_it_is_told(told):
    run = told[1]
    page = report_html(replace(run, summary={**run.summary, "reason": "<script>alert(1)</script>"}))
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_report_of_a_pilot_without_spikes_or_weights():
    facts, run = fake_run(1.0)
    facts = replace(facts, activity=None, weights_before={}, weights_after={}, reward=facts.reward[:0], digest={})
    bare = replace(run, spikes=run.spikes[:0], reward=run.reward[:0], reward_t=run.reward_t[:0], weights_after={})
    page = report_html(replace(bare, summary=summarise_run(facts, bare)))
    assert page.count("<img") == 3


def test_compact_numbers():
    assert [compact(v) for v in (0, 999, 12_345, 4_560_000)] == ["0", "999", "12.3\u202fk", "4.56\u202fM"]


def test_video_opens_and_has_every_frame(tmp_path):
    facts, bare = fake_run(1.3)
    run = replace(bare, summary=summarise_run(facts, bare))
    path = tmp_path / "flight.mp4"
    count = write_video(run, path)
    assert count == int(np.ceil(run.duration_s * 25)) + 25
    video = cv2.VideoCapture(str(path))
    assert int(video.get(cv2.CAP_PROP_FRAME_COUNT)) == count
    assert (video.get(cv2.CAP_PROP_FRAME_WIDTH), video.get(cv2.CAP_PROP_FRAME_HEIGHT)) == (WIDTH, HEIGHT)
    assert video.get(cv2.CAP_PROP_FPS) == 25
    assert int(video.get(cv2.CAP_PROP_FOURCC)).to_bytes(4, "little") in (b"avc1", b"h264")
    frames = [video.read()[1] for _ in range(count)]
    assert np.abs(frames[5].astype(int) - frames[30].astype(int)).mean() > 3.0


def test_a_flight_is_the_same_twice_and_stops_at_its_limit():
    request = FlightRequest(pilot="blind", seed=2, time_limit_s=0.2)
    first, second = fly(request), fly(request)
    assert first.digest == second.digest
    assert np.array_equal(first.position, second.position)
    assert first.outcome == "stopped"
    assert len(first.t) == 101
    assert first.t[-1] == pytest.approx(0.2)
    assert fly(replace(request, speed=6.0)).digest != first.digest


def test_run_folder_of_a_short_flight(tmp_path):
    request = FlightRequest(pilot="blind", seed=2, time_limit_s=0.3)
    folder = tmp_path / "run"
    seen = []
    with FlightRecorder(folder / BAG, (1, 1)) as recorder:
        log = fly(request, progress=lambda share, _: seen.append(share), recorder=recorder)
    summary = finish_run(folder, facts_of(log))
    assert {path.name for path in folder.iterdir()} == {"bag", "summary.json", "report.html", "flight.mp4"}
    assert json.loads((folder / "summary.json").read_text()) == summary
    assert summary["digest"] == log.digest
    assert summary["counts"]["commands"] == len(log.t) - 1
    assert summary["path"]["min_clearance_m"] == pytest.approx(log.min_clearance_m, abs=0.05)
    assert 0 <= seen[0] <= seen[-1] < 0.1


def test_flights_of_one_bag_are_told_apart(tmp_path):
    requests = [FlightRequest(pilot="blind", seed=2, speed=v, time_limit_s=0.3) for v in (3.0, 6.0)]
    with FlightRecorder(tmp_path / "bag", (1, 1)) as recorder:
        logs = [fly(request, recorder=recorder) for request in requests]
    world = load_world("forest", 2)
    for number, log in enumerate(logs):
        run = load_run(tmp_path / "bag", world, number)
        assert np.array_equal(run.command, log.command[:-1])
        assert np.allclose(run.odom_t, log.t[:-1])
        assert np.array_equal(run.position, log.position[:-1])
    assert np.array_equal(load_run(tmp_path / "bag", world).command, logs[1].command[:-1])
    with pytest.raises(BagError, match="has 2"):
        load_run(tmp_path / "bag", world, 2)


def test_digest_of_a_flight_is_that_of_its_commands():
    log = fly(FlightRequest(pilot="blind", seed=2, time_limit_s=0.05))
    again = RunDigest()
    for k, row in enumerate(log.command[:-1]):
        again.add_command(BodyCommand(round(log.t[k] * 1e9), *row))
    assert log.digest == again.result()


def test_unknown_pilot():
    with pytest.raises(ConfigError, match="psychic"):
        fly(FlightRequest(pilot="psychic", time_limit_s=0.01))
