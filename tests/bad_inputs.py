"""Every bad input that docs/safety.md names, given to the real nodes: what happens, and what is said.

Run by tests/system/test_bad_inputs.py, which compares the outcome with the page, and by scripts/bad_input_table.py,
which prints the table.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from graphs import PATIENCE_S, SIM, sim_only, until

from neuro_robot.agents.controller import Controller
from neuro_robot.agents.drone import DroneMindConfig
from neuro_robot.bags.reader import BagReader
from neuro_robot.bags.topics import COMMAND, EVENTS
from neuro_robot.config import from_dict
from neuro_robot.events.array import empty_events
from neuro_robot.events.packet import pack
from neuro_robot.graph import GraphNode, drone, with_parameters
from neuro_robot.nodes.bringup import Bringup, GraphError
from neuro_robot.nodes.conversions import command_message, packet_message
from neuro_robot.nodes.core import qos
from neuro_robot.robot import BodyCommand


class Row(NamedTuple):
    """One line of the table."""

    given: str
    happens: str
    message: str


def bad_packets(folder: Path) -> Iterator[Row]:
    """A controller without IMU gets good and bad packets; it answers the good ones before, between and after."""

    def packet(seq: int, **change: object) -> object:
        good = pack(empty_events(), "evt3", width=64, height=48, seq=seq, stamp_ns=0, t_end_ns=seq * 2_000_000)
        message = packet_message(good)
        for name, value in change.items():
            setattr(message, name, value)
        return message

    node = GraphNode("controller_node", {"mode": "realtime", "use_imu": False}, ends_graph=True)
    with Bringup([node], folder) as graph:
        publisher = graph._node.create_publisher(type(packet(0)), EVENTS.name, qos(EVENTS))
        graph.configure()
        graph.activate()
        until_connected(graph, publisher)
        seq = answered = refused = 0

        def send(message: object, counter: str, value: int) -> dict[str, str]:
            publisher.publish(message)
            return until(graph, "controller_node", lambda status: int(status.values.get(counter, 0)) == value).values

        send(packet(seq), "packets", answered := answered + 1)
        for given, change in (
            ("a packet of an unknown encoding", {"encoding": "evt9"}),
            ("a packet without a geometry", {"width": 0}),
            ("a packet of an absurd geometry", {"width": 2**31}),
            ("a packet from another sensor size", {"width": 32}),
            ("a packet in another encoding than before", {"encoding": "mono"}),
        ):
            send(packet(seq := seq + 1, **change), "refused", refused := refused + 1)
            yield Row(
                given, "refused and counted; no command, so the robot stops", graph.status["controller_node"].text
            )
            send(packet(seq := seq + 1), "packets", answered := answered + 1)
        torn = packet(seq := seq + 1)
        torn.events = torn.events[:-1]
        values = send(torn, "packets", answered := answered + 1)
        yield Row("a torn evt3 packet", "its whole words are used, the rest is counted; a command goes out",
                  f"stream_torn_bytes: {values['stream_torn_bytes']}")  # fmt: skip
        lost_before = int(values["stream_lost_packets"])
        values = send(packet(seq := seq + 4), "packets", answered + 1)
        yield Row("three missing packets", "counted, the decoder waits for the next time word; commands go on",
                  f"stream_lost_packets: +{int(values['stream_lost_packets']) - lost_before}")  # fmt: skip


def bad_commands(folder: Path) -> Iterator[Row]:
    """The simulated vehicle flies free and gets commands; it hovers and says why."""
    hover = "the drone hovers, level ERROR"
    with sim_only(folder, **{"drone.limits.command_timeout_ms": 5000.0, "drone.episode.timeout_s": 300.0}) as graph:
        kind = type(command_message(BodyCommand(0, 0.0, 0.0, 0.0, 0.0)))
        publisher = graph._node.create_publisher(kind, COMMAND.name, qos(COMMAND))
        graph.configure()
        graph.activate()
        yield Row("no command yet", hover, erring(graph, "no command"))
        for given, wanted, ahead_ns, vx in (
            ("a command that is not a number", "(nan", 0, float("nan")),
            ("an infinite command", "(-inf", 0, float("-inf")),
            ("an absurd command", "exceeds", 0, 1e6),
            ("a command from the future", "ahead of", 10**12, 1.0),
            ("a command from long ago", "ms old", -(10**12), 1.0),
        ):
            end = time.monotonic() + PATIENCE_S
            while wanted not in graph.status["sim_node"].text and time.monotonic() < end:
                t_ns = int(float(graph.status["sim_node"].values.get("t_s", 0.0)) * 1e9)
                publisher.publish(command_message(BodyCommand(max(t_ns + ahead_ns, 0), vx, 0.0, 0.0, 0.0)))
                graph.spin(0.02)
                if ahead_ns < 0:
                    graph.spin(5.5)  # the stamp 0 is old once the flight is
            yield Row(given, hover, erring(graph, wanted))


def bad_files(folder: Path) -> Iterator[Row]:
    """Worlds, weights and parameters that are wrong: the node refuses to be configured, or does not even start."""
    refused = "refused at configure; nothing flies"
    world = folder / "world.yaml"
    for given, text in (
        ("a world file that is no YAML", "name: ["),
        ("a world file with a wrong value", "bounds: {x: [-6, 70], y: [-10, 10], z: [0, 5]}\nstart: 3\ngoal: {x: 60}"),
        ("a world file with an unknown key", "bonds: {}"),
    ):
        world.write_text(text)
        yield Row(given, refused, refusal(folder, "sim_node", {"world": str(world)}))
    yield Row("a world that does not exist", refused, refusal(folder, "sim_node", {"world": "nowhere"}))
    good = folder / "good.npz"
    Controller(DroneMindConfig(), 0).save(good)
    other = folder / "weights.npz"
    data = good.read_bytes()
    for given, content in (
        ("a torn weights file", data[:1000]),
        ("a weights file with one wrong byte", data[:-100] + bytes([data[-100] ^ 1]) + data[-99:]),
        ("a file that is no weights file", bytes(range(50))),
    ):
        other.write_bytes(content)
        yield Row(given, refused, refusal(folder, "controller_node", {"weights_file": str(other)}))
    Controller(from_dict(DroneMindConfig, {"network.motor_neurons": 4}), 0).save(other)
    yield Row("weights of another network", refused, refusal(folder, "controller_node", {"weights_file": str(other)}))
    exits = "the node does not start, status 1"
    for given, parameters in (
        ("an unknown parameter", {"wrld": "forest"}),
        ("a parameter out of its range", {"drone.camera.width": 4}),
        ("a parameter of the wrong type", {"drone.camera.width": "wide"}),
    ):
        yield Row(given, exits, refusal(folder, "sim_node", parameters))


def killed_controller(folder: Path) -> Iterator[Row]:
    """SIGKILL while the drone flies, once in each mode."""
    values = {"mode": "realtime", "seed": "3", "record": str(folder / "bag")}
    with Bringup(with_parameters(drone(values), {"sim_node": SIM}), folder) as graph:
        graph.configure()
        graph.activate()
        until(graph, "sim_node", lambda status: int(status.values.get("commands_passed", 0)) > 50)
        os.kill(graph.processes["controller_node"].pid, signal.SIGKILL)
        said = erring(graph, "ms old")
        end = ended(graph)
    assert graph.processes["sim_node"].returncode == graph.processes["recorder_node"].returncode == 0
    assert readable(folder / "bag") > 50
    yield Row("a killed controller, realtime", "the drone stops after 0.1 s, then the run ends; the bag is readable",
              f"{said}; {end}")  # fmt: skip


def silent_controller(folder: Path) -> Iterator[Row]:
    """It is there but does not answer."""
    parameters = {"mode": "lockstep", "answer_timeout_s": 0.1, "answer_retries": 2}
    sim = GraphNode("sim_node", {**SIM, **parameters}, ends_graph=True)
    with Bringup([GraphNode("controller_node"), sim], folder) as graph:
        graph.configure()
        graph.activate()
        until(graph, "sim_node", lambda status: int(status.values.get("steps", 0)) > 5)
        graph.deactivate("controller_node")
        graph.wait()
        assert graph.status["sim_node"].values["outcome"] == "stopped"
        yield Row("a controller that falls silent, lockstep", "asked again, then the flight ends as `stopped`",
                  graph.status["sim_node"].text)  # fmt: skip


def killed_simulator(folder: Path) -> Iterator[Row]:
    """SIGKILL while it flies."""
    with Bringup(with_parameters(drone({"record": str(folder / "bag")}), {"sim_node": SIM}), folder) as graph:
        graph.configure()
        graph.activate()
        until(graph, "sim_node", lambda status: int(status.values.get("steps", 0)) > 5)
        os.kill(graph.processes["sim_node"].pid, signal.SIGKILL)
        end = ended(graph)
    assert graph.processes["controller_node"].returncode == graph.processes["recorder_node"].returncode == 0
    assert readable(folder / "bag") > 5
    yield Row("a killed simulator", "the other nodes end in order; the bag is readable", end)


def interrupted(folder: Path) -> Iterator[Row]:
    """Ctrl-C to `neuro_robot fly`, at several moments: at once, while the nodes start, in flight."""

    def moments() -> Iterator[tuple[str, Callable[[Path], bool]]]:
        yield "as it starts", lambda _out: True
        yield "while the nodes start", lambda out: (out / "log" / "sim_node.log").is_file()
        yield "in flight", lambda out: size(out / "bag" / "bag.mcap") > 100_000

    for when, reached in moments():
        out = folder / when.replace(" ", "_")
        command = [sys.executable, "-m", "neuro_robot.cli", "fly", "--out", str(out), "--no-video", "--episodes", "99"]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
        end = time.monotonic() + PATIENCE_S
        while not reached(out) and time.monotonic() < end:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=PATIENCE_S)[1].strip().splitlines()
        assert not alive(process.pid), "processes were left over"
        if when == "as it starts":
            assert process.returncode in (130, -signal.SIGINT), process.returncode  # before or after Python is up
            continue
        assert process.returncode == 130, (when, said)
        happens = "everything ends, status 130"
        if when == "in flight":
            assert readable(out) > 0
            happens += "; the bag is readable"
        yield Row(f"Ctrl-C {when}", happens, said[-1] if said else "")


CASES = (bad_packets, bad_commands, bad_files, killed_controller, silent_controller, killed_simulator, interrupted)


def until_connected(graph: Bringup, publisher: object) -> None:
    """Until the middleware carries messages both ways."""
    while publisher.get_subscription_count() == 0:
        graph.spin(0.05)
    graph.spin(0.5)


def erring(graph: Bringup, wanted: str) -> str:
    """What sim_node says, at level error."""
    status = until(graph, "sim_node", lambda status: wanted in status.text)
    assert status.level == "error"
    return status.text


def ended(graph: Bringup) -> str:
    """How the graph ended before its time."""
    try:
        graph.wait()
    except GraphError as error:
        return without_speaker(str(error))
    raise AssertionError("the graph went on")


def refusal(folder: Path, node: str, parameters: dict[str, object]) -> str:
    """Why a node was not configured."""
    with Bringup([GraphNode(node, parameters, ends_graph=True)], folder) as graph:
        try:
            graph.configure()
        except GraphError as error:
            text = str(error)
            assert " refused to configure: " in text or " ended before it could configure: " in text
            return text.split(" configure: ", 1)[1].replace(f"{folder}/", "")
    raise AssertionError(f"{node} took {json.dumps(parameters)}")


def without_speaker(text: str) -> str:
    """A message without the last line of a log, which is about something else."""
    return text.split(": ", 1)[0]


def readable(bag: Path) -> int:
    """Messages in a bag, each of which is read."""
    with BagReader(bag) as reader:
        count = sum(1 for _ in reader.messages())
        assert count == sum(reader.counts.values())
    return count


def size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def without_numbers(text: str) -> str:
    """What two runs of one case have in common; lists of what is known may grow."""
    text = re.sub(r"[-+]?\d+(\.\d+)?(e[-+]?\d+)?", "N", text)
    return re.sub(r"(?:\w+, ){2,}\w+", "LIST", text)


def line(row: Row) -> str:
    """A row as Markdown."""
    message = row.message.replace("|", "\\|")
    return f"| {row.given} | {row.happens} | `{message}` |"
