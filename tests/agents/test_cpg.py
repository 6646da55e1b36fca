"""The spiking pattern generator: tempo, phase lags, switching, silence; foot paths; the Hopf oscillators."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis.strategies import text

from neuro_robot.agents.cpg import CpgConfig, Rhythm, add_cpg
from neuro_robot.agents.gait import GAITS, Steps, foot_targets, gait_at, gaits_of
from neuro_robot.agents.hopf import HopfConfig, HopfWalker
from neuro_robot.agents.kinematics import KinematicsConfig
from neuro_robot.agents.walker_config import WalkerMindConfig
from neuro_robot.config import from_dict
from neuro_robot.errors import ConfigError
from neuro_robot.robot import BodyCommand
from neuro_robot.snn.network import Network

CONFIG = CpgConfig()


def rhythm_of(gait: str = "trot"):
    network = Network(1.0)
    add_cpg(network, CONFIG, gait, 0.55, np.random.default_rng(1))
    model = network.compile()
    return model, Rhythm(CONFIG, model, gait, 0.55)


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
    return np.abs((phases - phases[:, :1] + GAITS[gait].lags + 0.5) % 1.0 - 0.5)


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


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ("trot", [(0, "trot")]),
        (" trot  bound@8s walk@15500ms ", [(0, "trot"), (8_000_000_000, "bound"), (15_500_000_000, "walk")]),
        ("pace pace@0.001s", [(0, "pace"), (1_000_000, "pace")]),
    ],
)
def test_gaits_as_text(text, changes):
    assert list(gaits_of(text)) == changes


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "trot, walk"), ("gallop", "gallop.*trot, walk"), ("trot gallop@3s", "gallop.*trot, walk"),
        ("trot@1s", "trot bound@8s"), ("trot walk", "got 'walk'"), ("trot walk@3", "got 'walk@3'"),
        ("trot walk@3s bound@3s", "rise.*bound@3s"), ("trot walk@0s", "rise"), ("trot walk@-1s", "trot bound@8s"),
        ("trot walk@nans", "trot bound@8s"), ("trot walk@1e9s", "trot bound@8s"), ("trot;walk@1s", "trot bound@8s"),
        ("trot walk@" + "9" * 4000 + "s", "trot bound@8s"),
    ],
)  # fmt: skip
def test_texts_that_are_no_gaits_are_refused_by_name(text, told):
    with pytest.raises(ConfigError, match=told):
        gaits_of(text)
    with pytest.raises(ConfigError, match="gait"):
        from_dict(WalkerMindConfig, {"gait": text})


@given(text())
def test_any_text_is_gaits_or_refused(said):
    try:
        changes = gaits_of(said)
    except ConfigError:
        return
    assert changes[0].at_ns == 0
    assert gait_at(changes, 10**18) == changes[-1].gait


def test_gait_at_a_time():
    changes = gaits_of("trot bound@8s walk@15s")
    times = (-1, 0, 7_999_999_999, 8_000_000_000, 14_999_999_999, 15_000_000_000)
    assert [gait_at(changes, t_ns) for t_ns in times] == ["trot", "trot", "trot", "bound", "bound", "walk"]


def test_without_drive_it_falls_silent_and_starts_again():
    model, rhythm = rhythm_of()
    run(model, rhythm, 1500)
    run(model, rhythm, 1000, drive=0.0)
    assert rhythm.sizes.max() < 0.01
    run(model, rhythm, 1500)
    assert rhythm.sizes.min() > 0.9


def test_unknown_gait_is_refused():
    with pytest.raises(ConfigError, match="gallop"):
        rhythm_of("gallop")


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
    np.testing.assert_allclose((theta - theta[0] + GAITS["trot"].lags + 0.5) % 1.0 - 0.5, 0.0, atol=0.04)


def test_hopf_takes_its_speed_up_smoothly_and_survives_a_wish_that_is_none():
    walker = HopfWalker(HopfConfig(start_ms=500.0), 0)
    reached = []
    for k in range(400):
        wish = BodyCommand(0, 0.6 if k != 50 else float("nan"), 0.0, 0.0, 0.0)
        command = walker.step(None, k * 5_000_000, None, None, wish)
        reached.append(walker._velocity[0])
        assert command.is_finite()
    assert reached[20] == pytest.approx(0.6 * (1 - np.exp(-0.2)), rel=0.02)  # 100 ms
    assert reached[-1] == pytest.approx(0.6, rel=0.03)
