"""The weights file: what goes in comes out; anything else is refused with the path and the remedy."""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuro_robot.errors import WeightsError
from neuro_robot.snn.weights_file import HEAD, MAGIC, VERSION, load_state, save_state

ARRAYS = {
    "weights/a->b": np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4),
    "counts": np.arange(5),
    "empty": np.zeros((0, 3), np.float32),
    "scalar": np.array(2.5),
    "mask": np.array([True, False]),
}
META = {"seed": 7, "gain": 0.25, "world": "forest ä"}


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "drone.weights"
    save_state(path, ARRAYS, META)
    return path


def refused(path, told):
    with pytest.raises(WeightsError, match=told) as caught:
        load_state(path)
    assert str(path) in str(caught.value)


def rewritten(path, header=None, payload=None, version=VERSION):
    """The file at path with another header or payload, its sizes and checksum put right again."""
    data = path.read_bytes()
    _, _, header_size, _, _ = HEAD.unpack_from(data)
    head = json.loads(data[HEAD.size : HEAD.size + header_size])
    body = data[HEAD.size + header_size :] if payload is None else payload(data[HEAD.size + header_size :])
    text = json.dumps(head if header is None else header(head)).encode()
    digest = hashlib.sha256(text + body).digest()
    path.write_bytes(HEAD.pack(MAGIC, version, len(text), len(body), digest) + text + body)


def test_round_trip(saved):
    arrays, meta = load_state(saved)
    assert meta == META
    assert list(arrays) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert arrays[name].dtype == array.dtype
        assert arrays[name].flags.writeable
        np.testing.assert_array_equal(arrays[name], array)


def test_order_of_bytes_and_memory_layout_do_not_matter(tmp_path):
    array = np.arange(6, dtype=">f4").reshape(2, 3).T
    save_state(tmp_path / "w", {"a": array}, {})
    np.testing.assert_array_equal(load_state(tmp_path / "w")[0]["a"], array)


def test_same_content_same_bytes(saved, tmp_path):
    save_state(tmp_path / "again", ARRAYS, META)
    assert (tmp_path / "again").read_bytes() == saved.read_bytes()


def test_saving_replaces_in_one_piece_and_leaves_nothing_behind(saved):
    save_state(saved, {"a": np.ones(3)}, {})
    assert list(load_state(saved)[0]) == ["a"]
    assert [item.name for item in saved.parent.iterdir()] == [saved.name]


def test_a_failed_save_keeps_the_old_file(saved, monkeypatch):
    def fail(*_):
        raise OSError("disk full")

    before = saved.read_bytes()
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(WeightsError, match="disk full"):
        save_state(saved, {"a": np.ones(3)}, {})
    assert saved.read_bytes() == before
    assert [item.name for item in saved.parent.iterdir()] == [saved.name]


