"""The potential field against its formula written out slowly."""

from __future__ import annotations

import math

import numpy as np
import pytest
from agents.streams import AT_REST, MS, SIZE, events_at, imu_with, packed, stream

from neuro_robot.agents.baselines import PotentialField, PotentialFieldConfig
from neuro_robot.agents.columns import ColumnView, VisionConfig, levelling
from neuro_robot.agents.course import Course
from neuro_robot.config import from_dict
from neuro_robot.errors import PacketError

CONFIG = PotentialFieldConfig()
LEFT, RIGHT = (0, SIZE // 2), (SIZE // 2, SIZE)


def fly(parts, config=CONFIG, imu=AT_REST):
    pilot = PotentialField(config, 0)
    return [pilot.receive(packet, imu) for packet in packed(parts)]


def mirrored(parts):
    return [(events_at(events["t"], SIZE - 1 - events["x"], events["y"]), t_end) for events, t_end in parts]


def test_flies_straight_through_nothing():
    replies = fly(stream(0, 5, n=0))
    assert [reply.command for reply in replies] == [((k + 1) * 2 * MS, 5.0, 0.0, 0.0, 0.0) for k in range(5)]
    assert all(len(reply.spikes) == 0 for reply in replies)


def test_steers_away_from_events():
    assert fly(stream(1, 50, columns=LEFT))[-1].command.vy < -0.05
    assert fly(stream(1, 50, columns=RIGHT))[-1].command.vy > 0.05


def test_a_mirrored_world_mirrors_the_flight():
    parts = stream(2, 50, n=60, columns=(8, 40))
    here, there = fly(parts), fly(mirrored(parts))
    for one, other in zip(here, there, strict=True):
        assert one.command.vy == pytest.approx(-other.command.vy, abs=1e-9)


def wish_of(config, azimuths, rates, vy):
    sides = {1: 0.0, -1: 0.0}
    for azimuth, rate in zip(azimuths, rates, strict=True):
        distance = abs(azimuth) + math.radians(config.softening_deg)
        sides[1 if azimuth > 0 else -1] += config.gain / distance**config.exponent * rate
    left, right = sides[1], sides[-1]
    strongest = max(left, right, 1e-9)
    return strongest * math.tanh(config.sharpness * ((right - left) / strongest + config.persistence * vy))


def test_follows_the_formula():
    parts = stream(3, 30, n=80)
    view = ColumnView(VisionConfig(), SIZE, SIZE)
    course = Course(CONFIG.course, CONFIG.speed)
    rates = np.zeros(len(view.azimuths))
    for k, (reply, (events, _)) in enumerate(zip(fly(parts), parts, strict=True)):
        dt_ms = 2.0 if k else 1.0  # how long the first packet took is not known
        counts = sum(
            view.count(events[i : i + 1], 0, MS, 1, levelling(AT_REST), course.azimuth)[0].sum(axis=0)
            for i in range(len(events))
        )
        keep = math.exp(-dt_ms / CONFIG.tau_ms)
        rates = keep * rates + (1 - keep) * counts / dt_ms
        course.steer(wish_of(CONFIG, view.azimuths, rates, course.vy), dt_ms)
        assert reply.command.vy == pytest.approx(course.lateral, abs=1e-9)
        assert np.array_equal(reply.events, events)


def test_turning_dampens_the_flow():
    parts = stream(4, 20, columns=LEFT)
    turning = imu_with((0.0, 0.0, 0.0, 1.0), (0.0, 0.0, 5.0))  # half trust
    calm, turned = fly(parts)[-1].command.vy, fly(parts, imu=turning)[-1].command.vy
    assert calm < turned < 0.0


def test_flies_without_an_imu_and_at_rest():
    assert fly(stream(5, 10), imu=None)[-1].command.is_finite()
    still = from_dict(PotentialFieldConfig, {"speed": 0.0})
    assert fly(stream(5, 10), config=still)[-1].command.is_finite()


def test_refuses_a_foreign_packet():
    pilot = PotentialField(CONFIG, 0)
    packet = packed(stream(6, 1))[0]
    pilot.receive(packet, AT_REST)
    with pytest.raises(PacketError, match="sensor"):
        pilot.receive(type(packet)(0, "", SIZE, 2 * SIZE, 1, 1, "evt3", False, packet.events), AT_REST)
