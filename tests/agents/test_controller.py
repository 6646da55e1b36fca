"""Packets to commands, and what was learned through a file and back."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from agents.streams import AT_REST, SIZE, packed, stream

from neuro_robot.agents.controller import Controller
from neuro_robot.agents.drone import DroneMindConfig
from neuro_robot.config import from_dict
from neuro_robot.errors import PacketError, WeightsError

CONFIG = from_dict(
    DroneMindConfig,
    {"network.retina_gain": 1.0, "reward.floor_khz": 0.0, "plasticity.rate": 1e-3, "vision.pitch_deg": 30.0},
)
TRAINING, AFTER = stream(1, 150, columns=(8, 32)), stream(2, 150)


def fly(controller, parts):
    replies = [controller.receive(packet, AT_REST) for packet in packed(parts)]
    return np.concatenate([reply.spikes for reply in replies]), [reply.command for reply in replies]


@pytest.fixture
def trained():
    controller = Controller(CONFIG, 1)
    fly(controller, TRAINING)
    controller.new_flight()  # weights are saved at rest
    return controller


def test_decodes_what_the_mind_sees(trained):
    parts = stream(3, 10)
    for packet, (events, t_end) in zip(packed(parts), parts, strict=True):
        reply = trained.receive(packet, AT_REST)
        assert np.array_equal(reply.events, events)
        assert reply.command.t_ns == t_end


def test_saved_and_loaded_it_spikes_the_same(trained, tmp_path):
    trained.save(tmp_path / "mind.weights")
    other = Controller(CONFIG, 2)
    assert not np.array_equal(other.weights()["steer"], trained.weights()["steer"])
    other.load(tmp_path / "mind.weights")
    assert other.weights()["steer"].tobytes() == trained.weights()["steer"].tobytes()
    trained.mind.learning = other.mind.learning = False
    (spikes, _), (spikes_again, _) = fly(trained, AFTER), fly(other, AFTER)
    assert len(spikes) > 100
    assert np.array_equal(spikes, spikes_again)


def test_a_new_flight_feels_nothing_of_the_one_before():
    controller = Controller(CONFIG, 1)
    fly(controller, TRAINING)
    assert controller.reward != 0.0
    controller.new_flight()
    fly(controller, stream(0, 1, n=0))
    assert controller.reward == 0.0


def test_loaded_twice_it_learns_the_same(trained, tmp_path):
    trained.save(tmp_path / "mind.weights")
    minds = [Controller(CONFIG, seed) for seed in (5, 6)]
    for mind in minds:
        mind.load(tmp_path / "mind.weights")
    (spikes, commands), (spikes_again, commands_again) = (fly(mind, AFTER) for mind in minds)
    assert np.array_equal(spikes, spikes_again)
    assert commands == commands_again
    assert minds[0].weights()["steer"].tobytes() == minds[1].weights()["steer"].tobytes()


def test_what_was_learned_moves_to_the_chip_and_back(trained, tmp_path):
    trained.save(tmp_path / "cpu.weights")
    chip = Controller(dataclasses.replace(CONFIG, backend="loihi2"), 2)
    chip.load(tmp_path / "cpu.weights")
    unit = CONFIG.plasticity.w_max / 127  # eight bits hold the weights
    assert np.abs(chip.weights()["steer"] - trained.weights()["steer"]).max() < unit
    spikes, _ = fly(chip, AFTER)
    assert len(spikes) > 100
    chip.new_flight()
    chip.save(tmp_path / "chip.weights")
    back = Controller(CONFIG, 3)
    back.load(tmp_path / "chip.weights")
    assert np.allclose(back.weights()["steer"], np.clip(chip.weights()["steer"], 0.0, CONFIG.plasticity.w_max))


def test_the_chip_loads_its_own_state_to_the_bit(tmp_path):
    config = dataclasses.replace(CONFIG, backend="loihi2")
    flown, second, third = (Controller(config, seed) for seed in (1, 2, 3))
    fly(flown, TRAINING)
    flown.new_flight()
    flown.save(tmp_path / "chip.weights")
    for mind in (second, third):
        mind.load(tmp_path / "chip.weights")
        assert mind.weights()["steer"].tobytes() == flown.weights()["steer"].tobytes()
    (spikes, commands), (again, commands_again) = fly(second, AFTER), fly(third, AFTER)
    assert len(spikes) > 100
    assert np.array_equal(spikes, again)
    assert commands == commands_again


def untouched(controller, path, told):
    before = controller.mind.network.state()
    with pytest.raises(WeightsError, match=told):
        controller.load(path)
    after = controller.mind.network.state()
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_refuses_weights_of_another_mind(trained, tmp_path):
    network = dataclasses.replace(CONFIG.network, motor_neurons=4)
    Controller(dataclasses.replace(CONFIG, network=network), 1).save(tmp_path / "small.weights")
    untouched(trained, tmp_path / "small.weights", "64x8")


def test_refuses_what_is_no_weights_file(trained, tmp_path):
    untouched(trained, tmp_path / "none.weights", "does not exist")
    (tmp_path / "text.weights").write_text("weights: 1\n")
    untouched(trained, tmp_path / "text.weights", "not a neuro_robot weights file")
    trained.save(tmp_path / "torn.weights")
    (tmp_path / "torn.weights").write_bytes((tmp_path / "torn.weights").read_bytes()[:-10])
    untouched(trained, tmp_path / "torn.weights", "torn")


def test_a_refused_packet_changes_nothing(trained):
    first, second = packed(stream(4, 2))
    trained.receive(first, AT_REST)
    before = trained.mind.network.steps
    with pytest.raises(PacketError):
        trained.receive(dataclasses.replace(second, width=2 * SIZE), AT_REST)
    assert trained.mind.network.steps == before
    assert trained.diagnostics()["refused_packets"] == 1.0
    assert trained.receive(second, AT_REST).command.is_finite()


def test_diagnostics_are_finite_numbers_that_count(trained):
    fly(trained, AFTER)
    figures = trained.diagnostics()
    assert all(isinstance(value, float) and np.isfinite(value) for value in figures.values())
    assert figures["events"] == sum(len(events) for events, _ in AFTER)
    assert figures["spikes"] > 0
    assert figures["synaptic_operations"] > 0
    assert figures["weight_updates"] > 0
    assert figures["lost_packets"] == 0.0
