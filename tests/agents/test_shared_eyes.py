"""What one body learned to turn away from steers another: the avoidance's weights go from drone to walker and back."""

from __future__ import annotations

import numpy as np
import pytest

from neuro_robot.agents.controller import Controller
from neuro_robot.agents.drone import DroneMindConfig
from neuro_robot.agents.leg_controller import LegController
from neuro_robot.agents.walker import WalkerMindConfig
from neuro_robot.config import from_dict
from neuro_robot.errors import WeightsError
from neuro_robot.snn.weights_file import load_state, save_state


def learned(controller):
    """Give it weights that no seed gives."""
    size = controller.weights()["steer"].shape
    controller.mind.network.set_weights("steer", np.random.default_rng(99).uniform(0.0, 0.4, size))
    return controller


def test_a_drones_eyes_on_legs_leave_the_gait_alone(tmp_path):
    drone, walker = learned(Controller(DroneMindConfig(), 1)), LegController(WalkerMindConfig(), 2)
    drone.save(tmp_path / "drone.npz")
    gait = walker.weights()["tune"]
    walker.load(tmp_path / "drone.npz")
    assert np.array_equal(walker.weights()["steer"], drone.weights()["steer"])
    assert np.array_equal(walker.weights()["tune"], gait)


def test_a_walkers_eyes_on_wings(tmp_path):
    drone, walker = Controller(DroneMindConfig(), 1), learned(LegController(WalkerMindConfig(), 2))
    walker.save(tmp_path / "walker.npz")
    drone.load(tmp_path / "walker.npz")
    assert np.array_equal(walker.weights()["steer"], drone.weights()["steer"])


def test_other_eyes_are_refused(tmp_path):
    other = from_dict(DroneMindConfig, {"vision.n_columns": 16})
    Controller(other, 1).save(tmp_path / "drone.npz")
    with pytest.raises(WeightsError, match=r"weights of a drone on cpu: expected those of a walker"):
        LegController(WalkerMindConfig(), 2).load(tmp_path / "drone.npz")


@pytest.mark.parametrize("damage", ["far", "less", "gone", "hot"])
def test_broken_synapses_are_refused_and_change_nothing(tmp_path, damage):
    Controller(DroneMindConfig(), 1).save(tmp_path / "drone.npz")
    arrays, meta = load_state(tmp_path / "drone.npz")
    if damage == "far":
        arrays["synapses/steer"] = arrays["synapses/steer"] + 1000
    elif damage == "less":
        arrays["weights/steer"] = arrays["weights/steer"][:-1]
    elif damage == "gone":
        del arrays["synapses/steer"]
    else:
        arrays["weights/steer"] = arrays["weights/steer"] + 5.0
    save_state(tmp_path / "broken.npz", arrays, meta)
    walker = LegController(WalkerMindConfig(), 2)
    before = walker.weights()["steer"]
    with pytest.raises(Exception, match=r"weights|steer"):
        walker.load(tmp_path / "broken.npz")
    assert np.array_equal(walker.weights()["steer"], before)


def test_fixed_synapses_stay_as_configured(tmp_path):
    saved = learned(LegController(WalkerMindConfig(), 1))
    saved.save(tmp_path / "walker.npz")
    other = LegController(from_dict(WalkerMindConfig, {"cpg.drive": 1.7, "network.rivalry": 0.3}), 1)
    other.load(tmp_path / "walker.npz")
    mine, theirs = other.mind.network, saved.mind.network
    assert np.array_equal(mine.weights("steer"), theirs.weights("steer"))
    assert np.nanmean(mine.weights("drive")) == pytest.approx(1.7 / 1.5 * np.nanmean(theirs.weights("drive")))
    assert np.nanmin(mine.weights("rivalry")) == pytest.approx(-0.3 / 8)
