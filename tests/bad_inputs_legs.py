"""Every bad input that docs/quadruped.md names, given to the real node of the walking robot.

Run by tests/system/test_bad_inputs_legs.py, which compares the outcome with the page, and by
scripts/bad_input_table.py, which prints the table (`legs`).
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from pathlib import Path

from bad_inputs import Row, refusal
from graphs import PATIENCE_S, until

from neuro_robot.bags.topics import JOINT_TRAJECTORY
from neuro_robot.graph import GraphNode
from neuro_robot.nodes.bringup import Bringup
from neuro_robot.nodes.conversions import trajectory_message
from neuro_robot.nodes.core import qos
from neuro_robot.robot import JointCommand
from neuro_robot.sim.quadruped import JOINT_NAMES, QuadrupedConfig, stance_of

NODE = "leg_sim_node"
STANCE = tuple(stance_of(QuadrupedConfig()).tolist())
STANDS = "the robot stands, level ERROR"


def with_first(value: float) -> tuple[float, ...]:
    """The stance with another angle of the first joint."""
    return (value, *STANCE[1:])


def bad_commands(folder: Path) -> Iterator[Row]:
    """The robot stands free and gets joint positions; it stays in its stance and says why."""
    parameters = {"mode": "realtime", "listeners": 0, "quadruped.limits.command_timeout_ms": 1000.0,
                  "quadruped.episode.timeout_s": 300.0}  # fmt: skip
    with Bringup([GraphNode(NODE, parameters, ends_graph=True)], folder) as graph:
        kind = type(trajectory_message(JointCommand(0, STANCE), JOINT_NAMES))
        publisher = graph._node.create_publisher(kind, JOINT_TRAJECTORY.name, qos(JOINT_TRAJECTORY))
        graph.configure()
        graph.activate()
        yield Row("no command yet", STANDS, erring(graph, "no command"))
        misspelt = ("front_right_hip", *JOINT_NAMES[1:])
        for given, wanted, ahead_ns, names, position in (
            ("an angle that is not a number", "(nan", 0, JOINT_NAMES, with_first(math.nan)),
            ("an infinite angle", "(inf", 0, JOINT_NAMES, with_first(math.inf)),
            ("an angle beyond a joint's limit", "0.900", 0, JOINT_NAMES, with_first(0.9)),
            ("a huge angle", "00000.000 rad", 0, JOINT_NAMES, with_first(1e6)),
            ("a name that is no joint's", "has 11 positions", 0, misspelt, STANCE),
            ("fewer angles than names", "has 5 positions", 0, JOINT_NAMES, STANCE[:5]),
            ("more angles than names", "has 15 positions", 0, JOINT_NAMES, STANCE + STANCE[:3]),
            ("no names", "has 0 positions", 0, (), STANCE),
            ("a command from the future", "ahead of", 10**12, JOINT_NAMES, STANCE),
            ("a command from long ago", "ms old", -(10**12), JOINT_NAMES, STANCE),
        ):
            end = time.monotonic() + PATIENCE_S
            while wanted not in graph.status[NODE].text and time.monotonic() < end:
                t_ns = int(float(graph.status[NODE].values.get("t_s", 0.0)) * 1e9)
                publisher.publish(trajectory_message(JointCommand(max(t_ns + ahead_ns, 0), position), names))
                graph.spin(0.02)
                if ahead_ns < 0:
                    graph.spin(1.5)  # the stamp 0 is old once the walk is
            yield Row(given, STANDS, erring(graph, wanted))
        assert abs(float(graph.status[NODE].values["x_m"])) < 0.05


def bad_bodies(folder: Path) -> Iterator[Row]:
    """A body that is not there or does not fit: refused at configure, or the node does not even start."""
    refused, exits = "refused at configure; nothing walks", "the node does not start, status 1"
    torn = folder / "torn.urdf"
    torn.write_text('<robot name="r"><link name="trunk">')
    for given, happens, parameters in (
        ("a URDF that is not there", refused, {"urdf": "no_such.urdf"}),
        ("a URDF that cannot be read", refused, {"urdf": str(torn)}),
        ("a joint that the URDF does not have", refused, {"knee_joint": "{leg}_knee"}),
        ("eleven signs", refused, {"joint_signs": "1 " * 11}),
        ("lengths that are not the URDF's", refused, {"thigh_length": 0.26}),
        ("gains too weak to stand", refused, {"kp": 1.0}),
        ("a stance beyond a joint's limits", refused, {"stance_knee": -0.5}),
        ("a limit out of its range", exits, {"knee_min": -99.0}),
        ("a gain that is no number", exits, {"kp": "stiff"}),
    ):
        parameters = {f"quadruped.body.{name}": value for name, value in parameters.items()}
        yield Row(given, happens, refusal(folder, NODE, parameters))


def erring(graph: Bringup, wanted: str) -> str:
    """What the node says, at level error."""
    status = until(graph, NODE, lambda status: wanted in status.text)
    assert status.level == "error"
    return status.text


CASES = (bad_commands, bad_bodies)
