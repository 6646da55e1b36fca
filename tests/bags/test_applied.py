"""What a walk was told from outside, out of a bag: order, namespaces, damage."""

from __future__ import annotations

import hashlib

import pytest

from neuro_robot.applied import SUFFIX, Applied, Steered, loaded_file, loaded_text
from neuro_robot.bags.applied import applied_in
from neuro_robot.bags.messages import diagnostics_to_cdr, packet_to_cdr
from neuro_robot.bags.reader import BagReader
from neuro_robot.bags.topics import DIAGNOSTICS, EVENTS, LEG_TOPICS, TOPICS
from neuro_robot.bags.writer import RunBag
from neuro_robot.errors import BagError
from neuro_robot.events.array import empty_events
from neuro_robot.events.packet import pack

SAID = [
    Applied(5_000_000, True, "", (), Steered(0.6, 0.0, 0.0, "trot")),
    Applied(900_000_000, True, "dead_neurons:motor:1", (("faults", "dead_neurons:motor:1"), ("load", "0 my file"))),
    Applied(1_000_000_000, False, "", (), Steered(0.1, -0.2, 1.5, "pace")),
]


def bag_of(path, statuses, namespace=""):
    with RunBag(path, (*TOPICS, *LEG_TOPICS), namespace) as bag:
        packet = pack(empty_events(), "evt3", width=8, height=8, seq=0, stamp_ns=0, t_end_ns=0)
        bag.write(EVENTS.name, 0, packet_to_cdr(packet))
        for t_ns, name, values in statuses:
            bag.write(DIAGNOSTICS.name, None, diagnostics_to_cdr(t_ns, name, 0, "", values))
    return BagReader(path)


@pytest.mark.parametrize("space", ["", "/left"])
def test_read_in_order_of_one_robot(tmp_path, space):
    mine, other = f"{space}/leg_controller_node", "/right/leg_controller_node"
    statuses = [(7, mine, {"events": "3"})]
    for item in SAID:
        statuses += [(9, other + SUFFIX, {}), (item.t_ns, mine + SUFFIX, item.values())]
    with bag_of(tmp_path / "bag", statuses, space) as reader:
        assert reader.namespace == space
        assert applied_in(reader) == SAID


def test_none_and_damaged(tmp_path):
    with bag_of(tmp_path / "none", [(1, "/sim_node", {})]) as reader:
        assert applied_in(reader) == []
    with (
        bag_of(tmp_path / "bad", [(1, "/n" + SUFFIX, {"vx": "1"})]) as reader,
        pytest.raises(BagError, match="cannot be replayed"),
    ):
        applied_in(reader)


def test_weights_loaded_under_way_are_known_by_their_contents(tmp_path):
    beside = tmp_path / "run"
    beside.mkdir()
    file = tmp_path / "my weights.npz"
    file.write_bytes(b"learned")
    text = loaded_text(file)
    assert text == f"{hashlib.sha256(b'learned').hexdigest()} {file}"
    assert loaded_file(text, beside) == file
    file.write_bytes(b"learned more")
    with pytest.raises(BagError, match=r"my weights\.npz.*put it there"):
        loaded_file(text, beside)
    (beside / file.name).write_bytes(b"learned")
    assert loaded_file(text, beside) == beside / file.name


@pytest.mark.parametrize("text", ["", "abc f.npz", 64 * "a", 64 * "a" + " "])
def test_weights_that_nothing_names_are_refused(tmp_path, text):
    with pytest.raises(BagError, match="SHA-256"):
        loaded_file(text, tmp_path)