def test_unwritable_places(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(WeightsError, match="cannot be written"):
        save_state(tmp_path / "file" / "w", {}, {})
    with pytest.raises(WeightsError, match="cannot be written"):
        save_state(tmp_path, {}, {})


@pytest.mark.parametrize(
    "bad",
    [np.array([np.nan]), np.array([np.inf], np.float32), np.array(["a"]), np.array([None]), np.zeros(2, "c8"), [1]],
)
def test_only_finite_plain_numbers_are_saved(tmp_path, bad):
    with pytest.raises(WeightsError, match=r"w: x: .*not saved"):
        save_state(tmp_path / "w", {"x": bad}, {})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("bad", [float("nan"), None, [1], {"a": 1}])
def test_only_plain_meta_is_saved(tmp_path, bad):
    with pytest.raises(WeightsError, match="meta 'm'"):
        save_state(tmp_path / "w", {}, {"m": bad})


def test_missing_file_and_directory(tmp_path):
    refused(tmp_path / "nothing", "does not exist; give the path")
    refused(tmp_path, "is not a plain file")


@settings(max_examples=60, deadline=None)
@given(cut=st.integers(0, 10_000))
def test_truncated_anywhere(cut, tmp_path_factory):
    path = tmp_path_factory.mktemp("cut") / "w"
    save_state(path, ARRAYS, META)
    data = path.read_bytes()
    path.write_bytes(data[: cut % len(data)])
    refused(path, "not a neuro_robot weights file|inside its head|torn")


@settings(max_examples=100, deadline=None)
@given(at=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_any_flipped_bit_is_noticed(at, bit, tmp_path_factory):
    path = tmp_path_factory.mktemp("flip") / "w"
    save_state(path, ARRAYS, META)
    data = bytearray(path.read_bytes())
    data[at % len(data)] ^= 1 << bit
    path.write_bytes(data)
    refused(path, "save")


@settings(max_examples=50, deadline=None)
@given(noise=st.binary(max_size=300), with_magic=st.booleans())
def test_noise(noise, with_magic, tmp_path_factory):
    path = tmp_path_factory.mktemp("noise") / "w"
    path.write_bytes((MAGIC if with_magic else b"") + noise)
    refused(path, "save|start without")


def test_foreign_files(tmp_path):
    path = tmp_path / "w"
    np.savez(tmp_path / "real.npz", weights=np.ones(3))
    path.write_bytes((tmp_path / "real.npz").read_bytes())
    refused(path, "is not a neuro_robot weights file")
    path.write_bytes(pickle.dumps({"weights": np.ones(3)}))
    refused(path, "is not a neuro_robot weights file")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("a", "b")
    path.write_bytes(archive.getvalue())
    refused(path, "is not a neuro_robot weights file")
    path.write_bytes(b"")
    refused(path, "is not a neuro_robot weights file")


def test_other_version(saved):
    rewritten(saved, version=VERSION + 1)
    refused(saved, f"written in format {VERSION + 1}, this program reads format {VERSION}; load it with the program")


def test_trailing_bytes(saved):
    saved.write_bytes(saved.read_bytes() + b"x")
    refused(saved, "torn or padded")


@pytest.mark.parametrize("sizes", [(0xFFFFFFFF, 0), (16, 2**63), (0xFFFFFFFF, 2**64 - 1)])
def test_huge_forged_sizes_are_not_believed(saved, sizes):
    data = saved.read_bytes()
    saved.write_bytes(HEAD.pack(MAGIC, VERSION, *sizes, bytes(32)) + data[HEAD.size :])
    refused(saved, "torn or padded")


def forged_entry(**change):
    def change_header(head):
        head["arrays"][0].update(change)
        return head

    return change_header


@pytest.mark.parametrize(
    "header",
    [
        forged_entry(shape=[2**40, 2**40]),
        forged_entry(shape=[-3, -4]),
        forged_entry(shape=[3.0, 4]),
        forged_entry(shape="34"),
        forged_entry(shape=[2, 4]),
        forged_entry(dtype="|O"),
        forged_entry(dtype="O8"),
        forged_entry(offset=8),
        forged_entry(name=3),
        forged_entry(name="counts"),
        lambda _: [],
        lambda _: None,
        lambda head: {"arrays": head["arrays"]},
        lambda head: {"arrays": head["arrays"], "meta": [1]},
        lambda head: {"arrays": head["arrays"], "meta": {"a": None}},
        lambda head: {"arrays": head["arrays"], "meta": {"a": float("nan")}},
        lambda head: {"arrays": [[]] * 3, "meta": {}},
        lambda head: {"arrays": head["arrays"][:-1], "meta": {}},
    ],
)
def test_forged_headers_with_a_right_checksum(saved, header):
    rewritten(saved, header=header)
    refused(saved, "make no sense")


def test_nan_weights_with_a_right_checksum(saved):
    rewritten(saved, payload=lambda body: np.float32(np.nan).tobytes() + body[4:])
    refused(saved, "NaN or infinity")


def test_a_file_beyond_the_limit_is_not_read(tmp_path):
    path = tmp_path / "w"
    with path.open("wb") as file:
        file.truncate((1 << 30) + 1)  # sparse
    refused(path, "a weights file at most")
