"""The examples run as they stand, and what they print agrees with what they did."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from neuro_robot.bags.record import FlightRecorder, network_shape
from neuro_robot.bench.flight import FlightRequest, fly
from neuro_robot.bench.pilots import make_pilot

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def example(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"examples_{name}", EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_example_has_a_main_and_is_short() -> None:
    paths = sorted(EXAMPLES.glob("*.py"))
    assert {"custom_world", "fly_in_process", "read_bag_events"} <= {path.stem for path in paths}
    for path in paths:
        assert "def main(" in path.read_text()
        assert len(path.read_text().splitlines()) < 60


def test_custom_world_then_fly_in_process(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    world = tmp_path / "gate.yaml"
    assert example("custom_world").main([str(world)]) == "goal"
    assert "goal reached" in capsys.readouterr().out
    kind = example("fly_in_process").main([str(world), "0"])
    told = capsys.readouterr().out
    assert told.startswith(kind)
    assert kind in ("goal", "collision", "out_of_bounds")
    assert " spikes out" in told
    assert "\n0 events in" not in told


def test_read_bag_events_counts_what_the_flight_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    request = FlightRequest(world="forest", time_limit_s=0.3)
    controller = make_pilot(request)
    with FlightRecorder(tmp_path / "bag", network_shape(controller)) as recorder:
        log = fly(request, controller, None, recorder)
    assert example("read_bag_events").main([str(tmp_path / "bag")]) == log.events.sum() > 0
    told = capsys.readouterr().out
    assert f"{len(log.t) - 1} packets, 0 lost" in told
    assert "evt3, 128 x 128" in told
