"""Parameters set together while a node runs: all of them, or none."""

from __future__ import annotations

import numpy as np
import pytest
from streams_made import write

rclpy = pytest.importorskip("rclpy", reason="ROS 2 is not installed: run `make setup`")
pytest.importorskip("event_camera_msgs.msg", reason="the message is not built: run `make setup`")

from rclpy.parameter import Parameter  # noqa: E402

from neuro_robot.events.array import EVENT_DTYPE  # noqa: E402
from neuro_robot.nodes.controller_node import ControllerNode  # noqa: E402
from neuro_robot.nodes.leg_controller_node import LegControllerNode  # noqa: E402
from neuro_robot.nodes.player_node import PlayerNode  # noqa: E402

pytestmark = pytest.mark.ros
BROKEN = "lost_spikes:motor:50%"


@pytest.fixture
def configured():
    rclpy.init(args=[])
    nodes = []

    def make(kind, **parameters):
        nodes.append(kind())
        given = [Parameter(name, value=value) for name, value in parameters.items()]
        assert all(result.successful for result in nodes[-1].set_parameters(given))
        nodes[-1].on_configure(None)
        assert nodes[-1]._configured
        return nodes[-1]

    yield make
    for node in nodes:
        node.release()
        node.destroy_node()
    rclpy.try_shutdown()


def set_together(node, **values):
    given = [Parameter(name.replace("__", "."), value=value) for name, value in values.items()]
    return node.set_parameters_atomically(given)


@pytest.mark.parametrize("kind", [ControllerNode, LegControllerNode])
def test_a_mind_takes_all_or_none(configured, kind):
    node = configured(kind)
    mind = node._controller.mind
    good = {"mind__faults": BROKEN, "mind__learning": False, "weights_file": "some.npz"}
    good |= {"mind__gait": "bound"} if kind is LegControllerNode else {}

    def state():
        told = str(mind.network.faults), mind.network.learning, getattr(mind, "gait", "")
        return *told, *(node.get_parameter(name.replace("__", ".")).value for name in good)

    before = state()
    refused = [{"mind__faults": "dead_neurons:cortex"}, {"mind__faults": "dead_neurons:column@4s-2s"}]
    refused += [{"mind__gait": "hop"}] if kind is LegControllerNode else []
    for bad in refused:
        name = next(iter(bad))
        others = {key: value for key, value in good.items() if key != name}
        for values in ({**others, **bad}, {**bad, **others}):
            result = set_together(node, **values)
            assert not result.successful
            assert result.reason
            assert state() == before
    assert set_together(node, **good).successful
    assert not mind.network.learning
    assert node.get_parameter("weights_file").value == "some.npz"
    assert len(mind.network.faults.active) == 1
    assert getattr(mind, "gait", "bound") == "bound"
    held = state()
    assert not set_together(node, mind__faults="dead_neurons:column@4s-2s").successful
    assert state() == held  # what was broken stays so


def test_a_player_takes_all_or_none(configured, tmp_path):
    events = np.zeros(100, EVENT_DTYPE)
    events["t"] = np.linspace(0, 2e9, 100)
    node = configured(PlayerNode, bag=str(write(tmp_path / "a.npz", events)))
    first = node._next
    for values in ({"rate": 4.0, "position_s": 99.0}, {"position_s": 1.0, "rate": 4.0, "bag": "b"}):
        assert not set_together(node, **values).successful
        assert (node._config.rate, node._next is first, node._pace.position_s(0.0)) == (1.0, True, 0.0)
    assert set_together(node, rate=4.0, loop=True, position_s=1.0).successful
    assert (node._config.rate, node._config.loop, node._pace.position_s(0.0)) == (4.0, True, 1.0)
    assert node._next.due_ns >= 1_000_000_000
