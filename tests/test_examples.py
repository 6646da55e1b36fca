"""The examples run as they stand, and the documents agree with the code where both say the same thing."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from neuro_robot.bags.record import FlightRecorder, network_shape
from neuro_robot.bags.topics import TOPICS
from neuro_robot.bench.flight import FlightRequest, fly
from neuro_robot.bench.pilots import make_pilot
from neuro_robot.graph import ARGUMENTS
from neuro_robot.sim.world import load_world

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES, DOCS = ROOT / "examples", ROOT / "docs"


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
        assert len(path.read_text().splitlines()) < (135 if path.stem == "cart_pole" else 60)


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


@pytest.mark.parametrize("page", [ROOT / "README.md", *sorted(DOCS.glob("*.md"))], ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text()):
        if target.startswith("http"):
            continue
        name, _, anchor = target.partition("#")
        linked = page.parent / name if name else page
        assert linked.exists(), f"{page.name} links to {target}"
        headings = re.findall(r"^#+ (.*)$", linked.read_text(), re.MULTILINE) if linked.suffix == ".md" else []
        assert not anchor or anchor in [heading.lower().replace(" ", "-") for heading in headings], target


def test_the_interface_table_says_what_the_topics_are() -> None:
    rows = [line.split("|") for line in (DOCS / "ros_interface.md").read_text().splitlines() if line.startswith("| `")]
    told = {row[1].strip(" `"): row for row in rows}
    for topic in TOPICS:
        reliability = "reliable" if topic.reliable else "best effort"
        assert told[topic.name][2].strip() == topic.type.replace("/msg/", "/")
        assert told[topic.name][5].strip() == f"{reliability}, {topic.depth}"


def test_every_launch_argument_is_told() -> None:
    launch = (DOCS / "ros_interface.md").read_text().split("## Launch")[1].split("\n## ")[0]
    assert [item.name for item in ARGUMENTS if f"`{item.name}`" not in launch] == []


def test_the_example_of_a_world_is_one(tmp_path: Path) -> None:
    example_world = re.search(r"```yaml\n(.*?)```", (DOCS / "worlds.md").read_text(), re.DOTALL)
    assert example_world is not None
    path = tmp_path / "example.yaml"
    path.write_text(example_world[1])
    assert {item.kind for item in load_world(path, 1).objects} == {"cylinder", "box", "sphere"}
