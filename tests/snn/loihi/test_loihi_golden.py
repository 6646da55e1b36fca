"""Every golden trace, equal to the bit: the shared ones by path, the project's own always."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from neuro_robot.bench.golden import compare, find_traces, load, network_of
from neuro_robot.cli_snn import app
from neuro_robot.errors import ConfigError, FileFormatError

ROOT = Path(__file__).resolve().parents[3]
OWN = ROOT / "tests" / "golden"
SHARED = ROOT.parent / "shared" / "golden"
TRACES = sorted(OWN.glob("*.npz")) + (sorted(SHARED.glob("*.npz")) if SHARED.is_dir() else [])


def test_the_shared_golden_traces_are_there():
    if not list(SHARED.glob("*.npz")):
        reason = "needs the golden traces of Lava and nengo-loihi in ../shared/golden beside the project"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)


@pytest.mark.parametrize("path", TRACES, ids=lambda path: f"{path.parent.parent.name}-{path.stem}")
def test_a_golden_trace_is_equal_to_the_bit(path):
    result = compare(path)
    assert result.first_difference == {"u": None, "v": None, "s_out": None}
    assert result.spikes > 0


HELD = [path for path in TRACES if "w_eff" in load(path)]


@pytest.mark.parametrize("path", HELD, ids=lambda path: path.stem)
def test_the_held_weights_are_those_of_the_trace(path):
    trace = load(path)
    synapses = network_of(trace, json.loads(str(trace["meta"]))).synapses["in->lif"]
    held = np.zeros(trace["w"].T.shape, np.int64)
    held[synapses.pre_index, synapses.post_index] = synapses.weights
    np.testing.assert_array_equal(held, trace["w_eff"].T)


def test_a_wrong_bit_is_found_and_named(tmp_path):
    trace = dict(load(find_traces(OWN)[0]))
    trace["v"] = trace["v"].copy()
    trace["v"][1, 7] += 1
    np.savez(tmp_path / "wrong.npz", **trace)
    assert compare(tmp_path / "wrong.npz").first_difference == {"u": None, "v": 7, "s_out": None}
    done = CliRunner(env={"COLUMNS": "200"}).invoke(app, ["golden", str(tmp_path)])
    assert done.exit_code == 1
    assert "differs at step 7" in " ".join(done.output.split())


def test_the_command_prints_one_line_per_trace():
    done = CliRunner().invoke(app, ["golden", str(OWN)])
    assert done.exit_code == 0, done.output
    table = CliRunner().invoke(app, ["golden", str(OWN), "--json"])
    assert [row["equal"] for row in json.loads(table.output)] == [True] * len(find_traces(OWN))


def broken(trace, **changes):
    return {**{name: value for name, value in trace.items() if name not in changes}, **changes}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: {k: v for k, v in t.items() if k != "u"}, "u missing"),
        (lambda t: broken(t, u=t["u"][:, :-1]), "u: expected whole numbers"),
        (lambda t: broken(t, w=t["w"][0]), "two-dimensional"),
        (lambda t: broken(t, v=t["v"].astype(float)), "v: expected whole numbers"),
        (lambda t: broken(t, meta=np.array("{")), "meta: expected JSON"),
        (lambda t: broken(t, meta=np.array('{"du": 1}')), "meta: expected JSON"),
        (lambda t: broken(t, meta=np.array("[1]")), "meta: expected JSON"),
    ],
)
def test_a_file_that_is_no_trace_is_refused(tmp_path, change, words):
    np.savez(tmp_path / "bad.npz", **change(dict(load(find_traces(OWN)[0]))))
    with pytest.raises(FileFormatError, match=words):
        compare(tmp_path / "bad.npz")


def test_a_torn_file_and_an_empty_folder_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="found none"):
        find_traces(tmp_path)
    data = find_traces(OWN)[0].read_bytes()
    for size in (0, 3, len(data) // 2, len(data) - 1):
        (tmp_path / "torn.npz").write_bytes(data[:size])
        with pytest.raises(FileFormatError, match="not a golden trace"):
            compare(tmp_path / "torn.npz")
