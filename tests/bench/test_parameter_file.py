"""A ROS 2 parameter file as body and mind of a run: what is taken, what is left out, what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from neuro_robot.bench.parameter_file import overrides_from
from neuro_robot.errors import ConfigError

ROOT = Path(__file__).resolve().parents[2]
SIM = "/**/leg_sim_node: {ros__parameters: %s}"
MIND = "leg_controller_node: {ros__parameters: %s}"


def said(tmp_path, *texts, robot="quadruped"):
    path = tmp_path / "body.yaml"
    path.write_text("\n".join(texts))
    return overrides_from(path, robot)


def test_body_and_mind_are_taken_and_what_is_the_nodes_own_is_left_out(tmp_path):
    sim = "{seed: 3, world: x, quadruped: {body: {kp: 3, kd: 1.5}, camera.width: 64}}"
    found = said(tmp_path, SIM % sim, MIND % "{mode: realtime, mind.step.stand: 0.4}")
    assert found.sim == {"body.kp": 3, "body.kd": 1.5, "camera.width": 64}
    assert found.mind == {"step.stand": 0.4}


def test_one_node_is_enough_and_the_drone_has_its_own(tmp_path):
    assert said(tmp_path, MIND % "{mind: {gait: pace}}") == ({}, {"gait": "pace"})
    text = "/**/sim_node: {ros__parameters: {drone: {camera: {width: 64}}}}"
    assert said(tmp_path, text, robot="drone").sim == {"camera.width": 64}


def test_the_packages_own_files_are_read_whole():
    for name in ("quadruped", "laikago"):
        found = overrides_from(ROOT / "config" / f"{name}.yaml", "quadruped")
        assert "body.urdf" in found.sim
    assert overrides_from(ROOT / "config" / "quadruped.yaml", "quadruped").mind["kinematics.thigh"] == 0.2


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "/**/sim_node: {ros__parameters: {drone: {}}}",
            "parameters of leg_sim_node or leg_controller_node, found none",
        ),
        ("/**/sim_node: {ros__parameters: {quadruped: {}}}", "sim_node: expected leg_sim_node for the group quadruped"),
        (
            SIM % "{quadruped: {body: {kp: 60.0}}}" + "\nleg_control_node: {ros__parameters: {mind: {}}}",
            "leg_control_node: expected leg_controller_node",
        ),
        (
            MIND % "{mind: {kinematics: {calf: 0.25}}}",
            r"kinematics\.calf: expected 0\.2 m, .* shank_length say, got 0\.25",
        ),
        (SIM % "{quadruped: {body: {hip_x: 0.2}}}", r"kinematics\.length: expected 0\.4 m, .*hip_x and rear_x"),
        (SIM % "{quadrupd: {body: {kp: 3.0}}}", "leg_sim_node: quadrupd: no such group; this node has quadruped"),
        (SIM % "{quadruped: 3}", "leg_sim_node: quadruped: expected a group of parameters, got 3"),
        (SIM % "{quadruped: {body: {kpp: 3.0}}}", r"leg_sim_node: quadruped\.body\.kpp: no such parameter"),
        (SIM % "{quadruped: {body: {kp: 1e9}}}", "body.kp"),
        (SIM % "{quadruped: {body: {kp: .nan}}}", "expected a finite number"),
        (MIND % "{mind: {kinematics: {thigh: long}}}", r"mind\.kinematics\.thigh: expected float, got 'long'"),
        ("- 1", "expected node names at the top level"),
    ],
)
def test_what_is_wrong_is_told_with_file_node_and_name(tmp_path, text, told):
    with pytest.raises(ConfigError, match=told) as caught:
        said(tmp_path, text)
    assert "body.yaml" in str(caught.value)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read as a parameter file"):
        overrides_from(tmp_path / "none.yaml", "quadruped")
