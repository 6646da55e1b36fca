"""Digests: canonical bytes, independent of packets, sensitive to every bit; pairing of IMU samples with packets."""

from __future__ import annotations

import hashlib
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuro_robot.bags.digest import RunDigest, weights_digest
from neuro_robot.bags.pairing import Pairing
from neuro_robot.events.array import EVENT_DTYPE
from neuro_robot.events.packet import EventPacket
from neuro_robot.robot import BodyCommand, Imu

MS = 1_000_000


def spikes(n):
    found = np.zeros(n, EVENT_DTYPE)
    found["t"], found["x"], found["y"], found["p"] = np.arange(n) * 1000, np.arange(n) % 7, 1, 1
    return found


@given(st.lists(st.integers(0, 100), max_size=5))
def test_spikes_do_not_depend_on_their_packets(cuts):
    digest = RunDigest()
    for part in np.split(spikes(100), sorted(cuts)):
        digest.add_spikes(part)
    naive = b"".join(struct.pack("<qHHB", i * 1000, i % 7, 1, 1) for i in range(100))
    assert digest.result()["spikes"] == hashlib.sha256(naive).hexdigest()
    assert digest.n_spikes == 100


def test_commands_are_hashed_to_the_bit():
    digests = set()
    for value in (1.0, np.nextafter(1.0, 2.0), -0.0, 0.0):
        digest = RunDigest()
        digest.add_command(BodyCommand(1, value, 0.0, 0.0, 0.0))
        digests.add(digest.result()["commands"])
    assert len(digests) == 4


def test_weights_by_name_type_shape_and_bits():
    base = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.ones(2)}
    assert weights_digest(base) == weights_digest(dict(reversed(base.items())))
    others = [{**base, "a": base["a"].T}, {**base, "a": base["a"].astype(np.float64)}, {"a": base["a"]}]
    assert len({weights_digest(one) for one in [base, *others]}) == 4
    assert weights_digest({"a": base["a"][:, ::-1][:, ::-1]}) == weights_digest({"a": base["a"]})


def packet(seq, stamp_ns):
    return EventPacket(stamp_ns, "", 1, 1, seq, 0, "mono", False, np.empty(0, np.uint8))


def sample(t_ns):
    return Imu(t_ns, (0.0, 0.0, 0.0, 1.0), (0.0,) * 3, (0.0,) * 3)


def test_each_packet_gets_its_own_sample_whichever_comes_first():
    pairing = Pairing[Imu]()
    pairing.add(sample(0))
    assert pairing.take(packet(0, 0)).t_ns == 0
    assert pairing.take(packet(1, 0)) is None  # stamped with its start: its sample is due at 2 ms
    pairing.add(sample(2 * MS))
    pairing.add(sample(2 * MS))
    pairing.add(sample(4 * MS))
    assert pairing.take(packet(1, 0)).t_ns == 2 * MS
    assert pairing.take(packet(2, 2 * MS)).t_ns == 4 * MS
    assert pairing.take(packet(3, 4 * MS)) is None


@pytest.mark.parametrize("last_ms", [20, 5000])
def test_a_new_flight_does_not_take_samples_of_the_old(last_ms):
    for sample_first in (True, False):
        pairing = Pairing[Imu]()
        pairing.add(sample(last_ms * MS))
        assert pairing.take(packet(2500, (last_ms - 2) * MS)).t_ns == last_ms * MS
        if sample_first:
            pairing.add(sample(0))
            pairing.restart()
        else:
            pairing.restart()
            assert pairing.take(packet(0, 0)) is None
            pairing.add(sample(0))
        assert pairing.take(packet(0, 0)).t_ns == 0
