"""`replay`: a run's bag must come out the same bit for bit; a camera's recording flows through the controller node."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from neuro_robot.agents.drone import DroneMindConfig
from neuro_robot.bags.reader import BagReader
from neuro_robot.bags.replay import recorded_digest, replay
from neuro_robot.bags.topics import IMU
from neuro_robot.bench.bodies import body_of
from neuro_robot.bench.runfolder import SUMMARY, WEIGHTS_BEFORE
from neuro_robot.config import flat, from_dict
from neuro_robot.errors import BagError
from neuro_robot.graph import replay as replay_graph
from neuro_robot.graph import with_parameters

Progress = Callable[[float, str], None]
CHECKED = ("spikes", "commands", "weights")


def replay_bag(
    path: Path, *, rate: float = 1.0, ros: bool = False, weights: str | None = None, progress: Progress | None = None
) -> dict[str, Any]:
    """Replay what the bag is: a run is checked (`equal` in the result), a recording is streamed over DDS.

    Raises BagError when it is neither, or when a run lacks what is needed to fly it again.
    """
    with BagReader(path) as reader:
        folder = reader.path
        if reader.is_run:
            summary = run_summary(folder)
            came = _over_dds(reader, summary, progress) if ros else _in_process(reader, summary, progress)
            return _compared(reader, summary, came)
        reader.event_topic()
        config, use_imu = DroneMindConfig(), reader.counts.get(IMU.name, 0) > 0
        parameters = {f"mind.{name}": value for name, value in flat(config).items()}
        parameters |= {"use_imu": use_imu, "weights_file": weights or "", "mode": "realtime"}
        result = _stream(folder, parameters, rate, lockstep=False, progress=progress)
        return {"kind": "recording", "bag": str(folder), "rate": rate} | result


def run_summary(bag: Path) -> dict[str, Any]:
    """The summary beside a run's bag. Raises BagError when there is none that can be read."""
    path = bag.parent / SUMMARY
    try:
        summary = json.loads(path.read_text())
        return {"request": summary["request"], "mind": summary["configuration"]["mind"], "digest": summary["digest"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BagError(f"{path}: expected the summary of this run, with configuration and digest: {error}") from error


def _robot(summary: Mapping[str, Any]) -> str:
    return str(summary["request"].get("robot", "drone"))


def _mind(summary: Mapping[str, Any]) -> Any:  # noqa: ANN401 - of the run's body
    return from_dict(body_of(_robot(summary)).mind_config, summary["mind"], "configuration.mind.")


def _seed(summary: Mapping[str, Any]) -> int:
    request = summary["request"]
    return int(request["seed"] if request.get("mind_seed") is None else request["mind_seed"])


def _weights_before(bag: Path) -> Path:
    path = bag.parent / WEIGHTS_BEFORE
    if not path.is_file():
        raise BagError(f"{path}: expected the weights that the run began with; keep them beside the bag")
    return path


def _in_process(reader: BagReader, summary: Mapping[str, Any], progress: Progress | None) -> dict[str, Any]:
    controller = body_of(_robot(summary)).controller(_mind(summary), _seed(summary))
    controller.load(_weights_before(reader.path))
    controller.mind.network.learning = bool(summary["request"]["learning"])
    total = max(reader.counts.get("events", 0), 1)

    def tell(count: int) -> None:
        if progress is not None and count % 50 == 0:
            progress(count / total, f"{count} packets")

    came = asdict(replay(reader, controller, progress=tell))
    return came | {"off_events": came["events"] - came["on_events"]}


def _over_dds(reader: BagReader, summary: Mapping[str, Any], progress: Progress | None) -> dict[str, Any]:
    parameters: dict[str, object] = {f"mind.{name}": value for name, value in flat(_mind(summary)).items()}
    parameters |= {
        "seed": _seed(summary),
        "weights_file": str(_weights_before(reader.path).resolve()),
        "follow_bag": str(reader.path.resolve()),
        "mode": "lockstep",
        "mind.learning": bool(summary["request"]["learning"]),
    }
    return _stream(reader.path, parameters, 1.0, lockstep=True, progress=progress, robot=_robot(summary))


def _compared(reader: BagReader, summary: Mapping[str, Any], came: dict[str, Any]) -> dict[str, Any]:
    """Replayed against what the run reported, and the bag's own messages against both."""
    expected, recorded = summary["digest"], recorded_digest(reader).result()
    equal = {name: came["digest"].get(name) == expected.get(name) for name in CHECKED}
    return {
        "kind": "run",
        "bag": str(reader.path),
        **came,
        "expected": expected,
        "recorded": recorded,
        "equal_to_run": equal,
        "equal_to_bag": {name: came["digest"].get(name) == text for name, text in recorded.items()},
        "equal": all(equal.values()),
    }


def _stream(
    bag: Path,
    parameters: Mapping[str, object],
    rate: float,
    *,
    lockstep: bool,
    progress: Progress | None,
    robot: str = "drone",
) -> dict[str, Any]:
    """Bag to player_node to controller_node over DDS; the controller's own figures."""
    from neuro_robot.nodes.flight import play_graph  # ROS is needed here only

    nodes = replay_graph(str(bag.resolve()), rate=rate, lockstep=lockstep, values={}, robot=robot)
    with tempfile.TemporaryDirectory() as folder:
        final, player = play_graph(with_parameters(nodes, {"controller_node": parameters}), Path(folder), progress)
    numbers = {name: int(float(final[name])) for name in ("packets", "on_events", "off_events", "refused")}
    numbers["triggers"] = int(float(final["stream_triggers"]))
    numbers |= {"events": numbers["on_events"] + numbers["off_events"], "spikes": int(final["spikes_sent"])}
    numbers |= {"commands": int(final["commands"]), "packets_sent": int(player["sent"])}
    numbers["lost_packets"] = numbers["packets_sent"] - numbers["packets"] - numbers["refused"]
    latency = {name: float(final[name]) for name in ("latency_p50_ms", "latency_p99_ms", "latency_max_ms")}
    digest = {name: final[f"digest_{name}"] for name in CHECKED}
    return {**numbers, **latency, "played_s": float(player["wall_s"]), "digest": digest}
