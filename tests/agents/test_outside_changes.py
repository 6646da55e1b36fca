"""What is done to a controller from outside, in awkward orders, and a second one that follows the first."""

from __future__ import annotations

import math

import numpy as np
import pytest
from agents.streams import AT_REST, packed, stream

from neuro_robot.agents.controller import Controller
from neuro_robot.agents.drone import DroneMindConfig
from neuro_robot.agents.leg_controller import LegController
from neuro_robot.agents.walker_config import WalkerMindConfig
from neuro_robot.applied import Applied, Steered, applied_from
from neuro_robot.bags.digest import RunDigest
from neuro_robot.config import from_dict
from neuro_robot.errors import BagError, ConfigError, WeightsError
from neuro_robot.events.array import empty_events
from neuro_robot.events.packet import pack
from neuro_robot.robot import Imu, LegSense
from neuro_robot.snn.weights_file import load_state, save_state

GAP = 60  # packets of a flight
DRONE = from_dict(DroneMindConfig, {"network.retina_gain": 1.0, "reward.floor_khz": 0.0, "vision.pitch_deg": 30.0})
PACKET_NS = 5_000_000


def seen():
    """What a drone gets, packet by packet."""
    return [(packet, AT_REST) for packet in packed(stream(7, GAP, columns=(8, 32)))]


def felt():
    """What a walker gets that stands and sways."""
    rows = []
    for k in range(GAP):
        t_ns = (k + 1) * PACKET_NS
        packet = pack(empty_events(), "evt3", width=64, height=64, seq=k, stamp_ns=t_ns, t_end_ns=t_ns)
        imu = Imu(t_ns, (0.0, 0.0, 0.0, 1.0), (0.5 * math.sin(0.1 * k), 0.0, 0.1), (0.0, 0.0, 9.81))
        legs = LegSense(t_ns, (0.0, 0.9, -1.8) * 4, (0.0,) * 12, (0.0,) * 12, empty_events())
        rows.append((packet, imu, legs))
    return rows


