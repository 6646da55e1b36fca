"""The spiking pattern generator: tempo, phase lags, switching, silence; foot paths; the Hopf oscillators."""

from __future__ import annotations

import numpy as np
import pytest

from neuro_robot.agents.cpg import CpgConfig, Rhythm, add_cpg, gait_weights
from neuro_robot.agents.gait import GAITS, Steps, foot_targets
from neuro_robot.agents.hopf import HopfConfig, HopfWalker
from neuro_robot.agents.kinematics import KinematicsConfig
from neuro_robot.errors import ConfigError
from neuro_robot.robot import BodyCommand
from neuro_robot.snn.network import Network

CONFIG = CpgConfig()


def rhythm_of(gait: str = "trot"):
    network = Network(1.0)
    add_cpg(network, CONFIG, gait, 0.55, np.random.default_rng(1))
    model = network.compile()
    return model, Rhythm(CONFIG, model, gait)


def run(model, rhythm, steps, drive=1.0):
    """(steps, 4) phases."""
    row = np.zeros(5, np.float32)
    row[0] = drive
    phases = np.empty((steps, 4))
    for k in range(steps):
        rhythm.read(model.step(row))
        phases[k] = rhythm.phases
    return phases


def lag_errors(phases, gait):
    """Distance of each leg's lag from the gait's, cycles."""
    return np.abs((phases - phases[:, :1] + GAITS[gait] + 0.5) % 1.0 - 0.5)


@pytest.mark.parametrize("gait", GAITS)
def test_every_gait_keeps_its_phase_lags(gait):
    model, rhythm = rhythm_of(gait)
    assert lag_errors(run(model, rhythm, 3000)[-1000:], gait).mean() < 0.02


@pytest.mark.parametrize("frequency", [1.0, 2.0, 3.0])
def test_tempo_is_as_set(frequency):
    model, rhythm = rhythm_of()
    rhythm.set_frequency(frequency)
    phases = np.unwrap(run(model, rhythm, 4000)[:, 0], period=1.0)
    assert (phases[-1] - phases[999]) / 3.0 == pytest.approx(frequency, rel=0.06)
    assert rhythm.sizes.min() > 0.9


def test_gaits_are_switched_while_walking():
    model, rhythm = rhythm_of("trot")
    run(model, rhythm, 2000)
    for gait in ("walk", "trot", "pace"):
        rhythm.set_gait(gait)
        assert lag_errors(run(model, rhythm, 3000)[-500:], gait).mean() < 0.04


def test_without_drive_it_falls_silent_and_starts_again():
    model, rhythm = rhythm_of()
    run(model, rhythm, 1500)
    run(model, rhythm, 1000, drive=0.0)
    assert rhythm.sizes.max() < 0.01
    run(model, rhythm, 1500)
    assert rhythm.sizes.min() > 0.9


def test_unknown_gait_is_refused():
    with pytest.raises(ConfigError, match="gallop"):
        gait_weights(CONFIG, "gallop", 1.0)


def test_stance_moves_the_feet_back_at_the_speed_of_the_body():
    hips, hip = KinematicsConfig().hips(), KinematicsConfig().hip
    steps = Steps(0.6, 0.0, 0.0, 1.0, 0.06, 0.27, 0.55, 2.0)
    still, zero = np.zeros((4, 2)), np.zeros(4)
    feet = [foot_targets(np.full(4, u), np.ones(4), tuple(steps), zero, still, hips, hip) for u in (0.6, 0.7)]
    np.testing.assert_allclose((feet[1] - feet[0])[:, 0] / (0.1 / 2.0), -0.6, rtol=1e-9)
    np.testing.assert_allclose(feet[0][:, 2], -0.27)
    middle = foot_targets(np.full(4, 0.225), np.ones(4), tuple(steps), zero, still, hips, hip)
    np.testing.assert_allclose(middle[:, 2], -0.21)
    np.testing.assert_allclose(middle[:, 0], 0.0, atol=1e-12)


def test_hopf_oscillators_reach_their_amplitude_and_lags():
    walker = HopfWalker(HopfConfig(), 0)
    wish = BodyCommand(0, 0.6, 0.0, 0.0, 0.0)
    for k in range(400):
        command = walker.step(None, k * 5_000_000, None, None, wish)
    assert command.is_finite()
    assert len(command.position) == 12
    np.testing.assert_allclose(walker.state[1], 1.0, atol=0.01)
    theta = walker.state[0] / (2 * np.pi)
    np.testing.assert_allclose((theta - theta[0] + GAITS["trot"] + 0.5) % 1.0 - 0.5, 0.0, atol=0.04)