def lived(controller, rows, orders):
    """Two flights; orders: packet of the first flight -> changes before it, GAP: between the flights."""
    digest, said = RunDigest(), []
    for flight in range(2):
        for k, row in enumerate([*rows, None]):
            for kind, what in orders.get(k, ()) if flight == 0 else ():
                controller.change(kind, str(what))
            if row is None:
                controller.new_flight()
                continue
            reply = controller.receive(*row)
            digest.add_spikes(reply.spikes)
            digest.add_command(reply.command)
            if not said or controller.applied is not said[-1]:
                said.append(controller.applied)
    return digest.result(controller.weights()), said


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Weights of flown and walked minds, in mid flight: membranes and traces are not at rest."""
    folder = tmp_path_factory.mktemp("weights")
    for name, controller, rows in (
        ("drone", Controller(DRONE, 5), seen()),
        ("walker", LegController(WalkerMindConfig(), 5), felt()),
    ):
        for row in rows:
            controller.receive(*row)
        controller.save(folder / name)
    return folder


STUCK, LOST = ("faults", "stuck_synapses:steer:50%"), ("faults", "lost_spikes:column:30%")
LATER = ("faults", "dead_neurons:column:50%@40ms")


@pytest.mark.parametrize("orders", [
    {20: ["drone"]}, {GAP: ["drone"]}, {0: ["drone"]},
    {20: [STUCK, "drone"]}, {20: ["drone", STUCK]}, {20: [STUCK], 30: ["drone"]},
    {10: [LOST], 30: [LOST]}, {5: [LATER], 15: [LATER]}, {GAP: [LATER, "drone", LOST]},
    {10: [("learning", "False"), "drone", ("learning", "True")], 40: [("faults", "")]},
])  # fmt: skip
def test_a_drone_that_follows_does_the_same_to_the_bit(files, orders):
    followed(lambda: Controller(DRONE, 1), seen(), orders, files)


@pytest.mark.parametrize("orders", [
    {20: ["walker"]}, {GAP: ["walker"]}, {20: ["walker", "drone"]}, {20: ["drone", "walker"]},
    {10: [("gait", "pace bound@150ms")], 20: ["walker", ("gait", "bound trot@200ms")],
     30: [("faults", "dead_neurons:cpg:5%"), "drone"]},
    {GAP: [("gait", "walk"), "walker", ("learning", "False")]},
])  # fmt: skip
def test_a_walker_that_follows_does_the_same_to_the_bit(files, orders):
    followed(lambda: LegController(WalkerMindConfig(), 1), felt(), orders, files)


def followed(make, rows, orders, files):
    deeds = {k: [("load", files / one) if isinstance(one, str) else one for one in done] for k, done in orders.items()}
    digest, said = lived(make(), rows, deeds)
    assert digest != lived(make(), rows, {})[0]
    again = make()
    again.follow([applied_from(one.t_ns, one.values()) for one in said], files)
    assert lived(again, rows, {}) == (digest, said)


def test_weights_that_are_loaded_change_neither_gait_nor_time(files):
    controller, rows = LegController(WalkerMindConfig(gait="trot bound@150ms"), 1), felt()
    gaits = []
    for k, row in enumerate(rows):
        if k == 40:
            before = controller.mind.network.state()
            controller.change("load", str(files / "walker"))
            after = controller.mind.network.state()
            changed = {name for name in before if not np.array_equal(before[name], after[name], equal_nan=True)}
            assert changed
            assert all("weight" in name for name in changed), changed
        controller.receive(*row)
        gaits.append(controller.mind.rhythm.gait)
    assert gaits == 29 * ["trot"] + (GAP - 29) * ["bound"] or gaits == 30 * ["trot"] + (GAP - 30) * ["bound"]


def test_one_that_follows_obeys_nobody_else(files):
    controller = Controller(DRONE, 1)
    controller.follow([Applied(1, True, "")], files)
    for kind, what in (("learning", "False"), ("faults", ""), ("load", str(files / "drone"))):
        with pytest.raises(ConfigError, match="follow_bag"):
            controller.change(kind, what)


def test_what_cannot_be_followed_is_told_before_it_begins(files):
    for deed, told in (
        (("gait", "trot"), "learning, faults, load"),
        (("load", 64 * "0" + " drone"), "none of those contents"),
    ):
        with pytest.raises(BagError, match=told):
            Controller(DRONE, 1).follow([Applied(1, True, "", (deed,))], files)


def following(said, files):
    controller = Controller(DRONE, 1)
    controller.follow([said], files)
    return controller


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (Applied(1, False, ""), "expected learning False .* got True"),
        (Applied(1, True, "dead_neurons:column:5%"), "expected .*dead_neurons:column:5%.*does not begin where"),
        (Applied(1, True, "", (("learning", "maybe"),)), "expected True or False, got 'maybe'"),
        (Applied(1, True, "", (("faults", "broken_heart"),)), "a deed that can be done: .*broken_heart"),
        (Applied(1, True, "", (("load", 64 * "0" + " " + 300 * "x"),)), "none of those contents"),
        (Applied(1, True, "", (("load", 64 * "0" + " a\0b"),)), "none of those contents"),
    ],
)
def test_a_recording_that_contradicts_itself_is_told(files, said, told):
    with pytest.raises(BagError, match=told):
        lived(following(said, files), seen(), {})


def test_a_gait_that_nothing_led_to_is_told(files):
    controller = LegController(WalkerMindConfig(), 1)
    controller.follow([Applied(1, True, "", (), Steered(0.6, 0.0, 0.0, "pace"))], files)
    with pytest.raises(BagError, match=r"expected the gait 'pace' .* got 'trot'"):
        controller.receive(*felt()[0])


def test_a_change_is_said_by_the_packet_that_is_answered(monkeypatch):
    controller, rows = Controller(DRONE, 1), seen()
    controller.change("learning", "False")
    with monkeypatch.context() as broken:
        broken.setattr(controller.mind, "step", lambda *_: (_ for _ in ()).throw(ConfigError("no answer")))
        with pytest.raises(ConfigError, match="no answer"):
            controller.receive(*rows[0])
    controller.change("faults", STUCK[1])
    controller.receive(*rows[1])
    assert controller.applied.deeds == (("learning", "False"), STUCK)


@pytest.mark.parametrize("expected", [10**400, 1e308, "much"])
@pytest.mark.parametrize("kind", ["drone", "walker"])
def test_a_reward_that_none_can_be_is_refused_and_nothing_changed(files, tmp_path, kind, expected):
    arrays, meta = load_state(files / kind)
    save_state(tmp_path / "odd", arrays, meta | {"expected_reward": expected})
    controller = Controller(DRONE, 1)
    before = controller.weights()
    for take in (controller.load, lambda path: controller.change("load", str(path))):
        with pytest.raises(WeightsError, match="expected_reward"):
            take(tmp_path / "odd")
    assert all(np.array_equal(before[name], now, equal_nan=True) for name, now in controller.weights().items())


def test_a_change_that_is_refused_is_not_said(tmp_path):
    controller = Controller(DRONE, 1)
    (tmp_path / "torn").write_bytes(b"\x8eNRW")
    for kind, what, error in (("load", str(tmp_path / "torn"), WeightsError), ("faults", "broken_heart", ConfigError)):
        with pytest.raises(error):
            controller.change(kind, what)
    controller.receive(*seen()[0])
    assert controller.applied.deeds == ()
